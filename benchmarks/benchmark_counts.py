"""Counts of every feature, label and threshold: one pass against InterPLM's loop.

The loop, written naively, is over thresholds and labels: binarise the features, multiply them with
the label for true and once more for false positives, and count the elements that each feature hits.
Ours reads the features from their file; the loop is given them as a matrix in memory. Both must
give the same numbers. ``full`` is the size of a bacterial genome, with everything that a table of
associations needs: levels on fit and test, elements, ranks, intervals.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack

from benchmarks.benchmark_feature_scale import write
from benchmarks.timing import cpu_seconds
from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements
from genointerp.association.label import Label, label_cells, list_labels
from genointerp.association.tally import Tally, feature_blocks
from genointerp.association.universe import make_universe
from genointerp.genome.interval import GenomicInterval
from genointerp.store.features import STRANDS, FeatureStore

FULL = {
    "bp": 10_000,
    "n_features": 2048,
    "k": 64,
    "n_concepts": 20,
    "n_thresholds": 32,
    "full": {
        "bp": 4_640_000,
        "n_features": 16_384,
        "k": 64,
        "n_concepts": 20,
        "n_thresholds": 32,
    },
}

MEASURE = """
import json, resource, sys, time
from pathlib import Path
from benchmarks.benchmark_counts import make_elements
from genointerp.association.associate import _sides
from genointerp.association.config import AssociateConfig
from genointerp.association.measure import measure
from genointerp.store.features import FeatureStore
path, bp, n_concepts, n_thresholds = Path(sys.argv[1]), *map(int, sys.argv[2:])
clock, cpu = time.perf_counter(), time.process_time()
stores, elements = [FeatureStore(path)], [make_elements(bp, n_concepts)]
config = AssociateConfig(n_thresholds=n_thresholds)
fit, test = _sides(stores, elements, config)
found = measure(stores, elements, fit, test, config)
print(json.dumps({
    "full_wall_s": time.perf_counter() - clock,
    "full_cpu_s": time.process_time() - cpu,
    "full_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def measure(
    folder: Path,
    *,
    bp: int,
    n_features: int,
    k: int,
    n_concepts: int,
    n_thresholds: int,
    full: dict[str, int],
) -> dict[str, float]:
    path = folder / "f.h5"
    n_hits, _ = write(path, bp, n_features, k)
    store = FeatureStore(path)
    universe = make_universe([store], [(GenomicInterval("chr", 0, bp),)])
    elements = make_elements(bp, n_concepts)
    names = list_labels([elements])
    labels = label_cells([store], [elements], universe, names)
    tally = Tally([store], universe, labels)
    thresholds = np.linspace(0, 8, n_thresholds, endpoint=False)
    grid = np.broadcast_to(thresholds, (n_features, n_thresholds))
    matrix = read_matrix(store)
    tracks = [element_track(elements, label, bp) for label in names]
    for ours, theirs in zip(
        one_pass(tally, [store], grid), loop(matrix, tracks, thresholds), strict=True
    ):
        assert np.array_equal(ours, theirs)
    own = cpu_seconds(lambda: one_pass(tally, [store], grid), repeats=3)
    other = cpu_seconds(lambda: loop(matrix, tracks, thresholds), repeats=1)
    found = {
        "n_labels": len(names),
        "n_hits": n_hits,
        "hits_per_s": n_hits / own,
        "loop_hits_per_s": n_hits / other,
        "times_faster": other / own,
    }
    path.unlink()
    return found | measure_full(folder / "full.h5", **full)


def measure_full(
    path: Path, *, bp: int, n_features: int, k: int, n_concepts: int, n_thresholds: int
) -> dict[str, float]:
    """Measure a whole genome in a process of its own, for its clock and its memory."""
    n_hits, _ = write(path, bp, n_features, k)
    words = [sys.executable, "-c", MEASURE, *map(str, (path, bp, n_concepts, n_thresholds))]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, env=os.environ)
    return {"full_n_hits": n_hits} | json.loads(done.stdout)


class Counts(NamedTuple):
    """True positives, false positives and elements hit, each features by labels by thresholds."""

    inside: np.ndarray
    outside: np.ndarray
    elements: np.ndarray


def one_pass(tally: Tally, stores: list[FeatureStore], grid: np.ndarray) -> Counts:
    parts = []
    for features in feature_blocks(stores):
        block, own = tally.read(features), grid[features.start : features.stop]
        counts = tally.levels(block, own)
        outside = counts.n_feature[:, None, :] - counts.n_both
        parts.append(Counts(counts.n_both, outside, tally.elements(block, own)))
    return Counts(*map(np.concatenate, zip(*parts, strict=True)))


def loop(matrix: csr_array, tracks: list[np.ndarray], thresholds: np.ndarray) -> Counts:
    shape = (matrix.shape[0], len(tracks), len(thresholds))
    counts = Counts(*(np.zeros(shape, np.int64) for _ in range(3)))
    for level, threshold in enumerate(thresholds):
        binary = matrix.copy()
        binary.data = (binary.data >= threshold).astype(np.int64)
        binary.eliminate_zeros()
        for label, track in enumerate(tracks):
            inside = binary.multiply((track > 0).astype(np.int64)[None])
            counts.inside[:, label, level] = inside.sum(axis=1)
            counts.outside[:, label, level] = (binary - inside).sum(axis=1)
            numbered = csr_array(binary.multiply(track[None]))
            for feature in range(matrix.shape[0]):
                first, last = numbered.indptr[feature : feature + 2]
                hit = {*numbered.data[first:last].tolist()} - {0}
                counts.elements[feature, label, level] = len(hit)
    return counts


def read_matrix(store: FeatureStore) -> csr_array:
    """Features by cells: bases read on +, then those read on -."""
    found = []
    for strand in STRANDS:
        rows = store.features(0, store.n_features, strand)
        shape = (store.n_features, store.n_rows)
        found.append(csr_array((rows.value, rows.feature, rows.indptr), shape=shape))
    return csr_array(hstack(found, format="csr"))


def element_track(elements: ConceptElements, label: Label, bp: int) -> np.ndarray:
    """Number, from 1, of the element at each cell; 0 for none."""
    track = np.zeros((2, bp), np.int64)
    own = elements.table[elements.table["concept"] == label.concept]
    for row in own.itertuples():
        strand = int((row.strand == "-") == (label.orientation == "sense"))
        track[strand, row.start : row.end] = row.element + 1
    return track.ravel()


def make_elements(bp: int, n_concepts: int) -> ConceptElements:
    """Elements of 1 kb on alternate strands, each concept shifted against the last."""
    rows = []
    for concept in range(n_concepts):
        starts = range(37 * concept, bp - 1000, 2000 + 100 * concept)
        rows += [
            (f"c{concept}", "chr", start, start + 1000, "+-"[i % 2], i, f"e{i}", 0, -1)
            for i, start in enumerate(starts)
        ]
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    concepts = {f"c{i}": Concept("x", types=("x",)) for i in range(n_concepts)}
    return ConceptElements(pd.DataFrame(columns), concepts)


def benchmark_counts(tmp_path):
    size = {"n_features": 192, "k": 4, "n_concepts": 3, "n_thresholds": 4}
    found = measure(tmp_path, bp=5000, full={"bp": 500_000, **size}, **size)
    assert found["n_labels"] == 6
    assert found["full_cpu_s"] > 0
