"""Labels as the pages show them, and as people write them there."""

import os
import re
from datetime import date

import pytest

from genointerp.labelling.hand import hand_labels
from genointerp.page.run import open_run
from genointerp.server.application import make_application
from genointerp.server.labels import Labels, fingerprint
from genointerp.server.site import Site
from tests.page.conftest import HOSTILE
from tests.server.conftest import HERE, PORT, TOKEN, TestClient

TODAY = date.today().isoformat()
LABEL = {"label": "third base", "kind": "concept", "author": "Ada"}


@pytest.fixture(scope="module")
def own_run(run_dir, tmp_path_factory):
    """The run with labels of its own, which are written to."""
    folder = tmp_path_factory.mktemp("labelled")
    for one in run_dir.iterdir():
        if "label" not in one.name:
            (folder / one.name).symlink_to(one)
        elif one.name.startswith(("labels.tsv", "label_scores.tsv")):
            (folder / one.name).write_bytes(one.read_bytes())
    return folder


@pytest.fixture(scope="module")
def writer(own_run):
    application = make_application(Site.of(open_run(own_run)), port=PORT, token=TOKEN)
    client = TestClient(application, base_url=HERE, headers={"origin": HERE})
    client.get("/", params={"token": TOKEN})
    return client


def before(client, feature):
    """What the form on the page of a feature says that it has read."""
    page = client.get(f"/features/{feature}.html").text
    return re.search(r'data-before="(\w*)"', page)[1]


def write(client, feature, read="", **given):
    return client.post("/label", json=LABEL | {"feature": feature, "before": read} | given)


def test_a_label_that_is_written_stands_beside_the_number_at_once(writer, own_run):
    assert "third base" not in writer.get("/library/features.js").text
    answer = write(writer, 4, concept="tRNA", orientation="sense", part="body")
    assert (answer.status_code, answer.json()["date"]) == (200, TODAY)
    written = hand_labels(own_run)[4]
    assert (written.author, written.date, written.concept) == ("Ada", TODAY, "tRNA")
    page = writer.get("/features/4.html").text
    assert "<h1>f/4 third base</h1>" in page
    # the one of statistics comes behind it, with its score
    assert page.index(">third base</td>") < page.index(">after ACG</td>") < page.index(">0.5</td>")
    found = writer.get("/search", params={"text": "THIRD"}).json()["features"]
    assert [one["name"] for one in found] == ["f/4 third base"]
    assert found[0]["said"] == f"third base (person Ada {TODAY}): no score on test"
    assert "third base" in writer.get("/library/features.js").text
    assert writer.get("/options", params={"feature": 4}).json()["name"].startswith("f/4 third base")
    here = {"chr": "chrA", "start": 0, "end": 2000}
    names = {one["name"] for one in writer.get("/region", params=here).json()["features"]}
    assert "f/4 third base" in names


def test_who_labels_and_how_well_it_holds_is_said(writer):
    found = writer.get("/search", params={"text": "5"}).json()["features"][0]
    assert found["said"].endswith("(statistics): F1 on test 0.75, of labels of other features 0.25")


def test_a_label_that_somebody_else_changed_is_not_overwritten(writer, own_run):
    read = before(writer, 6)
    assert write(writer, 6, read, author="Bob").status_code == 200
    late = write(writer, 6, read)
    assert late.status_code == 409
    expected = f"the one that was read, found 'third base' by Bob of {TODAY}"
    assert late.json()["error"] == f"label of feature 6: expected {expected}"
    for body in ({"before": read}, {"before": "0" * 16}):
        assert writer.post("/unlabel", json={"feature": 6} | body).status_code == 409
    assert hand_labels(own_run)[6].author == "Bob"
    # whoever has read it may
    again = write(writer, 6, before(writer, 6), label="second base", confidence=5)
    assert again.status_code == 200
    assert (hand_labels(own_run)[6].author, hand_labels(own_run)[6].confidence) == ("Ada", 5)
    body = {"feature": 6, "before": fingerprint(hand_labels(own_run)[6])}
    assert writer.post("/unlabel", json=body).status_code == 200
    assert 6 not in hand_labels(own_run)


def test_a_label_is_text_whatever_it_holds(writer):
    evil = "<script>window.stolen=1</script>\u202e"
    assert write(writer, 7, label=evil, explanation=HOSTILE, author="<i>Bob").status_code == 200
    for path in ("/", "/features/7.html", "/library/features.js", "/compared.html"):
        text = writer.get(path).text
        assert "<script>window.stolen" not in text, path
        assert "<i>Bob" not in text, path
        assert "\u202e" not in text, path
    name = writer.get("/options", params={"feature": 7}).json()["name"]
    assert "<" not in name


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        ({"author": "  "}, 400, "author: expected who says so, found none"),
        ({"label": "one two three four five six seven eight nine"}, 400, "1 to 8 words"),
        ({"label": ""}, 400, "1 to 8 words"),
        ({"kind": "guess"}, 404, "guess"),
        ({"concept": "tRNAs", "orientation": "sense", "part": "body"}, 404, "tRNAs"),
        ({"concept": "tRNA"}, 400, "orientation and part of the concept"),
        ({"confidence": 6}, 400, "1 to 5"),
        ({"feature": 12}, 404, "expected a feature from 0 to 11, found 12"),
        ({"source": "statistics"}, 400, "source"),
        ({"date": "2020-01-01"}, 400, "date"),
    ],
)
def test_what_is_no_label_is_one_line_and_writes_nothing(writer, own_run, given, status, told):
    known = repr(hand_labels(own_run))
    answer = writer.post("/label", json=LABEL | {"feature": 8, "before": ""} | given)
    error = answer.json()["error"]
    assert (answer.status_code, told in error, "\n" in error) == (status, True, False), error
    assert repr(hand_labels(own_run)) == known


def test_only_pages_of_the_server_write(writer, own_run):
    stranger = TestClient(writer.app, base_url=HERE)
    body = LABEL | {"feature": 9, "before": ""}
    assert stranger.post("/label", json=body, headers={"origin": HERE}).status_code == 403
    stranger.get("/", params={"token": TOKEN})
    assert stranger.post("/label", json=body).status_code == 403
    elsewhere = {"origin": "http://evil.example"}
    assert stranger.post("/unlabel", json=body, headers=elsewhere).status_code == 403
    assert writer.get("/label").status_code == 405
    assert 9 not in hand_labels(own_run)


def test_a_server_that_only_reads_shows_labels_and_takes_none(site, run_dir, monkeypatch):
    run = open_run(run_dir)
    reads = Labels(run, is_read_only=True)
    assert not reads.can_write
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert not Labels(run).can_write
    application = make_application(site._replace(labels=reads), port=PORT, token=TOKEN)
    client = TestClient(application, base_url=HERE, headers={"origin": HERE})
    client.get("/", params={"token": TOKEN})
    assert client.post("/label", json=LABEL | {"feature": 9}).status_code == 404
    assert [row[0].text for row in reads.of(4).rows] == ["mine", "after ACG"]
    assert reads.of(0) is None
    monkeypatch.setattr(site.pages, "_labels", reads)
    page = site.pages._make((4, ()))
    assert ">mine</td>" in page
    assert 'id="hand"' not in page
    assert "label.js" not in page
