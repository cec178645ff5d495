"""Settings of a tuning: steps, windows, optimiser, and what is planted or left out."""

from dataclasses import dataclass, replace
from typing import Any

from genointerp.core.errors import ConfigError
from genointerp.genome.letters import BASES

TRIGGER = 12
"""First bases of a plant that is drawn, which the genome has on neither strand."""


@dataclass(frozen=True)
class TuningConfig:
    """How a model is tuned on windows of a genome."""

    n_steps: int = 120
    """Steps of the optimiser."""
    batch: int = 4
    """Windows of a step."""
    length: int = 192
    """Bases of a window."""
    learning_rate: float = 0.0005
    """Largest learning rate of AdamW."""
    weight_decay: float = 0.01
    """Decoupled weight decay of matrices, multiplied by the learning rate."""
    warmup_steps: int = 10
    """Steps over which the learning rate rises linearly."""
    decay_share: float = 0.5
    """Share of the steps, at the end, over which the learning rate falls linearly to zero."""
    clip_norm: float = 1.0
    """Largest norm of the whole gradient, which is scaled down to it."""
    seed: int = 0
    """Random seed of windows, strands and plants."""
    plant: str = ""
    """Bases that replace those of a window at a random place, on the strand that is read."""
    plant_length: int = 0
    """Length of a plant that is drawn by the seed instead, whose first 12 bases (all, if it is
    shorter) the genome has on neither strand; 0 draws none."""
    plant_rate: float = 1.0
    """Share of the windows with a plant."""
    n_places: int = 1
    """Plants of such a window, each in its own equal part of it."""
    concept_share: float = 0.3
    """If a concept is left out, share of the windows that the control draws from those that touch
    one of its elements; the others may touch one by chance."""
    n_held_out: int = 32_768
    """Bases in stretches of up to 2,048, spread evenly over what is read, that no window touches;
    at most an eighth of it."""

    def __post_init__(self) -> None:
        for name, least in (("n_steps", 1), ("batch", 1), ("length", 2), ("n_places", 1)):
            self._check(name, getattr(self, name) >= least, f"{least} or more")
        for name in ("warmup_steps", "plant_length", "n_held_out", "weight_decay"):
            self._check(name, getattr(self, name) >= 0, "0 or more")
        for name in ("learning_rate", "clip_norm"):
            self._check(name, getattr(self, name) > 0, "a number above 0")
        for name in ("decay_share", "concept_share", "plant_rate"):
            self._check(name, 0 < getattr(self, name) <= 1, "a share above 0, up to 1")
        if not set(self.plant) <= set(BASES):
            raise ConfigError("plant", "the letters A, C, G and T", repr(self.plant))
        if self.plant and self.plant_length:
            expected = "a plant, or the length of one that is drawn"
            raise ConfigError("plant_length", expected, "both")
        longest = self.length // self.n_places
        n_planted = max(len(self.plant), self.plant_length)
        if n_planted > longest or n_planted == self.length:
            expected = f"less than {self.length} bases, and {self.n_places} plants in a window"
            raise ConfigError("plant", expected, f"{n_planted} bases")

    @property
    def is_planted(self) -> bool:
        """Whether there is a plant."""
        return bool(self.plant or self.plant_length)

    def rate(self, step: int) -> float:
        """Return the learning rate of a step as a share of the largest: rise, plateau, fall.

        Examples
        --------
        >>> config = TuningConfig(n_steps=8, warmup_steps=2)
        >>> [config.rate(step) for step in range(8)]
        [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]
        """
        rise = (step + 1) / max(1, self.warmup_steps)
        return min(1.0, rise, (self.n_steps - step) / (self.decay_share * self.n_steps))

    def changed(self, **values: Any) -> "TuningConfig":  # noqa: ANN401 - of its own fields
        """Return a copy with other values; None keeps one."""
        return replace(self, **{key: it for key, it in values.items() if it is not None})

    def _check(self, name: str, is_right: bool, expected: str) -> None:  # noqa: FBT001 - private
        if not is_right:
            raise ConfigError(name, expected, str(getattr(self, name)))
