"""Frozen dataclasses read from YAML; unknown keys are refused and the nearest is named."""

import dataclasses
import os
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from genointerp.core.arguments import StrPath
from genointerp.core.errors import ConfigError
from genointerp.core.files import read_text
from genointerp.core.nearest import suggested
from genointerp.core.parsing import check_unique_keys, parse_yaml

T = TypeVar("T")
_EXPONENT = re.compile("[+-]?[0-9]+[eE][+-]?[0-9]+")


def read_config(cls: type[T], given: T | Mapping[str, Any] | StrPath | None) -> T:
    """Return a configuration: ``given`` itself, or what a mapping or a YAML file says.

    Parameters
    ----------
    given
        The defaults where None, and for what a mapping or a file leaves out.

    Raises
    ------
    ConfigError
        If the file is no mapping, a key is unknown or a value has the wrong type or range.
    """
    if given is None:
        return cls()
    if isinstance(given, cls):
        return given
    if isinstance(given, Mapping):
        return from_mapping(cls, dict(given), where="config")
    if not isinstance(given, str | os.PathLike):
        raise ConfigError("config", f"a {cls.__name__}, a mapping or a YAML file", repr(given))
    values = read_yaml(Path(given))
    return from_mapping(cls, {} if values is None else values, where=str(given))


def changed(config: T, **values: object) -> T:
    """Return a copy of a configuration with other values; None keeps what there is."""
    given: Any = config
    return typing.cast(
        T, dataclasses.replace(given, **{k: it for k, it in values.items() if it is not None})
    )


def read_yaml(path: Path) -> Any:
    """Return the plain values of a YAML file.

    Raises
    ------
    ConfigError
        If there is no such file, it is no YAML, it is larger or deeper than a configuration is,
        or a key stands twice in one mapping.
    """
    text = read_text(path, error=ConfigError)
    values = parse_yaml(text, where=str(path), error=ConfigError)
    check_unique_keys(text, where=str(path))
    return values


def from_mapping(cls: type[T], values: Any, *, where: str) -> T:
    """Build ``cls`` from plain values, checking keys and types, nested dataclasses included."""
    if not isinstance(values, dict):
        raise ConfigError(where, "a mapping of keys to values", repr(values))
    hints = typing.get_type_hints(cls)
    known = [field.name for field in dataclasses.fields(typing.cast(Any, cls))]
    for key in values:
        if key not in known:
            raise ConfigError(where, f"one of the keys {', '.join(known)}", suggested(key, known))
    fields = {key: _convert(hints[key], value, f"{where}: {key}") for key, value in values.items()}
    try:
        return cls(**fields)
    except TypeError as error:
        raise ConfigError(where, "every required key", str(error)) from error


def to_mapping(config: Any) -> dict[str, Any]:
    """Return a config dataclass as plain values that YAML and JSON can hold."""
    plain = _plain(dataclasses.asdict(config))
    assert isinstance(plain, dict)
    return plain


def write_config(config: Any, path: Path) -> None:
    """Write the resolved configuration as YAML, in the order of its fields."""
    text = yaml.safe_dump(to_mapping(config), sort_keys=False)
    Path(path).write_text(text, encoding="utf-8")


def check_choice(where: str, value: object, choice: Any) -> None:
    """Refuse a value that is not among those of a ``Literal``.

    Raises
    ------
    ConfigError
        The message lists the allowed values.
    """
    choices = typing.get_args(choice)
    if value not in choices:
        found = suggested(value, [one for one in choices if isinstance(one, str)])
        raise ConfigError(where, f"one of {', '.join(map(repr, choices))}", found)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _convert_union(arguments, value, where)
    if origin is typing.Literal:
        check_choice(where, value, hint)
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ConfigError(where, "a list", repr(value))
        return tuple(_convert(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            raise ConfigError(where, "a mapping", repr(value))
        return {key: _convert(arguments[1], item, f"{where}: {key}") for key, item in value.items()}
    if dataclasses.is_dataclass(hint):
        return from_mapping(typing.cast(type, hint), value, where=where)
    return _convert_scalar(hint, value, where)


def _convert_union(arguments: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in arguments:
        return None
    others = [argument for argument in arguments if argument is not type(None)]
    if len(others) == 1:
        return _convert(others[0], value, where)
    for argument in others:
        try:
            return _convert(argument, value, where)
        except ConfigError:
            continue
    raise ConfigError(where, " or ".join(str(argument) for argument in others), repr(value))


def _as_float(value: int, where: str) -> float:
    try:
        return float(value)
    except OverflowError as error:
        found = f"an integer of {value.bit_length()} bits"
        raise ConfigError(where, "a number that a float can hold", found) from error


def _convert_scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return _as_float(value, where)
    # YAML 1.1 takes 1e-3 for a text, since it has no point
    if hint is float and isinstance(value, str) and _EXPONENT.fullmatch(value):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    # bool is an int to Python, but `k: true` is a slip
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise ConfigError(where, hint.__name__, repr(value))
    return value
