"""Counts of every feature, label and threshold: one pass against a sparse product for each pair.

On a slice of a genome ours reads the features from their file, and the naive loop, which is how
InterPLM counts, is given them as a matrix in memory; both count bases and elements, and must agree.
At the size of a whole bacterial genome ours runs alone, in a process of its own, for its peak
memory: fit and test together are every base, read on both strands.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from benchmarks.benchmark_feature_scale import BUILD, run
from benchmarks.benchmark_store import write
from benchmarks.timing import cpu_seconds
from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements
from genointerp.association.config import AssociateConfig
from genointerp.association.count.hits import feature_blocks
from genointerp.association.count.label import LabelledCells, label_cells, list_labels
from genointerp.association.count.measure import make_side
from genointerp.association.count.measure import measure as measure_all
from genointerp.association.count.tally import Tally
from genointerp.association.count.tracks import stream_features
from genointerp.association.count.universe import Universe, make_universe
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import FeatureStore

FULL = {
    "part": {"bp": 100_000, "n_features": 1024, "k": 16, "n_concepts": 20, "n_thresholds": 32},
    "whole": {"bp": 4_640_000, "n_features": 16_384, "k": 64, "n_concepts": 20, "n_thresholds": 32},
}

WHOLE = """
import json, sys
from pathlib import Path
from benchmarks.benchmark_counts import measure_whole
path, bp, n_concepts, n_thresholds = sys.argv[1:]
print(json.dumps(measure_whole(Path(path), int(bp), int(n_concepts), int(n_thresholds))))
"""


def measure(folder: Path, *, part: dict[str, int], whole: dict[str, int]) -> dict[str, float]:
    path = folder / "whole.h5"
    built = run(BUILD, path, whole["bp"], whole["n_features"], whole["k"], "none")
    found = run(WHOLE, path, whole["bp"], whole["n_concepts"], whole["n_thresholds"])
    path.unlink()
    found["n_hits"] = built["n_hits"]
    return measure_part(folder, **part) | {f"whole_{name}": found[name] for name in found}


def measure_part(
    folder: Path, *, bp: int, n_features: int, k: int, n_concepts: int, n_thresholds: int
) -> dict[str, float]:
    store = write(folder / "f.h5", bp, n_features, k)
    universe = make_universe([(store, (GenomicInterval("chr", 0, bp),))])
    specimens = [Specimen("chr", store, elements=make_elements(bp, n_concepts))]
    labels = label_cells(specimens, universe, list_labels(specimens))
    thresholds = np.linspace(0, 1, n_thresholds, endpoint=False)
    matrix = read_matrix(store, universe)
    truth = [Truth(labels, index) for index in range(len(labels.names))]
    start = time.process_time()
    expected = naive(matrix, truth, thresholds)
    loop = time.process_time() - start
    for ours, theirs in zip(one_pass(store, universe, labels, thresholds), expected, strict=True):
        assert np.array_equal(ours, theirs)
    ours = cpu_seconds(lambda: one_pass(store, universe, labels, thresholds))
    return {
        "n_labels": len(labels.names),
        "bases_per_s": 2 * bp / ours,
        "naive_bases_per_s": 2 * bp / loop,
        "times_faster": loop / ours,
    }


def measure_whole(path: Path, bp: int, n_concepts: int, n_thresholds: int) -> dict[str, float]:
    """Choose on fit and measure on test as `associate` does, without its nulls."""
    import resource

    clock, cpu = time.perf_counter(), time.process_time()
    store = FeatureStore(path)
    specimens = [Specimen("chr", store, elements=make_elements(bp, n_concepts))]
    names = list_labels(specimens)
    config = AssociateConfig(n_thresholds=n_thresholds)
    universes = (
        make_universe([(store, (GenomicInterval("chr", *places),))])
        for places in ((0, bp // 2), (bp // 2, bp))
    )
    fit, test = (make_side(specimens, universe, names, config) for universe in universes)
    labelled = time.process_time() - cpu
    found = measure_all(specimens, fit, test, config)
    assert found.n_both.shape == (store.n_features, len(names))
    return {
        "wall_s": time.perf_counter() - clock,
        "cpu_s": time.process_time() - cpu,
        "label_cpu_s": labelled,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def one_pass(
    store: FeatureStore, universe: Universe, labels: LabelledCells, thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    counter = Tally([store], universe, labels)
    found = []
    for features in feature_blocks([store]):
        block = counter.read(features)
        grid = np.tile(thresholds, (len(features), 1))
        found.append((*counter.levels(block, grid), counter.elements(block, grid)))
    n_feature, n_both, n_hit = (np.concatenate(part) for part in zip(*found, strict=True))
    return n_feature, n_both, n_hit


class Truth:
    """One label as InterPLM has it: a column of bases, and one of bases for each element."""

    def __init__(self, labels: LabelledCells, index: int) -> None:
        self.mask = labels.mask(index).astype(np.float64)
        patches = labels.patches
        # an element as it is read, and as a part of one of either reading
        elements = np.column_stack([patches.element, labels.whole[patches.element]])
        own = [
            elements[low:high].reshape(-1)
            for low, high in zip(patches.offset[:-1], patches.offset[1:], strict=True)
        ]
        of_patch = [
            np.unique(one[(one >= 0) & (labels.element_label[one] == index)]) for one in own
        ]
        cells = [np.flatnonzero(self.mask)]
        members = [of_patch[patch] for patch in patches.of_cell[cells[0]]]
        row = np.repeat(cells[0], [len(one) for one in members])
        numbers, column = np.unique(np.concatenate(members), return_inverse=True)
        shape = (len(self.mask), len(numbers))
        self.elements = csr_array((np.ones(len(row)), (row, column)), shape=shape)


def naive(
    matrix: csr_array, truth: list[Truth], thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shape = (matrix.shape[0], len(truth), len(thresholds))
    n_feature = np.zeros((matrix.shape[0], len(thresholds)), np.int64)
    n_both, n_hit = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for level, threshold in enumerate(thresholds):
        for index, one in enumerate(truth):
            reached = (matrix.data >= threshold).astype(np.float64)
            detected = csr_array((reached, matrix.indices, matrix.indptr), shape=matrix.shape)
            n_feature[:, level] = detected.sum(axis=1)
            n_both[:, index, level] = detected @ one.mask
            n_hit[:, index, level] = ((detected @ one.elements) > 0).sum(axis=1)
    return n_feature, n_both, n_hit


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
    part = {"bp": 3000, "n_features": 64, "k": 4, "n_concepts": 3, "n_thresholds": 4}
    whole = {"bp": 30_000, "n_features": 96, "k": 4, "n_concepts": 3, "n_thresholds": 4}
    found = measure(tmp_path, part=part, whole=whole)
    assert found["n_labels"] == 9
    assert abs(found["whole_n_hits"] / (2 * 30_000) - 4) < 0.5
