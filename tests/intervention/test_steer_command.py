"""The command `steer`: its files, what it takes of a run, and what it refuses."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

import genointerp as gi
from genointerp.cli.main import app
from genointerp.core.errors import InputError, MismatchError
from genointerp.intervention.canvas import Canvas, Profile
from genointerp.intervention.inputs import PaintInputs
from genointerp.intervention.steer import SteerConfig
from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.network import StripedHyena, initialise
from genointerp.model.registry import load_model
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.io import save_sae
from genointerp.store.table.schema.intervention import (
    DESIGNS,
    PAINTING,
    STEERED_BASES,
    STEERING,
)
from genointerp.store.table.table import read_provenance, read_table
from tests.intervention.test_ablation import SHAPE

CANVAS = "seqid\tstart\tend\tstrand\tfeature\tmode\tvalue\tphase\n"
SETTINGS = {"window": 120, "warmup": 40, "sample": 300}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("steer")
    letters = np.random.default_rng(0).choice(list("ACGT"), 600)
    (folder / "g.fa").write_text(f">c\n{''.join(letters)}\n")
    rows = ["c\ttest\tCDS\t101\t160\t.\t+\t0\tID=a", "c\ttest\ttRNA\t301\t360\t.\t-\t.\tID=b"]
    (folder / "g.gff3").write_text("##gff-version 3\n" + "\n".join(rows) + "\n")
    network = StripedHyena(SHAPE)
    initialise(network, torch.Generator().manual_seed(0))
    place = folder / "model"
    save_model(network, place, name="tiny", context=64, default_site="blocks.1", licence="MIT")
    spec = load_model(str(place)).spec
    sae = make_sae(SaeConfig("relu", n_features=30, k=30), 16, seed=0)
    metadata = {"model": spec.name, "model_sha256": spec.sha256, "site": "blocks.1"}
    save_sae(sae, folder / "sae", metadata)
    canvas = folder / "canvas.tsv"
    canvas.write_text(CANVAS + "c\t100\t160\t+\tf/3\tset\t2\t0\nc\t300\t360\t-\t4\tscale\t2\t-1\n")
    return SimpleNamespace(
        folder=folder, genome=folder / "g.fa", model=place, sae=folder / "sae", canvas=canvas
    )


def line_of(files, out, *more, canvas=None):
    words = ["steer", files.genome, "--canvas", canvas or files.canvas, "--model", files.model]
    words += ["--sae", files.sae, "--window", 120, "--warmup", 40, "--out", out, *more]
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_writes_what_the_function_returns(files, tmp_path):
    out, bases, used = (tmp_path / name for name in ("s.tsv", "b.parquet", "c.tsv"))
    options = ["--annotations", files.folder / "g.gff3", "--bases-out", bases, "--canvas-out", used]
    result = line_of(files, out, *options)
    assert result.exit_code == 0, result.output
    assert "inside: KL" in result.output
    assert f"-> {out}" in result.output
    table = read_table(out, STEERING)
    names = ["canvas", "random 1", "random 2", "difference of means", "shifted", "shuffled", "flat"]
    assert [it for it in dict.fromkeys(table["condition"]) if "matched" not in it] == names
    assert {"inside", "outside", "CDS sense", "tRNA sense"} <= set(table["place"])
    found = gi.steer(
        files.genome,
        tmp_path / "again.tsv",
        used,
        str(files.model),
        sae=files.sae,
        annotations=files.folder / "g.gff3",
        config=SETTINGS | {"sample": 65_536},
    )
    pd.testing.assert_frame_equal(found, table)
    own = Canvas.read(used)
    assert own.strokes[0].unit > 0
    assert own.identity.genome_sha256 == gi.read_genome(files.genome).sha256
    recorded = read_provenance(out, STEERING)
    assert recorded["config"]["units"] == {"f/3": own.strokes[0].unit}
    assert recorded["inputs"].keys() == {"genome", "model", "sae", "canvas", "annotations"}
    assert set(read_table(bases, STEERED_BASES)["strand"]) == {"+", "-"}


def test_a_region_bounds_what_is_measured(files, tmp_path):
    out = tmp_path / "s.tsv"
    result = line_of(files, out, "c:91-200", "--no-controls", "--dose", 1, "--dose", 3)
    assert result.exit_code == 0, result.output
    table = read_table(out, STEERING)
    assert table.groupby("dose")["n_bases"].sum().to_dict() == {1.0: 220, 3.0: 220}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("c\t100\t700\t+\tf/3\tset\t2\t0", "row 1: expected end <= 600", id="off"),
        pytest.param("c\t100\t160\t+\tf/3\tset\tnan\t0", "row 1: value: expected a fi", id="nan"),
        pytest.param("c\t100\t160\t+\tf/30\tset\t2\t0", "row 1: feature: expected", id="feature"),
        pytest.param(
            "c\t100\t160\t+\tf/3\tset\t2\t0\nc\t100\t160\t+\t3\tset\t1\t-1",
            "row 2: expected one stroke for f/3",
            id="twice",
        ),
        pytest.param(
            "c\t100\t160\t+\tf/3\tset\t1e38\t0",
            "painting: expected amounts and factors below 1e",
            id="too-much",
        ),
    ],
)
@pytest.mark.parametrize("command", ["steer", "paint"])
def test_a_canvas_that_cannot_be_painted_is_one_line_and_nothing_is_written(
    files, tmp_path, command, row, message
):
    canvas = tmp_path / "bad.tsv"
    canvas.write_text(CANVAS + row + "\n")
    out, used = tmp_path / "s.tsv", tmp_path / "used.tsv"
    words = [command, files.genome, *(["c:121-150"] if command == "paint" else [])]
    words += ["--canvas", canvas, "--model", files.model, "--sae", files.sae, "--no-controls"]
    words += ["--canvas-out", used, "--out", out]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 1
    assert re.search(message, str(result.exception))
    assert "\n" not in str(result.exception)
    assert list(tmp_path.iterdir()) == [canvas]


def test_what_does_not_belong_together_is_refused(files, tmp_path):
    canvas = Canvas.read(files.canvas)
    config = SETTINGS | {"controls": False}
    gi.steer(
        files.genome,
        tmp_path / "s.tsv",
        canvas,
        str(files.model),
        sae=files.sae,
        canvas_out=tmp_path / "c.tsv",
        config=config,
    )
    other = tmp_path / "other.fa"
    other.write_text(files.genome.read_text().replace("A", "C"))
    with pytest.raises(MismatchError, match=r"genome: expected genome \w+ as in .*c.tsv"):
        gi.steer(other, tmp_path / "t.tsv", tmp_path / "c.tsv", str(files.model), sae=files.sae)
    with pytest.raises(MismatchError, match="expected model tiny"):
        gi.steer(files.genome, tmp_path / "t.tsv", canvas, "nano", sae=files.sae)


def test_paint_writes_designs_as_a_table_as_fasta_and_as_gff3(files, tmp_path):
    out = tmp_path / "d.tsv"
    words = ["paint", files.genome, "c:301-330", "--strand", "-", "--canvas", files.canvas]
    words += ["--model", files.model, "--sae", files.sae, "--n-designs", 3, "--context", 40]
    words += ["--n-matched", 0, "--n-random", 1, "--dose", 2, "--avoid", "AAAA", "--out", out]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "designs; stop codons in frame" in result.output
    table = read_table(out, DESIGNS)
    summary = read_table(tmp_path / "d.summary.tsv", PAINTING)
    assert summary["n_designs"].tolist() == [3] * len(summary)
    assert summary["condition"].tolist()[:3] == ["unpainted", "canvas", "random 1"]
    assert len(table) == 3 * len(summary)
    fasta = (tmp_path / "d.fasta").read_text().split(">")[1:]
    names = [record.split()[0] for record in fasta]
    assert names == table["design"].tolist()
    assert "".join(fasta[0].split("\n")[1:]) == table["sequence"][0]
    assert fasta[0].split("\n")[0].startswith("unpainted_1 c:301-330(-) log_p=")
    found = gi.read_annotation(tmp_path / "d.gff3", gi.read_genome(files.genome))
    assert [element.id for element in found] == names
    assert {(*part[:4],) for element in found for part in element.parts} == {("c", 300, 330, "-")}
    again = gi.paint(
        files.genome,
        tmp_path / "e.tsv",
        "c:301-330",
        files.canvas,
        str(files.model),
        strand="-",
        sae=files.sae,
        config={
            "n_designs": 3,
            "context": 40,
            "n_matched": 0,
            "n_random": 1,
            "doses": [2.0],
            "avoid": ["AAAA"],
        },
    )
    pd.testing.assert_frame_equal(again, summary)


@pytest.mark.parametrize("command", ["steer", "paint"])
def test_a_dictionary_of_a_site_that_the_model_has_not_is_refused(files, tmp_path, command):
    sae = make_sae(SaeConfig("relu", n_features=30, k=30), 16, seed=0)
    spec = load_model(str(files.model)).spec
    metadata = {"model": spec.name, "model_sha256": spec.sha256, "site": "blocks.99"}
    save_sae(sae, tmp_path / "sae", metadata)
    words = [command, files.genome, *(["c:121-150"] if command == "paint" else [])]
    words += ["--canvas", files.canvas, "--model", files.model, "--sae", tmp_path / "sae"]
    result = CliRunner().invoke(app, [str(it) for it in [*words, "--out", tmp_path / "o.tsv"]])
    assert result.exit_code == 1
    assert "expected a site of tiny" in str(result.exception)
    assert [it.name for it in tmp_path.iterdir()] == ["sae"]


@pytest.mark.parametrize("command", ["steer", "paint"])
def test_work_that_is_ended_by_its_progress_leaves_nothing(files, tmp_path, command):
    class EndedError(Exception):
        pass

    def end(done, total):
        raise EndedError

    canvas, place = Canvas.read(files.canvas), ["c:121-150"] if command == "paint" else []
    with pytest.raises(EndedError):
        getattr(gi, command)(
            files.genome,
            tmp_path / "o.tsv",
            *place,
            canvas,
            str(files.model),
            sae=files.sae,
            canvas_out=tmp_path / "used.tsv",
            config={"controls": False, "sample": 300},
            progress=end,
        )
    assert list(tmp_path.iterdir()) == []


def test_nothing_can_be_written_over_an_origin_or_off_the_contig(files, tmp_path):
    words = ["paint", files.genome, "c:301-700", "--canvas", files.canvas, "--model", files.model]
    words += ["--sae", files.sae, "--no-controls", "--out", tmp_path / "d.tsv"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert "expected 1 <= first <= last <= 600" in str(result.exception)
    assert not (tmp_path / "d.tsv").exists()


def test_paint_takes_a_canvas_or_a_concept(files, tmp_path):
    both = {"canvas": files.canvas, "profile_from": "CDS"}
    for more, found in (({}, "neither"), (both, "both")):
        with pytest.raises(
            InputError, match=f"a canvas, or a concept for a profile, found {found}"
        ):
            gi.paint(files.genome, tmp_path / "d.tsv", "c:1-9", sae=files.sae, **more)
    with pytest.raises(InputError, match="profile of CDS: expected features and annotation"):
        gi.paint(files.genome, tmp_path / "d.tsv", "c:1-9", sae=files.sae, profile_from="CDS")


def test_a_table_knows_the_course_of_a_profile_that_was_painted(files):
    inputs, config = PaintInputs.of(files.genome, sae=files.sae), SteerConfig(controls=False)
    stroke = gi.Stroke("c", 100, 160, "+", "p", "profile", 1.0)
    found = set()
    for amount in (1.0, 1.0, 2.0):
        canvas = Canvas((stroke,), {"p": Profile((3,), np.full((3, 1), amount))})
        with inputs.opened(str(files.model), canvas, config, HarvestConfig(120, 40)) as opened:
            found.add(inputs.provenance(*opened, config, {}).inputs["canvas"])
    assert len(found) == 2
