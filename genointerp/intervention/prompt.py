"""Prompts: the bases that a model reads before it writes."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from genointerp.annotation.finders.folding import dinucleotide_shuffle
from genointerp.core.errors import InputError
from genointerp.core.seed import rng
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.genome.windows import Window, window_sequence
from genointerp.intervention.canvas import Canvas
from genointerp.intervention.subject import Subject

Prompt = Literal["own", "shuffled", "intergenic"]
"""What stands before a place: its own bases, these with dinucleotides in another order, or bases
that no gene covers."""

Bases = UInt8[np.ndarray, " bp"]


def prompts(kind: Prompt, own: Bases, subject: Subject, *, n: int, seed: int) -> list[Bases]:
    """Return the bases before each of ``n`` designs, as many as ``own``.

    Raises
    ------
    InputError
        If there are to be intergenic ones, and no stretch is known to be intergenic and as long.
    """
    if kind == "shuffled":
        draws = (rng(seed, f"bases before design {i}") for i in range(n))
        return [dinucleotide_shuffle(own, draw) for draw in draws]
    if kind == "intergenic" and len(own):
        return _intergenic(subject, len(own), n, seed)
    return [own] * n


def real_prompts(
    subject: Subject, canvas: Canvas, length: int, *, n: int, seed: int
) -> list[Bases] | None:
    """Return bases that end in the middle of elements of the concept of a canvas.

    None if it names no concept, or none that has an element with so many bases before its middle.
    The middle of coding sequences is the end of a codon.
    """
    concepts = canvas.concepts
    if subject.elements is None or not concepts or not length:
        return None
    table = subject.elements.of(concepts[0])
    whole = table.groupby("element")["part"].transform("size") == 1
    found = []
    for row in table[whole & table["strand"].isin(["+", "-"])].to_dict("records"):
        size = int(row["end"]) - int(row["start"])
        middle = size // 6 * 3 if row["frame"] >= 0 or concepts[0] == "CDS" else size // 2
        if row["strand"] == "+":
            place = int(row["start"]) + middle - length, int(row["start"]) + middle
        else:
            place = int(row["end"]) - middle, int(row["end"]) - middle + length
        if place[0] >= 0 and place[1] <= subject.genome[str(row["seqid"])].length:
            found.append(GenomicInterval(str(row["seqid"]), *place, row["strand"]))
    return _drawn(subject, found, n, rng(seed, "real prompts")) if found else None


def _intergenic(subject: Subject, length: int, n: int, seed: int) -> list[Bases]:
    elements = subject.elements
    known = elements is not None and "intergenic" in elements.names
    rows = elements.of("intergenic") if elements is not None and known else None
    long = None if rows is None else rows[rows["end"] - rows["start"] >= length]
    if long is None or long.empty:
        expected = f"an annotation with intergenic stretches of {length} bases"
        raise InputError("prompt", expected, "none")
    draw = rng(seed, "intergenic prompts")
    places = []
    for row in long.to_dict("records"):
        strands: tuple[Strand, ...] = ("+", "-")
        start = int(row["start"]) + int(draw.integers(row["end"] - row["start"] - length + 1))
        strand = strands[int(draw.integers(2))]
        places.append(GenomicInterval(str(row["seqid"]), start, start + length, strand))
    return _drawn(subject, places, n, draw)


def _drawn(
    subject: Subject, places: Sequence[GenomicInterval], n: int, draw: np.random.Generator
) -> list[Bases]:
    """Return the bases of ``n`` places, none twice before each was taken once."""
    order = np.concatenate([draw.permutation(len(places)) for _ in range(-(-n // len(places)))])
    return [window_sequence(subject.genome, Window(places[i], 0)) for i in order[:n].tolist()]
