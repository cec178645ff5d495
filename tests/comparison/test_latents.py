from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from genointerp.comparison.latents import (
    cosines,
    delta_norms,
    is_repeated,
    tag_latents,
    tags,
    with_repeats,
)
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.compare import best_correlated
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.latent_scaling import LatentScaling
from genointerp.sae.source import RowSource
from genointerp.sae.train import train_sae
from scripts.crosscoder_world import World

WORLD = World(d=24, n_shared=8, n_first=2, n_second=2, n_weak=0, n_rotated=2, n_firing=1.2)
CONFIG = TrainConfig(
    sae=SaeConfig("batch_topk_crosscoder", n_features=16, k=2, delta_coefficient=2.0),
    n_tokens=400 * 128,
    batch_tokens=128,
    learning_rate=0.02,
    outlier_sd=None,
    dead_after=6000,
    eval_rows=1000,
)


def trained(rows, *, seed=0, n_steps=400):
    source = RowSource(rows, widths=(WORLD.d, WORLD.d))
    config = replace(CONFIG, seed=seed, n_tokens=n_steps * CONFIG.batch_tokens)
    return train_sae(source, config, metadata={}).sae


@pytest.fixture(scope="module")
def rows():
    return WORLD.rows(10_000, 0)[0]


@pytest.fixture(scope="module")
def tagged(rows):
    return tag_latents(trained(rows), [rows[:5000]])


def truth_of(tagged, amount):
    """Return the true feature that fires most like each feature, and the correlation."""
    match = best_correlated(tagged.codes, sparse.csr_array(amount))
    return match.other, match.value


def test_features_of_one_model_are_found_and_nothing_else_is_called_so(tagged):
    best, r = truth_of(tagged, WORLD.rows(10_000, 0)[1][:5000])
    tag = tagged.table["tag"].to_numpy()
    for of, kind in (("exclusive_first", "first"), ("exclusive_second", "second")):
        expected = [number for number, one in enumerate(WORLD.kinds) if one == kind]
        assert sorted(best[tag == of]) == expected
        assert (r[tag == of] > 0.9).all()
    turned = [number for number, one in enumerate(WORLD.kinds) if one == "rotated"]
    assert sorted(best[tag == "rotated"]) == turned


def test_the_units_of_a_model_change_no_tag(rows):
    ten = rows * np.repeat(np.float32([1, 10]), WORLD.d)
    one, again = (tag_latents(trained(x, n_steps=100), [x[:5000]]).table for x in (rows, ten))
    assert again["tag"].tolist() == one["tag"].tolist()
    assert len(set(one["tag"])) > 1
    np.testing.assert_allclose(again["delta_norm"], one["delta_norm"], atol=0.01)


def test_the_same_model_twice_has_nothing_exclusive(rows):
    twice = np.concatenate([rows[:, : WORLD.d]] * 2, axis=1)
    table = tag_latents(trained(twice, n_steps=100), [twice[:5000]]).table
    assert set(table["tag"]) <= {"shared", "rare", "dead"}
    np.testing.assert_allclose(table["delta_norm"], 0.5, atol=1e-3)
    np.testing.assert_allclose(table["cosine"], 1, atol=1e-3)


def test_another_seed_repeats_the_features_of_one_model(rows, tagged):
    table = with_repeats(tagged, tag_latents(trained(rows, seed=1), [rows[:5000]]))
    exclusive = table["tag"].str.startswith("exclusive")
    assert is_repeated(table)[exclusive].all()
    assert set(table.loc[table["repeat"] < 0, "repeat_tag"]) <= {""}
    same = with_repeats(tagged, tagged)
    fires = same["n_fired"] > 0
    assert same["repeat"][fires].tolist() == same["feature"][fires].tolist()
    assert is_repeated(same)[fires].all()


def test_norms_and_cosines_by_hand():
    sae = make_sae(SaeConfig("batch_topk_crosscoder", 3, 1, widths=(2, 2)), 4)
    sae.W_dec.data[:] = sae.W_dec.new_tensor(
        [[0.6, 0.0, 0.0, 0.8], [1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.5, 0.5]]
    )
    # (.6 - .8) / .8 is -.25
    assert delta_norms(sae).tolist() == pytest.approx([0.375, 1, 0.5])
    assert cosines(sae).tolist() == pytest.approx([0, np.nan, 1], nan_ok=True)


@pytest.mark.parametrize(
    ("norm", "cosine", "nu_error", "nu_reconstruction", "n_fired", "tag"),
    [
        (0.95, np.nan, (0.1, 9), (0.1, 9), 100, "exclusive_first"),
        (0.05, 0.0, (9, 0.1), (9, 0.4), 100, "exclusive_second"),
        (0.95, 0.0, (0.3, 0), (0.1, 0), 100, "unclear"),
        (0.95, 0.0, (0.1, 0), (0.6, 0), 100, "unclear"),
        (0.05, 0.0, (0, np.nan), (0, 0), 100, "unclear"),
        (0.95, np.nan, (0.1, 9), (0.1, 9), 19, "rare"),
        (0.5, 1.0, (1, 1), (1, 1), 0, "dead"),
        (0.55, 0.9, (1, 1), (1, 1), 100, "shared"),
        (0.3, 0.9, (1, 1), (1, 1), 100, "scaled"),
        (0.3, 0.5, (0, 0), (0, 0), 100, "rotated"),
        (0.2, 0.5, (0, 0), (0, 0), 100, "unclear"),
    ],
)
def test_tags_by_hand(norm, cosine, nu_error, nu_reconstruction, n_fired, tag):
    scaling = LatentScaling(
        np.array([nu_error], float),
        np.array([nu_reconstruction], float),
        np.array([n_fired]),
        np.ones(1),
        1000,
    )
    assert tags(np.array([norm]), np.array([cosine]), scaling) == [tag]
