"""Bases that are read under a canvas, against those that are read without one.

Every base of the window is painted, with three features at their codon positions, so that nothing
is faster in use. A step of writing reads one base more behind a context.
"""

from pathlib import Path

import torch

from benchmarks.timing import interleaved
from genointerp.model.protocol import Edit
from genointerp.model.registry import load_model
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.paint import Column, Painter, Targets

FULL = {"bases": 4096, "batch": 2, "steps": 64, "repeats": 9}


def measure(_folder: Path, *, bases: int, batch: int, steps: int, repeats: int) -> dict[str, float]:
    model, dictionary = load_model("nano"), Dictionary.load("shipped:nano")
    tokens = torch.randint(0, 4, (batch, bases), generator=torch.Generator().manual_seed(0))
    edits = [Edit(dictionary.header.site, Painter(dictionary, phases(bases)))]

    def write(edits: list[Edit]) -> None:
        continuation = model.continuation(steps + 1, edits=edits)
        for at in range(steps):
            continuation.read(tokens[:, at : at + 1])

    plain, painted, written, written_painted = interleaved(
        lambda: model.next_log_probs(tokens),
        lambda: model.next_log_probs(tokens, edits=edits),
        lambda: write([]),
        lambda: write(edits),
        repeats=repeats,
    )
    return {
        "bases_per_s": batch * bases / plain,
        "painted_bases_per_s": batch * bases / painted,
        "painted_share": plain / painted,
        "written_bases_per_s": batch * steps / written,
        "painted_written_bases_per_s": batch * steps / written_painted,
        "painted_share_of_writing": written / written_painted,
    }


def phases(bases: int) -> Targets:
    """Three features, each set at its own position of a codon and to 0 at the others."""
    token = torch.arange(bases)
    amount = 3.0 * (token[:, None] % 3 == torch.arange(3))
    nothing = torch.zeros_like(amount)
    rule = torch.stack([nothing, amount, torch.full_like(amount, -torch.inf)], 2)
    return Targets((Column(127), Column(86), Column(82)), token, rule)


def benchmark_steer(tmp_path):
    found = measure(tmp_path, bases=64, batch=1, steps=2, repeats=1)
    assert len(found) == 6
