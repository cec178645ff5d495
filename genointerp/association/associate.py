"""Compare every feature with every concept and orientation.

Thresholds and pairs are chosen on fit; every score after ``f1_fit`` is measured on test. Each
genome is read on both strands, and the counts are over all covered (base, reading strand) pairs: a
base of a gene on ``+`` counts for the sense of the gene when ``+`` is read, and for its antisense
when ``-`` is read.
"""

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from genointerp.association import scores
from genointerp.association.config import AssociateConfig
from genointerp.association.count.hits import HitBlock, feature_blocks, read_cells
from genointerp.association.count.label import list_labels
from genointerp.association.count.measure import Measures, Side, make_side, measure
from genointerp.association.count.tracks import stream_rows
from genointerp.association.count.universe import lay_side
from genointerp.association.null.nearness import Ends
from genointerp.association.null.nulls import PairNulls, UnionNulls
from genointerp.association.profile.boundary import Boundaries
from genointerp.association.split import SIDE_NAMES, SideName
from genointerp.core import metric
from genointerp.core.errors import InputError
from genointerp.core.progress import Progress, silent
from genointerp.feature.specimen import Specimen, check_distinct
from genointerp.store.table.schema.association import ASSOCIATIONS, N_COVERED

_log = logging.getLogger(__name__)


class _Tested:
    """Results for the pairs of the tested family, one row per feature; NaN for other pairs."""

    def __init__(self, shape: tuple[int, int], nulls: PairNulls) -> None:
        self.nulls = nulls
        self.start_offset = np.full(shape, np.nan)
        self.end_offset = np.full(shape, np.nan)
        self.boundary_share = np.full(shape, np.nan)
        self.boundary_p = np.full(shape, np.nan)


def associate(
    specimens: Sequence[Specimen],
    *,
    config: AssociateConfig | None = None,
    matched: bool = True,
    offsets: bool = True,
    measured_on: SideName = "test",
    progress: Progress = silent,
) -> pd.DataFrame:
    """Compare every feature with every concept, in each orientation of the concept.

    Parameters
    ----------
    specimens
        Genomes with the features of one dictionary, and with the elements of the concepts.
    matched
        Whether to compare elements with matched background, which needs the sequence of every
        specimen.
    offsets
        Whether to measure where features begin and end beside elements; NaN otherwise.
    measured_on
        Side of every score after ``f1_fit``. With ``fit`` nothing of test is read, and p-values do
        not know that the threshold was chosen on the same bases: for choices that are measured on
        test later.

    Returns
    -------
    pandas.DataFrame
        Table in the schema of associations, ordered by feature and then by concept. Undefined
        scores are NaN: all scores on test for a concept without a base there, scores at a threshold
        for a concept without a base on fit, and the results of a null for pairs that were not
        tested.

    Raises
    ------
    MismatchError
        If the specimens come from different dictionaries, or two are of the same genome.
    InputError
        If the elements of a specimen are unknown, no base is left on one side, or no concept has an
        element.

    Notes
    -----
    A feature detects a base at a threshold if its activation there is > 0 and reaches the
    threshold. Fit chooses the threshold with the highest F1 by base, and the lowest one among ties.
    An element is recalled if at least one of its covered bases is detected.

    The tested family, over which p-values are corrected, consists of pairs chosen on fit: for each
    feature the label with the highest F1 and the label with the highest gain in precision, and for
    each label the ``top_per_concept`` features with the highest F1. Both statistics increase with
    the number of bases in common, so one p-value serves for both.

    A concept with a strand is measured as sense, as antisense and as ``both``, which is the union
    of these two readings. How much of a feature several labels explain together is measured on the
    union that fit chose (`genointerp.association.count.union`), in the columns that begin with
    ``union``.
    """
    config = AssociateConfig() if config is None else config
    check_distinct(specimens)
    fit, test = _sides(specimens, config)
    test = fit if measured_on == "fit" else test
    n_features = specimens[0].features.n_features
    measures = measure(
        specimens,
        fit,
        test,
        config,
        progress=lambda done, _: progress(done, 2 * n_features),
    )
    matched &= all(specimen.sequence is not None for specimen in specimens)
    nulls = PairNulls(specimens, test.universe, test.labels, config, matched=matched)
    boundaries = Boundaries(specimens, test.universe) if offsets else None
    tested = _test_family(specimens, test, measures, nulls, boundaries, config, progress)
    return _frame(measures, tested, test)


def _sides(specimens: Sequence[Specimen], config: AssociateConfig) -> tuple[Side, Side]:
    universes = {name: lay_side(specimens, config, name) for name in SIDE_NAMES}
    names = list_labels(specimens)
    if not names:
        raise InputError("annotations", "at least one element of a concept", "none")
    sides = []
    for name, universe in universes.items():
        side = make_side(specimens, universe, names, config)
        if universe.n_bp < 2:
            raise InputError(
                "test",
                "covered bases on fit and on test",
                f"none on {name}: name sequences for test, or choose shorter blocks",
            )
        for label, count in zip(names, side.labels.n_positive, strict=True):
            if not count:
                _log.warning("%s (%s): no covered base on %s; scores there are NaN", *label, name)
        sides.append(side)
    return sides[0], sides[1]


def _test_family(
    specimens: Sequence[Specimen],
    side: Side,
    measures: Measures,
    nulls: PairNulls,
    boundaries: Boundaries | None,
    config: AssociateConfig,
    progress: Progress,
) -> _Tested:
    chosen = choose_family(measures.f1_fit, measures.gain_fit, config.top_per_concept)
    chosen &= side.labels.n_positive > 0
    tested = _Tested((len(chosen), len(side.labels.names)), nulls)
    stores = [specimen.features for specimen in specimens]
    ends = Ends(specimens, side.universe, config)
    reader, n_features = read_cells(stores, side.universe), stores[0].n_features
    for features in feature_blocks(stores):
        block, chosen_here = reader.read(features), chosen[features.start : features.stop]
        for label in np.flatnonzero(chosen_here.any(axis=0)).tolist():
            own = features.start + np.flatnonzero(chosen_here[:, label])
            detected = block.detect(own, measures.threshold[own, label])
            sizes = measures.n_feature[own, label], measures.n_both[own, label]
            nulls.add(own, label, detected, *sizes)
            if boundaries is not None:
                offset = boundaries.offsets(detected, side.labels.names[label])
                tested.start_offset[own, label], tested.end_offset[own, label] = offset
        of_block = features.start + np.flatnonzero(chosen_here.any(axis=1))
        for feature, tracks in stream_rows(stores, of_block.tolist()):
            peaks = ends.find_peaks(tracks)
            for label in np.flatnonzero(chosen[feature]).tolist():
                near = ends.nearness(peaks, side.labels.names[label])
                tested.boundary_share[feature, label], tested.boundary_p[feature, label] = near
        _test_unions(features, block, measures, nulls)
        progress(n_features + features.stop, 2 * n_features)
    return tested


def _test_unions(features: range, block: HitBlock, measures: Measures, nulls: PairNulls) -> None:
    """Test the unions of a block of features; features with the same labels are tested together."""
    by_labels: dict[tuple[int, ...], list[int]] = {}
    for feature in features:
        labels = tuple(np.flatnonzero(measures.in_union[feature]).tolist())
        if labels and measures.n_loud[feature]:
            by_labels.setdefault(labels, []).append(feature)
    for labels, found in by_labels.items():
        own = np.array(found, np.int64)
        nulls.add_unions(own, labels, block.detect(own, measures.loud_threshold[own]))


def choose_family(
    f1_fit: Float64[np.ndarray, "feature label"],
    gain_fit: Float64[np.ndarray, "feature label"],
    top_per_concept: int,
) -> Bool[np.ndarray, "feature label"]:
    """Choose the pairs to test from fit alone, without pairs that have no base in common."""
    chosen = np.zeros(f1_fit.shape, dtype=np.bool_)
    every = np.arange(len(f1_fit))
    for score in (f1_fit, gain_fit):
        chosen[every, np.argmax(np.nan_to_num(score, nan=-np.inf), axis=1)] = True
    by_f1 = np.nan_to_num(f1_fit, nan=-1.0)
    best = np.argsort(-by_f1, axis=0, kind="stable")[:top_per_concept]
    np.put_along_axis(chosen, best, values=True, axis=0)
    return np.asarray(chosen & (by_f1 > 0), dtype=np.bool_)


def _frame(measures: Measures, tested: _Tested, side: Side) -> pd.DataFrame:
    labels, n_covered = side.labels, side.universe.n_covered
    shape = measures.f1_fit.shape
    n_concept = np.broadcast_to(labels.n_positive, shape)
    n_elements = np.broadcast_to(labels.n_elements, shape)
    both, detected = measures.n_both, measures.n_feature
    # no threshold was chosen without a base on fit; nothing can be scored without one on test
    defined = ~np.isnan(measures.threshold) & (n_concept > 0)
    precision = metric.precision(both, detected)
    recall_element = metric.recall(measures.n_hit, n_elements)
    at_threshold = {
        "precision": precision,
        "recall": metric.recall(both, n_concept),
        "recall_element": recall_element,
        "f1": metric.f1(both, detected, n_concept),
        "f1_element": scores.f1_element(precision, recall_element),
        "log2_enrichment": scores.log2_enrichment(both, detected, n_concept, n_covered),
        "mcc": metric.mcc(both, detected, n_concept, n_covered),
        "log2_enrichment_low": measures.enrichment_low,
        "log2_enrichment_high": measures.enrichment_high,
        "codon_phase": measures.codon_phase,
        "phase_share": measures.phase_share,
        "precision_strong": measures.precision_strong,
    }
    columns = {
        "feature": np.repeat(np.arange(shape[0]), shape[1]),
        "concept": np.tile(np.array([label.concept for label in labels.names], object), shape[0]),
        "orientation": np.tile(
            np.array([label.orientation for label in labels.names], object), shape[0]
        ),
        "threshold": measures.threshold,
        "f1_fit": measures.f1_fit,
        "auroc": metric.auroc(measures.rank_sum, n_concept, n_covered),
        "n_feature_bp": detected,
        "n_concept_bp": n_concept,
        "n_both_bp": both,
        "n_elements": n_elements,
        **tested.nulls.columns(),
        "average_precision": metric.average_precision(measures.precision_sum, n_concept),
        "start_offset": tested.start_offset,
        "end_offset": tested.end_offset,
        "boundary_share": tested.boundary_share,
        "boundary_p": tested.boundary_p,
        **{name: np.where(defined, score, np.nan) for name, score in at_threshold.items()},
        **_union_columns(measures, tested.nulls.unions(), n_covered),
    }
    table = pd.DataFrame({name: np.ravel(column) for name, column in columns.items()})
    table.attrs[N_COVERED] = n_covered
    return table[ASSOCIATIONS.names]


def _union_columns(
    measures: Measures, nulls: UnionNulls, n_covered: int
) -> dict[str, Float64[np.ndarray, "feature label"]]:
    """Return the columns about unions: filled in the rows of a union's labels, NaN in others."""
    of_feature = {
        "union_labels": measures.in_union.sum(axis=1),
        "union_threshold": measures.loud_threshold,
        "union_precision": metric.precision(measures.n_loud_union, measures.n_loud),
        "union_base": measures.n_union / max(n_covered, 1),
        "union_p": nulls.p_value,
        "union_q": nulls.q_value,
    }
    return {
        name: np.where(measures.in_union, column[:, None], np.nan)
        for name, column in of_feature.items()
    }
