"""How well features tell concepts in several models, at thresholds that one of them chose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from genointerp.annotation.concepts import ConceptElements
from genointerp.association.config import AssociateConfig
from genointerp.association.count.hits import feature_blocks
from genointerp.association.count.label import Label, label_cells, list_labels
from genointerp.association.count.measure import make_side, measure
from genointerp.association.count.tally import Tally
from genointerp.association.count.universe import lay_side, make_universe
from genointerp.association.split import Divisible, fit_blocks
from genointerp.comparison.changed.joint_reading import BlockAxis, Reading
from genointerp.core import metric
from genointerp.core.errors import InputError
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import STRANDS


@dataclass(frozen=True, eq=False)
class ConceptScores:
    """F1 of features for concepts, and the error of the dictionary on them, in several models.

    Parameters
    ----------
    labels
        Concepts, each in its orientations.
    f1_fit
        F1 in the model that chose the thresholds, on its fit blocks.
    f1
        F1 of each model at these thresholds, on the test blocks; NaN for a label without a base.
    always_on
        F1 of the detector that always fires, for each label on test.
    n_bases
        Bases of each label in each block of the genome, on either reading strand.
    squared_error
        Sum of the squared error of each model over these.
    """

    labels: tuple[Label, ...]
    f1_fit: Float64[np.ndarray, "feature label"]
    f1: tuple[Float64[np.ndarray, "feature label"], ...]
    always_on: Float64[np.ndarray, " label"]
    n_bases: Float64[np.ndarray, "block label"]
    squared_error: tuple[Float64[np.ndarray, "block label"], ...]

    @property
    def best_label(self) -> Int64[np.ndarray, " feature"]:
        """The label of the highest F1 of each feature on fit; -1 for one that detects nothing."""
        filled = np.nan_to_num(self.f1_fit, nan=-1.0)
        return np.where(filled.max(axis=1) > 0, filled.argmax(axis=1), -1).astype(np.int64)

    @property
    def best_feature(self) -> Int64[np.ndarray, " label"]:
        """The feature of the highest F1 of each label on fit."""
        filled = np.nan_to_num(self.f1_fit, nan=-1.0)
        return np.asarray(filled.argmax(axis=0), dtype=np.int64)


def score_concepts(
    readings: Sequence[Reading],
    chooser: int,
    elements: ConceptElements,
    axis: BlockAxis,
    config: AssociateConfig | None = None,
) -> ConceptScores:
    """Choose a threshold for each feature and label in one model, and score all models with it.

    Parameters
    ----------
    readings
        Readings with their features as files.
    chooser
        Which of them chooses, on fit.

    Raises
    ------
    InputError
        If no concept has an element.
    """
    config = AssociateConfig() if config is None else config
    specimens = [_specimen(reading, elements) for reading in readings]
    own = [specimens[chooser]]
    store = own[0].features
    config = fit_blocks([Divisible.of_store(store)], config)
    names = list_labels(own)
    if not names:
        raise InputError("annotation", "at least one element of a concept", "none")
    fit, test = (
        make_side(own, lay_side(own, config, side), names, config) for side in ("fit", "test")
    )
    chosen = measure(own, fit, test, config)
    n_positive = test.labels.n_positive
    f1 = []
    for number, specimen in enumerate(specimens):
        n_both, n_feature = chosen.n_both, chosen.n_feature
        if number != chooser:
            tally = Tally([specimen.features], test.universe, test.labels)
            n_both, n_feature = _at_thresholds(tally, specimen, chosen.threshold)
        f1.append(metric.f1(n_both, n_feature, np.broadcast_to(n_positive, n_both.shape)))
    n_bases, errors = _errors(specimens, readings, names, axis)
    return ConceptScores(
        labels=names,
        f1_fit=chosen.f1_fit,
        f1=tuple(f1),
        always_on=metric.f1_always_on(n_positive, test.universe.n_covered),
        n_bases=n_bases,
        squared_error=errors,
    )


def _specimen(reading: Reading, elements: ConceptElements) -> Specimen:
    assert reading.features is not None, "features were not kept"
    return Specimen("genome", reading.features, elements=elements)


def _at_thresholds(
    tally: Tally, specimen: Specimen, threshold: Float64[np.ndarray, "feature label"]
) -> tuple[Int64[np.ndarray, "feature label"], Int64[np.ndarray, "feature label"]]:
    """Count what each feature detects at its threshold for each label: of it, and in all."""
    both, every = [], []
    label = np.arange(threshold.shape[1])
    for features in feature_blocks([specimen.features]):
        block, own = tally.read(features), threshold[features.start : features.stop]
        order = np.argsort(own, axis=1, kind="stable")
        levels = tally.levels(block, np.take_along_axis(own, order, axis=1))
        level = np.argsort(order, axis=1, kind="stable")
        every.append(np.take_along_axis(levels.n_feature, level, axis=1))
        feature = np.arange(len(own))[:, None]
        both.append(levels.n_both[feature, label[None], level])
    return np.concatenate(both), np.concatenate(every)


def _errors(
    specimens: Sequence[Specimen],
    readings: Sequence[Reading],
    names: tuple[Label, ...],
    axis: BlockAxis,
) -> tuple[Float64[np.ndarray, "block label"], tuple[Float64[np.ndarray, "block label"], ...]]:
    """Sum the bases and the squared errors of each label by block."""
    whole = tuple(GenomicInterval(it.seqid, 0, it.length) for it in axis.contigs)
    universe = make_universe([(specimens[0].features, whole)])
    labels = label_cells(specimens[:1], universe, names)
    n_kinds, row_block = labels.members.shape[1], axis.of_rows()
    place = np.zeros(universe.n_cells, np.int64)
    error = np.zeros((len(readings), universe.n_cells))
    is_read = np.zeros(universe.n_cells, np.bool_)
    for strand in STRANDS:
        first_cell = 0 if strand == "+" else universe.n_bp
        for start, end, position in zip(*universe.covered[0][strand], strict=True):
            cells = slice(first_cell + position, first_cell + position + end - start)
            place[cells] = row_block[start:end] * n_kinds + labels.combination[cells]
            is_read[cells] = True
            for own, reading in zip(error, readings, strict=True):
                own[cells] = reading.error[strand][start:end]
    shape = (axis.n_blocks, n_kinds)

    def summed(weights: Float64[np.ndarray, " cell"] | None) -> Float64[np.ndarray, "block label"]:
        kept = None if weights is None else weights[is_read]
        table = np.bincount(place[is_read], weights=kept, minlength=shape[0] * shape[1])
        return np.asarray(table.reshape(shape).astype(np.float64) @ labels.members.T)

    return summed(None), tuple(summed(own) for own in error)
