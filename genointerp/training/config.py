"""Settings of the training of a dictionary from files; read without torch, too."""

from dataclasses import dataclass, field

from genointerp.core.errors import ConfigError
from genointerp.sae.config import TrainConfig, check_joinable
from genointerp.store.activation.reading import ReadingConfig


@dataclass(frozen=True)
class SlowConfig:
    """Which neighbours of a base make its surroundings.

    Raises
    ------
    ConfigError
        If a number is below 1.
    """

    step: int = 3
    """Bases from one neighbour to the next; with 3 they share the base's codon position."""
    half: int = 10
    """Neighbours on either side; those beyond the window's ends are left out."""

    def __post_init__(self) -> None:
        for name in ("step", "half"):
            if getattr(self, name) < 1:
                raise ConfigError(f"slow part: {name}", "at least 1", str(getattr(self, name)))


@dataclass(frozen=True)
class SlowPart(SlowConfig):
    """A slow part of the activations, and the features that describe it.

    Raises
    ------
    ConfigError
        If there are no features, or fewer than may fire.
    """

    n_features: int = 64
    """Number of features."""
    k: int = 4
    """Features that fire for a token, on average."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.k <= self.n_features:
            expected = f"1 to n_features = {self.n_features}"
            raise ConfigError("slow part: k", expected, str(self.k))


@dataclass(frozen=True)
class TrainingConfig(TrainConfig):
    """How a dictionary is trained, and how the rows that it is trained on are read.

    Raises
    ------
    ConfigError
        If there are slow parts, and the features of the architecture are not each chosen by itself.
    """

    reading: ReadingConfig = field(default_factory=ReadingConfig)
    """Of the rows."""
    slow_parts: tuple[SlowPart, ...] = ()
    """Slow parts of the activations whose features come before those of ``sae``, which then
    describes what they leave."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.slow_parts:
            check_joinable(self.sae)
