"""Writing and querying stores; sizes by environment, small in the test suite.

``GENOINTERP_BENCHMARK_BP=1000000 python benchmarks/benchmark_store.py`` prints CPU seconds.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from genointerp.core.provenance import Provenance
from genointerp.feature.query import query_region
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature_writer import FeatureWriter
from genointerp.store.features import FeatureHeader, FeatureStore

BP = int(os.environ.get("GENOINTERP_BENCHMARK_BP", "20000"))
N_FEATURES, K, WINDOW = 2048, 16, 4096


def write(path: Path, bp: int) -> FeatureStore:
    contigs = (ContigInfo("chr", bp, circular=True),)
    header = FeatureHeader("m", "m", "s", "g", "s", N_FEATURES, contigs)
    generator = np.random.default_rng(0)
    step = N_FEATURES // K
    feature = np.arange(0, N_FEATURES, step) + generator.integers(0, step, (WINDOW, K))
    value = generator.random((WINDOW, K), dtype=np.float32) + 0.1
    with FeatureWriter(path, header, Provenance(config={}, inputs={})) as writer:
        for strand in "+-":
            for start in range(0, bp, WINDOW):
                n = min(WINDOW, bp - start)
                kept = GenomicInterval("chr", start, start + n, strand)
                indptr = np.arange(n + 1, dtype=np.int64) * K
                writer.add_window(kept, indptr, feature[:n].reshape(-1), value[:n].reshape(-1))
    return FeatureStore(path)


def timed(function, *arguments):
    start = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - start


def measure(path: Path, bp: int) -> dict[str, float]:
    store, writing = timed(write, path, bp)
    middle = bp // 2
    region = GenomicInterval("chr", middle - 1000, middle + 1000)
    _, region_seconds = timed(query_region, store, region)
    _, feature_seconds = timed(store.feature, 7, "+")
    return {
        "bp": bp,
        "written_hits_per_s": 2 * bp * K / max(writing, 1e-9),
        "bytes_per_hit": path.stat().st_size / (2 * bp * K),
        "region_ms": 1e3 * region_seconds,
        "feature_ms": 1e3 * feature_seconds,
    }


def benchmark_store_writes_and_answers(tmp_path):
    assert measure(tmp_path / "f.h5", BP)["region_ms"] >= 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in measure(Path(folder) / "f.h5", BP).items():
            sys.stdout.write(f"{name}\t{figure:.6g}\n")
