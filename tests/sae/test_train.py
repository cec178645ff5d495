import dataclasses

import numpy as np
import pytest
import torch

from genointerp.core.errors import InputError, MismatchError, SchemaError
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.train import train_sae
from tests.sae.sources import array_source, sparse_rows

METADATA = {"model": "toy", "model_sha256": "ab" * 32, "site": "blocks.1"}
CONFIG = TrainConfig(
    sae=SaeConfig("batch_topk", n_features=48, k=3),
    n_tokens=12_800,
    batch_tokens=128,
    learning_rate=1e-2,
    warmup_steps=10,
    dead_after=2000,
    log_every=20,
    checkpoint_every=15,
)


def weights(result):
    return {name: tensor.clone() for name, tensor in result.sae.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def rows():
    return sparse_rows()


@pytest.fixture(scope="module")
def trained(rows):
    return train_sae(array_source(rows), CONFIG, metadata=METADATA)


def test_a_dictionary_learns_sparse_directions(trained):
    assert trained.log.fvu < 0.25
    assert trained.log.l0 == pytest.approx(3, abs=0.3)
    assert trained.log.n_tokens == 12_800
    assert trained.density.shape == (48,)
    assert trained.log.dead_share == (trained.density == 0).mean()


def test_the_result_acts_on_raw_activations(trained, rows):
    x = torch.from_numpy(rows)
    error = ((x - trained.sae(x)).square().sum() / (x - x.mean(dim=0)).square().sum()).item()
    assert error < 0.25


def test_topk_learns_too(rows):
    config = dataclasses.replace(CONFIG, sae=SaeConfig("topk", n_features=48, k=3), decay="cosine")
    log = train_sae(array_source(rows), config, metadata=METADATA).log
    assert log.fvu < 0.3
    assert log.l0 <= 3
    assert log.threshold == 0


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(trained, rows):
    again = train_sae(array_source(rows), CONFIG, metadata=METADATA)
    assert same(weights(again), weights(trained))
    assert again.log == trained.log
    assert again.records == trained.records
    other = train_sae(array_source(rows), dataclasses.replace(CONFIG, seed=1), metadata=METADATA)
    assert not same(weights(other), weights(trained))


class _Killed(Exception):
    pass


@pytest.mark.parametrize("step", [7, 15, 44, 100])
def test_killed_and_resumed_equals_never_killed(step, trained, rows, tmp_path):
    def kill(done, total):
        if done == step * CONFIG.batch_tokens:
            raise _Killed

    with pytest.raises(_Killed):
        train_sae(
            array_source(rows), CONFIG, metadata=METADATA, checkpoint_dir=tmp_path, progress=kill
        )
    resumed = train_sae(array_source(rows), CONFIG, metadata=METADATA, checkpoint_dir=tmp_path)
    assert same(weights(resumed), weights(trained))
    assert resumed.log == trained.log
    assert resumed.records == trained.records


def test_checkpoint_of_another_configuration_is_refused(rows, tmp_path):
    short = dataclasses.replace(CONFIG, n_tokens=1280)
    train_sae(array_source(rows), short, metadata=METADATA, checkpoint_dir=tmp_path)
    with pytest.raises(MismatchError, match=r"checkpoint.pt: expected a checkpoint of this"):
        train_sae(array_source(rows), CONFIG, metadata=METADATA, checkpoint_dir=tmp_path)


def test_a_broken_checkpoint_is_named(rows, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(SchemaError, match=r"checkpoint.pt: expected a checkpoint, found"):
        train_sae(array_source(rows), CONFIG, metadata=METADATA, checkpoint_dir=tmp_path)


def test_metrics_are_logged_at_the_stated_steps(trained):
    assert [record["step"] for record in trained.records] == [20, 40, 60, 80, 100]
    assert set(trained.records[0]) == {
        "step", "n_tokens", "fvu", "l0", "dead_share", "loss", "aux_loss", "learning_rate",
    }  # fmt: skip


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_activations_that_are_not_finite_are_refused(value, rows):
    broken = rows.copy()
    broken[17, 3] = value
    with pytest.raises(InputError, match=r"finite values, found NaN or infinity in row \d+"):
        train_sae(array_source(broken), CONFIG, metadata=METADATA)


def test_rows_of_another_width_are_refused(rows):
    source = array_source(rows)
    source.d_in, source.widths = 17, (17,)
    with pytest.raises(MismatchError, match="expected rows of width 17, found 16"):
        train_sae(source, CONFIG, metadata=METADATA)


def test_too_few_rows_for_a_batch_are_refused(rows):
    with pytest.raises(InputError, match="at least batch_tokens = 128 rows"):
        train_sae(array_source(rows[:100]), CONFIG, metadata=METADATA)


def test_rows_without_variance_are_refused():
    constant = np.ones((500, 4), dtype=np.float32)
    config = dataclasses.replace(CONFIG, eval_share=0.5)
    with pytest.raises(InputError, match="activations: expected"):
        train_sae(array_source(constant), config, metadata=METADATA)
