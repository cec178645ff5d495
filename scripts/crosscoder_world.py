"""Two made-up models whose features are known, to test what a crosscoder says of them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64

from genointerp.core.seed import rng

Kind = Literal["shared", "first", "second", "weak", "rotated"]


@dataclass(frozen=True)
class World:
    """Sizes of two models' worth of features, and how they fire.

    Directions are drawn at random; a rotated feature has another one in the second model, and a
    weak feature has ``weak_scale`` of its norm in the first.
    """

    d: int = 48
    """Width of each model."""
    n_shared: int = 200
    """Features that are the same in both."""
    n_first: int = 15
    """Features of the first model alone."""
    n_second: int = 15
    """Features of the second model alone."""
    n_weak: int = 20
    """Features that are weak in the first model."""
    n_rotated: int = 15
    """Features with another direction in the second model."""
    weak_scale: float = 0.3
    """Norm of a weak feature in the first model, as a share of that in the second."""
    n_firing: float = 5.0
    """Mean number of features that fire on a row; their rates spread over a factor of 16."""
    noise: float = 0.05
    """Root mean square of the noise of an element, as a share of that of a unit row."""

    @property
    def kinds(self) -> list[Kind]:
        """The kind of each feature."""
        return [
            *["shared"] * self.n_shared,
            *["first"] * self.n_first,
            *["second"] * self.n_second,
            *["weak"] * self.n_weak,
            *["rotated"] * self.n_rotated,
        ]

    def directions(self, seed: int) -> Float64[np.ndarray, "feature d2"]:
        """Return the joined directions of all features; those of each model have unit norm."""
        kinds, random = np.array(self.kinds), rng(seed, "directions of a world")
        first = _unit(random.standard_normal((len(kinds), self.d)))
        turned = _unit(random.standard_normal((len(kinds), self.d)))
        second = np.where((kinds == "rotated")[:, None], turned, first)
        first = (
            first
            * np.select([kinds == "second", kinds == "weak"], [0, self.weak_scale], 1)[:, None]
        )
        return np.concatenate([first, second * (kinds != "first")[:, None]], axis=1)

    def rows(
        self, n_rows: int, seed: int, *, of: str = "rows to train on"
    ) -> tuple[Float32[np.ndarray, "row d2"], Float32[np.ndarray, "row feature"]]:
        """Return rows of both models, joined, and how strongly each feature fires on them."""
        directions, random = self.directions(seed), rng(seed, of)
        rate = 2.0 ** rng(seed, "rates of a world").uniform(-2, 2, len(directions))
        rate *= self.n_firing / rate.sum()
        fires = random.random((n_rows, len(rate)), np.float32) < rate
        amount = (fires * random.uniform(0.5, 1.5, fires.shape)).astype(np.float32)
        x = amount @ directions.astype(np.float32)
        x += self.noise / np.sqrt(self.d) * random.standard_normal(x.shape, np.float32)
        return x, amount


def _unit(rows: np.ndarray) -> np.ndarray:
    unit: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit
