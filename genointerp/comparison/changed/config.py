"""Settings of what is measured with the dictionary of the base model."""

from dataclasses import dataclass

from genointerp.core.errors import ConfigError


@dataclass(frozen=True)
class ChangedConfig:
    """How changes of features are measured, and which of them are said.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    block_bp: int = 16_384
    """Length of the blocks of the genome that are drawn for intervals and tests."""
    n_draws: int = 1000
    """Draws of these blocks."""
    most_q: float = 0.05
    """Largest q-value, of blocks and of seeds, with which a sentence is written."""
    least_change: float = 1.0
    """Least excess of a feature that counts as changed in the table of concepts, as a log2."""
    least_f1: float = 0.2
    """Least F1 in the base model of a feature that counts for its best concept there."""
    seed: int = 0
    """Random seed of the draws."""

    def __post_init__(self) -> None:
        for name, least in (("block_bp", 1), ("n_draws", 20)):
            if getattr(self, name) < least:
                raise ConfigError(name, f"at least {least}", str(getattr(self, name)))
        for name in ("most_q", "least_f1"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(name, "a share, 0 to 1", str(getattr(self, name)))
        if self.least_change < 0:
            raise ConfigError("least_change", "0 or more", str(self.least_change))
