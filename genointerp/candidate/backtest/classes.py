"""Which classes of the backtest the ranking may be tuned on, and which are kept in reserve."""

from dataclasses import dataclass

from genointerp.annotation.catalogue import annotations_folder
from genointerp.core.config import from_mapping, read_yaml


@dataclass(frozen=True)
class BacktestClasses:
    """Contents of ``annotations/backtest.yaml``: the reason for each class, by its name.

    Parameters
    ----------
    tuned
        Classes that may be used to choose the form of the score.
    reserve
        Classes that are never used to choose it. Classes without an entry are treated the same way.
        A class that is made of another class is hidden only if it is listed here.
    """

    tuned: dict[str, str]
    reserve: dict[str, str]


def read_classes() -> BacktestClasses:
    """Read the shipped file of classes.

    Raises
    ------
    ConfigError
        If it has an unknown key or a wrong value.
    """
    path = annotations_folder() / "backtest.yaml"
    found: BacktestClasses = from_mapping(BacktestClasses, read_yaml(path), where=str(path))
    return found
