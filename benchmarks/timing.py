"""Seconds of the processor, not of the clock: what else the machine does changes them little."""

import time
from collections.abc import Callable

REPEATS = 3


def cpu_seconds(function: Callable[[], object], *, repeats: int = REPEATS) -> float:
    """Return the least of several runs; the others were disturbed."""
    return min(_once(function) for _ in range(repeats))


def interleaved(*functions: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """Return the least of several runs of each function, run in turn: their ratios can be trusted.

    What slows a processor down for a while, such as its other cores, then slows all alike.
    """
    rounds = [[_once(function) for function in functions] for _ in range(repeats)]
    return [min(times) for times in zip(*rounds, strict=True)]


def _once(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return max(time.process_time() - start, 1e-9)
