"""Read tables of associations, and check that they belong to some features."""

from collections.abc import Sequence

import pandas as pd

from genointerp.core.arguments import StrPath
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.identity import check_features, table_identity
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.table import read_table


def read_associations(path: StrPath, store: FeatureStore) -> pd.DataFrame:
    """Read a table of associations that was made with the dictionary of a features file.

    The genome does not matter, since a number means the same feature in all genomes. A table that
    does not name its dictionary is assumed to belong.

    Raises
    ------
    MismatchError
        If the table was made with another dictionary.
    SchemaError
        If it is not a table of associations, or does not state what it was made from.
    """
    table_identity(path, ASSOCIATIONS).check(store.identity, "dictionary")
    return read_table(path, ASSOCIATIONS)


def read_associations_of(path: StrPath, stores: Sequence[FeatureStore]) -> pd.DataFrame:
    """Read a table of associations that was made from exactly these features files.

    Errors are those of `check_features`.
    """
    check_features(path, ASSOCIATIONS, stores)
    return read_table(path, ASSOCIATIONS)
