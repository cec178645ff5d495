"""Measure every feature against every label: choose thresholds on fit, and count on test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from genointerp.annotation.concepts import Concept
from genointerp.association import scores
from genointerp.association.config import AssociateConfig
from genointerp.association.count.hits import HitBlock, feature_blocks
from genointerp.association.count.label import Label, LabelledCells, label_cells
from genointerp.association.count.tally import LevelTally, Tally
from genointerp.association.count.union import UnionCounter, known_labels, loud_level
from genointerp.association.count.universe import Universe
from genointerp.association.threads import spread
from genointerp.core import metric
from genointerp.core.progress import Progress, silent
from genointerp.feature.specimen import Specimen
from genointerp.store.feature.store import FeatureStore

N_STRETCHES = 20
"""Most stretches of test that are left out in turn for an interval, each `gap_bp` or longer."""

STRONG_BASES = 100
"""Fewest loud bases that must remain, whichever stretch is left out, for a precision."""

STRONG_ELEMENTS = 5
"""Fewest elements of the label that must hold a loud base for a statement about their kind."""

_PHASES = tuple(f"codon_position_{phase}" for phase in range(3))


@dataclass(frozen=True, eq=False)
class Side:
    """Fit or test: its cells and their labels."""

    universe: Universe
    labels: LabelledCells


class Measures(NamedTuple):
    """Measurements of each feature and label; those after ``gain_fit`` are of test.

    Parameters
    ----------
    threshold
        Threshold chosen on fit; NaN for a label without a base there.
    f1_fit, gain_fit
        F1, and gain in precision over the base rate, on fit at this threshold.
    n_feature, n_both, n_hit
        Number of bases detected, of these in the label, and of elements of the label with a
        detected base.
    rank_sum, precision_sum
        See `RankTally`.
    enrichment_low, enrichment_high
        Confidence interval of the enrichment.
    precision_strong
        Precision on test where the activation is at least half of its maximum on fit, without the
        stretch that favours the label most. NaN if fewer than `STRONG_BASES` such bases are left,
        or fewer than `STRONG_ELEMENTS` elements hold one.
    codon_phase, phase_share
        Position of the codon at which most bases are detected on fit, and its share on test. NaN
        for labels of anything but coding sequences.
    in_union
        Labels that fit chose to explain the feature together.
    loud_threshold
        Threshold from which the feature is loud, chosen on fit.
    n_loud, n_loud_union, n_union
        Number of bases of test where the feature is loud, of these in the union, and of all bases
        in the union.
    """

    threshold: Float64[np.ndarray, "feature label"]
    f1_fit: Float64[np.ndarray, "feature label"]
    gain_fit: Float64[np.ndarray, "feature label"]
    n_feature: Int64[np.ndarray, "feature label"]
    n_both: Int64[np.ndarray, "feature label"]
    n_hit: Int64[np.ndarray, "feature label"]
    rank_sum: Float64[np.ndarray, "feature label"]
    precision_sum: Float64[np.ndarray, "feature label"]
    enrichment_low: Float64[np.ndarray, "feature label"]
    enrichment_high: Float64[np.ndarray, "feature label"]
    precision_strong: Float64[np.ndarray, "feature label"]
    codon_phase: Float64[np.ndarray, "feature label"]
    phase_share: Float64[np.ndarray, "feature label"]
    in_union: Bool[np.ndarray, "feature label"]
    loud_threshold: Float64[np.ndarray, " feature"]
    n_loud: Int64[np.ndarray, " feature"]
    n_loud_union: Int64[np.ndarray, " feature"]
    n_union: Int64[np.ndarray, " feature"]


def make_side(
    specimens: Sequence[Specimen],
    universe: Universe,
    names: tuple[Label, ...],
    config: AssociateConfig,
) -> Side:
    """Make one side by labelling the cells of its universe."""
    n_stretches = min(N_STRETCHES, max(universe.n_bp // max(config.gap_bp, 1), 1))
    labels = label_cells(specimens, universe, names, n_stretches=n_stretches)
    return Side(universe, labels)


def measure(
    specimens: Sequence[Specimen],
    fit: Side,
    test: Side,
    config: AssociateConfig,
    *,
    progress: Progress = silent,
) -> Measures:
    """Choose on fit and count on test for every feature.

    Blocks of features are shared among as many threads as there are cores, at most 4.
    """
    stores = [specimen.features for specimen in specimens]
    counters = [_Counters.of(stores, side) for side in (fit, test)]
    phases = find_phases(specimens, fit.labels.names)
    is_known = known_labels(fit.labels.names, [one.needs("elements") for one in specimens])
    blocks = feature_blocks(stores)

    def measured(features: range) -> Measures:
        return _measure_block(features, counters[0], counters[1], phases, is_known, config)

    found = spread(
        measured, blocks, lambda n_done: progress(blocks[n_done - 1].stop, blocks[-1].stop)
    )
    return Measures(
        **{
            name: np.concatenate([getattr(part, name) for part in found])
            for name in Measures._fields
        }
    )


class _Counters(NamedTuple):
    """Counters of the hits of one side."""

    tally: Tally
    unions: UnionCounter

    @classmethod
    def of(cls, stores: Sequence[FeatureStore], side: Side) -> "_Counters":
        """Make the counters of a side."""
        unions = UnionCounter(side.labels, side.universe.n_covered)
        return cls(Tally(stores, side.universe, side.labels), unions)


def find_phases(
    specimens: Sequence[Specimen], names: Sequence[Label]
) -> Int64[np.ndarray, "label phase"]:
    """Return for each label of coding sequences the labels of its three codon positions.

    Its concept is one whose three positions are concepts too, or is one of these three. Other
    labels have -1.
    """
    number = {label: index for index, label in enumerate(names)}
    concepts = specimens[0].needs("elements").concepts
    found = np.full((len(names), 3), -1, dtype=np.int64)
    for label, index in number.items():
        family = _family(concepts, label.concept)
        members = [number.get(Label(name, label.orientation), -1) for name in family]
        found[index] = members if len(members) == 3 and min(members) >= 0 else -1
    return found


def _family(concepts: Mapping[str, Concept], concept: str) -> list[str]:
    """Return the codon positions of a concept, or of the concept of which it is a position."""
    own = concepts.get(concept)
    whole = own.of if own is not None and own.bases in _PHASES else concept
    found = {
        one.bases: name
        for name, one in concepts.items()
        if one.of == whole and one.bases in _PHASES and not (one.where or one.unless)
    }
    return [name for _, name in sorted(found.items())]


def _measure_block(
    features: range,
    on_fit: _Counters,
    on_test: _Counters,
    phases: Int64[np.ndarray, "label phase"],
    is_known: Bool[np.ndarray, " label"],
    config: AssociateConfig,
) -> Measures:
    fit, test = on_fit.tally, on_test.tally
    block = fit.read(features)
    fractions = np.arange(config.n_thresholds) / config.n_thresholds
    # rounded to float32, so that a threshold read from a table detects exactly the same bases
    grid = (fit.maxima(block)[:, None] * fractions).astype(np.float32).astype(np.float64)
    half = _half(grid.shape[1])
    fit_levels = fit.levels(block, grid)
    level, f1_fit, gain_fit = _choose(fit_levels, fit)
    threshold = np.take_along_axis(grid, level, axis=1)
    threshold[:, fit.labels.n_positive == 0] = np.nan
    loud = grid[np.arange(len(grid)), loud_level(fit_levels.n_feature, half)]
    in_union = on_fit.unions.choose(block, loud, is_known)
    # from here on only test is read; before, only fit was read
    block = test.read(features)
    test_levels, ranks = test.levels(block, grid), test.ranks(block)
    interval = _interval(test, block, grid, level)
    n_hit = test.elements(block, grid)
    strong = _precision_strong(test, block, grid[:, half], n_hit[..., half])
    codon_phase, phase_share = _phase_shares(fit_levels, test_levels, level, phases)
    union = on_test.unions.count(block, loud, in_union)
    return Measures(
        threshold=threshold,
        f1_fit=f1_fit,
        gain_fit=gain_fit,
        n_feature=np.take_along_axis(test_levels.n_feature, level, axis=1),
        n_both=_at(test_levels.n_both, level),
        n_hit=_at(n_hit, level),
        rank_sum=ranks.rank,
        precision_sum=ranks.precision,
        enrichment_low=interval.low,
        enrichment_high=interval.high,
        precision_strong=strong,
        codon_phase=codon_phase,
        phase_share=phase_share,
        in_union=in_union,
        loud_threshold=loud,
        n_loud=union.n_loud,
        n_loud_union=union.n_both,
        n_union=union.n_union,
    )


def _half(n_thresholds: int) -> int:
    """Return the lowest level at half of the maximum or above; the only one if there is one."""
    return min(-(-n_thresholds // 2), n_thresholds - 1)


def _precision_strong(
    test: Tally,
    block: HitBlock,
    threshold: Float64[np.ndarray, " feature"],
    n_hit: Int64[np.ndarray, "feature label"],
) -> Float64[np.ndarray, "feature label"]:
    """Return the precision at one threshold per feature that holds without any one stretch.

    Parameters
    ----------
    n_hit
        Number of elements with a base detected at the threshold.
    """
    found = test.stretches(block, threshold[:, None], np.zeros(n_hit.shape, np.int64))
    least = scores.least_precision(found.n_both, found.n_feature, fewest=STRONG_BASES)
    return np.where(n_hit >= STRONG_ELEMENTS, least, np.nan)


def _choose(
    counts: LevelTally, fit: Tally
) -> tuple[
    Int64[np.ndarray, "feature label"],
    Float64[np.ndarray, "feature label"],
    Float64[np.ndarray, "feature label"],
]:
    """Return the lowest level with the highest F1 for each label, and its F1 and gain."""
    n_positive = fit.labels.n_positive
    f1 = metric.f1(counts.n_both, counts.n_feature[:, None, :], n_positive[None, :, None])
    level = np.argmax(np.nan_to_num(f1), axis=2)
    precision = metric.precision(
        _at(counts.n_both, level), np.take_along_axis(counts.n_feature, level, axis=1)
    )
    gain = metric.precision_gain(precision, n_positive / max(fit.n_covered, 1))
    return level, np.take_along_axis(f1, level[..., None], axis=2)[..., 0], gain


def _interval(
    test: Tally,
    block: HitBlock,
    grid: Float64[np.ndarray, "feature level"],
    level: Int64[np.ndarray, "feature label"],
) -> scores.Interval:
    found = test.stretches(block, grid, level)
    return scores.log2_enrichment_interval(
        found.n_both, found.n_feature, test.positive_by_stretch[None], test.covered_by_stretch
    )


def _phase_shares(
    on_fit: LevelTally,
    on_test: LevelTally,
    level: Int64[np.ndarray, "feature label"],
    phases: Int64[np.ndarray, "label phase"],
) -> tuple[Float64[np.ndarray, "feature label"], Float64[np.ndarray, "feature label"]]:
    """Return the position of the codon chosen on fit, and its share on test."""
    fit, test = (
        np.stack([_at(counts.n_both[:, phases[:, k]], level) for k in range(3)], axis=-1)
        for counts in (on_fit, on_test)
    )
    chosen = np.argmax(fit, axis=-1)
    is_known = (phases[:, 0] >= 0) & (fit.sum(axis=-1) > 0)
    share = scores.phase_share(test, chosen)
    return np.where(is_known, chosen, np.nan), np.where(is_known, share, np.nan)


def _at(
    counts: Int64[np.ndarray, "feature label level"], level: Int64[np.ndarray, "feature label"]
) -> Int64[np.ndarray, "feature label"]:
    return np.take_along_axis(counts, level[..., None], axis=2)[..., 0]
