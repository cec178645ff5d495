"""Whether a genome is like one that the model was trained on: what it has seen, it may remember.

The genomes themselves are not shipped. A sketch of them lies beside the weights, made by
``scripts/corpus/sketch.py``: of their words of 31 bases those with the lowest hashes.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8, UInt32, UInt64

from genointerp.association.similarity import SIMILAR_SHARE, word_hashes

_log = logging.getLogger(__name__)

SKETCH = Path(__file__).parents[1] / "model" / "weights" / "training_genomes.npz"
"""Of the shipped models, which were all trained on the same genomes."""

SCALE_BITS = 11
"""Kept is one word in ``2 ** SCALE_BITS``."""


class TrainingSketch(NamedTuple):
    """Hashes of words of the genomes that some models were trained on.

    Parameters
    ----------
    models
        Their names.
    genomes
        Names of the genomes.
    hashes
        Of each genome, ascending.
    """

    models: tuple[str, ...]
    genomes: tuple[str, ...]
    hashes: tuple[UInt32[np.ndarray, " _"], ...]


class Seen(NamedTuple):
    """Share of the words of some bases that a training genome has, that with the most."""

    genome: str
    share: float
    n_words: int


def sketch(pieces: Sequence[UInt8[np.ndarray, " _"]]) -> UInt32[np.ndarray, " word"]:
    """Return the hashes of the sampled words of pieces of consecutive bases, ascending.

    Notes
    -----
    FracMinHash (Irber et al. 2022): of the words of 31 known bases, the lesser of either strand,
    those whose hash begins with `SCALE_BITS` zeros; kept are the 32 bits behind these.
    """
    hashes: UInt64[np.ndarray, " word"] = word_hashes(pieces)
    low = hashes[hashes >> np.uint64(64 - SCALE_BITS) == 0]
    return np.unique((low >> np.uint64(32 - SCALE_BITS)).astype(np.uint32))


def write_sketch(path: Path, found: TrainingSketch) -> None:
    """Write a sketch."""
    ends = np.cumsum([len(own) for own in found.hashes])
    np.savez(
        path,
        models=np.array(found.models),
        genomes=np.array(found.genomes),
        ends=ends.astype(np.int64),
        hashes=np.concatenate(found.hashes),
    )


def read_sketch(path: Path = SKETCH) -> TrainingSketch:
    """Read a sketch."""
    with np.load(path) as file:
        hashes = np.split(file["hashes"], file["ends"][:-1])
        models, genomes = (tuple(map(str, file[name])) for name in ("models", "genomes"))
    return TrainingSketch(models, genomes, tuple(hashes))


def nearest(pieces: Sequence[UInt8[np.ndarray, " _"]], training: TrainingSketch) -> Seen | None:
    """Return the training genome that has most of the words of pieces; None without a word.

    Notes
    -----
    With n sampled words the standard error of a share s is ``sqrt(s (1 - s) / n)``, n about the
    bases over 2,048: .7 % at a share of .05 of 2 Mb, 3 % of 100 kb. Words are lost with identity
    as ``identity ** 31``: a share of .6 is one of 98.4 %, if all of it aligns.
    """
    own = sketch(pieces)
    if not len(own):
        return None
    shares = [float(np.isin(own, known).mean()) for known in training.hashes]
    best = int(np.argmax(shares))
    return Seen(training.genomes[best], shares[best], len(own))


def tell_seen(
    name: str, model: str, pieces: Sequence[UInt8[np.ndarray, " _"]], training: TrainingSketch
) -> Seen | None:
    """Warn where bases of test are like a genome that the model was trained on; return the nearest.

    Parameters
    ----------
    name, model
        Of the genome, and of the model that read it. None is returned where the training of the
        model is not known.
    """
    if model not in training.models:
        return None
    found = nearest(pieces, training)
    if found is not None and found.share >= SIMILAR_SHARE:
        _log.warning(
            "%s: %.0f %% of what is read on test occurs in %s, which the model %s was trained on: "
            "it may be remembered (from %d words)",
            name,
            100 * found.share,
            found.genome,
            model,
            found.n_words,
        )
    return found
