"""Settings of the training of a dictionary, which are also read without torch."""

from dataclasses import dataclass, field

from genointerp.core.errors import ConfigError
from genointerp.sae.config import TrainConfig, check_joinable
from genointerp.store.activation.reading import ReadingConfig


@dataclass(frozen=True)
class SlowConfig:
    """Which bases count as the neighbours of a base.

    Raises
    ------
    ConfigError
        If a number is below 1.
    """

    step: int = 3
    """Bases from one neighbour to the next; with 3, neighbours have the same codon position."""
    half: int = 10
    """Number of neighbours on either side; those beyond the ends of the window are left out."""

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
        If there are no features, or ``k`` is not in 1 to ``n_features``.
    """

    n_features: int = 64
    """Number of features."""
    k: int = 4
    """Mean number of features that fire on a token."""

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
        If there are slow parts, but the features of the architecture compete with one another.
    """

    reading: ReadingConfig = field(default_factory=ReadingConfig)
    """How the rows are read."""
    slow_parts: tuple[SlowPart, ...] = ()
    """Slow parts of the activations, whose features come before those of ``sae``; the latter then
    describes what the slow parts leave."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.slow_parts:
            check_joinable(self.sae)
