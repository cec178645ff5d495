"""Roles in docstrings, such as ``:func:`genointerp.sae.train.train_sae```, as links of the site."""

import pydoc
import re
from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Any

_ROLE = re.compile(r":(?:func|class|meth|data|mod):`~?([\w.]+)`")


def mentioned(text: str, module: str) -> Iterator[Any]:
    """Yield the objects that the roles of a docstring of a module name."""
    named = (_named(role[1], module) for role in _ROLE.finditer(text))
    yield from (item for item in named if item is not None)


def linked(text: str, module: str, shown: Collection[str]) -> str:
    """Return a docstring of a module with its roles as links, or as code where nothing is shown.

    Parameters
    ----------
    shown
        Full names of the objects that have an entry of their own.
    """

    def link(role: re.Match[str]) -> str:
        code = f"`{role[1].rpartition('.')[2]}`"
        name = home(_named(role[1], module))
        is_shown = name in shown or name.rpartition(".")[0] in shown
        return f"[{code}][{name}]" if is_shown else code

    return _ROLE.sub(link, text)


def home(item: Any) -> str:  # noqa: ANN401 - of any kind
    """Return the full name of an object by the place where it is defined."""
    if isinstance(item, ModuleType):
        return item.__name__
    return f"{getattr(item, '__module__', '')}.{getattr(item, '__qualname__', '')}"


def _named(name: str, module: str) -> Any:  # noqa: ANN401 - of any kind
    """Return what a role means, None where it is a member of the class that it stands in."""
    return pydoc.locate(name if name.startswith("genointerp.") else f"{module}.{name}")
