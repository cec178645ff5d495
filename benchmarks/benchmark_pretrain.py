"""A training step of each shipped network, next to its arithmetic floor in the same precision.

The floor is 6 x parameters x bases over the rate of matrix products in the same run: forward,
gradient of the inputs and gradient of the weights, each base once with each weight.
"""

from pathlib import Path

import numpy as np
import torch

from benchmarks.timing import cpu_seconds
from genointerp.core.config import read_config
from genointerp.model.device import multiplies_bfloat16
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.pretraining.corpus import Corpus
from genointerp.pretraining.pretrain import PretrainConfig, Pretraining, Stage

CONFIGS = Path(__file__).parents[1] / "scripts" / "configs"
FULL = {"networks": ["nano_continued", "small_further"], "length": 1024, "batch": 8, "square": 2048}


def measure(
    folder: Path, *, networks: list[str], length: int, batch: int, square: int
) -> dict[str, float]:
    found: dict[str, float] = {}
    for precision in precisions():
        rate = product_rate(square, torch.bfloat16 if precision == "bfloat16" else torch.float32)
        for name in networks:
            config = PretrainConfig(
                read_config(PretrainConfig, CONFIGS / f"{name}.yaml").network,
                (Stage(steps=1_000, length=length, batch=batch),),
                precision=precision,
                average=0.99,
                compile=length >= FULL["length"],
                save_every=1_000,
            )
            figures = step(config, folder, rate)
            found |= {f"{name}_{precision}_{key}": value for key, value in figures.items()}
    return found


def precisions() -> list[str]:
    half = ["bfloat16"] if multiplies_bfloat16(torch.device("cpu")) else []
    return ["float32", *half]


def step(config: PretrainConfig, folder: Path, rate: float) -> dict[str, float]:
    run = Pretraining(drawn_network(config.network), random_corpus(), config, folder)
    for _ in range(2):
        run.advance()
    seconds = cpu_seconds(run.advance)
    n_bases = config.stages[0].length * config.stages[0].batch
    n_parameters = sum(p.numel() for p in run.network.parameters())
    return {
        "bases_per_cpu_s": n_bases / seconds,
        "floor_bases_per_cpu_s": rate / (6 * n_parameters),
        "times_floor": seconds * rate / (6 * n_parameters * n_bases),
    }


def drawn_network(config: HyenaConfig) -> StripedHyena:
    network = StripedHyena(config)
    initialise(network, torch.Generator().manual_seed(0))
    return network


def random_corpus() -> Corpus:
    sequence = np.random.default_rng(0).integers(0, 4, 100_000).astype(np.uint8)
    none = np.zeros(0, dtype=np.int64)
    return Corpus(
        sequence,
        start=np.zeros(1, dtype=np.int64),
        length=np.array([len(sequence)]),
        weight=np.ones(1),
        rna_contig=none,
        rna_start=none,
        rna_end=none,
        rna_weight=np.zeros(0),
        repeated=np.zeros(len(sequence), dtype=bool),
    )


def product_rate(square: int, dtype: torch.dtype) -> float:
    """Floating-point operations a CPU second of a square product."""
    left, right = (torch.randn(square, square).to(dtype) for _ in range(2))
    torch.mm(left, right)
    return 2 * square**3 / cpu_seconds(lambda: torch.mm(left, right))


def benchmark_pretrain(tmp_path):
    found = measure(tmp_path, networks=["nano_continued"], length=16, batch=1, square=32)
    assert found["nano_continued_float32_times_floor"] > 0
