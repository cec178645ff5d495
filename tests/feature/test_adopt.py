import json
import re
from dataclasses import asdict, replace
from itertools import pairwise

import h5py
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.command.ask.export import export
from genointerp.command.build.adopt import AdoptConfig
from genointerp.command.build.adopt import adopt as adopt_dictionary
from genointerp.core.errors import (
    ConfigError,
    InputError,
    MismatchError,
    SchemaError,
    StorageError,
    UnknownNameError,
)
from genointerp.feature.encode import encode_store
from genointerp.feature.query import query_region
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.formats.published import PUBLISHED
from genointerp.sae.formats.registry import FORMATS
from genointerp.store.feature.store import FeatureStore
from tests.dictionaries import metadata_of
from tests.published import TINY, published_tensors, write_published
from tests.stores import activation_header, write_activations, write_features

HEADER = activation_header(d_in=8, model="evo2_7b_262k", site="blocks.26")


@pytest.fixture(autouse=True)
def tiny_entry(monkeypatch):
    monkeypatch.setitem(PUBLISHED, "evo2-layer-26-mixed", TINY)


@pytest.fixture
def file(tmp_path):
    return write_published(tmp_path / "published.pt")


def rows(n=320, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 8)).astype(np.float16).astype(np.float32)


@pytest.fixture
def activations(tmp_path):
    return write_activations(tmp_path / "a.h5", rows(), header=HEADER)


def test_threshold_and_figures_are_those_of_one_call_without_the_first_rows_of_windows(
    tmp_path, file, activations
):
    found = adopt_dictionary(file, [activations], tmp_path / "sae")
    offset = activations.window_offset
    x = np.concatenate([rows()[a + 16 : b] for a, b in pairwise(offset)])
    tensors = {name: t.double().numpy() for name, t in published_tensors().items()}
    z = x.astype(float) @ tensors["_orig_mod.W"] + tensors["_orig_mod.b_enc"]
    ranked = np.sort(z.ravel())[::-1]
    # windows of 25, 20 and 15 bases, of which 9, 4 and none are left
    assert found.n_rows == len(x) == 2 * (4 * 9 + 4 + 9)
    assert found.threshold == pytest.approx(ranked[2 * len(x)], rel=1e-5)
    # the threshold is the largest z left out, here in float64
    f = np.where(z > found.threshold * (1 + 1e-6), z, 0)
    x_hat = f @ tensors["_orig_mod.W"].T + tensors["_orig_mod.b_dec"]
    assert found.l0 == TINY.k
    expected = ((x - x_hat) ** 2).sum() / ((x - x.mean(axis=0)) ** 2).sum()
    assert found.fvu == pytest.approx(expected, rel=1e-4)
    assert found.dead_share == (f == 0).all(axis=0).mean()
    loaded = Dictionary.load(tmp_path / "sae")
    assert float(loaded.sae.threshold) == found.threshold
    assert metadata_of(loaded)["adopted"]["n_rows"] == len(x)
    assert metadata_of(loaded)["adopted"]["activations"][0]["genome_sha256"] == "g" * 64


def test_fewer_rows_are_taken_from_pieces_that_the_seed_chooses(tmp_path, file, activations):
    def adopt(**settings):
        config, out = AdoptConfig(**settings), tmp_path / str(settings["seed"])
        return adopt_dictionary(file, [activations], out, config=config)

    first = adopt(n_rows=20, seed=1)
    assert 20 <= first.n_rows < 30
    assert adopt(n_rows=20, seed=1) == first
    assert adopt(n_rows=20, seed=2).threshold != first.threshold
    with pytest.raises(ConfigError, match="n_rows: expected 1 or more, found 0"):
        AdoptConfig(n_rows=0)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("model", "evo2_7b", r"model evo2_7b_262k as in .*, found model evo2_7b; .*nearly dead"),
        ("site", "blocks.25", r"site blocks\.26 as in .*, found site blocks\.25$"),
        ("d_in", 9, "width 8 as in .*, found width 9"),
    ],
)
def test_activations_of_another_model_site_or_width_are_refused(
    tmp_path, file, field, value, message
):
    values = {"d_in": 8, "model": "evo2_7b_262k", "site": "blocks.26", field: value}
    x = np.zeros((320, values["d_in"]), np.float32)
    other = write_activations(tmp_path / "o.h5", x, header=activation_header(**values))
    with pytest.raises(MismatchError, match=rf"o\.h5: expected {message}"):
        adopt_dictionary(file, [other], tmp_path / "sae")
    assert not (tmp_path / "sae").exists()


def test_no_rows_to_read_are_refused(tmp_path, file):
    with pytest.raises(InputError, match="activations: expected at least one store"):
        adopt_dictionary(file, [], tmp_path / "sae")
    windows = [GenomicInterval("chrA", 0, 16, "+")]
    short = write_activations(tmp_path / "s.h5", rows(16), header=HEADER, windows=windows)
    with pytest.raises(InputError, match="expected windows of more than 16 rows"):
        adopt_dictionary(file, [short], tmp_path / "sae")


def test_an_adopted_dictionary_encodes_by_the_name_of_its_model_alone(tmp_path, file, activations):
    adopt_dictionary(file, [activations], tmp_path / "sae")
    values = {"d_in": 8, "model": "evo2_7b_262k", "site": "blocks.26", "model_sha256": "0" * 64}
    header = activation_header(**values)
    copy = write_activations(tmp_path / "copy.h5", rows(), header=header)
    store = encode_store([copy], tmp_path / "sae", tmp_path / "f.h5")
    assert store.header.model_sha256 == "0" * 64
    assert store.header.feature_names == TINY.feature_names
    other = write_activations(
        tmp_path / "o.h5", rows(), header=activation_header(**values | {"model": "evo2_7b"})
    )
    with pytest.raises(MismatchError, match=r"o\.h5: .*found model evo2_7b; .*nearly dead"):
        encode_store([other], tmp_path / "sae", tmp_path / "f2.h5")


def test_features_are_found_by_number_and_by_name(tmp_path, file, activations):
    adopt_dictionary(file, [activations], tmp_path / "sae")
    store = encode_store([activations], tmp_path / "sae", tmp_path / "f.h5")
    assert [store.find_feature(one) for one in ("tRNA", 3, "3", "f/3", "ORF", "exon")] == [
        3, 3, 3, 3, 5, 5,
    ]  # fmt: skip
    assert store.names_of(5) == ["ORF", "exon"]
    assert store.names_of(4) == []
    by_name = query_region(store, "chrA", feature="tRNA")
    assert set(by_name["feature"]) == {3}
    assert by_name.equals(query_region(store, "chrA", feature=3))
    export(store, "tRNA", out=tmp_path / "name.bedgraph")
    export(store, 3, out=tmp_path / "number.bedgraph")
    assert (tmp_path / "name.bedgraph").read_bytes() == (tmp_path / "number.bedgraph").read_bytes()


def test_a_name_that_no_feature_has_is_refused_with_the_list(tmp_path, file, activations):
    adopt_dictionary(file, [activations], tmp_path / "sae")
    store = encode_store([activations], tmp_path / "sae", tmp_path / "f.h5")
    message = r"f\.h5: feature: expected a number or a name \(ORF, exon, tRNA\), found 'mRNA'"
    with pytest.raises(UnknownNameError, match=message):
        export(store, "mRNA", out=tmp_path / "t.bw")
    with pytest.raises(UnknownNameError, match="expected a feature from 0 to 31, found 32"):
        store.find_feature("f/32")
    nameless = write_features(tmp_path / "n.h5", {s: np.ones((160, 2), np.float32) for s in "+-"})
    with pytest.raises(UnknownNameError, match="the dictionary has none"):
        nameless.find_feature("tRNA")


def test_names_that_are_no_json_object_are_refused(tmp_path):
    path = write_features(tmp_path / "f.h5", {s: np.ones((160, 2), np.float32) for s in "+-"}).path
    with h5py.File(path, "r+") as file:
        file.attrs["feature-names"] = '["tRNA"]'
    with pytest.raises(
        SchemaError, match=r"f\.h5: attribute 'feature-names': expected features by"
    ):
        FeatureStore(path)


def test_from_the_published_file_to_the_track_by_commands(tmp_path, file):
    fasta, gff3 = tmp_path / "g.fa", tmp_path / "g.gff3"
    fasta.write_text(f">chrA\n{'ACGTTG' * 20}\n>chrB\n{'ACGT' * 10}\n")
    gff3.write_text("##gff-version 3\nchrA\t.\tgene\t11\t40\t.\t+\t.\tID=g1;Name=trnX\n")
    header = replace(HEADER, genome_sha256=read_genome(fasta).sha256)
    activations = write_activations(tmp_path / "a.h5", rows(), header=header)

    def run(*arguments):
        done = CliRunner().invoke(app, [str(one) for one in arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    sae, features = tmp_path / "sae", tmp_path / "f.h5"
    said = run("adopt", file, activations.path, "--out", sae)
    assert said.startswith("threshold=")
    assert " l0=2.0 " in said
    run("encode", activations.path, "--sae", sae, "--out", features)
    run("export", features, "tRNA", "--out", tmp_path / "tRNA.bw")
    run("plot", "feature", features, "tRNA", "--out", tmp_path / "tRNA.png")
    region = ["chrA:1-120", "--genome", fasta, "--annotations", gff3, "--feature", "tRNA"]
    run("plot", "region", features, *region, "--out", tmp_path / "region.svg")
    texts = re.findall(r"<text [^>]*>(.*?)</text>", (tmp_path / "region.svg").read_text())
    assert {"f/3", "tRNA"} <= {*texts}
    found = json.loads(run("query", features, "chrA", "--feature", "tRNA", "--format", "json"))
    assert {row["feature"] for row in found} == {3}
    assert FeatureStore(features).header.sae_sha256 == Dictionary.load(sae).header.sha256


def test_a_folder_of_another_library_is_adopted_by_its_command(tmp_path, activations):
    theirs = make_sae(SaeConfig("batch_topk", n_features=32, k=2), 8, seed=1)
    FORMATS["dictionary_learning"].write(theirs, tmp_path / "theirs", asdict(HEADER))

    def adopt(out):
        arguments = ["adopt", tmp_path / "theirs", activations.path, "--out", out]
        return CliRunner().invoke(app, [*map(str, arguments), "--format", "dictionary_learning"])

    done = adopt(tmp_path / "sae")
    assert done.exit_code == 0, done.output
    loaded = Dictionary.load(tmp_path / "sae")
    # its threshold is unset: k features a base on average of all rows, as nothing is cold
    z = np.sort((rows() @ theirs.W_enc.detach().numpy()).ravel())[::-1]
    assert z[640] * (1 - 1e-5) <= float(loaded.sae.threshold) < z[639]
    assert loaded.header.site == "blocks.26"
    assert metadata_of(loaded)["source"] == "dictionary_learning: theirs"
    assert torch.equal(loaded.sae.W_dec, theirs.W_dec)
    encode_store([activations], tmp_path / "sae", tmp_path / "f.h5")
    before = (tmp_path / "theirs/ae.pt").read_bytes()
    again = adopt(tmp_path / "theirs")
    assert "a folder other than the one that is read" in str(again.exception)
    assert (tmp_path / "theirs/ae.pt").read_bytes() == before
    assert not (tmp_path / "theirs/cfg.json").exists()


def test_a_dictionary_is_not_adopted_into_a_folder_of_something_else(tmp_path, file, activations):
    theirs = make_sae(SaeConfig("topk", n_features=32, k=2), 8)
    FORMATS["sparsify"].write(theirs, tmp_path / "theirs", asdict(HEADER))
    with pytest.raises(StorageError, match=r"theirs: expected nothing, or the same result"):
        adopt_dictionary(file, [activations], tmp_path / "theirs")
