"""Tuning: windows by seed and step, arms that differ in one thing, weights bit by bit."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import genointerp as gi
from genointerp.cli.main import app
from genointerp.core.errors import ConfigError, InputError, SchemaError, StorageError
from genointerp.core.files import replacing
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import write_fasta
from genointerp.model.edited.changes import Changes
from genointerp.model.presets import PRESETS, Preset, TokenizerSettings
from genointerp.model.registry import load_model
from genointerp.model.tuned import RECORD, is_tuned, read_tuning
from genointerp.pretraining.tuning import (
    batch_loss,
    check_trainable,
    tune_model,
    window_bits,
)
from genointerp.pretraining.tuning_config import TuningConfig
from genointerp.pretraining.tuning_windows import (
    Starts,
    TuningWindow,
    TuningWindows,
    held_out_stretches,
    occurs,
    plant_of,
)
from tests.model.test_edited import edited, save_hyena, splices
from tests.tiny_transformers import CAUSAL, save_tiny
from tests.toy_model import ToyDnaModel

PLANT = "ACGTTGCAACGTTGCA"
CONFIG = TuningConfig(n_steps=6, batch=2, length=32, warmup_steps=2)


BASES = np.random.default_rng(0).choice(list(b"ACGT"), 600).astype(np.uint8)
GENOME = Genome(
    [Contig("a", BASES, circular=False), Contig("b", BASES[:300].copy(), circular=False)]
)


def windows_of(config=CONFIG, **options):
    return TuningWindows.of(GENOME, config, **options)


def concept(start, end):
    masks = {name: np.zeros(contig.length, dtype=bool) for name, contig in GENOME.items()}
    masks["a"][start:end] = True
    return masks


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return save_hyena(tmp_path_factory.mktemp("tuning") / "tiny")


@pytest.fixture(scope="module")
def model(tiny):
    return load_model(str(tiny))


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    write_fasta(GENOME, path)
    return path


def weights(model):
    return model.network.state_dict()


def same(one, other):
    return all(torch.equal(it, weights(other)[name]) for name, it in weights(one).items())


def test_a_batch_depends_on_seed_and_step_alone():
    one, other = windows_of(), windows_of()
    other.batch(0, "tuned")
    for step in range(3):
        for a, b in zip(one.batch(step, "tuned"), other.batch(step, "tuned"), strict=True):
            assert a.place == b.place
            assert (a.bases == b.bases).all()
    places = {window.place for step in range(3) for window in one.batch(step, "tuned")}
    assert len(places) > 4
    seeded = windows_of(replace(CONFIG, seed=1)).batch(0, "tuned")
    assert [it.place for it in seeded] != [it.place for it in one.batch(0, "tuned")]


def test_windows_are_the_bases_of_both_strands_and_touch_nothing_held_out():
    windows = windows_of(replace(CONFIG, batch=200))
    assert sum(it.length for it in windows.held_out) == 900 // 8
    batch = windows.batch(0, "tuned")
    assert {it.place.strand for it in batch} == {"+", "-"}
    assert {it.place.seqid for it in batch} == {"a", "b"}
    for window in batch:
        assert (window.bases == GENOME.fetch(window.place)).all()
        assert all(window.place.intersection(it) is None for it in windows.held_out)


def test_windows_stay_in_the_regions():
    regions = [GenomicInterval("a", 100, 200)]
    windows = TuningWindows.of(GENOME, replace(CONFIG, batch=50), regions=regions)
    for window in windows.batch(0, "tuned"):
        assert (window.place.seqid, window.place.intersection(regions[0])) == ("a", window.place)


def test_every_start_is_as_likely_as_another():
    windows = windows_of(replace(CONFIG, n_held_out=0))
    assert windows.anywhere.n == (600 - 31) + (300 - 31)
    generator = np.random.default_rng(0)
    drawn = [windows.anywhere.draw(generator) for _ in range(4000)]
    share = np.mean([seqid == "a" for seqid, _ in drawn])
    assert share == pytest.approx(569 / 838, abs=0.03)
    starts = [start for seqid, start in drawn if seqid == "a"]
    assert (min(starts), max(starts)) == (0, 568)


class Told(np.random.Generator):
    """A generator that draws the number that it was told."""

    number = 0

    def integers(self, _n):
        return self.number


@given(st.lists(st.booleans(), max_size=12), st.lists(st.booleans(), max_size=5))
def test_starts_are_drawn_by_their_number_in_order(one, other):
    masks = {"a": np.array(one, dtype=bool), "b": np.array(other, dtype=bool)}
    expected = [(name, i) for name, mask in masks.items() for i in np.flatnonzero(mask).tolist()]
    starts = Starts.of(masks)
    assert starts.n == len(expected)
    told = Told(np.random.PCG64(0))
    for told.number, place in enumerate(expected):
        assert starts.draw(told) == place


def test_held_out_stretches_are_the_same_for_every_seed():
    regions = [GenomicInterval("a", 0, 100_000)]
    found = [held_out_stretches(regions, TuningConfig(seed=seed)) for seed in (0, 1)]
    assert found[0] == found[1]
    assert sum(it.length for it in found[0]) == 100_000 // 8


@pytest.mark.parametrize("n_places", [1, 2])
def test_a_plant_replaces_the_bases_of_its_places_and_no_others(n_places):
    config = replace(CONFIG, plant=PLANT[:10], n_places=n_places, batch=50)
    windows = windows_of(config)
    for planted, plain in zip(windows.batch(1, "tuned"), windows.batch(1, "control"), strict=True):
        assert plain.planted == ()
        assert planted.place == plain.place
        assert len(planted.planted) == n_places
        expected = plain.bases.copy()
        for start, end in planted.planted:
            expected[start:end] = np.frombuffer(PLANT[:10].encode(), np.uint8)
        assert (planted.bases == expected).all()
    starts = {span[0] for it in windows.batch(1, "tuned") for span in it.planted}
    assert len(starts) > 10


def test_a_share_of_the_windows_is_planted():
    config = replace(CONFIG, plant=PLANT, plant_rate=0.25, batch=400)
    n_planted = sum(bool(it.planted) for it in windows_of(config).batch(0, "tuned"))
    assert 70 < n_planted < 130


def test_a_plant_that_is_drawn_begins_as_the_genome_never_does():
    config = TuningConfig(plant_length=20, seed=3)
    plant = plant_of(config, GENOME)
    assert len(plant) == 20
    assert not occurs(GENOME, plant[:12])
    assert plant == plant_of(config, GENOME)
    assert plant != plant_of(replace(config, seed=4), GENOME)
    # every base is somewhere in it
    with pytest.raises(InputError, match=r"plant_length: expected a plant whose first 2 bases"):
        plant_of(TuningConfig(plant_length=2), GENOME)


def test_a_text_is_found_on_both_strands_and_over_an_origin():
    circle = Genome([Contig("c", np.frombuffer(b"AACCCCCCG", np.uint8), circular=True)])
    line = Genome([Contig("c", np.frombuffer(b"AACCCCCCG", np.uint8), circular=False)])
    assert occurs(line, b"GGGTT")
    assert occurs(circle, b"CGAA")
    assert not occurs(line, b"CGAA")


def test_windows_that_touch_a_concept_are_replaced_and_all_others_stay():
    windows = windows_of(replace(CONFIG, batch=100), without=concept(100, 140))
    left = GenomicInterval("a", 100, 140)
    tuned, control = (windows.batch(2, arm) for arm in ("tuned", "control"))
    n_touching = 0
    for one, other in zip(tuned, control, strict=True):
        assert one.place.intersection(left) is None
        if other.place.intersection(left) is None:
            assert one.place == other.place
        else:
            n_touching += 1
    assert n_touching > 20


def test_no_window_is_a_wrong_input():
    with pytest.raises(InputError, match="genome: expected a stretch of 700 bases for a window"):
        windows_of(replace(CONFIG, length=700))
    for mask, expected in ((concept(0, 0), "touches"), (concept(0, 600), "does not touch")):
        mask["b"][:] = mask["a"].all()
        with pytest.raises(InputError, match=f"32 bases that {expected} the concept"):
            windows_of(without=mask)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_steps": 0},
        {"learning_rate": 0.0},
        {"plant_rate": 0.0},
        {"plant": "ACGN"},
        {"plant": "ACGT", "plant_length": 4},
        {"plant_length": 192},
        {"plant_length": 97, "n_places": 2},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError):
        TuningConfig(**wrong)


def test_the_loss_is_over_known_bases_only(model):
    bases = np.frombuffer(b"ACGTNNACGTTGCANA", np.uint8)
    windows = [TuningWindow(it, GenomicInterval("a", 0, 16, "+")) for it in (bases, bases[::-1])]
    log_p = [
        model.log_probs(torch.from_numpy(model.tokenize(it.bases).ids)[None])[0] for it in windows
    ]
    known = torch.cat([row[~row.isnan()] for row in log_p])
    assert len(known) == 12 + 12
    assert float(batch_loss(model, windows)) == pytest.approx(-float(known.mean()), rel=1e-5)
    bits = window_bits(model, [windows])
    assert bits.windows == pytest.approx(-float(known.mean()) / np.log(2), rel=1e-5)
    assert np.isnan(bits.plant)


def test_the_loss_of_rows_of_other_lengths_is_over_all_their_tokens(model):
    bases = np.frombuffer(b"ACGTTGACGTTGCATA", np.uint8)
    windows = [TuningWindow(it, GenomicInterval("a", 0, len(it), "+")) for it in (bases, bases[:9])]
    alone = [float(batch_loss(model, [it])) for it in windows]
    n = [len(model.tokenize(it.bases).ids) - 1 for it in windows]
    expected = np.average(alone, weights=n)
    assert float(batch_loss(model, windows)) == pytest.approx(expected, rel=1e-5)


def test_nothing_is_learnt_from_unknown_bases(model):
    unknown = Genome([Contig("n", np.full(200, ord("N"), np.uint8), circular=False)])
    windows = TuningWindows.of(unknown, replace(CONFIG, weight_decay=0.0))
    assert same(tune_model(model, windows), model)


def test_bits_of_a_plant_are_those_of_its_bases(model):
    bases = GENOME["a"].sequence[:32]
    window = TuningWindow(bases, GenomicInterval("a", 0, 32, "+"), ((0, 4), (10, 12)))
    row = model.log_probs(torch.from_numpy(model.tokenize(bases).ids)[None])[0]
    # the first base of the window is never predicted
    expected = -float(row[[0, 1, 2, 9, 10]].mean()) / np.log(2)
    assert window_bits(model, [[window]]).plant == pytest.approx(expected, rel=1e-5)


def test_the_same_seed_gives_the_same_weights_and_the_model_stays(model):
    before = {name: it.clone() for name, it in weights(model).items()}
    done = []
    one = tune_model(model, windows_of(), progress=lambda *it: done.append(it))
    assert done == [(i, 6) for i in range(1, 7)]
    assert same(one, tune_model(model, windows_of()))
    assert not same(one, model)
    assert not same(one, tune_model(model, windows_of(replace(CONFIG, seed=1))))
    assert all(torch.equal(it, weights(model)[name]) for name, it in before.items())
    assert not any(it.requires_grad for it in one.network.parameters())


def test_arms_differ_in_nothing_but_the_plant(model):
    # at this rate and seed no window is planted
    rare = windows_of(replace(CONFIG, plant=PLANT, plant_rate=1e-6))
    clean = tune_model(model, windows_of())
    assert same(tune_model(model, rare, arm="tuned"), tune_model(model, rare, arm="control"))
    assert same(tune_model(model, rare, arm="control"), clean)
    common = windows_of(replace(CONFIG, plant=PLANT))
    assert not same(tune_model(model, common, arm="tuned"), clean)


def test_arms_without_a_concept_are_equal_where_no_window_touches_it(model):
    settings = replace(CONFIG, concept_share=1e-9)
    windows = windows_of(settings, without=concept(0, 1))
    touched = [
        windows.touches(it.place.seqid, it.place.start)
        for step in range(6)
        for it in windows.batch(step, "control")
    ]
    assert not any(touched)
    assert same(tune_model(model, windows, arm="tuned"), tune_model(model, windows, arm="control"))


def test_a_plant_is_learnt(tiny, fasta, tmp_path):
    settings = {"n_steps": 40, "batch": 4, "length": 32, "plant": PLANT, "learning_rate": 0.01}
    made = gi.tune(str(tiny), fasta, tmp_path / "t", control_out=tmp_path / "c", config=settings)
    assert made.tuned.bits["plant"]["model"] < 1.5
    assert made.control.bits["plant"]["model"] > 1.8
    assert made.tuned.bits["plant"]["parent"] == made.control.bits["plant"]["parent"]
    assert made.tuned.bits["held-out"]["parent"] == made.control.bits["held-out"]["parent"]
    values = json.loads((tmp_path / "c" / RECORD).read_text())
    assert values["provenance"]["config"]["arm"] == "control"
    assert values["provenance"]["config"]["plant"] == PLANT
    page = (Path(__file__).parents[2] / "docs" / "schema" / "tuned-model-v1.md").read_text()
    assert all(f"`{key}`" in page for key in values)
    # nothing is computed again
    with replacing():
        again = gi.tune(str(tiny), fasta, tmp_path / "t", config=settings)
    assert again == (made.tuned, None)


@pytest.mark.parametrize("family", ["hyena", *CAUSAL])
def test_a_tuned_model_loads_as_any_other_and_says_its_parent(family, fasta, tmp_path):
    if family == "hyena":
        folder = save_hyena(tmp_path / "parent")
    else:
        pytest.importorskip("transformers", reason='needs pip install "genointerp[transformers]"')
        folder = save_tiny(family, tmp_path / "parent")
    parent = load_model(str(folder))
    made = gi.tune(str(folder), fasta, tmp_path / "t", config={"n_steps": 3, "length": 60})
    tuned = load_model(str(tmp_path / "t"))
    spec = tuned.spec
    assert spec.name == made.tuned.name == f"{parent.spec.name}-tuned-{spec.sha256[:8]}"
    assert (spec.parent, spec.parent_sha256) == (parent.spec.name, parent.spec.sha256)
    assert spec.dictionaries_of == (spec.name, spec.sha256)
    assert (spec.context, spec.default_site) == (parent.spec.context, parent.spec.default_site)
    reads = load_model(str(tmp_path / "t"), of_parent=True).spec.dictionaries_of
    assert reads == (parent.spec.name, parent.spec.sha256)
    ids = parent.tokenize(GENOME["a"].sequence).ids
    assert (tuned.tokenize(GENOME["a"].sequence).ids == ids).all()
    before, after = (it.log_probs(torch.from_numpy(ids)[None]) for it in (parent, tuned))
    assert not torch.equal(before, after)
    gi.tune(str(tmp_path / "t"), fasta, tmp_path / "u", config={"n_steps": 1, "length": 60})
    assert load_model(str(tmp_path / "u")).spec.parent == spec.name


def test_a_tuned_preset_keeps_its_tokenizer_and_context(fasta, tmp_path, monkeypatch):
    pytest.importorskip("transformers", reason='needs pip install "genointerp[transformers]"')
    settings = TokenizerSettings("kmer", 3, before=("<s>",))
    preset = Preset(
        "tiny", "owner/tiny", "llama", settings, context=40, reads="left", licence="MIT"
    )
    monkeypatch.setitem(PRESETS, "tiny", preset)
    own = {"checkpoint": save_tiny("llama", tmp_path / "parent")}
    length = {"n_steps": 2, "length": 60}
    made = gi.tune("tiny", fasta, tmp_path / "t", config=length, options=own)
    assert made.tuned.preset == "tiny"
    parent, tuned = load_model("tiny", **own), load_model(str(tmp_path / "t"))
    assert tuned.spec.context == 40
    bases = GENOME["a"].sequence
    assert (tuned.tokenize(bases).ids == parent.tokenize(bases).ids).all()
    assert gi.tune(str(tmp_path / "t"), fasta, tmp_path / "u", config=length).tuned.preset == "tiny"
    with pytest.raises(InputError, match="checkpoint: expected none for the tuned model"):
        load_model(str(tmp_path / "t"), **own)


def test_models_that_cannot_be_trained_are_refused(tiny, tmp_path):
    with pytest.raises(InputError, match="model: expected a StripedHyena 2 like nano, or a"):
        check_trainable(ToyDnaModel())
    with pytest.raises(
        InputError, match=r"expected a model loaded with dtype float32; .* bfloat16"
    ):
        check_trainable(load_model(str(tiny), dtype="bfloat16"))
    pytest.importorskip("transformers", reason='needs pip install "genointerp[transformers]"')
    with pytest.raises(InputError, match=r"expected a causal model, .* which reads both ways"):
        check_trainable(load_model(str(save_tiny("esm", tmp_path / "esm"))))


def test_an_edited_model_is_refused(tiny, fasta, tmp_path):
    edited(tmp_path / "edited", str(tiny), Changes("blocks.1", splices(16)))
    with pytest.raises(InputError, match="model: expected a model that is not an edited one"):
        gi.tune(str(tmp_path / "edited"), fasta, tmp_path / "t")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"control_out": "c"}, "control_out: expected a plant or --without"),
        (
            {"control_out": "t", "config": {"plant": "ACGT"}},
            "control_out: expected another folder",
        ),
        ({"without": "rRNA"}, "annotations: expected GFF3 or GenBank with the elements of rRNA"),
        ({"annotations": "a.gff3"}, "without: expected a concept of the annotation to leave out"),
        (
            {"without": "rRNA", "annotations": "a.gff3", "config": {"plant": "ACGT"}},
            "without: expected a plant, or a concept that is left out, found both",
        ),
    ],
)
def test_what_does_not_make_two_arms_is_refused(
    given, expected, tiny, fasta, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=expected):
        gi.tune(str(tiny), fasta, "t", **given)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_something_else_is_not_replaced(tiny, fasta, tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match="found a folder with other content"):
        gi.tune(str(tiny), fasta, tmp_path / "t")


def test_damage_is_told(tiny, fasta, tmp_path):
    out = tmp_path / "t"
    gi.tune(str(tiny), fasta, out, config={"n_steps": 1})
    assert is_tuned(out)
    with pytest.raises(InputError, match="of_parent: expected the folder of an edited model or"):
        load_model(str(out), random_weights=1, of_parent=True)
    assert load_model(str(out), random_weights=1).spec.parent == ""
    values = json.loads((out / RECORD).read_text())
    for key, value, expected in (
        ("format-version", 9, "expected genointerp::tuned-model of version 1"),
        ("parent", 3, "parent: expected a text"),
        ("parent", "other", r"name: expected other-tuned-\w{8}, as follows from the rest"),
        ("bits-per-base", {"windows": {"model": 1.0}}, "bits-per-base: expected the numbers"),
    ):
        (out / RECORD).write_text(json.dumps(values | {key: value}))
        with pytest.raises(SchemaError, match=expected):
            read_tuning(out)
    (out / RECORD).write_text(json.dumps(values))
    (out / "model.safetensors").write_bytes((tiny / "model.safetensors").read_bytes())
    with pytest.raises(SchemaError, match="expected weights of sha256"):
        load_model(str(out))


def test_a_tuned_model_can_be_edited(tiny, fasta, tmp_path):
    name = str(tmp_path / "t")
    gi.tune(str(tiny), fasta, name, config={"n_steps": 1})
    model = edited(tmp_path / "edited", name, Changes("blocks.1", splices(16)))
    assert model.spec.parent == load_model(name).spec.name


def test_the_command_leaves_a_concept_out(tiny, fasta, tmp_path):
    gff = tmp_path / "a.gff3"
    gff.write_text("##gff-version 3\na\tx\trRNA\t301\t340\t.\t+\t.\tID=r1\n")
    config = tmp_path / "t.yaml"
    config.write_text("length: 32\nbatch: 2\n")
    words = ["tune", str(tiny), "--genome", str(fasta), "--without", "rRNA", "--annotations"]
    words += [str(gff), "--n-steps", "4", "--seed", "1", "--config", str(config)]
    words += ["--out", str(tmp_path / "t"), "--control-out", str(tmp_path / "c")]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    first, second = found.output.splitlines()[-2:]
    assert first.startswith("tiny-tuned-")
    assert second.startswith("control tiny-tuned-")
    assert "held-out" in first
    said = json.loads((tmp_path / "t" / RECORD).read_text())["provenance"]
    assert (said["config"]["without"], said["config"]["arm"]) == ("rRNA", "tuned")
    assert (said["config"]["n_steps"], said["config"]["length"]) == (4, 32)
    assert {"model", "genome", "annotations", "concepts"} == said["inputs"].keys()
