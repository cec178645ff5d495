"""Identity of tables: what they were made from, according to their provenance."""

import re
from collections.abc import Sequence

from genointerp.core.arguments import StrPath
from genointerp.core.identity import Identity
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.table import read_provenance

SAE = "sae"
"""Name of the dictionary among the inputs of a table."""


def table_identity(path: StrPath, schema: TableSchema) -> Identity:
    """Return what a table was made from.

    Raises
    ------
    SchemaError
        If it is not a table of the schema, or does not state what it was made from.
    """
    inputs = read_provenance(path, schema).get("inputs") or {}
    files: dict[str, list[str]] = {}
    for name, sha256 in inputs.items():
        files.setdefault(re.sub(r"-\d+$", "", name), []).append(sha256)
    return Identity(str(path), dictionary_sha256=inputs.get(SAE), files=files)


def check_features(path: StrPath, schema: TableSchema, stores: Sequence[FeatureStore]) -> None:
    """Refuse a table that was not made from exactly these features files, in any order.

    Raises
    ------
    MismatchError
        If a file is not among the inputs of the table, or an input is not among the files.
    SchemaError
        If it is no table of the schema, or does not say what it was made from.
    """
    files = {str(store.path): store.sha256 for store in stores}
    table_identity(path, schema).check_made_from("features", files)
