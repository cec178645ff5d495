"""Refuse YAML with a key twice in one mapping, of which the parser would keep the last."""

import yaml

from genointerp.core.errors import ConfigError


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
