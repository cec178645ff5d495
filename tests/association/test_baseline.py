"""Detectors without a dictionary, in a world where the truth of each is planted."""

import numpy as np
import pytest

from genointerp.association.associate import associate
from genointerp.association.baseline.config import BaselineConfig
from genointerp.association.baseline.dense import dense_sides
from genointerp.association.baseline.dense_counts import DenseScore
from genointerp.association.baseline.measure import Rivals, measure_baselines
from genointerp.association.baseline.projection import fit_projections
from genointerp.association.baseline.row import DETECTORS
from genointerp.association.config import AssociateConfig
from genointerp.core.errors import ConfigError, MismatchError
from genointerp.core.files import replacing
from genointerp.genome.genome import Contig, Genome
from genointerp.store.contigs import ContigInfo
from genointerp.store.table.schema.association import BASELINES
from genointerp.store.table.table import conform
from tests.plant import make_elements, make_store
from tests.specimens import specimens
from tests.stores import activation_header, write_activations

SPLIT = AssociateConfig(test=("test",), n_shifts=9)
CONFIG = BaselineConfig(choice_rows=20_000, probe_rows=3000, ica_rows=6000, n_iterations=100)
LENGTHS = {"fit": 9000, "test": 6000}
WORD = "GATTACAG"[:6]
STOPS = ("TAA", "TAG", "TGA")
D_IN = 8
KINDS = ("neuron", "direction", "source", "gc", "phase", "word")


def plant_sequence(length, generator):
    """A genome with an island of GC, words and genes; and where they are."""
    letters = generator.choice(list("ACGT"), length)
    places = {kind: [] for kind in KINDS}
    step = length // 30
    # in no order, so that a rotation brings nothing upon anything else
    for number, kind in enumerate(generator.permutation(30) % 3):
        start = number * step + int(generator.integers(5, 20))
        if kind == 0:
            letters[start : start + 180] = generator.choice(list("GC"), 180)
            places["gc"].append((start, start + 180))
        elif kind == 1:
            codons = ["".join(generator.choice(list("ACGT"), 2)) + "C" for _ in range(60)]
            letters[start : start + 180] = list("".join(codons))
            places["phase"] += [(base, base + 1) for base in range(start + 2, start + 180, 3)]
        else:
            letters[start : start + 6] = list(WORD)
    text = "".join(letters)
    first = text.find(WORD)
    while first >= 0:
        places["word"].append((first, first + 6))
        first = text.find(WORD, first + 1)
    for kind, n in (("neuron", 25), ("direction", 25), ("source", length // 150)):
        starts = np.sort(generator.choice(length // 50, n, replace=False)) * 50
        places[kind] = [(int(start), int(start) + 30) for start in starts]
    return np.frombuffer(text.encode(), np.uint8), places


def mask_of(places, length):
    mask = np.zeros(length, np.bool_)
    for start, end in places:
        mask[start:end] = True
    return mask


def plant_rows(places, length, generator):
    """Activations of both strands; what is planted is there when + is read."""
    x = generator.normal(size=(2 * length, D_IN))
    plus = x[:length]
    # neuron 2, read downward
    plus[mask_of(places["neuron"], length), 2] -= 6
    # the direction of the largest variance is over four neurons, of which each is noisy
    plus[:, 4:8] += 4 * mask_of(places["direction"], length)[:, None]
    x[:, 4:8] += generator.normal(size=(2 * length, 1)) * 0.5
    # two sources of equal variance, nearly parallel: no neuron and no axis of variance is one
    source = np.zeros(2 * length)
    source[:length] = 7 * mask_of(places["source"], length)
    other = generator.laplace(size=2 * length) * 1.5
    x[:, :2] = x[:, :2] * 0.1 + np.column_stack([source, other]) @ [[1, 0.9], [0.9, 1]]
    # rows of - run backward
    x[length:] = x[length:][::-1]
    return (x + 3).astype(np.float32)


class World:
    """Genomes, activations and features on disk, and the elements upon them."""

    def __init__(self, folder, *, shift=0):
        self.folder, self.split = folder, SPLIT
        self.features, self.activations, self.genomes, self.elements = [], [], [], []
        for seed, (seqid, length) in enumerate(LENGTHS.items()):
            generator = np.random.default_rng(seed)
            sequence, places = plant_sequence(length, generator)
            genome = Genome([Contig(seqid, sequence)])
            x = plant_rows(places, length, generator)
            hits = mask_of(places["neuron"], length) & (generator.random(length) < 0.8)
            self.genomes.append(genome)
            self.features.append(self.write(f"{seqid}.h5", genome, {"+": hits}))
            self.activations.append(self.write_rows(seqid, x))
            rows = [
                (kind, seqid, (start + shift) % length, (start + shift) % length + end - start, "+")
                for kind, own in places.items()
                for start, end in own
                if (start + shift) % length + end - start <= length
            ]
            rows = sorted(rows, key=lambda row: KINDS.index(row[0]))
            self.elements.append(make_elements(*rows, unstranded=("gc",)))

    def write(self, name, genome, hits, *, model_sha256="m", sae_sha256="s", coverage=None):
        """Features of which feature 1 fires where it is told to, and feature 0 at random."""
        (contig,) = ContigInfo.of(genome)
        dense = {}
        for strand in "+-":
            noise = np.random.default_rng(7).random(contig.length) < 0.02
            dense[strand] = np.column_stack([noise, hits.get(strand, ~noise & noise)]).astype(
                np.float32
            )
        return make_store(
            self.folder / name,
            dense,
            (contig,),
            genome_sha256=genome.sha256,
            sae_sha256=sae_sha256,
            coverage=coverage,
            model_sha256=model_sha256,
        )

    def write_rows(self, seqid, x):
        features = self.features[-1]
        windows = features.coverage("+") + features.coverage("-")
        header = activation_header(
            contigs=features.header.contigs,
            genome_sha256=features.header.genome_sha256,
            model_sha256="m",
            d_in=x.shape[1],
        )
        return write_activations(self.folder / f"{seqid}.a.h5", x, windows=windows, header=header)

    @property
    def bare(self):
        return specimens(self.features, elements=self.elements)

    def measure(self, *, rows=True, sequence=True, **rivals):
        table = associate(self.bare, config=self.split)
        known = {"activations": self.activations} if rows else {}
        known |= {"sequence": self.genomes} if sequence else {}
        own = specimens(self.features, elements=self.elements, **known)
        rivals = Rivals(**rivals)
        return measure_baselines(own, table, rivals, split=self.split, config=CONFIG)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def table(world):
    return world.measure()


def of(table, concept, detector):
    own = "both" if concept == "gc" else "sense"
    found = table[
        (table["concept"] == concept)
        & (table["detector"] == detector)
        & (table["orientation"] == own)
    ]
    assert len(found) == 1
    return found.iloc[0]


def test_rows_come_label_by_label_and_detectors_in_their_order(table):
    conform(table, BASELINES, where="baselines")
    wanted = [name for name in DETECTORS if name not in ("random_weights", "feature_there",
              "other_seed")]  # fmt: skip
    assert table["detector"].tolist() == wanted * 16
    labels = table[["concept", "orientation"]].drop_duplicates()
    three = ("sense", "antisense", "both")
    assert list(labels.itertuples(index=False, name=None)) == [
        (kind, orientation)
        for kind in KINDS
        for orientation in (("both",) if kind == "gc" else three)
    ]


def test_a_concept_that_is_a_neuron_is_found_by_its_neuron_read_downward(table):
    row = of(table, "neuron", "neuron")
    assert (row["which"], row["sign"]) == ("2", -1)
    assert row["f1"] > 0.98
    assert of(table, "neuron", "kmer_gc_phase")["f1"] < 0.2


def test_a_concept_that_is_a_direction_is_found_by_its_component_better_than_by_a_neuron(table):
    row = of(table, "direction", "principal_component")
    assert row["f1"] > 0.95
    assert row["f1"] > of(table, "direction", "neuron")["f1"] + 0.02
    assert of(table, "direction", "mean_difference")["f1"] > 0.95


def test_a_source_in_a_mixture_is_found_by_an_independent_component(table):
    row = of(table, "source", "independent_component")
    assert row["f1"] > 0.98
    for detector in ("neuron", "principal_component"):
        assert of(table, "source", detector)["f1"] < 0.9
    assert of(table, "source", "linear_probe")["f1"] > 0.98


@pytest.mark.parametrize(("concept", "least"), [("gc", 0.9), ("phase", 0.8), ("word", 0.8)])
def test_a_shortcut_of_the_sequence_is_found_by_the_model_of_the_sequence_alone(
    table, concept, least
):
    assert of(table, concept, "kmer_gc_phase")["f1"] > least
    chance = of(table, concept, "always_on")["f1"]
    for detector in ("neuron", "principal_component", "mean_difference", "linear_probe"):
        assert of(table, concept, detector)["f1"] < chance + 0.1


def test_the_detector_that_always_fires_scores_as_computed_by_hand(table):
    row = of(table, "neuron", "always_on")
    share = 25 * 30 / (2 * LENGTHS["test"])
    assert (row["recall"], row["auroc"], row["mcc"]) == (1.0, 0.5, 0.0)
    assert row["precision"] == row["average_precision"] == pytest.approx(share)
    assert row["f1"] == pytest.approx(2 * share / (1 + share))
    share = 25 * 30 / (2 * LENGTHS["fit"])
    assert row["f1_fit"] == pytest.approx(2 * share / (1 + share))


def test_the_best_feature_stands_beside_with_what_associate_says_of_it(world, table):
    row = of(table, "neuron", "feature")
    assert row["which"] == "1"
    known = associate(world.bare, config=SPLIT)
    twin = known[(known["feature"] == 1) & (known["concept"] == "neuron")].iloc[0]
    for name in (*DenseScore._fields, "n_concept_bp"):
        assert row[name] == twin[name]


def test_every_score_is_of_test_and_every_choice_of_fit(world, table, tmp_path):
    other = World(tmp_path)
    x = other.activations[1].rows(0, other.activations[1].n_tokens)
    (tmp_path / "test.a.h5").unlink()
    other.activations[1] = other.write_rows("test", -x)
    found = other.measure(sequence=False)
    table = table[table["detector"] != "kmer_gc_phase"].reset_index(drop=True)
    chosen = ["which", "sign", "threshold", "f1_fit"]
    assert found[chosen].equals(table[chosen])
    assert of(found, "neuron", "neuron")["f1"] < of(table, "neuron", "neuron")["f1"] - 0.5


def test_no_detector_does_better_than_chance_where_the_labels_are_rotated(tmp_path):
    table = World(tmp_path, shift=1733).measure()
    told = table[~table["detector"].isin(["always_on", "feature"])]
    known = told[told["n_concept_bp"] > 0]
    assert (known["auroc"] - 0.5).abs().median() < 0.06
    assert known.groupby("detector")["auroc"].mean().between(0.4, 0.6).all()
    by_label = known.merge(
        table[table["detector"] == "always_on"], on=["concept", "orientation"], suffixes=("", "_on")
    )
    assert (by_label["f1"] - by_label["f1_on"]).median() < 0.05


def rivals_of(world, *, model_sha256, sae_sha256, hits="neuron", coverage=None, name="rival"):
    stores = []
    for seed, genome in enumerate(world.genomes):
        (seqid,) = genome
        _, places = plant_sequence(LENGTHS[seqid], np.random.default_rng(seed))
        mask = mask_of(places[hits], LENGTHS[seqid])
        given = None if coverage is None else {seqid: coverage[seqid]}
        stores.append(
            world.write(
                f"{name}.{seqid}.h5",
                genome,
                {"+": mask},
                model_sha256=model_sha256,
                sae_sha256=sae_sha256,
                coverage=given,
            )
        )
    return stores


def test_the_best_feature_of_another_seed_is_scored_as_ours_is(world):
    other = rivals_of(world, model_sha256="m", sae_sha256="other")
    table = world.measure(rows=False, sequence=False, other_seed=other)
    assert of(table, "neuron", "other_seed")["f1"] == 1.0
    assert of(table, "neuron", "other_seed")["which"] == "1"
    assert of(table, "neuron", "feature")["f1"] < 0.95
    assert set(table["detector"]) == {"always_on", "other_seed", "feature"}


def test_random_weights_on_fewer_bases_stand_beside_our_feature_on_those_bases(world):
    coverage = {
        seqid: [(start, length // 2, strand) for strand in "+-" for start in (1000,)]
        for seqid, length in LENGTHS.items()
    }
    random = rivals_of(
        world, model_sha256="r", sae_sha256="x", hits="source", coverage=coverage, name="random"
    )
    table = world.measure(rows=False, sequence=False, random=random)
    source, there = of(table, "source", "random_weights"), of(table, "neuron", "feature_there")
    assert source["f1"] == 1.0
    assert source["note"] == "toy; 4000 of 12000 bases of test"
    assert there["note"] == "4000 of 12000 bases of test"
    ours = world.features[1].feature(1, "+").row
    _, places = plant_sequence(LENGTHS["test"], np.random.default_rng(1))
    truth = mask_of(places["neuron"], LENGTHS["test"])[1000:3000]
    n_hits = int(((ours >= 1000) & (ours < 3000)).sum())
    # each hit is of the concept
    assert there["f1"] == pytest.approx(2 * n_hits / (n_hits + truth.sum()))
    assert there["n_concept_bp"] == truth.sum()
    silent = (truth.sum() - n_hits) / truth.sum()
    assert there["auroc"] == pytest.approx(1 - silent / 2)
    assert (there["which"], there["threshold"]) == ("1", 0.0)


@pytest.mark.parametrize(
    ("kind", "model_sha256", "sae_sha256", "message"),
    [
        ("random", "m", "x", "expected another model than that of .*, found the same"),
        ("other_seed", "r", "x", "expected model toy with weights m as in .* weights r"),
        ("other_seed", "m", "s", "expected another dictionary than that of .*, found the same"),
    ],
)
def test_a_dictionary_that_is_no_rival_is_refused(world, kind, model_sha256, sae_sha256, message):
    with replacing():
        stores = rivals_of(world, model_sha256=model_sha256, sae_sha256=sae_sha256, name="wrong")
    with pytest.raises(MismatchError, match=message):
        world.measure(rows=False, sequence=False, **{kind: stores})


def test_a_rival_on_another_genome_is_refused(world):
    genome = Genome([Contig("fit", np.frombuffer(b"ACGT" * 50, np.uint8))])
    store = world.write("foreign.h5", genome, {}, model_sha256="r", sae_sha256="x")
    with pytest.raises(
        MismatchError, match=r"foreign\.h5: expected genome .* or genome .*, found genome"
    ):
        world.measure(rows=False, sequence=False, random=[store])


def test_associations_of_another_split_are_refused(world):
    table = associate(world.bare, config=SPLIT)
    other = AssociateConfig(test=("fit",), n_shifts=9)
    found = table.assign(n_concept_bp=table["n_concept_bp"] + 1)
    with pytest.raises(MismatchError, match=r"associations: neuron sense: expected 750 bases on"):
        measure_baselines(world.bare, found, split=other)


def test_activations_of_another_width_than_the_first_are_refused(world, tmp_path):
    narrow = World(tmp_path)
    (tmp_path / "test.a.h5").unlink()
    narrow.activations[1] = narrow.write_rows(
        "test", np.zeros((2 * LENGTHS["test"], 3), np.float32)
    )
    with pytest.raises(MismatchError, match=r"expected width 8 as in .*, found width 3"):
        narrow.measure()


def test_values_of_components_are_0_on_average_in_either_direction(world):
    fit, _ = dense_sides(world.bare, SPLIT)
    kinds, chosen = fit_projections(world.activations, fit, CONFIG)
    x = world.activations[0].rows(0, world.activations[0].n_tokens)
    for name in ("principal_component", "independent_component"):
        assert {one.sign for one in chosen[name]} == {1, -1}
        np.testing.assert_allclose(kinds[name].values(x).mean(axis=0), 0, atol=0.01)
    neurons = kinds["neuron"].values(x)
    for label, (column, sign) in enumerate(chosen["neuron"]):
        np.testing.assert_array_equal(neurons[:, label], sign * x[:, column])


def test_alternate_blocks_of_one_genome_are_a_split_too(tmp_path):
    world = World(tmp_path)
    world.split = AssociateConfig(block_bp=1500, gap_bp=100, n_shifts=9)
    table = world.measure(sequence=False)
    assert of(table, "neuron", "neuron")["f1"] > 0.98
    assert of(table, "source", "independent_component")["f1"] > 0.98


def test_a_number_out_of_range_is_refused():
    with pytest.raises(ConfigError, match="probe_rows: expected a number of at least 1, found 0"):
        BaselineConfig(probe_rows=0)


def test_wide_activations_are_held_for_fewer_bases():
    config = BaselineConfig()
    assert config.rows_of(128) == 200_000
    assert config.rows_of(4096) == 2**15
