"""What pages send to the model, and what comes back."""

import io
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from genointerp.intervention.canvas import Canvas
from genointerp.page.measure import Ground
from genointerp.page.run import open_run
from genointerp.server.asked import MAX_STROKES, AskedCanvas, AskedStroke
from genointerp.server.guard import MAX_BODY, POSTED
from genointerp.server.jobs import Jobs
from genointerp.server.painting import Painting
from genointerp.server.site import Site
from tests.server.bench import BENCH, SEQUENCE, ToyPainter
from tests.server.conftest import HERE, end

EVIL = "c_b___t_g__b_"
STROKE = {
    "chr": "chrA",
    "start": 100,
    "end": 160,
    "strand": "+",
    "feature": 3,
    "mode": "set",
    "value": 2,
}
PLACE = {"chr": "chrA", "start": 90, "end": 170}


def ask(client, address, **more):
    body = {"strokes": [STROKE]} | more
    return client.post(address, json=body)


def test_the_change_of_each_base_comes_back_with_its_controls(painter):
    found = end(painter, ask(painter, "/change", place=PLACE))
    assert (found["state"], found["done"], found["total"]) == ("done", 1, 1)
    told = painter.get(f"/jobs/{found['job']}/changes").json()
    assert list(told["strands"]) == ["+"]
    side = told["strands"]["+"]
    assert (side["chr"][0], side["start"][0], side["end"][-1]) == ("chrA", 90, 170)
    assert side["change"] == [0] * 10 + [2] * 60 + [0] * 10
    heads = [head["name"] for head in told["means"]["columns"]]
    assert heads[:2] == ["condition", "place"]
    assert [row[0] for row in told["means"]["rows"]] == ["canvas", "random 1"]
    # what is nowhere known has no column
    assert "kl_max" not in heads


def test_designs_come_as_a_table_and_as_files(painter):
    place = {"chr": "chrA", "start": 100, "end": 160}
    strokes = [STROKE | {"strand": "-"}, STROKE | {"strand": "."}]
    asked = ask(painter, "/write", strokes=strokes, place=place, strand="-", n_designs=2)
    found = end(painter, asked)
    told = painter.get(f"/jobs/{found['job']}/designs").json()
    assert [row[0] for row in told["designs"]["rows"]] == ["canvas_1", "canvas_2"]
    files = f"/jobs/{found['job']}/files"
    fasta = painter.get(f"{files}/designs.fasta")
    assert fasta.headers["content-disposition"] == 'attachment; filename="designs.fasta"'
    assert fasta.text.splitlines()[:2] == [">canvas_1 chrA:101-160(-) log_p=-1.25", SEQUENCE[:60]]
    gff3 = painter.get(f"{files}/designs.gff3").text.splitlines()
    assert gff3[:2] == ["##gff-version 3", "##sequence-region chrA 1 6000"]
    assert gff3[3].split("\t")[3:7] == ["101", "160", "-1.25", "-"]
    rows = pd.read_csv(io.StringIO(painter.get(f"{files}/rows.tsv").text), sep="\t")
    assert rows["sequence"].tolist() == [SEQUENCE[:60]] * 2
    assert painter.get(f"{files}/means.tsv").status_code == 200
    for name in ("config.yaml", "..%2Fconfig.yaml"):
        assert painter.get(f"{files}/{name}").status_code == 404


def test_a_canvas_is_a_file_that_steer_reads(painter, tmp_path):
    hostile = {**STROKE, "chr": EVIL, "mode": "ablate", "phase": 1, "state": "reads"}
    del hostile["value"]
    answer = painter.post(
        "/canvas.tsv", json={"strokes": [STROKE | {"start": 200, "end": 300}, hostile]}
    )
    (tmp_path / "canvas.tsv").write_text(answer.text)
    first, second = Canvas.read(tmp_path / "canvas.tsv").strokes
    assert (first.seqid, first.start, first.end, first.value) == ("chrA", 200, 300, 2)
    assert (str(first.feature), first.concept) == ("3", "tRNA")
    assert (second.seqid, second.mode, second.phase, second.state) == (
        "c<b>&\"t'g</b>",
        "ablate",
        1,
        "reads",
    )


def test_work_is_cancelled_and_errors_of_the_model_are_one_line(painter):
    waiting = painter.post("/change", json={"strokes": [STROKE | {"value": 99}], "place": PLACE})
    assert painter.post("/cancel", json={"job": waiting.json()["job"]}).status_code == 200
    assert end(painter, waiting)["state"] == "cancelled"
    failed = painter.post("/change", json={"strokes": [STROKE | {"value": 13}], "place": PLACE})
    found = end(painter, failed)
    assert found["error"] == "canvas: expected a dose that is not 13, found 13"
    answer = painter.get(f"/jobs/{found['job']}/changes")
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        f"job {found['job']}: expected one that is done, found one that is failed",
    )
    assert painter.get("/jobs/999").status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "told"),
    [
        ({"chr": "chrZ"}, 404, "found 'chrZ'"),
        ({"feature": 99}, 404, "expected a feature from 0 to 11, found 99"),
        ({"feature": "3"}, 400, "strokes[0]: feature: expected int, found '3'"),
        ({"feature": True}, 400, "strokes[0]: feature: expected int, found True"),
        ({"mode": "__import__"}, 400, "mode: expected one of 'set', 'raise'"),
        ({"value": float("nan")}, 400, "value: expected a finite number, found nan"),
        ({"start": 160}, 400, "expected 0 <= start < end, found start=160, end=160"),
        ({"end": 6001}, 400, "canvas: row 1: expected end <= 6000, found end=6001"),
        ({"strand": ".", "phase": 1}, 400, "strand: expected + or -"),
        ({"path": "/etc/passwd"}, 400, "expected one of the keys chr, start"),
        ({"chr": "chrA", "end": 10**30}, 400, "canvas: row 1: expected end <= 6000, found end=1"),
    ],
)
def test_a_stroke_that_is_none_is_one_line(painter, changes, status, told):
    body = json.dumps({"strokes": [STROKE | changes], "place": PLACE})
    for address in ("/change", "/write"):
        answer = painter.post(address, content=body)
        assert (answer.status_code, "\n" in answer.json()["error"]) == (status, False)
        assert told in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "body: expected JSON"),
        (b"[1]", "body: expected a mapping"),
        (b"\xff\xfe", "body: expected JSON"),
        (b'{"strokes": []}', "canvas: expected 1 to 500 strokes, found 0"),
        (b'{"strokes": 3}', "strokes: expected a list, found 3"),
        (b"[" * 90_000, "body: expected JSON"),
    ],
)
def test_a_body_that_is_no_question_is_one_line(painter, body, told):
    answer = painter.post("/canvas.tsv", content=body)
    assert (answer.status_code, told in answer.json()["error"]) == (400, True), answer.text


def test_what_would_take_too_long_is_refused(painter, monkeypatch):
    answer = ask(painter, "/write", place=PLACE, n_designs=1000)
    assert "n_designs: expected 1 to 64, found 1000" in answer.json()["error"]
    many = painter.post("/canvas.tsv", json={"strokes": [STROKE] * (MAX_STROKES + 1)})
    assert "expected 1 to 500 strokes, found 501" in many.json()["error"]
    monkeypatch.setattr("genointerp.server.asked.MAX_FEATURES", 2)
    few = painter.post("/canvas.tsv", json={"strokes": [STROKE | {"feature": n} for n in range(3)]})
    assert few.json()["error"] == "canvas: expected at most 2 features, found 3"
    monkeypatch.undo()
    monkeypatch.setattr("genointerp.server.painting.MAX_STEERED_BP", 79)
    answer = ask(painter, "/change", place=PLACE)
    assert answer.json()["error"] == "chrA:91-170: expected at most 79 bases, found 80"
    answer = ask(painter, "/change", place=PLACE | {"chr": "chrB"})
    assert (
        answer.json()["error"] == "place: expected one of first, as the strokes are, found second"
    )
    two = {"strokes": [STROKE, STROKE | {"chr": "chrB"}], "place": PLACE}
    told = painter.post("/change", json=two).json()["error"]
    assert told == "canvas: expected strokes on one genome, found first, second"


def test_what_would_do_nothing_or_be_cut_is_refused(painter):
    strokes = [STROKE, STROKE | {"strand": "-"}]
    told = ask(painter, "/write", strokes=strokes, place=PLACE, strand="-").json()["error"]
    assert told == (
        "canvas: row 1: strand: expected -, the strand that is written, or both, found +"
    )
    for address in ("/write", "/change"):
        told = ask(painter, address, place=PLACE | {"end": 6001}).json()["error"]
        assert told == "chrA: expected 0 <= start < end <= 6000, found start=90, end=6001"


@pytest.mark.parametrize("orientation", ["sense", "antisense"])
def test_a_unit_is_measured_where_the_feature_fires_for_its_concept(run_dir, orientation):
    run = open_run(run_dir)
    features = run.features
    features.loc[features["feature"] == 3, "orientation"] = orientation
    painting = Painting(run, Ground.of(run.specimens), ToyPainter(), Jobs())
    specimen, canvas = painting.canvas(AskedCanvas((AskedStroke(**STROKE | {"value": 2.0}),)))
    (stroke,) = canvas.with_units(specimen.features, specimen.elements).strokes
    assert stroke.concept == ("tRNA" if orientation == "sense" else "")
    if orientation == "antisense":
        values = [specimen.features.feature(3, strand).value for strand in "+-"]
        assert stroke.unit == pytest.approx(np.concatenate(values).mean(dtype=np.float64))


@pytest.mark.parametrize("address", POSTED)
def test_only_pages_of_this_server_send_something(painter, client, address):
    body = {"strokes": [STROKE]}
    assert painter.get(address).status_code == 405
    # a browser sends the origin with every POST
    without = client.post(address, json=body)
    assert (without.status_code, "without an origin" in without.text) == (403, True)
    for origin in ("http://evil.example", "null"):
        assert client.post(address, json=body, headers={"origin": origin}).status_code == 403
    large = painter.post(address, content=b"x" * (MAX_BODY + 1))
    assert large.status_code == 413
    stream = painter.post(address, content=iter([b"x"]))
    assert stream.status_code == 413
    # a run whose model is not known takes labels alone, which these are not
    status = 400 if address in ("/label", "/unlabel") else 404
    assert client.post(address, json=body, headers={"origin": HERE}).status_code == status


def test_a_canvas_is_kept_for_one_dictionary_and_its_genomes(run_dir, monkeypatch):
    run = open_run(run_dir)
    pages = Site.of(run, BENCH).pages
    both = re.search(r'data-run="\w{16}"', pages.browse)[0]
    assert both in pages.browse
    monkeypatch.setattr(pages, "_run", replace(run, specimens=run.specimens[:1]))
    assert both not in pages.browse


def test_a_page_without_a_model_offers_no_brush(painter, client):
    for section in ("paint", "why"):
        assert f'id="{section}"' in painter.get("/browse.html").text
        assert f'id="{section}"' not in client.get("/browse.html").text
