"""Progress through a callback: library code reports, and the functions of the commands draw."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from genointerp.core.messages import to_stderr
from genointerp.core.notebook import NotebookBar, NotebookLine, is_in_notebook

_LINE = re.compile(r"^[^:]+: (\d+) of (\d+)$")

Progress = Callable[[int, int], None]
"""Called with the amount done so far and the total, in the same unit."""


def silent(done: int, total: int) -> None:
    """Report nothing: the default of every ``progress`` parameter of an inner function."""


def piece(progress: Progress, number: int, n: int) -> Progress:
    """Return what one of ``n`` equal pieces of work reports to, so that the whole moves with it.

    Parameters
    ----------
    number
        Number of the piece, from 0.

    Examples
    --------
    >>> piece(lambda done, total: print(done, total), 1, 3)(5, 10)
    15 30
    """
    return lambda done, total: progress(number * total + done, n * total)


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


class StatusLine(NamedTuple):
    """What shows a long run: lines that stay, and one last line that says where it is.

    Parameters
    ----------
    show
        Shows a line.
    status
        Replaces the last line.
    """

    show: Callable[[str], None]
    status: Callable[[str], None]


@contextmanager
def status_line(given: Callable[[str], None] | None = None) -> Iterator[StatusLine]:
    """Show a run in a notebook, or on stderr if it is a terminal or a log.

    Its last line is shown in a notebook and on a terminal alone; there it goes at the end.

    Parameters
    ----------
    given
        Callback of the caller, which is then called with each line that stays.
    """
    if given is not None:
        yield StatusLine(given, _nothing)
    elif _hidden.get():
        yield StatusLine(_nothing, _nothing)
    elif is_in_notebook():
        yield StatusLine(to_stderr, NotebookLine())
    elif sys.stderr.isatty():
        with _terminal_line() as line:
            yield line
    else:
        yield StatusLine(to_stderr if _in_lines.get() else _nothing, _nothing)


@contextmanager
def _terminal_line() -> Iterator[StatusLine]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)

    def show(line: str) -> None:
        # whole: a console would cut a word at the edge, and read brackets as orders
        console.out(line, highlight=False)

    with Live(console=console, transient=True, auto_refresh=False) as live:

        def status(line: str) -> None:
            live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)

        yield StatusLine(show, status)


def _nothing(line: str) -> None:
    """Show no line."""


class _LineProgress:
    def __init__(self, label: str) -> None:
        self.label = label
        self.tenth = -1

    def __call__(self, done: int, total: int) -> None:
        tenth = 10 * done // max(total, 1)
        if tenth != self.tenth:
            self.tenth = tenth
            to_stderr(f"{self.label}: {done} of {total}")


def share_of(line: str) -> float | None:
    """Return how far something is by a line of `progress_bar`; None of any other line.

    Examples
    --------
    >>> share_of("encode (bases): 50 of 200"), share_of("20 rows -> rows.tsv")
    (0.25, None)
    """
    found = _LINE.match(line)
    return int(found[1]) / max(int(found[2]), 1) if found else None
