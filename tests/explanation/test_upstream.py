"""The commands `mutate` and `dependency`: their tables, and what they refuse."""

import inspect

import pandas as pd
import pytest
from typer.testing import CliRunner

import genointerp as gi
from genointerp.cli.main import app
from genointerp.core.errors import ConfigError, InputError, StorageError
from genointerp.explanation.reader import Reader
from genointerp.explanation.upstream import UpstreamConfig, in_short
from genointerp.model.registry import load_model
from genointerp.store.table.schema.mutagenesis import CHAIN, DEPENDENCY, EXPLAINING_BASES
from genointerp.store.table.table import read_provenance, read_table
from tests.toy_model import ToyDnaModel

TEXT = "ACGTTGCAACGGTTACATTTGAAGACCGTGATTACGCTAGGCATCGATTTNACG"
SMALL = {"upstream": 3, "context": 30, "n_bases": 1, "n_features": 2}


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "genome.fa"
    path.write_text(f">c\n{TEXT}\n")
    return path


@pytest.fixture(scope="module")
def nano():
    return load_model("nano")


def test_mutate_writes_the_bases_of_both_strands_and_the_chain(genome, tmp_path, nano):
    out, chain = tmp_path / "bases.tsv", tmp_path / "chain.tsv"
    found = gi.mutate(genome, out, "c:41", nano, sae="shipped:nano", chain_out=chain, config=SMALL)
    table = read_table(out, EXPLAINING_BASES)
    pd.testing.assert_frame_equal(table, found.bases)
    assert table["strand"].tolist() == ["+"] * 3 + ["-"] * 3
    assert table["start"].tolist() == [37, 38, 39, 43, 42, 41]
    assert table["question"].unique().tolist() == ["c:41"]
    linked = read_table(chain, CHAIN)
    assert linked["node"].tolist()[2:4] == ["other", "error"]
    for strand, rows in linked.groupby("strand"):
        own = table[table["strand"] == strand]
        assert rows["effect"].iloc[0] == own["mean_effect"][own["mean_effect"].abs().idxmax()]
        assert abs(rows["contribution"].sum() - rows["effect"].iloc[0]) <= rows["gap"].iloc[0]
    assert in_short(found).startswith("c:41 on +: ")
    assert in_short(found).endswith("; and 1 more")


def test_mutate_explains_a_feature_of_the_dictionary_by_its_bases(genome, tmp_path, nano):
    out = tmp_path / "bases.tsv"
    found = gi.mutate(
        genome, out, "c:41", nano, sae="shipped:nano", feature=86, strand="+", config=SMALL
    )
    assert found.chain is None
    assert found.bases["offset"].tolist() == [-2, -1, 0]
    assert found.bases["question"].iloc[0] == "f/86 of blocks.5 at c:41"


def test_a_prediction_depends_on_no_dictionary(genome, tmp_path):
    arguments = ["c:41", "--model", "nano", "--strand", "-", "--upstream", "2", "--context", "9"]
    out = tmp_path / "bases.tsv"
    arguments += ["--sae", "shipped:nano"]
    result = CliRunner().invoke(app, ["mutate", str(genome), *arguments, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "c:41 on -: " in result.output
    assert len(read_table(out, EXPLAINING_BASES)) == 2
    # nor does its table depend on the one that is named
    assert set(read_provenance(out, EXPLAINING_BASES)["inputs"]) == {"genome", "model"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"at": ()}, "at: expected a base or a stretch, found none"),
        ({"at": "c:1", "strand": "+"}, "expected bases before the first one"),
        ({"at": "c:51", "strand": "+"}, "expected bases that the model can predict"),
        ({"chain_out": "chain.tsv"}, "sae: expected a dictionary"),
        ({"feature": 3}, "sae: expected the dictionary of the feature, found none"),
        (
            {"feature": 3, "sae": "shipped:nano", "chain_out": "chain.tsv"},
            "chain: expected a prediction",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_answered_in_one_line(genome, tmp_path, nano, more, message):
    asked = {"at": "c:41", "config": SMALL} | more
    if "chain_out" in asked:
        asked["chain_out"] = tmp_path / asked["chain_out"]
    with pytest.raises(InputError, match=message) as error:
        gi.mutate(genome, tmp_path / "bases.tsv", model=nano, **asked)
    assert "\n" not in str(error.value)


def test_a_model_of_half_precision_needs_no_gradients_but_for_a_chain(genome, tmp_path):
    arguments = ["mutate", str(genome), "c:41", "--model", "nano", "--dtype", "bfloat16"]
    arguments += ["--strand", "-", "--upstream", "2", "--context", "9", "--sae", "shipped:nano"]
    out = ["--out", str(tmp_path / "bases.tsv")]
    result = CliRunner().invoke(app, [*arguments, *out])
    assert result.exit_code == 0, result.output
    assert "if replaced -> " in result.output
    table = read_table(tmp_path / "bases.tsv", EXPLAINING_BASES)
    assert table["mean_effect"].notna().all()
    assert table["gradient"].isna().all()
    out = ["--out", str(tmp_path / "again.tsv"), "--chain-out", str(tmp_path / "chain.tsv")]
    chained = CliRunner().invoke(app, [*arguments, *out])
    assert "dtype float32" in str(chained.exception)


def test_a_strand_is_plus_or_minus(genome, tmp_path, nano):
    # without the types, which run in tests alone
    mutate = inspect.unwrap(gi.mutate)
    with pytest.raises(ConfigError, match="strand: expected one of '\\+', '-', found 'x'"):
        mutate(genome, tmp_path / "bases.tsv", "c:41", nano, strand="x")


def test_every_base_is_asked_for_before_one_is_replaced(genome, tmp_path, nano):
    done = []
    with pytest.raises(InputError, match="expected bases before the first one"):
        gi.mutate(
            genome,
            tmp_path / "bases.tsv",
            ["c:41", "c:1"],
            nano,
            strand="+",
            config=SMALL,
            progress=lambda *it: done.append(it),
        )
    assert done == []


def test_no_work_is_done_for_a_chain_that_may_not_be_replaced(genome, tmp_path, nano):
    chain = tmp_path / "chain.tsv"
    chain.write_text("something else")
    done = []
    with pytest.raises(StorageError, match=r"chain\.tsv: expected nothing, or the same result"):
        gi.mutate(
            genome,
            tmp_path / "bases.tsv",
            "c:41",
            nano,
            sae="shipped:nano",
            chain_out=chain,
            config=SMALL,
            progress=lambda *it: done.append(it),
        )
    assert done == []


def test_a_dictionary_that_nothing_needs_is_not_loaded(genome, tmp_path, nano):
    found = gi.mutate(
        genome,
        tmp_path / "bases.tsv",
        ["c:41", "c:41"],
        nano,
        strand="+",
        sae=tmp_path / "missing",
        config=SMALL,
    )
    # asked twice is asked once
    assert len(found.bases) == 3


def test_a_genome_alone_does_not_say_which_model(genome):
    with pytest.raises(InputError, match="model: expected a model by name, a dictionary, or a run"):
        Reader.open(genome, None)


@pytest.mark.parametrize("name", ["context", "steps", "n_bases", "n_features", "upstream"])
def test_settings_are_positive(name):
    with pytest.raises(ConfigError, match=f"{name}: expected at least 1, found 0"):
        UpstreamConfig(**{name: 0})


def test_dependency_writes_the_map_of_a_region(genome, tmp_path):
    out = tmp_path / "map.tsv"
    table = gi.dependency(genome, out, "c:11-16", ToyDnaModel(), config={"context": 4})
    pd.testing.assert_frame_equal(read_table(out, DEPENDENCY), table)
    assert len(table) == 30
    again = tmp_path / "plus.tsv"
    arguments = ["c:11-14", "--model", "nano", "--strand", "+", "--n-shuffles", "0"]
    result = CliRunner().invoke(app, ["dependency", str(genome), *arguments, "-o", str(again)])
    assert result.exit_code == 0, result.output
    assert "\n6 pairs; most: " in result.output
    assert read_table(again, DEPENDENCY)["strand"].unique().tolist() == ["+"]
