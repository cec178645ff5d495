import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from genointerp.annotation.read import read_annotation
from genointerp.command.start.fetch import fetch as fetch_genome
from genointerp.core.errors import AnnotationError, SequenceError, StorageError
from genointerp.genome import fetch
from genointerp.genome.fetch import FetchConfig, fetch_genbank
from genointerp.genome.read import read_genome

PHIX = (Path(__file__).parents[1] / "data" / "phix174.gbk").read_bytes()
LIMIT = b'{"error":"API rate limit exceeded","api-key":"127.0.0.1","count":"4","limit":"3"}\n'
BUSY = b"Error: CEFetchPApplication::proxy_stream(): Resource temporarily unavailable\n"
UNKNOWN = b"Error: F a i l e d  t o  u n d e r s t a n d  i d :  N C _ 9 9\n"
NOWHERE = FetchConfig(base_url="http://127.0.0.1:9/efetch", n_tries=1)


class Answer:
    def __init__(self, body, status=200, *, length=None, headers=None):
        self.body, self.status, self.headers = body, status, headers or {}
        self.length = len(body) if length is None else length


@contextmanager
def server(*answers):
    """Answer one request after another as efetch does, the last answer for ever."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer = answers[min(len(asked), len(answers) - 1)]
            asked.append(parse_qs(urlsplit(self.path).query))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.length >= 0:
                self.send_header("Content-Length", str(answer.length))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            url = f"http://127.0.0.1:{http.server_port}/entrez/eutils/efetch.fcgi"
            yield FetchConfig(base_url=url, n_tries=3), asked
        finally:
            http.shutdown()
            thread.join()


def test_a_record_is_asked_for_with_its_parts():
    with server(Answer(PHIX)) as (config, asked):
        fetched = fetch_genbank("NC_001422", config=config)
    assert fetched.content == PHIX
    (query,) = asked
    assert query == {
        "db": ["nuccore"],
        "id": ["NC_001422"],
        "rettype": ["gbwithparts"],
        "retmode": ["text"],
        "tool": ["genointerp"],
    }


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Answer(LIMIT, 429), id="too-many-requests"),
        pytest.param(Answer(b"Bad Gateway", 502), id="bad-gateway"),
        pytest.param(Answer(BUSY), id="error-page-with-status-200"),
        pytest.param(Answer(b""), id="empty-body"),
        pytest.param(Answer(PHIX[:9000]), id="record-cut-short"),
        pytest.param(Answer(PHIX[:9000], length=-1), id="cut-short-without-length"),
        pytest.param(Answer(PHIX[:9000], length=len(PHIX)), id="connection-lost"),
    ],
)
def test_a_passing_failure_is_asked_again_with_longer_pauses(trouble):
    pauses = []
    with server(trouble, trouble, Answer(PHIX)) as (config, asked):
        assert fetch_genbank("NC_001422.1", config=config, sleep=pauses.append).content == PHIX
    assert len(asked) == 3
    assert pauses == [1.0, 2.0]


def test_retry_after_is_obeyed_up_to_a_limit():
    pauses = []
    answers = [Answer(LIMIT, 429, headers={"Retry-After": after}) for after in ("7", "9999")]
    with server(*answers, Answer(PHIX)) as (config, _):
        fetch_genbank("NC_001422.1", config=config, sleep=pauses.append)
    assert pauses == [7.0, 60.0]


@pytest.mark.parametrize(
    ("answer", "n_asked", "message"),
    [
        pytest.param(Answer(UNKNOWN, 400), 1, "HTTP status 400: 'Error: F a i", id="unknown"),
        pytest.param(Answer(b"gone", 404), 1, "HTTP status 404", id="not-found"),
        pytest.param(Answer(LIMIT, 429), 3, "HTTP status 429: .*rate limit", id="limit"),
        pytest.param(Answer(BUSY), 3, "no GenBank record but 'Error: CEFetch", id="page"),
        pytest.param(Answer(PHIX[:9000]), 3, "cut short after 9000 bytes", id="cut"),
        pytest.param(
            Answer(PHIX[: PHIX.index(b"ORIGIN")] + b"//\n"), 1, "a record without one", id="bare"
        ),
        pytest.param(Answer(PHIX + PHIX), 1, "NC_001422.1, NC_001422.1", id="two-records"),
    ],
)
def test_what_is_not_the_whole_record_is_an_error(answer, n_asked, message):
    with (
        server(answer) as (config, asked),
        pytest.raises(SequenceError, match=message),
    ):
        fetch_genbank("NC_001422.1", config=config, sleep=lambda _: None)
    assert len(asked) == n_asked


@pytest.mark.parametrize("accession", ["NC_001422.2", "NC_00142", "J02482.1"])
def test_a_record_of_another_accession_or_version_is_refused(accession):
    with (
        server(Answer(PHIX)) as (config, _),
        pytest.raises(SequenceError, match=f"the record {accession} alone, found NC_001422.1"),
    ):
        fetch_genbank(accession, config=config)


@pytest.mark.parametrize("accession", ["", "NC_1 or 2", "../x", "a&b=c"])
def test_an_accession_of_odd_letters_is_refused_before_anything_is_asked(accession):
    with pytest.raises(SequenceError, match="accession: expected letters"):
        fetch_genbank(accession, config=NOWHERE)


def test_only_web_addresses_are_asked():
    with pytest.raises(SequenceError, match="base_url: expected an http"):
        fetch_genbank("NC_1", config=FetchConfig(base_url="file:///etc/hosts"))


def test_no_server_is_an_error_of_one_line():
    with pytest.raises(SequenceError, match="no answer") as caught:
        fetch_genbank("NC_001422.1", config=NOWHERE)
    assert "\n" not in str(caught.value)


def test_a_fetched_genome_is_laid_down_like_a_shipped_one(tmp_path):
    out = tmp_path / "phix"
    with server(Answer(PHIX)) as (config, _):
        found = fetch_genome("NC_001422", out, config=config)
        fetch_genome("NC_001422", out, config=config)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["phix"]
    assert sorted(path.name for path in out.iterdir()) == [
        "annotation.gff3.gz",
        "annotation.gff3.gz.tbi",
        "sequence.fa.gz",
        "sequence.fa.gz.fai",
        "sequence.fa.gz.gzi",
        "source.yaml",
    ]
    genome = read_genome(found.sequence)
    assert genome.lengths == {"NC_001422.1": 5386}
    assert len(read_annotation(found.annotation, genome)) == found.n_elements
    assert yaml.safe_load((out / "source.yaml").read_text())["genome_sha256"] == genome.sha256


def test_a_record_whose_features_are_wrong_leaves_nothing_behind(tmp_path):
    record = PHIX.replace(b"source          1..5386", b"misc_feature    1..9999")
    with server(Answer(record)) as (config, _), pytest.raises((AnnotationError, SequenceError)):
        fetch_genome("NC_001422", tmp_path / "phix", config=config)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_not_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("years")
    with pytest.raises(StorageError, match=r"expected nothing, or the same result"):
        fetch_genome("NC_001422", tmp_path, config=NOWHERE)
    assert (tmp_path / "thesis.tex").read_text() == "years"


def test_a_second_record_does_not_replace_the_first(tmp_path):
    out = tmp_path / "genome"
    with server(Answer(PHIX)) as (config, _):
        fetch_genome("NC_001422", out, config=config)
    before = (out / "source.yaml").read_text()
    with pytest.raises(StorageError, match=r"genome: expected nothing, or the same result"):
        fetch_genome("NC_000913", out, config=NOWHERE)
    assert (out / "source.yaml").read_text() == before


def test_an_answer_beyond_the_limit_is_not_read_on():
    with server(Answer(PHIX)) as (config, asked):
        small = replace(config, most_bytes=1000)
        with pytest.raises(SequenceError, match="a record of at most 1,000 bytes, found more"):
            fetch_genbank("NC_001422", config=small)
    assert len(asked) == 1


def test_an_answer_that_never_ends_is_left(monkeypatch):
    def wait(*_):
        threading.Event().wait(5)

    monkeypatch.setattr(fetch, "_request", wait)
    slow = FetchConfig(base_url="http://127.0.0.1:9/efetch", longest_answer=0.05)
    with pytest.raises(SequenceError, match=r"whole record within 0\.05 s, found a slower answer"):
        fetch_genbank("NC_001422", config=slow)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://127.0.0.1/x", "a redirection to an http or https address, found one to 'ftp:"),
        ("file:///etc/hostname", "found HTTP status 302"),
    ],
)
def test_a_redirection_leads_nowhere_but_to_the_web(address, message):
    with (
        server(Answer(b"", 302, headers={"Location": address})) as (config, asked),
        pytest.raises(SequenceError, match=message),
    ):
        fetch_genbank("NC_001422", config=config)
    assert len(asked) == 1


@pytest.mark.parametrize("said", ["\xb2", "-5", "inf", "soon", "9" * 400])
def test_an_odd_retry_after_is_passed_over(said):
    waits = []
    answers = Answer(LIMIT, 429, headers={"Retry-After": said}), Answer(PHIX)
    with server(*answers) as (config, _):
        fetch_genbank("NC_001422", config=config, sleep=waits.append)
    assert waits == [config.wait]


def test_what_a_server_says_gives_no_orders_to_the_terminal():
    with (
        server(Answer(b"\x1b[31mred\x07", 404)) as (config, _),
        pytest.raises(SequenceError) as caught,
    ):
        fetch_genbank("NC_001422", config=config)
    assert "\x1b" not in str(caught.value)
    assert "[31mred" in str(caught.value)
