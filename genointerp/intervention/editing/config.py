"""Settings of an edit: what is read to fit and to measure it, and when it counts as clean."""

from dataclasses import dataclass
from typing import Literal

from genointerp.core.errors import ConfigError
from genointerp.reading.harvest import HarvestConfig

Mode = Literal["ablate", "scale", "set"]
"""What becomes of a feature: no amount, a multiple of it, or the same amount on every token."""
Method = Literal["adapter", "closed-form", "distil"]
"""How: the edit of activations itself; a probe of the feature in weights; weights trained to it."""


@dataclass(frozen=True)
class EditConfig:
    """What is read to fit an edit and to measure it, and the thresholds of the verdict.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_fit: int = 24_576
    """Bases, of both strands together, that the edit is fitted on, spread over the genome."""
    firing_share: float = 0.25
    """Share of them on which the feature fires most, among ``scan`` times as many."""
    n_test: int = 16_384
    """Bases of another genome on which its effects are measured."""
    n_silent: int = 4_096
    """Bases of the other genome, besides, on which the feature is silent as long as possible."""
    scan: int = 4
    """Times as many bases, spread over the genome, among which such stretches are looked for."""
    window: int = 1024
    """Bases of a window, warm-up included."""
    warmup: int = 256
    """First bases of a window: context, which is neither fitted nor measured."""
    batch: int = 4
    """Windows that the model reads at once."""
    ridge: float = 1e-3
    """Ridge of the probe, as a share of the mean square of what the weights read."""
    silent_after: int = 32
    """Tokens since the feature last fired after which it counts as silent."""
    silent_weight: float = 3.0
    """Weight of a silent token in the fit; that of the others is 1."""
    strengths: tuple[float, ...] = (0.5, 0.75, 1.0, 1.25, 1.5)
    """Multiples of the fitted change, of which fit chooses one."""
    least_r2: float = 0.6
    """Held-out R2 of the probe below which a closed-form edit is refused."""
    rank: int = 4
    """Rank of the change of each weight matrix that ``distil`` trains."""
    steps: int = 200
    """Steps of ``distil``."""
    rate: float = 3e-3
    """Learning rate of ``distil``."""
    silent_share: float = 1.0
    """Weight of the divergence from the parent on silent tokens in the loss of ``distil``."""
    n_matched: int = 3
    """Number of other features of similar density that are edited in the same way."""
    n_random: int = 3
    """Number of random directions of the same norm that are written in place of the feature's."""
    n_written: int = 16
    """Sequences that the models write, to be judged by gene finders; 0 for none."""
    prompt: int = 512
    """Bases of the other genome after which each is written."""
    written: int = 240
    """Bases of each."""
    least_silent: int = 50
    """Least number of silent predictions over which their divergence is told."""
    least_bake: float = 0.7
    """Share of the edit of activations below which the edit failed."""
    most_silent_kl: float = 1e-3
    """Nats by which a clean edit may change a prediction at most where the feature is silent."""
    seed: int = 0
    """Random seed of the controls, and of ``distil``."""

    def __post_init__(self) -> None:
        counts = (
            "n_fit",
            "n_test",
            "scan",
            "batch",
            "rank",
            "steps",
            "silent_after",
            "least_silent",
        )
        for name in (*counts, "prompt", "written"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "at least 1", str(getattr(self, name)))
        for name in ("n_silent", "n_matched", "n_random", "n_written", "ridge", "silent_share"):
            if getattr(self, name) < 0:
                raise ConfigError(name, "at least 0", str(getattr(self, name)))
        if not 0 <= self.warmup < self.window:
            raise ConfigError("warmup", f"0 <= warmup < window={self.window}", str(self.warmup))
        if not 0 <= self.firing_share < 1:
            raise ConfigError("firing_share", "0 or more, and below 1", str(self.firing_share))
        if not self.silent_weight > 0 or not self.rate > 0:
            found = f"{self.silent_weight}, {self.rate}"
            raise ConfigError("silent_weight, rate", "numbers above 0", found)
        if not self.strengths or min(self.strengths) <= 0:
            raise ConfigError("strengths", "one number above 0 or more", str(self.strengths))

    @property
    def reading(self) -> HarvestConfig:
        """How windows are read."""
        return HarvestConfig(window=self.window, warmup=self.warmup, batch=self.batch)
