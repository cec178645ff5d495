"""What one more base costs, after how many others: read on, and as a pass over the whole sequence.

Each continuation keeps its own context and takes its bases in turn with the others, so that the
ratios can be trusted. The shipped model has one block of attention; the same network without it
shows what convolutions alone cost.
"""

from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.benchmark_prefill import make_model
from benchmarks.timing import cpu_seconds, interleaved
from genointerp.model.protocol import Generates, GivesDistribution
from genointerp.model.registry import load_model

FULL = {"contexts": [256, 1024, 4096, 16_384], "bases": 8, "repeats": 15}
CONVOLUTIONS = ["SE", "MR", "LI", "SE", "MR", "LI"]


def measure(_folder: Path, *, contexts: list[int], bases: int, repeats: int) -> dict[str, float]:
    model = load_model("nano")
    found = {}
    without = make_model(model.spec.d_site, CONVOLUTIONS)
    for name, network in (("", model), ("without_attention_", without)):
        seconds = base_seconds(network, contexts, bases, repeats)
        for context, base in zip(contexts, seconds, strict=True):
            found[f"{name}ms_a_base_at_{context}"] = 1000 * base
            found[f"{name}times_{contexts[0]}_at_{context}"] = base / seconds[0]
            whole = pass_seconds(network, context)
            found[f"{name}whole_pass_times_at_{context}"] = whole / base
    return found


def base_seconds(model: Generates, contexts: list[int], bases: int, repeats: int) -> list[float]:
    """Seconds a base behind each context."""
    functions = [reader(model, context, bases, repeats) for context in contexts]
    return [seconds / bases for seconds in interleaved(*functions, repeats=repeats)]


def reader(model: Generates, context: int, bases: int, repeats: int) -> Callable[[], None]:
    tokens = tokens_of(context + bases * repeats)
    continuation = model.continuation(tokens.shape[1])
    continuation.read(tokens[:, :context])

    def read_on() -> None:
        for _ in range(bases):
            at = continuation.n_read
            continuation.read(tokens[:, at : at + 1])

    return read_on


def pass_seconds(model: GivesDistribution, context: int) -> float:
    """Seconds of what a base costs where nothing is kept."""
    tokens = tokens_of(context)
    return cpu_seconds(lambda: model.next_log_probs(tokens), repeats=2)


def tokens_of(length: int) -> torch.Tensor:
    return torch.randint(0, 4, (1, length), generator=torch.Generator().manual_seed(0))


def benchmark_generate(tmp_path):
    found = measure(tmp_path, contexts=[16, 32], bases=1, repeats=1)
    assert found["times_16_at_16"] == 1
    assert len(found) == 12
