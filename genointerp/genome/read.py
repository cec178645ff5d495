"""Read genomes from FASTA and GenBank files; write them as FASTA.

Whether a contig is circular is what the file says: the LOCUS line of a GenBank record, or a word
of the FASTA header, ``[topology=circular]`` or ``circular=true``, as assemblers and annotators
write it. `write_fasta` writes that word, so that circularity survives.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pysam
from Bio.SeqRecord import SeqRecord

from genointerp.core.arguments import StrPath
from genointerp.core.errors import SequenceError
from genointerp.core.files import atomic_path
from genointerp.genome.file import excerpt, kind_of, read_bytes
from genointerp.genome.genbank import parse_genbank, record_name, record_sequence
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.letters import normalise_sequence

_CIRCULAR = re.compile(r"(?:^|[\s\[;])(?:topology=circular|circular=(?:true|yes|1))(?=[\s\];]|$)")
_LINE = 80


def read_genome(path: StrPath, *, circular: bool | None = None) -> Genome:
    """Read a genome from FASTA or GenBank, plain or compressed; its name does not matter.

    Parameters
    ----------
    circular
        Topology of every contig; if None, it is what the file says.

    Raises
    ------
    SequenceError
        If the file is empty, cut short or of another kind, or a record has no name or no bases.
    """
    path = Path(path)
    content = read_bytes(path, error=SequenceError)
    kind = kind_of(content)
    if kind == "fasta":
        contigs = _fasta_contigs(content, path)
    elif kind == "genbank":
        contigs = _genbank_contigs(content, path)
    else:
        raise SequenceError(str(path), "FASTA ('>name') or GenBank ('LOCUS')", excerpt(content))
    if circular is not None:
        contigs = (replace(contig, circular=circular) for contig in contigs)
    return Genome(contigs, where=str(path))


def record_contig(record: SeqRecord, *, where: str) -> Contig:
    """Return the contig of a GenBank record that Biopython has read.

    Raises
    ------
    SequenceError
        If the record comes without its bases, or with letters that are none.
    """
    place = f"{where}: {record_name(record)}"
    bases = record_sequence(record)
    if bases is None:
        raise SequenceError(place, "a record with its sequence (ORIGIN)", "none")
    circular = record.annotations.get("topology") == "circular"
    return Contig(record_name(record), normalise_sequence(bases, where=place), circular)


def write_fasta(genome: Genome, path: Path) -> None:
    """Write a genome as FASTA; where the name ends in ``.gz``, as bgzip with its two indexes.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    path = Path(path)
    text = b"".join(_fasta_record(contig) for contig in genome.values())
    with atomic_path(path) as temporary:
        if path.suffix != ".gz":
            temporary.write_bytes(text)
            return
        with pysam.BGZFile(str(temporary), "wb", index=None) as handle:
            handle.write(text)
        indexes = [path.with_name(path.name + suffix) for suffix in (".fai", ".gzi")]
        with atomic_path(indexes[0]) as fai, atomic_path(indexes[1]) as gzi:
            pysam.faidx(
                str(temporary), "--fai-idx", str(fai), "--gzi-idx", str(gzi), catch_stdout=False
            )


def _fasta_contigs(content: bytes, path: Path) -> Iterator[Contig]:
    before, *blocks = re.split(rb"(?m)^>", content)
    line = 1 + before.count(b"\n")
    for block in blocks:
        header, _, body = block.partition(b"\n")
        yield _fasta_contig(header, body, f"{path}: line {line}")
        line += block.count(b"\n")


def _fasta_contig(header: bytes, body: bytes, where: str) -> Contig:
    text = header.decode("utf-8", "replace").strip()
    name = text.split(maxsplit=1)[0] if text and not header[:1].isspace() else ""
    if not name:
        raise SequenceError(where, "a name after '>'", repr(text))
    bases = body.translate(None, delete=b" \t\r\n")
    if not bases:
        raise SequenceError(where, f"bases after the header of {name!r}", "none")
    circular = _CIRCULAR.search(text[len(name) :].lower()) is not None
    return Contig(name, normalise_sequence(bases, where=f"{where}: {name}"), circular)


def _genbank_contigs(content: bytes, path: Path) -> Iterator[Contig]:
    for record in parse_genbank(content, path, error=SequenceError):
        yield record_contig(record, where=str(path))


def _fasta_record(contig: Contig) -> bytes:
    bases = contig.sequence.tobytes()
    word = " [topology=circular]" if contig.circular else ""
    lines = [bases[start : start + _LINE] for start in range(0, len(bases), _LINE)]
    return b"\n".join([f">{contig.name}{word}".encode(), *lines, b""])
