"""Configuration of labels and of their scores. The defaults live only here."""

from dataclasses import dataclass, field

from genointerp.core.errors import ConfigError
from genointerp.labelling.judged.config import JudgeConfig


@dataclass(frozen=True)
class LabelConfig:
    """How evidence is gathered on fit, and how statistics label.

    Parameters
    ----------
    n_loci
        Loci that are shown: half are the strongest, half are spread over the others.
    n_concepts
        Best concepts that are shown.
    min_gain
        Least F1 above that of the detector that always fires, on fit, for a label that names bases.
    max_q
        Largest q on fit of such a label.
    n_motif
        Most loci that are aligned for a motif, the strongest first; copies count once.
    min_motif_loci
        Fewest of them.
    motif_length
        Bases before and at the peak of a locus that a motif may have, 64 at most.
    min_period
        Least ratio of how often it fires again at its period to how often at the lags beside it.
    seed
        Random seed of what is drawn.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_loci: int = 20
    n_concepts: int = 5
    min_gain: float = 0.1
    max_q: float = 0.05
    n_motif: int = 200
    min_motif_loci: int = 10
    motif_length: int = 16
    min_period: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("n_loci", "n_concepts", "n_motif", "min_motif_loci", "motif_length"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "1 or more", str(getattr(self, name)))
        for name, most in (("min_gain", 1.0), ("max_q", 1.0)):
            if not 0 <= getattr(self, name) <= most:
                raise ConfigError(name, f"0 to {most:g}", str(getattr(self, name)))
        if self.motif_length > 64:
            raise ConfigError("motif_length", "64 at most", str(self.motif_length))
        if not self.min_period > 1:
            raise ConfigError("min_period", "more than 1", str(self.min_period))


@dataclass(frozen=True)
class ScoreConfig:
    """How labels are held to test.

    Parameters
    ----------
    n_shuffled
        Labels of other features that each feature is scored with, drawn once for all features.
    n_draws
        Number of times that stretches of the genome are drawn for an interval.
    tested_from
        Least gain, F1 less that of the detector that always fires, of a label that is tested
        against rotations. Others have no p-value, but count among the tests.
    judged
        What a language model is asked, where one judges.
    seed
        Random seed of the draws.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_shuffled: int = 20
    n_draws: int = 1000
    tested_from: float = -1.0
    judged: JudgeConfig = field(default_factory=JudgeConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("n_shuffled", 1), ("n_draws", 20)):
            if getattr(self, name) < least:
                raise ConfigError(name, f"{least} or more", str(getattr(self, name)))
