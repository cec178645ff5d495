"""The server as a process of its own: where it listens, and how it ends."""

import http.client
import re
import signal
import socket
import sys
from contextlib import closing
from urllib.parse import urlsplit

import pytest

import genointerp as gi
from genointerp.core.errors import InputError, SchemaError
from tests.served import served

UPWARDS = [
    "library/../config.yaml",
    "library/..%2f..%2fconfig.yaml",
    "library/%2e%2e/config.yaml",
    "tables/../../config.yaml",
    "tables/loci/feature_3.tsv/..",
    "features/3.html/../../config.yaml",
    "pictures/3/..%2fmotif.png",
    "../config.yaml",
]


def get(address, cookie=""):
    """Send an address as it is: most clients resolve its dots."""
    place = urlsplit(address)
    with closing(http.client.HTTPConnection(place.netloc, timeout=60)) as connection:
        path = f"{place.path}?{place.query}"
        connection.request("GET", path, headers={"cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def test_the_server_prints_its_address_answers_and_ends_at_an_interrupt(run_dir):
    """Without torch, with which alone it would paint."""
    with served(run_dir, has_torch=False) as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", address)
        status, headers, _ = get(address)
        assert (status, headers["server"]) == (200, None)
        cookie = headers["set-cookie"].split(";")[0]
        base = address.partition("?")[0]
        assert get(f"{base}alive", cookie)[0] == 200
        assert get(f"{base}alive")[0] == 403
        page = get(f"{base}browse.html", cookie)[2].decode()
        assert ("Genome" in page, 'id="paint"' in page) == (True, False)
        for path in UPWARDS:
            assert get(f"{base}{path}", cookie)[0] == 404, path
        process.send_signal(signal.SIGINT)
        told, complaints = process.communicate(timeout=60)
        # nothing of what was asked is told, since an address may hold the token
        assert (process.returncode, told) == (0, b"")
        assert complaints.decode() == f"reading {run_dir}\n"


def test_a_port_in_use_is_one_line(run_dir):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        expected = rf"^port {port}: expected one that is free \(--port 0 takes any\), found one in"
        with pytest.raises(InputError, match=expected):
            gi.serve(run_dir, port=port)


def test_a_model_that_cannot_be_loaded_is_refused_before_the_run_is_read(run_dir, monkeypatch):
    with pytest.raises(InputError, match="nanoo"):
        gi.serve(run_dir, port=0, model="nanoo")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match="model: expected torch, to paint with, found none"):
        gi.serve(run_dir, port=0, model="nano")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(SchemaError, match=r"config.yaml: expected a file of every run"):
        gi.serve(tmp_path, port=0)


def test_libraries_that_are_not_there_are_named(run_dir, monkeypatch):
    monkeypatch.delitem(sys.modules, "genointerp.server.listen", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    expected = r'expected starlette and uvicorn \(pip install "genointerp\[serve\]"\), found no uvi'
    with pytest.raises(InputError, match=expected):
        gi.serve(run_dir)
