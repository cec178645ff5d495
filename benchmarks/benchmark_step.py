"""A step at the size of a real dictionary, with and without dead features, and its peak memory.

Each run has a process of its own, since the peak of a process never falls again. On a machine with
a GPU the same step is timed there, with Triton's kernels and with torch's.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch

from benchmarks.benchmark_prefill import MIB, peak_bytes
from benchmarks.timing import interleaved
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig, TrainConfig
from genointerp.sae.kernel import rows as kernels
from genointerp.sae.step import Trainer

FULL = {"d_in": 512, "n_features": 8192, "k": 64, "batch": 4096}
DEAD = (0.0, 0.1, 0.5)
"""Shares of features that the auxiliary loss is given."""
GPU_STEPS = 20


def measure(_folder: Path, **size: int) -> dict[str, float]:
    found = {}
    for architecture in ("topk", "batch_topk"):
        for dead in DEAD:
            figures = in_own_process(size, architecture, dead)
            name = f"{architecture}_{round(100 * dead)}_dead"
            found |= {f"{name}_{figure}": value for figure, value in figures.items()}
    return found


def in_own_process(size: dict[str, int], architecture: str, dead: float) -> dict[str, float]:
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.benchmark_step",
            json.dumps(size),
            architecture,
            str(dead),
        ],
        capture_output=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        text=True,
    )
    return dict(json.loads(run.stdout))


def read(size: dict[str, int], architecture: str, dead: float) -> dict[str, float]:
    """Time steps and encoder products in turn, of which each step has one."""
    torch.set_num_threads(1)
    step, product = step_and_product(size, architecture, dead, "cpu")
    for _ in range(2):
        step()  # the first one asks for memory
    peak = peak_bytes() / MIB  # before the product asks for a matrix of its own
    step_seconds, product_seconds = interleaved(step, product)
    found = {
        "tokens_per_s": size["batch"] / step_seconds,
        "times_product": step_seconds / product_seconds,
        "peak_mib": peak,
    }
    return found | (on_gpu(size, architecture, dead) if torch.cuda.is_available() else {})


def step_and_product(size: dict[str, int], architecture: str, dead: float, device: str):
    config = SaeConfig(architecture, n_features=size["n_features"], k=size["k"])
    sae = make_sae(config, size["d_in"]).to(device)
    training = TrainConfig(sae=config, batch_tokens=size["batch"], n_tokens=1000 * size["batch"])
    trainer = Trainer(sae, training, variance=float(size["d_in"]))
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(size["batch"], size["d_in"], generator=generator).to(device)

    def step() -> None:
        trainer.silent_tokens[: int(dead * size["n_features"])] = training.dead_after
        trainer.step(x)

    @torch.no_grad()
    def product() -> None:
        sae.pre_activations(x)

    return step, product


def on_gpu(size: dict[str, int], architecture: str, dead: float) -> dict[str, float]:
    step, product = step_and_product(size, architecture, dead, "cuda")
    torch.cuda.reset_peak_memory_stats()
    seconds = {"cuda_step": gpu_seconds(step), "cuda_product": gpu_seconds(product)}
    found = {
        "cuda_tokens_per_s": size["batch"] / seconds["cuda_step"],
        "cuda_times_product": seconds["cuda_step"] / seconds["cuda_product"],
        "cuda_peak_mib": torch.cuda.max_memory_allocated() / MIB,
    }
    if kernels.has_triton():
        kernels.has_triton = lambda: False
        found["cuda_times_product_without_triton"] = gpu_seconds(step) / seconds["cuda_product"]
    return found


def gpu_seconds(function) -> float:
    for _ in range(3):
        function()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(GPU_STEPS):
        function()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1000 / GPU_STEPS


def benchmark_step():
    figures = in_own_process({"d_in": 8, "n_features": 64, "k": 4, "batch": 32}, "batch_topk", 0.5)
    assert figures["times_product"] > 1
    assert figures["peak_mib"] > 0


if __name__ == "__main__":
    given, name, share = sys.argv[1:]
    sys.stdout.write(json.dumps(read(json.loads(given), name, float(share))))
