"""The command `match`: its files, what it finds by itself in a run, and its figure."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import genointerp as gi
from genointerp.cli.main import app
from genointerp.command.compare.match import with_concepts
from genointerp.core.errors import InputError, StorageError
from genointerp.core.provenance import Provenance
from genointerp.genome.genome import Contig, Genome
from genointerp.panel.matching import plot_best_correlations
from genointerp.store.contigs import ContigInfo
from genointerp.store.table.schema.matching import ACROSS, ACROSS_SUMMARY, MATCH_SUMMARY, MATCHES
from genointerp.store.table.table import read_provenance, read_table, write_table
from tests.comparison.test_matching import N_BP, runs_at_random
from tests.plant import make_store

SHORT = ["--n-rotations", "5", "--min-bases", "20"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two features files of one genome, a twin of the second model, and the sequence."""
    folder = tmp_path_factory.mktemp("match")
    letters = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), N_BP)
    genome = Genome([Contig("chr", letters)])
    fasta = folder / "genome.fa"
    fasta.write_text(f">chr\n{letters.tobytes().decode()}\n")
    dense = runs_at_random(12, seed=0)
    other = runs_at_random(12, seed=1)
    half = {strand: it.copy() for strand, it in dense.items()}
    for strand, it in half.items():
        it[:, 6:] = other[strand][:, 6:]
    for name, it in {"a": dense, "b": dense, "twin": other, "seed": half}.items():
        make_store(
            folder / f"{name}.h5",
            it,
            ContigInfo.of(genome),
            genome_sha256=genome.sha256,
            sae_sha256=name,
            model_sha256="a" if name == "seed" else name,
        )
    return folder


@pytest.fixture(scope="module")
def matches(files):
    out = files / "matches.tsv"
    line = ["match", *(str(files / f"{name}.h5") for name in "ab"), "--out", str(out), *SHORT]
    line += ["--genome", str(files / "genome.fa"), "--twin-b", str(files / "twin.h5")]
    result = CliRunner().invoke(app, line, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "found 1.000" in result.stdout
    assert "twin 0.000" in result.stdout
    return out


def test_without_a_twin_a_warning_names_the_command_that_makes_one(files, caplog, monkeypatch):
    def work(*_, **__):
        raise InputError("nothing", "to be computed", "none")

    monkeypatch.setattr("genointerp.command.compare.match.match_features", work)
    for controls, expected in (({}, 1), ({"twin_b": files / "twin.h5"}, 0)):
        caplog.clear()
        with pytest.raises(InputError, match="to be computed"):
            gi.match(files / "a.h5", files / "b.h5", **controls)
        said = [one.getMessage() for one in caplog.records]
        assert ["`genointerp twin` makes one (--twin-b)" in it for it in said] == [True] * expected


def test_the_line_that_is_printed_has_the_share_of_the_ceiling(files, tmp_path):
    line = ["match", str(files / "a.h5"), str(files / "b.h5"), *SHORT]
    line += ["--out", str(tmp_path / "m.tsv"), "--ceiling", str(files / "seed.h5")]
    result = CliRunner().invoke(app, line, catch_exceptions=False)
    # the other seed has half of the features again, and b has all of them
    assert "; 2.00 of what another seed repeats -> " in result.stdout


def test_matches_and_shares_are_written_with_what_they_were_made_from(matches):
    table = read_table(matches, MATCHES)
    assert (table["partner"] == table["feature"]).all()
    assert table["residual_r"].to_numpy() == pytest.approx(1)
    summary = read_table(matches.with_name("matches.summary.tsv"), MATCH_SUMMARY)
    assert set(summary["side"]) == {"a", "b"}
    said = read_provenance(matches, MATCHES)
    assert {"features-a-a", "features-b-b", "genome-a-a", "twin_b-1"} <= set(said["inputs"])
    assert said["config"]["n_rotations"] == 5


def test_the_function_returns_both_tables_and_writes_nothing_unasked(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = gi.match(files / "a.h5", files / "b.h5", config={"n_rotations": 5, "min_bases": 20})
    assert found.table["residual_r"].isna().all()
    assert "found_residual" not in set(found.summary["comparison"])
    assert list(tmp_path.iterdir()) == []


def test_concepts_are_the_best_of_a_feature_and_of_its_partner():
    table = pd.DataFrame({"side": ["a", "a", "b"], "feature": [0, 1, 0], "partner": [0, -1, 0]})
    pair = {"f1": 0.9, "f1_fit": 0.9, "null_f1": 0.1, "q_value": 0.01, "orientation": "sense"}
    known = [
        pd.DataFrame([{"feature": 0, "concept": concept, **pair}]) for concept in ("tRNA", "rRNA")
    ]
    found = with_concepts(table, (known[0], known[1]))
    assert found["concept"].tolist() == ["tRNA", "", "rRNA"]
    assert found["partner_concept"].tolist() == ["rRNA", "", "tRNA"]
    assert found["is_same_concept"].tolist() == [0, 0, 0]
    same = with_concepts(table, (known[0], known[0]))
    assert same["is_same_concept"].tolist() == [1, 0, 1]
    assert with_concepts(table, (known[0], None)) is table


def test_the_figure_has_a_line_for_each_comparison_and_a_histogram(matches, tmp_path):
    summary = read_table(matches.with_name("matches.summary.tsv"), MATCH_SUMMARY)
    figure = gi.plot.match(matches, tmp_path / "m.png")
    shares, correlations = figure.axes
    assert len(shares.get_lines()) == 5
    assert len(shares.get_legend().get_texts()) == 5
    rows = summary[(summary["side"] == "a") & (summary["comparison"] == "found")]
    drawn = shares.get_lines()[0].get_ydata()
    assert drawn.tolist() == rows.loc[rows["decile"] > 0, "share"].tolist()
    assert correlations.get_xlabel().startswith("largest r")
    assert (tmp_path / "m.png").is_file()


def test_the_figure_of_two_genomes_has_a_row_for_each_comparison(tmp_path):
    zero = {c.name: "" if c.kind == "string" else 0 for c in ACROSS.columns}
    table = pd.DataFrame({**zero, "side": "a", "is_tested": [1, 1, 0], "r": [0.9, 0.2, np.nan]})
    record = Provenance({"min_r": 0.7}, {})
    write_table(table, tmp_path / "x.tsv", ACROSS, record)
    names = ["found", "shuffled", "residual", "itself"]
    shares = {"share": [0.4, 0.1, 0.2, 0.3], "share_low": [0.3, 0.05, np.nan, np.nan]}
    shares |= {"share_high": [0.5, 0.2, np.nan, np.nan], "comparison": names}
    summary = pd.DataFrame({"side": "a", "n_features": 2, "n_genes": 50, **shares})
    other = summary.assign(side="b", share=0.0)
    write_table(pd.concat([summary, other]), tmp_path / "x.summary.tsv", ACROSS_SUMMARY, record)
    figure = gi.plot.match(tmp_path / "x.tsv", tmp_path / "x.png")
    rows, correlations = figure.axes
    points = [line for line in rows.get_lines() if len(line.get_xdata()) == 1]
    assert [float(line.get_xdata()[0]) for line in points] == shares["share"]
    assert rows.get_lines()[0].get_xdata().tolist() == [0.3, 0.5]
    assert [one.get_text() for one in rows.get_yticklabels()][:2] == ["found", "shuffled pairs"]
    assert correlations.get_xlabel() == "largest rank correlation over orthologous genes"
    with pytest.raises(InputError, match="features of side b that were tested, found none"):
        gi.plot.match(tmp_path / "x.tsv", side="b")


def test_a_side_without_tested_features_cannot_be_drawn(files, tmp_path):
    paths = [files / f"{name}.h5" for name in "ab"]
    gi.match(*paths, tmp_path / "m.tsv", config={"n_rotations": 5, "min_bases": 5000})
    with pytest.raises(InputError, match="features of side b that were tested, found none"):
        gi.plot.match(tmp_path / "m.tsv", side="b")


def test_the_histogram_leaves_out_what_was_not_measured():
    matches = pd.DataFrame({"r": [0.5], "null_r": [0.1], "twin_r": [np.nan]})
    ax = plot_best_correlations(matches.assign(residual_partner_r=np.nan), min_r=0.7)
    assert len(ax.get_legend().get_texts()) == 2


def test_a_file_in_the_way_is_refused_before_the_work(files, tmp_path, monkeypatch):
    def work(*_, **__):
        pytest.fail("features were matched")

    monkeypatch.setattr("genointerp.command.compare.match.match_features", work)
    (tmp_path / "m.summary.tsv").write_text("something else\n")
    with pytest.raises(StorageError, match=r"m\.summary\.tsv: expected nothing"):
        gi.match(files / "a.h5", files / "b.h5", tmp_path / "m.tsv")
