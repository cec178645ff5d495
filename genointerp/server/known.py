"""The one rule by which a name in an address is looked up."""

from collections.abc import Mapping
from typing import TypeVar

from genointerp.core.errors import UnknownNameError

Value = TypeVar("Value")


def known(values: Mapping[str, Value], name: str) -> Value:
    """Return what a name stands for.

    Raises
    ------
    UnknownNameError
        If it stands for nothing.
    """
    if name not in values:
        raise UnknownNameError("address", "one that a page of this server has", repr(name))
    return values[name]
