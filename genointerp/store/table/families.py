"""The family of each feature, as `circuit` found it, joined to other tables of features."""

from collections.abc import Mapping, Sequence

import pandas as pd

from genointerp.core.arguments import StrPath
from genointerp.core.errors import SchemaError
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.identity import table_identity
from genointerp.store.table.schema.circuit import CIRCUIT_MEMBERS
from genointerp.store.table.table import read_table

FAMILY = ("circuit", "members")
"""Columns that a table of features gets: its family in words, and the features of it in order."""


def read_families(path: StrPath, store: FeatureStore) -> pd.DataFrame:
    """Read the family of each feature that is in one: ``feature`` and the columns of `FAMILY`.

    Parameters
    ----------
    path
        Table in the schema ``CIRCUIT_MEMBERS``.
    store
        Features of the dictionary that the families must be of.

    Raises
    ------
    MismatchError
        If the table was made with another dictionary, or does not say with which.
    SchemaError
        If it is no table of the members of families, or has a feature twice.
    """
    store.identity.check(table_identity(path, CIRCUIT_MEMBERS), "dictionary")
    table = read_table(path, CIRCUIT_MEMBERS)
    twice = table.loc[table["feature"].duplicated(), "feature"]
    if len(twice):
        raise SchemaError(f"{path}: feature", "each feature once", f"{twice.iloc[0]} twice")
    members = {
        family: members_in_order(dict(zip(own["feature"], own["step"], strict=True)))
        for family, own in table.groupby("family")
    }
    return table.assign(members=table["family"].map(members))[["feature", *FAMILY]]


def with_families(table: pd.DataFrame, families: pd.DataFrame | None) -> pd.DataFrame:
    """Return a table of features with the columns of `FAMILY`, empty for a feature that is in none.

    Parameters
    ----------
    families
        From `read_families`; None returns the table unchanged.
    """
    if families is None:
        return table
    joined = table.merge(families, on="feature", how="left")
    return joined.fillna(dict.fromkeys(FAMILY, ""))


def members_in_order(position: Mapping[int, int]) -> str:
    """Return the members of a family by their positions.

    Examples
    --------
    >>> members_in_order({82: 2, 86: 1, 108: 0, 127: 0})
    '108+127 > 86 > 82'
    """
    steps = [
        "+".join(str(feature) for feature in sorted(position) if position[feature] == at)
        for at in sorted(set(position.values()))
    ]
    return " > ".join(steps)


def steps_of(members: str) -> Sequence[Sequence[int]]:
    """Return the features of each step of members that `members_in_order` wrote.

    Examples
    --------
    >>> steps_of("108+127 > 86 > 82")
    [[108, 127], [86], [82]]
    """
    return [[int(feature) for feature in step.split("+")] for step in members.split(" > ")]
