"""Ablation against a naive twin, and on a toy model in which one can see what must hurt."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.command.intervene.ablate import ablate as ablate_file
from genointerp.core.errors import (
    ConfigError,
    CoordinateError,
    InputError,
    MismatchError,
    UnknownNameError,
)
from genointerp.core.provenance import Provenance
from genointerp.feature.encode import encode_store
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import read_genome
from genointerp.intervention.ablation import AblationConfig, ablate_features, matched_features
from genointerp.model.edits import replace as put
from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.model.registry import load_model
from genointerp.reading.firing_windows import drawn_intervals
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.reading.tokens import genome_passages, tokenised
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.io import save_sae
from genointerp.store.table.schema.candidate import ABLATION, CANDIDATES
from genointerp.store.table.table import read_provenance, read_table, write_table
from tests.toy_model import ToyDnaModel

CONFIG = AblationConfig(n_windows=3, n_matched=7, window=48, warmup=16, batch=3)
SHAPE = HyenaConfig(
    vocab_size=8,
    d_model=16,
    d_mlp=24,
    mixers=("SE", "MR", "LI", "ATT"),
    n_heads=2,
    n_filter_groups=4,
)


@pytest.fixture(scope="module")
def genome():
    # runs, which a model that bets on repeats predicts well; an unknown base in one of them
    letters = np.repeat(np.random.default_rng(0).choice(list(b"ACGT"), 60), 4).astype(np.uint8)
    letters[101] = ord("N")
    return Genome([Contig("c", letters)])


def chain(folder, model, genome, site, encoder, decoder):
    """A dictionary of given weights and the features of a genome under it."""
    sae = make_sae(SaeConfig("topk", n_features=len(decoder), k=len(decoder)), len(encoder), seed=0)
    with torch.no_grad():
        sae.W_dec.copy_(decoder)
        sae.W_enc.copy_(encoder)
    spec = model.spec
    metadata = {"model": spec.name, "model_sha256": spec.sha256, "site": site}
    save_sae(sae, folder / "sae", metadata)
    reading = HarvestConfig(window=48, warmup=16)
    store = harvest(model, genome, site=site, out=folder / "a.h5", config=reading)
    return encode_store([store], folder / "sae", folder / "f.h5")


@pytest.fixture(scope="module")
def toy(tmp_path_factory, genome):
    """Features 0 to 7 are the channels; 8 never fires; 9 fires on A, and writes nothing."""
    folder = tmp_path_factory.mktemp("toy")
    encoder = torch.cat([torch.eye(8), torch.zeros(8, 1), torch.eye(8)[:, :1]], dim=1)
    decoder = torch.cat([torch.eye(8), torch.zeros(2, 8)])
    store = chain(folder, ToyDnaModel(), genome, "blocks.0", encoder, decoder)
    return SimpleNamespace(model=ToyDnaModel(), sae=folder / "sae", store=store)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory, genome):
    """A network with every kind of block, read in its middle, and random directions."""
    folder = tmp_path_factory.mktemp("tiny")
    network = StripedHyena(SHAPE)
    initialise(network, torch.Generator().manual_seed(0))
    # far from its first weights, so that what is ablated matters
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith(("l3.weight", "out_filter_dense.weight", "out_proj.weight")):
                weight.mul_(20)
    place = folder / "model"
    save_model(network, place, name="tiny", context=64, default_site="blocks.1", licence="MIT")
    model = load_model(str(place))
    draw = torch.Generator().manual_seed(1)
    encoder, decoder = torch.randn(16, 6, generator=draw), torch.randn(6, 16, generator=draw)
    store = chain(folder, model, genome, "blocks.1", encoder, decoder)
    return SimpleNamespace(model=model, sae=folder / "sae", store=store, folder=folder)


def naive(found, genome, feature, direction, config):
    """Nats lost over all windows by whole runs of the model, token by token; and firing bases."""
    sae, site = Dictionary.load(found.sae).sae, Dictionary.load(found.sae).header.site
    lost = n_bases = 0
    length = config.window - config.warmup
    for interval in drawn_intervals(
        found.store, feature, config.n_windows, length=length, seed=config.seed
    ):
        reading = HarvestConfig(config.window, config.warmup, strands=(interval.strand,))
        (window,) = reading.windows(found.model.spec, genome, [interval])
        read = tokenised(found.model, next(genome_passages(genome, [window])))
        tokens = torch.from_numpy(read.spans.ids)[None]
        x = found.model.run(tokens, capture=[site])[site][0].clone()
        amount = sae.encode(x)[:, feature].detach()
        clean = found.model.log_probs(tokens)[0]
        for token in range(window.warmup, len(x)):
            x[token] -= amount[token] * direction
            n_bases += int(amount[token] > 0)
        ablated = found.model.log_probs(tokens, edits=[put(site, x)])[0]
        for token in range(max(1, window.warmup), len(x)):
            if not clean[token - 1].isnan():
                lost += float(clean[token - 1] - ablated[token - 1])
    return lost, n_bases


@pytest.mark.parametrize("kind", ["toy", "tiny"])
def test_effects_are_those_of_whole_runs_of_the_model(kind, request, genome):
    found = request.getfixturevalue(kind)
    table = ablate_features(found.model, genome, found.sae, found.store, config=CONFIG)
    weights = Dictionary.load(found.sae).sae.W_dec.detach()
    counts = found.store.n_firing("+") + found.store.n_firing("-")
    usable = np.where((weights.norm(dim=1) > 0).numpy(), counts, 0)
    assert table["feature"].tolist() == list(range(len(weights)))
    checked = 0
    for row in table.to_dict(orient="records"):
        feature = row["feature"]
        lost, n_bases = naive(found, genome, feature, weights[feature], CONFIG)
        assert row["n_tokens"] == n_bases
        if not n_bases:
            continue
        checked += 1
        assert row["loss_effect"] == pytest.approx(lost / n_bases, abs=1e-5)
        matched = [
            naive(
                found,
                genome,
                feature,
                weights[other] / weights[other].norm() * weights[feature].norm(),
                CONFIG,
            )[0]
            / n_bases
            for other in matched_features(usable, feature, CONFIG.n_matched, CONFIG.seed)
        ]
        assert row["loss_effect_matched"] == pytest.approx(np.mean(matched), abs=1e-5)
        assert row["loss_effect_matched_sd"] == pytest.approx(np.std(matched, ddof=1), abs=1e-5)
    assert checked > 4
    assert table["loss_effect"].abs().max() > 0.01


def test_removing_what_the_model_bets_on_hurts_more_than_matched_features(toy, genome):
    table = ablate_features(
        toy.model, genome, toy.sae, toy.store, features=[0, 1, 2, 3], config=CONFIG
    )
    assert (table["loss_effect"] > 0.1).all()
    assert (table["loss_effect"] > table["loss_effect_matched"]).all()
    # against all seven other features that fire and write
    assert table["p_value"].tolist() == [1 / 8] * 4
    assert table["n_windows"].tolist() == [3] * 4


def test_a_feature_that_the_prediction_does_not_use_is_no_better_than_others(toy, genome):
    table = ablate_features(toy.model, genome, toy.sae, toy.store, features=[7], config=CONFIG)
    assert table["loss_effect"][0] == pytest.approx(0, abs=1e-6)
    assert table["p_value"][0] > 0.3


def test_the_loss_of_one_run_of_bases_is_what_one_works_out(tmp_path):
    # one window on each strand, all of it kept: A eight times, or T, whose channel is the feature
    genome = Genome([Contig("c", np.frombuffer(b"AAAAAAAA", np.uint8))])
    store = chain(
        tmp_path, ToyDnaModel(), genome, "blocks.0", torch.eye(8)[:, :2], torch.eye(8)[:2]
    )
    config = AblationConfig(n_windows=1, window=8, warmup=0)
    table = ablate_features(
        ToyDnaModel(), genome, tmp_path / "sae", store, features=[0], config=config
    )
    # seven of eight bases are predicted, with p = e / (e + 3) before and 1/4 after
    expected = 7 * (np.log(4) - np.log((np.e + 3) / np.e)) / 8
    assert table["loss_effect"][0] == pytest.approx(expected, abs=1e-6)
    assert (table["n_tokens"][0], table["n_windows"][0]) == (8, 1)
    # no other feature fires on this genome: there is nothing to compare with
    assert table[["loss_effect_matched", "loss_effect_matched_sd", "p_value"]].isna().all(axis=None)


def test_a_silent_feature_has_no_effect_and_one_that_writes_nothing_has_none_to_lose(toy, genome):
    table = ablate_features(toy.model, genome, toy.sae, toy.store, features=[8, 9], config=CONFIG)
    silent, empty = table.to_dict(orient="records")
    assert np.isnan([silent[name] for name in ABLATION.names[1:5]]).all()
    assert (silent["n_tokens"], silent["n_windows"]) == (0, 0)
    assert empty["loss_effect"] == empty["loss_effect_matched"] == 0
    assert empty["p_value"] == 1
    assert empty["n_tokens"] > 0


def test_the_same_seed_gives_the_same_table_and_another_other_windows_and_matches(tiny, genome):
    def table(seed):
        config = replace(CONFIG, n_matched=2, seed=seed)
        return ablate_features(tiny.model, genome, tiny.sae, tiny.store, config=config)

    assert table(0).equals(table(0))
    assert not table(0)["loss_effect"].equals(table(1)["loss_effect"])
    assert not table(0)["loss_effect_matched"].equals(table(1)["loss_effect_matched"])


def test_matched_features_fire_about_as_often_and_are_others():
    n_firing = np.array([0, 10, 11, 12, 900, 1000, 1100, 9, 0], dtype=np.int64)
    assert matched_features(n_firing, 5, 9, seed=0).tolist() == [1, 2, 3, 4, 6, 7]
    drawn = {
        int(other) for seed in range(40) for other in matched_features(n_firing, 1, 1, seed=seed)
    }
    # the four nearest
    assert drawn == {2, 3, 7, 4}
    assert matched_features(np.array([0, 5]), 1, 3, seed=0).tolist() == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"n_windows": 0}, "n_windows: expected at least 1, found 0", id="windows"),
        pytest.param({"n_matched": 0}, "n_matched: expected at least 1", id="matched"),
        pytest.param({"warmup": 48}, "0 <= warmup < window=48, found 48", id="warmup"),
    ],
)
def test_a_wrong_number_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        replace(CONFIG, **changes)


def test_what_does_not_belong_together_is_refused(toy, tiny, genome):
    with pytest.raises(MismatchError, match="expected model toy"):
        ablate_features(tiny.model, genome, toy.sae, tiny.store)
    with pytest.raises(MismatchError, match=r"h5: expected dictionary .* as in .*, found"):
        ablate_features(toy.model, genome, toy.sae, tiny.store)
    other = Genome([Contig("c", np.frombuffer(b"ACGT", np.uint8))])
    with pytest.raises(MismatchError, match=r"h5: expected genome .* as in genome, found"):
        ablate_features(toy.model, other, toy.sae, toy.store)
    with pytest.raises(UnknownNameError, match="a feature from 0 to 9, found 10"):
        ablate_features(toy.model, genome, toy.sae, toy.store, features=[10])
    config = replace(CONFIG, regions=("c:1-9,999",))
    with pytest.raises(CoordinateError, match=r"9,?999"):
        ablate_features(toy.model, genome, toy.sae, toy.store, config=config)


def test_a_masked_model_is_refused_with_the_reason(toy, genome):
    model = ToyDnaModel()
    model.spec = replace(model.spec, reads="both")
    with pytest.raises(InputError, match=r"a causal model: the loss is .* toy, which reads both"):
        ablate_features(model, genome, toy.sae, toy.store)


@pytest.fixture
def files(tiny, genome, tmp_path):
    fasta = tmp_path / "g.fa"
    fasta.write_text(">c\n" + genome["c"].sequence.tobytes().decode() + "\n")
    contigs = read_genome(fasta)
    assert contigs.sha256 == genome.sha256
    return fasta, tiny.sae, tiny.store.path


def test_the_command_writes_the_table_with_its_provenance(files, tiny, tmp_path):
    out = tmp_path / "ablation.tsv"
    fasta, sae, features = files
    arguments = ["ablate", features, "--model", tiny.folder / "model", "--sae", sae]
    arguments += ["--genome", fasta, "--feature", "4", "--feature", "f/1"]
    arguments += ["--region", "c:21-200", "--n-windows", "2", "--window", "40", "--warmup", "8"]
    result = CliRunner().invoke(app, [*map(str, arguments), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "2 features ablated" in result.output
    table = read_table(out, ABLATION)
    assert table["feature"].tolist() == [4, 1]
    assert table["loss_effect"].notna().all()
    provenance = read_provenance(out, ABLATION)
    assert provenance["inputs"].keys() == {"genome", "model", "sae", "features"}
    assert provenance["config"]["features"] == ["4", "f/1"]
    assert provenance["config"]["regions"] == ["c:21-200"]
    assert (provenance["config"]["n_windows"], provenance["config"]["window"]) == (2, 40)


def test_the_first_candidates_are_ablated_after_the_named_features(files, tiny, tmp_path):
    table = candidates([3, 5, 0])
    inputs = {"sae": tiny.store.header.sae_sha256}
    write_table(table, tmp_path / "candidates.tsv", CANDIDATES, Provenance({}, inputs))
    out, config = tmp_path / "o.parquet", replace(CONFIG, top=2)
    ranked = tmp_path / "candidates.tsv"
    fasta, sae, features = files
    given = {"genome": fasta, "sae": sae, "candidates": ranked, "config": config}
    found = ablate_file(features, out, tiny.model, feature=["5", 2], **given)
    assert found["feature"].tolist() == [5, 2, 3]
    assert "candidates" in read_provenance(out, ABLATION)["inputs"]
    assert read_table(out, ABLATION).equals(found)


def test_candidates_of_another_dictionary_are_not_ablated(files, tiny, tmp_path):
    record = Provenance({}, {"sae": "c" * 64})
    write_table(candidates([3]), tmp_path / "candidates.tsv", CANDIDATES, record)
    ranked = tmp_path / "candidates.tsv"
    message = r"candidates\.tsv: expected dictionary \w{12} as in .*, found dictionary cccc"
    with pytest.raises(MismatchError, match=message):
        ablate_file(
            files[2],
            tmp_path / "o.tsv",
            tiny.model,
            genome=files[0],
            candidates=ranked,
            config=CONFIG,
        )


def candidates(features):
    blank = {"string": "", "int64": 0, "float64": np.nan}
    rows = [
        {
            column.name: blank[column.kind]
            for column in CANDIDATES.columns
            if column.status == "REQUIRED"
        }
        | {"rank": rank, "feature": feature}
        for rank, feature in enumerate(features, 1)
    ]
    return pd.DataFrame(rows)


def test_progress_is_told_of_features(toy, genome):
    told = []
    ablate_features(
        toy.model,
        genome,
        toy.sae,
        toy.store,
        features=[8, 0],
        config=CONFIG,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(1, 2), (2, 2)]
