"""The one place where YAML and JSON are parsed, with limits on the memory that a text may take.

A few hundred bytes of YAML can stand for gigabytes (aliases that multiply), and a parser may answer
a text that is no YAML with any exception of its own code. Whatever it raises is an error of the
input here.
"""

import json
from collections.abc import Iterator
from typing import Any

import yaml

from genointerp.core.errors import ConfigError, InputError
from genointerp.core.text import one_line

MOST_BYTES = 1 << 20
"""Longest YAML text, in letters; ours have some thousand."""

MOST_NODES = 100_000
"""Most keys, values and lists of a YAML text; an alias counts each time that it is used."""

MOST_DEPTH = 64
"""Deepest nesting of lists and mappings, in YAML and in JSON."""

_MOST_DIGITS = 40
"""Most digits of an integer in JSON: transformers writes 10^30 if a text may have any length."""


def parse_yaml(text: str, *, where: str, error: type[InputError]) -> Any:  # noqa: ANN401
    """Return the plain values of a YAML text.

    Parameters
    ----------
    error
        Raised where the text is no YAML, or is too large, too deep or holds itself.
    """
    if len(text) > MOST_BYTES:
        raise error(where, f"YAML of at most {MOST_BYTES:,} characters", f"{len(text):,}")
    try:
        _check_events(text, where, error)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            return None
        _expanded_nodes(root, {}, where, error)
        values = yaml.safe_load(text)
    except InputError:
        raise
    except Exception as problem:
        raise error(where, "YAML", one_line(problem) or type(problem).__name__) from problem
    _check_integers(values, where, error)
    return values


def parse_json(text: str, *, where: str, error: type[InputError]) -> Any:  # noqa: ANN401
    """Return the plain values of a JSON text.

    Parameters
    ----------
    error
        Raised where the text is no JSON, is too deep or holds an integer of thousands of digits.
    """
    try:
        values = json.loads(text, parse_int=_integer)
    except RecursionError as problem:
        raise error(where, f"JSON at most {MOST_DEPTH} deep", "a deeper one") from problem
    except ValueError as problem:
        raise error(where, "JSON", one_line(problem)) from problem
    if _is_deep(values):
        raise error(where, f"JSON at most {MOST_DEPTH} deep", "a deeper one")
    return values


def _check_events(text: str, where: str, error: type[InputError]) -> None:
    """Refuse what is too deep or too long before a recursive function sees it."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader), start=1):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MOST_DEPTH:
            raise error(where, f"YAML at most {MOST_DEPTH} deep", "a deeper one")
        if number > MOST_NODES:
            raise error(where, f"YAML of at most {MOST_NODES:,} nodes", "more")


def _expanded_nodes(
    node: yaml.Node, known: dict[int, tuple[int, int]], where: str, error: type[InputError]
) -> tuple[int, int]:
    """Return how many nodes a node stands for, aliases written out, and how deep they are."""
    if id(node) in known:
        size, depth = known[id(node)]
        if size == 0:
            raise error(where, "YAML without an alias of what holds it", "one")
        return size, depth
    known[id(node)] = (0, 0)
    size, depth = 1, 0
    for child in _children(node):
        child_size, child_depth = _expanded_nodes(child, known, where, error)
        size, depth = size + child_size, max(depth, child_depth + 1)
        if size > MOST_NODES or depth > MOST_DEPTH:
            expected = f"YAML of at most {MOST_NODES:,} nodes, {MOST_DEPTH} deep, aliases included"
            raise error(where, expected, "more")
    known[id(node)] = (size, depth)
    return size, depth


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.SequenceNode):
        yield from node.value
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair


def _check_integers(values: Any, where: str, error: type[InputError]) -> None:  # noqa: ANN401
    for value in _walk(values):
        if isinstance(value, int) and value.bit_length() > 63:
            raise error(where, "integers of at most 63 bits", f"one of {value.bit_length()} bits")


def _walk(values: Any) -> Iterator[Any]:  # noqa: ANN401
    waiting = [values]
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set):
            waiting += value


def _is_deep(values: Any) -> bool:  # noqa: ANN401
    level = [values]
    for _ in range(MOST_DEPTH):
        level = [
            item
            for value in level
            if isinstance(value, dict | list)
            for item in (value.values() if isinstance(value, dict) else value)
        ]
    return any(isinstance(value, dict | list) for value in level)


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > _MOST_DIGITS:
        raise ValueError(f"an integer of {len(text)} digits, of {_MOST_DIGITS} at most")
    return int(text)


def check_unique_keys(text: str, *, where: str) -> None:
    """Refuse a YAML text in which a mapping has a key twice.

    Raises
    ------
    ConfigError
        The message names the key and its second line.

    Examples
    --------
    >>> check_unique_keys("{a: 1, b: {a: 2}}", where="run.yaml")
    """
    waiting, seen = [yaml.compose(text, Loader=yaml.SafeLoader)], set()
    while waiting:
        node = waiting.pop()
        # an alias is the node itself once more
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            _check_mapping(node, where)
            waiting += [child for pair in node.value for child in pair]


def _check_mapping(node: yaml.MappingNode, where: str) -> None:
    known = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if (key.tag, key.value) in known:
            line = key.start_mark.line + 1
            raise ConfigError(f"{where}: line {line}", "each key once", f"{key.value!r} twice")
        known.add((key.tag, key.value))
