"""Progress through a callback: library code reports, the command line draws."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Progress = Callable[[int, int], None]
"""Called with the amount done so far and the total, in the same unit."""


def silent(done: int, total: int) -> None:
    """Report nothing: the default of every ``progress`` parameter."""


_hidden = ContextVar("hidden", default=False)


def hide_progress() -> None:
    """Draw no bars from here on in this program."""
    _hidden.set(True)


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Draw a bar on stderr; on a stream that is no terminal, a line each tenth of the way."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    if _hidden.get():
        yield silent
        return
    if not sys.stderr.isatty():
        yield _LineProgress(label)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _LineProgress:
    def __init__(self, label: str) -> None:
        self.label = label
        self.tenth = -1

    def __call__(self, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth != self.tenth:
            self.tenth = tenth
            sys.stderr.write(f"{self.label}: {done} of {total}\n")
            sys.stderr.flush()
