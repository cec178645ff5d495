"""At which of several checkpoints of a model a feature is born."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from genointerp.annotation.concepts import ConceptElements
from genointerp.comparison.changed.block_test import BlockDraws
from genointerp.comparison.changed.concept_scores import ConceptScores, score_concepts
from genointerp.comparison.changed.config import ChangedConfig
from genointerp.comparison.changed.features import best_concepts
from genointerp.comparison.changed.joint_reading import (
    BlockAxis,
    Reading,
    check_together,
    read_together,
)
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import DnaModel
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.store.contigs import ContigInfo
from genointerp.store.table.schema.changed import BIRTHS
from genointerp.store.table.table import conform

NEVER = -1
"""Birth of a feature that fires at no checkpoint."""


def find_births(  # noqa: PLR0913 - each is a choice of the user
    checkpoints: Sequence[DnaModel],
    dictionary: Dictionary,
    genome: Genome,
    *,
    elements: ConceptElements | None = None,
    windows: HarvestConfig | None = None,
    config: ChangedConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    progress: Progress = silent,
) -> pd.DataFrame:
    """Find the first checkpoint at which each feature fires on enough bases.

    Parameters
    ----------
    checkpoints
        Models of one shape, in the order of their training.
    dictionary
        Dictionary of one of them, mostly of the last: a feature that the dictionary of the first
        lacks cannot be seen to be born.

    Raises
    ------
    InputError
        If there are fewer than two checkpoints, or one occurs twice.
    MismatchError
        If the dictionary is of none of them.

    Notes
    -----
    The birth is the first checkpoint with more than half of the largest density of all. Its
    support is the share of draws of blocks of the genome in which it is the same one.
    """
    config = ChangedConfig() if config is None else config
    owner = check_births(checkpoints, dictionary)
    with tempfile.TemporaryDirectory() as place:
        readings = read_together(
            dictionary,
            checkpoints,
            genome,
            block_bp=config.block_bp,
            config=HarvestConfig() if windows is None else windows,
            folder=None if elements is None else Path(place),
            regions=regions,
            progress=progress,
        )
        scores = None
        if elements is not None:
            axis = BlockAxis(ContigInfo.of(genome), config.block_bp)
            scores = score_concepts(readings, owner, elements, axis)
    return birth_table(readings, [it.spec.name for it in checkpoints], scores, config)


def birth_table(
    readings: Sequence[Reading],
    names: Sequence[str],
    scores: ConceptScores | None,
    config: ChangedConfig,
) -> pd.DataFrame:
    """Return the table of births from the readings of the checkpoints, in order."""
    density = np.stack([reading.density for reading in readings])
    born = first_above_half(density)
    n = density.shape[1]
    concept, orientation, of_model = best_concepts(scores, n)
    f1 = np.stack(of_model) if of_model else np.full((len(readings), n), np.nan)
    kind = np.where(born == NEVER, "never", np.where(born == 0, "at once", "born"))
    frame = pd.DataFrame(
        {
            "feature": np.arange(n),
            "concept": concept,
            "orientation": orientation,
            "kind": kind,
            "born": born,
            "checkpoint": [names[one] if one >= 0 else "" for one in born],
            "support": _support(readings, born, config),
            "density_first": density[0],
            "density_last": density[-1],
            "density_largest": density.max(axis=0),
            "densities": [",".join(f"{value:.4g}" for value in column) for column in density.T],
            "f1_first": f1[0],
            "f1_last": f1[-1],
            "f1_born": first_above_half(f1),
        }
    )
    return conform(frame[BIRTHS.names], BIRTHS, where="births")


def first_above_half(
    values: Float64[np.ndarray, "checkpoint feature"],
) -> Int64[np.ndarray, " feature"]:
    """Return the first checkpoint with more than half of the largest value; -1 if that is 0.

    Examples
    --------
    >>> first_above_half(np.array([[0.1, 0.4, 0.0], [0.6, 0.5, 0.0], [1.0, 0.3, 0.0]])).tolist()
    [1, 0, -1]
    """
    filled = np.nan_to_num(values, nan=0.0)
    largest = filled.max(axis=0)
    return np.where(largest > 0, (filled > largest / 2).argmax(axis=0), NEVER).astype(np.int64)


def _support(
    readings: Sequence[Reading], born: Int64[np.ndarray, " feature"], config: ChangedConfig
) -> Float64[np.ndarray, " feature"]:
    read = readings[0].n_bases > 0
    draws = BlockDraws.of(int(read.sum()), config.n_draws, seed=config.seed).weight
    # all checkpoints read the same bases, so numbers of bases are compared as densities are
    same = np.zeros(len(born))
    for weight in draws:
        drawn = np.stack([weight @ reading.n_firing[read] for reading in readings])
        same += first_above_half(drawn) == born
    return np.asarray(np.where(born == NEVER, np.nan, same / len(draws)))


def check_births(checkpoints: Sequence[DnaModel], dictionary: Dictionary) -> int:
    """Check that checkpoints can be read with a dictionary; return the number of the one it is of.

    Raises
    ------
    InputError
        If there are fewer than two checkpoints, or one occurs twice.
    MismatchError
        If the dictionary is of none of them, or one has another site or width.
    """
    owner = _owner(checkpoints, dictionary)
    check_together(dictionary, checkpoints[owner], checkpoints)
    return owner


def _owner(checkpoints: Sequence[DnaModel], dictionary: Dictionary) -> int:
    known = [model.spec.sha256 for model in checkpoints]
    if len(known) < 2 or len(set(known)) < len(known):
        found = "fewer" if len(known) < 2 else "one of them twice"
        raise InputError("checkpoints", "two different models at least", found)
    identities = []
    for model in checkpoints:
        name, sha256 = model.spec.dictionaries_of
        where = f"model {model.spec.name}"
        identities.append(Identity(where, model=name, model_sha256=sha256))
    try:
        return dictionary.header.identity.find(identities, "model")
    except MismatchError:
        names = ", ".join(model.spec.name for model in checkpoints)
        expected, found = f"a dictionary of one of {names}", f"one of {dictionary.header.model}"
        raise MismatchError(str(dictionary.header.folder), expected, found) from None
