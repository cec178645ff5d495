"""Configuration of co-activation and families. The defaults live only here."""

from dataclasses import dataclass
from typing import Literal, get_args

from genointerp.core.errors import ConfigError
from genointerp.core.nearest import unknown

NEAR = 12
"""Longest of the lags that are examined one by one, in bp."""

LAGS = (*range(NEAR + 1), *(2**power for power in range(4, 11)))
"""The lags of an edge: each base up to `NEAR`, then powers of two up to 1,024."""

MIRROR_LAGS = tuple(range(-NEAR, NEAR + 1))
"""The lags between features that fire on opposite strands."""

Grouping = Literal["components", "louvain"]


@dataclass(frozen=True)
class CircuitConfig:
    """How features are compared at lags, and grouped.

    Parameters
    ----------
    min_phi
        Smallest phi of an edge: its effect size.
    max_q
        Largest q of an edge or a succession.
    min_share
        Smallest share of the stretches of a feature that another one precedes, for a succession.
    min_bases
        Smallest number of bases on which both features of an edge fire, the lag apart. Features
        that fire on fewer bases are not tested.
    n_rotations
        Number of rotations of the null, on each strand.
    n_pooled
        Number of features, drawn at random, whose rotations against all others make up the pooled
        null; all of a smaller dictionary.
    grouping
        Families are connected components, or communities (Louvain), of the edges on one strand at
        lags up to 12.
    family_phi
        Smallest phi of an edge within a family.
    seed
        Random seed of the rotations, the pooled features and the communities.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    min_phi: float = 0.3
    max_q: float = 0.05
    min_share: float = 0.2
    min_bases: int = 100
    n_rotations: int = 50
    n_pooled: int = 128
    grouping: Grouping = "components"
    family_phi: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("min_phi", 0.0, 1.0),
            ("max_q", 0.0, 1.0),
            ("family_phi", 0.0, 1.0),
            ("min_share", 0.0, 1.0),
            ("min_bases", 1, float("inf")),
            ("n_rotations", 10, float("inf")),
            ("n_pooled", 1, float("inf")),
        ):
            if not low <= getattr(self, name) <= high:
                expected = f"{low:g} or more" if high == float("inf") else f"{low:g} to {high:g}"
                raise ConfigError(name, expected, str(getattr(self, name)))
        if self.grouping not in get_args(Grouping):
            raise unknown("grouping", self.grouping, get_args(Grouping))
