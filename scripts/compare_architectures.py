"""Compare designs of small networks: bits per base after equal CPU time on the same windows.

Each network is compiled, and then trained for the same number of seconds on one thread; the
learning rate falls with the time that is left. The table is written after each design, so that a
stopped run can continue.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from genointerp.core.files import atomic_path
from genointerp.genome.letters import base_codes
from genointerp.genome.read import read_genome
from genointerp.model.hyena.network import HyenaConfig, Mixer, StripedHyena, initialise
from genointerp.pretraining.corpus import Corpus, read_corpus
from genointerp.pretraining.pretrain import PretrainConfig, Pretraining, Stage, bits_per_base

WINDOW, WARMUP = 2048, 512


@dataclass(frozen=True)
class Design:
    """One line of the table."""

    name: str
    d_model: int
    d_mlp: int
    mixers: tuple[Mixer, ...]
    swiglu: bool = False
    """Whether every block has the MLP of Llama."""

    def network(self) -> StripedHyena:
        """Return the network with its initial weights."""
        config = HyenaConfig(
            vocab_size=8,
            d_model=self.d_model,
            d_mlp=self.d_mlp,
            mixers=self.mixers,
            n_heads=4,
            n_filter_groups=16,
        )
        network = StripedHyena(config)
        initialise(network, torch.Generator().manual_seed(0))
        if self.swiglu:
            for block in network.blocks:
                block.mlp = SwiGlu(block.mlp)
        return network


class SwiGlu(nn.Module):
    """The MLP ``l3(silu(l1 x) * l2 x)``, with the maps of another MLP."""

    def __init__(self, mlp: nn.Module) -> None:
        super().__init__()
        self.l1, self.l2, self.l3 = mlp.l1, mlp.l2, mlp.l3

    def forward(self, x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
        """Return the output of the MLP."""
        out: Tensor = self.l3(F.silu(self.l1(x)) * self.l2(x))
        return out


DESIGNS = (
    Design("StripedHyena 2", 128, 336, ("SE", "MR", "LI", "ATT", "SE", "MR", "LI")),
    Design("Llama (attention, SwiGLU)", 128, 344, ("ATT",) * 6, swiglu=True),
    Design("short convolution + attention", 128, 336, ("SE", "ATT") * 3 + ("SE",)),
    Design("StripedHyena 2 without attention", 128, 336, ("SE", "MR", "LI") * 2 + ("SE",)),
    Design("two attention blocks", 128, 336, ("SE", "MR", "ATT", "LI", "SE", "MR", "ATT")),
    Design("deep: 12 blocks of 96", 96, 256, ("SE", "MR", "LI", "ATT") * 3),
    Design("shallow: 4 blocks of 192", 192, 512, ("SE", "MR", "LI", "ATT")),
    Design("Llama with short convolution below", 128, 344, ("SE", *("ATT",) * 5), swiglu=True),
)


def main() -> None:
    """Parse the arguments, train the designs that are missing from the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="corpus.npz of scripts/corpus/assemble.py")
    parser.add_argument("--test", action="append", default=[], help="NAME=genome file")
    parser.add_argument("--seconds", type=float, default=150.0, help="training time of each design")
    parser.add_argument("--bases", type=int, default=150_000, help="bases to read of each genome")
    parser.add_argument("--only", type=int, action="append", help="number of a design; repeatable")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    corpus = read_corpus(arguments.corpus)
    genomes = validation_genomes(arguments.corpus)
    for named in arguments.test:
        name, _, path = named.partition("=")
        genomes[name] = next(iter(read_genome(Path(path)).values())).sequence
    table = json.loads(arguments.out.read_text()) if arguments.out.exists() else []
    for index in arguments.only or range(len(DESIGNS)):
        design = DESIGNS[index]
        if any(row["design"] == design.name for row in table):
            continue
        network, record = train(design, corpus, arguments.seconds)
        for name, sequence in genomes.items():
            record[name] = round(evaluate(network, sequence[: arguments.bases]), 4)
        table.append(record)
        with atomic_path(arguments.out) as temporary:
            temporary.write_text(json.dumps(table, indent=2) + "\n")


def train(design: Design, corpus: Corpus, seconds: float) -> tuple[StripedHyena, dict[str, object]]:
    """Train for a given CPU time, with decay at its end; return the network and its record."""
    config = PretrainConfig(
        network=design.network().config,
        stages=(Stage(steps=10**9, length=1024, batch=4),),
        precision="bfloat16",
        compile=True,
        save_every=10**9,
    )
    with TemporaryDirectory() as folder:
        run = Pretraining(design.network(), corpus, config, Path(folder))
        run.advance()  # compiles; its time does not count
        begin, spent = time.process_time(), 0.0
        while spent < seconds:
            fall = (1 - spent / seconds) / config.decay_share
            run.advance(min(1.0, (run.step + 1) / config.warmup_steps, fall))
            spent = time.process_time() - begin
    return run.network, {
        "design": design.name,
        "mixers": " ".join(design.mixers),
        "d_model": design.d_model,
        "n_parameters": sum(p.numel() for p in run.network.parameters()),
        "cpu_seconds": round(spent, 1),
        "training_bases": run.n_bases,
        "training_bits_per_base": round(float(np.mean(run.recent[-100:])), 4),
    }


@torch.inference_mode()
def evaluate(network: StripedHyena, sequence: UInt8[np.ndarray, " bp"]) -> float:
    """Return bits per base of a sequence, in ASCII or tokens, without the warm-up of windows."""
    code = base_codes(np.arange(256, dtype=np.uint8)).astype(np.int64)
    code[:4] = np.arange(4)
    tokens = torch.from_numpy(code[sequence])
    step = WINDOW - WARMUP
    losses = []
    for first in range(0, len(tokens) - WINDOW, step):
        window = tokens[None, first : first + WINDOW + 1]
        logits = network(window[:, :-1])
        losses.append(float(bits_per_base(logits[:, WARMUP:], window[:, WARMUP + 1 :])))
    return float(np.mean(losses))


def validation_genomes(path: Path) -> dict[str, UInt8[np.ndarray, " token"]]:
    """Return the tokens of the first contig of each validation genome of a corpus."""
    with np.load(path) as arrays:
        sequence = arrays["sequence"]
        genome, start, length = (
            arrays[key] for key in ("contig_genome", "contig_start", "contig_length")
        )
        return {
            str(arrays["genome_name"][g]): sequence[start[i] : start[i] + length[i]]
            for g in np.flatnonzero(arrays["genome_split"] == "validation")
            for i in np.flatnonzero(genome == g)[:1]
        }


if __name__ == "__main__":
    main()
