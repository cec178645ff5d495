"""The notebooks run as they stand, on a small run and a phage, and store no results."""

import ast
import inspect
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import genointerp as gi
from genointerp.store.table.schema.divergence import DIVERGENCE_SUMMARY
from genointerp.store.table.schema.explanation import EXPLAINED
from genointerp.store.table.schema.intervention import DESIGNS, STEERING
from genointerp.store.table.schema.matching import MATCH_SUMMARY
from genointerp.store.table.table import read_table
from tests.conftest import DATA
from tests.page.conftest import run_dir  # noqa: F401 (a fixture)

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NAMES = ["compare", "explain", "five_minutes", "intervene", "own_genome"]
LONG = "long"
"""Tag of a cell that takes minutes, in place of which the tests have a finished run."""


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", ())]


def execute(name, folder, **parameters):
    """Execute a notebook in a folder with other parameters, and return it with its results."""
    notebook = read(name)
    (given,) = tagged(notebook, "parameters")
    for key, value in parameters.items():
        told = value if isinstance(value, dict) else str(value)
        given.source, n = re.subn(rf"(?m)^{key} = .*$", f"{key} = {told!r}", given.source)
        assert n == 1
    for cell in tagged(notebook, LONG):
        cell.source = ""
    return NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()


def shown(notebook, kind):
    """Return what the cells show as one kind of content, in order."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    said = [output.text for output in outputs if output.output_type == "stream"]
    # what a small run cannot test
    assert all(text.rstrip().endswith("not tested") for text in said), said
    return [output.data[kind] for output in outputs if kind in output.get("data", ())]


@pytest.mark.slow
def test_five_minutes_with_a_run(run_dir, tmp_path):  # noqa: F811
    found = execute("five_minutes", tmp_path, run_dir=run_dir, gene="chrA:201-800")
    pages = shown(found, "text/html")
    assert pages[0].startswith(f"<table><caption>Run {run_dir}</caption>")
    kinds = {
        "findings": "<b>What is not known</b>",
        "feature": '<div class="genointerp-feature"',
        "browser": "<iframe srcdoc=",
        "bar": "associate (features): 24 of 24",
    }
    for kind, content in kinds.items():
        assert len([page for page in pages if content in page]) == 1, kind
    assert len(shown(found, "image/png")) == 1
    assert "activation: float" in "\n".join(shown(found, "text/plain"))
    assert (tmp_path / "track.bw").is_file()


@pytest.mark.slow
def test_your_own_genome(run_dir, tmp_path):  # noqa: F811
    genome = DATA / "phix174.gbk"
    found = execute("own_genome", tmp_path, run_dir=run_dir, genome=genome)
    texts = "\n".join(shown(found, "text/plain"))
    assert "Genome(1 contig, 1 circular: NC_001422.1, 5,386 bp)" in texts
    assert "harvest (bases): 10,772 of 10,772" in texts
    assert "encode (bases): 10,772 of 10,772" in texts
    assert "512 features of nano" in texts
    assert (tmp_path / "loci.gff3").is_file()


@pytest.mark.slow
def test_steer_paint_and_edit(tmp_path):
    few = {"n_matched": 1, "n_random": 1, "sample": 4096}
    settings = {
        "steer": few | {"window": 700, "warmup": 100},
        "paint": few | {"n_designs": 1, "doses": [1], "context": 64, "behind": 32},
        "edit": {"n_fit": 6144, "n_test": 2048, "window": 512, "n_matched": 0, "n_random": 1},
    }
    genome = DATA / "phix174.gbk"
    found = execute("intervene", tmp_path, genome=genome, settings=settings)
    texts = "\n".join(
        output.data.get("text/plain", "")
        for cell in found.cells
        for output in cell.get("outputs", ())
        if "data" in output
    )
    assert "NC_001422.1:1,001-2,284" in texts
    assert "Canvas(9 strokes of 3 features)" in texts
    assert all(name in texts for name in ("shifted", "shuffled", "unpainted", "bake="))
    assert texts.endswith("True")
    table = read_table(tmp_path / "steering.tsv", STEERING)
    inside = table[table["place"] == "inside"].set_index("condition")["delta_log_p"]
    # in its own frame the canvas says what is known; one base off it does not
    assert inside["canvas"] > inside["shifted"]
    assert (tmp_path / "designs.fasta").read_text().count(">") == len(
        read_table(tmp_path / "designs.tsv", DESIGNS)
    )


@pytest.mark.slow
def test_explain_and_circuits(tmp_path):
    settings = {
        "explain": {"context": 128, "n_exact": 10, "steps": 10},
        "circuit": {"n_rotations": 20},
    }
    genome = DATA / "phix174.gbk"
    found = execute("explain", tmp_path, genome=genome, settings=settings)
    texts = "\n".join(
        output.data.get("text/plain", "")
        for cell in found.cells
        for output in cell.get("outputs", ())
        if "data" in output
    )
    assert "NC_001422.1:1,643" in texts
    told = read_table(tmp_path / "explanation.summary.tsv", EXPLAINED)
    assert told["strand"].tolist() == ["+", "-"]
    assert (told["change"] - told["features"] - told["errors"]).abs().le(told["gap"] + 1e-4).all()
    (effect,) = read_table(tmp_path / "variant.summary.tsv", EXPLAINED).to_dict("records")
    assert (effect["kind"], effect["n_next"]) == ("variant", 63)
    assert (tmp_path / "families.tsv").is_file()


@pytest.mark.slow
def test_compare_models_and_dictionaries(tmp_path):
    tuning = {"plant_length": 24, "n_steps": 3, "batch": 2, "length": 64, "n_held_out": 0}
    execute(
        "compare",
        tmp_path,
        genome=DATA / "phix174.gbk",
        tuning=tuning,
        comparison={"windows": {"strands": ["+"]}},
        dictionary={"sae": {"n_features": 24, "k": 4}, "n_tokens": 8_192, "batch_tokens": 256},
        matching={"n_rotations": 20},
    )
    summary = read_table(tmp_path / "divergence.summary.tsv", DIVERGENCE_SUMMARY)
    assert {*summary["model"]} == {"tuned", "control"}
    shares = read_table(tmp_path / "matches.summary.tsv", MATCH_SUMMARY)
    assert {"found", "rotation"} <= {*shares["comparison"]}


def test_the_call_that_takes_minutes_is_one_of_start():
    (cell,) = tagged(read("own_genome"), LONG)
    call = ast.parse(cell.source).body[0].value
    assert ast.unparse(call.func) == "gi.start"
    inspect.signature(gi.start).bind(*call.args, **{one.arg: one.value for one in call.keywords})


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_stores_no_results(name):
    nbformat.validate(read(name))
    for cell in read(name).cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.parametrize("name", NAMES)
def test_the_texts_of_a_notebook_have_no_numbers_but_those_that_it_computes(name):
    for cell in read(name).cells:
        if cell.cell_type == "markdown":
            said = re.sub(r"`[^`]*`|\]\([^)]*\)", "", cell.source)
            assert not re.search(r"\d", said), said


def test_every_notebook_is_tested():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == NAMES
