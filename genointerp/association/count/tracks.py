"""Tracks of single features and counts of one track, for curves and dense detectors.

A feature detects a base at a threshold t if it fires there (its activation is > 0) with at least t.
`genointerp.association.count.tally` counts every feature against every label.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64, Int64

from genointerp.association.count.label import LabelledCells
from genointerp.association.count.universe import Universe
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand

BLOCK_HITS = 4_000_000
"""Number of activations held in memory at once; a single feature may have more."""


class RowTrack(NamedTuple):
    """Global rows of one genome on which a feature fires when ``strand`` is read."""

    genome: int
    strand: ReadStrand
    row: Int64[np.ndarray, " hit"]
    value: Float32[np.ndarray, " hit"]


class CellTrack(NamedTuple):
    """Cells of one universe on which a feature fires, with its activations there, which are > 0."""

    cell: Int64[np.ndarray, " hit"]
    value: Float32[np.ndarray, " hit"]


class LevelCounts(NamedTuple):
    """Number of bases detected at each threshold: in all, and in common with each label."""

    n_feature: Int64[np.ndarray, " level"]
    n_both: Int64[np.ndarray, "label level"]


def stream_rows(
    stores: Sequence[FeatureStore], features: Sequence[int]
) -> Iterator[tuple[int, list[RowTrack]]]:
    """Yield features in ascending order, each with a track for every genome and strand."""
    for block in _blocks(stores, sorted(features)):
        first, stop = block[0], block[-1] + 1
        read = [
            (genome, strand, store.features(first, stop, strand))
            for genome, store in enumerate(stores)
            for strand in STRANDS
        ]
        for feature in block:
            tracks = []
            for genome, strand, rows in read:
                low, high = rows.indptr[feature - first : feature - first + 2]
                track = RowTrack(genome, strand, rows.feature[low:high], rows.value[low:high])
                tracks.append(track)
            yield feature, tracks


def stream_features(
    stores: Sequence[FeatureStore], universes: Sequence[Universe], features: Sequence[int]
) -> Iterator[tuple[int, list[CellTrack]]]:
    """Yield features in ascending order, each with its track on every universe."""
    for feature, tracks in stream_rows(stores, features):
        yield feature, [lay_on(universe, tracks) for universe in universes]


def lay_on(universe: Universe, tracks: Sequence[RowTrack]) -> CellTrack:
    """Return the part of the tracks of a feature that lies in a universe."""
    cells, values = [], []
    for track in tracks:
        cell, inside = universe.locate(track.genome, track.strand, track.row)
        cells.append(cell)
        values.append(track.value[inside])
    return CellTrack(np.concatenate(cells), np.concatenate(values))


def count_levels(
    track: CellTrack, thresholds: Float64[np.ndarray, " level"], labels: LabelledCells
) -> LevelCounts:
    """Count what a feature detects at each of several ascending thresholds."""
    n_levels, n_combinations = len(thresholds), labels.members.shape[1]
    level = np.searchsorted(thresholds, track.value, side="right") - 1
    reached = level >= 0
    key = labels.combination[track.cell[reached]].astype(np.int64) * n_levels + level[reached]
    table = np.bincount(key, minlength=n_levels * n_combinations).reshape(n_combinations, n_levels)
    detected = table[:, ::-1].cumsum(axis=1)[:, ::-1]
    both = np.rint(labels.members @ detected.astype(np.float64)).astype(np.int64)
    return LevelCounts(detected.sum(axis=0), both)


def rank_sums(
    track: CellTrack, labels: LabelledCells, n_covered: int
) -> Float64[np.ndarray, " label"]:
    """Sum the ranks (from 1, ties get their mean) of a feature's activations over each label.

    All cells where the feature does not fire are tied at zero.
    """
    _, index, count = np.unique(track.value, return_inverse=True, return_counts=True)
    n_silent = n_covered - len(track.value)
    rank = n_silent + np.cumsum(count) - (count - 1) / 2
    n_combinations = labels.members.shape[1]
    combination = labels.combination[track.cell]
    sums = np.bincount(combination, weights=rank[index], minlength=n_combinations)
    firing = np.bincount(combination, minlength=n_combinations).astype(np.float64)
    silent = labels.n_positive - labels.members @ firing
    return np.asarray(labels.members @ sums + silent * (n_silent + 1) / 2, dtype=np.float64)


def _blocks(stores: Sequence[FeatureStore], features: Sequence[int]) -> Iterator[list[int]]:
    """Group features so that a block, when read as one range, stays within its size."""
    hits = np.sum([store.n_firing(strand) for store in stores for strand in STRANDS], axis=0)
    end = np.concatenate([[0], np.cumsum(hits)])
    block: list[int] = []
    for feature in features:
        if block and end[feature + 1] - end[block[0]] > BLOCK_HITS:
            yield block
            block = []
        block.append(feature)
    if block:
        yield block
