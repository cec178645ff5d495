"""GenBank flat files, read by Biopython, with the damage that it only warns about refused."""

import re
import warnings
from io import StringIO
from pathlib import Path

from Bio import BiopythonParserWarning, SeqIO
from Bio.Seq import UndefinedSequenceError
from Bio.SeqRecord import SeqRecord

from genointerp.core.errors import InputError

_FATAL = re.compile(r"[Pp]remature end|sequence length|too short")


def parse_genbank(content: bytes, path: Path, *, error: type[InputError]) -> list[SeqRecord]:
    """Return the records of a GenBank file, each complete.

    Parameters
    ----------
    error
        Raised where the file is no sound GenBank, ends early, or a record has another length
        than its LOCUS line says.
    """
    text = content.decode("utf-8", "replace")
    if text.rstrip().rsplit("\n", 1)[-1].strip() != "//":
        raise error(str(path), "a GenBank file that ends with '//'", "one that ends early")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", BiopythonParserWarning)
        try:
            records = list(SeqIO.parse(StringIO(text), "genbank"))  # type: ignore[no-untyped-call]
        except (ValueError, AssertionError, IndexError, KeyError) as problem:
            raise error(str(path), "a sound GenBank file", _one_line(problem)) from problem
    for warning in caught:
        if _FATAL.search(str(warning.message)):
            raise error(str(path), "a sound GenBank file", _one_line(warning.message))
    if not records:
        raise error(str(path), "at least one GenBank record", "none")
    return records


def record_name(record: SeqRecord) -> str:
    """Return accession and version, or the LOCUS name of a record that has no accession."""
    known = record.id not in (None, "", ".", "<unknown id>")
    return str(record.id if known else record.name)


def record_sequence(record: SeqRecord) -> bytes | None:
    """Return the bases of a record; None where the file does not hold them."""
    if record.seq is None:
        return None
    try:
        sequence = bytes(record.seq)
    except UndefinedSequenceError:
        return None
    return sequence or None


def _one_line(problem: object) -> str:
    return " ".join(str(problem).split())
