"""Settings of crosscoders of two models, which are also read without torch."""

from dataclasses import dataclass, field

from genointerp.core.errors import ConfigError
from genointerp.sae.config import SaeConfig, TrainConfig


@dataclass(frozen=True)
class LatentsConfig:
    """How a crosscoder of two models is trained, and on how much its features are measured.

    Raises
    ------
    ConfigError
        If the dictionary is no crosscoder, or a number is out of its range.
    """

    site: str | None = None
    """Site whose activations are compared; None means the default one of the base model."""
    n_bases: int = 200_000
    """Most bases that are read, on each strand, in stretches spread over the genome. Their
    activations in all models are in memory, 4 bytes for each number."""
    training: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            sae=SaeConfig("batch_topk_crosscoder", delta_coefficient=2.0)
        )
    )
    """Settings of the training, the same for every pair of models."""
    n_seeds: int = 1
    """1, or 2 to train a second crosscoder on the same rows from other initial weights, which says
    which features it repeats."""

    def __post_init__(self) -> None:
        if self.training.sae.architecture != "batch_topk_crosscoder":
            found = repr(self.training.sae.architecture)
            raise ConfigError("latents: architecture", "batch_topk_crosscoder", found)
        if self.n_seeds not in (1, 2):
            raise ConfigError("latents: n_seeds", "1 or 2", str(self.n_seeds))
        if self.n_bases < 1:
            raise ConfigError("latents: n_bases", "at least 1", str(self.n_bases))
