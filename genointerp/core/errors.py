"""The error family. Each message says where, what was expected and what was found."""


class GenointerpError(Exception):
    """Base of every error that this package raises on purpose."""


_LONGEST = 400
"""Longest text of a file that a message quotes, in letters, since the text may have any length."""


class InputError(GenointerpError, ValueError):
    """An input is not what it must be.

    Parameters
    ----------
    where
        File (with line or key), field or argument.
    expected, found
        They complete the sentence "where: expected ..., found ...", which always is one line.
    """

    def __init__(self, where: str, expected: str, found: str) -> None:
        super().__init__(f"{_line(where)}: expected {_line(expected)}, found {_line(found)}")
        self.where = where
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        """Pickle by the three parts, so that errors cross process boundaries."""
        return type(self), (self.where, self.expected, self.found)


class CoordinateError(InputError):
    """An interval or region that does not exist."""


class SequenceError(InputError):
    """A sequence file that cannot be read, or holds what no DNA sequence holds."""


class AnnotationError(InputError):
    """An annotation that is malformed or does not fit its genome."""


class SchemaError(InputError):
    """A file is not of the format, or of the format version, that was asked for."""


class ConfigError(InputError):
    """A configuration with an unknown key or a value of the wrong kind."""


class MismatchError(InputError):
    """Two inputs that do not belong together, such as activations of another model."""


class DivergenceError(GenointerpError, ArithmeticError):
    """A training whose loss is no longer finite.

    Parameters
    ----------
    step
        Number of the step, from 1.
    loss
        Its loss.
    """

    def __init__(self, step: int, loss: float) -> None:
        super().__init__(f"step {step}: expected a finite loss, found {loss}")
        self.step, self.loss = step, loss


class EndpointError(InputError):
    """A server of a language model that is not there, refuses, or answers with what is no reply."""


class BudgetError(InputError):
    """A budget that does not suffice for the next step; what was done before is kept."""


class UnknownNameError(InputError):
    """A name that no registry, table or file knows."""


class ConflictError(InputError):
    """Something that somebody else has changed since it was read."""


class StorageError(GenointerpError, OSError):
    """Writing failed, for example because the disk is full; what was there before is untouched."""


def _line(text: str) -> str:
    """Return the text on one line, without control characters, and shortened if it is long."""
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return "".join(it if it.isprintable() else it.encode("unicode_escape").decode() for it in shown)
