"""Schemas: the columns of a table, in order. They are specified in ``docs/schema/tables.md``."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "int64", "float64"]


Status = Literal["REQUIRED", "OPTIONAL"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name, kind, status
        Name, type and status of the column. An undefined float is NaN, an undefined string is
        empty, and an integer is never undefined.
    meaning
        Meaning of the values, with unit and range.
    """

    name: str
    kind: Kind
    status: Status
    meaning: str


@dataclass(frozen=True)
class TableSchema:
    """Format name, version and columns of a table, in order.

    Parameters
    ----------
    header
        Further whole numbers in the header, each with the version since which it is there. In
        memory they are in the ``attrs`` of the table, which a selection of its rows keeps.
    """

    format: str
    version: int
    columns: tuple[Column, ...]
    header: tuple[tuple[str, int], ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of all columns, in order."""
        return [column.name for column in self.columns]


def required(name: str, kind: Kind, meaning: str) -> Column:
    """Return a column that every table of its schema has."""
    return Column(name, kind, "REQUIRED", meaning)


def optional(name: str, kind: Kind, meaning: str) -> Column:
    """Return a column that a table of its schema may lack."""
    return Column(name, kind, "OPTIONAL", meaning)
