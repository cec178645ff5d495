"""The contigs of a genome as in stores: name, length and topology, without the sequence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import h5py
import numpy as np

from genointerp.core.errors import CoordinateError, SchemaError
from genointerp.core.text import clean_field
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.store.hdf5 import TEXT, checked_dataset

_TEXT = h5py.string_dtype()

_MOST_ROWS = 1 << 62


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
    """Return the length of each contig, in their order."""
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


def contig_at(offsets: Mapping[str, int], row: int) -> str:
    """Return the contig that has a global row.

    Parameters
    ----------
    offsets
        From `contig_offsets`.

    Examples
    --------
    >>> contig_at({"a": 0, "b": 5}, 5)
    'b'
    """
    return max((name for name in offsets if offsets[name] <= row), key=lambda it: offsets[it])


def check_inside(interval: GenomicInterval, contigs: Sequence[ContigInfo]) -> None:
    """Refuse an interval that is not inside one of these contigs.

    Raises
    ------
    CoordinateError
        If there is no such contig, or the interval ends beyond it; the message names both.
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
    """Read the contigs that ``write_contigs`` wrote.

    Raises
    ------
    SchemaError
        If a dataset is missing or of another type or shape, the name of a contig is empty or does
        not fit in a field of a table, a length is below 0, or two contigs have the same name.
    """
    where = f"{group.file.filename}: {group.name[1:]}"
    seqid = checked_dataset(group, "seqid", TEXT, (None,)).asstr()[:].tolist()
    length, circular = (
        checked_dataset(group, name, kind, (len(seqid),))[:].tolist()
        for name, kind in (("length", "i8"), ("circular", "u1"))
    )
    for name in seqid:
        if not name or clean_field(name) != name:
            expected = "names that are not empty, without control characters"
            raise SchemaError(f"{where}/seqid", expected, repr(name))
    if len(set(seqid)) != len(seqid):
        raise SchemaError(f"{where}/seqid", "a name of its own for each contig", "one twice")
    if min(length, default=0) < 0 or sum(length) >= _MOST_ROWS:
        expected = f"lengths >= 0 of less than {_MOST_ROWS:,} bases in all"
        raise SchemaError(f"{where}/length", expected, "other values")
    if not set(circular) <= {0, 1}:
        raise SchemaError(f"{where}/circular", "0 or 1", "other values")
    rows = zip(seqid, length, circular, strict=True)
    return tuple(ContigInfo(name, n, bool(ring)) for name, n, ring in rows)


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
    """Read the intervals that ``write_intervals`` wrote.

    Raises
    ------
    SchemaError
        If a dataset is missing or of another type or shape, or if an interval has no valid contig
        or strand, or ends beyond its contig.
    """
    n = group["contig"].shape[0]
    contig, start, end, strand = (
        checked_dataset(group, name, kind, (n,))[:]
        for name, kind in (("contig", "i4"), ("start", "i8"), ("end", "i8"), ("strand", "u1"))
    )
    where = f"{group.file.filename}: {group.name[1:]}"
    if ((contig < 0) | (contig >= len(contigs))).any():
        raise SchemaError(f"{where}/contig", f"indices below {len(contigs)}", str(contig.max()))
    if not set(strand.tolist()) <= {ord("+"), ord("-"), ord(".")}:
        raise SchemaError(f"{where}/strand", "+, - or .", "other values")
    lengths = np.array([one.length for one in contigs], dtype=np.int64)
    wrong = (start < 0) | (start > end) | (end > lengths[contig])
    if wrong.any():
        i = int(wrong.argmax())
        expected = f"0 <= start <= end <= {lengths[contig[i]]}"
        raise SchemaError(f"{where}: {i}", expected, f"start={start[i]}, end={end[i]}")
    columns = (contig.tolist(), start.tolist(), end.tolist(), strand.tolist())
    return tuple(
        GenomicInterval(contigs[c].seqid, s, e, chr(t))  # type: ignore[arg-type]
        for c, s, e, t in zip(*columns, strict=True)
    )
