"""GenBank flat files, read by Biopython. Damage that it only warns about is refused."""

import re
import warnings
from io import StringIO
from pathlib import Path

from Bio import BiopythonParserWarning, SeqIO
from Bio.Seq import UndefinedSequenceError
from Bio.SeqRecord import SeqRecord

from genointerp.core.errors import InputError

_FATAL = re.compile(r"[Pp]remature end|sequence length|too short")
# lines of the feature table that hold a location: a key with its beginning, or more of it
_LOCATION = re.compile(r"(?m)^ {5}\S+ +\S.*$|^ {21}[0-9.,^()<>a-z]+$")
_DOWNWARD = re.compile(r"(?<![0-9.<>])([0-9]{1,15})\.\.([0-9]{1,15})(?![0-9.])")

# one base between two, alone: neither a position of a range, (102.110)..200, nor an accession
_SOME_BASE = re.compile(r"((?<![\w.<>(])|(?<=[a-z]\())([0-9]{1,15})\.([0-9]{1,15})(?![0-9.:])")


def parse_genbank(content: bytes, path: Path, *, error: type[InputError]) -> list[SeqRecord]:
    """Return the records of a GenBank file, each complete.

    Parameters
    ----------
    error
        Raised if the file is no valid GenBank file, ends early, or holds a record whose length is
        not that of its LOCUS line.
    """
    text = content.decode("utf-8", "replace")
    if text.rstrip().rsplit("\n", 1)[-1].strip() != "//":
        raise error(str(path), "a GenBank file that ends with '//'", "one that ends early")
    text = _LOCATION.sub(lambda line: _readable(line[0]), text)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", BiopythonParserWarning)
        try:
            records = list(SeqIO.parse(StringIO(text), "genbank"))  # type: ignore[no-untyped-call]
        # the parser throws whatever its own code runs into, AttributeError too
        except Exception as problem:
            raise error(str(path), "a sound GenBank file", _described(problem)) from problem
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
    """Return the bases of a record; None if the file does not hold them."""
    if record.seq is None:
        return None
    try:
        sequence = bytes(record.seq)
    except UndefinedSequenceError:
        return None
    return sequence or None


def _readable(line: str) -> str:
    """Rewrite locations that Biopython cannot read or misreads in a form that it reads well."""
    return _DOWNWARD.sub(_between, _SOME_BASE.sub(r"\2..\3", line))


def _between(match: re.Match[str]) -> str:
    """Write a location that ends on the base before its first (Ensembl) as INSDC does: ``165^166``.

    Biopython takes it for one over the origin: the whole of a circular record.
    """
    first, last = int(match[1]), int(match[2])
    return f"{last}^{first}" if first == last + 1 and last else match[0]


def _described(problem: Exception) -> str:
    text = _one_line(problem)
    # messages of the interpreter tell nothing without their type
    is_said = isinstance(problem, ValueError | AssertionError) and text
    return text if is_said else f"what the parser cannot read ({type(problem).__name__}: {text})"


def _one_line(problem: object) -> str:
    text = " ".join(str(problem).split())
    return text if len(text) <= 200 else f"{text[:197]}..."
