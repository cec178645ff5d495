"""Work shared among threads, whose inner loops run without the interpreter's lock."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MAX_THREADS = 4
"""Most threads at once, however many cores there are: each may hold a block of hits in memory."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    done: Callable[[int], None] = lambda _: None,
) -> list[Result]:
    """Call a function on each item, in as many threads as there are cores, at most `MAX_THREADS`.

    Parameters
    ----------
    done
        Called with the number of items done, in their order.

    Returns
    -------
    list
        What the function returned, in the order of the items.

    Examples
    --------
    >>> spread(abs, [-2, 1])
    [2, 1]
    """
    if len(items) == 1:
        found = [function(items[0])]
        done(1)
        return found
    found = []
    with ThreadPoolExecutor(min(os.cpu_count() or 1, MAX_THREADS)) as pool:
        for result in pool.map(function, items):
            found.append(result)
            done(len(found))
    return found
