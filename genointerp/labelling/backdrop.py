"""What the bases of fit are like, whatever a feature does there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from genointerp.association.config import AssociateConfig
from genointerp.association.count.universe import Universe, lay_side
from genointerp.core.seed import rng
from genointerp.feature.specimen import Specimen
from genointerp.genome.letters import UNKNOWN, base_codes
from genointerp.labelling.fit_loci import read_around
from genointerp.labelling.gc_content import count_gc, gc_share
from genointerp.store.feature.store import STRANDS, ReadStrand

WORD = 5
"""Length of the words whose use is compared, in bp."""

N_SAMPLED = 50_000
"""Bases of fit that are drawn to look for near misses."""

_BLOCK = 16_384
_N_WORDS = (UNKNOWN + 1) ** WORD


@dataclass(frozen=True, eq=False)
class Sampled:
    """Bases of fit that were drawn, with the codes before them in reading direction."""

    genome: Int64[np.ndarray, " base"]
    strand: Bool[np.ndarray, " base"]
    row: Int64[np.ndarray, " base"]
    codes: UInt8[np.ndarray, "base offset"]


@dataclass(frozen=True, eq=False)
class FitBackdrop:
    """The bases of fit.

    Parameters
    ----------
    universe
        Cells of fit.
    codes
        Codes of the forward strand of each genome.
    n_gc
        Number of G and C before each base of the forward strand of each genome, and before its end.
    words
        Number of each word of `WORD` bases that ends at a base read on fit, by half of the blocks.
    gc
        Share of G and C before a base that was drawn (:mod:`genointerp.labelling.gc_content`).
    sampled
        Bases that were drawn.
    """

    universe: Universe
    codes: tuple[UInt8[np.ndarray, " row"], ...]
    n_gc: tuple[Int64[np.ndarray, " edge"], ...]
    words: Int64[np.ndarray, "half word"]
    gc: Float64[np.ndarray, " base"]
    sampled: Sampled


def make_backdrop(
    specimens: Sequence[Specimen], split: AssociateConfig, *, motif_length: int, seed: int
) -> FitBackdrop:
    """Read the sequences of all genomes and describe the bases of fit."""
    universe = lay_side(specimens, split, "fit")
    codes = tuple(base_codes(specimen.letters()) for specimen in specimens)
    words = np.zeros((2, _N_WORDS), np.int64)
    for genome, own in enumerate(codes):
        for strand in STRANDS:
            rows = _rows_of(universe, genome, strand)
            words += count_words(own, rows, strand)
    sampled = _sample(universe, codes, motif_length, seed)
    n_gc = tuple(count_gc(own) for own in codes)
    shares = [
        gc_share(n_gc[genome], sampled.row[own], strand)
        for genome in range(len(codes))
        for strand in STRANDS
        for own in [(sampled.genome == genome) & (sampled.strand == (strand == "-"))]
    ]
    return FitBackdrop(universe, codes, n_gc, words, np.concatenate(shares), sampled)


def count_words(
    codes: UInt8[np.ndarray, " row"], rows: Int64[np.ndarray, " base"], strand: ReadStrand
) -> Int64[np.ndarray, "half word"]:
    """Count the words that end at bases, by half: alternate blocks of 16,384 bases."""
    around = read_around(codes, rows, strand, before=WORD - 1, after=0)
    number = np.zeros(len(rows), np.int64)
    for place in range(WORD):
        number = number * (UNKNOWN + 1) + around[:, place]
    half = rows // _BLOCK % 2
    counts = np.bincount(half * _N_WORDS + number, minlength=2 * _N_WORDS)
    return counts.reshape(2, _N_WORDS)


def word_text(number: int) -> str:
    """Return the letters of a word by its number, N for an unknown base."""
    letters = []
    for _ in range(WORD):
        number, code = divmod(number, UNKNOWN + 1)
        letters.append("ACGTN"[code])
    return "".join(reversed(letters))


def composition(backdrop: FitBackdrop) -> Float64[np.ndarray, "4"]:
    """Return the shares of A, C, G and T among the known bases of fit, as they are read."""
    last = backdrop.words.sum(axis=0).reshape(-1, UNKNOWN + 1).sum(axis=0)[:UNKNOWN]
    return np.asarray(last / max(last.sum(), 1), dtype=np.float64)


def _rows_of(universe: Universe, genome: int, strand: ReadStrand) -> Int64[np.ndarray, " base"]:
    segments = universe.covered[genome][strand]
    pairs = zip(segments.start.tolist(), segments.end.tolist(), strict=True)
    parts = [np.arange(start, end, dtype=np.int64) for start, end in pairs]
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _sample(
    universe: Universe, codes: Sequence[UInt8[np.ndarray, " row"]], motif_length: int, seed: int
) -> Sampled:
    draw = rng(seed, "near misses")
    genomes, strands, rows, around = [], [], [], []
    for genome, own in enumerate(codes):
        for strand in STRANDS:
            all_rows = _rows_of(universe, genome, strand)
            n = min(N_SAMPLED // (2 * len(codes)), len(all_rows))
            chosen = np.sort(draw.choice(all_rows, n, replace=False))
            genomes.append(np.full(n, genome, np.int64))
            strands.append(np.full(n, strand == "-", np.bool_))
            rows.append(chosen)
            around.append(read_around(own, chosen, strand, before=motif_length - 1, after=0))
    return Sampled(
        np.concatenate(genomes),
        np.concatenate(strands),
        np.concatenate(rows),
        np.concatenate(around),
    )
