"""Harvest against the bare forward pass of the same windows: what storing costs on top."""

from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.timing import interleaved
from genointerp.genome.genome import Contig, Genome
from genointerp.model.registry import load_model
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.reading.tokens import genome_passages, token_batches

FULL = {"bp": 30_000, "window": 4096, "warmup": 512, "repeats": 5}


def measure(folder: Path, *, bp: int, window: int, warmup: int, repeats: int) -> dict[str, float]:
    model = load_model("nano")
    site = model.spec.default_site
    letters = np.random.default_rng(0).choice(list(b"ACGT"), bp).astype(np.uint8)
    genome = Genome([Contig("chr", letters, circular=True)])
    config = HarvestConfig(window=window, warmup=warmup)
    windows = config.windows(model.spec, genome)
    passages = genome_passages(genome, windows)
    tokens = [batch.ids for batch in token_batches(model, passages, config.batch)]
    number = count()

    def forward() -> None:
        for batch in tokens:
            model.run(batch, capture=[site])

    def whole() -> None:
        out = folder / f"{next(number)}.h5"
        assert harvest(model, genome, site=site, out=out, config=config).n_tokens == 2 * bp

    forward_seconds, harvest_seconds = interleaved(forward, whole, repeats=repeats)
    return {
        "bases_per_s": 2 * bp / harvest_seconds,
        "forward_bases_per_s": 2 * bp / forward_seconds,
        "times_forward": harvest_seconds / forward_seconds,
        "share_of_forward": forward_seconds / harvest_seconds,
        "bytes_per_base": (folder / "0.h5").stat().st_size / (2 * bp),
    }


def benchmark_harvest(tmp_path):
    found = measure(tmp_path, bp=600, window=256, warmup=32, repeats=1)
    assert found["bytes_per_base"] >= 2 * 128
