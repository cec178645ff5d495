"""Text files of biology: plain, gzip or bgzip, recognised by their content, not by their suffix."""

import codecs
import gzip
import hashlib
import zlib
from pathlib import Path
from typing import Literal, NamedTuple

from genointerp.core import files
from genointerp.core.errors import InputError
from genointerp.core.text import clean_field

Kind = Literal["fasta", "genbank", "gff3"]

_GZIP = b"\x1f\x8b"
_BGZF = b"\x1f\x8b\x08\x04"
# the mark of little-endian UTF-32 begins like that of UTF-16
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
# SAM/BAM specification 4.1.2: a bgzip file ends with this empty block
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


class Content(NamedTuple):
    """The content of a file that was read once, so that the file may be a pipe.

    Parameters
    ----------
    text
        Decompressed, without a byte order mark.
    sha256
        sha256 of the bytes in the file, before decompression.
    """

    text: bytes
    sha256: str


def read_content(path: Path, *, error: type[InputError]) -> Content:
    """Read a file of text once, decompressed where it is gzip or bgzip.

    Parameters
    ----------
    error
        Raised where the file is absent, empty, truncated, damaged or UTF-16.
    """
    path = Path(path)
    raw = files.read_bytes(path, error=error)
    text = _decompress(raw, path, error) if raw.startswith(_GZIP) else raw
    text = text.removeprefix(codecs.BOM_UTF8)
    if text.startswith(_WIDE_MARKS):
        raise error(str(path), "text in UTF-8 or ASCII", "a byte order mark of UTF-16 or UTF-32")
    if not text.strip():
        raise error(str(path), "a file with content", "an empty file")
    return Content(text, hashlib.sha256(raw).hexdigest())


def read_bytes(path: Path, *, error: type[InputError]) -> bytes:
    """Return the text of `read_content`."""
    return read_content(path, error=error).text


def kind_of(content: bytes) -> Kind | None:
    """Return the format that the first bytes are of; None if it is not one that we read.

    Examples
    --------
    >>> kind_of(b">chrI")
    'fasta'
    """
    head = content[:4096].lstrip()
    line = head.split(b"\n", 1)[0].rstrip(b"\r")
    if head.startswith(b">"):
        return "fasta"
    if head.startswith(b"LOCUS "):
        return "genbank"
    if head.startswith(b"##gff-version") or line.count(b"\t") == 8 or _has_gff_row(head):
        return "gff3"
    return None


def excerpt(content: bytes) -> str:
    """Return the beginning of the first line, quoted, for an error message."""
    line = clean_field(content.lstrip()[:200].split(b"\n", 1)[0].decode("utf-8", "replace"))
    return repr(line if len(line) <= 60 else f"{line[:57]}...")


def _has_gff_row(head: bytes) -> bool:
    rows = [line for line in head.split(b"\n") if line and not line.startswith(b"#")]
    return head.startswith(b"#") and bool(rows) and rows[0].count(b"\t") == 8


def _decompress(content: bytes, path: Path, error: type[InputError]) -> bytes:
    if _ends_in_bgzip_block(content) and not content.endswith(_BGZF_END):
        raise error(str(path), "a complete bgzip file", "one cut short: no end-of-file block")
    try:
        return gzip.decompress(content)
    except EOFError as problem:
        raise error(str(path), "a complete gzip file", "one cut short") from problem
    except (gzip.BadGzipFile, zlib.error) as problem:
        raise error(str(path), "a sound gzip file", str(problem)) from problem


def _ends_in_bgzip_block(content: bytes) -> bool:
    """Return whether the last gzip member is a bgzip block; the members before it may be either."""
    start = content.rfind(_BGZF)
    block = content[start : start + 18]
    if start < 0 or block[12:14] != b"BC":
        return False
    # the field of extra data holds the size of the block less one
    return start + int.from_bytes(block[16:18], "little") + 1 == len(content)
