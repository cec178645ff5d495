"""A small run, with hostile text in its annotation, as a site and behind its guard."""

import time
import warnings

import pytest

from genointerp.page.run import open_run
from tests.page.conftest import run_dir  # noqa: F401 (a fixture)

pytest.importorskip("starlette", reason="starlette is not installed")

with warnings.catch_warnings():
    # it would rather have another library of the same calls
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

from genointerp.server.application import make_application
from genointerp.server.site import Site
from tests.server.bench import BENCH

PORT, TOKEN = 8765, "a-token"
HERE = f"http://127.0.0.1:{PORT}"


@pytest.fixture(scope="session")
def site(run_dir):  # noqa: F811
    return Site.of(open_run(run_dir))


@pytest.fixture(scope="session")
def application(site):
    return make_application(site, port=PORT, token=TOKEN)


@pytest.fixture
def stranger(application):
    """A client without a token."""
    return TestClient(application, base_url=HERE, follow_redirects=False)


@pytest.fixture
def client(application):
    """A client that opened the address that the server printed."""
    known = TestClient(application, base_url=HERE, follow_redirects=False)
    assert known.get("/", params={"token": TOKEN}).status_code == 200
    return known


@pytest.fixture(scope="session")
def painter(run_dir):  # noqa: F811
    application = make_application(Site.of(open_run(run_dir), BENCH), port=PORT, token=TOKEN)
    client = TestClient(application, base_url=HERE, headers={"origin": HERE})
    client.get("/", params={"token": TOKEN})
    return client


def end(client, answer):
    assert answer.status_code == 200, answer.text
    number = answer.json()["job"]
    for _ in range(2000):
        found = client.get(f"/jobs/{number}").json()
        if found["state"] not in ("waiting", "running"):
            return found
        time.sleep(0.005)
    raise AssertionError(found)
