"""Messages of a program on its standard error: a warning says that it is one."""

import logging

WARNING = "warning: "
"""Beginning of the line of a warning."""


class LineFormatter(logging.Formatter):
    """Writes a message as it is, and before a warning that it is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a message."""
        text = super().format(record)
        return f"{WARNING}{text}" if record.levelno == logging.WARNING else text
