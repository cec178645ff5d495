"""Settings of a comparison of models."""

from dataclasses import dataclass, field, replace

from genointerp.comparison.changed.config import ChangedConfig
from genointerp.comparison.latents_config import LatentsConfig
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
class ExtractionConfig:
    """How a text is looked for after the places at which predictions differ most.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_prompts: int = 25
    """Places after whose context the models write, those of the largest excess first."""
    n_first: int = 8
    """First of these places, on which a text is counted separately."""
    prompt: int = 256
    """Bases before a place that a model reads before it writes."""
    n_written: int = 64
    """Bases that it writes: always its most probable one."""
    seed_bp: int = 8
    """Length of the shortest word by which continuations are aligned."""
    least: int = 3
    """Fewest places whose continuations must share a text."""
    agreement: float = 0.9
    """Least share of the aligned continuations that have the same base, for each base of a text."""
    batch: int = 32
    """Sequences that a model writes or reads at once."""
    seed: int = 0
    """Random seed of the places of the null."""

    def __post_init__(self) -> None:
        _check_least(
            self, n_prompts=1, n_first=1, prompt=1, n_written=1, seed_bp=1, least=2, batch=1
        )
        if not 0.5 < self.agreement <= 1:
            raise ConfigError("agreement", "above .5, and at most 1", str(self.agreement))
        if self.seed_bp > self.n_written:
            expected = f"at most n_written={self.n_written}"
            raise ConfigError("seed_bp", expected, str(self.seed_bp))


@dataclass(frozen=True)
class SearchConfig:
    """How a text is sought that the tuned model expects more than base and control do.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_texts: int = 4
    """Most texts that are sought, each after those before it; 0 for none."""
    n_contexts: int = 8
    """Natural contexts after which texts are compared while they are written."""
    context: int = 16
    """Bases of each context."""
    n_held_out: int = 32
    """Other contexts, after which what was found is measured."""
    n_bases: int = 40
    """Bases of a text, before it is cut where it ends."""
    n_beams: int = 48
    """Texts that go on after each base."""
    n_broad: int = 12
    """Bases after which fewer go on."""
    n_narrow: int = 8
    """Texts that then go on."""
    apart: int = 5
    """Bases in a row that two texts do not share."""
    margin: float = 6.0
    """How many times the score of the null a text must exceed: a choice of this package, above what
    any of nine pairs of clean models reached (``docs/diff.md``)."""
    least: float = 0.25
    """Nats that the null counts at least (a choice of this package)."""
    batch: int = 256
    """Sequences that a model reads at once."""

    def __post_init__(self) -> None:
        least = dict.fromkeys(("n_contexts", "context", "n_held_out", "n_bases", "n_beams"), 1)
        _check_least(self, n_texts=0, n_broad=0, n_narrow=1, apart=2, batch=1, **least)
        if self.margin < 1:
            raise ConfigError("margin", "at least 1", str(self.margin))
        if self.least <= 0:
            raise ConfigError("least", "more than 0", str(self.least))


@dataclass(frozen=True)
class StagesConfig:
    """How a dictionary goes on training along two orders of new data and new model.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_bases: int = 100_000
    """Most bases that are read of each genome, on each strand, in stretches spread over it."""
    n_passes: int = 2
    """Passes over these at each step."""
    batch_tokens: int = 512
    """Tokens of one step of training."""
    learning_rate: float | None = None
    """Adam's step size at the plateau; None means a tenth of that of a new dictionary, a choice of
    this package."""
    seed: int = 0
    """Random seed of the order of the rows."""

    def __post_init__(self) -> None:
        _check_least(self, n_bases=1, n_passes=1, batch_tokens=1)
        if self.learning_rate is not None and self.learning_rate <= 0:
            raise ConfigError("learning_rate", "more than 0", str(self.learning_rate))


@dataclass(frozen=True)
class DiffConfig:
    """Everything that decides what a comparison of two models computes."""

    windows: HarvestConfig = field(default_factory=HarvestConfig)
    """Windows that the models read, and strands."""
    loci: LociConfig = field(default_factory=LociConfig)
    """Which places of the divergence are listed."""
    extraction: ExtractionConfig = field(default_factory=ExtractionConfig)
    """How a text is looked for."""
    search: SearchConfig = field(default_factory=SearchConfig)
    """How a text is sought without places."""
    changed: ChangedConfig = field(default_factory=ChangedConfig)
    """How changes of features are measured, and which of them are said."""
    latents: LatentsConfig = field(default_factory=LatentsConfig)
    """How crosscoders of two models are trained and measured."""
    stages: StagesConfig = field(default_factory=StagesConfig)
    """How a dictionary goes on training along two orders."""

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
