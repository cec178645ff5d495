"""Why a base is predicted, as a page asks and is told."""

import io

import pandas as pd
import pytest

from tests.server.conftest import end

PLACE = {"chr": "chrA", "start": 100, "end": 101}


def test_what_is_behind_a_base_comes_back_by_strand_with_its_sums_and_files(painter):
    found = end(painter, painter.post("/why", json={"place": PLACE}))
    told = painter.get(f"/jobs/{found['job']}/reasons").json()
    assert [one["strand"] for one in told["strands"]] == ["+", "-"]
    first = told["strands"][0]
    assert first["said"] == ("asked: + contrast +2, change +1 = features +1.5, errors -0.5 (gap 0)")
    # between the two tokens that are listed is one of which nothing is
    assert first["sums"] == [-0.5, 0.0, 1.5]
    assert [len(letter) for letter in first["letters"]] == [1, 1, 1]
    assert first["letters"][1] == "\u00b7"
    heads = [head["name"] for head in first["nodes"]["columns"]]
    assert heads[:3] == ["offset", "kind", "feature"]
    assert told["said"] == "The strands agree."
    files = f"/jobs/{found['job']}/files"
    nodes = pd.read_csv(io.StringIO(painter.get(f"{files}/nodes.tsv").text), sep="\t")
    assert nodes["attribution"].tolist() == [1.5, -0.5] * 2
    assert painter.get(f"{files}/sums.tsv").status_code == 200
    # it is no canvas, and says so
    answer = painter.get(f"/jobs/{found['job']}/changes")
    assert (answer.status_code, "asked this" in answer.json()["error"]) == (400, True)
    assert painter.get(f"{files}/canvas.tsv").status_code == 400


def test_one_strand_agrees_with_nothing(painter):
    found = end(painter, painter.post("/why", json={"place": PLACE, "strand": "-"}))
    told = painter.get(f"/jobs/{found['job']}/reasons").json()
    assert ([one["strand"] for one in told["strands"]], told["said"]) == (["-"], "")


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"place": PLACE | {"chr": "chrZ"}}, 404, "found 'chrZ'"),
        ({"place": PLACE | {"end": 165}}, 400, "chrA:101-165: expected at most 64 bases, found 65"),
        ({"place": PLACE | {"end": 6001}}, 400, "expected 0 <= start < end <= 6000"),
        ({"place": PLACE, "strand": "x"}, 400, "strand: expected one of '+', '-', '.'"),
        ({"place": PLACE, "model": "x"}, 400, "expected one of the keys place, strand"),
    ],
    ids=["contig", "long", "outside", "strand", "key"],
)
def test_a_place_that_cannot_be_explained_is_one_line(painter, body, status, told):
    answer = painter.post("/why", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, told in error, "\n" in error) == (status, True, False), error
