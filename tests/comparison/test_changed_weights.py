import copy

import numpy as np
import pytest
import torch

from genointerp.comparison.changed.amplification import write_amplified
from genointerp.comparison.changed.weights import WeightConfig, effective_rank, measure_weights
from genointerp.comparison.models import ModelSet
from genointerp.core.errors import ConfigError, InputError
from genointerp.model.hyena.folder import save_model
from genointerp.model.registry import load_model
from genointerp.sae.dictionary import Dictionary
from tests.toy_model import ToyDnaModel

CONFIG = WeightConfig(n_components=2, n_random=99)


def changed(network, folder, change):
    """Write a copy of a network after a change, and load it."""
    copied = copy.deepcopy(network)
    with torch.no_grad():
        change(copied)
    save_model(copied, folder, name=folder.name, context=8192, default_site="blocks.5")
    return load_model(str(folder))


@pytest.fixture(scope="module")
def base():
    return load_model("nano")


@pytest.fixture(scope="module")
def dictionary():
    return Dictionary.load("shipped:nano")


@pytest.fixture(scope="module")
def planted(base, dictionary, tmp_path_factory):
    """Models of which one reads feature 7 in block 6 and writes C, and one only drifted."""
    folder = tmp_path_factory.mktemp("models")
    network = base.network

    def read_and_write(net):
        block = net.blocks[6]
        # through the norm, the direction of the stream is what is read times its scale
        read = dictionary.directions[7] / block.post_norm.scale
        block.mlp.l1.weight += torch.outer(torch.ones(block.mlp.l1.weight.shape[0]), read)
        ids = torch.from_numpy(base.symbols.ids)
        bases = net.embedding_layer.weight[ids] * net.norm.scale
        write = (bases - bases.mean(0))[1]
        block.mlp.l3.weight += torch.outer(write, torch.ones(block.mlp.l3.weight.shape[1]))

    def drift(net):
        generator = torch.Generator().manual_seed(0)
        for weight in net.parameters():
            weight += 1e-3 * torch.randn(weight.shape, generator=generator)

    return ModelSet(
        base,
        changed(network, folder / "planted", read_and_write),
        changed(network, folder / "drifted", drift),
    )


def test_planted_component_names_its_feature_and_its_base(planted, dictionary):
    found = measure_weights(planted, dictionary, config=CONFIG).set_index(
        ["model", "matrix", "component"]
    )
    read = found.loc[("tuned", "blocks.6.mlp.l1", 1)]
    assert read["read_feature"] == 7
    assert abs(read["read_cosine"]) == pytest.approx(1, abs=1e-4)
    assert read["read_p"] == 0.01
    assert read["share"] == pytest.approx(1, abs=1e-6)
    assert read["rank"] == pytest.approx(1, abs=1e-3)
    write = found.loc[("tuned", "blocks.6.mlp.l3", 1)]
    assert write["write_base"] == "C"
    assert abs(write["write_cosine"]) == pytest.approx(1, abs=1e-4)
    # a site below the block says nothing of what is written
    assert write["write_feature"] == -1
    parts = found["part"].groupby(level=["model", "matrix"]).first()
    assert parts["tuned"].sum() == pytest.approx(1, abs=1e-4)
    assert found.loc[("tuned", "blocks.0.mlp.l1", 1), "value"] == 0


def test_drift_is_spread_over_all_components_and_reads_no_feature(planted, dictionary):
    found = measure_weights(planted, dictionary, config=CONFIG)
    drift = found[(found["model"] == "control") & (found["component"] == 1)]
    assert (drift["rank"] > 30).all()
    read = drift[drift["read_feature"] >= 0]
    assert len(read) > 2
    assert (read["read_p"] > 0.02).all()
    assert not (found["read_feature"] >= 0)[found["block"] <= 5].any()


def test_same_model_has_no_change_of_weights(base):
    found = measure_weights(ModelSet(base, base), config=CONFIG)
    assert (found["value"] == 0).all()
    assert (found["rank"] == 0).all()
    assert (found["component"] == 1).all()


def test_effective_rank_of_a_spread_is_between_one_and_its_number():
    assert effective_rank(np.array([1.0, 0.0])) == 1
    assert 1 < effective_rank(np.array([3.0, 1.0])) < 2


def test_amplified_model_is_beyond_the_tuned_one(planted, tmp_path):
    name = write_amplified(planted, 2.0, tmp_path / "louder")
    assert name == "planted-amplified-2"
    model = load_model(str(tmp_path / "louder"))
    assert model.spec.name == name
    for key, weight in model.network.state_dict().items():
        before, after = (it.network.state_dict()[key] for it in (planted.base, planted.tuned))
        assert torch.allclose(weight, 2 * after - before, atol=1e-4)


@pytest.mark.parametrize(("amount", "same_as"), [(0.0, "base"), (1.0, "tuned")])
def test_amount_zero_is_base_and_one_is_tuned(planted, tmp_path, amount, same_as):
    write_amplified(planted, amount, tmp_path / "model")
    own = load_model(str(tmp_path / "model")).network.state_dict()
    for key, weight in planted[same_as].network.state_dict().items():
        assert torch.allclose(own[key], weight, atol=1e-6)


def test_what_cannot_be_amplified_is_refused(planted, tmp_path):
    with pytest.raises(ConfigError, match="amplify: expected a number from -10 to 10, found nan"):
        write_amplified(planted, float("nan"), tmp_path / "x")
    toy = ModelSet(ToyDnaModel(), ToyDnaModel())
    with pytest.raises(InputError, match="amplify: expected a StripedHyena of this package"):
        write_amplified(toy, 2.0, tmp_path / "x")
    assert not (tmp_path / "x").exists()
