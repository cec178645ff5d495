"""Higher concepts: stretches of a genome that are made of parts, as a gene end is.

They are read from a YAML file, as concepts are; the shipped one is
``annotations/higher_concepts.yaml``.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements
from genointerp.core.arguments import StrPath
from genointerp.core.config import from_mapping, read_yaml
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.nearest import unknown
from genointerp.genome.genome import Genome

ALL = "all"
"""Stands for every higher concept of a file."""


@dataclass(frozen=True)
class HigherPart:
    """One part of a higher concept.

    Parameters
    ----------
    of
        Name of a concept.
    bases
        All bases of its elements, or those before or behind each of them, as its strand is read.
        An element without a strand has neither.
    length
        Number of bases before or behind; fewer at the end of a linear contig.
    """

    of: str
    bases: Literal["all", "before", "behind"] = "all"
    length: int = 0


@dataclass(frozen=True)
class HigherConcept:
    """One entry of a file of higher concepts.

    Parameters
    ----------
    description
        One sentence.
    parts
        Its parts by name.
    join
        Parts on one strand with at most this many bases between them are one stretch, to which
        these bases belong.
    least
        Number of different parts that a stretch has at least; others are left out.
    """

    description: str
    parts: dict[str, HigherPart]
    join: int = 0
    least: int = 1


def part_name(higher: str, part: str) -> str:
    """Return the name of a part among the concepts of `define_higher`.

    Examples
    --------
    >>> part_name("gene_end", "stop_codon")
    'gene_end/stop_codon'
    """
    return f"{higher}/{part}"


def load_higher(path: StrPath | None = None) -> dict[str, HigherConcept]:
    """Read a file of higher concepts; without a path, the shipped one.

    Raises
    ------
    ConfigError
        If an entry has an unknown key, no part, or a number that is out of its range.
    """
    path = annotations_folder() / "higher_concepts.yaml" if path is None else Path(path)
    entries = read_yaml(path)
    if not isinstance(entries, dict) or not entries:
        expected = "a mapping of names of higher concepts to definitions"
        raise ConfigError(str(path), expected, repr(entries))
    found: dict[str, HigherConcept] = {}
    for name, entry in entries.items():
        one: HigherConcept = from_mapping(HigherConcept, entry, where=f"{path}: {name}")
        if name == ALL or "/" in str(name):
            raise ConfigError(f"{path}: {name}", f"a name other than {ALL}, without /", str(name))
        _check(one, where=f"{path}: {name}")
        found[str(name)] = one
    return found


def choose_higher(
    names: Sequence[str], known: Mapping[str, HigherConcept]
) -> dict[str, HigherConcept]:
    """Return the higher concepts of these names; all of them where one name is ``all``.

    Raises
    ------
    UnknownNameError
        If there is no such higher concept.
    """
    for name in names:
        if name not in (*known, ALL):
            raise unknown("higher concept", name, [*known, ALL])
    return {name: known[name] for name in (known if ALL in names else names)}


def define_higher(
    higher: Mapping[str, HigherConcept], elements: ConceptElements, genome: Genome
) -> ConceptElements:
    """Find the stretches of higher concepts, and their parts, among the elements of concepts.

    The result has a concept of the name of each higher concept, whose elements are the stretches,
    and one for each part (`part_name`), whose elements are those inside of a stretch.

    Raises
    ------
    UnknownNameError
        If a part is of a concept that is not known.
    InputError
        If a part is of a concept without a strand.
    """
    concepts: dict[str, Concept] = {}
    tables = []
    for name, one in higher.items():
        for key, part in one.parts.items():
            if elements.orientations(part.of) == ("both",):
                raise InputError(f"{name}: parts: {key}: of", "a concept with a strand", part.of)
        parts = {
            part_name(name, key): [*_part_rows(part, elements, genome)]
            for key, part in one.parts.items()
        }
        stretches = _stretches(parts, one, genome)
        concepts[name] = Concept(one.description)
        tables.append(_table(name, list(genome), stretches, stretches))
        for key, part in one.parts.items():
            own = part_name(name, key)
            concepts[own] = elements.concepts[part.of]
            tables.append(_table(own, list(genome), parts[own], stretches))
    return ConceptElements(pd.concat(tables, ignore_index=True), concepts)


def _check(one: HigherConcept, *, where: str) -> None:
    if not one.parts:
        raise ConfigError(f"{where}: parts", "one part or more", "none")
    if one.join < 0:
        raise ConfigError(f"{where}: join", "0 or more", str(one.join))
    if not 1 <= one.least <= len(one.parts):
        raise ConfigError(f"{where}: least", f"1 to {len(one.parts)}", str(one.least))
    for key, part in one.parts.items():
        if (part.length > 0) != (part.bases != "all"):
            expected = "1 or more" if part.bases != "all" else "none for all bases"
            raise ConfigError(f"{where}: parts: {key}: length", expected, str(part.length))


_Row = dict[str, Any]


def _part_rows(part: HigherPart, elements: ConceptElements, genome: Genome) -> Iterator[_Row]:
    table = elements.of(part.of)
    rows: list[_Row] = [dict(zip(COLUMNS, row, strict=True)) for row in table.to_numpy().tolist()]
    if part.bases == "all":
        yield from rows
        return
    ends: dict[int, _Row] = {}
    for row in rows:
        known = ends.setdefault(row["element"], row)
        further = row["part"] - known["part"]
        if further < 0 if part.bases == "before" else further > 0:
            ends[row["element"]] = row
    for row in ends.values():
        if row["strand"] == ".":
            continue
        is_low = (row["strand"] == "+") == (part.bases == "before")
        first = row["start"] - part.length if is_low else row["end"]
        for start, end in _inside(first, first + part.length, row["seqid"], genome):
            yield row | {"start": start, "end": end, "part": 0, "frame": -1}


def _inside(start: int, end: int, seqid: str, genome: Genome) -> Iterator[tuple[int, int]]:
    """Return bases inside of a contig; those beyond the origin of a circular one go around it."""
    bases = genome[seqid].length
    shifts = (0, bases, -bases) if genome[seqid].circular else (0,)
    for shift in shifts:
        low, high = max(0, start + shift), min(bases, end + shift)
        if low < high:
            yield low, high


def _stretches(
    parts: Mapping[str, Sequence[_Row]], one: HigherConcept, genome: Genome
) -> list[_Row]:
    """Return the stretches with enough parts; one around an origin is a row on each side of it."""
    every = [row | {"concept": name} for name, rows in parts.items() for row in rows]
    every.sort(key=lambda row: (row["seqid"], row["strand"], row["start"]))
    found: list[_Row] = []
    names: list[set[str]] = []
    for row in every:
        last = found[-1] if found else None
        if (
            last is not None
            and (last["seqid"], last["strand"]) == (row["seqid"], row["strand"])
            and row["start"] <= last["end"] + one.join
        ):
            last["end"] = max(last["end"], row["end"])
            names[-1].add(row["concept"])
        else:
            found.append(row | {"part": 0, "frame": -1})
            names.append({row["concept"]})
    ends: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(found):
        ends.setdefault((row["seqid"], row["strand"]), []).append(number)
    for (seqid, _), (first, *further) in ends.items():
        size, final = genome[seqid].length, (further or [first])[-1]
        gap = found[first]["start"] + size - found[final]["end"]
        if genome[seqid].circular and final != first and gap <= one.join:
            if gap:
                found[first]["start"], found[final]["end"] = 0, size
            names[first] = names[final] = names[first] | names[final]
    return [row for row, own in zip(found, names, strict=True) if len(own) >= one.least]


def _table(
    concept: str, contigs: list[str], rows: Sequence[_Row], stretches: Sequence[_Row]
) -> pd.DataFrame:
    """Return the rows inside of stretches, in the order of contigs and places."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for one in stretches:
        spans.setdefault((one["seqid"], one["strand"]), []).append((one["start"], one["end"]))
    kept = []
    for row in rows:
        own = spans.get((row["seqid"], row["strand"]), [])
        # stretches on a strand are disjoint and in order
        nearest = bisect_right(own, row["start"], key=lambda span: span[0]) - 1
        if nearest >= 0 and row["start"] < own[nearest][1]:
            kept.append(row | {"concept": concept})
    kept.sort(key=lambda row: (contigs.index(row["seqid"]), row["start"], row["end"]))
    if rows is stretches:
        kept = [row | {"element": number} for number, row in enumerate(kept)]
    table = pd.DataFrame(kept, columns=list(COLUMNS))
    numbers = ("start", "end", "element", "part", "frame")
    return table.astype(dict.fromkeys(numbers, "int64"))
