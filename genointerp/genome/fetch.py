"""Records from NCBI, by E-utilities' ``efetch`` (NCBI Bookshelf NBK25499).

The server answers some errors with status 200 and a page of text, and may end a long answer in the
middle, so that a body is taken only where it is the whole record of the accession asked for.
"""

import http.client
import logging
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from Bio.SeqRecord import SeqRecord

from genointerp.core.errors import SequenceError
from genointerp.core.text import is_count, one_line
from genointerp.genome.file import excerpt, kind_of
from genointerp.genome.genbank import parse_genbank, record_name, record_sequence

logger = logging.getLogger(__name__)

EFETCH = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/efetch.fcgi"
_SCHEMES = ("http", "https")
_PIECE = 1 << 16
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class FetchConfig:
    """Settings of the requests to a server.

    Parameters
    ----------
    base_url
        Address of ``efetch``.
    n_tries
        How often a request is made before giving up, if the failure may be temporary.
    wait
        Seconds before the second request; the time doubles before each further one. A server that
        sends ``Retry-After`` is obeyed, up to ``longest_wait``.
    timeout
        A request has failed after so many seconds without an answer.
    longest_answer
        Seconds that one answer may take in all, even if it arrives steadily.
    most_bytes
        Size of the largest answer that is read, in bytes.
    """

    base_url: str = EFETCH
    n_tries: int = 5
    wait: float = 1.0
    longest_wait: float = 60.0
    timeout: float = 60.0
    longest_answer: float = 1800.0
    most_bytes: int = 1 << 30


class _PassingError(Exception):
    """A failure that may be temporary, so that another request may succeed."""

    def __init__(self, found: str, wait: float | None = None) -> None:
        super().__init__(found)
        self.wait = wait


@dataclass(frozen=True)
class FetchedRecord:
    """A whole GenBank record: the text as it came, and parsed."""

    content: bytes
    record: SeqRecord
    url: str


def fetch_genbank(
    accession: str,
    *,
    config: FetchConfig | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> FetchedRecord:
    """Download one nucleotide record with its sequence and all its features.

    Parameters
    ----------
    accession
        With its version, such as ``NC_000913.2``; without a version, the newest is taken.

    Raises
    ------
    SequenceError
        If the server does not give the whole record of this accession.
    """
    config = FetchConfig() if config is None else config
    url = _url(accession, config.base_url)
    wait = config.wait
    for n_left in range(config.n_tries - 1, -1, -1):
        try:
            content = _in_time(url, config)
            return FetchedRecord(content, _checked(content, accession, url), url)
        except _PassingError as problem:
            if n_left == 0:
                raise SequenceError(url, f"the record {accession}", str(problem)) from problem
            pause = min(wait if problem.wait is None else problem.wait, config.longest_wait)
            logger.info("%s: %s; asking again in %g s", accession, problem, pause)
            sleep(pause)
            wait *= 2
    raise AssertionError("n_tries is at least 1")


def _url(accession: str, base_url: str) -> str:
    if not accession.strip() or not all(c.isalnum() or c in "_.-" for c in accession):
        raise SequenceError("accession", "letters, digits, '_' and '.'", repr(accession))
    if urllib.parse.urlsplit(base_url).scheme not in _SCHEMES:
        raise SequenceError("base_url", "an http or https address", repr(base_url))
    query = {
        "db": "nuccore",
        "id": accession,
        "rettype": "gbwithparts",
        "retmode": "text",
        "tool": "genointerp",
    }
    return f"{base_url}?{urllib.parse.urlencode(query)}"


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follow redirections to other web servers only, never to files or other protocols."""

    def redirect_request(self, *arguments: Any) -> urllib.request.Request | None:  # noqa: ANN401
        request, answer, address = arguments[0], arguments[1], arguments[-1]
        if urllib.parse.urlsplit(address).scheme not in _SCHEMES:
            answer.close()
            found = f"one to {one_line(address)[:80]!r}"
            expected = "a redirection to an http or https address"
            raise SequenceError(request.full_url, expected, found)
        return super().redirect_request(*arguments)


def _in_time(url: str, config: FetchConfig) -> bytes:
    """Run `_request` with a limit on the whole answer, since a socket's limit is on each part."""
    outcome: list[bytes | BaseException] = []

    def ask() -> None:
        try:
            outcome.append(_request(url, config))
        except (_PassingError, SequenceError) as problem:
            outcome.append(problem)

    # a daemon: it does not keep a program from ending
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(config.longest_answer)
    if not outcome:
        expected = f"the whole record within {config.longest_answer:g} s"
        raise SequenceError(url, expected, "a slower answer")
    (found,) = outcome
    if isinstance(found, BaseException):
        raise found
    return found


def _request(url: str, config: FetchConfig) -> bytes:
    opener = urllib.request.build_opener(_WebOnly)
    try:
        with opener.open(url, timeout=config.timeout) as answer:
            return _body(answer, url, config)
    except urllib.error.HTTPError as problem:
        with problem:
            found = f"HTTP status {problem.code}: {excerpt(problem.read(4096))}"
            if problem.code not in _TRANSIENT:
                raise SequenceError(url, "a GenBank record", found) from problem
            raise _PassingError(found, _retry_after(problem)) from problem
    except http.client.IncompleteRead as problem:
        found = f"an answer cut short after {len(problem.partial)} bytes"
        raise _PassingError(found) from problem
    except (http.client.HTTPException, OSError) as problem:
        reason = one_line(getattr(problem, "reason", problem))
        raise _PassingError(f"no answer: {reason}") from problem


def _body(answer: http.client.HTTPResponse, url: str, config: FetchConfig) -> bytes:
    """Read an answer piece by piece, and stop if it is too large."""
    pieces, size = [], 0
    while piece := answer.read1(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > config.most_bytes:
            raise SequenceError(url, f"a record of at most {config.most_bytes:,} bytes", "more")
    if answer.length:
        raise _PassingError(f"an answer cut short after {size} bytes")
    return b"".join(pieces)


def _retry_after(problem: urllib.error.HTTPError) -> float | None:
    """Return the seconds that a server asks to wait; None if it names none, or a date."""
    text = (problem.headers.get("Retry-After") or "").strip()
    return float(text) if is_count(text) else None


def _checked(content: bytes, accession: str, url: str) -> SeqRecord:
    if kind_of(content) != "genbank":
        # a page of text with status 200: the server is often merely busy
        raise _PassingError(f"no GenBank record but {excerpt(content)}")
    if not content.rstrip().endswith(b"\n//"):
        raise _PassingError(f"a record cut short after {len(content)} bytes")
    records = parse_genbank(content, Path(url), error=SequenceError)
    names = [record_name(record) for record in records]
    wanted = accession.upper()
    if len(names) != 1 or wanted not in (names[0].upper(), names[0].upper().split(".")[0]):
        raise SequenceError(url, f"the record {accession} alone", ", ".join(names))
    if record_sequence(records[0]) is None:
        raise SequenceError(url, f"the sequence of {accession}", "a record without one")
    return records[0]
