"""Messages of a program on its standard error, where each warning is told once."""

import logging
import sys

WARNING = "warning: "
"""Beginning of the line of a warning."""

_NAMED = 3


class Warnings:
    """Warnings by kind: what stands before the first colon is a subject, what follows the kind.

    Examples
    --------
    >>> warnings = Warnings()
    >>> for name in ("tmRNA", "IS", "CDS", "tRNA", "tRNA"):
    ...     _ = warnings.add(f"{name}: no base on fit", by="associate")
    >>> warnings.lines()
    ['tmRNA, IS, CDS and 1 more: no base on fit (associate)']
    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, bool], dict[str, None]] = {}
        self._by: dict[tuple[str, bool], dict[str, None]] = {}

    def add(self, message: str, *, by: str = "") -> bool:
        """Take a warning, and by what it was given; return whether it is new."""
        subject, colon, kind = message.partition(": ")
        # a message without a subject is a kind of its own
        key = (kind, True) if colon else (message, False)
        subjects = self._kinds.setdefault(key, {})
        self._by.setdefault(key, {})[by] = None
        is_new = subject not in subjects
        subjects[subject] = None
        return is_new

    def lines(self) -> list[str]:
        """Return a line for each kind, in the order in which they came."""
        return [self._line(*key, list(found)) for key, found in self._kinds.items()]

    def _line(self, kind: str, has_subject: bool, subjects: list[str]) -> str:  # noqa: FBT001
        more = f" and {len(subjects) - _NAMED} more" if len(subjects) > _NAMED else ""
        of = f"{', '.join(subjects[:_NAMED])}{more}: " if has_subject else ""
        by = ", ".join(it for it in self._by[kind, has_subject] if it)
        return f"{of}{kind} ({by})" if by else f"{of}{kind}"


class MessageHandler(logging.Handler):
    """Writes messages to stderr as they are, and each warning once, with a word that it is one.

    On a terminal, where progress is before the eyes, warnings wait for `tell`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._warnings = Warnings()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message, or keep it."""
        text = self.format(record)
        if record.levelno != logging.WARNING:
            to_stderr(text)
        elif self._warnings.add(text) and not sys.stderr.isatty():
            to_stderr(f"{WARNING}{text}")

    def tell(self) -> None:
        """Write the warnings that were kept."""
        if sys.stderr.isatty():
            for line in self._warnings.lines():
                to_stderr(f"{WARNING}{line}")


def to_stderr(line: str) -> None:
    """Write a line."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
