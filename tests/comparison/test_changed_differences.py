import numpy as np
import pytest

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.concepts import Concept, define_elements
from genointerp.comparison.changed.differences import DifferenceConfig, measure_differences
from genointerp.comparison.models import ModelSet
from genointerp.core.errors import ConfigError
from genointerp.genome.genome import Contig, Genome
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.dictionary import Dictionary
from tests.comparison.tuned_models import tuned_model
from tests.wiring.planted_model import PlantedModel, save_channels

WINDOWS = HarvestConfig(window=128, warmup=16)
CONFIG = DifferenceConfig(n_windows=2, n_random=9, places=(-1, 0), n_patched=1)


@pytest.fixture(scope="module")
def genome():
    # each G is the first base of GAT
    return Genome([Contig("chr", np.frombuffer(b"GATACCTTAA" * 40, np.uint8), circular=False)])


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sae")
    return Dictionary.load(save_channels(folder / "sae", "blocks.1", [5, 6, 7]))


@pytest.fixture(scope="module")
def elements(genome):
    found = [Element("tRNA", f"t{i}", (Part("chr", 10 * i, 10 * i + 3, "+"),)) for i in range(40)]
    annotation = AnnotationSet(found, genome.lengths)
    return define_elements(annotation, genome, {"gat": Concept("GAT", ("tRNA",))})


def test_mean_differences_are_those_of_a_known_change(genome, dictionary, elements):
    models = ModelSet(PlantedModel(), tuned_model("t1", 2.0), tuned_model("c1", 0.0))
    found = measure_differences(
        models, dictionary, genome, elements=elements, windows=WINDOWS, config=CONFIG
    )
    rows = found.set_index(["kind", "concept", "place", "component"])
    whole, concept = rows.loc[("all", "", 0, 0)], rows.loc[("concept", "gat", 0, 0)]
    # channel 7 is 2 more at each G: one base in ten on +, two in ten (CC) on -
    assert whole["n_bases"] == 800
    assert concept["n_bases"] == 120
    assert concept["size"] / whole["size"] == pytest.approx((2 / 3) / (2 * 1.5 / 10))
    first, before = (rows.loc[("place", "gat", place, 0)] for place in (0, -1))
    assert first["size"] / whole["size"] == pytest.approx(2 / (2 * 1.5 / 10))
    assert (first["n_bases"], before["n_bases"]) == (40, 39)
    assert before["size"] == 0
    assert (whole["feature"], whole["cosine"]) == (2, pytest.approx(1))
    assert (whole["control_size"], before["feature"]) == (0, -1)
    component = rows.loc[("component", "", 0, 1)]
    assert component["share"] == pytest.approx(1)
    assert component["feature"] == 2


def test_difference_is_taken_out_next_to_others_of_its_norm(genome, dictionary, elements):
    models = ModelSet(PlantedModel(), tuned_model("t1", 2.0))
    found = measure_differences(
        models, dictionary, genome, elements=elements, windows=WINDOWS, config=CONFIG
    )
    patched = found[found["patch"].notna()]
    assert patched["kind"].tolist() == ["all", "concept"]
    assert patched["random_p"].between(0.1, 1).all()
    assert patched["pair_p"].between(0.1, 1).all()
    assert found["control_size"].isna().all()


def test_same_model_has_no_difference(genome, dictionary):
    models = ModelSet(PlantedModel(), PlantedModel())
    found = measure_differences(models, dictionary, genome, windows=WINDOWS, config=CONFIG)
    assert len(found) == 1
    assert found["size"].tolist() == [0]
    assert found["patch"].isna().all()


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ConfigError, match="n_random: expected at least 1, found 0"):
        DifferenceConfig(n_random=0)
