"""The formats by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from genointerp.core.errors import InputError
from genointerp.core.nearest import unknown
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.formats.dictionary_learning import (
    read_dictionary_learning,
    write_dictionary_learning,
)
from genointerp.sae.formats.interplm import read_interplm, write_interplm
from genointerp.sae.formats.saelens import read_saelens
from genointerp.sae.formats.sparsify import read_sparsify, write_sparsify
from genointerp.sae.header import CONFIG, WEIGHTS
from genointerp.sae.io import save_sae


class Format(NamedTuple):
    """How dictionaries of a library are read from a folder and written to one.

    Parameters
    ----------
    files
        Names of the files that ``write`` writes.
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
"""Every format of another library; to add one, write its file and a line here."""


def find_format(name: str) -> Format:
    """Return the format with this name.

    Raises
    ------
    UnknownNameError
        If there is no such format.
    """
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    return FORMATS[name]


def check_destination(source: Path, out: Path) -> None:
    """Refuse to write a dictionary to where it is read from, even with ``--force``.

    Raises
    ------
    InputError
        If the two are the same folder, or ``out`` contains ``source``.
    """
    destination, origin = Path(out).resolve(), Path(source).resolve()
    if destination == origin or destination in origin.parents:
        found = "the same" if destination == origin else "one that holds it"
        raise InputError(str(out), "a folder other than the one that is read", found)
