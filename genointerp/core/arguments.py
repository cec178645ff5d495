"""Arguments as people write them: a path as text, one of several, a run in place of its file."""

import os
from collections.abc import Iterable
from pathlib import Path

StrPath = str | os.PathLike[str]
"""A path. The stores of this package are paths too: each stands for its file."""

SHIPPED = "shipped:"
"""Beginning of the name of a genome or a dictionary that is shipped, where a path may stand."""

CONFIG = "config.yaml"
"""The resolved configuration, by which a directory is known as that of a run."""

ASSOCIATIONS_FILE = "associations.parquet"
"""The associations of a run."""

OneOrMorePaths = StrPath | Iterable[StrPath]

FeatureName = int | str
"""A feature by its number or its name."""


def as_path(path: StrPath | None) -> Path | None:
    """Return a path, or None where there is none."""
    return None if path is None else Path(path)


def as_paths(paths: OneOrMorePaths) -> tuple[Path, ...]:
    """Return one path or several as a tuple.

    Examples
    --------
    >>> [path.name for path in as_paths("a.fa")], [path.name for path in as_paths(["a", "b"])]
    (['a.fa'], ['a', 'b'])
    """
    if isinstance(paths, str | os.PathLike):
        return (Path(paths),)
    return tuple(Path(path) for path in paths)


def as_texts(texts: str | Iterable[str]) -> tuple[str, ...]:
    """Return one text or several as a tuple.

    Examples
    --------
    >>> as_texts("chrI:1-100"), as_texts(["dnaA", "rrsB"])
    (('chrI:1-100',), ('dnaA', 'rrsB'))
    """
    return (texts,) if isinstance(texts, str) else tuple(texts)


def as_features(features: FeatureName | Iterable[FeatureName]) -> tuple[FeatureName, ...]:
    """Return one feature or several, by number or name, as a tuple.

    Examples
    --------
    >>> as_features(323), as_features(["f/1", 2])
    ((323,), ('f/1', 2))
    """
    return (features,) if isinstance(features, int | str) else tuple(features)


def is_run(path: StrPath) -> bool:
    """Say whether a path is the directory of a run."""
    return (Path(path) / CONFIG).is_file()


def in_run(path: StrPath, name: str) -> Path:
    """Return a path; where it is a run directory, that of the file or folder of this name in it."""
    path = Path(path)
    return path / name if is_run(path) else path
