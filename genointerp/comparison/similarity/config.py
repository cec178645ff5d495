"""Configuration of `similar`. The defaults live only here."""

from dataclasses import dataclass, replace
from typing import Any

from genointerp.core.errors import ConfigError

N_GROUPS = 20
"""Groups of blocks of the genome that are left out in turn for an interval."""


@dataclass(frozen=True)
class SimilarConfig:
    """How the activations of two models are compared.

    Parameters
    ----------
    every
        Distance in bp of the bases that are compared, so that they are nearly independent.
    n_bases
        Most bases, both strands counted.
    n_neighbours
        Nearest neighbours of each base whose identity is compared.
    variance
        Share of the variance of a site that its leading directions hold, for SVCCA.
    n_rotations
        Rotations along the genome.
    n_near
        Distances, multiples of 3 from 30 to 300 bases, at which the second model is read instead.
    seed
        Random seed of the rotations and distances.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    every: int = 500
    n_bases: int = 8000
    n_neighbours: int = 10
    variance: float = 0.99
    n_rotations: int = 20
    n_near: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least, most in (
            ("every", 1, float("inf")),
            ("n_bases", 200, 50_000),
            ("n_neighbours", 1, 100),
            ("n_rotations", 2, float("inf")),
            ("n_near", 1, 80),
        ):
            if not least <= getattr(self, name) <= most:
                expected = f"{least} or more" if most == float("inf") else f"{least} to {most:,}"
                raise ConfigError(name, expected, str(getattr(self, name)))
        if not 0 < self.variance <= 1:
            raise ConfigError("variance", "above 0, at most 1", str(self.variance))

    def changed(self, **values: float | int | None) -> "SimilarConfig":
        """Return a configuration with other values; None keeps what there is."""
        given: dict[str, Any] = {name: it for name, it in values.items() if it is not None}
        return replace(self, **given)
