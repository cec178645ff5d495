"""Edits for good: exact where they can be, measured next to controls, and taken back."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import genointerp as gi
from genointerp.cli.main import app
from genointerp.command.build.encode import encode
from genointerp.command.build.harvest import harvest
from genointerp.command.intervene.edit import edit as edit_model
from genointerp.core.errors import (
    ConfigError,
    InputError,
    MismatchError,
    StorageError,
    UnknownNameError,
)
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import write_fasta
from genointerp.genome.windows import spread_stretches
from genointerp.intervention.editing.closed_form import fit_probe
from genointerp.intervention.editing.config import EditConfig
from genointerp.intervention.editing.effects import PARTS, Effects, measure_effects
from genointerp.intervention.editing.feature_change import feature_edit
from genointerp.intervention.editing.make import make_edit
from genointerp.intervention.editing.sample import (
    Subject,
    Variant,
    distribution,
    divergence,
    fit_stretches,
    sample,
    silent_stretches,
    since_fired,
)
from genointerp.intervention.editing.verdict import summarise_edit
from genointerp.intervention.editing.writing import judge_writing
from genointerp.model.edited.changes import network_of
from genointerp.model.edited.writers import last_writers, reading_keys
from genointerp.model.generation import generate
from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.model.registry import load_model
from genointerp.reading.fidelity import check_dictionary
from genointerp.reading.tokens import TokenBatch, genome_passages, sequence_passages, tokenised
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.io import save_sae
from genointerp.store.table.schema.editing import EDIT_EFFECTS, EDIT_FEATURES, EDIT_WRITING
from genointerp.store.table.table import read_table
from tests.tiny_transformers import save_tiny

SHAPE = HyenaConfig(
    vocab_size=8,
    d_model=16,
    d_mlp=24,
    mixers=("SE", "MR", "ATT"),
    n_heads=2,
    n_filter_groups=4,
    medium_taps=13,
)
SITE = "blocks.1"
CONFIG = EditConfig(
    n_fit=640,
    firing_share=0.0,
    n_test=320,
    n_silent=0,
    window=48,
    warmup=8,
    steps=3,
    n_matched=1,
    n_random=1,
    n_written=0,
)
EVERYWHERE = -1e9
"""A threshold below which no activation lies: a feature that is linear in them."""


def random_genome(seed, n=600):
    letters = np.random.default_rng(seed).choice(list(b"ACGT"), n).astype(np.uint8)
    return Genome([Contig("c", letters)])


def save_dictionary(folder, model, site, threshold, width=16):
    """Six random features, each read by its own threshold."""
    sae = make_sae(SaeConfig("jumprelu", n_features=6, k=6), width, seed=0)
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        sae.W_enc.copy_(torch.randn(width, 6, generator=draw))
        sae.threshold.fill_(threshold)
    spec = model.spec
    save_sae(sae, folder, {"model": spec.name, "model_sha256": spec.sha256, "site": site})
    return folder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A network far from its first weights, two genomes, and two dictionaries."""
    folder = tmp_path_factory.mktemp("tiny")
    network = StripedHyena(SHAPE)
    initialise(network, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith(("l3.weight", "out_filter_dense.weight", "out_proj.weight")):
                weight.mul_(10)
    place = folder / "model"
    save_model(network, place, name="tiny", context=64, default_site=SITE, licence="MIT")
    model = load_model(str(place))
    linear = save_dictionary(folder / "linear", model, f"{SITE}.mlp", EVERYWHERE)
    usual = save_dictionary(folder / "usual", model, SITE, 0.5)
    genomes = [random_genome(seed) for seed in (2, 3)]
    for name, genome in zip(("fit.fa", "test.fa"), genomes, strict=True):
        write_fasta(genome, folder / name)
    return SimpleNamespace(
        folder=folder, model=model, own=place, linear=linear, usual=usual, genomes=genomes
    )


def made(tiny, dictionary, method="closed-form", mode="ablate", value=None, config=CONFIG):
    own = Dictionary.load(dictionary)
    edit = feature_edit(own, 2, mode, value)
    found = make_edit(tiny.model, own, edit, method, tiny.genomes[0], config, is_forced=True)
    effects = measure_effects(tiny.model, tiny.genomes[1], own, found.subjects, config)
    return SimpleNamespace(edit=found, effects=effects, splices=edit.splices, own=own)


def batch_of(model, text="ACGTTGCAAC" * 4):
    return TokenBatch.of([tokenised(model, next(sequence_passages([text])))])


@pytest.mark.parametrize(("mode", "value"), [("ablate", None), ("scale", 3.0)])
def test_a_feature_that_is_linear_in_the_keys_is_edited_exactly(tiny, mode, value):
    config = replace(CONFIG, ridge=0.0)
    found = made(tiny, tiny.linear, mode=mode, value=value, config=config)
    assert found.edit.r2 == pytest.approx(1, abs=1e-6)
    assert found.edit.strength == 1
    batch = batch_of(tiny.model)
    plain = Variant(edits=[found.splices.at(f"{SITE}.mlp")])
    wanted, _ = distribution(tiny.model, batch, plain)
    clean, _ = distribution(tiny.model, batch, Variant())
    edited, _ = distribution(tiny.model, batch, Variant(found.edit.changes.weights))
    torch.testing.assert_close(edited, wanted, atol=1e-4, rtol=1e-4)
    assert float((clean - wanted).abs().max()) > 0.01
    own = found.effects.effects.set_index(["edit", "part"])
    assert own["bake"]["feature", "all"] == pytest.approx(1, abs=1e-4)
    # along another direction the same probe is no such edit
    assert own["bake"]["random direction", "all"] < 0.5


def test_only_the_last_writers_change_and_they_come_back(tiny):
    before = {name: it.clone() for name, it in network_of(tiny.model).named_parameters()}
    found = made(tiny, tiny.usual)
    names = {f"{SITE}.{part}" for part in ("mixer.out_filter_dense.weight", "mlp.l3.weight")}
    assert set(found.edit.changes.weights) == names | {f"{SITE}.mixer.out_filter_dense.bias"}
    for name, weight in network_of(tiny.model).named_parameters():
        assert torch.equal(weight, before[name])


def test_the_probe_is_weighted_ridge_regression_as_computed_by_hand(tiny):
    own = Dictionary.load(tiny.usual)
    edit = feature_edit(own, 2, "ablate", None)
    on = fit_stretches(tiny.model, tiny.genomes[0], SITE, edit.splices, CONFIG)
    probe = fit_probe(tiny.model, tiny.genomes[0], on, SITE, edit.splices, CONFIG)
    keys, wanted, weight = naive_rows(tiny, on.fit, own)
    penalty = np.full(keys.shape[1], CONFIG.ridge * np.trace((keys * weight).T @ keys))
    penalty = np.diag(np.append(penalty[:-1] / keys.shape[1], 0.0))
    g = np.linalg.solve((keys * weight).T @ keys + penalty, (keys * weight).T @ wanted)
    np.testing.assert_allclose(np.concatenate([*probe.g.values(), [probe.constant]]), g, rtol=1e-3)
    keys, wanted, _ = naive_rows(tiny, on.held_out, own)
    r2 = 1 - np.square(wanted - keys @ g).mean() / wanted.var()
    assert probe.r2 == pytest.approx(r2, abs=1e-4)


def naive_rows(tiny, regions, own):
    """What the writers read, the wanted change and the weight of each kept token, one by one."""
    keys, wanted, weight = [], [], []
    for window in CONFIG.reading.windows(tiny.model.spec, tiny.genomes[0], regions):
        read = tokenised(tiny.model, next(genome_passages(tiny.genomes[0], [window])))
        ids = torch.from_numpy(read.spans.ids)[None]
        with reading_keys(last_writers(tiny.model, SITE)) as keys_of:
            x = tiny.model.run(ids, capture=[SITE])[SITE]
        seen = [one[0].numpy() for one in keys_of.values()]
        amount = own.amounts(x)[0, :, 2].numpy()
        for token in range(window.warmup, len(amount)):
            recent = amount[max(0, token - CONFIG.silent_after + 1) : token + 1]
            keys.append(np.concatenate([*(part[token] for part in seen), [1.0]]))
            wanted.append(-amount[token])
            weight.append(1.0 if recent.any() else CONFIG.silent_weight)
    return np.array(keys), np.array(wanted), np.array(weight)[:, None]


def test_an_adapter_reproduces_all_and_its_controls_differ(tiny):
    found = made(tiny, tiny.usual, method="adapter", mode="set", value=1.5)
    table = found.effects.effects
    assert list(table["edit"].unique()) == ["feature", "matched feature", "random direction"]
    own = table.set_index(["edit", "part"])
    assert own["bake"]["feature", "all"] == pytest.approx(1)
    assert own["bake"]["random direction", "all"] < 1
    assert list(table["part"][: 1 + len(PARTS)]) == ["all", *PARTS]
    parts = own.loc["feature"]
    assert parts["n_tokens"][list(PARTS)].sum() == parts["n_tokens"]["all"]
    assert own["kl_edit"]["feature", "all"] == own["kl_activation"]["feature", "all"]


def test_figures_of_a_part_are_means_over_its_predictions(tiny):
    found = made(tiny, tiny.usual)
    effects = found.effects.effects.set_index(["edit", "part"])
    totals, regions = np.zeros(4), sample(tiny.model, tiny.genomes[1], CONFIG.n_test, CONFIG)
    for window in CONFIG.reading.windows(tiny.model.spec, tiny.genomes[1], regions):
        batch = TokenBatch.of(
            [tokenised(tiny.model, next(genome_passages(tiny.genomes[1], [window])))]
        )
        clean, x = distribution(tiny.model, batch, Variant(), (SITE,))
        wanted, _ = distribution(tiny.model, batch, Variant(edits=[found.splices.at(SITE)]))
        edited, _ = distribution(tiny.model, batch, Variant(found.edit.changes.weights))
        fires = found.own.amounts(x[SITE])[0, :, 2] > 0
        for token in range(len(fires) - 1):
            if token + 1 >= window.warmup and fires[token]:
                p, a, e = clean[0, token], wanted[0, token], edited[0, token]
                row = [divergence(a, p), divergence(a, e), divergence(p, e), torch.tensor(1.0)]
                totals += np.array([float(one) for one in row])
    fires = effects.loc["feature", "fires"]
    assert fires["n_tokens"] == totals[3]
    assert fires["bake"] == pytest.approx(1 - totals[1] / totals[0], rel=1e-4)
    assert fires["kl_edit"] == pytest.approx(totals[2] / totals[3], rel=1e-4)


def test_models_write_after_the_same_prompts_and_the_parent_judges_them(tiny):
    config = replace(CONFIG, n_written=3, prompt=12, written=20)
    own = Dictionary.load(tiny.usual)
    edit = feature_edit(own, 2, "set", 6.0)
    exact = make_edit(tiny.model, own, edit, "adapter", tiny.genomes[0], config).subjects[:1]
    table = judge_writing(tiny.model, tiny.genomes[1], SITE, exact, config).set_index("model")
    assert list(table.index) == ["parent", "activation edit", "edited"]
    assert table["identity"]["parent"] == 1
    assert table["identity"]["edited"] < 1
    # an adapter is its edit of activations
    pd.testing.assert_series_equal(
        table.loc["edited"], table.loc["activation edit"], check_names=False
    )
    prompts = [tiny.genomes[1].fetch(one) for one in prompts_of(tiny.genomes[1], 3, 12)]
    written = generate(tiny.model, prompts, "N" * 20, seed=config.seed)
    assert table["log_p"]["parent"] == pytest.approx(np.mean([it.log_p.mean() for it in written]))


@pytest.mark.parametrize(("length", "n"), [(11, 0), (12, 1), (29, 2)])
def test_a_genome_with_room_for_fewer_prompts_has_fewer_and_one_without_has_no_row(tiny, length, n):
    config = replace(CONFIG, n_written=5, prompt=12, written=6)
    own = Dictionary.load(tiny.usual)
    edit = feature_edit(own, 2, "set", 6.0)
    exact = make_edit(tiny.model, own, edit, "adapter", tiny.genomes[0], config).subjects[:1]
    genome = Genome([Contig("c", tiny.genomes[1]["c"].sequence[:length])])
    table = judge_writing(tiny.model, genome, SITE, exact, config)
    assert table["n_designs"].tolist() == [n] * (3 if n else 0)


def prompts_of(genome, n, length):
    return spread_stretches(genome.regions(genome), n_bases=n * length, length=length)


def test_stretches_are_added_where_the_feature_is_silent_longest(tiny):
    config = replace(CONFIG, n_test=160, n_silent=120, scan=3, silent_after=2)
    own = Dictionary.load(tiny.usual)
    splices = feature_edit(own, 2, "ablate", None).splices
    even = sample(tiny.model, tiny.genomes[1], config.n_test, config)
    found = silent_stretches(tiny.model, tiny.genomes[1], SITE, splices, config)
    wide = sample(tiny.model, tiny.genomes[1], 360, config)
    apart = [one for one in wide if not any(one.intersection(other) for other in even)]
    counts = {one: n_silent(tiny, own, one) for one in apart}
    assert 0 < len(found) <= 3
    left = [counts[one] for one in counts if one not in found]
    assert min(counts[one] for one in found) >= max(left)
    # they count to the silent parts alone
    subject = Subject("feature", 0, 2, splices, Variant(edits=[splices.at(SITE)]))
    tables = [
        measure_effects(tiny.model, tiny.genomes[1], own, [subject], it).effects.set_index("part")
        for it in (replace(config, n_silent=0), config)
    ]
    fewer, more = (table["n_tokens"] for table in tables)
    assert more["all"] == fewer["all"]
    assert more["fires"] == fewer["fires"]


def test_a_share_of_the_fit_is_where_the_feature_fires_most(tiny):
    config = replace(CONFIG, n_fit=320, firing_share=0.5, scan=3)
    own = Dictionary.load(tiny.usual)
    splices = feature_edit(own, 2, "ablate", None).splices
    found = fit_stretches(tiny.model, tiny.genomes[0], SITE, splices, config)
    chosen = {*found.fit, *found.held_out}
    even = sample(tiny.model, tiny.genomes[0], 160, config)
    wide = sample(tiny.model, tiny.genomes[0], 480, config)
    apart = [one for one in wide if not any(one.intersection(other) for other in even)]
    assert chosen >= {*even}
    firing = chosen - {*even}
    assert firing
    squares = {one: sum_of_squares(tiny, own, one) for one in apart}
    left = [squares[one] for one in apart if one not in firing]
    assert min(squares[one] for one in firing) >= max(left)


def sum_of_squares(tiny, own, region):
    total = 0.0
    for window in CONFIG.reading.windows(tiny.model.spec, tiny.genomes[0], [region]):
        read = tokenised(tiny.model, next(genome_passages(tiny.genomes[0], [window])))
        x = tiny.model.run(torch.from_numpy(read.spans.ids)[None], capture=[SITE])[SITE]
        total += float(own.amounts(x)[0, window.warmup :, 2].square().sum())
    return total


def n_silent(tiny, own, region):
    total = 0
    for window in CONFIG.reading.windows(tiny.model.spec, tiny.genomes[1], [region]):
        read = tokenised(tiny.model, next(genome_passages(tiny.genomes[1], [window])))
        x = tiny.model.run(torch.from_numpy(read.spans.ids)[None], capture=[SITE])[SITE]
        fires = own.amounts(x)[0, :, 2].numpy() > 0
        total += sum(not fires[i - 1 : i + 1].any() for i in range(window.warmup, len(fires)))
    return total


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_since_fired_counts_tokens_as_one_would(fires):
    found = since_fired(np.array([fires]))[0]
    for token, since in enumerate(found):
        before = [i for i in range(token + 1) if fires[i]]
        assert (since == token - before[-1]) if before else since > 10**8


def test_distil_comes_nearer_to_the_edit_of_activations(tiny):
    config = replace(CONFIG, steps=40, rate=1e-2)
    plain = made(tiny, tiny.usual, config=config)
    trained = made(tiny, tiny.usual, method="distil", config=config)
    bake = [
        it.effects.effects.set_index(["edit", "part"])["bake"]["feature", "all"]
        for it in (plain, trained)
    ]
    assert bake[1] > bake[0] + 0.05
    assert f"{SITE}.mlp.l1.weight" in trained.edit.changes.weights


def test_a_model_of_transformers_is_edited_in_its_last_writers(tmp_path):
    pytest.importorskip("transformers", reason='needs pip install "genointerp[transformers]"')
    model = load_model(str(save_tiny("qwen3", tmp_path / "model")))
    site = f"{SITE}.mlp"
    own = Dictionary.load(save_dictionary(tmp_path / "sae", model, site, EVERYWHERE, width=32))
    edit = feature_edit(own, 2, "ablate", None)
    config = replace(CONFIG, ridge=0.0, n_matched=0, n_random=0, n_fit=960)
    found = make_edit(model, own, edit, "closed-form", random_genome(2), config)
    assert list(found.changes.weights) == ["model.layers.1.mlp.down_proj.weight"]
    assert found.r2 == pytest.approx(1, abs=1e-5)
    effects = measure_effects(model, random_genome(3), own, found.subjects, config).effects
    assert effects["bake"][0] == pytest.approx(1, abs=1e-3)


def write(tiny, out, **given):
    settings = {"n_fit": 640, "n_test": 320, "n_silent": 80, "window": 48, "warmup": 8}
    settings |= {"n_matched": 1, "n_random": 1, "n_written": 0}
    return edit_model(
        out,
        str(tiny.own),
        sae=tiny.usual,
        feature=2,
        genome=tiny.folder / "fit.fa",
        test_genome=tiny.folder / "test.fa",
        config=settings | given.pop("config", {}),
        **given,
    )


def test_an_edited_folder_loads_refuses_the_parents_dictionary_and_is_undone(tiny, tmp_path):
    out = tmp_path / "edited"
    writes = {"n_written": 2, "prompt": 8, "written": 12}
    summary = write(tiny, out, method="closed-form", anyway=True, config=writes)
    model = load_model(str(out))
    assert model.spec.parent == "tiny"
    assert json.loads((out / "summary.json").read_text())["bake"] == pytest.approx(summary.bake)
    assert len(read_table(out / "effects.tsv", EDIT_EFFECTS)) == 3 * (1 + len(PARTS))
    assert len(read_table(out / "features.tsv", EDIT_FEATURES)) == 6
    assert len(read_table(out / "writing.tsv", EDIT_WRITING)) == 1 + 2 * 3
    own = Dictionary.load(tiny.usual)
    with pytest.raises(MismatchError, match="expected model tiny with weights"):
        check_dictionary(own, model)
    check_dictionary(own, load_model(str(out), of_parent=True))
    windows = {"window": 48, "warmup": 8}
    store = harvest(tiny.folder / "test.fa", tmp_path / "a.h5", model, site=SITE, **windows)
    encode(store, tiny.usual, tmp_path / "f.h5", of_parent=True)
    # what the parent's dictionary says is steered in the edited model, on a sample that it read
    stroke = gi.Stroke("c", 40, 60, "+", 3, "set", 2.0)
    steered = gi.steer(
        tiny.folder / "test.fa",
        tmp_path / "s.tsv",
        gi.Canvas((stroke,)),
        load_model(str(out), of_parent=True),
        sae=tiny.usual,
        config={"window": 48, "warmup": 8, "sample": 200, "labelled": 0, "n_random": 0},
    )
    assert "canvas" in set(steered["condition"])
    # once more: the same result in its place
    again = write(tiny, out, method="closed-form", anyway=True, config=writes)
    assert again.as_mapping() == summary.as_mapping()
    assert edit_model(tmp_path / "back", str(out), undo=True) is None
    assert load_model(str(tmp_path / "back")).spec == tiny.model.spec


def test_a_masked_model_gets_an_adapter_that_is_not_measured(tmp_path):
    pytest.importorskip("transformers", reason='needs pip install "genointerp[transformers]"')
    name = str(save_tiny("esm", tmp_path / "model"))
    model = load_model(name)
    sae = save_dictionary(tmp_path / "sae", model, SITE, 0.5, width=32)
    found = edit_model(tmp_path / "edited", name, sae=sae, feature=2)
    assert str(found) == "not measured"
    assert load_model(str(tmp_path / "edited")).spec.parent == model.spec.name
    assert not (tmp_path / "edited" / "effects.tsv").exists()
    with pytest.raises(InputError, match="a causal model"):
        edit_model(tmp_path / "other", name, sae=sae, feature=2, method="closed-form")


def test_the_command_says_what_became_of_it(tiny, tmp_path):
    words = f"edit --model {tiny.own} --sae {tiny.usual} --feature 2 --out {tmp_path / 'edited'} "
    words += f"--genome {tiny.folder / 'fit.fa'} --test-genome {tiny.folder / 'test.fa'} "
    settings = "n_fit: 640, n_test: 320, window: 48, warmup: 8, n_silent: 0, n_written: 0"
    (tmp_path / "edit.yaml").write_text(f"{{{settings}}}\n")
    words += f"--config {tmp_path / 'edit.yaml'}"
    result = CliRunner().invoke(app, words.split())
    assert result.exit_code == 0, result.output
    assert "bake 1.000" in result.output
    undo = f"edit --model {tmp_path / 'edited'} --undo --out {tmp_path / 'back'}"
    result = CliRunner().invoke(app, undo.split())
    assert result.exit_code == 0, result.output
    assert (tmp_path / "back" / "model.safetensors").read_bytes() == (
        tiny.own / "model.safetensors"
    ).read_bytes()


def test_a_probe_that_predicts_too_little_is_refused(tiny, tmp_path):
    with pytest.raises(InputError, match=r"expected a held-out R2 of 2 or more, or --anyway"):
        write(tiny, tmp_path / "edited", method="closed-form", config={"least_r2": 2.0})
    assert not (tmp_path / "edited").exists()


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"feature": None}, InputError, "feature: expected the number"),
        ({"feature": 77}, UnknownNameError, "a feature from 0 to 5"),
        ({"mode": "scale"}, ConfigError, "value of scale"),
        ({"value": 2.0}, ConfigError, "value of ablate"),
        ({"mode": "set", "value": float("nan")}, ConfigError, "finite number"),
        ({"mode": "set", "value": 1e30}, InputError, "stay finite, found NaN or infinity"),
        ({"genome": "test.fa"}, MismatchError, "another genome"),
        ({"sae": None}, InputError, "sae: expected a dictionary of"),
        ({"test_genome": None}, InputError, "one to fit on and another"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(tiny, tmp_path, given, error, message):
    usual = {"sae": tiny.usual, "feature": 2, "genome": tiny.folder / "fit.fa"}
    usual |= {"test_genome": tiny.folder / "test.fa"}
    usual["config"] = {"window": 48, "warmup": 8, "n_written": 0}
    if given.get("genome"):
        given = {"genome": tiny.folder / given["genome"]}
    with pytest.raises(error, match=message):
        edit_model(tmp_path / "edited", str(tiny.own), **(usual | given))
    assert not (tmp_path / "edited").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_sha256": "0" * 64}, "expected model tiny with weights 000000000000 as in"),
        ({"model": "other", "model_sha256": ""}, "expected model other"),
        ({"site": "blocks.7"}, "expected a site of tiny, 16 wide, found blocks.7"),
    ],
)
def test_a_dictionary_of_another_model_or_site_is_refused(tiny, tmp_path, changes, message):
    sae = make_sae(SaeConfig("jumprelu", n_features=6, k=6), 16, seed=0)
    spec = tiny.model.spec
    own = {"model": spec.name, "model_sha256": spec.sha256, "site": SITE}
    save_sae(sae, tmp_path / "sae", own | changes)
    with pytest.raises(MismatchError, match=message):
        edit_model(tmp_path / "edited", str(tiny.own), sae=tmp_path / "sae", feature=2)
    assert not (tmp_path / "edited").exists()


def test_a_folder_that_is_there_is_not_replaced(tiny, tmp_path):
    (tmp_path / "edited").mkdir()
    (tmp_path / "edited" / "mine.txt").write_text("mine")
    with pytest.raises(StorageError, match="edited: expected nothing, or the same result"):
        write(tiny, tmp_path / "edited")
    assert [it.name for it in (tmp_path / "edited").iterdir()] == ["mine.txt"]
    adapter = tmp_path / "adapter"
    write(tiny, adapter)
    with pytest.raises(StorageError, match="edited: expected nothing"):
        edit_model(tmp_path / "edited", str(adapter), undo=True)
    assert (tmp_path / "edited" / "mine.txt").read_text() == "mine"
    with pytest.raises(InputError, match="undo: expected the folder of an edited model"):
        edit_model(tmp_path / "back", str(tiny.own), undo=True)


def test_a_dictionary_whose_features_compete_is_refused(tiny, tmp_path):
    sae = make_sae(SaeConfig("topk", n_features=6, k=2), 16, seed=0)
    spec = tiny.model.spec
    save_sae(sae, tmp_path, {"model": spec.name, "model_sha256": spec.sha256, "site": SITE})
    with pytest.raises(InputError, match="features are read alone"):
        feature_edit(Dictionary.load(tmp_path), 2, "ablate", None)


@pytest.mark.parametrize(
    ("bake", "silent", "verdict"),
    [
        (0.9, 0.0005, "clean"),
        (0.9, 0.01, "leaky"),
        (0.2, 0.0, "failed"),
        (np.nan, 0.0, "not measured"),
    ],
)
def test_the_verdict_is_by_thresholds(bake, silent, verdict):
    kl = [1.0, 1.0, 1.0, silent, silent]
    found = summary_of(bake, kl, n_tokens=[100, 100, 100, 40, 60])
    assert (found.verdict, found.n_moved_activation, found.n_moved) == (verdict, 1, 1)
    assert found.kl_silent == pytest.approx(silent)


@pytest.mark.parametrize(
    ("n_tokens", "silent_from", "n_silent", "kl_silent"),
    [
        ([9, 90, 90, 60, 40], 32, 100, (60 * 4 + 40 * 5) / 100),
        ([9, 90, 90, 0, 50], 32, 50, 5.0),
        ([9, 90, 30, 19, 1], 8, 50, (30 * 3 + 19 * 4 + 5) / 50),
        ([9, 90, 50, 0, 0], 8, 50, 3.0),
    ],
)
def test_the_silent_figure_is_of_the_farthest_tokens_that_are_enough(
    n_tokens, silent_from, n_silent, kl_silent
):
    kl = [np.nan if not n else float(i) for i, n in enumerate(n_tokens, 1)]
    found = summary_of(0.9, kl, n_tokens)
    assert (found.silent_from, found.n_silent) == (silent_from, n_silent)
    assert found.kl_silent == pytest.approx(kl_silent)
    assert found.kl_silent_activation == pytest.approx(2 * kl_silent)
    assert f"{silent_from} tokens or more after it fired" in str(found)


@pytest.mark.parametrize(("bake", "verdict"), [(0.9, "never silent"), (0.2, "failed")])
def test_an_edit_is_not_clean_where_the_feature_is_never_silent(bake, verdict):
    found = summary_of(bake, [0.0] * 5, n_tokens=[100, 100, 30, 19, 0])
    assert found.verdict == verdict
    assert (found.silent_from, found.n_silent) == (0, 0)
    assert np.isnan(found.kl_silent)
    assert str(found) == f"{verdict}: bake {bake:.3f}, held-out R2 0.800"


def summary_of(bake, kl, n_tokens):
    """The summary of an edit by what it changes in the parts, fires first."""
    parts = ["all", *PARTS]
    frame = pd.DataFrame({"edit": "feature", "part": parts, "bake": bake})
    frame["n_tokens"] = [sum(n_tokens), *n_tokens]
    frame["kl_edit"] = [1.0, *kl]
    frame["kl_activation"] = 2 * frame["kl_edit"]
    features = pd.DataFrame({"z_activation": [0.0, 5.0], "z_edited": [-4.0, np.nan]})
    return summarise_edit(Effects(frame, features, pd.DataFrame()), 0.8, 1.0, EditConfig())


def test_settings_out_of_range_are_refused():
    for wrong in (
        {"n_fit": 0},
        {"warmup": 1024},
        {"ridge": -1.0},
        {"strengths": ()},
        {"rate": 0.0},
    ):
        with pytest.raises(ConfigError):
            EditConfig(**wrong)
