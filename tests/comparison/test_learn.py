"""Features of two models are learnt together, and the control next to them."""

import numpy as np
import pandas as pd
import pytest
import torch

import genointerp as gi
from genointerp.comparison.difference_latents import _measured, fvu_of_components
from genointerp.comparison.latents_config import LatentsConfig
from genointerp.comparison.learn import latents_in_words, learn_latents
from genointerp.comparison.models import ModelSet
from genointerp.core.config import read_config
from genointerp.core.errors import ConfigError
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.metrics import sparse_codes
from genointerp.sae.source import RowSource
from genointerp.sae.train import train_sae
from tests.comparison.planted import Planted, random_genome
from tests.toy_model import ToyDnaModel

TRAINING = {
    "sae": {
        "architecture": "batch_topk_crosscoder",
        "n_features": 12,
        "k": 3,
        "delta_coefficient": 2.0,
    },
    "n_tokens": 60 * 128,
    "batch_tokens": 128,
    "learning_rate": 0.02,
    "dead_after": 5000,
}
WINDOWS = HarvestConfig(window=200, warmup=40, strands=("+",))


class Marks(Planted):
    """A model that has learnt to mark the second base of CG, in a direction that was free."""

    def run(self, tokens, *, capture, edits=()):
        found = super().run(tokens, capture=capture, edits=edits)
        marked = torch.zeros(tokens.shape, dtype=torch.bool)
        marked[:, 1:] = (tokens[:, :-1] == 1) & (tokens[:, 1:] == 2)
        return {site: x + 3 * marked[..., None] * torch.eye(8)[7] for site, x in found.items()}


def test_what_was_learnt_shows_in_the_tuned_model_and_the_control_has_nothing():
    models = ModelSet(ToyDnaModel(), Marks("tuned"), Planted("control"))
    config = read_config(LatentsConfig, {"training": TRAINING, "n_seeds": 2})
    calls = []
    table, differences = learn_latents(
        models,
        random_genome(2000),
        windows=WINDOWS,
        config=config,
        progress=lambda done, total: calls.append((done, total)),
    )
    tuned, control = (table[table["second"] == role] for role in ("tuned", "control"))
    assert len(tuned) == len(control) == 12
    assert set(table["first"]) == {"base"}
    assert tuned["delta_norm"].min() < 0.4
    # the control differs in what it predicts, and not at this site
    np.testing.assert_allclose(control["delta_norm"], 0.5, atol=1e-3)
    assert set(control["tag"]) <= {"shared", "rare", "dead"}
    first, second = latents_in_words(table)
    assert first.startswith("base and tuned: of ")
    assert "0 of control alone, 0 of base alone, 0 rotated; a second seed repeats 0 of" in second
    assert calls[-1] == (5000, 5000)
    assert calls == sorted(calls)
    own, other = (differences[differences["second"] == role] for role in ("tuned", "control"))
    # what was learnt is what is different, by however many features it is said
    said = own[own["context"] != ""]
    assert set(said["context"]) == {"CG"}
    assert said["gain"].sum() > 0.5 > 5 * own["gain"].drop(said.index).sum()
    assert said["n_fired"].nunique() == 1
    assert said["repeat_r"].max() > 0.99
    assert own["fvu"].iloc[0] < 0.05
    # one number a token says it all
    assert own["fvu_pca"].iloc[0] < 1e-6
    assert other["n_fired"].sum() == 0


def test_the_command_writes_the_table(tmp_path):
    path = tmp_path / "genome.fa"
    bases = random_genome(1500)["c0"].sequence.tobytes().decode()
    path.write_text(f">c0\n{bases}\n")
    short = {**TRAINING, "n_tokens": 1280}
    config = {"latents": {"training": short}, "windows": {"strands": ["+"]}}
    out = tmp_path / "latents.tsv"
    options = dict(window=200, warmup=40, config=config, latents_out=out)
    found = gi.diff(ToyDnaModel(), Planted(), path, tmp_path / "d.tsv", **options)
    written = pd.read_csv(out, sep="\t")
    assert found.latents is not None
    assert [*written.columns] == [*found.latents.columns]
    assert written["tag"].tolist() == found.latents["tag"].tolist()
    # the planted model differs in what it predicts, and not at this site
    np.testing.assert_allclose(written["delta_norm"], 0.5, atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"training": {"sae": {"n_features": 9, "k": 1}}}, "batch_topk_crosscoder, found 'batch_"),
        ({"n_seeds": 3}, "latents: n_seeds: expected 1 or 2, found 3"),
        ({"n_bases": 0}, "latents: n_bases: expected at least 1, found 0"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        read_config(LatentsConfig, settings)


def test_the_gain_of_a_feature_is_what_the_error_becomes_without_it():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(60, 6)).astype(np.float32)
    config = TrainConfig(
        sae=SaeConfig("batch_topk", n_features=9, k=2),
        n_tokens=512,
        batch_tokens=32,
        learning_rate=0.02,
    )
    sae = train_sae(RowSource(x), config, metadata={}).sae
    table = _measured(sae, x).table
    f = sparse_codes(sae, torch.from_numpy(x)).toarray().astype(np.float64)
    d, b = (it.detach().double().numpy() for it in (sae.W_dec, sae.b_dec))
    total = ((x - x.mean(0)) ** 2).sum()
    error = ((x - (f @ d + b)) ** 2).sum()
    for j in range(9):
        kept = np.arange(9) != j
        without = ((x - (f[:, kept] @ d[kept] + b)) ** 2).sum()
        assert table["gain"][j] == pytest.approx((without - error) / total, abs=1e-6)
        assert table["n_fired"][j] == (f[:, j] > 0).sum()


def test_components_leave_what_a_projection_leaves():
    draw = np.random.default_rng(1)
    train, test = (draw.normal(size=(n, 5)) @ np.diag([5, 3, 1, 0.5, 0.1]) for n in (400, 50))
    mean = train.mean(0)
    top = np.linalg.svd(train - mean)[2][:2]
    rest = (test - mean) - (test - mean) @ top.T @ top
    expected = (rest**2).sum() / ((test - test.mean(0)) ** 2).sum()
    found = fvu_of_components(train.astype(np.float32), test.astype(np.float32), 2)
    assert found == pytest.approx(expected, rel=1e-4)
