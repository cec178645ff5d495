"""Whether the loci of a feature keep to the ends of a concept's elements beyond chance.

A locus is where the feature is loud, as for candidates (`locus_share` and `merge_gap` of the
configuration). It does not depend on the threshold that detects a concept best.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int64

from genointerp.association.config import AssociateConfig
from genointerp.association.count.label import Label, readings
from genointerp.association.count.tracks import RowTrack
from genointerp.association.count.universe import Universe
from genointerp.core.binomial import chance_of_at_least
from genointerp.feature.loci import find_loci
from genointerp.feature.specimen import Specimen
from genointerp.store.feature.store import FeatureStore, ReadStrand

NEAR_BP = 10
"""Largest distance in bp from the first or the last base of an element that is near its end."""

_WHOLE = ("all", "outside")


class Peaks(NamedTuple):
    """Rows of one genome and reading strand on which the loci of a feature have their peaks."""

    genome: int
    strand: ReadStrand
    row: Int64[np.ndarray, " locus"]


class Nearness(NamedTuple):
    """Share of loci near an end of an element, and the chance of as many; NaN without loci."""

    share: float
    chance: float


class _Near(NamedTuple):
    """Rows near an end, as sorted disjoint half-open runs per genome and strand, and their rate."""

    runs: dict[tuple[int, ReadStrand], Int64[np.ndarray, "run 2"]]
    rate: float


class Ends:
    """Ends of elements on one universe.

    Parameters
    ----------
    stores, elements
        Features stores, one per genome, and the elements of the concepts.
    universe
        The cells that count.
    config
        Configuration that defines what a locus is.

    Notes
    -----
    Bases are near an end if they lie up to `NEAR_BP` before or after the first or the last base of
    an element, on its contig. The ends of codon positions and of first and last codons are those of
    the coding sequences. If k of n loci have their peak near an end, the chance is that of k or
    more successes in n draws with the largest of three rates of such pairs: among all that were
    read, among those within the elements, and among those in no element of either strand. Because
    of the latter two rates, a feature that fires anywhere in short elements, or in short gaps
    between them, does not count as keeping to ends. Loci that lie close together are not
    independent, so the true chance is somewhat larger.
    """

    def __init__(
        self,
        specimens: Sequence[Specimen],
        universe: Universe,
        config: AssociateConfig,
    ) -> None:
        self._specimens = specimens
        self._universe = universe
        self._config = config
        self._known: dict[Label, _Near] = {}

    def find_peaks(self, tracks: Sequence[RowTrack]) -> list[Peaks]:
        """Return the peaks of the loci of one feature that lie in the universe."""
        highest = max((float(it.value.max(initial=0)) for it in tracks), default=0.0)
        found = []
        for track in tracks:
            kept = self._universe.locate(track.genome, track.strand, track.row).inside
            offsets = np.array(
                list(self._specimens[track.genome].features.offsets.values()), dtype=np.int64
            )
            loci = find_loci(
                track.row[kept],
                track.value[kept],
                offsets,
                at_least=self._config.locus_share * highest,
                merge_gap=self._config.merge_gap,
            )
            found.append(Peaks(track.genome, track.strand, loci.peak))
        return found

    def nearness(self, peaks: Sequence[Peaks], label: Label) -> Nearness:
        """Return to what degree loci keep to the ends of the elements of a label."""
        near = self._find(label)
        n_loci = sum(len(one.row) for one in peaks)
        if not n_loci:
            return Nearness(float("nan"), float("nan"))
        n_near = 0
        for one in peaks:
            runs = near.runs.get((one.genome, one.strand), np.zeros((0, 2), np.int64))
            begun = np.searchsorted(runs[:, 0], one.row, side="right")
            ended = np.searchsorted(runs[:, 1], one.row, side="right")
            n_near += int((begun - ended).sum())
        return Nearness(n_near / n_loci, chance_of_at_least(n_near, n_loci, near.rate))

    def _find(self, label: Label) -> _Near:
        whole = _whole(label, self._specimens)
        if whole not in self._known:
            self._known[whole] = self._lay(whole)
        return self._known[whole]

    def _lay(self, label: Label) -> _Near:
        runs, pairs = {}, np.zeros((3, 2), np.int64)
        for genome, strand, drawn in readings(label, self._specimens):
            covered = self._universe.covered[genome][strand]
            if not len(covered.start):
                continue
            store = self._specimens[genome].features
            # all that is not between the first and the last base that was read cannot count
            low, high = int(covered.start[0]), int(covered.end[-1])
            table = self._specimens[genome].needs("elements").of(label.concept)
            is_own = table["strand"].isin([drawn, "."]) | (drawn is None)
            is_near = _near_ends(table[is_own], store)[low:high]
            is_within = _lie_in(table[is_own], store)[low:high]
            is_outside = ~_lie_in(table, store)[low:high]
            is_read = np.zeros(high - low, dtype=np.bool_)
            for start, end, _ in zip(*covered, strict=True):
                is_read[start - low : end - low] = True
            edges = np.diff(np.concatenate([[False], is_near, [False]]).astype(np.int8))
            runs[genome, strand] = low + np.flatnonzero(edges).reshape(-1, 2).astype(np.int64)
            for among, place in zip(pairs, (is_read, is_within, is_outside), strict=True):
                among += [(place & is_read & is_near).sum(), (place & is_read).sum()]
        return _Near(runs, float((pairs[:, 0] / np.maximum(pairs[:, 1], 1)).max()))


def _lie_in(table: pd.DataFrame, store: FeatureStore) -> Bool[np.ndarray, " row"]:
    """Return for each row whether it lies in an element of a table."""
    found = np.zeros(store.n_rows, dtype=np.bool_)
    for seqid, start, end in table[["seqid", "start", "end"]].itertuples(index=False):
        found[store.offsets[seqid] + start : store.offsets[seqid] + end] = True
    return found


def _whole(label: Label, specimens: Sequence[Specimen]) -> Label:
    """Return the label of the whole elements to which the bases of a label belong."""
    elements = [specimen.needs("elements") for specimen in specimens]
    own = next(it.concepts[label.concept] for it in elements if label.concept in it.names)
    is_part = own.bases not in _WHOLE and own.of is not None
    if is_part and any(own.of in it.names for it in elements):
        return Label(str(own.of), label.orientation)
    return label


def _near_ends(table: pd.DataFrame, store: FeatureStore) -> Bool[np.ndarray, " row"]:
    """Return for each row whether it is near the first or last base of an element of a table."""
    table = table.sort_values(["element", "part"], kind="stable")
    offset = np.array([store.offsets[name] for name in table["seqid"]], dtype=np.int64)
    length = np.array([store.lengths[name] for name in table["seqid"]], dtype=np.int64)
    start, end = (table[name].to_numpy(np.int64) + offset for name in ("start", "end"))
    is_reverse = (table["strand"] == "-").to_numpy(np.bool_)
    element = table["element"].to_numpy(np.int64)
    is_first = np.diff(element, prepend=-1) != 0
    is_last = np.diff(element, append=-1) != 0
    row = np.concatenate(
        [
            np.where(is_reverse, end - 1, start)[is_first],
            np.where(is_reverse, start, end - 1)[is_last],
        ]
    )
    lowest = np.concatenate([offset[is_first], offset[is_last]])
    highest = lowest + np.concatenate([length[is_first], length[is_last]])
    around = row[:, None] + np.arange(-NEAR_BP, NEAR_BP + 1)
    is_near = np.zeros(store.n_rows, dtype=np.bool_)
    is_near[around[(around >= lowest[:, None]) & (around < highest[:, None])]] = True
    return is_near
