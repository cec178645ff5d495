import numpy as np
import pytest
import torch

import genointerp as gi
from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.concepts import Concept, define_elements
from genointerp.comparison.changed.births import find_births
from genointerp.comparison.changed.config import ChangedConfig
from genointerp.comparison.changed.features import measure_changes
from genointerp.comparison.changed.joint_reading import read_together
from genointerp.comparison.changed.sentences import sentences
from genointerp.comparison.models import ModelSet
from genointerp.core.errors import InputError, MismatchError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.windows import window_sequence
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.store.table.schema.changed import BIRTHS, CHANGED_CONCEPTS, CHANGED_FEATURES
from genointerp.store.table.table import read_table
from tests.comparison.tuned_models import tuned_model
from tests.wiring.planted_model import PlantedModel, save_channels

WINDOWS = HarvestConfig(window=256, warmup=16)
CONFIG = ChangedConfig(block_bp=100, n_draws=200, least_change=0.5)
A, GATE, T = range(3)


@pytest.fixture(scope="module")
def genome():
    letters = np.frombuffer(b"ACGT", np.uint8)[np.random.default_rng(0).integers(0, 4, 3000)]
    return Genome([Contig("chr", letters.copy(), circular=False)])


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sae")
    return Dictionary.load(save_channels(folder / "sae", "blocks.1", [5, 6, 7]))


@pytest.fixture(scope="module")
def t_elements(genome):
    """Elements of the concept ``thymine``: each T of the forward strand."""
    letters = genome["chr"].sequence
    elements = [
        Element("tRNA", f"t{i}", (Part("chr", i, i + 1, "+"),))
        for i in np.flatnonzero(letters == ord("T")).tolist()
    ]
    annotation = AnnotationSet(elements, genome.lengths)
    return define_elements(annotation, genome, {"thymine": Concept("each T", ("tRNA",))})


def changes_of(models, dictionary, genome, **more):
    return measure_changes(models, dictionary, genome, windows=WINDOWS, config=CONFIG, **more)


def test_sums_by_block_are_those_of_dense_amounts(genome, dictionary):
    model = PlantedModel()
    (reading,) = read_together(dictionary, [model], genome, block_bp=100, config=WINDOWS)
    n = np.zeros((30, 3))
    explained = np.zeros((30, 3))
    for window in WINDOWS.windows(model.spec, genome):
        ids = torch.from_numpy(model.tokenize(window_sequence(genome, window)).ids)[None]
        x = model.run(ids, capture=["blocks.1"])["blocks.1"][0][window.warmup :]
        amounts = dictionary.amounts(x)
        error = x - dictionary.decode(amounts)
        for token in range(len(x)):
            kept = window.kept
            base = kept.start + token if kept.strand == "+" else kept.end - 1 - token
            n[base // 100] += (amounts[token] > 0).numpy()
            for feature in range(3):
                without = amounts[token].clone()
                without[feature] = 0
                grown = (x[token] - dictionary.decode(without)).square().sum()
                explained[base // 100, feature] += float(grown - error[token].square().sum())
    assert np.array_equal(reading.n_firing, n)
    assert reading.n_bases.sum() == 2 * 3000
    assert np.allclose(reading.explained, explained, atol=1e-3)


def seeds_of(first, second):
    """Models of two seeds of one base: tuned ones with such gains, and controls."""
    return [
        ModelSet(
            PlantedModel(),
            tuned_model(f"t{k}", gain, seed=k),
            tuned_model(f"c{k}", 0.0, seed=2 + k),
        )
        for k, gain in enumerate((first, second), 1)
    ]


def test_feature_that_fires_more_than_in_control_is_gained(genome, dictionary):
    models, second = seeds_of(1.0, 1.1)
    found = changes_of(models, dictionary, genome, second=second)
    table = found.features
    assert table["kind"].tolist() == ["", "", "gained"]
    row = table.loc[T]
    assert 0 < row["seeds_q"] <= 0.05
    assert row["density_tuned"] == pytest.approx(2 * row["density_control"], rel=0.1)
    assert row["excess"] == pytest.approx(1, abs=0.1)
    assert row["excess_low"] < row["excess"] < row["excess_high"]
    assert row["change"] - row["control_change"] == pytest.approx(row["excess"])
    (said,) = sentences(found)
    assert said.startswith("gained: feature 2: density .25 -> .4")


def test_without_control_or_second_seed_nothing_is_said(genome, dictionary):
    base, tuned, control = PlantedModel(), tuned_model("t1", 1.0), tuned_model("c1", 0.0)
    alone = changes_of(ModelSet(base, tuned), dictionary, genome)
    assert alone.features["q_value"].iloc[T] < 0.05
    assert "without a control" in sentences(alone)[0]
    single = changes_of(ModelSet(base, tuned, control), dictionary, genome)
    assert "without a second seed" in sentences(single)[0]
    assert not single.features["kind"].any()


def test_same_model_read_twice_has_not_changed(genome, dictionary):
    # of another name and sha256, so that it is read
    models = ModelSet(PlantedModel(), tuned_model("copy", 0.0))
    found = changes_of(models, dictionary, genome)
    assert (found.features["p_value"] == 1).all()
    assert (found.features["mean_q"] == 1).all()
    assert (found.concepts["fvu_excess"] == 0).all()


def test_change_that_second_seed_does_not_repeat_is_not_said(genome, dictionary):
    models = ModelSet(PlantedModel(), tuned_model("t1", 1.0), tuned_model("c1", 0.0))
    second = ModelSet(PlantedModel(), tuned_model("t2", 0.0), tuned_model("c2", 1.0))
    found = changes_of(models, dictionary, genome, second=second)
    assert not found.features["kind"].any()
    assert "which the second seed repeats 0" in sentences(found)[0]


def test_change_within_what_seeds_differ_by_is_not_said(genome, dictionary):
    models, second = seeds_of(1.0, 1.1)
    # the second seed has the gain at every fourth place
    second.tuned.network.wire.every = 4
    found = changes_of(models, dictionary, genome, second=second)
    row = found.features.loc[T]
    assert max(row["q_value"], row["second_q"]) <= 0.05 < row["seeds_q"]
    assert np.sign(row["excess"]) == np.sign(row["second_excess"]) == np.sign(row["change"])
    assert not found.features["kind"].any()


def test_concepts_have_f1_of_each_model_and_share_of_error(genome, dictionary, t_elements):
    models = ModelSet(PlantedModel(), tuned_model("t1", 1.0), tuned_model("c1", 0.0))
    found = changes_of(models, dictionary, genome, elements=t_elements)
    row = found.features.loc[T]
    assert (row["concept"], row["orientation"]) == ("thymine", "sense")
    # it fires on each T of either strand, of which those on + are meant; then on each G too
    assert row["f1_base"] == row["f1_control"] == pytest.approx(2 / 3, abs=0.05)
    assert row["f1_tuned"] == pytest.approx(2 / 5, abs=0.05)
    concepts = found.concepts.set_index(["concept", "orientation"])
    whole = concepts.loc[("", "")]
    assert whole["n_bases"] == 6000
    assert whole["fvu_base"] == pytest.approx(whole["fvu_control"])
    assert concepts.loc[("thymine", "sense"), "n_features"] == 1
    assert concepts.loc[("thymine", "sense"), "n_gained"] == 1


def test_birth_is_first_checkpoint_above_half_of_largest_density(genome, dictionary):
    checkpoints = [tuned_model("s0", -1.0), PlantedModel(), tuned_model("s2", 2.0)]
    checkpoints[0].network.wire.forward = lambda x: torch.zeros_like(x)
    found = find_births(checkpoints, dictionary, genome, windows=WINDOWS, config=CONFIG)
    assert found["kind"].tolist() == ["born"] * 3
    assert found["born"].tolist() == [1, 1, 1]
    assert found["checkpoint"].tolist() == ["planted"] * 3
    # T alone is just more than half of T and G, and in some draws of blocks just less
    assert found["support"].tolist()[:2] == [1, 1]
    assert 0.5 < found["support"][T] < 1
    assert found["densities"][T].startswith("0,0.25")
    early = find_births(checkpoints[1:], dictionary, genome, windows=WINDOWS, config=CONFIG)
    assert early["kind"].tolist() == ["at once"] * 3


def test_models_that_do_not_belong_are_refused(genome, dictionary):
    base, other, control = PlantedModel(), tuned_model("t1", 1.0), tuned_model("c1", 0.0)
    with pytest.raises(MismatchError, match="model planted"):
        changes_of(ModelSet(other, base), dictionary, genome)
    with pytest.raises(InputError, match=r"^control: expected a control of each seed"):
        changes_of(ModelSet(base, other), dictionary, genome, second=ModelSet(base, other))
    second = ModelSet(base, other, tuned_model("c2", 0.0))
    with pytest.raises(InputError, match="second_control: expected a control of each seed"):
        changes_of(ModelSet(base, other, control), dictionary, genome, second=ModelSet(base, other))
    with pytest.raises(InputError, match="second: expected models of another seed"):
        changes_of(ModelSet(base, other, control), dictionary, genome, second=second)
    with pytest.raises(InputError, match="checkpoints: expected two different models"):
        find_births([base, base], dictionary, genome)
    with pytest.raises(MismatchError, match="a dictionary of one of t1, c1"):
        find_births([other, control], dictionary, genome)


def test_command_writes_tables_and_says_why_it_says_nothing(tmp_path, genome, dictionary):
    sequence = tmp_path / "genome.fa"
    sequence.write_bytes(b">chr\n" + genome["chr"].sequence.tobytes() + b"\n")
    features, births = tmp_path / "changed.tsv", tmp_path / "births.tsv"
    found = gi.diff(
        PlantedModel(),
        [tuned_model("t0", 0.5), tuned_model("t1", 1.0)],
        sequence,
        tmp_path / "divergence.tsv",
        control=tuned_model("c1", 0.0),
        sae=dictionary.header.folder,
        features_out=features,
        births_out=births,
        window=256,
        warmup=16,
        config={"changed": {"block_bp": 100, "n_draws": 50}},
    )
    assert "without a second seed" in found.changed.said[0]
    table = read_table(features, CHANGED_FEATURES)
    assert table["q_value"].iloc[T] < 0.05
    assert len(read_table(tmp_path / "changed.concepts.tsv", CHANGED_CONCEPTS)) == 1
    assert read_table(births, BIRTHS)["checkpoint"].tolist() == ["planted"] * 3


def test_command_refuses_features_without_dictionary(tmp_path, genome):
    sequence = tmp_path / "genome.fa"
    sequence.write_bytes(b">chr\n" + genome["chr"].sequence.tobytes() + b"\n")
    with pytest.raises(InputError, match="sae: expected a dictionary of the base model"):
        gi.diff(
            PlantedModel(),
            tuned_model("t1", 1.0),
            sequence,
            tmp_path / "divergence.tsv",
            features_out=tmp_path / "changed.tsv",
        )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param({"second": tuned_model("t2", 1.0)}, "control: expected a", id="control"),
        pytest.param({"weights_out": "w.tsv", "features_out": None}, "weights_out: exp", id="kind"),
        pytest.param({"amplified_out": "louder"}, "amplify: expected a StripedHyena", id="amplify"),
        pytest.param(
            {"features_out": "out.summary.tsv"}, "outputs: expected another path", id="summary"
        ),
        pytest.param({"births_out": "changed.tsv"}, "outputs: expected another path", id="births"),
        pytest.param(
            {"lens_out": "changed.concepts.tsv"}, "outputs: expected another path", id="concepts"
        ),
        pytest.param(
            {"features_out": None, "second": tuned_model("t2", 1.0)},
            "features_out: exp",
            id="unused",
        ),
    ],
)
def test_command_refuses_before_it_reads(tmp_path, monkeypatch, genome, dictionary, asked, message):
    def read(*_, **__):
        pytest.fail("the genome was read")

    monkeypatch.setattr("genointerp.command.compare.diff.measure_divergence", read)
    monkeypatch.chdir(tmp_path)
    sequence = tmp_path / "genome.fa"
    sequence.write_bytes(b">chr\n" + genome["chr"].sequence.tobytes() + b"\n")
    options = {"sae": dictionary.header.folder, "features_out": "changed.tsv", **asked}
    with pytest.raises(InputError, match=message):
        gi.diff(PlantedModel(), tuned_model("t1", 1.0), sequence, "out.tsv", **options)
    assert [place.name for place in tmp_path.iterdir()] == ["genome.fa"]
