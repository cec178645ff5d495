"""What changed in a model, in features of the dictionary of the model before."""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from genointerp.annotation.concepts import ConceptElements
from genointerp.association.null.significance import benjamini_hochberg
from genointerp.comparison.changed.block_test import BlockDraws, Difference, moderated_p
from genointerp.comparison.changed.concept_changes import Arms, concept_table
from genointerp.comparison.changed.concept_scores import ConceptScores, score_concepts
from genointerp.comparison.changed.config import ChangedConfig
from genointerp.comparison.changed.joint_reading import (
    BlockAxis,
    Reading,
    check_together,
    read_together,
)
from genointerp.comparison.models import ModelSet
from genointerp.core.errors import InputError
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.store.contigs import ContigInfo
from genointerp.store.table.schema.changed import CHANGED_FEATURES
from genointerp.store.table.table import conform


class Changes(NamedTuple):
    """What changed, by feature and by concept: tables of the schemas of these names.

    Parameters
    ----------
    has_control, has_second
        Whether there was a control, and a second seed with its control.
    """

    features: pd.DataFrame
    concepts: pd.DataFrame
    has_control: bool
    has_second: bool


def measure_changes(  # noqa: PLR0913 - each is a choice of the user
    models: ModelSet,
    dictionary: Dictionary,
    genome: Genome,
    *,
    second: ModelSet | None = None,
    elements: ConceptElements | None = None,
    windows: HarvestConfig | None = None,
    config: ChangedConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> Changes:
    """Read models with the dictionary of the base model, and compare its features.

    Parameters
    ----------
    models
        The model before, the model after, and a control.
    dictionary
        Dictionary of the base model.
    second
        The same base with a tuned model and a control of another seed.
    elements
        Elements of concepts; without them, nothing is said of concepts.

    Raises
    ------
    MismatchError
        If the dictionary is not of the base model.
    InputError
        If a model of the second seed is one of the first.

    Notes
    -----
    A feature is compared by ``excess = log2(n_tuned / n_control)``, where n are the bases on which
    it fires. Blocks of the genome are drawn with replacement, the same ones in all models. The p is
    that of Student's t: the excess over its standard deviation among the draws, with one degree of
    freedom less than there are blocks in which the feature fires. Over so many blocks, nearly any
    two trainings differ. ``seeds_p`` therefore compares the densities of two tuned models with
    those of two controls, given how much such models differ by their seeds
    (`genointerp.comparison.changed.block_test.moderated_p`).
    """
    config = ChangedConfig() if config is None else config
    check_second(models, second)
    sets = [models, *([] if second is None else [second])]
    others = [model for one in sets for model in list(one.by_role.values())[1:]]
    check_together(dictionary, models.base, others)
    axis = BlockAxis(ContigInfo.of(genome), config.block_bp)
    with tempfile.TemporaryDirectory() as place:
        readings = read_together(
            dictionary,
            [models.base, *others],
            genome,
            block_bp=config.block_bp,
            config=HarvestConfig() if windows is None else windows,
            folder=None if elements is None else Path(place),
            regions=regions,
            progress=progress,
        )
        base, *rest = readings
        arms = []
        for one in sets:
            tuned, control = rest.pop(0), None if one.control is None else rest.pop(0)
            arms.append(Arms(base, tuned, control))
        first = [base, arms[0].tuned, arms[0].control]
        scores = None
        if elements is not None:
            scored = [reading for reading in first if reading is not None]
            scores = score_concepts(scored, 0, elements, axis)
    draws = BlockDraws.of(int((base.n_bases > 0).sum()), config.n_draws, seed=config.seed)
    features = feature_table(arms, scores, draws, config)
    concepts = concept_table(arms[0], scores, features, draws, config)
    return Changes(features, concepts, models.control is not None, second is not None)


def check_second(models: ModelSet, second: ModelSet | None) -> None:
    """Refuse models of a second seed that cannot be compared with those of the first.

    Raises
    ------
    InputError
        If a seed has no control, or a model of the second is one of the first.
    """
    if second is None:
        return
    for name, one in (("control", models), ("second_control", second)):
        if one.control is None:
            raise InputError(name, "a control of each seed", "none")
    known = {model.spec.sha256: role for role, model in models.by_role.items()}
    for role, model in second.by_role.items():
        was = known.get(model.spec.sha256)
        if role != "base" and was is not None:
            expected = "models of another seed than the first"
            name = "second_control" if role == "control" else "second"
            raise InputError(name, expected, f"{model.spec.name}, the {was} model of the first")


def feature_table(
    arms: Sequence[Arms],
    scores: ConceptScores | None,
    draws: BlockDraws,
    config: ChangedConfig,
) -> pd.DataFrame:
    """Return the table of features: one arm for each seed, the first one in full."""
    one = arms[0]
    compared = [_compared(arm, draws) for arm in arms]
    first, q = compared[0], benjamini_hochberg(compared[0].p_value)
    n = one.base.width
    nothing = np.full(n, np.nan)
    second, second_q, seeds_p = nothing, nothing, nothing
    if len(arms) > 1:
        second, second_q = compared[1].value, benjamini_hochberg(compared[1].p_value)
        seeds_p = _of_seeds(arms, is_tested=~np.isnan(first.p_value))
    seeds_q = benjamini_hochberg(seeds_p)
    has_control = one.control is not None
    change, control_change = (
        nothing if it is None else _log_density(it) - _log_density(one.base)
        for it in (one.tuned, one.control)
    )
    concept, orientation, f1 = best_concepts(scores, n)
    readings = {"base": one.base, "tuned": one.tuned, "control": one.control}
    columns = {
        "feature": np.arange(n),
        "concept": concept,
        "orientation": orientation,
        "change": change,
        "control_change": control_change,
        "excess": first.value,
        "excess_low": first.low,
        "excess_high": first.high,
        "p_value": first.p_value,
        "q_value": q,
        "second_excess": second,
        "second_q": second_q,
        "seeds_p": seeds_p,
        "seeds_q": seeds_q,
        "mean_q": benjamini_hochberg(_means(one, draws).p_value),
        "fvu_q": benjamini_hochberg(_shares(one, draws).p_value),
    }
    for position, (role, reading) in enumerate(readings.items()):
        columns |= {
            f"density_{role}": nothing if reading is None else reading.density,
            f"mean_{role}": nothing if reading is None else reading.mean,
            f"fvu_{role}": nothing if reading is None else reading.fvu_share,
            f"f1_{role}": f1[position] if position < len(f1) else nothing,
        }
    frame = pd.DataFrame(columns)
    kind = np.where(_is_said(frame, config), np.where(frame["excess"] > 0, "gained", "lost"), "")
    frame["kind"] = kind if has_control else ""
    return conform(frame[CHANGED_FEATURES.names], CHANGED_FEATURES, where="changed features")


def _of_seeds(
    arms: Sequence[Arms], *, is_tested: Bool[np.ndarray, " feature"]
) -> Float64[np.ndarray, " feature"]:
    """Return the p of the tuned models of all seeds having the densities of the controls."""
    of_seed = [(_log_density(arm.tuned), _log_density(arm.reference)) for arm in arms]
    tuned, reference = (
        np.where(is_tested, np.stack(group), np.nan) for group in zip(*of_seed, strict=True)
    )
    # what counting n bases alone varies by: a log2 has a variance of 1 / (n ln(2)^2)
    least = 2.0 ** -np.concatenate([tuned, reference]).mean(axis=0) / math.log(2) ** 2
    return moderated_p(tuned, reference, least=least)


def _is_said(frame: pd.DataFrame, config: ChangedConfig) -> Bool[np.ndarray, " feature"]:
    """Return which features exceed the control, in both seeds and beyond what seeds differ by."""
    sign = np.sign(frame["excess"])
    agrees = (np.sign(frame["change"]) == sign) & (np.sign(frame["second_excess"]) == sign)
    significant = (frame[["q_value", "second_q", "seeds_q"]] <= config.most_q).all(axis=1)
    return np.asarray(agrees & significant, dtype=np.bool_)


def _log_density(reading: Reading) -> Float64[np.ndarray, " feature"]:
    """Return the log2 of the bases on which each feature fires, half a base added."""
    return np.asarray(np.log2(reading.n_firing.sum(axis=0) + 0.5))


def _compared(arm: Arms, draws: BlockDraws) -> Difference:
    read = arm.base.n_bases > 0
    return draws.log2_ratio(arm.tuned.n_firing[read], arm.reference.n_firing[read])


def _means(arm: Arms, draws: BlockDraws) -> Difference:
    read, a, b = arm.base.n_bases > 0, arm.tuned, arm.reference
    return draws.difference_of_means(
        a.total[read], a.n_firing[read], b.total[read], b.n_firing[read]
    )


def _shares(arm: Arms, draws: BlockDraws) -> Difference:
    read, a, b = arm.base.n_bases > 0, arm.tuned, arm.reference
    scale_a, scale_b = (
        np.repeat(it.n_bases[read, None] * it.variance, it.width, axis=1) for it in (a, b)
    )
    return draws.difference_of_means(a.explained[read], scale_a, b.explained[read], scale_b)


def best_concepts(
    scores: ConceptScores | None, n_features: int
) -> tuple[list[str], list[str], list[Float64[np.ndarray, " feature"]]]:
    """Return the best concept of each feature, its orientation, and its F1 in each model."""
    if scores is None:
        return [""] * n_features, [""] * n_features, []
    best = scores.best_label
    names = [scores.labels[label] if label >= 0 else ("", "") for label in best]
    own = np.arange(n_features)
    f1 = [np.where(best >= 0, table[own, np.maximum(best, 0)], np.nan) for table in scores.f1]
    return [name[0] for name in names], [name[1] for name in names], f1


def order_of_change(features: pd.DataFrame) -> Int64[np.ndarray, " row"]:
    """Return the rows of a table of features, the most certain and largest excess first."""
    q = features["q_value"].fillna(2.0).to_numpy(np.float64)
    size = features["excess"].abs().to_numpy(np.float64)
    return np.asarray(np.lexsort((-size, q)), dtype=np.int64)
