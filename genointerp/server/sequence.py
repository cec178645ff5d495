"""The bases of a run as an indexed FASTA file, of which the browser asks for pieces."""

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from genointerp.core.errors import InputError
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.page.browser import covered_on, masked_bases
from genointerp.page.measure import Ground

MAX_BYTES = 1 << 20
"""Longest piece that is answered."""


class _Record(NamedTuple):
    """One contig in the file, which begins at a byte with a line of its name."""

    start: int
    head: bytes
    specimen: Specimen
    seqid: str
    length: int
    read: list[GenomicInterval]

    @property
    def first_base(self) -> int:
        """Byte of the first base."""
        return self.start + len(self.head)

    @property
    def stop(self) -> int:
        """Byte behind the record; its bases are one line."""
        return self.first_base + self.length + 1


class ServedSequence:
    """A FASTA file of all contigs that is never written: bases that were not read are N."""

    def __init__(self, ground: Ground) -> None:
        self._records: list[_Record] = []
        start = 0
        for specimen in ground.specimens:
            for seqid, read in covered_on(specimen.features).items():
                head = f">{ground.places.names[specimen.name, seqid]}\n".encode()
                length = specimen.features.lengths[seqid]
                self._records.append(_Record(start, head, specimen, seqid, length, read))
                start = self._records[-1].stop
        self.size = start

    @property
    def index(self) -> str:
        """The index of the file, as samtools makes it."""
        rows = [
            (one.head[1:-1].decode(), one.length, one.first_base, one.length, one.length + 1)
            for one in self._records
            if one.length
        ]
        return "".join("\t".join(map(str, row)) + "\n" for row in rows)

    def piece(self, start: int, stop: int) -> bytes:
        """Return the bytes ``[start, stop)``, as far as the file goes.

        Raises
        ------
        InputError
            If there are none, or more than `MAX_BYTES`.
        """
        stop = min(stop, self.size)
        if not 0 <= start < stop or stop - start > MAX_BYTES:
            expected = f"1 to {MAX_BYTES} bytes of {self.size}"
            raise InputError("range", expected, f"{start} to {stop}")
        return b"".join(self._pieces(start, stop))

    def _pieces(self, start: int, stop: int) -> Iterator[bytes]:
        begins = [one.start for one in self._records]
        for one in self._records[bisect_right(begins, start) - 1 :]:
            if one.start >= stop:
                return
            yield one.head[max(start - one.start, 0) : max(stop - one.start, 0)]
            first = min(max(start - one.first_base, 0), one.length)
            last = min(max(stop - one.first_base, 0), one.length)
            if first < last:
                place = GenomicInterval(one.seqid, first, last)
                yield masked_bases(one.specimen, place, one.read).tobytes()
            if start < one.stop <= stop:
                yield b"\n"
