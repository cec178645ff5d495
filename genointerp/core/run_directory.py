"""A run directory as a path, and where its files stand; none of them is opened here."""

from pathlib import Path

from genointerp.core.arguments import StrPath

CONFIG = "config.yaml"
"""The resolved configuration, by which a directory is known as that of a run."""

ASSOCIATIONS_FILE = "associations.parquet"
"""The associations of a run."""


def is_run(path: StrPath) -> bool:
    """Say whether a path is the directory of a run."""
    return (Path(path) / CONFIG).is_file()


def in_run(path: StrPath, name: str) -> Path:
    """Return a path; where it is a run directory, that of the file or folder of this name in it."""
    path = Path(path)
    return path / name if is_run(path) else path
