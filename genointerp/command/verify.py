"""`verify`: whether a file of this package is whole."""

from collections.abc import Sequence
from pathlib import Path

from genointerp.store.verify import Check
from genointerp.store.verify import verify as run_checks


def verify(file: Path, *, inputs: Sequence[Path] = ()) -> list[Check]:
    """Run every check of a features or activations file.

    See :func:`genointerp.store.verify.verify`.

    Parameters
    ----------
    inputs
        Files that it must have been made from, by sha256.
    """
    return run_checks(file, inputs=inputs)
