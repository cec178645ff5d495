"""`verify`: whether a file of this package is whole."""

from pathlib import Path

from genointerp.core.arguments import OneOrMorePaths, StrPath, as_paths
from genointerp.store.verify import Check
from genointerp.store.verify import verify as run_checks


def verify(file: StrPath, *, input: OneOrMorePaths = ()) -> list[Check]:
    """Run every check of a features or activations file, or of a table.

    See :func:`genointerp.store.verify.verify`.

    Parameters
    ----------
    input
        Files that it must have been made from, by sha256.
    """
    return run_checks(Path(file), inputs=as_paths(input))
