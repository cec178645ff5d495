"""Text files of biology as they come: plain, gzip or bgzip, told apart by content, not suffix."""

import gzip
import zlib
from pathlib import Path
from typing import Literal

from genointerp.core import files
from genointerp.core.errors import InputError
from genointerp.core.text import clean_field

Kind = Literal["fasta", "genbank", "gff3"]

_GZIP = b"\x1f\x8b"
# SAM/BAM specification 4.1.2: a bgzip file ends with this empty block
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def read_bytes(path: Path, *, error: type[InputError]) -> bytes:
    """Return the whole content of a file, decompressed where it is gzip or bgzip.

    Parameters
    ----------
    error
        Raised where the file is absent, empty, truncated or damaged.
    """
    path = Path(path)
    content = files.read_bytes(path, error=error)
    if content.startswith(_GZIP):
        content = _decompress(content, path, error)
    if not content.strip():
        raise error(str(path), "a file with content", "an empty file")
    return content


def kind_of(content: bytes) -> Kind | None:
    """Return the format that a content begins like; None where it is none that we read.

    Examples
    --------
    >>> kind_of(b">chrI")
    'fasta'
    """
    head = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    line = head.split(b"\n", 1)[0].rstrip(b"\r")
    if head.startswith(b">"):
        return "fasta"
    if head.startswith(b"LOCUS "):
        return "genbank"
    if head.startswith(b"##gff-version") or line.count(b"\t") == 8 or _has_gff_row(head):
        return "gff3"
    return None


def excerpt(content: bytes) -> str:
    """Return the beginning of the first line, quoted, for messages."""
    line = clean_field(content.lstrip()[:200].split(b"\n", 1)[0].decode("utf-8", "replace"))
    return repr(line if len(line) <= 60 else f"{line[:57]}...")


def _has_gff_row(head: bytes) -> bool:
    rows = [line for line in head.split(b"\n") if line and not line.startswith(b"#")]
    return head.startswith(b"#") and bool(rows) and rows[0].count(b"\t") == 8


def _decompress(content: bytes, path: Path, error: type[InputError]) -> bytes:
    is_bgzip = content[3:4] == b"\x04" and content[12:14] == b"BC"
    if is_bgzip and not content.endswith(_BGZF_END):
        raise error(str(path), "a complete bgzip file", "one cut short: no end-of-file block")
    try:
        return gzip.decompress(content)
    except EOFError as problem:
        raise error(str(path), "a complete gzip file", "one cut short") from problem
    except (gzip.BadGzipFile, zlib.error) as problem:
        raise error(str(path), "a sound gzip file", str(problem)) from problem
