"""What tables were made from, as their provenance says."""

import re
from collections.abc import Sequence

from genointerp.core.arguments import StrPath
from genointerp.core.identity import Identity
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.table import read_provenance

SAE = "sae"
"""Under which the inputs of a table name the dictionary."""


def table_identity(path: StrPath, schema: TableSchema) -> Identity:
    """Return what a table was made from.

    Raises
    ------
    SchemaError
        If it is no table of the schema, or does not say what it was made from.
    """
    inputs = read_provenance(path, schema).get("inputs") or {}
    files: dict[str, list[str]] = {}
    for name, sha256 in inputs.items():
        files.setdefault(re.sub(r"-\d+$", "", name), []).append(sha256)
    return Identity(str(path), dictionary_sha256=inputs.get(SAE), files=files)


def check_features(path: StrPath, schema: TableSchema, stores: Sequence[FeatureStore]) -> None:
    """Refuse a table that was made from other features files than these, in whatever order.

    Raises
    ------
    MismatchError
        If one of the files is not among its inputs, or one of its inputs is none of the files.
    SchemaError
        If it is no table of the schema, or does not say what it was made from.
    """
    files = {str(store.path): store.sha256 for store in stores}
    table_identity(path, schema).check_made_from("features", files)
