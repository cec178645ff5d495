"""Measure bits per base of a default model on unseen genomes, next to its baselines, as JSON.

``python -m scripts.evaluate_default_model corpus.npz --model nano --out evaluation.json``. The
baselines are read from ``scripts/baselines.json``, which ``python -m scripts.measure_baselines``
writes and which does not depend on the model.
"""

import argparse
import json
import logging
import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from genointerp.core.files import atomic_path
from genointerp.core.progress import progress_bar
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import Window, window_sequence
from genointerp.model.protocol import DnaModel, ModelSpec
from genointerp.model.registry import load_model
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Wanted, run_passages
from genointerp.reading.tokens import Passage
from scripts.default_model_genomes import (
    STRETCH,
    JudgedGenome,
    judged_genomes,
    mean_bits,
    rounded,
)

CONFIG = HarvestConfig(window=4096, warmup=512, strands=("+",))
WINDOWS = (1024, 4096, 8192)
BASELINES = Path(__file__).with_name("baselines.json")
_CHUNK = 32


@dataclass(frozen=True)
class Settings:
    """Settings with which each process loads its own model."""

    model: str
    device: str
    threads: int


def main() -> None:
    """Parse the arguments, measure and write."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="corpus.npz of scripts/corpus/assemble.py")
    parser.add_argument("--model", default="nano", help="a registered name or a folder of weights")
    parser.add_argument("--genome", action="append", help="repeatable; all if not given")
    parser.add_argument(
        "--every", type=int, default=1, help=f"N: read one in N runs of {_CHUNK} windows"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of each process")
    parser.add_argument("--baselines", type=Path, default=BASELINES)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    genomes = [
        genome
        for genome in judged_genomes(arguments.corpus)
        if arguments.genome is None or genome.name in arguments.genome
    ]
    settings = Settings(arguments.model, arguments.device, arguments.threads)
    baselines = json.loads(arguments.baselines.read_text())["genomes"]
    found = evaluate(
        settings, genomes, baselines, every=arguments.every, processes=arguments.processes
    )
    with atomic_path(arguments.out) as temporary:
        temporary.write_text(json.dumps(found, indent=2) + "\n")


def evaluate(
    settings: Settings,
    genomes: Sequence[JudgedGenome],
    baselines: dict[str, Any],
    *,
    every: int = 1,
    processes: int,
) -> dict[str, Any]:
    """Return the figures of a model on several genomes, each next to its baselines.

    If ``every`` is above 1, only one in so many runs of windows is read, evenly over each genome,
    and there are no figures by length of windows.
    """
    spec = load_model(settings.model).spec
    record: dict[str, Any] = {
        "model": spec.name,
        "model_sha256": spec.sha256,
        "strand": "+",
        "window": CONFIG.window,
        "warmup": CONFIG.warmup,
        "every": every,
        "genomes": {},
    }
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_load, initargs=(settings,)) as pool:
        for judged in genomes:
            bits = base_bits(pool, spec, judged.genome, CONFIG, every=every)
            record["genomes"][judged.name] = {
                "split": judged.split,
                "n_bases": int((~np.isnan(bits)).sum()),
                **mean_bits(bits, judged.classes),
                "baselines": baseline_figures(judged, baselines),
            }
            if judged.name == STRETCH[0] and every == 1:
                record["by_window"] = by_window(pool, spec, judged.genome)
    return record


def by_window(pool: ProcessPoolExecutor, spec: ModelSpec, genome: Genome) -> dict[str, Any]:
    """Return bits per base of one stretch, read in windows of several lengths."""
    name, start, end = STRETCH
    contig = next(iter(genome.values()))
    region = GenomicInterval(contig.name, start, min(end, contig.length))
    means = {}
    for window in WINDOWS:
        config = replace(CONFIG, window=window, warmup=window // 8)
        bits = base_bits(pool, spec, genome, config, regions=[region])
        means[str(window)] = rounded(bits[~np.isnan(bits)])
    return {
        "genome": name,
        "start": region.start,
        "end": region.end,
        "warmup": "an eighth of the window",
        "bits_per_base": means,
    }


def base_bits(
    pool: ProcessPoolExecutor,
    spec: ModelSpec,
    genome: Genome,
    config: HarvestConfig,
    *,
    regions: Sequence[GenomicInterval] = (),
    every: int = 1,
) -> Float32[np.ndarray, " bp"]:
    """Return ``-log2 p`` of each base, contigs end to end; NaN if a base was not predicted."""
    windows = config.windows(spec, genome, regions)
    rows = np.cumsum([0, *genome.lengths.values()])[:-1]
    offset = dict(zip(genome, rows.tolist(), strict=True))
    bits = np.full(sum(genome.lengths.values()), np.nan, dtype=np.float32)
    starts = range(0, len(windows), _CHUNK * every)
    chunks = [windows[first : first + _CHUNK] for first in starts]
    with progress_bar(f"bits per base (parts of {_CHUNK} windows)") as progress:
        futures = [
            pool.submit(
                _chunk_bits, chunk, [window_sequence(genome, w) for w in chunk], config.batch
            )
            for chunk in chunks
        ]
        for done, (chunk, future) in enumerate(zip(chunks, futures, strict=True)):
            for window, values in zip(chunk, future.result(), strict=True):
                kept = window.kept
                first = offset[kept.seqid] + kept.end - len(values)
                bits[first : first + len(values)] = values
            progress(done + 1, len(chunks))
    return bits


def baseline_figures(judged: JudgedGenome, baselines: dict[str, Any]) -> dict[str, Any]:
    """Return the baselines of a genome, which must have been measured on the same sequence."""
    found: dict[str, Any] = baselines.get(judged.name, {})
    if "genome_sha256" in found and found["genome_sha256"] != judged.genome.sha256:
        raise ValueError(f"{judged.name}: expected baselines of this sequence, found another one's")
    return {key: value for key, value in found.items() if key not in {"split", "genome_sha256"}}


_models: list[DnaModel] = []


def _load(settings: Settings) -> None:
    torch.set_num_threads(settings.threads)
    _models.append(load_model(settings.model, device=settings.device))


def _chunk_bits(
    windows: Sequence[Window], sequences: Sequence[UInt8[np.ndarray, " bp"]], batch: int
) -> list[Float32[np.ndarray, " kept"]]:
    """Return, for each window, the bits of those of its kept bases that were predicted."""
    (model,) = _models
    passages = map(Passage, windows, sequences)
    found = []
    for passed in run_passages(model, passages, Wanted(log_probs=True), size=batch):
        assert passed.log_probs is not None
        log_p = passed.log_probs.double().cpu().numpy()
        # entry i is for token i + 1, so the first kept base is entry warmup - 1
        found += [
            (row[max(0, read.window.warmup - 1) :] / -math.log(2)).astype(np.float32)
            for row, read in zip(log_p, passed.batch.windows, strict=True)
        ]
    return found


if __name__ == "__main__":
    main()
