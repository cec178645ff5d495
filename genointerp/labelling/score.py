"""How well labels say where features fire, on bases that no labeller saw.

An executable label is measured as `associate` measures a concept: the threshold is chosen on fit,
and everything else is counted on test. Where a label names a whole concept, the numbers are those
of the associations, which a test compares.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Complex128, Float64, Int64

from genointerp.association.config import AssociateConfig
from genointerp.association.count.tracks import CellTrack, stream_features
from genointerp.association.count.universe import Universe, lay_side
from genointerp.association.null.nulls import NULL_QUANTILE
from genointerp.association.null.significance import benjamini_hochberg, draw_shifts
from genointerp.association.split import SideName
from genointerp.core import metric
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.feature.specimen import Specimen
from genointerp.labelling.averages import mean_known
from genointerp.labelling.config import ScoreConfig
from genointerp.labelling.executable import NamedBases, named_bases
from genointerp.labelling.label import FeatureLabel, as_row
from genointerp.labelling.laid import LaidBases, NamedCells, Rotations
from genointerp.store.table.labels import scored_bases
from genointerp.store.table.schema.label import LABEL_SCORES
from genointerp.store.table.table import conform

N_STRETCHES = 20
"""Stretches of the axis that are drawn for an interval."""

HELD_HITS = 8_000_000
"""Hits of features that are held at once, so that the bases of a label are found once for all."""

_Row = dict[str, Any]


_Tracks = Mapping[int, Sequence[CellTrack]]
"""Tracks of features, each on fit and on test."""


class _Sides(NamedTuple):
    """What a label names on fit and on test."""

    fit: NamedCells
    test: NamedCells


@dataclass(frozen=True, eq=False)
class _Counted:
    """A feature under a label: the threshold from fit, and what it detects on test from there on.

    Parameters
    ----------
    track
        The feature on test.
    loud
        Which of its cells reach the threshold.
    inside
        Which of its cells the label names.
    """

    threshold: float
    f1_fit: float
    track: CellTrack
    loud: Bool[np.ndarray, " hit"]
    inside: Bool[np.ndarray, " hit"]

    @property
    def n_detected(self) -> int:
        """Number of detected cells."""
        return int(self.loud.sum())

    @property
    def n_both(self) -> int:
        """Number of detected cells that the label names."""
        return int((self.loud & self.inside).sum())


def score_labels(
    specimens: Sequence[Specimen],
    labels: Sequence[FeatureLabel],
    split: AssociateConfig,
    config: ScoreConfig | None = None,
    *,
    measured_on: SideName = "test",
    controls: bool = True,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Return the scores of labels in their order, in the schema ``LABEL_SCORES``.

    Parameters
    ----------
    specimens
        Genomes with the features of one dictionary and the elements of the concepts; with their
        sequences where a label names a motif or a GC content.
    split
        The configuration of the associations: fit and test, thresholds and shifts.
    measured_on
        ``fit`` for choices among labels, which are then measured on test.
    controls
        Whether to draw the intervals, and to score the labels of other features.

    Returns
    -------
    pandas.DataFrame
        A row for each label. Scores are NaN for a label that names no bases, or none on test.

    Notes
    -----
    ``shuffled_f1`` and ``shuffled_auroc`` are the means over ``n_shuffled`` labels of the same
    source that are drawn for all features together, without those that name what its own label
    names: what any label would reach.
    """
    config = ScoreConfig() if config is None else config
    scorer = _Scorer(specimens, labels, split, config, measured_on)
    pools = scorer.pools(labels) if controls else {}
    by_feature: dict[int, list[int]] = {}
    for place, label in enumerate(labels):
        by_feature.setdefault(label.feature, []).append(place)
    rows: list[_Row] = [_empty(label) for label in labels]
    stores = [specimen.features for specimen in specimens]
    wanted, done = sorted(by_feature), 0
    for block in _held(stream_features(stores, scorer.universes, wanted)):
        places = [place for feature in block for place in by_feature[feature]]
        scorer.score(labels, places, block, rows, controls=controls)
        scorer.add_shuffled(labels, places, block, rows, pools)
        done += len(block)
        progress(done, len(wanted))
    table = pd.DataFrame(rows, columns=LABEL_SCORES.names)
    p = table["p_value"].to_numpy(np.float64)
    for source in table["source"].unique():
        own = (table["source"] == source).to_numpy()
        # those that were not tested for their gain count among the tests
        n_tests = int(table.loc[own, "f1"].notna().sum())
        table.loc[own, "q_value"] = benjamini_hochberg(p[own], n_tests=n_tests)
    return conform(table, LABEL_SCORES, where="label scores")


def _empty(label: FeatureLabel) -> _Row:
    kinds = {column.name: column.kind for column in LABEL_SCORES.columns}
    row: _Row = {name: 0 if kind == "int64" else np.nan for name, kind in kinds.items()}
    return row | {
        "feature": label.feature,
        "source": label.source,
        "label": label.label,
        "is_executable": int(label.is_executable),
        "bases": scored_bases(as_row(label)),
    }


class _Scorer:
    """Fit and test of one call, with what its labels name on them."""

    def __init__(
        self,
        specimens: Sequence[Specimen],
        labels: Sequence[FeatureLabel],
        split: AssociateConfig,
        config: ScoreConfig,
        measured_on: SideName,
    ) -> None:
        self.split, self.config = split, config
        sides: tuple[SideName, SideName] = ("fit", measured_on)
        self.universes: list[Universe] = [lay_side(specimens, split, side) for side in sides]
        named = [one for one in map(named_bases, labels) if one is not None]
        self._laid = [LaidBases(specimens, universe, named) for universe in self.universes]
        test = self.universes[1]
        shifts = draw_shifts(test.n_bp, split.n_shifts, seed=split.seed)
        self._rotations = Rotations(test.n_bp, shifts)
        draw = rng(config.seed, "label intervals")
        n = N_STRETCHES
        self._weight = draw.multinomial(n, np.full(n, 1 / n), size=config.n_draws)

    def _sides(self, named: NamedBases) -> _Sides:
        fit, test = (laid.cells(named) for laid in self._laid)
        return _Sides(fit, test)

    def pools(self, labels: Sequence[FeatureLabel]) -> dict[str, tuple[NamedBases, ...]]:
        """Return labels of each source that are drawn for all of its features."""
        found = {}
        for source in dict.fromkeys(label.source for label in labels):
            own = [named_bases(label) for label in labels if label.source == source]
            distinct = list(dict.fromkeys(it for it in own if it is not None))
            draw = rng(self.config.seed, f"labels of other features: {source}")
            order = draw.permutation(len(distinct))[: self.config.n_shuffled].tolist()
            found[source] = tuple(distinct[index] for index in order)
        return found

    def score(
        self,
        labels: Sequence[FeatureLabel],
        places: Sequence[int],
        tracks: _Tracks,
        rows: list[_Row],
        *,
        controls: bool,
    ) -> None:
        """Score the labels at some places, each under the feature that it is a label of."""
        for named, own in _by_named(labels, places).items():
            sides, spectrum = self._sides(named), None
            for place in own:
                counted = self._count(sides, tracks[labels[place].feature])
                row = self._row(sides, counted)
                rows[place] |= row
                if "f1" not in row:
                    continue
                detected = np.zeros(self.universes[1].n_cells, np.bool_)
                detected[counted.track.cell[counted.loud]] = True
                n_hit = sides.test.n_hit(detected)
                rows[place]["recall_element"] = _ratio(n_hit, sides.test.n_elements)
                if row["f1"] - row["f1_always_on"] >= self.config.tested_from:
                    if spectrum is None:
                        spectrum = self._rotations.spectrum(sides.test.mask)
                    rows[place] |= self._null(counted, row, detected, spectrum)
                if controls:
                    rows[place] |= self._interval(sides, counted)

    def add_shuffled(
        self,
        labels: Sequence[FeatureLabel],
        places: Sequence[int],
        tracks: _Tracks,
        rows: list[_Row],
        pools: Mapping[str, Sequence[NamedBases]],
    ) -> None:
        """Add the mean scores of features under labels of other features of the same source."""
        found: dict[int, list[_Row]] = {place: [] for place in places}
        for source, pool in pools.items():
            own = [place for place in places if labels[place].source == source]
            for named in pool:
                sides = self._sides(named)
                for place in own:
                    if named_bases(labels[place]) not in (named, None):
                        counted = self._count(sides, tracks[labels[place].feature])
                        found[place].append(self._row(sides, counted))
        for place, others in found.items():
            for name in ("f1", "auroc"):
                values = [row[name] for row in others if name in row]
                rows[place][f"shuffled_{name}"] = mean_known(np.array(values, dtype=np.float64))

    def _count(self, sides: _Sides, tracks: Sequence[CellTrack]) -> _Counted:
        """Choose the threshold on fit, the lowest with the highest F1, and detect on test."""
        fit, test = tracks
        n = self.split.n_thresholds
        largest = float(fit.value.max(initial=0))
        # rounded to float32, as in associations
        grid = (largest * (np.arange(n) / n)).astype(np.float32).astype(np.float64)
        level = np.searchsorted(grid, fit.value.astype(np.float64), side="right") - 1
        inside = sides.fit.mask[fit.cell]
        detected, both = (
            np.bincount(one, minlength=n)[::-1].cumsum()[::-1] for one in (level, level[inside])
        )
        positive = np.full(n, sides.fit.mask.sum())
        f1 = metric.f1(both, detected, positive)
        best = int(np.argmax(np.nan_to_num(f1)))
        threshold = float(grid[best]) if positive[0] else float("nan")
        loud = test.value.astype(np.float64) >= threshold
        return _Counted(threshold, float(f1[best]), test, loud, sides.test.mask[test.cell])

    def _row(self, sides: _Sides, counted: _Counted) -> _Row:
        """Return the scores of a feature under a label, without nulls."""
        n_label, n_covered = int(sides.test.mask.sum()), self.universes[1].n_covered
        row: _Row = {
            "threshold": counted.threshold,
            "f1_fit": counted.f1_fit,
            "n_label_bp": n_label,
            "n_elements": sides.test.n_elements,
            "f1_always_on": metric.f1_always_on(np.array([n_label]), n_covered).item(),
        }
        if not n_label or np.isnan(counted.threshold):
            return row
        both, detected = counted.n_both, counted.n_detected
        positive = np.array([n_label])
        rank = np.array([_rank_sum(counted, n_label, n_covered)])
        return row | {
            "precision": _ratio(both, detected),
            "recall": _ratio(both, n_label),
            "f1": metric.f1(np.array([both]), np.array([detected]), positive).item(),
            "auroc": metric.auroc(rank, positive, n_covered).item(),
        }

    def _null(
        self,
        counted: _Counted,
        row: _Row,
        detected: Bool[np.ndarray, " cell"],
        spectrum: Complex128[np.ndarray, "strand frequency"],
    ) -> _Row:
        common = self._rotations.counts(detected, spectrum)
        f1 = 2 * common / (counted.n_detected + row["n_label_bp"])
        n_as_good = int(np.count_nonzero(common >= counted.n_both))
        return {
            "null_f1": float(np.quantile(f1, NULL_QUANTILE)),
            "p_value": (1 + n_as_good) / (1 + len(common)),
        }

    def _interval(self, sides: _Sides, counted: _Counted) -> _Row:
        """Return the percentile interval of F1 over draws of stretches."""
        detected = self._by_stretch(counted.track.cell[counted.loud])
        both = self._by_stretch(counted.track.cell[counted.loud & counted.inside])
        positive = self._by_stretch(np.flatnonzero(sides.test.mask))
        found = metric.f1(*(self._weight @ one for one in (both, detected, positive)))
        known = found[~np.isnan(found)]
        low, high = np.quantile(known, [0.025, 0.975])
        return {"f1_low": float(low), "f1_high": float(high)}

    def _by_stretch(self, cell: Int64[np.ndarray, " hit"]) -> Int64[np.ndarray, " stretch"]:
        """Count cells by the stretch of the axis in which they lie, both strands together."""
        n_bp = self.universes[1].n_bp
        stretch = cell % n_bp * N_STRETCHES // n_bp
        return np.bincount(stretch, minlength=N_STRETCHES).astype(np.int64)


def _held(found: Iterable[tuple[int, list[CellTrack]]]) -> Iterator[dict[int, list[CellTrack]]]:
    """Yield features with their tracks, as many at once as have `HELD_HITS` hits."""
    block: dict[int, list[CellTrack]] = {}
    n_hits = 0
    for feature, tracks in found:
        block[feature] = tracks
        n_hits += sum(len(track.cell) for track in tracks)
        if n_hits > HELD_HITS:
            yield block
            block, n_hits = {}, 0
    if block:
        yield block


def _by_named(labels: Sequence[FeatureLabel], places: Sequence[int]) -> dict[NamedBases, list[int]]:
    """Group labels by what they name, without those that name nothing."""
    found: dict[NamedBases, list[int]] = {}
    for place in places:
        named = named_bases(labels[place])
        if named is not None:
            found.setdefault(named, []).append(place)
    return found


def _rank_sum(counted: _Counted, n_label: int, n_covered: int) -> float:
    """Return the sum of the ranks of the named cells; silent cells are tied at zero."""
    values = counted.track.value
    _, index, count = np.unique(values, return_inverse=True, return_counts=True)
    n_silent = n_covered - len(values)
    rank: Float64[np.ndarray, " level"] = n_silent + np.cumsum(count) - (count - 1) / 2
    firing = rank[index.reshape(-1)[counted.inside]]
    n_silent_named = n_label - len(firing)
    return float(firing.sum()) + n_silent_named * (n_silent + 1) / 2


def _ratio(part: int, whole: int) -> float:
    return float(metric.share(np.array([part]), np.array([whole]))[0])
