"""What mutagenesis costs, by whole passes over every mutant and with the bases before it read once.

Both read the same mutants in batches of the same size, in turn, so that the ratio can be trusted.
"""

from pathlib import Path

import numpy as np
import torch

from benchmarks.timing import interleaved
from genointerp.explanation.mutagenesis import (
    MutagenesisConfig,
    Mutant,
    base_ids,
    mutate,
    mutated_ids,
)
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import GivesDistribution
from genointerp.model.registry import load_model
from genointerp.reading.question import Question, ask_bases

FULL = {"contexts": [512, 2048], "upstream": 64, "batch": 48, "repeats": 2}


def measure(
    _folder: Path, *, contexts: list[int], upstream: int, batch: int, repeats: int
) -> dict[str, float]:
    model = load_model("nano")
    found = {}
    for context in contexts:
        question = question_of(context)
        config = MutagenesisConfig(upstream=upstream, batch=batch)
        shared, whole = interleaved(
            lambda asked=question, used=config: mutate(model, asked, used),
            lambda asked=question, used=config: read_whole(model, asked, used),
            repeats=repeats,
        )
        found[f"ms_a_mutant_at_{context}"] = 1000 * shared / (3 * upstream)
        found[f"whole_passes_times_at_{context}"] = whole / shared
    return found


def question_of(context: int) -> Question:
    letters = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), context + 1)
    base = GenomicInterval("c", context, context + 1, "+")
    return ask_bases(load_model("nano"), Genome([Contig("c", letters)]), base, context=context)


def read_whole(model: GivesDistribution, question: Question, config: MutagenesisConfig) -> None:
    """Read every mutant from its first base on."""
    ids, replacements = question.read.spans.ids, base_ids(model)
    mutants = [
        Mutant(i, b, i, int(replacements[b]))
        for i in range(question.asked - config.upstream, question.asked)
        for b in range(4)
        if ids[i] != replacements[b]
    ]
    for first in range(0, len(mutants), config.batch):
        rows = mutated_ids(ids, mutants[first : first + config.batch])
        with torch.inference_mode():
            model.next_log_probs(rows)


def benchmark_mutagenesis(tmp_path):
    found = measure(tmp_path, contexts=[24], upstream=2, batch=6, repeats=1)
    assert len(found) == 2
