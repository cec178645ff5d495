"""Directions of the dictionary that features are of, and of others beside it. Torch-free."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from genointerp.core.errors import MismatchError
from genointerp.core.provenance import sha256_file
from genointerp.feature.projection import read_decoder
from genointerp.sae.header import CONFIG, WEIGHTS, read_cfg
from genointerp.store.feature.store import FeatureStore


def read_own_decoder(sae: Path, store: FeatureStore) -> Float[np.ndarray, "n_features d_in"]:
    """Read the directions of the dictionary that the features of a store are of.

    Raises
    ------
    SchemaError
        If the folder holds no dictionary.
    MismatchError
        If it holds another one.
    """
    rows = read_decoder(sae)
    expected, found = store.header.sae_sha256, dictionary_sha256(sae)
    if found != expected:
        wanted = f"the dictionary of {store.path} ({expected[:12]})"
        raise MismatchError(str(sae), wanted, found[:12])
    return rows


def read_other_decoders(
    saes: Sequence[Path], own: Path, store: FeatureStore
) -> list[Float[np.ndarray, "_n _d"]]:
    """Read the directions of other dictionaries of the same activations as one's own.

    Raises
    ------
    SchemaError
        If a folder holds no dictionary.
    MismatchError
        If one is given twice or is one's own, or is of another model, site or width.
    """
    seen = {store.header.sae_sha256: own}
    d_in = read_decoder(own).shape[1]
    found = []
    for sae in saes:
        rows, sha256 = read_decoder(sae), dictionary_sha256(sae)
        if sha256 in seen:
            raise MismatchError(str(sae), f"another dictionary than {seen[sha256]}", "the same")
        seen[sha256] = sae
        _check_activations(sae, store)
        if rows.shape[1] != d_in:
            raise MismatchError(f"{sae}: width", f"{d_in} as in {own}", str(rows.shape[1]))
        found.append(rows)
    return found


def dictionary_sha256(sae: Path) -> str:
    """Return the sha256 by which files of features name a dictionary: that of its weights."""
    return sha256_file(Path(sae) / WEIGHTS)


def _check_activations(sae: Path, store: FeatureStore) -> None:
    path, header = Path(sae) / CONFIG, store.header
    metadata = read_cfg(path)["metadata"]
    # weights without a sha256 are known by their name
    kind = "model_sha256" if metadata["model_sha256"] else "model"
    for name in (kind, "site"):
        expected, found = getattr(header, name), metadata[name]
        if found != expected:
            raise MismatchError(f"{path}: {name}", f"{expected} as in {store.path}", str(found))
