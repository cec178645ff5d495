"""Pages of the public names, one for each of ``genointerp.__all__``, and of the types they use."""

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any, get_args, get_type_hints

import torch

import genointerp
from genointerp.page.findings import Findings
from genointerp.page.inline import Browser, FeatureView
from scripts.site import commands
from scripts.site.roles import home, linked, mentioned

FOLDER = "reference"
_LATE = {
    "torch": torch,
    **{one.__name__: one for one in (Browser, FeatureView, Findings)},
    **dict.fromkeys(("AnnData", "PolarsFrame", "PyRanges"), object),
}
"""What modules import for annotations alone."""
_TYPES = (
    "Settings that the public functions take, and results that they give. Each is imported from "
    "the module that stands before its name."
)
_FUNCTIONS = (
    "What some public functions stand on: they take what is in memory where the public ones take "
    "paths, and their texts say what both do."
)


def reference_pages() -> dict[str, str]:
    """Return the page of each public name by its place in the site, the list of them first."""
    pages = {f"{FOLDER}/{name}.md": "\n".join(_page(name)) for name in genointerp.__all__}
    used = used_items()
    types = [one for one in used if inspect.isclass(one)]
    functions = [one for one in used if not inspect.isclass(one)]
    return {
        f"{FOLDER}/index.md": "\n".join(_index()),
        **pages,
        f"{FOLDER}/types.md": "\n".join(_used_page("Types", _TYPES, types)),
        f"{FOLDER}/functions.md": "\n".join(_used_page("Inner functions", _FUNCTIONS, functions)),
    }


def public_items() -> dict[str, Any]:
    """Return what ``import genointerp`` offers by name, such as ``query`` and ``plot.region``."""
    found: dict[str, Any] = {}
    for name in genointerp.__all__:
        item = getattr(genointerp, name)
        inside = item.__all__ if isinstance(item, ModuleType) else ()
        found |= {name: item, **{f"{name}.{one}": getattr(item, one) for one in inside}}
    return found


def used_items() -> list[Any]:
    """Return what is not public and yet needed to read what is.

    Returns
    -------
    The classes of this package in the annotations, and the functions and classes that the
    docstrings name; of public items and, in turn, of what was found.
    """
    public = [item for item in public_items().values() if not isinstance(item, ModuleType)]
    found: list[Any] = []
    asked = list(public)
    while asked:
        new = [one for one in _needed(asked.pop()) if one not in found and one not in public]
        found += new
        asked += new
    return sorted(found, key=lambda one: (one.__name__, one.__module__))


def entries() -> list[Any]:
    """Return every function and class with an entry in the reference."""
    return [*public_items().values(), *used_items()]


def undocumented() -> list[str]:
    """Return the full names of entries, and of members of classes, without a docstring."""
    found = [one for item in entries() for one in [item, *_members(item).values()]]
    return [home(getattr(one, "fget", one)) for one in found if not inspect.getdoc(one)]


def _needed(item: Any) -> list[Any]:  # noqa: ANN401 - a function or a class
    """Return what the annotations and docstrings of an item and its members name."""
    found: list[Any] = []
    for one in [item, *_members(item).values()]:
        hints = get_type_hints(getattr(one, "fget", one), localns=_LATE).values()
        found += [inside for hint in hints for inside in _classes(hint)]
        named = mentioned(inspect.getdoc(one) or "", item.__module__)
        found += [thing for thing in named if inspect.isclass(thing) or inspect.isfunction(thing)]
    return list(dict.fromkeys(one for one in found if "." not in one.__qualname__))


def _classes(hint: Any) -> Iterator[type]:  # noqa: ANN401 - an annotation
    if inspect.isclass(hint) and hint.__module__.startswith(f"{genointerp.__name__}."):
        yield hint
    for inside in get_args(hint):
        yield from _classes(inside)


def _members(item: Any) -> dict[str, Any]:  # noqa: ANN401 - a function or a class
    """Return the methods and properties that a class defines itself; a function has none."""
    own = vars(item) if inspect.isclass(item) else {}
    found = {name: getattr(value, "__func__", value) for name, value in own.items()}
    return {
        name: value
        for name, value in found.items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    }


def _index() -> Iterator[str]:
    yield "# Python\n"
    yield "```python\nimport genointerp as gi\n```\n"
    yield (
        "offers every name below, and loads each when it is first used. The functions take their "
        "settings as [types](types.md), which are imported from the modules that their page "
        "names. What is not named in this reference may change from one version to the next.\n"
    )
    for title, wanted in {"Functions": False, "Types": True}.items():
        yield f"## {title}\n"
        yield "| name | |\n|---|---|"
        for name in genointerp.__all__:
            item = getattr(genointerp, name)
            if inspect.isclass(item) is wanted:
                yield f"| [`gi.{name}`]({name}.md) | {_summary(item)} |"
        yield ""


def _page(name: str) -> Iterator[str]:
    item = getattr(genointerp, name)
    if isinstance(item, ModuleType):
        yield f"# gi.{name}\n"
        yield f"{inspect.getdoc(item)}\n"
        for one in item.__all__:
            yield from _entry(getattr(item, one), f"gi.{name}.{one}", level=2)
    else:
        yield from _entry(item, f"gi.{name}", level=1)
    if name in commands.names():
        page = f"../{commands.FOLDER}/{name}.md"
        yield f"On the command line: [`genointerp {name}`]({page})."


def _used_page(title: str, said: str, items: list[Any]) -> Iterator[str]:
    yield f"# {title}\n"
    yield f"{said}\n"
    for one in items:
        yield from _entry(one, home(one), level=2)


def _entry(item: Any, heading: str, *, level: int) -> Iterator[str]:  # noqa: ANN401 - of any kind
    """Yield the lines by which an object's text is found, without running it, and shown."""
    yield f"::: {home(item)}"
    yield "    options:"
    yield f"      heading: {heading}"
    yield f"      toc_label: {heading.rpartition('.')[2]}"
    yield f"      heading_level: {level}\n"


def _summary(item: Any) -> str:  # noqa: ANN401 - of any kind
    first = (inspect.getdoc(item) or "").split("\n\n")[0]
    text = linked(" ".join(first.split()), getattr(item, "__module__", ""), ())
    return text.replace("``", "`").replace("|", r"\|")
