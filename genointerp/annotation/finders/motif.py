"""Sites of known motifs: MEME and JASPAR files, scored as FIMO does (Grant et al. 2011)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from genointerp.annotation.finders.finding import FindConfig, Finding, given_file
from genointerp.core.errors import InputError
from genointerp.core.files import read_text
from genointerp.genome.interval import Strand
from genointerp.genome.letters import BASES, base_codes, normalise_sequence

_STEPS = 1000
"""Number of steps into which the range of a motif's scores is divided."""

_PSEUDOCOUNT = 0.1


class ScoredMotif(NamedTuple):
    """Log-odds of a motif in whole numbers, its rows A, C, G, T; and the p-value of each score."""

    name: str
    score: Int64[np.ndarray, "base column"]
    p_value: Float64[np.ndarray, " score"]


def find_motifs(contigs: Mapping[str, str], config: FindConfig) -> Iterator[Finding]:
    """Yield the sites of each motif on either strand, named after it."""
    path = given_file(config.motifs, "motifs", "motifs in a MEME or JASPAR file")
    codes = {seqid: _codes(bases, seqid) for seqid, bases in contigs.items()}
    background = _background(list(codes.values()))
    for name, counts in read_motifs(path).items():
        motif = scored(name, counts, background)
        for seqid, code in codes.items():
            for start, strand, p in sites(code, motif, config.max_p):
                attributes = {"Name": name, "p_value": f"{p:.2g}"}
                end = start + motif.score.shape[1]
                yield Finding(seqid, "nucleotide_motif", start, end, strand, attributes)


def read_motifs(path: Path) -> dict[str, Float64[np.ndarray, "base column"]]:
    """Read the counts of each motif, rows A, C, G, T.

    Raises
    ------
    InputError
        If the file is neither MEME's nor JASPAR's, or holds no motif.
    """
    lines = [line.split() for line in read_text(path, error=InputError).splitlines()]
    is_meme = bool(lines) and lines[0][:1] == ["MEME"]
    try:
        found = dict(_meme(lines) if is_meme else _jaspar(lines))
    except ValueError as error:
        problem = " ".join(str(error).split())
        raise InputError(str(path), "motifs in MEME's or JASPAR's format", problem) from error
    if not found:
        raise InputError(str(path), "motifs in MEME's or JASPAR's format", "none")
    return found


def _meme(lines: list[list[str]]) -> Iterator[tuple[str, Float64[np.ndarray, "base column"]]]:
    """Yield the motifs of a MEME file; shares become counts (of 20 sites by default)."""
    name = ""
    for number, words in enumerate(lines):
        if words[:1] == ["MOTIF"]:
            name = " ".join(words[1:3])
        if words[:2] == ["letter-probability", "matrix:"]:
            told = dict(zip(words[2::2], words[3::2], strict=False))
            rows = lines[number + 1 : number + 1 + int(told["w="])] if "w=" in told else []
            shares = np.array(rows, dtype=np.float64).reshape(-1, 4)
            yield name, _counted(name, shares.T * float(told.get("nsites=", 20)))


def _jaspar(lines: list[list[str]]) -> Iterator[tuple[str, Float64[np.ndarray, "base column"]]]:
    """Yield the motifs of a JASPAR file; its rows are A, C, G and T, named or not."""
    full = [words for words in lines if words]
    for number, words in enumerate(full):
        if words[0].startswith(">"):
            name = " ".join(words).removeprefix(">").strip()
            rows = [
                [word for word in row if word not in ("[", "]", *BASES)]
                for row in full[number + 1 : number + 5]
            ]
            yield name, _counted(name, np.array(rows, dtype=np.float64))


def _counted(name: str, counts: np.ndarray) -> Float64[np.ndarray, "base column"]:
    if counts.ndim != 2 or counts.shape[0] != 4 or not counts.size or counts.min() < 0:
        raise ValueError(f"motif {name!r} of shape {counts.shape}")
    return counts


def scored(
    name: str,
    counts: Float64[np.ndarray, "base column"],
    background: Float64[np.ndarray, " base"],
) -> ScoredMotif:
    """Return the log-odds of a motif in whole numbers, and the p-value of each sum of them.

    Notes
    -----
    ``log2 (f_b / q_b)`` with 0.1 pseudocounts shared out as the background is, moved and scaled so
    that the columns' ranges add up to 1,000 steps. The p-value of a score is the chance that as
    many bases, drawn from the background, reach it; it is exact: the distribution of a sum is the
    convolution of those of its columns.
    """
    share = counts + _PSEUDOCOUNT * background[:, None]
    odds = np.log2(share / share.sum(axis=0) / background[:, None])
    odds -= odds.min(axis=0)
    total = max(float(odds.max(axis=0).sum()), np.finfo(np.float64).tiny)
    score = np.rint(odds * (_STEPS / total)).astype(np.int64)
    chance = np.zeros(int(score.max(axis=0).sum()) + 1)
    chance[0] = 1.0
    for column in score.T:
        after = np.zeros_like(chance)
        for base, step in enumerate(column.tolist()):
            after[step:] += background[base] * chance[: len(chance) - step]
        chance = after
    return ScoredMotif(name, score, np.cumsum(chance[::-1])[::-1])


def sites(
    code: UInt8[np.ndarray, " bp"], motif: ScoredMotif, max_p: float
) -> Iterator[tuple[int, Strand, float]]:
    """Yield start, strand and p-value of each site; a site with an unknown base does not count."""
    width = motif.score.shape[1]
    n_starts = len(code) - width + 1
    if n_starts < 1 or not (motif.p_value <= max_p).any():
        return
    least = int(np.argmax(motif.p_value <= max_p))
    both: tuple[tuple[Strand, Int64[np.ndarray, "base column"]], ...] = (
        ("+", motif.score),
        ("-", motif.score[::-1, ::-1]),
    )
    for strand, score in both:
        # an unknown base puts a site below zero
        table = np.vstack([score, np.full(width, -2 * _STEPS)]).astype(np.int32)
        total = np.zeros(n_starts, dtype=np.int32)
        for column in range(width):
            total += table[code[column : column + n_starts], column]
        for start in np.flatnonzero(total >= least).tolist():
            yield start, strand, float(motif.p_value[total[start]])


def _codes(bases: str, seqid: str) -> UInt8[np.ndarray, " bp"]:
    return base_codes(normalise_sequence(bases.encode(), where=seqid))


def _background(codes: list[UInt8[np.ndarray, " _bp"]]) -> Float64[np.ndarray, " base"]:
    """Return the shares of the bases, both strands alike, with one more of each."""
    counts = np.sum([np.bincount(code, minlength=5)[:4] for code in codes], axis=0) + 1.0
    both = counts + counts[::-1]
    return np.asarray(both / both.sum(), dtype=np.float64)
