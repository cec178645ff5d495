"""Joint ablation and mediation: those of a planted network, against naive twins."""

import itertools
from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from genointerp.annotation.concepts import COLUMNS, Concept, ConceptElements
from genointerp.cli.main import app
from genointerp.command.explain.mediate import mediate as mediate_file
from genointerp.core.errors import ConfigError, InputError, MismatchError, UnknownNameError
from genointerp.core.provenance import Provenance
from genointerp.feature.encode import encode_store
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.windows import window_sequence
from genointerp.reading.firing_windows import FiringWindows
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.reading.tokens import TokenBatch
from genointerp.sae.dictionary import Dictionary
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.circuit import CIRCUIT_FAMILIES
from genointerp.store.table.schema.edge import MEDIATION
from genointerp.store.table.table import read_table, write_table
from genointerp.wiring.bench import Bench, ConceptBases, Losses, MediationConfig, Reading
from genointerp.wiring.group import Group, Member, Plan, joint_effects
from genointerp.wiring.mediation import measure_groups
from genointerp.wiring.stack import SiteNodes, Stack
from tests.wiring.planted_model import PlantedModel, save_channels

READING = HarvestConfig(window=48, warmup=16)
CONFIG = MediationConfig(n_windows=4, n_matched=5, window=32, warmup=24, skip=0, batch=7)


@pytest.fixture(scope="module")
def genome():
    return Genome(
        [Contig("c", np.random.default_rng(3).choice(list(b"ACGT"), 400).astype(np.uint8))]
    )


@pytest.fixture(scope="module")
def planted(tmp_path_factory, genome):
    """Below, features are A, C, G and T; above, they are channels 5 to 7, and 0 to 3."""
    folder = tmp_path_factory.mktemp("planted")
    save_channels(folder / "below", "blocks.0", [0, 1, 2, 3])
    save_channels(folder / "sae", "blocks.1", [5, 6, 7, 0, 1, 2, 3])
    model = PlantedModel()
    store = harvest(model, genome, site="blocks.1", out=folder / "a.h5", config=READING)
    features = encode_store([store], folder / "sae", folder / "f.h5")
    (folder / "c.fa").write_text(f">c\n{genome['c'].sequence.tobytes().decode()}\n")
    (folder / "c.gff3").write_text(
        "##gff-version 3\nc\tx\ttRNA\t101\t160\t.\t+\t.\tID=t\n"
        "c\tx\ttRNA\t301\t340\t.\t-\t.\tID=u\n"
    )
    return folder, model, features


def stack_of(folder, *names):
    return Stack.of(PlantedModel(), [Dictionary.load(folder / name) for name in names])


def measure(planted, genome, text, *names, config=CONFIG, **options):
    folder, _, store = planted
    stack = stack_of(folder, *(names or ("sae", "below")))
    group = Group.parse(text, len(stack.sites), concept=options.pop("concept", ""))
    found = measure_groups(stack, genome, store, [group], config=config, **options)
    return found.iloc[0]


def test_what_passes_through_a_feature_is_mediated_by_it(planted, genome):
    """An A acts on predictions through channel 5 alone, which nothing else makes fire."""
    found = measure(planted, genome, "below:0,0")
    assert found["features"] == "blocks.0/0,blocks.1/0"
    assert found["target_lost"] == pytest.approx(1)
    # where a C takes something away too, the amount of the feature is not all of the channel
    assert found["mediated"] == pytest.approx(1, abs=0.02)
    # without an A there is no channel 5 to take out: the two stand for one another
    assert found["effect"] == pytest.approx(found["source_effect"])
    assert found["mediated_null"] == pytest.approx(0, abs=0.02)
    assert found["target_lost_p"] <= 0.5


def test_a_feature_beside_the_way_mediates_nothing(planted, genome):
    """Channel 6 has no A among its inputs."""
    found = measure(planted, genome, "below:0,1")
    assert found["target_lost"] == pytest.approx(0, abs=1e-6)
    assert found["mediated"] == pytest.approx(0, abs=1e-6)
    assert abs(found["source_effect"]) > 0.01


def naive_losses(genome, windows, outs):
    """Mean loss over the kept bases of windows, without what is above 0 in channels above."""
    network, losses = PlantedModel.network, []
    for out in map(list, outs):
        nats = []
        for window in windows:
            ids = PlantedModel().tokenize(window_sequence(genome, window)).ids
            ids = torch.from_numpy(ids)[None]
            x = network.wire(network.read(network.embedding(ids)))
            x[..., out] = x[..., out].clamp(max=0)
            z = torch.stack([x[..., 5], 0 * x[..., 5], x[..., 6], x[..., 7]], -1).log_softmax(-1)
            own = z[0, :-1].gather(1, ids[0, 1:, None])[:, 0]
            nats += (-own[max(0, window.warmup - 1) :]).tolist()
        losses.append(np.mean(nats))
    return losses


def test_effects_are_those_of_a_naive_twin(planted, genome):
    store = planted[2]
    found = measure(planted, genome, "0,1", "sae")
    reading = HarvestConfig(window=CONFIG.window, warmup=CONFIG.warmup)
    windows = FiringWindows(store, genome, reading, CONFIG.n_windows).of(PlantedModel.spec, 1)
    assert all(window.warmup for window in windows)
    clean, five, six, both = naive_losses(genome, windows, [(), (5,), (6,), (5, 6)])
    assert found["n_bases"] == 8 * CONFIG.n_windows
    assert found["effect"] == pytest.approx(both - clean, abs=1e-6)
    assert found["effect_parts"] == pytest.approx(five + six - 2 * clean, abs=1e-6)
    synergy = (both - five - six + clean) / abs(both - clean)
    assert found["synergy"] == pytest.approx(synergy, abs=1e-4)
    assert np.isnan(found["mediated"])


def test_two_features_that_stand_in_for_one_another_have_a_synergy_above_0():
    group = Group("g", (Member(0, 0), Member(0, 1)))
    plan = Plan(group, [(Member(0, 2), Member(0, 3))], 1)
    assert [change.out for change in plan.changes] == [
        (), (Member(0, 0), Member(0, 1)), (Member(0, 2), Member(0, 3)),
        (Member(0, 0),), (Member(0, 1),), (Member(0, 2),), (Member(0, 3),),
    ]  # fmt: skip
    found = plan.together(np.array([0, 2.0, 1.0, 0.5, 0.5, 0.5, 0.5]))
    assert (found["effect"], found["effect_parts"]) == (2, 1)
    assert (found["effect_p"], found["effect_p_two_sided"]) == (0.5, 0.5)
    fall = plan.together(np.array([0, -2.0, 1.0, 0.5, 0.5, 0.5, 0.5]))
    assert (fall["effect_p"], fall["effect_p_two_sided"]) == (1, 0.5)
    assert (found["synergy"], found["synergy_null"], found["synergy_p"]) == (0.5, 0, 0.5)
    assert np.isnan(plan.mediation(np.zeros(7), np.zeros(7))["mediated"])


@given(st.lists(st.integers(0, 9), min_size=2, max_size=5, unique=True))
def test_a_group_is_read_as_it_is_written(features):
    for mark in ",>+":
        found = Group.parse(mark.join(map(str, features)), 1)
        assert [it.feature for it in found.members] == features


@pytest.mark.parametrize("text", ["1", "1,1", "1,x", "below:1,2", ""])
def test_a_group_that_is_none_is_refused(text):
    with pytest.raises(InputError, match="group"):
        Group.parse(text, 1)


def elements():
    rows = [
        ("tRNA", "c", 100, 160, "+", 0, "t", 0, -1),
        ("tRNA", "c", 300, 340, "-", 1, "u", 0, -1),
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = dict.fromkeys(("start", "end", "element", "part", "frame"), "int64")
    return ConceptElements(table.astype(numbers), {"tRNA": Concept("x", types=("tRNA",))})


def test_the_loss_is_counted_on_the_bases_of_a_concept(planted, genome):
    found = measure(planted, genome, "0,1", "sae", concept="tRNA", elements=elements())
    # windows of 8 bases have none in common, and are added until no other has room
    assert 100 / 16 <= found["n_windows"] <= 100 / 8 + 4
    assert 50 <= found["n_bases"] <= 100
    few = replace(CONFIG, n_bases=20)
    found = measure(planted, genome, "0,1", "sae", concept="tRNA", elements=elements(), config=few)
    assert found["n_windows"] == 4
    assert 20 <= found["n_bases"] <= 32
    wide = replace(CONFIG, window=24 + 120)
    found = measure(planted, genome, "0,1", "sae", concept="tRNA", elements=elements(), config=wide)
    # both elements lie inside of their windows, whole
    assert found["n_bases"] == 60 + 40
    assert not np.isnan(found["outside"])
    with pytest.raises(InputError, match="expected one of tRNA, found 'rRNA'"):
        measure(planted, genome, "0,1", "sae", concept="rRNA", elements=elements())


def test_windows_around_elements_have_no_base_in_common(planted, genome):
    config = replace(CONFIG, n_bases=40)
    bench = Bench(stack_of(planted[0], "sae"), genome, planted[2], config)
    bases = ConceptBases(elements(), genome)
    kept = [window.kept for window in bench.around_elements(bases, ["tRNA"])]
    assert kept == [window.kept for window in bench.around_elements(bases, ["tRNA"])]
    inside = [bases.count("tRNA", one) for one in kept]
    assert min(inside) > 0
    assert sum(inside) >= 40
    for strand in "+-":
        own = sorted((one.start, one.end) for one in kept if one.strand == strand)
        assert all(end <= start for (_, end), (start, _) in itertools.pairwise(own))


def losses_of(nats, n_bases, element):
    change = np.stack([np.zeros(len(nats)), nats], 1)[None]
    return Losses(change, np.array([n_bases]), np.zeros(2), np.array(element))


def test_the_standard_error_of_a_ratio_is_as_by_hand():
    # 6 nats on 6 bases; left over are 0, -1 and 1
    found = losses_of([1.0, 1.0, 4.0], [1, 2, 3], [-1, -1, -1])
    assert found.effects(0)[1] == 1
    assert found.standard_error(0, 1) == pytest.approx(np.sqrt(2 * 3 / 2) / 6)
    # two windows of one element count once
    assert losses_of([1.0, 1.0, 4.0], [1, 2, 3], [7, 7, -1]).standard_error(0, 1) == pytest.approx(
        np.sqrt(2 * 2 / 1) / 6
    )
    assert np.isnan(losses_of([1.0, 4.0], [1, 3], [7, 7]).standard_error(0, 1))
    assert np.isnan(losses_of([1.0, 4.0], [1, 0], [-1, -1]).standard_error(0, 1))


def test_the_standard_error_is_that_of_a_bootstrap():
    random = np.random.default_rng(0)
    n = random.integers(1, 9, 200)
    nats = 0.3 * n + random.normal(size=200)
    drawn = random.integers(0, 200, (2_000, 200))
    twin = (nats[drawn].sum(1) / n[drawn].sum(1)).std()
    assert losses_of(nats, n, [-1] * 200).standard_error(0, 1) == pytest.approx(twin, rel=0.1)


def reading_of(*fires):
    """A window of 8 tokens, of which 4 to 6 are counted; each feature fires on some tokens."""
    feature, token = zip(*((i, at) for i, own in enumerate(fires) for at in own), strict=True)
    hits = Mock(SiteNodes)
    hits.feature, hits.token = torch.tensor(feature), torch.tensor(token)
    hits.amount = torch.ones(len(token))
    return Reading(Mock(TokenBatch), (hits,), np.array([[0, 0, 0, 0, 1, 1, 1, 0]], bool))


def bench_of(n_features, **options):
    stack = Mock(Stack)
    stack.dictionaries = [Mock(Dictionary)]
    stack.dictionaries[0].header = SimpleNamespace(n_features=n_features)
    return Bench(
        stack,
        Genome([Contig("c", np.full(9, 65, np.uint8))]),
        Mock(FeatureStore),
        replace(CONFIG, **options),
    )


def test_features_are_matched_where_the_loss_is_counted():
    """Features 1 and 2 fire as often as 0 in the window, but only 2 where 0 does."""
    read = reading_of([3, 4, 5, 6], [0, 1, 2, 7], [3, 4, 5, 6], [3], [4])
    bench = bench_of(5, n_matched=1)
    drawn = [bench.matched(str(i), [Member(0, 0)], [read])[0][0].feature for i in range(20)]
    assert set(drawn) == {2, 3}
    assert bench.matched_firing([[Member(0, 0)], [Member(0, 3)]], [read], [0]) == 0.25
    # one that does not fire there is matched to any that does, at random
    drawn = [bench.matched(str(i), [Member(0, 1)], [read])[0][0].feature for i in range(40)]
    assert set(drawn) == {0, 2, 3, 4}


def test_a_group_drawn_at_random_among_its_matches_has_uniform_p_values():
    """Which of the features that fire alike is asked about makes no difference to its p."""
    random, n = np.random.default_rng(0), 60
    read = reading_of(*([4, 5] for _ in range(n)))
    bench, counts = bench_of(n, n_matched=19), np.zeros((2, 21), int)
    for trial in range(300):
        effect, one = random.normal(size=n), Member(0, int(random.integers(n)))
        drawn = [(one,), *bench.matched(str(trial), [one], [read])]
        found = joint_effects(np.array([effect[it.feature] for (it,) in drawn]))
        for row, name in enumerate(("effect_p", "effect_p_two_sided")):
            counts[row, round(20 * found[name])] += 1
    assert (counts[:, 0] == 0).all()
    assert abs(counts[:, 1:] - 15).max() < 4.5 * np.sqrt(15)


def test_the_same_seed_gives_the_same_table(planted, genome):
    one, two = (measure(planted, genome, "0,2", "sae") for _ in range(2))
    assert one.equals(two)


def test_what_cannot_be_tested_is_refused(planted, genome):
    with pytest.raises(InputError, match=r"a last feature of blocks\.1, or a concept"):
        measure(planted, genome, "0,below:1")
    with pytest.raises(UnknownNameError, match="a feature from 0 to 6, found 9"):
        measure(planted, genome, "0,9", "sae")
    with pytest.raises(InputError, match="other features that fire there"):
        measure(planted, genome, "0,1,2,3,4", "sae")
    with pytest.raises(ConfigError, match="n_matched: expected at least 1"):
        MediationConfig(n_matched=0)


def test_the_command_writes_the_table(planted, tmp_path, monkeypatch):
    folder, model, _ = planted
    table = mediate_file(
        folder / "f.h5",
        tmp_path / "m.tsv",
        ["0,1", "0>2"],
        model,
        genome=folder / "c.fa",
        concept="tRNA",
        annotations=folder / "c.gff3",
        config=CONFIG,
    )
    assert read_table(tmp_path / "m.tsv", MEDIATION).equals(table)
    assert table["group"].tolist() == ["0,1", "0>2"]
    row = dict.fromkeys(CIRCUIT_FAMILIES.names, 0) | {"members": "0 > 2+6", "n_features": 3}
    texts = [it.name for it in CIRCUIT_FAMILIES.columns if it.kind == "string"]
    row |= {name: row[name] or "" for name in texts}
    families = tmp_path / "families.tsv"
    made_from = {"sae": Dictionary.load(folder / "sae").header.sha256}
    write_table(pd.DataFrame([row]), families, CIRCUIT_FAMILIES, Provenance({}, made_from))
    other = tmp_path / "other.tsv"
    write_table(pd.DataFrame([row]), other, CIRCUIT_FAMILIES, Provenance({}, {"sae": "0" * 64}))
    with pytest.raises(MismatchError, match=r"other\.tsv: expected dictionary"):
        mediate_file(
            folder / "f.h5", tmp_path / "o.tsv", (), model, genome=folder / "c.fa", families=other
        )
    found = mediate_file(
        folder / "f.h5",
        tmp_path / "f.tsv",
        (),
        model,
        genome=folder / "c.fa",
        families=families,
        config=CONFIG,
    )
    assert found["features"].tolist() == ["blocks.1/0,blocks.1/2,blocks.1/6"]
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text(
        "format: genointerp::feature-catalogue\nversion: 1\ngenomes:\n"
        f"  a: {{features: {folder / 'f.h5'}, sequence: {folder / 'c.fa'}, "
        f"annotation: {folder / 'c.gff3'}}}\n"
    )
    named = mediate_file(
        catalogue, tmp_path / "c.tsv", ["0,1", "0>2"], model, sae=folder / "sae", concept="tRNA",
        config=CONFIG,
    )  # fmt: skip
    assert named.equals(table)
    with pytest.raises(InputError, match="annotations: expected the annotation of the genome"):
        mediate_file(
            folder / "f.h5",
            tmp_path / "n.tsv",
            "0,1",
            model,
            genome=folder / "c.fa",
            concept="tRNA",
        )
    monkeypatch.setattr(
        "genointerp.command.explain.mediate.loaded_or_recorded", lambda *_: PlantedModel()
    )
    line = [
        "mediate", str(folder / "f.h5"), "--genome", str(folder / "c.fa"), "--group", "0,1",
        "--window", "32", "--warmup", "24", "--n-windows", "2", "--out", str(tmp_path / "p.tsv"),
    ]  # fmt: skip
    found = CliRunner().invoke(app, line)
    assert found.exit_code == 0, found.output
    assert "1 groups" in found.output
