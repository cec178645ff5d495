"""Whether the weights of an attribution graph are what taking features out does."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float64, Int64

from genointerp.core.seed import rng
from genointerp.reading.run import Target
from genointerp.wiring.tracing import Level, Rows, Tracing
from genointerp.wiring.wires import agreement, without_each

_CHECKED_TARGETS = 4
"""Targets at each site whose inputs are compared with ablation."""


def checked_weights(
    tracing: Tracing, level: Level, upper: Level | None, rows: Rows
) -> tuple[float, float] | None:
    """Compare weights of followed features with the effects of taking them out.

    Returns
    -------
    tuple or None
        Correlation and slope, as `agreement`; None where nothing is to be taken out.
    """
    config, hits, n_rows = tracing.config, level.hits, len(rows.feature)
    if not config.n_checked or not len(hits) or not n_rows:
        return None
    random = rng(config.seed, f"nodes of {level.site}")
    chosen = random.permutation(n_rows)[:_CHECKED_TARGETS]
    pairs: list[tuple[float, float]] = []
    for row in chosen.tolist():
        weight = rows.feature[row, hits]
        some = _half_largest(weight, -(-config.n_checked // len(chosen)), random)
        effect = _effects(tracing, level, hits[some], upper, row)
        pairs += zip(weight[some].tolist(), effect, strict=True)
    return agreement(np.array(pairs))


def _effects(
    tracing: Tracing, level: Level, hits: Int64[np.ndarray, " hit"], upper: Level | None, row: int
) -> list[float]:
    """Return what the number, or a followed feature, loses when each of some hits is out."""
    target: Callable[[int], Target] = lambda _: tracing.question.target  # noqa: E731
    if upper is not None:
        target = upper.targets(np.array([row])).repeated
    effect = without_each(
        tracing.stack.model,
        tracing.batch,
        level.nodes,
        torch.from_numpy(hits),
        target,
        above=tracing.above if upper is None else upper.site,
        size=tracing.config.batch,
    )
    return [float(value) for value in effect]


def _half_largest(
    weight: Float64[np.ndarray, " node"], n: int, random: np.random.Generator
) -> Int64[np.ndarray, " node"]:
    """Return ``n`` nodes: half of them those of the largest weights, the others drawn."""
    order = np.argsort(-np.abs(weight), kind="stable")
    rest = order[n // 2 :]
    drawn = random.choice(rest, min(n - n // 2, len(rest)), replace=False)
    return np.concatenate([order[: n // 2], drawn])
