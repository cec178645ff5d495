"""Settings of a comparison of models."""

from dataclasses import dataclass, field, replace

from genointerp.comparison.changed.config import ChangedConfig
from genointerp.core.errors import ConfigError
from genointerp.reading.harvest import HarvestConfig


@dataclass(frozen=True)
class LociConfig:
    """Which places of a divergence are listed.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_loci: int = 25
    """Single positions in the table, and as many stretches, those of the largest excess first."""
    stretch: int = 50
    """Bases of a stretch; also the least distance of two positions on one strand."""
    context: int = 24
    """Bases before each place in the table."""
    bin_bp: int = 1000
    """Bases of a bin along the genome, of which the largest values are stated."""

    def __post_init__(self) -> None:
        _check_least(self, n_loci=1, stretch=1, context=0, bin_bp=1)


@dataclass(frozen=True)
class DiffConfig:
    """Everything that decides what a comparison of two models computes."""

    windows: HarvestConfig = field(default_factory=HarvestConfig)
    """Windows that the models read, and strands."""
    loci: LociConfig = field(default_factory=LociConfig)
    """Which places of the divergence are listed."""
    changed: ChangedConfig = field(default_factory=ChangedConfig)
    """How changes of features are measured, and which of them are said."""

    def __post_init__(self) -> None:
        if self.windows.chunk:
            raise ConfigError("chunk", "0 to compare predictions", str(self.windows.chunk))

    def with_windows(
        self, window: int | None, warmup: int | None, *, batch: int | None = None
    ) -> "DiffConfig":
        """Return a copy with other windows; None keeps a value."""
        return replace(self, windows=self.windows.with_windows(window, warmup, batch=batch))


def _check_least(config: object, **least: int) -> None:
    for name, number in least.items():
        if getattr(config, name) < number:
            raise ConfigError(name, f"at least {number}", str(getattr(config, name)))
