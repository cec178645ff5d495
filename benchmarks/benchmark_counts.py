"""Counts of every feature, label and threshold: one pass against a sparse product for each pair.

Ours reads the features from their file; the naive loop is given them as a matrix in memory.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from benchmarks.benchmark_store import write
from benchmarks.timing import cpu_seconds
from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements
from genointerp.association.counts import count_levels, stream_features
from genointerp.association.label import LabelledCells, label_cells, list_labels
from genointerp.association.universe import Universe, make_universe
from genointerp.genome.interval import GenomicInterval
from genointerp.store.features import FeatureStore

FULL = {"bp": 200_000, "n_features": 2048, "k": 16, "n_concepts": 18, "n_thresholds": 16}


def measure(
    folder: Path, *, bp: int, n_features: int, k: int, n_concepts: int, n_thresholds: int
) -> dict[str, float]:
    store = write(folder / "f.h5", bp, n_features, k)
    universe = make_universe([store], [(GenomicInterval("chr", 0, bp),)])
    elements = make_elements(bp, n_concepts)
    names = list_labels([elements])
    labels = label_cells([store], [elements], universe, names)
    thresholds = np.linspace(0, 1, n_thresholds, endpoint=False)
    matrix = read_matrix(store, universe)
    masks = [labels.mask(i) for i in range(len(names))]
    assert np.array_equal(
        one_pass(store, universe, labels, thresholds), naive(matrix, masks, thresholds)
    )
    ours = cpu_seconds(lambda: one_pass(store, universe, labels, thresholds), repeats=2)
    loop = cpu_seconds(lambda: naive(matrix, masks, thresholds), repeats=1)
    return {
        "n_labels": len(names),
        "bases_per_s": 2 * bp / ours,
        "naive_bases_per_s": 2 * bp / loop,
        "times_faster": loop / ours,
    }


def one_pass(
    store: FeatureStore, universe: Universe, labels: LabelledCells, thresholds: np.ndarray
) -> np.ndarray:
    tracks = stream_features([store], [universe], range(store.n_features))
    counts = [count_levels(track, thresholds, labels).n_both for _, (track,) in tracks]
    return np.stack(counts, axis=2)


def naive(matrix: csr_array, masks: list[np.ndarray], thresholds: np.ndarray) -> np.ndarray:
    found = np.zeros((len(masks), len(thresholds), matrix.shape[0]), np.int64)
    for level, threshold in enumerate(thresholds):
        detected = csr_array(
            ((matrix.data >= threshold).astype(np.float64), matrix.indices, matrix.indptr),
            shape=matrix.shape,
        )
        for label, mask in enumerate(masks):
            found[label, level] = detected @ mask.astype(np.float64)
    return found


def read_matrix(store: FeatureStore, universe: Universe) -> csr_array:
    """Features by cells."""
    tracks = [t for _, (t,) in stream_features([store], [universe], range(store.n_features))]
    indptr = np.concatenate([[0], np.cumsum([len(track.cell) for track in tracks])])
    value = np.concatenate([track.value for track in tracks])
    cell = np.concatenate([track.cell for track in tracks])
    return csr_array((value, cell, indptr), shape=(len(tracks), universe.n_cells))


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
    size = {"bp": 3000, "n_features": 64, "k": 4, "n_concepts": 3, "n_thresholds": 4}
    assert measure(tmp_path, **size)["n_labels"] == 6
