"""Whether files that are given together belong together, by what they say that they are of."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from genointerp.core.errors import MismatchError
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.associations import SAE
from genointerp.store.table.schemas import ASSOCIATIONS, TableSchema
from genointerp.store.table.table import read_provenance, read_table


def check_made_from(path: Path, schema: TableSchema, role: str, files: Mapping[str, str]) -> None:
    """Refuse a table that was made from other files than these, in whatever order.

    Parameters
    ----------
    role
        Under which its provenance names such files: ``features`` for ``features-0``, ...
    files
        sha256 of each, by what an error calls it.

    Raises
    ------
    MismatchError
        If one of the files is not among its inputs, or one of its inputs is none of the files.
    SchemaError
        If it is no table of the schema, or does not say what it was made from.
    """
    inputs = read_provenance(path, schema).get("inputs") or {}
    own = [sha256 for name, sha256 in inputs.items() if re.fullmatch(rf"{role}(-\d+)?", name)]
    where = f"{path}: provenance"
    for name, sha256 in files.items():
        if sha256 not in own:
            found = ", ".join(one[:12] for one in own) or f"no {role}"
            raise MismatchError(where, f"made from {name} ({sha256[:12]})", found)
    for sha256 in own:
        if sha256 not in files.values():
            expected = f"made from {', '.join(files)} alone"
            raise MismatchError(where, expected, f"{role} {sha256[:12]} too")


def check_features(path: Path, schema: TableSchema, stores: Sequence[FeatureStore]) -> None:
    """Refuse a table that was made from other features files than these, in whatever order.

    Errors are those of `check_made_from`.
    """
    files = {str(store.path): store.sha256 for store in stores}
    check_made_from(path, schema, "features", files)


def check_dictionary(path: Path, schema: TableSchema, store: FeatureStore) -> None:
    """Refuse a table that was made with another dictionary than features are of.

    Errors are those of `check_made_from`.
    """
    dictionary = {f"the dictionary of {store.path}": store.header.sae_sha256}
    check_made_from(path, schema, SAE, dictionary)


def read_associations_of(path: Path, stores: Sequence[FeatureStore]) -> pd.DataFrame:
    """Read the associations that were measured on these very features files.

    Errors are those of `check_made_from`.
    """
    check_features(path, ASSOCIATIONS, stores)
    return read_table(path, ASSOCIATIONS)


def check_origin(store: FeatureStore, activations: ActivationStore) -> None:
    """Refuse activations of another genome, model or site than features are of.

    Raises
    ------
    MismatchError
        Naming what differs.
    """
    for field in ("genome_sha256", "model_sha256", "site"):
        expected, found = getattr(store.header, field), getattr(activations.header, field)
        if expected != found:
            where = f"{activations.path}: {field.replace('_', '-')}"
            raise MismatchError(where, f"{expected} as in {store.path}", str(found))
