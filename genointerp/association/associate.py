"""Every feature against every concept and orientation.

Threshold and pair are chosen on fit; every score after ``f1_fit`` is measured on test. Each
genome is read on both strands, and the universe of the counts is every covered (base, reading
strand) pair: a base of a ``+`` gene counts for the gene's sense when ``+`` is read and for its
antisense when ``-`` is read.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from genointerp.annotation.concepts import ConceptElements
from genointerp.association import scores
from genointerp.association.config import AssociateConfig
from genointerp.association.counts import (
    CellTrack,
    count_elements,
    count_levels,
    rank_sums,
    stream_features,
)
from genointerp.association.label import LabelledCells, label_cells, list_labels
from genointerp.association.nulls import PairNulls
from genointerp.association.split import split_genomes
from genointerp.association.universe import Universe, make_universe
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.store.features import FeatureStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Side:
    universe: Universe
    labels: LabelledCells


class _Table:
    """Columns of the result, a row for each feature and a column for each label."""

    def __init__(self, n_features: int, n_labels: int) -> None:
        shape = (n_features, n_labels)
        self.threshold = np.full(shape, np.nan)
        self.f1_fit = np.full(shape, np.nan)
        self.gain_fit = np.full(shape, np.nan)
        self.n_feature = np.zeros(shape, np.int64)
        self.n_both = np.zeros(shape, np.int64)
        self.n_hit = np.zeros(shape, np.int64)
        self.rank_sum = np.full(shape, np.nan)


def associate(
    stores: Sequence[FeatureStore],
    elements: Sequence[ConceptElements],
    *,
    sequences: Sequence[Genome] | None = None,
    config: AssociateConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Compare every feature with every concept in each of its orientations.

    Parameters
    ----------
    stores
        Features of one dictionary, a store for each genome.
    elements
        Elements of the concepts upon each genome, in the same order.
    sequences
        The genomes, in the same order. Without them there is no matched background.

    Returns
    -------
    pandas.DataFrame
        In the schema of associations, ordered by feature and then by concept. Undefined scores
        are NaN: all of test for a concept without a base there, those at a threshold for a
        concept without a base on fit; what a null says for pairs that were not tested.

    Raises
    ------
    MismatchError
        If the stores are of several dictionaries, a genome comes twice, or elements are not
        those of their genome.
    InputError
        If no base is left on one side, or no concept has an element.

    Notes
    -----
    A feature detects at a threshold where it is > 0 and reaches it. On fit the lowest threshold
    with the highest F1 by base is taken. An element is recalled if at least one of its covered
    bases is detected.

    Tested, and corrected for together, is the family of these pairs, all chosen on fit: of each
    feature the label with the highest F1 and that with the highest gain in precision; of each
    label the ``top_per_concept`` features with the highest F1. Both statistics rise with the
    bases in common, so that one p-value serves for either.
    """
    config = AssociateConfig() if config is None else config
    _check_stores(stores, elements)
    fit, test = _sides(stores, elements, config)
    table = _measure(stores, fit, test, config, progress)
    nulls = PairNulls(stores, elements, test.universe, test.labels, config, sequences=sequences)
    _test_family(stores, test, table, nulls, config, progress)
    return _frame(table, nulls, test)


def _check_stores(stores: Sequence[FeatureStore], elements: Sequence[ConceptElements]) -> None:
    if not stores or len(stores) != len(elements):
        expected = f"one annotation for each of {max(len(stores), 1)} features files"
        raise InputError("annotations", expected, str(len(elements)))
    first = stores[0]
    genomes: dict[str, FeatureStore] = {}
    for store in stores:
        for name in ("sae_sha256", "model_sha256", "site", "n_features"):
            expected, found = getattr(first.header, name), getattr(store.header, name)
            if expected != found:
                where = f"{store.path}: {name}"
                raise MismatchError(where, f"{expected} as in {first.path}", str(found))
        twin = genomes.setdefault(store.header.genome_sha256, store)
        if twin is not store:
            raise MismatchError(str(store.path), f"another genome than {twin.path}", "the same")


def _sides(
    stores: Sequence[FeatureStore], elements: Sequence[ConceptElements], config: AssociateConfig
) -> tuple[_Side, _Side]:
    splits = split_genomes([store.header.contigs for store in stores], config)
    names = list_labels(elements)
    if not names:
        raise InputError("annotations", "at least one element of a concept", "none")
    sides = []
    for name in ("fit", "test"):
        universe = make_universe(stores, [getattr(split, name) for split in splits])
        if universe.n_bp < 2:
            raise InputError(
                "test",
                "covered bases on fit and on test",
                f"none on {name}: name sequences for test, or choose shorter blocks",
            )
        labels = label_cells(stores, elements, universe, names)
        for label, count in zip(names, labels.n_positive, strict=True):
            if not count:
                _log.warning("%s (%s): no covered base on %s, scores there are NaN", *label, name)
        sides.append(_Side(universe, labels))
    return sides[0], sides[1]


def _measure(
    stores: Sequence[FeatureStore],
    fit: _Side,
    test: _Side,
    config: AssociateConfig,
    progress: Progress,
) -> _Table:
    n_features = stores[0].n_features
    table = _Table(n_features, len(fit.labels.names))
    universes = [fit.universe, test.universe]
    for feature, tracks in stream_features(stores, universes, range(n_features)):
        grid, level = _choose(feature, tracks[0], fit, table, config)
        _score(feature, tracks[1], test, table, grid[level])
        progress(feature + 1, 2 * n_features)
    return table


def _choose(
    feature: int, track: CellTrack, side: _Side, table: _Table, config: AssociateConfig
) -> tuple[Float64[np.ndarray, " level"], Int64[np.ndarray, " label"]]:
    """Choose the threshold for each label, on fit."""
    maximum = float(track.value.max(initial=0.0))
    fractions = np.arange(config.n_thresholds) / config.n_thresholds
    # rounded so that a threshold read back from a table detects exactly the same bases
    grid = (maximum * fractions).astype(np.float32).astype(np.float64)
    labels = side.labels
    counts = count_levels(track, grid, labels)
    every = np.arange(len(labels.names))
    f1 = scores.f1(counts.n_both, counts.n_feature[None, :], labels.n_positive[:, None])
    level = np.argmax(np.nan_to_num(f1), axis=1)
    known = labels.n_positive > 0
    table.threshold[feature, known] = grid[level[known]]
    table.f1_fit[feature] = f1[every, level]
    precision = scores.precision(counts.n_both[every, level], counts.n_feature[level])
    base = labels.n_positive / max(side.universe.n_covered, 1)
    table.gain_fit[feature] = scores.precision_gain(precision, base)
    return grid, level


def _score(
    feature: int,
    track: CellTrack,
    side: _Side,
    table: _Table,
    thresholds: Float64[np.ndarray, " label"],
) -> None:
    """Count at the chosen thresholds, on test."""
    labels = side.labels
    # one sorted grid of the few thresholds that were chosen serves all labels
    grid, level = np.unique(thresholds, return_inverse=True)
    counts = count_levels(track, grid, labels)
    table.n_feature[feature] = counts.n_feature[level]
    table.n_both[feature] = counts.n_both[np.arange(len(level)), level]
    table.n_hit[feature] = count_elements(track, thresholds, labels)
    table.rank_sum[feature] = rank_sums(track, labels, side.universe.n_covered)


def _test_family(
    stores: Sequence[FeatureStore],
    side: _Side,
    table: _Table,
    nulls: PairNulls,
    config: AssociateConfig,
    progress: Progress,
) -> None:
    chosen = choose_family(table.f1_fit, table.gain_fit, config.top_per_concept)
    chosen &= side.labels.n_positive > 0
    features = np.flatnonzero(chosen.any(axis=1)).tolist()
    n_features = stores[0].n_features
    for feature, (track,) in stream_features(stores, [side.universe], features):
        for label in np.flatnonzero(chosen[feature]).tolist():
            cells = track.cell[track.value >= table.threshold[feature, label]]
            nulls.add((feature, label), cells, int(table.n_both[feature, label]))
        progress(n_features + feature + 1, 2 * n_features)
    progress(2 * n_features, 2 * n_features)


def choose_family(
    f1_fit: Float64[np.ndarray, "feature label"],
    gain_fit: Float64[np.ndarray, "feature label"],
    top_per_concept: int,
) -> Bool[np.ndarray, "feature label"]:
    """Choose the pairs to test, from fit alone; pairs without a base in common are left out."""
    chosen = np.zeros(f1_fit.shape, dtype=np.bool_)
    every = np.arange(len(f1_fit))
    for score in (f1_fit, gain_fit):
        chosen[every, np.argmax(np.nan_to_num(score, nan=-np.inf), axis=1)] = True
    by_f1 = np.nan_to_num(f1_fit, nan=-1.0)
    best = np.argsort(-by_f1, axis=0, kind="stable")[:top_per_concept]
    np.put_along_axis(chosen, best, values=True, axis=0)
    return np.asarray(chosen & (by_f1 > 0), dtype=np.bool_)


def _frame(table: _Table, nulls: PairNulls, side: _Side) -> pd.DataFrame:
    labels, n_covered = side.labels, side.universe.n_covered
    shape = table.f1_fit.shape
    elements = np.bincount(labels.element_label, minlength=len(labels.names)).astype(np.int64)
    n_concept = np.broadcast_to(labels.n_positive, shape)
    n_elements = np.broadcast_to(elements, shape)
    both, detected = table.n_both, table.n_feature
    # without a base on fit no threshold was chosen, without one on test there is nothing to score
    defined = ~np.isnan(table.threshold) & (n_concept > 0)
    precision = scores.precision(both, detected)
    recall_element = scores.recall(table.n_hit, n_elements)
    at_threshold = {
        "precision": precision,
        "recall": scores.recall(both, n_concept),
        "recall_element": recall_element,
        "f1": scores.f1(both, detected, n_concept),
        "f1_element": scores.f1_element(precision, recall_element),
    }
    enrichment = scores.log2_enrichment(both, detected, n_concept, n_covered)
    columns = {
        "feature": np.repeat(np.arange(shape[0]), shape[1]),
        "concept": np.tile(np.array([label.concept for label in labels.names], object), shape[0]),
        "orientation": np.tile(
            np.array([label.orientation for label in labels.names], object), shape[0]
        ),
        "threshold": table.threshold,
        "f1_fit": table.f1_fit,
        **{name: np.where(defined, score, np.nan) for name, score in at_threshold.items()},
        "auroc": scores.auroc(table.rank_sum, n_concept, n_covered),
        "log2_enrichment": np.where(defined, enrichment, np.nan),
        "n_feature_bp": detected,
        "n_concept_bp": n_concept,
        "n_both_bp": both,
        "n_elements": n_elements,
        **nulls.columns(),
    }
    return pd.DataFrame({name: np.ravel(column) for name, column in columns.items()})
