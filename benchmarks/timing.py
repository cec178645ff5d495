"""Seconds of the processor, not of the clock: what else the machine does changes them little."""

import time
from collections.abc import Callable

REPEATS = 3


def cpu_seconds(function: Callable[[], object], *, repeats: int = REPEATS) -> float:
    """Return the least of several runs; the others were disturbed."""
    return min(_once(function) for _ in range(repeats))


def _once(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return max(time.process_time() - start, 1e-9)
