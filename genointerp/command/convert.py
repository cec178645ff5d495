"""`convert`: a dictionary of this package in the format of another library."""

from pathlib import Path

from genointerp.sae.formats.registry import check_destination, find_format
from genointerp.sae.io import load_sae


def convert(sae_dir: Path, out: Path, *, to: str) -> None:
    """Write a dictionary of this package in the format of another library.

    Raises
    ------
    InputError
        If ``out`` is the folder itself, or holds it.
    StorageError
        If something else stands at ``out``.
    MismatchError
        If the library has nothing that computes the same.
    SchemaError
        If the folder holds no dictionary of this package.
    UnknownNameError
        If there is no such format.
    """
    written = find_format(to)
    check_destination(sae_dir, out)
    loaded = load_sae(sae_dir)
    written.write(loaded.sae, out, loaded.metadata)
