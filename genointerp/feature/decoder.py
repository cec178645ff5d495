"""Read the directions of the dictionary of some features, and of others. Torch-free."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from genointerp.sae.header import read_directions, read_header
from genointerp.store.feature.store import FeatureStore


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
