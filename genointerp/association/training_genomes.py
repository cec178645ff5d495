"""Whether a genome is similar to one that the model was trained on and may remember.

The genomes of training are not shipped. A sketch of them lies next to the weights: those of their
31-base words that have the lowest hashes. ``scripts/corpus/sketch.py`` makes it.
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
"""Sketch for the shipped models, which were all trained on the same genomes."""

SCALE_BITS = 11
"""One word in ``2 ** SCALE_BITS`` is kept."""


class TrainingSketch(NamedTuple):
    """Hashes of words of the genomes that some models were trained on.

    Parameters
    ----------
    models
        Names of the models.
    genomes
        Names of the genomes.
    hashes
        Hashes of each genome, ascending.
    """

    models: tuple[str, ...]
    genomes: tuple[str, ...]
    hashes: tuple[UInt32[np.ndarray, " _"], ...]


class Seen(NamedTuple):
    """The genome of training that shares most words with some bases, and that share."""

    genome: str
    share: float
    n_words: int


def sketch(pieces: Sequence[UInt8[np.ndarray, " _"]]) -> UInt32[np.ndarray, " word"]:
    """Return the hashes of the sampled words of pieces of consecutive bases, ascending.

    Notes
    -----
    FracMinHash (Irber et al. 2022): the words are those of 31 known bases, on the strand with the
    lesser code. Words whose hash begins with `SCALE_BITS` zero bits are sampled, and the next 32
    bits of the hash are kept.
    """
    hashes: UInt64[np.ndarray, " word"] = word_hashes(pieces)
    low = hashes[hashes >> np.uint64(64 - SCALE_BITS) == 0]
    return np.unique((low >> np.uint64(32 - SCALE_BITS)).astype(np.uint32))


def write_sketch(path: Path, found: TrainingSketch) -> None:
    """Write a sketch of genomes of training."""
    ends = np.cumsum([len(own) for own in found.hashes])
    np.savez(
        path,
        models=np.array(found.models),
        genomes=np.array(found.genomes),
        ends=ends.astype(np.int64),
        hashes=np.concatenate(found.hashes),
    )


def read_sketch(path: Path = SKETCH) -> TrainingSketch:
    """Read a sketch of genomes of training."""
    with np.load(path) as file:
        hashes = np.split(file["hashes"], file["ends"][:-1])
        models, genomes = (tuple(map(str, file[name])) for name in ("models", "genomes"))
    return TrainingSketch(models, genomes, tuple(hashes))


def nearest(pieces: Sequence[UInt8[np.ndarray, " _"]], training: TrainingSketch) -> Seen | None:
    """Return the genome of training that shares most words with pieces; None if they have none.

    Notes
    -----
    With n sampled words, about one per 2,048 bases, the standard error of a share s is ``sqrt(s (1
    - s) / n)``: at a share of .05, .7 % for 2 Mb and 3 % for 100 kb. Sequences of a given identity
    share ``identity ** 31`` of their words: a share of .6 means an identity of 98.4 %, if
    everything aligns.
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
    """Find the genome of training nearest to the bases of test, and warn if it is similar.

    Parameters
    ----------
    name, model
        Names of the genome and of the model that read it. If the model's genomes of training are
        not known, None is returned.
    """
    if model not in training.models:
        return None
    found = nearest(pieces, training)
    if found is not None and found.share >= SIMILAR_SHARE:
        _log.warning(
            "%s: %.0f %% of the bases read on test occur in %s, which the model %s was trained on: "
            "they may be remembered (estimated from %d words)",
            name,
            100 * found.share,
            found.genome,
            model,
            found.n_words,
        )
    return found
