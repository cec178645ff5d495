"""Which classes of the backtest the ranking may be tuned on, and which are kept in reserve."""

from dataclasses import dataclass

from genointerp.annotation.catalogue import annotations_folder
from genointerp.core.config import from_mapping, read_yaml


@dataclass(frozen=True)
class BacktestClasses:
    """What ``annotations/backtest.yaml`` holds: the reason of each class, by its name.

    Parameters
    ----------
    tuned
        Classes by which the form of the score may be chosen.
    reserve
        Classes that are never used in choosing, as is every class that has no entry. One that is
        made of another class is hidden only if it stands here.
    """

    tuned: dict[str, str]
    reserve: dict[str, str]


def read_classes() -> BacktestClasses:
    """Read the shipped file.

    Raises
    ------
    ConfigError
        If it has an unknown key or a wrong value.
    """
    path = annotations_folder() / "backtest.yaml"
    found: BacktestClasses = from_mapping(BacktestClasses, read_yaml(path), where=str(path))
    return found
