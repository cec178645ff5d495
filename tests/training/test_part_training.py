import numpy as np
import pytest
import torch

from genointerp.core.errors import ConfigError
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.io import save_training
from genointerp.sae.source import RowSource
from genointerp.training.config import SlowPart
from genointerp.training.parts import train_parts
from tests.dictionaries import metadata_of

CONFIG = TrainConfig(
    sae=SaeConfig(n_features=24, k=3), n_tokens=60_000, batch_tokens=500, log_every=40, aux_k=4
)
SLOW = (SlowPart(step=1, half=15, n_features=16, k=1),)
METADATA = {"model": "m", "model_sha256": "0" * 64, "site": "blocks.0"}


@pytest.fixture(scope="module")
def rows():
    """Rows of 20 windows; ten directions last for 40 bases, ten others for one."""
    generator = np.random.default_rng(0)
    lasting, brief = np.linalg.qr(generator.normal(size=(20, 20)))[0].reshape(2, 10, 20)
    state = np.repeat(generator.integers(0, 10, 500), 40)
    momentary = generator.integers(0, 10, 20_000)
    x = lasting[state] + 2 * brief[momentary] + 0.05 * generator.normal(size=(20_000, 20))
    return (x + 3).astype(np.float32), state


@pytest.fixture(scope="module")
def result(rows):
    return train_parts(RowSource(rows[0]), np.split(rows[0], 20), CONFIG, SLOW, metadata=METADATA)


def test_the_features_of_the_slow_part_tell_what_lasts(rows, result):
    x, state = rows
    with torch.no_grad():
        codes = result.sae.encode(torch.from_numpy(x)).numpy() > 0
    purity = []
    for feature in np.flatnonzero(codes[:, :16].any(axis=0)):
        counts = np.bincount(state[codes[:, feature]], minlength=10)
        purity.append(counts.max() / counts.sum())
    assert np.mean(purity) > 0.8


def test_the_figures_are_of_the_whole_activations(rows, result):
    x = torch.from_numpy(rows[0])
    with torch.no_grad():
        missed = (x - result.sae(x)).square().sum()
    fvu = float(missed / (x - x.mean(dim=0)).square().sum())
    assert result.log.fvu == pytest.approx(fvu, rel=0.15)
    assert result.log.fvu < 0.5
    assert result.log.n_tokens == 2 * CONFIG.n_tokens
    assert len(result.density) == 40


def test_metrics_of_the_parts_follow_each_other(result):
    steps = [record["step"] for record in result.records]
    assert steps == sorted(set(steps))
    assert steps[-1] == 2 * CONFIG.n_steps
    assert {record["part"] for record in result.records} == {0, 1}


def test_it_is_saved_and_read_like_any_dictionary(rows, result, tmp_path):
    save_training(result, tmp_path / "sae")
    loaded = Dictionary.load(tmp_path / "sae")
    x = torch.from_numpy(rows[0][:100])
    with torch.no_grad():
        assert torch.equal(loaded.sae.encode(x), result.sae.encode(x))
    assert metadata_of(loaded)["parts"].startswith(
        "features 0 to 16: slow part of step 1, 15 on either side, 0."
    )
    assert "; features 16 to 40: the rest, " in metadata_of(loaded)["parts"]


def test_stopped_and_started_again_equals_never_stopped(rows, result, tmp_path):
    def stop(done: int, _: int) -> None:
        if done >= 1.5 * CONFIG.n_tokens:
            raise KeyboardInterrupt

    def run(progress):
        return train_parts(
            RowSource(rows[0]),
            np.split(rows[0], 20),
            CONFIG,
            SLOW,
            metadata=METADATA,
            checkpoint_dir=tmp_path,
            progress=progress,
        )

    with pytest.raises(KeyboardInterrupt):
        run(stop)
    again = run(lambda *_: None)
    for name, tensor in result.sae.tensors().items():
        assert torch.equal(tensor, again.sae.tensors()[name])


def test_an_architecture_that_cannot_be_joined_is_refused_before_training(rows):
    config = TrainConfig(sae=SaeConfig("topk", 8, 2), n_tokens=4096)
    with pytest.raises(ConfigError, match="for a dictionary in parts, found 'topk'"):
        train_parts(RowSource(rows[0]), [], config, SLOW, metadata=METADATA)
