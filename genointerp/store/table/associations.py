"""Tables of associations, read beside the features that they are of."""

import pandas as pd

from genointerp.core.arguments import StrPath
from genointerp.core.errors import MismatchError
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schemas import ASSOCIATIONS
from genointerp.store.table.table import read_provenance, read_table

SAE = "sae"
"""Under which the inputs of a table name the dictionary."""


def read_associations(path: StrPath, store: FeatureStore) -> pd.DataFrame:
    """Read a table of associations of the dictionary whose features a store holds.

    Features of any genome will do: a number means the same feature in all of them.

    Raises
    ------
    MismatchError
        If the table says that it is of another dictionary.
    SchemaError
        If it is no table of associations, or does not say what it was made from.
    """
    inputs = read_provenance(path, ASSOCIATIONS).get("inputs") or {}
    found = inputs.get(SAE, store.header.sae_sha256)
    if found != store.header.sae_sha256:
        expected = f"associations of the dictionary of {store.path}"
        raise MismatchError(str(path), f"{expected} ({store.header.sae_sha256[:12]})", found[:12])
    return read_table(path, ASSOCIATIONS)
