"""Tables of associations, read for the features that they are of."""

from collections.abc import Sequence

import pandas as pd

from genointerp.core.arguments import StrPath
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.identity import check_features, table_identity
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.table import read_table


def read_associations(path: StrPath, store: FeatureStore) -> pd.DataFrame:
    """Read a table of associations of the dictionary whose features a store holds.

    Features of any genome will do: a number means the same feature in all of them. A table that
    does not name its dictionary is taken to be of this one.

    Raises
    ------
    MismatchError
        If the table says that it is of another dictionary.
    SchemaError
        If it is no table of associations, or does not say what it was made from.
    """
    table_identity(path, ASSOCIATIONS).check(store.identity, "dictionary")
    return read_table(path, ASSOCIATIONS)


def read_associations_of(path: StrPath, stores: Sequence[FeatureStore]) -> pd.DataFrame:
    """Read the associations that were measured on these very features files.

    Errors are those of `check_features`.
    """
    check_features(path, ASSOCIATIONS, stores)
    return read_table(path, ASSOCIATIONS)
