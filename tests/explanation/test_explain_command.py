"""The command `explain`: its tables, what it takes of a run, and what it refuses."""

import inspect
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

import genointerp as gi
from genointerp.cli.main import app
from genointerp.core.errors import InputError, MismatchError, StorageError
from genointerp.explanation.explain import FeatureNames
from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.network import StripedHyena, initialise
from genointerp.model.registry import load_model
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.io import save_sae
from genointerp.store.graph.file import read_graph
from genointerp.store.table.schema.explanation import EXPLAINED, EXPLANATION
from genointerp.store.table.table import read_provenance, read_table
from tests.intervention.test_ablation import SHAPE

SETTINGS = {"context": 30, "n_nodes": 12, "n_exact": 4, "n_next": 9}
OPTIONS = ["--context", 30, "--n-nodes", 12, "--n-exact", 4, "--n-next", 9]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    letters = np.random.default_rng(0).choice(list("ACGT"), 300)
    letters[99], letters[150] = "A", "N"
    (folder / "g.fa").write_text(f">c\n{''.join(letters)}\n")
    network = StripedHyena(SHAPE)
    initialise(network, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(2)
    place = folder / "model"
    save_model(network, place, name="tiny", context=64, default_site="blocks.1", licence="MIT")
    spec = load_model(str(place)).spec
    metadata = {"model": spec.name, "model_sha256": spec.sha256}
    for site in ("blocks.0", "blocks.1"):
        sae = make_sae(SaeConfig("relu", n_features=30, k=30), 16, seed=0)
        names = {"feature_names": {"start": 3}} if site == "blocks.0" else {}
        save_sae(sae, folder / site, metadata | {"site": site} | names)
    vcf = folder / "v.vcf"
    vcf.write_text(
        "##fileformat=VCFv4.2\nc\t100\t.\tA\tG,AT\nc\t2\t.\t{}\t{}\n".format(
            letters[1], "A" if letters[1] != "A" else "C"
        )
    )
    return SimpleNamespace(
        folder=folder, genome=folder / "g.fa", model=place, sae=folder / "blocks.0", vcf=vcf
    )


def run(files, out, *more):
    words = ["explain", files.genome, "--model", files.model, "--sae", files.sae]
    words += ["--out", out, *OPTIONS, *more]
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_writes_what_the_function_returns(files, tmp_path):
    out = tmp_path / "e.tsv"
    result = run(files, out, "--at", "c:100", "--at", "c:81-84")
    assert result.exit_code == 0, result.output
    assert f"2 questions -> {out}" in re.sub(r", \d whose strands disagree", "", result.output)
    nodes = read_table(out, EXPLANATION)
    summary = read_table(tmp_path / "e.summary.tsv", EXPLAINED)
    found = gi.explain(
        files.genome,
        tmp_path / "again.tsv",
        str(files.model),
        at=["c:100", "c:81-84"],
        sae=files.sae,
        config=SETTINGS,
    )
    pd.testing.assert_frame_equal(found.nodes, nodes)
    pd.testing.assert_frame_equal(found.summary, summary)
    assert summary["strand"].tolist() == ["+", "-"] * 2
    assert summary["ref"].tolist()[:2] == ["A", "A"]
    assert summary["complete"].all()
    assert set(summary["strands_agree"]) <= {0, 1}
    for (question, strand), rows in nodes.groupby(["question", "strand"]):
        own = summary[(summary["question"] == question) & (summary["strand"] == strand)].iloc[0]
        assert rows["attribution"].sum() == pytest.approx(own["features"] + own["errors"], abs=1e-4)
        assert abs(own["features"] + own["errors"] - own["change"]) == pytest.approx(
            own["gap"], abs=1e-4
        )
        assert len(rows) == 14
        assert rows["exact"].notna().sum() == 4
        assert (rows["offset"] <= 3).all()
        # the base before an offset of -1 on + is the base itself less one
        one = rows[(rows["offset"] == -1) & (rows["kind"] == "feature")]
        step = -1 if strand == "+" else own["end"] - own["start"]
        assert (one["start"] == own["start"] + step).all()
    recorded = read_provenance(out, EXPLANATION)
    assert recorded["config"]["at"] == ["c:100", "c:81-84"]
    assert recorded["inputs"].keys() == {"genome", "model", "sae"}


def test_strands_agree_if_what_they_say_has_one_sign(files, tmp_path):
    of_bases = gi.explain(
        files.genome,
        tmp_path / "bases.tsv",
        str(files.model),
        at=[f"c:{base}" for base in range(60, 64)],
        sae=files.sae,
        config=SETTINGS,
    ).summary
    of_variants = gi.explain(
        files.genome,
        tmp_path / "variants.tsv",
        str(files.model),
        variant=[f"c:100:A>{alt}" for alt in "CGT"] + ["c:100:A>AC"],
        sae=files.sae,
        config=SETTINGS,
    ).summary
    # of bases the sum over the features of largest sum is what has a sign: "0 +0.1; 7 -0.2"
    sums = of_bases["top"].map(lambda it: sum(float(one.split()[-1]) for one in it.split("; ")))
    for table, number in ((of_bases, sums), (of_variants, of_variants["change"])):
        pairs = number.to_numpy().reshape(-1, 2)
        assert (np.abs(pairs) > 0.005).all()
        expected = (pairs > 0).all(1) | (pairs < 0).all(1)
        assert table["strands_agree"].tolist() == expected.astype(int).repeat(2).tolist()
        assert set(expected) == {True, False}


def test_a_vcf_has_a_row_for_each_variant_and_strand(files, tmp_path):
    out = tmp_path / "v.tsv"
    result = run(files, out, "--vcf", files.vcf)
    assert result.exit_code == 0, result.output
    assert "3 questions, 1 not decomposed" in result.output
    summary = read_table(tmp_path / "v.summary.tsv", EXPLAINED)
    assert summary["kind"].tolist() == ["variant"] * 2 + ["indel"] * 2 + ["variant"] * 2
    indel = summary[summary["kind"] == "indel"]
    assert indel["features"].isna().all()
    assert indel["change"].abs().gt(0).all()
    assert (indel["steps"] == 0).all()
    decomposed = summary[summary["steps"] > 0]
    gap = (decomposed["features"] + decomposed["errors"] - decomposed["change"]).abs()
    np.testing.assert_allclose(gap, decomposed["gap"], atol=1e-5)
    # 9 bases are counted behind a variant, and one is left before the second base on -
    assert summary["n_next"].tolist() == [9, 9, 9, 9, 9, 1]
    assert set(read_table(out, EXPLANATION)["question"]) == {
        "c:100:A>G",
        summary["question"].iloc[-1],
    }
    single = run(files, tmp_path / "s.tsv", "--variant", "100:A>G", "--strand", "-")
    assert single.exit_code == 0, single.output
    assert "c:100:A>G: - log_p" in single.output
    alone = read_table(tmp_path / "s.summary.tsv", EXPLAINED)
    assert alone["change"].item() == pytest.approx(summary["change"].iloc[1])
    assert alone["strands_agree"].item() == -1


def test_a_feature_is_explained_by_those_below_it(files, tmp_path):
    out = tmp_path / "f.tsv"
    of = ["--feature", "f/7", "--of", files.folder / "blocks.1", "--at", "c:100"]
    result = run(files, out, *of, "--strand", "+")
    assert result.exit_code == 0, result.output
    assert "f/7 of blocks.1 at c:100: + pre_activation" in result.output
    nodes = read_table(out, EXPLANATION)
    # a feature is read at the base itself
    assert nodes["offset"].max() == 0
    named = nodes[nodes["feature"] == 3]
    assert (named["name"] == "start").all()
    assert read_table(tmp_path / "f.summary.tsv", EXPLAINED)["log_p"].isna().all()
    upside_down = [*of, "--sae", files.folder / "blocks.1"]
    result = run(files, tmp_path / "g.tsv", *upside_down)
    assert isinstance(result.exception, InputError)
    assert "expected a feature of a site above blocks.1" in str(result.exception)
    assert "mutate --feature explains it by bases" in str(result.exception)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param([], "question: expected one of at, variant and vcf, found none", id="nothing"),
        pytest.param(
            ["--at", "c:9", "--variant", "100:A>G"], "found at and variant", id="two-questions"
        ),
        pytest.param(["--at", "c:1"], "expected bases before the first one", id="no-context"),
        pytest.param(
            ["--at", "c:149-155", "--strand", "-"],
            "prediction of c:149-155 on -: expected bases that the model can predict "
            "(A, C, G and T), found another letter as base 5 of these",
            id="N",
        ),
        pytest.param(["--at", "c:301"], "1 <= first <= last <= 300 on c", id="beyond"),
        pytest.param(["--at", "d:9"], "expected a region of c", id="contig"),
        pytest.param(["--variant", "100:G>A"], "expected the genome's A at c:100", id="ref"),
        pytest.param(["--at", "c:9", "--feature", "3"], "found feature alone", id="no-dictionary"),
        pytest.param(["--at", "c:9", "--n-exact", "13"], "from 0 to n_nodes=12", id="n-exact"),
        pytest.param(["--at", "c:100", "--at", "c:1"], "bases before the first", id="second"),
        pytest.param(
            ["--variant", "100:A>G", "--baseline", "shuffle"],
            "baseline: expected none: a variant is compared with its REF, found shuffle",
            id="baseline",
        ),
        pytest.param(
            ["--variant", "100:A>G", "--measure", "log_odds"],
            "measure: expected none: of a variant it is log_p, found log_odds",
            id="measure",
        ),
        pytest.param(["--at", "c:9", "--dtype", "bfloat16"], "dtype float32", id="half"),
    ],
)
def test_what_cannot_be_explained_is_answered_in_one_line(files, tmp_path, options, message):
    result = run(files, tmp_path / "e.tsv", *options)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert not (tmp_path / "e.tsv").exists()


def test_a_strand_is_plus_or_minus(files, tmp_path):
    # without the types, which run in tests alone
    explain = inspect.unwrap(gi.explain)
    with pytest.raises(InputError, match="strand: expected one of '\\+', '-', found 'x'"):
        explain(files.genome, tmp_path / "e.tsv", at="c:9", sae=files.sae, strand="x")


def test_a_strand_without_bases_behind_a_variant_does_not_disagree(files, tmp_path):
    first = gi.read_genome(files.genome)["c"].sequence[:1].tobytes().decode()
    result = run(
        files, tmp_path / "e.tsv", "--variant", f"1:{first}>{'A' if first != 'A' else 'C'}"
    )
    assert result.exit_code == 0, result.output
    assert "agree" not in result.output
    summary = read_table(tmp_path / "e.summary.tsv", EXPLAINED)
    assert summary["n_next"].tolist() == [9, 0]
    assert summary["strands_agree"].tolist() == [-1, -1]


def test_every_base_is_asked_for_before_one_is_explained(files, tmp_path):
    done = []
    with pytest.raises(InputError, match="expected bases before the first one"):
        gi.explain(
            files.genome,
            tmp_path / "e.tsv",
            str(files.model),
            at=["c:100", "c:1"],
            sae=files.sae,
            config=SETTINGS,
            progress=lambda *it: done.append(it),
        )
    assert done == []


@pytest.mark.parametrize("asked", [{"at": "c:100"}, {"variant": "100:A>G"}], ids=["at", "variant"])
def test_progress_moves_within_a_question_and_can_end_it_there(files, tmp_path, asked):
    class Ended(Exception):
        """Nobody wants it any more."""

    done = []

    def report(*both):
        done.append(both)
        if len(done) == n_reports:
            raise Ended

    options = {"sae": files.sae, "config": SETTINGS | {"batch": 2}, "progress": report}
    out, n_reports = tmp_path / "e.tsv", None
    gi.explain(files.genome, out, str(files.model), **asked, **options)
    assert done == sorted(done)
    assert done[-1] == (200, 200)
    # 10 gradients or more and 2 ablations on each strand, two at a time
    assert len(done) >= 24
    done.clear()
    n_reports = 5
    with pytest.raises(Ended):
        gi.explain(files.genome, tmp_path / "f.tsv", str(files.model), **asked, **options)
    assert done[-1][0] < 100
    assert not (tmp_path / "f.tsv").exists()


def test_a_long_stretch_is_refused(files, tmp_path):
    long = tmp_path / "long.fa"
    long.write_text(f">c\n{'ACGT' * 300}\n")
    with pytest.raises(InputError, match=r"c: expected one base, or a stretch of at most 1,024"):
        gi.explain(long, tmp_path / "e.tsv", str(files.model), at="c", sae=files.sae)


def test_a_dictionary_of_another_model_is_refused(files, tmp_path):
    with pytest.raises(MismatchError, match="model"):
        gi.explain(files.genome, tmp_path / "e.tsv", "nano", at="c:100", sae=files.sae)


def test_features_are_called_by_their_name_or_else_their_concept():
    names = FeatureNames({1: "start"}, {1: "CDS sense", 2: "tRNA sense"})
    assert [names.of(it) for it in (1, 2, 3)] == ["f/1 (start)", "f/2 (tRNA sense)", "f/3"]


def test_a_graph_has_the_nodes_of_the_table(files, tmp_path):
    out, graph = tmp_path / "e.tsv", tmp_path / "e.json"
    result = run(files, out, "--at", "c:100", "--strand", "+", "--graph-out", graph)
    assert result.exit_code == 0, result.output
    assert re.search(
        r"c:100: \+ contrast .*, change .* = features .*, errors .* \(gap", result.output
    )
    found, nodes = read_graph(graph), read_table(out, EXPLANATION)
    listed = nodes[nodes["kind"].isin(["feature", "error"])]
    assert (
        "".join(found.tokens)
        == gi.read_genome(files.genome)["c"].sequence[69:100].tobytes().decode()
    )
    np.testing.assert_allclose(found.weight, listed["attribution"], rtol=1e-5)
    sources = [found.nodes[i] for i in found.source.tolist()]
    assert [it.interval.start for it in sources] == listed["start"].tolist()
    assert [it.feature for it in sources] == listed["feature"].tolist()
    (prediction,) = (it for it in found.nodes if it.kind == "prediction")
    assert set(found.target.tolist()) == {found.nodes.index(prediction)}
    assert prediction.interval.start == 99
    summary = read_table(tmp_path / "e.summary.tsv", EXPLAINED)
    assert prediction.activation == pytest.approx(summary["value"].item())
    assert np.log(prediction.probability) == pytest.approx(summary["log_p"].item(), abs=1e-4)


def test_a_graph_is_of_one_question_on_one_strand(files, tmp_path):
    options = ["--at", "c:100", "--graph-out", tmp_path / "e.json"]
    result = run(files, tmp_path / "e.tsv", *options)
    assert isinstance(result.exception, InputError)
    assert "graph_out: expected one question on one strand" in str(result.exception)
    assert not (tmp_path / "e.tsv").exists()


def test_a_graph_of_two_strands_is_refused_before_the_work(files, tmp_path):
    done = []
    with pytest.raises(InputError, match=r"graph_out: expected one question .* found 2"):
        gi.explain(
            files.genome,
            tmp_path / "e.tsv",
            str(files.model),
            at="c:100",
            sae=files.sae,
            graph_out=tmp_path / "e.json",
            config=SETTINGS,
            progress=lambda *it: done.append(it),
        )
    assert done == []


@pytest.mark.parametrize("name", ["e.summary.tsv", "e.json"])
def test_no_work_is_done_for_an_output_that_may_not_be_replaced(files, tmp_path, name):
    (tmp_path / name).write_text("something else")
    done = []
    with pytest.raises(StorageError, match=f"{name}: expected nothing, or the same result"):
        gi.explain(
            files.genome,
            tmp_path / "e.tsv",
            str(files.model),
            at="c:100",
            sae=files.sae,
            strand="+",
            graph_out=tmp_path / "e.json",
            config=SETTINGS,
            progress=lambda *it: done.append(it),
        )
    assert done == []


def test_of_a_variant_the_record_has_what_was_used(files, tmp_path):
    out = tmp_path / "e.tsv"
    twice = ["--variant", "100:A>G", "--variant", "c:100:A>G", "--strand", "+"]
    result = run(files, out, *twice)
    assert result.exit_code == 0, result.output
    # asked twice is asked once
    assert len(read_table(tmp_path / "e.summary.tsv", EXPLAINED)) == 1
    config = read_provenance(out, EXPLANATION)["config"]
    assert (config["baseline"], config["measure"]) == ("counterfactual", "log_p")
