"""One step of training a dictionary, as a multiple of the encoder's matrix product alone."""

from pathlib import Path

import torch

from benchmarks.timing import cpu_seconds
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.step import Trainer

FULL = {"batch": 2048, "d_in": 128, "n_features": 2048, "k": 16, "n_steps": 20}


def measure(
    folder: Path, *, batch: int, d_in: int, n_features: int, k: int, n_steps: int
) -> dict[str, float]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, d_in, generator=generator)
    found = {}
    for architecture in ("topk", "batch_topk"):
        sae_config = SaeConfig(architecture=architecture, n_features=n_features, k=k)
        sae = make_sae(sae_config, d_in)
        config = TrainConfig(sae=sae_config, batch_tokens=batch, n_tokens=batch * 1000)
        trainer = Trainer(sae, config, variance=float(d_in))

        def product(sae=sae) -> None:
            with torch.no_grad():
                for _ in range(n_steps):
                    sae.pre_activations(x)

        def steps(trainer=trainer) -> None:
            for _ in range(n_steps):
                trainer.step(x)

        product_seconds, step_seconds = cpu_seconds(product), cpu_seconds(steps)
        found[f"{architecture}_tokens_per_s"] = n_steps * batch / step_seconds
        found[f"{architecture}_times_product"] = step_seconds / product_seconds
    return found


def benchmark_train(tmp_path):
    found = measure(tmp_path, batch=64, d_in=8, n_features=32, k=4, n_steps=2)
    assert found["batch_topk_times_product"] > 0
