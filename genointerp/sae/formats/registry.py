"""The formats by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from genointerp.core.errors import InputError, UnknownNameError
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.formats.dictionary_learning import (
    read_dictionary_learning,
    write_dictionary_learning,
)
from genointerp.sae.formats.interplm import NORMALISED, read_interplm, write_interplm
from genointerp.sae.formats.saelens import read_saelens
from genointerp.sae.formats.sparsify import read_sparsify, write_sparsify
from genointerp.sae.header import CONFIG, WEIGHTS
from genointerp.sae.io import load_sae, save_sae


class Format(NamedTuple):
    """How dictionaries of a library are read from a folder, and written to one.

    Parameters
    ----------
    files
        Names of what ``write`` writes.
    """

    read: Callable[[Path], SparseAutoencoder]
    write: Callable[[SparseAutoencoder, Path, Mapping[str, Any]], None]
    files: frozenset[str]


FORMATS: dict[str, Format] = {
    "dictionary_learning": Format(
        read_dictionary_learning, write_dictionary_learning, frozenset({"config.json", "ae.pt"})
    ),
    "interplm": Format(read_interplm, write_interplm, frozenset({"config.yaml", "ae.pt"})),
    "saelens": Format(read_saelens, save_sae, frozenset({CONFIG, WEIGHTS})),
    "sparsify": Format(read_sparsify, write_sparsify, frozenset({"cfg.json", "sae.safetensors"})),
}
"""Every format of another library; a new one is a file and a line here."""

_KNOWN_FILES = frozenset({NORMALISED}).union(*(one.files for one in FORMATS.values()))


def find_format(name: str) -> Format:
    """Return the format of a name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name not in FORMATS:
        raise UnknownNameError("format", f"one of {', '.join(FORMATS)}", repr(name))
    return FORMATS[name]


def check_destination(source: Path, out: Path, *, to: str) -> None:
    """Refuse a folder where writing would destroy a dictionary, or mix two of them.

    One that holds a dictionary of the same format is replaced. This package's own dictionaries
    have the files of ``saelens``.

    Raises
    ------
    InputError
        If ``out`` is where the dictionary is read from, or holds files of another format.
    """
    out = Path(out)
    if out.resolve() == Path(source).resolve():
        raise InputError(str(out), "another folder than the one that is read", "the same")
    held = {name for name in _KNOWN_FILES if (out / name).exists()}
    if held and held != find_format(to).files:
        expected = "a folder without a dictionary of another format"
        raise InputError(str(out), expected, ", ".join(sorted(held)))


def convert_sae(sae_dir: Path, out: Path, *, to: str) -> None:
    """Write a dictionary of this package in the format of another library.

    Raises
    ------
    InputError
        If ``out`` is the folder itself, or holds a dictionary of another format.
    MismatchError
        If the library has nothing that computes the same.
    SchemaError
        If the folder holds no dictionary of this package.
    UnknownNameError
        If there is no such format.
    """
    written = find_format(to)
    check_destination(sae_dir, out, to=to)
    loaded = load_sae(sae_dir)
    written.write(loaded.sae, out, loaded.metadata)
