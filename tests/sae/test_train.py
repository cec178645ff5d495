import dataclasses
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from genointerp.core.errors import (
    ConfigError,
    DivergenceError,
    InputError,
    MismatchError,
    SchemaError,
)
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.io import save_training
from genointerp.sae.source import RowSource
from genointerp.sae.step import Trainer
from genointerp.sae.train import train_sae, train_together
from tests.sae.sources import array_source, sparse_rows

ROOT = Path(__file__).parents[2]
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


def test_the_threshold_is_that_of_the_next_batches_and_the_weights_are_not(trained, rows):
    one = dataclasses.replace(CONFIG, threshold_batches=1)
    found = weights(train_sae(array_source(rows), one, metadata=METADATA))
    expected = weights(trained)
    assert not torch.equal(found.pop("threshold"), expected.pop("threshold"))
    assert all(torch.equal(found[name], expected[name]) for name in expected)


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


def test_the_number_of_threads_changes_no_bit_at_the_default_batch():
    # larger batches are summed in parts, one for each thread
    rows = np.random.default_rng(0).standard_normal((8192, 128)).astype(np.float32)
    sae = SaeConfig("batch_topk", n_features=384, k=16)
    config = dataclasses.replace(CONFIG, sae=sae, batch_tokens=TrainConfig(sae=sae).batch_tokens)
    before, found = torch.get_num_threads(), []
    try:
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            found.append(weights(train_sae(array_source(rows), config, metadata=METADATA)))
    finally:
        torch.set_num_threads(before)
    assert same(found[0], found[1])
    assert same(found[0], found[2])


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


@pytest.mark.slow
def test_a_run_that_the_system_killed_goes_on_as_if_nothing_had_happened(trained, rows, tmp_path):
    code = (
        "from pathlib import Path\n"
        "from tests.sae.test_train import CONFIG, METADATA\n"
        "from tests.sae.sources import array_source, sparse_rows\n"
        "from genointerp.sae.train import train_sae\n"
        "train_sae(array_source(sparse_rows()), CONFIG, metadata=METADATA,\n"
        f"    checkpoint_dir=Path({str(tmp_path)!r}),\n"
        "    progress=lambda done, total: print(done, flush=True))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        while int(process.stdout.readline()) < 37 * CONFIG.batch_tokens:
            pass
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "cfg.json").exists()
    steps = []
    resumed = train_sae(
        array_source(rows), CONFIG, metadata=METADATA, checkpoint_dir=tmp_path,
        progress=lambda done, total: steps.append(done // CONFIG.batch_tokens),
    )  # fmt: skip
    # from the checkpoint, not from the beginning
    assert 30 < steps[0] < 100
    assert same(weights(resumed), weights(trained))
    assert resumed.log == trained.log
    assert resumed.records == trained.records


def test_dictionaries_trained_together_are_those_trained_alone(trained, rows, tmp_path):
    others = [
        dataclasses.replace(CONFIG, sae=SaeConfig("topk", n_features=20, k=2)),
        dataclasses.replace(CONFIG, init_seed=1, learning_rate=5e-3),
    ]
    together = train_together(
        array_source(rows), [CONFIG, *others], metadata=METADATA, checkpoint_dir=tmp_path
    )
    assert same(weights(together[0]), weights(trained))
    assert together[0].log == trained.log
    alone = train_sae(array_source(rows), others[0], metadata=METADATA)
    assert same(weights(together[1]), weights(alone))
    assert together[1].records == alone.records
    assert not same(weights(together[2]), weights(trained))
    assert [result.config for result in together] == [CONFIG, *others]
    assert (tmp_path / "1.metrics.jsonl").read_text().count("\n") == 5


def test_dictionaries_that_need_other_data_are_not_trained_together(rows):
    other = dataclasses.replace(CONFIG, batch_tokens=64)
    with pytest.raises(ConfigError, match=r"batch_tokens: expected 128 for all dict.*found 64"):
        train_together(array_source(rows), [CONFIG, other], metadata=METADATA)


def test_the_seed_of_the_initial_weights_leaves_the_data_as_they_are(trained, rows):
    other = train_sae(
        array_source(rows), dataclasses.replace(CONFIG, init_seed=7), metadata=METADATA
    )
    assert other.log.n_eval_tokens == trained.log.n_eval_tokens
    assert other.log.mean_to_spread == trained.log.mean_to_spread
    assert not same(weights(other), weights(trained))


def test_the_ratio_of_mean_to_spread_is_told_before_training(rows, caplog):
    caplog.set_level("INFO")
    short = dataclasses.replace(CONFIG, n_tokens=128, centre=False)
    log = train_sae(array_source(rows), short, metadata=METADATA).log
    told = [record.getMessage() for record in caplog.records]
    assert told[0] == f"activations: 16 wide, |mean| / |std| = {log.mean_to_spread:.2f}"
    assert "set centre: true" in told[1]
    assert told[2] == "128 tokens to train on: 0.0 passes over the data"
    share = f"{100 * log.outlier_share:.3f} % of rows, whose norm is above {log.outlier_norm:.4g}"
    assert told[3] == f"left out: {share}; 0 first rows of windows"
    assert told[4].startswith("trained on 128 tokens")


@pytest.mark.parametrize(
    ("n_rows", "n_tokens", "warmup_steps", "dead_after"),
    [
        pytest.param(9_000_000, 5_000_000, 100, 250_000, id="bacterium"),
        # 10 passes over nine tenths of both strands, 426 steps
        pytest.param(97_004, 873_036, 42, 218_259, id="phage"),
        pytest.param(100, 2048, 0, 512, id="less-than-a-batch"),
    ],
)
def test_defaults_of_the_training_follow_the_data(n_rows, n_tokens, warmup_steps, dead_after):
    found = TrainConfig().for_rows(n_rows)
    assert (found.n_tokens, found.warmup_steps, found.dead_after) == (
        n_tokens,
        warmup_steps,
        dead_after,
    )
    assert found.for_rows(1) == found
    assert CONFIG.for_rows(n_rows) == CONFIG


def test_a_training_without_a_number_of_tokens_reads_the_data_so_often(rows):
    short = TrainConfig(SaeConfig(n_features=16, k=2), batch_tokens=64, max_passes=2)
    result = train_sae(array_source(rows[:1000]), short, metadata=METADATA)
    assert result.config.n_tokens == 1800
    assert result.log.n_tokens == 28 * 64


def test_outliers_are_told_of_and_measured_apart(rows):
    loud = rows.copy()
    loud[::50] = 900 + loud[::50]
    log = train_sae(array_source(loud), CONFIG, metadata=METADATA).log
    assert log.outlier_share == pytest.approx(0.02, abs=0.01)
    # a row of 16 elements of 900 has a norm of 3,600
    assert 100 < log.outlier_norm < 3600
    assert 2 * log.fvu < log.fvu_all


@pytest.mark.parametrize("normalise", ["none", "scale", "whiten"])
@pytest.mark.parametrize("architecture", ["topk", "batch_topk"])
def test_what_was_done_to_the_rows_is_folded_into_the_weights(normalise, architecture, tmp_path):
    rows = sparse_rows(2000, d_in=8) * np.geomspace(0.5, 20, 8, dtype=np.float32)
    config = dataclasses.replace(
        CONFIG, sae=SaeConfig(architecture, n_features=24, k=3), normalise=normalise,
        learning_rate=1e-2 if normalise != "none" else 1e-1,
    )  # fmt: skip
    result = train_sae(array_source(rows), config, metadata=METADATA)
    # what the weights say of raw rows is what was measured in training
    last = result.records[-1]
    assert result.log.l0 == pytest.approx(last["l0"], rel=0.15)
    assert result.log.fvu < 0.6
    save_training(result, tmp_path)
    loaded = Dictionary.load(tmp_path).sae
    x = torch.from_numpy(rows[:300])
    assert torch.equal(loaded(x), result.sae(x))
    for name, tensor in result.sae.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
    if normalise != "whiten":
        torch.testing.assert_close(result.sae.W_dec.norm(dim=1), torch.ones(24))


def test_a_tied_dictionary_cannot_undo_whitening(rows):
    config = dataclasses.replace(
        CONFIG, sae=SaeConfig("tied_batch_topk", n_features=24, k=3), normalise="whiten"
    )
    with pytest.raises(ConfigError, match="architecture: expected an encoder of its own"):
        train_sae(array_source(rows), config, metadata=METADATA)


def test_checkpoint_of_another_configuration_is_refused(rows, tmp_path):
    short = dataclasses.replace(CONFIG, n_tokens=1280)
    train_sae(array_source(rows), short, metadata=METADATA, checkpoint_dir=tmp_path)
    message = (
        r"checkpoint.pt: expected a checkpoint of this.*"
        r"\(config.0.n_tokens: 1280, here 12800\); --force starts anew"
    )
    with pytest.raises(MismatchError, match=message):
        train_sae(array_source(rows), CONFIG, metadata=METADATA, checkpoint_dir=tmp_path)


def test_a_broken_checkpoint_is_named(rows, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(SchemaError, match=r"checkpoint.pt: expected weights saved by torch, found"):
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


def test_nothing_trained_is_lost_upon_bad_data_and_mended_data_go_on(trained, rows, tmp_path):
    class Broken(RowSource):
        def chunks(self, seed, epoch, **options):
            for number, chunk in enumerate(super().chunks(seed, epoch, **options)):
                # found in the second epoch, and neither by the survey nor at a checkpoint
                yield chunk * np.float32(np.inf) if (epoch, number) == (1, 2) else chunk

    with pytest.raises(InputError, match=r"NaN or infinity in row 600 of epoch 1"):
        train_sae(Broken(rows, chunk_rows=300), CONFIG, metadata=METADATA, checkpoint_dir=tmp_path)
    steps = []
    mended = train_sae(
        array_source(rows), CONFIG, metadata=METADATA, checkpoint_dir=tmp_path,
        progress=lambda done, total: steps.append(done // CONFIG.batch_tokens),
    )  # fmt: skip
    # 20 steps in the first epoch, of 2,700 rows less the outliers, and 4 of the 600 rows before
    assert steps[0] == 20 + 4 + 1
    assert same(weights(mended), weights(trained))


def test_a_training_that_diverges_ends_with_its_step_and_keeps_the_last_good_weights(
    rows, tmp_path, monkeypatch
):
    step = Trainer.step

    def diverging(trainer, x):
        if trainer.step_number == 21:
            with torch.no_grad():
                trainer.sae.W_dec.fill_(torch.inf)
        return step(trainer, x)

    monkeypatch.setattr(Trainer, "step", diverging)
    with pytest.raises(DivergenceError, match=r"step 22: expected a finite loss, found (nan|inf)"):
        train_sae(array_source(rows), CONFIG, metadata=METADATA, checkpoint_dir=tmp_path)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["trainers"][0]["step"] == 15


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
