"""Settings of a dictionary and of its training. Defaults live here and nowhere else."""

import itertools
import math
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from genointerp.core.errors import ConfigError

ArchitectureName = Literal[
    "relu",
    "topk",
    "batch_topk",
    "jumprelu",
    "gated",
    "matryoshka_batch_topk",
    "tied_batch_topk",
    "transcoder",
    "batch_topk_crosscoder",
]


JOINABLE = ("batch_topk", "matryoshka_batch_topk", "jumprelu", "relu")
"""Architectures that choose each feature by a threshold of its own, whatever the others do."""


@dataclass(frozen=True)
class SaeConfig:
    """What defines a dictionary besides its weights.

    Raises
    ------
    ConfigError
        If ``k`` lies outside 1 to ``n_features``, or another value outside its range.
    """

    architecture: ArchitectureName = "batch_topk"
    """``topk`` keeps k features for each token, ``batch_topk`` k on average, as do those named
    after it and ``transcoder``; ``relu``, ``jumprelu`` and ``gated`` keep as many as their
    coefficient pays for."""
    n_features: int = 2048
    """Number of features, the rows of W_dec."""
    k: int = 16
    """Features that may fire for a token; the mean of them for the batch architectures. Unused
    where a coefficient decides."""
    l1_coefficient: float = 5.0
    """Of ``relu`` and ``gated``: price of the sum of activations, where elements of the rows have
    unit mean square and the error is a sum over them (Anthropic's update of April 2024)."""
    l0_coefficient: float = 1e-3
    """Of ``jumprelu``: price of one more feature on a token, as a share of the variance. A choice
    of this package: Rajamanoharan et al. 2024 (arXiv:2407.14435), whose loss it is, sweep it."""
    bandwidth: float = 1e-3
    """Of ``jumprelu``: width about the threshold in which it gets a gradient, where the mean
    squared norm of a row is 1 (that paper); rows must therefore be normalised."""
    initial_threshold: float = 1e-3
    """Of ``jumprelu``: threshold before training, in the same unit (that paper)."""
    prefixes: tuple[float, ...] = (1 / 32, 3 / 32, 7 / 32, 15 / 32, 1.0)
    """Of ``matryoshka_batch_topk``: shares of the dictionary that reconstruct by themselves, rising
    to 1 (Bussmann et al. 2025, arXiv:2503.17547)."""
    widths: tuple[int, ...] = ()
    """Of ``transcoder`` (input, target) and ``batch_topk_crosscoder`` (each site): widths of what a
    row joins end to end. Training takes them from the data where they are not given."""

    def __post_init__(self) -> None:
        _require(self.n_features >= 1, "n_features", "1 or more", self.n_features)
        _require(
            1 <= self.k <= self.n_features, "k", f"1 to n_features = {self.n_features}", self.k
        )
        for name in ("l1_coefficient", "l0_coefficient"):
            _require(getattr(self, name) >= 0, name, "0 or more", getattr(self, name))
        for name in ("bandwidth", "initial_threshold"):
            _require(getattr(self, name) > 0, name, "more than 0", getattr(self, name))
        rising = all(a < b for a, b in itertools.pairwise((0.0, *self.prefixes)))
        _require(
            rising and self.prefixes[-1:] == (1.0,),
            "prefixes",
            "shares that rise from above 0 to 1",
            self.prefixes,
        )
        _require(all(width >= 1 for width in self.widths), "widths", "1 or more", self.widths)


RATE = 0.03
"""Learning rate at width 1, where none is given."""

C = TypeVar("C", bound="TrainConfig")

MOST_TOKENS = 5_000_000
"""Tokens to train on, where their number is not given and there are data enough."""


@dataclass(frozen=True)
class TrainConfig:
    """How a dictionary is trained.

    Raises
    ------
    ConfigError
        If a value lies outside its range; the message names it.
    """

    sae: SaeConfig = field(default_factory=SaeConfig)
    """The dictionary."""
    n_tokens: int | None = None
    """Tokens to train on; the data are read again, in another order, as often as it takes. Where
    None as many as `MOST_TOKENS`, or as ``max_passes`` over the data give if that is less."""
    max_passes: int = 10
    """Passes over the data, at most, where ``n_tokens`` is not given."""
    batch_tokens: int = 2048
    """Tokens of one step."""
    learning_rate: float | None = None
    """Adam's step at the plateau; ``0.03 / sqrt(d_in)`` where None. An element of a unit row is of
    size 1 / sqrt(d_in), so that a step then turns directions by the same angle at any width."""
    warmup_steps: int = 100
    """Steps over which the learning rate rises from zero."""
    decay: Literal["linear", "cosine", "none"] = "linear"
    """How the learning rate falls to zero; with the warm-up, ``linear`` makes it a trapezoid."""
    decay_share: float = 0.3
    """Last share of the steps, over which it falls; 1 for a cosine of the whole training."""
    clip_norm: float | None = None
    """Norm to which the gradient of all weights together is cut down; never where None."""
    autocast: Literal["none", "bfloat16"] = "none"
    """Precision of the encoder's product in training. Weights, sums and what is saved stay in
    float32, and so does inference."""
    aux_k: int | None = None
    """Dead features that explain the residual of a token; half of ``d_in`` where None."""
    aux_coefficient: float = 1 / 32
    """Weight of the auxiliary loss; 0 turns it off."""
    sparsity_warmup_share: float = 0.05
    """First share of the steps, over which the price of ``l1_coefficient`` or ``l0_coefficient``
    rises from 0 (Anthropic's update of April 2024)."""
    dead_after: int = 250_000
    """Tokens without firing after which a feature counts as dead."""
    centre: bool = True
    """Subtract the mean of the activations; folded into the weights."""
    normalise: Literal["none", "scale", "whiten"] = "scale"
    """``scale`` divides by the root mean square of the centred activations; ``whiten`` makes their
    covariance the identity, after which saved rows of W_dec have no unit norm. Folded."""
    outlier_sd: float | None = 4.0
    """Rows whose norm exceeds the mean norm by so many standard deviations are not trained on; all
    are where None. They are counted, and measured apart."""
    moment_rows: int = 500_000
    """Rows from which mean and scale are estimated."""
    eval_share: float = 0.1
    """Share of the blocks of the data that are never trained on."""
    eval_rows: int = 65_536
    """Held-out rows that are kept at most."""
    threshold_decay: float = 0.9
    """Share of the old threshold of a batch architecture that each step keeps."""
    threshold_batches: int = 16
    """Batches after the last step whose mean threshold is the one stored."""
    log_every: int = 100
    """Steps between the lines of metrics.jsonl."""
    checkpoint_every: int = 500
    """Steps between checkpoints."""
    seed: int = 0
    """Of the order of the data, the choice of held-out blocks and the initial weights."""
    init_seed: int | None = None
    """Of the initial weights alone; ``seed`` where None."""

    def __post_init__(self) -> None:
        for name in ("batch_tokens", "dead_after", "moment_rows", "eval_rows", "log_every"):
            _require(getattr(self, name) >= 1, name, "1 or more", getattr(self, name))
        for name in ("checkpoint_every", "threshold_batches", "max_passes"):
            _require(getattr(self, name) >= 1, name, "1 or more", getattr(self, name))
        _require(self.warmup_steps >= 0, "warmup_steps", "0 or more", self.warmup_steps)
        _require(self.aux_coefficient >= 0, "aux_coefficient", "0 or more", self.aux_coefficient)
        for name in ("learning_rate", "clip_norm", "outlier_sd"):
            value = getattr(self, name)
            _require(value is None or value > 0, name, "more than 0", value)
        _require(self.aux_k is None or self.aux_k >= 1, "aux_k", "1 or more", self.aux_k)
        for name in ("decay_share", "sparsity_warmup_share"):
            _require(0 <= getattr(self, name) <= 1, name, "0 to 1", getattr(self, name))
        _require(
            self.normalise != "none" or self.sae.architecture != "jumprelu",
            "normalise",
            "scale or whiten for jumprelu, whose bandwidth is in that unit",
            self.normalise,
        )
        _require(0 < self.eval_share < 1, "eval_share", "between 0 and 1", self.eval_share)
        _require(0 <= self.threshold_decay < 1, "threshold_decay", "0 to 1", self.threshold_decay)
        _require(
            self.n_tokens is None or self.n_tokens >= self.batch_tokens,
            "n_tokens",
            f"at least batch_tokens = {self.batch_tokens}",
            self.n_tokens,
        )

    def peak_rate(self, d_in: int) -> float:
        """Return Adam's step at the plateau for activations of a width."""
        return RATE / math.sqrt(d_in) if self.learning_rate is None else self.learning_rate

    def for_rows(self: C, n_rows: int) -> C:
        """Return what is meant for data of so many rows, all of it said.

        Where ``n_tokens`` is not given, the warm-up takes a tenth of the steps at most, and a
        feature counts as dead after a quarter of the tokens at most.
        """
        if self.n_tokens is not None:
            return self
        in_passes = round(self.max_passes * (1 - self.eval_share) * n_rows)
        n_tokens = max(min(MOST_TOKENS, in_passes), self.batch_tokens)
        return replace(
            self,
            n_tokens=n_tokens,
            warmup_steps=min(self.warmup_steps, n_tokens // self.batch_tokens // 10),
            dead_after=min(self.dead_after, max(n_tokens // 4, 1)),
        )

    @property
    def n_steps(self) -> int:
        """Whole steps that ``n_tokens`` allow, which must be known: see `for_rows`."""
        assert self.n_tokens is not None
        return self.n_tokens // self.batch_tokens


def check_joinable(config: SaeConfig) -> None:
    """Refuse an architecture whose features are not each chosen by itself.

    Raises
    ------
    ConfigError
        Naming those that are.
    """
    if config.architecture not in JOINABLE:
        expected = f"one of {', '.join(JOINABLE)} for a dictionary in parts"
        raise ConfigError("architecture", expected, repr(config.architecture))


def _require(condition: bool, field_name: str, expected: str, found: object) -> None:  # noqa: FBT001
    if not condition:
        raise ConfigError(field_name, expected, repr(found))
