"""Which rows of a GFF3 file are one element: those of one ID, and the coding rows of one parent."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress, pairwise

from genointerp.annotation.annotation_set import Attributes
from genointerp.annotation.gff3.row import Row
from genointerp.annotation.terms import term
from genointerp.core.errors import AnnotationError

_CODING = ("CDS", "pseudogenic_CDS")
_MANY_GENES = frozenset(
    {
        "operon", "polycistronic_transcript", "polycistronic_mRNA", "dicistronic_transcript",
        "polycistronic_primary_transcript", "gene_group", "gene_cassette", "region",
    }
)  # fmt: skip
# rows that disagree on one of these are of different proteins
_PROTEIN = ("protein_id", "locus_tag", "gene")


@dataclass(frozen=True)
class Group:
    """The rows of one element, in the order of the file.

    Parameters
    ----------
    id
        Unique in the file.
    refusal
        As `genointerp.annotation.annotation_set.Element` has it.
    """

    id: str
    rows: tuple[Row, ...]
    refusal: AnnotationError | None = None

    @cached_property
    def attributes(self) -> Attributes:
        """The attributes of the first row that has any, without ``part``."""
        if len(self.rows) == 1:
            return self.rows[0].attributes
        merged: dict[str, tuple[str, ...]] = {}
        for row in self.rows:
            for name, values in row.attributes.items():
                if name != "part":
                    merged.setdefault(name, values)
        return merged

    @cached_property
    def term(self) -> str:
        """The term of the element, in the vocabulary of `genointerp.annotation.terms`."""
        return term(self.rows[0].type, self.attributes)


def grouped(rows: Iterable[Row], *, ends_in_stop: Callable[[Row], bool]) -> list[Group]:
    """Return the elements that rows describe, in the order of their first rows.

    Parameters
    ----------
    ends_in_stop
        Whether a row ends in a stop codon of its frame.

    Notes
    -----
    Rows of one ``ID`` are one element. Where their types or contigs differ they are elements of
    their own, which no concept may choose.

    Coding rows that stand alone, without an ID or each with its own, are joined with those of the
    same ``Parent``, contig and type: the exons of one transcript. A row of several parents is part
    of the coding sequence of each. Rows are of *several* coding sequences, and not joined, where

    - they differ in ``protein_id``, ``locus_tag`` or ``gene``;
    - two of them share a base, unless ribosomal slippage is stated;
    - each of them, but for the one read last, ends in a stop codon;
    - the parent is an operon or a polycistronic transcript; or
    - they have IDs that count: the parent also has a coding sequence of several rows of one ID,
      or the rows have ``gbkey``, which NCBI writes, whose rows of one element share its ID.
    """
    by_id: dict[str, list[Row]] = {}
    for row in rows:
        # an empty ID is none: rows that have it are not parts of one element
        by_id.setdefault(row.id or f"line-{row.number}", []).append(row)
    groups = [group for name, members in by_id.items() for group in _of_one_id(name, members)]
    return _named(sorted(_joined(groups, ends_in_stop), key=_line), taken=by_id.keys())


def _line(group: Group) -> int:
    return group.rows[0].number


def _of_one_id(name: str, members: list[Row]) -> list[Group]:
    by_kind: dict[tuple[str, str], list[Row]] = {}
    for row in members:
        by_kind.setdefault((row.type, row.seqid), []).append(row)
    if len(by_kind) == 1:
        return [Group(name, tuple(members))]
    (head, *_), (other, *_), *_ = by_kind.values()
    expected = f"rows of ID {name!r} to be {head.type} on {head.seqid}"
    refusal = AnnotationError(other.where, expected, f"{other.type} on {other.seqid}")
    return [Group(name, tuple(rows), refusal) for rows in by_kind.values()]


def _joined(groups: list[Group], ends_in_stop: Callable[[Row], bool]) -> Iterator[Group]:
    """Yield the groups, with single coding rows joined where they are exons of one parent."""
    sets: dict[int, list[tuple[Row, ...]]] = {}
    for members in _members(groups):
        for rows in _by_protein(members):
            if len(rows) == 1 or not _are_several(rows, ends_in_stop):
                for row in rows:
                    sets.setdefault(row.number, []).append(rows)
    done: set[tuple[int, ...]] = set()
    for group in groups:
        found = sets.get(_line(group), [])
        if not any(len(rows) > 1 for rows in found):
            yield group
            continue
        for rows in found:
            numbers = tuple(row.number for row in rows)
            if numbers not in done:
                done.add(numbers)
                yield Group(rows[0].id or f"line-{rows[0].number}", rows)


def _members(groups: list[Group]) -> Iterator[list[Row]]:
    """Yield, for each parent, the coding rows that may be joined."""
    by_parent: dict[tuple[str, str, str], list[Row]] = {}
    whole: set[str] = set()
    for group in groups:
        head = group.rows[0]
        if group.term not in _CODING or group.refusal is not None:
            continue
        parents = dict.fromkeys(group.attributes.get("Parent", ()))
        if len(group.rows) > 1:
            whole.update(parents)
        elif not (head.id and "gbkey" in head.attributes):
            for parent in parents:
                by_parent.setdefault((parent, head.seqid, head.type), []).append(head)
    terms = {group.id: group.term for group in groups}
    for (parent, _, _), rows in by_parent.items():
        if terms.get(parent) not in _MANY_GENES:
            yield [row for row in rows if not (row.id and parent in whole)]


def _by_protein(rows: list[Row]) -> list[tuple[Row, ...]]:
    """Divide rows by attributes in which they differ; a missing attribute is no difference."""
    said = [tuple(row.attributes.get(name, ()) for name in _PROTEIN) for row in rows]
    differ = [len({one[i] for one in said if one[i]}) > 1 for i in range(len(_PROTEIN))]
    found: dict[tuple[tuple[str, ...], ...], list[Row]] = {}
    for row, one in zip(rows, said, strict=True):
        found.setdefault(tuple(compress(one, differ)), []).append(row)
    return [tuple(members) for members in found.values()]


def _are_several(rows: Sequence[Row], ends_in_stop: Callable[[Row], bool]) -> bool:
    upward = sorted(rows, key=lambda row: row.first)
    strands = {row.strand for row in rows}
    last = None if len(strands) > 1 else upward[0 if "-" in strands else -1]
    if all(row is last or ends_in_stop(row) for row in rows):
        return True
    if any("ribosomal slippage" in row.attributes.get("exception", ()) for row in rows):
        return False
    return any(after.first <= before.last for before, after in pairwise(upward))


def _named(groups: Iterable[Group], *, taken: Collection[str]) -> list[Group]:
    """Give each group an ID of its own: the second of one ID becomes ``ID-2``."""
    given: set[str] = set()
    named = []
    for group in groups:
        name, number = group.id, 1
        while name in given or (number > 1 and name in taken):
            number += 1
            name = f"{group.id}-{number}"
        given.add(name)
        named.append(replace(group, id=name))
    return named
