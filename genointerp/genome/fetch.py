"""Records from NCBI, by E-utilities' ``efetch`` (NCBI Bookshelf NBK25499).

The server answers some errors with status 200 and a page of text, and may end a long answer in the
middle, so that a body is taken only where it is the whole record of the accession asked for.
"""

import http.client
import logging
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from Bio.SeqRecord import SeqRecord

from genointerp.core.errors import SequenceError
from genointerp.genome.file import excerpt, kind_of
from genointerp.genome.genbank import parse_genbank, record_name, record_sequence

logger = logging.getLogger(__name__)

EFETCH = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/efetch.fcgi"
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class FetchConfig:
    """How a server is asked.

    Parameters
    ----------
    base_url
        Address of ``efetch``.
    n_tries
        Requests before giving up, where the failure may pass.
    wait
        Seconds before the second request, doubled before each further one; a server that says
        ``Retry-After`` is obeyed, up to ``longest_wait``.
    timeout
        Seconds without an answer after which a request has failed.
    """

    base_url: str = EFETCH
    n_tries: int = 5
    wait: float = 1.0
    longest_wait: float = 60.0
    timeout: float = 60.0


class _PassingError(Exception):
    """A failure that another request may not meet."""

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
        With its version, such as ``NC_000913.2``, or without, for the newest.

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
            content = _request(url, config.timeout)
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
    if urllib.parse.urlsplit(base_url).scheme not in ("http", "https"):
        raise SequenceError("base_url", "an http or https address", repr(base_url))
    query = {
        "db": "nuccore",
        "id": accession,
        "rettype": "gbwithparts",
        "retmode": "text",
        "tool": "genointerp",
    }
    return f"{base_url}?{urllib.parse.urlencode(query)}"


def _request(url: str, timeout: float) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            body: bytes = answer.read()
            return body
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
        raise _PassingError(f"no answer: {getattr(problem, 'reason', problem)}") from problem


def _retry_after(problem: urllib.error.HTTPError) -> float | None:
    text = (problem.headers.get("Retry-After") or "").strip()
    return float(text) if text.isdigit() else None


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
