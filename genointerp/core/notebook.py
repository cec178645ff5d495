"""What a notebook shows: a small table of what an object is, and how far a long function is."""

import sys
import time
from collections.abc import Mapping
from html import escape
from typing import Any

_SECONDS = 0.2
"""Least time between two updates of a bar."""


def facts_table(title: str, facts: Mapping[str, object]) -> str:
    """Return a table in HTML with a caption and a row for each fact, all text escaped.

    Examples
    --------
    >>> print(facts_table("Genome", {"contigs": "<b>"}))
    <table><caption>Genome</caption><tr><th>contigs</th><td>&lt;b&gt;</td></tr></table>
    """
    rows = (
        f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in facts.items()
    )
    return f"<table><caption>{escape(title)}</caption>{''.join(rows)}</table>"


def is_in_notebook() -> bool:
    """Return whether this program is the kernel of a notebook; IPython in a terminal is not."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


class NotebookBar:
    """Progress bar below a cell of a notebook, in plain HTML, so that no widgets are needed.

    Parameters
    ----------
    label
        Text before the counts.
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self._shown: Any = None
        self._next = 0.0

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` is done, unless the last update was just now."""
        from IPython.display import display

        if time.monotonic() < self._next and done < total:
            return
        self._next = time.monotonic() + _SECONDS
        content = progress_content(self.label, done, total)
        if self._shown is None:
            self._shown = display(content, raw=True, display_id=True)
        else:
            self._shown.update(content, raw=True)


class NotebookLine:
    """One line below a cell of a notebook, which each call replaces."""

    def __init__(self) -> None:
        self._shown: Any = None

    def __call__(self, line: str) -> None:
        """Show a line in place of the one before."""
        from IPython.display import display

        content = {"text/plain": line}
        if self._shown is None:
            self._shown = display(content, raw=True, display_id=True)
        else:
            self._shown.update(content, raw=True)


def progress_content(label: str, done: int, total: int) -> dict[str, str]:
    """Return a progress bar as text and HTML, by MIME type.

    Examples
    --------
    >>> progress_content("bases", 5000, 10000)["text/plain"]
    'bases: 5,000 of 10,000'
    """
    text = f"{label}: {done:,} of {total:,}"
    bar = f'<progress value="{done}" max="{max(total, 1)}"></progress>'
    return {"text/plain": text, "text/html": f"<div>{bar} {escape(text)}</div>"}
