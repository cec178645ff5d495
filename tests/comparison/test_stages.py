"""A dictionary goes on training along two orders; what the model has changed turns in both."""

import numpy as np
import pandas as pd
import pytest
import torch

import genointerp as gi
from genointerp.comparison.config import DiffConfig, StagesConfig
from genointerp.comparison.stages import continued, stages_in_words, turns
from genointerp.core.config import read_config
from genointerp.core.errors import ConfigError, GenointerpError
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.sae.source import RowSource
from tests.comparison.planted import random_genome
from tests.comparison.tuned_models import tuned_model
from tests.wiring.planted_model import PlantedModel, save_channels

D, N = 16, 12
CONFIG = StagesConfig(n_passes=4, batch_tokens=128, learning_rate=0.03)
MEAN = 3.0


@pytest.fixture(scope="module")
def sae():
    """A dictionary that holds the first twelve axes, around a mean that is not 0."""
    found = make_sae(SaeConfig("batch_topk", N, 2), D)
    with torch.no_grad():
        found.W_dec.copy_(torch.eye(D)[:N])
        found.W_enc.copy_(found.W_dec.t())
        found.b_dec.fill_(MEAN)
        found.b_enc.fill_(-MEAN)
        found.threshold.fill_(0.4)
    return found


def rows(*, turned=(), common=(), seed=0, n=1200):
    """Rows of two axes each; those that a model has turned point half the way to another axis."""
    draw = np.random.default_rng(seed)
    directions = np.eye(D)[:N]
    for feature in turned:
        directions[feature] = (directions[feature] + np.eye(D)[N + feature % 4]) / np.sqrt(2)
    weight = np.ones(N - 1)
    weight[list(common)] = 6
    amount = np.zeros((n, N))
    for row in amount:
        row[draw.choice(N - 1, 2, replace=False, p=weight / weight.sum())] = draw.uniform(0.5, 1.5)
    return RowSource((amount @ directions + MEAN).astype(np.float32))


def test_a_feature_that_the_model_has_turned_stands_out_in_both_orders(sae):
    by_data = continued(sae, rows(common=[5]), CONFIG)
    tuned = turns(sae, by_data, rows(turned=[2], common=[5]), rows(turned=[2], seed=1), CONFIG)
    control = turns(sae, by_data, rows(common=[5]), rows(seed=1), CONFIG)
    assert tuned.turn.argmax() == 2
    assert tuned.turn[2] > 0.15 > 3 * np.delete(tuned.turn, 2).max()
    assert control.turn.max() < 0.05
    # the last axis never fires, and keeps its direction to the bit
    assert all(step[N - 1] == pytest.approx(1, abs=1e-12) for step in (*tuned, *control))
    # what the model turned does not turn again with the data
    assert tuned.data_second[2] > 0.9


def test_what_turns_in_one_order_alone_does_not_count(sae):
    by_data = continued(sae, rows(), CONFIG)
    found = turns(sae, by_data, rows(turned=[2]), rows(seed=1), CONFIG)
    assert found.model_second[2] < 0.9 < found.model_first[2]
    assert found.turn[2] == 1 - found.model_first[2]


def test_training_on_leaves_the_dictionary_that_is_given_and_what_it_knows_already(sae):
    before = {name: it.clone() for name, it in sae.tensors().items()}
    gentle = StagesConfig(n_passes=1, batch_tokens=64, learning_rate=1e-9)
    found = continued(sae, rows(), gentle)
    for name, it in sae.tensors().items():
        assert torch.equal(it, before[name])
        if name != "threshold":
            # raw rows to standardised ones and back
            torch.testing.assert_close(found.tensors()[name], it, atol=1e-5, rtol=1e-5)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stages")
    save_channels(folder / "sae", "blocks.1", [5, 6, 7])
    for name, seed in (("new", 0), ("old", 1)):
        bases = random_genome(250, seed=seed)["c0"].sequence.tobytes().decode()
        (folder / f"{name}.fa").write_text(f">c0\n{bases}\n")
    return folder


def test_the_command_writes_the_turn_next_to_the_control(files, tmp_path):
    out = tmp_path / "stages.tsv"
    stages = {"batch_tokens": 128, "learning_rate": 0.03}
    windows = {"strands": ["+"]}
    found = gi.diff(
        PlantedModel(),
        tuned_model("t1", 2.0),
        files / "new.fa",
        tmp_path / "d.tsv",
        control=tuned_model("c1", 0.0),
        sae=files / "sae",
        stages_out=out,
        old_genome=files / "old.fa",
        window=128,
        warmup=16,
        config={"stages": stages, "windows": windows},
    )
    written = pd.read_csv(out, sep="\t")
    assert written["feature"].tolist() == [0, 1, 2]
    model = written[["model_second", "model_first"]].max(axis=1)
    np.testing.assert_allclose(written["turn"], 1 - model)
    np.testing.assert_allclose(written["excess"], written["turn"] - written["control_turn"])
    naive = [
        (1 + sum(other >= one for other in written["control_turn"])) / 4 for one in written["turn"]
    ]
    np.testing.assert_allclose(written["p_value"], naive)
    assert stages_in_words(found.stages)[0].startswith("stages: of 3 features, ")
    assert stages_in_words(None) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stages_out": "s.tsv", "old_genome": "old.fa"}, "sae: expected a dictionary"),
        ({"stages_out": "s.tsv", "sae": "sae"}, "old_genome: expected data of which"),
        ({"old_genome": "old.fa"}, "stages_out: expected a table of what is learnt"),
    ],
)
def test_what_is_missing_is_named_before_the_work(files, tmp_path, options, message):
    options = {
        name: (tmp_path if name == "stages_out" else files) / it for name, it in options.items()
    }
    with pytest.raises(GenointerpError, match=message):
        gi.diff(
            PlantedModel(), tuned_model("t1", 2.0), files / "new.fa", tmp_path / "d.tsv", **options
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stages": {"n_passes": 0}}, "n_passes: expected at least 1, found 0"),
        ({"stages": {"learning_rate": 0.0}}, "learning_rate: expected more than 0, found 0.0"),
    ],
)
def test_settings_of_stages_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        read_config(DiffConfig, settings)
