"""The null of matched background: elements against stretches of the same length, strand and GC.

It answers a question that rotation cannot: whether a feature that prefers GC-rich or AT-rich bases
fires in the elements no more than in any stretch of that composition.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64, UInt16

from genointerp.association.config import AssociateConfig
from genointerp.association.count.hits import Detections
from genointerp.association.count.label import Label
from genointerp.association.count.universe import Universe
from genointerp.association.null import kernels as null_kernels
from genointerp.association.null.footprint import (
    BOTH,
    MINUS,
    PLUS,
    Footprints,
    Places,
    axis_bases,
    find_footprints,
    find_places,
    free_cells,
    open_cells,
)
from genointerp.association.null.significance import NullCounts
from genointerp.association.threads import spread
from genointerp.core.seed import rng
from genointerp.feature.specimen import Specimen

MIN_SHARE = 0.5
"""Smallest share of a label's elements that must have a background for the label to be tested."""

MAX_BACKGROUND = 2000
"""Most background stretches of a label; if it has many elements, few per element suffice."""

_TRIES = (64, 2048)
# numbers of places drawn for one background stretch, until one is near in GC and still open
_NEAREST = 64
# number of these places that are examined


class MatchedSets(NamedTuple):
    """Places that are exchanged with each other, for each stretch of the matched elements.

    Parameters
    ----------
    start
        First position on the axis: of the stretch itself in column 0, then of its background.
    n_places
        Number of columns that count, for each element.
    footprints
        Stretches of the matched elements, which are numbered again without those that have no
        background.
    share
        Share of the elements of the label that have a background.
    """

    start: Int64[np.ndarray, "stretch place"]
    n_places: Int64[np.ndarray, " element"]
    footprints: Footprints
    share: float


class _Edges(NamedTuple):
    """Begin and end cells of the stretches of matched sets, as for `count_exchanged`."""

    cell: Int64[np.ndarray, " edge"]
    phase: Int64[np.ndarray, " edge"]
    slot: Int64[np.ndarray, " edge"]
    sign: Int64[np.ndarray, " edge"]


class MatchedNull:
    """Count cells in common with stretches that resemble the elements of a label but are none.

    Notes
    -----
    Each stretch of an element gets up to K background stretches of the same length and reading
    strand, inside bases that were read, without a base of any element of the label. They are those
    with the nearest GC content, at most ``gc_caliper`` away, in a random sample of such places. No
    two background stretches of a label share a base, so that no base counts for two elements. K is
    ``n_matched``, or less if the label leaves no room for so many (the open cells over twice the
    cells of the elements) or has many elements (`MAX_BACKGROUND` in all), but at least 1. An
    element for which none is found is left out. A label is not tested if less than half of its
    elements have a background.

    In each draw every element is exchanged with one of its places (its own or a background, all of
    its stretches together), each with the same probability. This is the stratified permutation test
    of matched case-control sets (Rosenbaum 2002, chapter 2). It is exact if, under the null
    hypothesis, an element and its background are exchangeable. The p-value of a label with one
    element is at least ``1 / (K + 1)``, apart from the randomness of the draws.
    """

    def __init__(
        self,
        specimens: Sequence[Specimen],
        universe: Universe,
        config: AssociateConfig,
    ) -> None:
        self._specimens, self._universe = specimens, universe
        self._config = config
        bases = axis_bases(specimens, universe)
        stores = [specimen.features for specimen in specimens]
        self._free = free_cells(stores, universe, bases)
        is_gc = np.isin(bases, np.frombuffer(b"CG", np.uint8))
        self._gc = np.concatenate([[0], np.cumsum(is_gc)]).astype(np.int64)
        self._sets: dict[Label, MatchedSets] = {}
        self._edges: dict[Label, _Edges] = {}
        self._draw = rng(config.seed, "matched/exchange")
        self._drawn = np.zeros((0, config.n_shifts), np.uint16)

    def sets(self, label: Label) -> MatchedSets:
        """Return the places of a label's stretches, which are drawn once."""
        if label not in self._sets:
            footprints = find_footprints(self._specimens, self._universe, label)
            draw = rng(self._config.seed, f"matched/{'/'.join(label)}")
            self._sets[label] = draw_sets(footprints, self._free, self._gc, self._config, draw)
        return self._sets[label]

    def count(self, detected: Detections, label: Label) -> NullCounts | None:
        """Count the detected cells in the elements and in each draw; None for a label not tested.

        The observed cells are those in the matched elements. A cell of two elements counts twice.
        """
        sets = self.sets(label)
        if sets.share < MIN_SHARE:
            return None
        if label not in self._edges:
            self._edges[label] = _find_edges(sets, self._universe.n_bp)
        shape = sets.footprints.n_elements, sets.start.shape[1]
        observed = np.zeros(len(detected.start), dtype=np.int64)
        null = np.zeros((len(detected.start), self._config.n_shifts), dtype=np.int64)
        drawn = self._draws(shape[0])

        def count_one(detector: int) -> None:
            into = slice(detector, detector + 1)
            null_kernels.count_exchanged(
                *detected.of(detector),
                self._universe.n_bp,
                sets.footprints.step,
                *self._edges[label],
                np.zeros(shape, np.int64),
                sets.n_places,
                drawn,
                observed[into],
                null[into],
            )

        spread(count_one, range(len(observed)))
        return NullCounts(observed, null)

    def _draws(self, n: int) -> UInt16[np.ndarray, "element draw"]:
        """Return random numbers below 2 ** 16 that choose places; labels may share them."""
        if n > len(self._drawn):
            shape = (n - len(self._drawn), self._config.n_shifts)
            more = self._draw.integers(2**16, size=shape, dtype=np.uint32)
            self._drawn = np.concatenate([self._drawn, more.astype(np.uint16)])
        return self._drawn


def draw_sets(
    footprints: Footprints,
    free: Bool[np.ndarray, "strand bp"],
    gc: Int64[np.ndarray, " bp1"],
    config: AssociateConfig,
    draw: np.random.Generator,
) -> MatchedSets:
    """Draw the background of each stretch, and leave out elements that have none.

    Parameters
    ----------
    free
        Cells as `free_cells` returns them.
    gc
        Number of G and C before each position of the axis.
    """
    is_open = open_cells(footprints, free)
    n_background = _n_background(footprints, is_open, config)
    start = np.repeat(footprints.start[:, None], n_background + 1, axis=1)
    n_places = np.ones(len(start), dtype=np.int64)
    # the longest stretches first, while there is room for them
    longest = np.argsort(-footprints.length, kind="stable")
    for column in range(1, n_background + 1):
        places = find_places(is_open)
        for index in longest[n_places[longest] == column]:
            stretch = int(footprints.start[index]), int(footprints.length[index])
            strand = int(footprints.strand[index])
            rows = slice(None) if strand == BOTH else slice(strand, strand + 1)
            found = _find_background(*stretch, places[strand], is_open[rows], gc, config, draw)
            if found is not None:
                start[index, column] = found
                n_places[index] += 1
    return _matched_only(footprints, start, n_places)


def _n_background(
    footprints: Footprints, is_open: Bool[np.ndarray, "strand bp"], config: AssociateConfig
) -> int:
    taken = int((footprints.length * np.where(footprints.strand == BOTH, 2, 1)).sum())
    room = int(is_open.sum()) // max(2 * taken, 1)
    most = MAX_BACKGROUND // max(len(footprints.start), 1)
    return max(min(config.n_matched, room, most), 1)


def _find_background(
    own: int,
    length: int,
    places: Places,
    is_open: Bool[np.ndarray, "strand bp"],
    gc: Int64[np.ndarray, " bp1"],
    config: AssociateConfig,
    draw: np.random.Generator,
) -> int | None:
    """Find the place of one background stretch and close its cells; None if there is no place."""
    n_gc = int(gc[own + length] - gc[own])
    for tries in _TRIES:
        found = _draw_places(places, length, tries, draw)
        distance = np.abs(gc[found + length] - gc[found] - n_gc)
        for place in found[np.argsort(distance, kind="stable")[:_NEAREST]].tolist():
            if abs(int(gc[place + length] - gc[place]) - n_gc) > config.gc_caliper * length:
                break
            cells = is_open[:, place : place + length]
            if cells.all():
                cells[:] = False
                return int(place)
    return None


def _draw_places(
    places: Places, length: int, n: int, draw: np.random.Generator
) -> Int64[np.ndarray, " place"]:
    """Draw first positions of stretches that lie within a run, all with the same probability."""
    size = places.end - places.start
    room = size[: int(np.searchsorted(-size, -length, side="right"))] - length + 1
    ends = np.cumsum(room)
    if not len(ends):
        return np.zeros(0, dtype=np.int64)
    number = draw.integers(int(ends[-1]), size=n)
    run = np.searchsorted(ends, number, side="right")
    return np.asarray(places.start[run] + number - (ends - room)[run], dtype=np.int64)


def _matched_only(
    footprints: Footprints,
    start: Int64[np.ndarray, "stretch place"],
    n_places: Int64[np.ndarray, " stretch"],
) -> MatchedSets:
    """Return the sets of those elements whose stretches all have a background."""
    fewest = np.full(footprints.n_elements, start.shape[1], dtype=np.int64)
    np.minimum.at(fewest, footprints.element, n_places)
    is_matched = fewest > 1
    kept = is_matched[footprints.element]
    number = np.cumsum(is_matched) - 1
    matched = Footprints(
        element=number[footprints.element[kept]].astype(np.int64),
        start=footprints.start[kept],
        length=footprints.length[kept],
        strand=footprints.strand[kept],
        step=footprints.step,
    )
    share = float(is_matched.sum()) / max(len(is_matched), 1)
    return MatchedSets(start[kept], fewest[is_matched], matched, share)


def _find_edges(sets: MatchedSets, n_bp: int) -> _Edges:
    """Return the first cell of each stretch in each place, and the cell after its last."""
    footprints = sets.footprints
    n_columns = sets.start.shape[1]
    phase = sets.start % footprints.step
    slot = footprints.element[:, None] * n_columns + np.arange(n_columns)
    # columns that do not count repeat the stretch itself, and so do their counts
    edges = [np.zeros((0, 4), np.int64)]
    for strand in (PLUS, MINUS):
        own = (footprints.strand == strand) | (footprints.strand == BOTH)
        first = sets.start[own] + strand * n_bp
        for cell, sign in ((first, -1), (first + footprints.length[own, None], 1)):
            columns = (cell, phase[own], slot[own], np.full(cell.shape, sign))
            edges.append(np.stack(columns, axis=-1).reshape(-1, 4))
    rows = np.concatenate(edges)
    order = np.argsort(rows[:, 0], kind="stable")
    return _Edges(*(np.ascontiguousarray(rows[order, column]) for column in range(4)))
