"""Configuration of matching. The defaults live only here."""

from dataclasses import dataclass, replace
from typing import Any

from genointerp.core.errors import ConfigError


@dataclass(frozen=True)
class MatchConfig:
    """How features of two dictionaries are matched.

    Parameters
    ----------
    min_r
        Smallest correlation at which two features that are each other's best count as matched.
    split_r
        Smallest correlation at which a feature counts as a part of its best match.
    n_best
        Number of best candidates that predict a feature together.
    min_bases
        Smallest number of bases on which a feature fires to be matched, or to be a match.
    n_rotations
        Number of rotations of each of the two nulls.
    n_draws
        Number of times that blocks of bases are drawn for the intervals.
    seed
        Random seed of the rotations and of the draws.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    min_r: float = 0.7
    split_r: float = 0.3
    n_best: int = 8
    min_bases: int = 100
    n_rotations: int = 20
    n_draws: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("min_r", 0.0, 1.0),
            ("split_r", 0.0, 1.0),
            ("n_best", 1, float("inf")),
            ("min_bases", 1, float("inf")),
            ("n_rotations", 5, float("inf")),
            ("n_draws", 20, float("inf")),
        ):
            if not low <= getattr(self, name) <= high:
                expected = f"{low:g} or more" if high == float("inf") else f"{low:g} to {high:g}"
                raise ConfigError(name, expected, str(getattr(self, name)))

    def changed(self, **values: float | int | None) -> "MatchConfig":
        """Return a configuration with other values; None keeps what there is."""
        given: dict[str, Any] = {name: it for name, it in values.items() if it is not None}
        return replace(self, **given)
