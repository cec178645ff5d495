"""Find the dictionary of some features; read its directions, and those of others. Torch-free."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from genointerp.core.arguments import SHIPPED, StrPath
from genointerp.core.errors import InputError
from genointerp.sae.header import read_directions, read_header
from genointerp.sae.shipped import shipped_dictionaries
from genointerp.store.feature.store import FeatureStore


def own_dictionary(store: FeatureStore, given: StrPath | None = None) -> Path:
    """Return the folder of the dictionary of features.

    Parameters
    ----------
    given
        A folder, which is returned as it is. Where None, a folder ``sae`` next to the features file
        or one level up, as in a run, and then the shipped dictionaries, are looked at: the one
        whose weights have the sha256 that the features were made with. What cannot be read, as a
        dictionary of another library, is passed over.

    Raises
    ------
    InputError
        If there is none; it names what could not be read.
    """
    if given is not None:
        return Path(given)
    unread = []
    for folder in _dictionaries_around(store.path):
        try:
            header = read_header(folder)
        except InputError as error:
            unread.append(f"{folder}, which cannot be read ({error})")
            continue
        if header.sha256 == store.header.sae_sha256:
            return folder
    expected = (
        f"--sae, the folder of the dictionary with sha256 {store.header.sae_sha256[:12]}, since "
        "it is neither next to FEATURES nor shipped"
    )
    raise InputError("sae", expected, "; ".join(unread) or "none")


def _dictionaries_around(features: Path) -> Iterator[Path]:
    folder = Path(features).resolve().parent
    for near in (folder / "sae", folder.parent / "sae"):
        if (near / "cfg.json").is_file():
            yield near
    yield from (Path(f"{SHIPPED}{name}") for name in shipped_dictionaries())


def read_own_directions(sae: Path, store: FeatureStore) -> Float64[np.ndarray, "n_features d_out"]:
    """Read the directions of the dictionary to which the features of a store belong.

    Raises
    ------
    SchemaError
        If the folder holds no dictionary.
    MismatchError
        If the folder holds another dictionary.
    """
    store.identity.check(read_header(sae).identity, "dictionary")
    return read_directions(sae)


def read_other_directions(
    saes: Sequence[Path], own: Path, store: FeatureStore
) -> list[Float64[np.ndarray, "_n _d"]]:
    """Read the directions of other dictionaries that were trained on the same activations.

    Raises
    ------
    SchemaError
        If a folder holds no dictionary.
    MismatchError
        If a dictionary is given twice, is ``own``, or is of another model, site or width.
    """
    seen = [read_header(own).identity]
    for sae in saes:
        identity = read_header(sae).identity
        for other in seen:
            other.check_differs(identity, "dictionary")
        store.identity.check(identity, "model", "site")
        seen[0].check(identity, "width")
        seen.append(identity)
    return [read_directions(sae) for sae in saes]
