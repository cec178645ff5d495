"""Progress through a callback: library code reports, and the functions of the commands draw."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from genointerp.core.notebook import NotebookBar, is_in_notebook

Progress = Callable[[int, int], None]
"""Called with the amount done so far and the total, in the same unit."""


def silent(done: int, total: int) -> None:
    """Report nothing: the default of every ``progress`` parameter of an inner function."""


_hidden = ContextVar("hidden", default=False)
_in_lines = ContextVar("in_lines", default=False)


def hide_progress() -> None:
    """Draw no bars from here on in this program."""
    _hidden.set(True)


def log_progress() -> None:
    """From here on, write a line each tenth of the way where stderr is no terminal but a log."""
    _in_lines.set(True)


@contextmanager
def progress_bar(label: str, given: Progress | None = None) -> Iterator[Progress]:
    """Draw a bar in a notebook, or on stderr if it is a terminal.

    Parameters
    ----------
    label
        Text before the bar, with the unit of what is counted.
    given
        Callback of the caller, which is then called in place of drawing.
    """
    if given is not None:
        yield given
    elif _hidden.get():
        yield silent
    elif is_in_notebook():
        yield NotebookBar(label)
    elif sys.stderr.isatty():
        with _terminal_bar(label) as report:
            yield report
    else:
        yield _LineProgress(label) if _in_lines.get() else silent


@contextmanager
def _terminal_bar(label: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

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
