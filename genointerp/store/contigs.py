"""The contigs of a genome as stores name them: no sequence, only name, length and topology."""

from collections.abc import Sequence
from dataclasses import dataclass

import h5py
import numpy as np

from genointerp.core.errors import CoordinateError, SchemaError
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval

_TEXT = h5py.string_dtype()


@dataclass(frozen=True)
class ContigInfo:
    """Name, length in bp and topology of one contig."""

    seqid: str
    length: int
    circular: bool

    @classmethod
    def of(cls, genome: Genome) -> "tuple[ContigInfo, ...]":
        """Return the contigs of a genome, in its order."""
        return tuple(cls(name, contig.length, contig.circular) for name, contig in genome.items())


def contig_lengths(contigs: Sequence[ContigInfo]) -> dict[str, int]:
    """Return the length of each contig, in the order given."""
    return {contig.seqid: contig.length for contig in contigs}


def contig_offsets(contigs: Sequence[ContigInfo]) -> dict[str, int]:
    """Return the global row of the first base of each contig.

    Examples
    --------
    >>> contig_offsets([ContigInfo("a", 5, True), ContigInfo("b", 3, False)])
    {'a': 0, 'b': 5}
    """
    offsets, total = {}, 0
    for contig in contigs:
        offsets[contig.seqid] = total
        total += contig.length
    return offsets


def check_inside(interval: GenomicInterval, contigs: Sequence[ContigInfo]) -> None:
    """Refuse an interval that leaves these contigs.

    Raises
    ------
    CoordinateError
        Naming the contig and its end.
    """
    lengths = contig_lengths(contigs)
    if interval.seqid not in lengths:
        shown = ", ".join(list(lengths)[:5]) + (" ..." if len(lengths) > 5 else "")
        raise CoordinateError(interval.seqid, f"one of the contigs {shown}", interval.seqid)
    if interval.end > lengths[interval.seqid]:
        expected = f"end <= {lengths[interval.seqid]}"
        raise CoordinateError(interval.seqid, expected, f"end={interval.end}")


def write_contigs(group: h5py.Group, contigs: Sequence[ContigInfo]) -> None:
    """Write ``seqid``, ``length`` and ``circular`` into a group."""
    group.create_dataset("seqid", data=[contig.seqid for contig in contigs], dtype=_TEXT)
    group["length"] = np.array([contig.length for contig in contigs], dtype=np.int64)
    group["circular"] = np.array([contig.circular for contig in contigs], dtype=np.uint8)


def read_contigs(group: h5py.Group) -> tuple[ContigInfo, ...]:
    """Read what ``write_contigs`` wrote."""
    columns = (group["seqid"].asstr()[:], group["length"][:], group["circular"][:])
    rows = zip(*columns, strict=True)
    return tuple(ContigInfo(str(name), int(length), bool(ring)) for name, length, ring in rows)


def write_intervals(
    group: h5py.Group, intervals: Sequence[GenomicInterval], contigs: Sequence[ContigInfo]
) -> None:
    """Write ``contig`` (index), ``start``, ``end`` and ``strand`` of intervals into a group."""
    index = {contig.seqid: number for number, contig in enumerate(contigs)}
    columns = np.array(
        [(index[it.seqid], it.start, it.end, ord(it.strand)) for it in intervals], dtype=np.int64
    ).reshape(len(intervals), 4)
    for number, name in enumerate(("contig", "start", "end")):
        group[name] = columns[:, number].astype(np.int32 if name == "contig" else np.int64)
    group["strand"] = columns[:, 3].astype(np.uint8)


def read_intervals(group: h5py.Group, contigs: Sequence[ContigInfo]) -> tuple[GenomicInterval, ...]:
    """Read what ``write_intervals`` wrote.

    Raises
    ------
    SchemaError
        If an interval names no contig or has no strand.
    """
    contig, start, end, strand = (
        group[name][:].tolist() for name in ("contig", "start", "end", "strand")
    )
    if any(not 0 <= number < len(contigs) for number in contig):
        where = f"{group.file.filename}: {group.name}/contig"
        raise SchemaError(where, f"indices below {len(contigs)}", str(max(contig)))
    if not set(strand) <= {ord("+"), ord("-"), ord(".")}:
        raise SchemaError(f"{group.file.filename}: {group.name}/strand", "+, - or .", str(strand))
    return tuple(
        GenomicInterval(contigs[c].seqid, s, e, chr(t))  # type: ignore[arg-type]
        for c, s, e, t in zip(contig, start, end, strand, strict=True)
    )
