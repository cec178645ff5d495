"""Directions of the dictionary that features are of, and of others beside it. Torch-free."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from genointerp.core.identity import Identity
from genointerp.core.provenance import sha256_file
from genointerp.feature.projection import read_decoder
from genointerp.sae.header import CONFIG, WEIGHTS, dictionary_identity, read_cfg
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
    found = Identity(str(sae), dictionary_sha256=dictionary_sha256(sae))
    store.identity.check(found, "dictionary")
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
    seen = [_identity(own)]
    found = []
    for sae in saes:
        identity = _identity(sae)
        for other in seen:
            other.check_differs(identity, "dictionary")
        seen.append(identity)
        store.identity.check(identity, "model", "site")
        seen[0].check(identity, "width")
        found.append(read_decoder(sae))
    return found


def dictionary_sha256(sae: Path) -> str:
    """Return the sha256 by which files of features name a dictionary: that of its weights."""
    return sha256_file(Path(sae) / WEIGHTS)


def _identity(sae: Path) -> Identity:
    cfg = read_cfg(Path(sae) / CONFIG)
    own = dictionary_identity({**cfg["metadata"], "d_in": read_decoder(sae).shape[1]}, sae)
    return replace(own, dictionary_sha256=dictionary_sha256(sae))
