"""A commented configuration of a run, written from the schema that checks configurations."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from genointerp.workflow.config import run_schema

WIDTH = 100

_HEAD = """\
# Configuration of `genointerp run`. Paths are relative to this file; shipped:NAME is a genome or a
# dictionary that comes with the package. Every key but `genomes` may be left out. A line that
# begins with # and a key is an example: take the # away to use it.
"""


def template(genomes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the text of a configuration of some genomes, every key with its default and meaning.

    Parameters
    ----------
    genomes
        What is known of each genome, by its name: the keys of its entry.
    """
    schema = run_schema()
    lines = [_HEAD]
    for key, entry in schema["properties"].items():
        if key == "genomes":
            lines += [*_comment(entry, ""), "genomes:"]
            for name, known in genomes.items():
                lines += [f"  {_quoted(name)}:", *_keys(_resolved(schema, "genome"), known, "    ")]
        else:
            lines += _key(key, entry, {}, "")
        lines.append("")
    return "\n".join(lines)


def _quoted(name: str) -> str:
    """Return a name as a key of YAML, which takes some words, such as ``no``, for no text."""
    return name if yaml.safe_load(name) == name else json.dumps(name)


def _resolved(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema["$defs"][name]
    return found


def _keys(entry: Mapping[str, Any], known: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, inner in entry["properties"].items():
        yield from _key(key, inner, known, indent)


def _key(
    key: str, entry: Mapping[str, Any], known: Mapping[str, Any], indent: str
) -> Iterator[str]:
    """Yield the lines of one key: its meaning, then its value, or an example in a comment."""
    yield from _comment(entry, indent)
    inner = entry.get("properties", {})
    if any("default" in one for one in inner.values()):
        yield f"{indent}{key}:"
        yield from _keys(entry, {}, f"{indent}  ")
    elif key in known:
        yield f"{indent}{key}: {_value(known[key])}"
    elif "examples" in entry:
        yield f"{indent}#{key}: {_value(entry['examples'][0])}"
    else:
        yield f"{indent}{key}: {_value(entry['default'])}"


def _comment(entry: Mapping[str, Any], indent: str) -> Sequence[str]:
    mark = f"{indent}# "
    text = entry["description"]
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=mark,
        subsequent_indent=mark,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _value(value: Any) -> str:  # noqa: ANN401
    """Return a value as YAML, of which JSON is a part."""
    return json.dumps(value, ensure_ascii=False)
