"""Elements predicted from the sequence alone, by the tools of `genointerp.annotation.finders`."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.finders.finding import FindConfig, Finding, MissingToolError
from genointerp.annotation.finders.registry import FINDERS, finder_named
from genointerp.core.errors import InputError
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, split_at_origin

_BEYOND = 10_000
"""Bases at the start of a circular contig that are searched again behind its end."""


_log = logging.getLogger(__name__)


class Prediction(NamedTuple):
    """The elements that the finders predict.

    Parameters
    ----------
    counts
        Number of elements by tool.
    absent
        Tools that are not installed.
    """

    annotations: AnnotationSet
    counts: dict[str, int]
    absent: tuple[str, ...]


def find_elements(
    genome: Genome, tools: Sequence[str], config: FindConfig | None = None
) -> Prediction:
    """Run finders on a genome; one that is not installed is left out with a warning.

    Elements carry the attribute ``tool``. Those that span the origin of a circular contig have a
    part on either side.

    Raises
    ------
    UnknownNameError
        If a tool is none of ``FINDERS``.
    MissingToolError
        If none of them is installed.
    InputError
        If a tool needs a file that the configuration does not name.
    """
    config = FindConfig() if config is None else config
    finders = {name: finder_named(name) for name in dict.fromkeys(tools)}
    if not finders:
        raise InputError("find", f"one or more of {', '.join(FINDERS)}", "none")
    contigs = {name: _searched(genome, name) for name in genome}
    elements: list[Element] = []
    counts: dict[str, int] = {}
    problems: dict[str, MissingToolError] = {}
    for name, finder in finders.items():
        try:
            found = once(list(finder.search(contigs, config)), genome.lengths)
        except MissingToolError as error:
            _log.warning("%s", error)
            problems[name] = error
            continue
        elements.extend(_elements(name, found, genome))
        counts[name] = len(found)
    if not counts:
        raise next(iter(problems.values()))
    return Prediction(AnnotationSet(elements, genome.lengths), counts, tuple(problems))


def once(found: Sequence[Finding], lengths: Mapping[str, int]) -> list[Finding]:
    """Leave out elements found twice: at the start of a circular contig and behind its end.

    Whatever starts behind the end is also found at the start. What spans the origin is kept; pieces
    of it, which a tool may find at the start, are not.
    """
    spans = [one for one in found if one.start < lengths[one.seqid] < one.end]

    def is_piece(one: Finding) -> bool:
        return any(
            one.end <= span.end - lengths[span.seqid]
            for span in spans
            if (span.seqid, span.type, span.strand) == (one.seqid, one.type, one.strand)
        )

    fitting = [one for one in found if one.end - one.start <= lengths[one.seqid]]
    return [one for one in fitting if one.start < lengths[one.seqid] and not is_piece(one)]


def _searched(genome: Genome, name: str) -> str:
    contig = genome[name]
    bases = contig.sequence.tobytes().decode()
    return bases + bases[:_BEYOND] if contig.circular else bases


def _elements(tool: str, found: Sequence[Finding], genome: Genome) -> Iterator[Element]:
    rank = {name: index for index, name in enumerate(genome)}
    ordered = sorted(found, key=lambda f: (rank[f.seqid], f.start, f.end, f.strand, f.type))
    for number, one in enumerate(ordered, start=1):
        values = {"tool": tool, **one.attributes}
        attributes = {name: tuple(value.split(",")) for name, value in values.items()}
        place = GenomicInterval(one.seqid, one.start, one.end, one.strand)
        pieces = split_at_origin(place, genome[one.seqid].length)
        parts = _in_reading_order(pieces, is_coding=one.type == "CDS")
        yield Element(one.type, f"{tool}_{number}", parts, attributes, where=tool)


def _in_reading_order(pieces: tuple[GenomicInterval, ...], *, is_coding: bool) -> tuple[Part, ...]:
    ordered = pieces[::-1] if pieces[0].strand == "-" else pieces
    phase, parts = 0, []
    for piece in ordered:
        parts.append(
            Part(piece.seqid, piece.start, piece.end, piece.strand, phase if is_coding else -1)
        )
        phase = (phase - piece.length) % 3
    return tuple(parts)
