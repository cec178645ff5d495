"""A features file: written from windows, then asked for a region and for a feature."""

from pathlib import Path

import numpy as np

from benchmarks.timing import cpu_seconds
from genointerp.core.provenance import Provenance
from genointerp.feature.query import query_region
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.store import FeatureHeader, FeatureStore
from genointerp.store.feature.writer import FeatureWriter

FULL = {"bp": 1_000_000, "n_features": 2048, "k": 16}
WINDOW = 4096


def measure(folder: Path, *, bp: int, n_features: int, k: int) -> dict[str, float]:
    path = folder / "f.h5"
    writing = cpu_seconds(lambda: write(path, bp, n_features, k), repeats=1)
    store = FeatureStore(path)
    middle = bp // 2
    region = GenomicInterval("chr", middle - 1000, middle + 1000)
    n_hits = 2 * bp * k
    return {
        "written_hits_per_s": n_hits / writing,
        "bytes_per_hit": path.stat().st_size / n_hits,
        "region_ms": 1e3 * cpu_seconds(lambda: query_region(store, region)),
        "feature_ms": 1e3 * cpu_seconds(lambda: store.feature(7, "+")),
    }


def write(path: Path, bp: int, n_features: int, k: int) -> FeatureStore:
    """Make a file in which k features fire at each base of either strand."""
    contigs = (ContigInfo("chr", bp, circular=True),)
    header = FeatureHeader("m", "m", "s", "g", "s", n_features, contigs)
    generator = np.random.default_rng(0)
    step = n_features // k
    feature = np.arange(0, n_features, step) + generator.integers(0, step, (WINDOW, k))
    value = generator.random((WINDOW, k), dtype=np.float32) + 0.1
    with FeatureWriter(path, header, Provenance(config={}, inputs={})) as writer:
        for strand in "+-":
            for start in range(0, bp, WINDOW):
                n = min(WINDOW, bp - start)
                kept = GenomicInterval("chr", start, start + n, strand)
                indptr = np.arange(n + 1, dtype=np.int64) * k
                writer.add_window(kept, indptr, feature[:n].reshape(-1), value[:n].reshape(-1))
    return FeatureStore(path)


def benchmark_store(tmp_path):
    found = measure(tmp_path, bp=10_000, n_features=256, k=8)
    # a hit is stored once: its row within a tile and its value
    assert found["bytes_per_hit"] >= 2 + 2
