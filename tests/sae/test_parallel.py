"""Two processes on one batch do what one process does on it."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from genointerp.core.errors import ConfigError
from genointerp.sae import parallel
from genointerp.sae.train import train_sae
from tests.sae.sources import array_source, sparse_rows
from tests.sae.torchrun_script import BATCH_TOPK, METADATA, train

ROOT = Path(__file__).parents[2]


def known(values):
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.slow
def test_two_processes_of_torchrun_train_what_one_does(tmp_path):
    command = [
        *[sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
        *["-m", "tests.sae.torchrun_script", str(tmp_path)],
    ]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert run.returncode == 0, run.stderr[-2000:]
    world_size, found = torch.load(tmp_path / "state.pt", weights_only=False)
    assert world_size == 2
    for expected, state in zip(train(), found, strict=True):
        for name in ("W_enc", "W_dec", "b_enc", "b_dec", "threshold"):
            if name in expected:
                torch.testing.assert_close(state[name], expected[name], rtol=1e-3, atol=1e-4)
        assert known(state["log"]) == pytest.approx(known(expected["log"]), rel=1e-3, abs=1e-3)
        for ours, theirs in zip(state["records"], expected["records"], strict=True):
            assert known(ours) == pytest.approx(known(theirs), rel=1e-3, abs=1e-3)
        # some are dead by then, so that the auxiliary loss was at work
        assert any(record["aux_loss"] is not None for record in expected["records"])
    assert (tmp_path / "checkpoint.pt").exists()


def test_a_process_alone_is_the_whole_world():
    with parallel.process_group("cpu") as device:
        assert (device, parallel.world_size(), parallel.rank()) == ("cpu", 1, 0)
        x = torch.arange(6.0).reshape(3, 2)
        assert torch.equal(parallel.share_of(x), x)
        assert torch.equal(parallel.mean_over_ranks(x), x)
        parallel.wait_for_all()


def test_a_batch_that_the_processes_cannot_share_is_refused(monkeypatch):
    monkeypatch.setattr(parallel, "world_size", lambda: 3)
    with pytest.raises(ConfigError, match=r"batch_tokens: expected a multiple of 3.*found 128"):
        train_sae(array_source(sparse_rows()), BATCH_TOPK, metadata=METADATA)
