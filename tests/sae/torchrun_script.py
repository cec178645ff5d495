"""What each process of the data-parallel test runs: two dictionaries, written by rank 0."""

import dataclasses
import sys
from pathlib import Path

import torch

from genointerp.sae import parallel
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.train import train_together
from tests.sae.sources import array_source, sparse_rows

METADATA = {"model": "toy", "model_sha256": "ab" * 32, "site": "blocks.1"}
BATCH_TOPK = TrainConfig(
    sae=SaeConfig("batch_topk", n_features=128, k=3),
    n_tokens=128 * 24,
    batch_tokens=128,
    warmup_steps=5,
    dead_after=256,
    clip_norm=0.5,
    log_every=8,
    checkpoint_every=12,
)
TOPK = dataclasses.replace(BATCH_TOPK, sae=SaeConfig("topk", n_features=128, k=3), clip_norm=None)


def train(folder=None):
    """Return what is to be the same whatever the number of processes."""
    with parallel.process_group("cpu"):
        results = train_together(
            array_source(sparse_rows()), [BATCH_TOPK, TOPK], metadata=METADATA,
            checkpoint_dir=folder,
        )  # fmt: skip
        state = [
            {**result.sae.state_dict(), "records": result.records, "log": vars(result.log)}
            for result in results
        ]
        if folder is not None and parallel.rank() == 0:
            torch.save((parallel.world_size(), state), folder / "state.pt")
        parallel.wait_for_all()
    return state


if __name__ == "__main__":
    train(Path(sys.argv[1]))
