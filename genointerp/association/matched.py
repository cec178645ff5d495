"""The null of matched background: elements against stretches of their own length, strand and GC.

It answers what rotation cannot: whether a feature that likes GC-rich or AT-rich bases would fire
in any stretch of that composition as it does in the elements.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from genointerp.annotation.concepts import ConceptElements
from genointerp.association.config import AssociateConfig
from genointerp.association.footprint import (
    BOTH,
    Footprints,
    Places,
    axis_bases,
    find_footprints,
    find_places,
    free_cells,
)
from genointerp.association.label import Label
from genointerp.association.universe import Universe
from genointerp.core.seed import rng
from genointerp.genome.genome import Genome
from genointerp.store.features import FeatureStore

MIN_SHARE = 0.5
"""Share of a label's elements that must have a background, else nothing is said of the label."""

_TRIES = (50, 1000)
# places looked at for one background stretch, until enough are near in GC


class MatchedSets(NamedTuple):
    """Places that are exchanged with one another, for each stretch of the matched elements.

    Parameters
    ----------
    start
        On the axis: of the stretch itself in column 0, then of its background.
    footprints
        The stretches; elements are numbered anew, without those that have no background.
    share
        Of all elements of the label, those that have a background.
    """

    start: Int64[np.ndarray, "stretch place"]
    footprints: Footprints
    share: float


class MatchedCounts(NamedTuple):
    """Detected cells: in the matched elements, and in each draw of exchanged places.

    A cell of two elements counts for each. ``n_concept`` are the cells of the matched elements.
    """

    observed: int
    null: Int64[np.ndarray, " draw"]
    n_concept: int


class MatchedNull:
    """Cells in common with stretches that are like the elements of a label, and are none.

    Notes
    -----
    To each stretch of an element belong ``n_matched`` background stretches of the same length and
    reading strand, without a base of any element of the label, all inside bases that were
    read: those with the nearest GC content of a random sample of such places, and at most one that
    begins in each tile of the stretch's own length, so that they are not one place many times. An
    element with a stretch for which not enough places are within ``gc_caliper`` has no
    background and is left out; a label of which less than half of the elements have one is not
    tested. In each draw every element is exchanged with one member of its set (itself and
    its background), all of its stretches together, each with probability
    ``1 / (n_matched + 1)``: the stratified permutation test of matched case-control sets
    (Rosenbaum 2002, chapter 2), exact where an element is no more likely than its background to be
    the element. A label of one element can reach no p-value below ``1 / (n_matched + 1)``.
    """

    def __init__(
        self,
        stores: Sequence[FeatureStore],
        elements: Sequence[ConceptElements],
        universe: Universe,
        sequences: Sequence[Genome],
        config: AssociateConfig,
    ) -> None:
        self._stores, self._elements, self._universe = stores, elements, universe
        self._config = config
        bases = axis_bases(stores, sequences, universe)
        self._free = free_cells(universe, bases)
        is_gc = np.isin(bases, np.frombuffer(b"CG", np.uint8))
        self._gc = np.concatenate([[0], np.cumsum(is_gc)]).astype(np.int64)
        self._sets: dict[Label, MatchedSets] = {}
        self._choice: UInt8[np.ndarray, "element draw"] = np.zeros((0, config.n_shifts), np.uint8)

    def sets(self, label: Label) -> MatchedSets:
        """Return the places of a label's stretches, drawn once."""
        if label not in self._sets:
            footprints = find_footprints(self._stores, self._elements, self._universe, label)
            places = find_places(footprints, self._free)
            self._sets[label] = draw_sets(
                footprints, places, self._gc, self._config, purpose="/".join(label)
            )
        return self._sets[label]

    def count(self, cells: Int64[np.ndarray, " hit"], label: Label) -> MatchedCounts | None:
        """Count the given cells in the elements and in each draw; None where not tested."""
        sets = self.sets(label)
        if sets.share < MIN_SHARE:
            return None
        found = count_places(sets, cells, self._universe.n_bp)
        found = found[found.any(axis=1)]
        # the same draws serve all labels: element by element they are independent
        choice = self._draws(len(found))
        null = np.zeros(choice.shape[1], dtype=np.int64)
        for row, chosen in zip(found, choice, strict=True):
            null += row[chosen]
        n_concept = int(sets.footprints.n_cells.sum())
        return MatchedCounts(int(found[:, 0].sum()), null, n_concept)

    def _draws(self, n: int) -> UInt8[np.ndarray, "element draw"]:
        if n > len(self._choice):
            draw = rng(self._config.seed, "matched/exchange")
            shape = (max(n, 2 * len(self._choice)), self._config.n_shifts)
            self._choice = draw.integers(self._config.n_matched + 1, size=shape, dtype=np.uint8)
        return self._choice[:n]


def draw_sets(
    footprints: Footprints,
    places: Sequence[Places],
    gc: Int64[np.ndarray, " bp1"],
    config: AssociateConfig,
    *,
    purpose: str,
) -> MatchedSets:
    """Draw the background of each stretch, and leave out the elements that have none.

    Parameters
    ----------
    gc
        G and C before each position of the axis.
    purpose
        Names the stream of random numbers, with ``config.seed``.
    """
    draw = rng(config.seed, f"matched/{purpose}")
    n_stretches = len(footprints.start)
    start = np.zeros((n_stretches, config.n_matched + 1), dtype=np.int64)
    start[:, 0] = footprints.start
    is_matched = np.zeros(n_stretches, dtype=np.bool_)
    for index in range(n_stretches):
        length = int(footprints.length[index])
        own = int(footprints.start[index])
        background = _background(
            length,
            int(gc[own + length] - gc[own]),
            places[int(footprints.strand[index])],
            gc,
            config,
            draw,
        )
        if len(background) == config.n_matched:
            start[index, 1:] = background
            is_matched[index] = True
    return _without(footprints, start, is_matched)


def _background(
    length: int,
    n_gc: int,
    places: Places,
    gc: Int64[np.ndarray, " bp1"],
    config: AssociateConfig,
    draw: np.random.Generator,
) -> Int64[np.ndarray, " place"]:
    """Return the background of one stretch; fewer places than asked for where there are not."""
    kept = np.zeros(0, dtype=np.int64)
    for tries in _TRIES:
        found = _draw_places(places, length, tries * config.n_matched, draw)
        distance = np.abs(gc[found + length] - gc[found] - n_gc)
        near = np.flatnonzero(distance <= config.gc_caliper * length)
        near = near[np.argsort(distance[near], kind="stable")]
        _, first = np.unique(found[near] // length, return_index=True)
        kept = found[near[np.sort(first)[: config.n_matched]]]
        if len(kept) == config.n_matched:
            break
    return kept


def _draw_places(
    places: Places, length: int, n: int, draw: np.random.Generator
) -> Int64[np.ndarray, " place"]:
    """Draw first positions of stretches that lie within a run, each as likely as any other."""
    size = places.end - places.start
    room = size[: int(np.searchsorted(-size, -length, side="right"))] - length + 1
    ends = np.cumsum(room)
    if not len(ends):
        return np.zeros(0, dtype=np.int64)
    number = draw.integers(int(ends[-1]), size=n)
    run = np.searchsorted(ends, number, side="right")
    return np.asarray(places.start[run] + number - (ends - room)[run], dtype=np.int64)


def _without(
    footprints: Footprints,
    start: Int64[np.ndarray, "stretch place"],
    is_matched: Bool[np.ndarray, " stretch"],
) -> MatchedSets:
    n_elements = footprints.n_elements
    is_lost = np.zeros(n_elements, dtype=np.bool_)
    is_lost[footprints.element[~is_matched]] = True
    kept = ~is_lost[footprints.element]
    number = np.cumsum(~is_lost) - 1
    matched = Footprints(
        element=number[footprints.element[kept]].astype(np.int64),
        start=footprints.start[kept],
        length=footprints.length[kept],
        strand=footprints.strand[kept],
        step=footprints.step,
    )
    return MatchedSets(start[kept], matched, float((~is_lost).sum()) / max(n_elements, 1))


def count_places(
    sets: MatchedSets, cells: Int64[np.ndarray, " hit"], n_bp: int
) -> Int64[np.ndarray, "element place"]:
    """Count the given cells in each place of each element."""
    footprints, step = sets.footprints, sets.footprints.step
    # counts[i + step] is over the bases i, i - step, i - 2 step, ...
    n_rows = -(-n_bp // step)
    last = sets.start + (footprints.length[:, None] - 1)
    total = np.zeros(sets.start.shape, dtype=np.int64)
    for strand in (0, 1):
        own = cells[(cells >= n_bp) == bool(strand)] - strand * n_bp
        is_on = np.zeros(n_rows * step, dtype=np.uint8)
        is_on[own] = 1
        counts = np.zeros((n_rows + 1, step), dtype=np.int32)
        np.cumsum(is_on.reshape(n_rows, step), axis=0, dtype=np.int32, out=counts[1:])
        flat = counts.reshape(-1)
        used = (footprints.strand == strand) | (footprints.strand == BOTH)
        total[used] += flat[last[used] + step] - flat[sets.start[used]]
    by_element = np.zeros((footprints.n_elements, len(total.T)), dtype=np.int64)
    np.add.at(by_element, footprints.element, total)
    return by_element
