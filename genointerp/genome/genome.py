"""Contigs and genomes in memory; what their letters are is in :mod:`genointerp.genome.letters`."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import UInt8

from genointerp.core.errors import CoordinateError, SequenceError
from genointerp.core.nearest import suggested
from genointerp.core.notebook import facts_table
from genointerp.core.text import clean_field
from genointerp.genome.interval import GenomicInterval, parse_region, split_at_origin
from genointerp.genome.letters import reverse_complement


@dataclass(frozen=True, eq=False, repr=False)
class Contig:
    """One sequence of a genome.

    Parameters
    ----------
    name
        The seqid: the first word of a FASTA header, accession and version of a GenBank record.
    sequence
        Upper-case ASCII letters.
    circular
        Whether the last base is followed by the first.
    """

    name: str
    sequence: UInt8[np.ndarray, " bp"]
    circular: bool = False

    @property
    def length(self) -> int:
        """Number of bases."""
        return len(self.sequence)

    @property
    def extent(self) -> str:
        """Length and topology, in words."""
        return f"{self.length:,} bp, {'circular' if self.circular else 'linear'}"

    def __repr__(self) -> str:
        return f"Contig({self.name}: {self.extent})"


class Genome(Mapping[str, Contig]):
    """The contigs of one organism, in the order of their file.

    Raises
    ------
    SequenceError
        If two contigs share a name, or there are none.
    """

    def __init__(self, contigs: Iterable[Contig], *, where: str = "genome") -> None:
        self._contigs: dict[str, Contig] = {}
        for contig in contigs:
            if contig.name in self._contigs:
                raise SequenceError(where, "unique sequence names", f"{contig.name!r} twice")
            if clean_field(contig.name) != contig.name:
                expected = "sequence names without control characters"
                raise SequenceError(where, expected, repr(contig.name))
            self._contigs[contig.name] = contig
        if not self._contigs:
            raise SequenceError(where, "at least one sequence", "none")

    def __repr__(self) -> str:
        shown = [f"{name}, {contig.length:,} bp" for name, contig in [*self.items()][:3]]
        others = f"; {len(self) - 3} more" if len(self) > 3 else ""
        n_contigs = f"{len(self)} contig{'s' * (len(self) > 1)}"
        return f"Genome({n_contigs}, {len(self.circular)} circular: {'; '.join(shown)}{others})"

    def _repr_html_(self) -> str:
        shown = {name: contig.extent for name, contig in [*self.items()][:5]}
        others = {"...": f"{len(self) - 5} more contigs"} if len(self) > 5 else {}
        return facts_table("Genome", shown | others)

    def __getitem__(self, name: str) -> Contig:
        return self._contigs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._contigs)

    def __len__(self) -> int:
        return len(self._contigs)

    @property
    def lengths(self) -> dict[str, int]:
        """Length of each contig in bp."""
        return {name: contig.length for name, contig in self.items()}

    @property
    def circular(self) -> frozenset[str]:
        """Contigs whose last base is followed by the first."""
        return frozenset(name for name, contig in self.items() if contig.circular)

    def regions(self, texts: Iterable[str]) -> list[GenomicInterval]:
        """Return regions as intervals inside contigs; one over an origin becomes its two parts.

        Raises
        ------
        CoordinateError
            If one of them is no region of this genome.
        """
        found = (parse_region(text, self.lengths, circular=self.circular) for text in texts)
        return [part for one in found for part in split_at_origin(one, self[one.seqid].length)]

    @cached_property
    def sha256(self) -> str:
        """sha256 over names, topologies and bases: the same for FASTA and GenBank of one genome."""
        digest = hashlib.sha256()
        for contig in self.values():
            digest.update(f">{contig.name}|{contig.length}|{contig.circular:d}\n".encode())
            digest.update(contig.sequence.tobytes())
        return digest.hexdigest()

    def fetch(self, interval: GenomicInterval) -> UInt8[np.ndarray, " bp"]:
        """Return the bases of an interval, reverse-complemented where its strand is ``-``.

        On a circular contig the end may lie beyond the length: the bases go on at the origin.

        Raises
        ------
        CoordinateError
            If the interval is not inside a contig of this genome.
        """
        if interval.seqid not in self:
            raise CoordinateError(
                interval.seqid, f"one of {', '.join(self)}", suggested(interval.seqid, self)
            )
        contig = self[interval.seqid]
        turns = contig.circular and interval.length <= contig.length
        parts = split_at_origin(interval, contig.length) if turns else (interval,)
        if parts[0].end > contig.length:
            expected = f"end <= {contig.length}"
            raise CoordinateError(interval.seqid, expected, f"end={interval.end}")
        pieces = [contig.sequence[part.start : part.end] for part in parts]
        bases = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return reverse_complement(bases) if interval.strand == "-" else bases
