"""A features file at the size of a bacterial genome: built out of core, then asked when cold.

Hits are synthetic, distributed as those of trained dictionaries: features of very unequal density,
which fire and pause in runs of bases, and activations with a long tail. Building runs in a process
of its own, for its peak memory; each question in one that has imported the package and no more.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from genointerp.core.provenance import Provenance
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.store import FeatureHeader
from genointerp.store.feature.writer import FeatureWriter

FULL = {
    "bp": 4_640_000,
    "n_features": 32_768,
    "k": 64,
    "region_bp": 10_000,
    "repeats": 5,
    "compressions": ["none"],
}
WINDOW = 8192
_RUN = 0.15
"""Chance at each base that a slot falls silent, or fires with another feature."""

BUILD = """
import json, resource, sys, time
from pathlib import Path
from benchmarks.benchmark_feature_scale import write
path, bp, n_features, k, compression = sys.argv[1:]
n_hits, seconds = write(Path(path), int(bp), int(n_features), int(k), compression)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"n_hits": n_hits, "seconds": seconds, "peak_mib": peak}))
"""

ASK = """
import json, sys, time
from pathlib import Path
from genointerp.feature.query import query_region
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import FeatureStore
path, question, place, length = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
clock, cpu = time.perf_counter(), time.process_time()
store = FeatureStore(path)
if question == "region":
    rows = len(query_region(store, GenomicInterval("chr", place, place + length)))
else:
    rows = sum(len(store.feature(place, strand).row) for strand in "+-")
clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
print(json.dumps({"clock_ms": 1e3 * clock, "cpu_ms": 1e3 * cpu, "rows": rows}))
"""


def measure(
    folder: Path,
    *,
    bp: int,
    n_features: int,
    k: int,
    region_bp: int,
    repeats: int,
    compressions: list[str],
) -> dict[str, float]:
    found: dict[str, float] = {}
    for compression in compressions:
        path = folder / f"{compression}.h5"
        built = run(BUILD, path, bp, n_features, k, compression)
        mark = "" if compression == "none" else f"{compression}_"
        found |= {
            f"{mark}n_hits": built["n_hits"],
            f"{mark}written_hits_per_s": built["n_hits"] / built["seconds"],
            f"{mark}peak_mib": built["peak_mib"],
            f"{mark}gb": path.stat().st_size / 1e9,
        }
        places = np.random.default_rng(1).integers(0, bp - region_bp, repeats)
        features = np.random.default_rng(2).integers(0, n_features, repeats)
        dense = np.zeros(repeats, dtype=int)  # the first feature of a slot is the densest
        questions = {"region": places, "feature": features, "dense_feature": dense}
        for question, numbers in questions.items():
            asked = [run(ASK, path, question, number, region_bp) for number in numbers]
            for name in ("clock_ms", "cpu_ms", "rows"):
                found[f"{mark}{question}_{name}"] = float(np.median([one[name] for one in asked]))
        path.unlink()
    return found


def run(code: str, *arguments: object) -> dict[str, float]:
    words = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, env=os.environ)
    return json.loads(done.stdout)


def drawn_genome(bp: int) -> Genome:
    """One circular contig of random bases."""
    bases = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), bp)
    return Genome([Contig("chr", bases, circular=True)])


def write(
    path: Path, bp: int, n_features: int, k: int, compression: str = "none"
) -> tuple[int, float]:
    """Write a file in which k features fire at a base on average.

    Returns
    -------
    The number of hits, and the CPU seconds of the writer alone.
    """
    import time

    genome = drawn_genome(bp)
    contigs = ContigInfo.of(genome)
    header = FeatureHeader("m", "m", "s", genome.sha256, "s", n_features, contigs)
    draw = Synthetic(n_features, k)
    n_hits, seconds = 0, 0.0
    writer = FeatureWriter(path, header, Provenance({}, {}), compression=compression)
    with writer:
        for strand in "+-":
            for start in range(0, bp, WINDOW):
                kept = GenomicInterval("chr", start, min(start + WINDOW, bp), strand)
                rows = draw.window(kept.length)
                n_hits += len(rows[1])
                begin = time.process_time()
                writer.add_window(kept, *rows)
                seconds += time.process_time() - begin
        begin = time.process_time()
    return n_hits, seconds + time.process_time() - begin


class Synthetic:
    """Slots, each of which fires with one of its own features for a run of bases, or is silent."""

    def __init__(self, n_features: int, k: int) -> None:
        self.random = np.random.default_rng(0)
        self.n_slots = 3 * k // 2
        self.size = n_features // self.n_slots
        rank = np.arange(1, self.size + 1)
        popularity = 1 / rank / (1 / rank).sum()
        self.choice = self.random.choice(self.size, 1 << 16, p=popularity).astype(np.int64)
        self.silent = self.random.random(1 << 16) < 1 / 3
        self.value = self.random.lognormal(0, 0.7, 1 << 16).astype(np.float32)

    def window(self, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        shape = (n, self.n_slots)
        fresh = self.random.integers(0, 256, shape, dtype=np.uint8) < 256 * _RUN
        fresh[0] = True
        since = np.maximum.accumulate(np.where(fresh, np.arange(n)[:, None], 0), axis=0)
        drawn = self.random.integers(0, 1 << 16, shape, dtype=np.uint16)
        drawn = np.take_along_axis(drawn, since, axis=0)
        feature = self.choice[drawn] + self.size * np.arange(self.n_slots)
        fires = ~self.silent[drawn]
        # the run has a level, its bases differ
        own = self.random.integers(0, 1 << 16, int(fires.sum()), dtype=np.uint16)
        indptr = np.concatenate([[0], np.cumsum(fires.sum(axis=1))]).astype(np.int64)
        value = self.value[drawn[fires]] * (1 + own.astype(np.float32) / (1 << 18))
        return indptr, feature[fires], value


def benchmark_feature_scale(tmp_path):
    size = {"bp": 20_000, "n_features": 96, "k": 4, "region_bp": 2000, "repeats": 1}
    size["compressions"] = ["none"]
    found = measure(tmp_path, **size)
    # a hit is stored once: its row within a tile and its value
    assert found["gb"] * 1e9 >= found["n_hits"] * (2 + 2)
    assert abs(found["n_hits"] / (2 * 20_000) - 4) < 0.5
