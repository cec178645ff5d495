"""Baselines: how well concepts are detected without this dictionary, on the same split.

The score of a feature is meaningful only in comparison with others: a detector that always fires,
single neurons and components, directions and models trained with the annotation, the sequence
alone, and dictionaries that cannot have learnt anything (random weights) or were trained again
(another seed). Everything is chosen on fit and measured on test.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from genointerp.association.baseline.config import BaselineConfig
from genointerp.association.baseline.dense import DenseSide, check_activations, dense_sides
from genointerp.association.baseline.dense_counts import UNDEFINED
from genointerp.association.baseline.dictionary import (
    best_of,
    open_rivals,
    score_features,
)
from genointerp.association.baseline.projection import fit_projections, score_projections
from genointerp.association.baseline.row import (
    DETECTORS,
    Found,
    Rows,
    always_on_rows,
    baseline_frame,
    dense_rows,
    feature_row,
    feature_rows,
)
from genointerp.association.baseline.sequence import score_sequence
from genointerp.association.config import AssociateConfig
from genointerp.association.summary import best_per_concept
from genointerp.core.errors import MismatchError
from genointerp.core.progress import Progress, silent
from genointerp.feature.specimen import Specimen
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import FeatureStore


@dataclass(frozen=True, eq=False)
class Rivals:
    """Other dictionaries to compare features with; those not given have no rows.

    Parameters
    ----------
    random
        Features of a dictionary of the same model with random weights, on some or all of the bases.
    other_seed
        Features of another dictionary of the same model and site.
    """

    random: Sequence[FeatureStore] = ()
    other_seed: Sequence[FeatureStore] = ()


def measure_baselines(
    specimens: Sequence[Specimen],
    associations: pd.DataFrame,
    rivals: Rivals | None = None,
    *,
    split: AssociateConfig,
    config: BaselineConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Measure the scores of all detectors for each label, in the schema ``BASELINES``.

    Parameters
    ----------
    specimens
        The same specimens as for `associate`. Neurons, components and probes need their
        activations, and the model of the sequence needs their sequences. If no specimen has them,
        these detectors have no rows.
    associations
        Table that `associate` returned.
    split
        Configuration with which it was called.
    progress
        Called with (detectors done, detectors in all).

    Raises
    ------
    InputError
        If only some specimens have activations or a sequence, tokens of the activations are not
        single bases, or the activations do not cover the bases of the features.
    MismatchError
        If a rival does not have the genome, model, site or dictionary that it must have, or the
        associations were made with another split or annotation.

    Notes
    -----
    Neurons and components are tried in both directions. Principal components and differences of
    means are computed from all rows of fit. Columns and signs are chosen, and independent
    components, the probe and the model of the sequence are fitted, on every n-th base of fit, where
    n is odd and no multiple of 3 (`thinning`). Thresholds are chosen on all of fit, and every score
    is measured on all of test.
    """
    config = BaselineConfig(seed=split.seed) if config is None else config
    rivals = Rivals() if rivals is None else rivals
    random = open_rivals(specimens, rivals.random, random_weights=True)
    other_seed = open_rivals(specimens, rivals.other_seed, random_weights=False)
    fit, test = dense_sides(specimens, split)
    _check_associations(associations, test)
    rows: Rows = {"always_on": always_on_rows(fit, test)}
    if any(specimen.activations is not None for specimen in specimens):
        activations = check_activations(specimens, (fit, test))
        rows |= _on_activations(activations, fit, test, config)
        progress(len(rows), len(DETECTORS))
    if any(specimen.sequence is not None for specimen in specimens):
        sequences = [specimen.needs("sequence") for specimen in specimens]
        found = score_sequence(sequences, fit, test, config)
        rows["kmer_gc_phase"] = dense_rows(found, test)
        progress(len(rows), len(DETECTORS))
    best = best_per_concept(associations)
    if random:
        rows |= _random_weights(specimens, random, best, test, split)
        progress(len(rows), len(DETECTORS))
    if other_seed:
        rows["other_seed"] = feature_rows(best_of(other_seed, split), test)
    rows["feature"] = feature_rows(best, test)
    progress(len(DETECTORS), len(DETECTORS))
    return baseline_frame(rows, test)


def _check_associations(associations: pd.DataFrame, test: DenseSide) -> None:
    found = associations.drop_duplicates(["concept", "orientation"])
    labels = zip(found["concept"], found["orientation"], strict=True)
    n_found = dict(zip(labels, found["n_concept_bp"].tolist(), strict=True))
    names = [(label.concept, label.orientation) for label in test.labels.names]
    n_here = dict(zip(names, test.labels.n_positive.tolist(), strict=True))
    for label in [*n_here, *n_found]:
        if n_found.get(label) != n_here.get(label):
            expected = f"{n_here.get(label, 'no')} bases on test, as in this split and annotation"
            where = f"associations: {' '.join(map(str, label))}"
            raise MismatchError(where, expected, str(n_found.get(label, "none")))


def _on_activations(
    activations: Sequence[ActivationStore],
    fit: DenseSide,
    test: DenseSide,
    config: BaselineConfig,
) -> Rows:
    projections = fit_projections(activations, fit, config)
    found = score_projections(projections, activations, fit, test)
    return {
        name: dense_rows(own, test, projections.chosen.get(name)) for name, own in found.items()
    }


def _random_weights(
    specimens: Sequence[Specimen],
    random: Sequence[Specimen],
    best: pd.DataFrame,
    test: DenseSide,
    split: AssociateConfig,
) -> Rows:
    _, side = dense_sides(random, split)
    share = f"{side.universe.n_covered} of {test.universe.n_covered} bases of test"
    by_genome = {specimen.genome_sha256: specimen.features for specimen in specimens}
    there = [by_genome[rival.genome_sha256] for rival in random]
    scored = score_features(there, best, side)
    rows: Rows = {"random_weights": [], "feature_there": []}
    found = {
        (row["concept"], row["orientation"]): row
        for row in best_of(random, split).to_dict("records")
    }
    sizes = {
        (label.concept, label.orientation): int(n)
        for label, n in zip(side.labels.names, side.labels.n_positive, strict=True)
    }
    for label in test.labels.names:
        name = (label.concept, label.orientation)
        n = sizes.get(name, 0)
        row = feature_row(found.get(name), n)
        rows["random_weights"].append(
            row._replace(note=f"{random[0].features.header.model}; {share}")
        )
        feature, score = scored.get(name, ("", UNDEFINED))
        rows["feature_there"].append(Found(score, n, str(feature), note=share))
    return rows
