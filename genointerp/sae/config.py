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
"""Architectures whose features each have a threshold, and do not compete with one another."""


@dataclass(frozen=True)
class SaeConfig:
    """Settings that define a dictionary, apart from its weights.

    Raises
    ------
    ConfigError
        If ``k`` is not in 1 to ``n_features``, or another value is outside its range.
    """

    architecture: ArchitectureName = "batch_topk"
    """``topk`` keeps k features for each token. ``batch_topk``, those named after it and
    ``transcoder`` keep k on average. In ``relu``, ``jumprelu`` and ``gated`` the coefficient of the
    sparsity penalty decides."""
    n_features: int = 2048
    """Number of features, the rows of W_dec."""
    k: int = 16
    """Most features that fire on a token; their mean number for the batch architectures. Unused
    where a coefficient decides."""
    l1_coefficient: float = 5.0
    """For ``relu`` and ``gated``: weight of the L1 penalty, where elements of the rows have unit
    mean square and the error is summed over them (Anthropic's update of April 2024)."""
    l0_coefficient: float = 1e-3
    """For ``jumprelu``: cost of one more feature on a token, as a share of the variance. The
    default is a choice of this package: Rajamanoharan et al. 2024 (arXiv:2407.14435), from whom
    the loss is, try several values."""
    bandwidth: float = 1e-3
    """For ``jumprelu``: width of the interval around the threshold in which the threshold gets a
    gradient, in units in which the mean squared norm of a row is 1 (same paper); rows must
    therefore be normalised."""
    initial_threshold: float = 1e-3
    """For ``jumprelu``: threshold before training, in the same unit (same paper)."""
    prefixes: tuple[float, ...] = (1 / 32, 3 / 32, 7 / 32, 15 / 32, 1.0)
    """For ``matryoshka_batch_topk``: shares of the dictionary that must reconstruct alone, rising
    to 1 (Bussmann et al. 2025, arXiv:2503.17547)."""
    widths: tuple[int, ...] = ()
    """For ``transcoder`` (input, target) and ``batch_topk_crosscoder`` (each site): widths of the
    activations that a row joins end to end. Training takes them from the data if none are given."""
    delta_coefficient: float = 0.0
    """For ``batch_topk_crosscoder`` of two sites of equal width: weight of the squared error of the
    difference between the sites, as a share of the variance of whole rows (the idea of
    Delta-Crosscoder, arXiv:2603.04426, whose weight is not known to us)."""
    dedicated: tuple[float, ...] = ()
    """For ``batch_topk_crosscoder``: share of the features that read and write one site alone, a
    number for each site; those of the first site come first (Dedicated Feature Crosscoder,
    arXiv:2602.11729). What is left is free to use all sites."""
    encode_from: Literal["all", "any"] = "all"
    """For ``batch_topk_crosscoder``: in training, features are read from all sites together, or
    from one that is drawn for each step, while all are reconstructed (Thasarathan et al. 2025,
    arXiv:2502.03714); the dictionary can then be read from any one site."""
    site_scales: tuple[float, ...] = ()
    """For ``batch_topk_crosscoder``: scale by which training divided each site; training sets it.
    Directions at different sites are compared after division by it."""

    def __post_init__(self) -> None:
        _require(self.n_features >= 1, "n_features", "1 or more", self.n_features)
        _require(
            1 <= self.k <= self.n_features, "k", f"1 to n_features = {self.n_features}", self.k
        )
        for name in ("l1_coefficient", "l0_coefficient", "delta_coefficient"):
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
        self._check_crosscoder()

    def _check_crosscoder(self) -> None:
        shares, scales = self.dedicated, self.site_scales
        few = all(share >= 0 for share in shares) and sum(shares) < 1
        _require(few, "dedicated", "shares of 0 or more that add up to less than 1", shares)
        _require(all(scale > 0 for scale in scales), "site_scales", "more than 0", scales)
        if self.architecture == "batch_topk_crosscoder":
            return
        for name, usual in (("delta_coefficient", 0), ("dedicated", ()), ("encode_from", "all")):
            found = getattr(self, name)
            _require(found == usual, name, f"{usual!r} unless for batch_topk_crosscoder", found)


RATE = 0.03
"""Learning rate at width 1, if none is given."""

C = TypeVar("C", bound="TrainConfig")

MOST_TOKENS = 5_000_000
"""Tokens to train on, if their number is not given and the data suffice."""


@dataclass(frozen=True)
class TrainConfig:
    """How a dictionary is trained.

    Raises
    ------
    ConfigError
        If a value is outside its range; the message names it.
    """

    sae: SaeConfig = field(default_factory=SaeConfig)
    """Settings of the dictionary."""
    n_tokens: int | None = None
    """Tokens to train on; the data are read again, in another order, as often as needed. None means
    `MOST_TOKENS`, or ``max_passes`` over the data if that is less."""
    max_passes: int = 10
    """Most passes over the data, if ``n_tokens`` is not given."""
    batch_tokens: int = 2048
    """Tokens of one step."""
    learning_rate: float | None = None
    """Adam's step size at the plateau; None means ``0.03 / sqrt(d_in)``. An element of a unit row
    is of size 1 / sqrt(d_in), so a step then turns directions by the same angle at any width."""
    warmup_steps: int = 100
    """Steps over which the learning rate rises from zero."""
    decay: Literal["linear", "cosine", "none"] = "linear"
    """How the learning rate falls to zero; with the warm-up, ``linear`` makes it a trapezoid."""
    decay_share: float = 0.3
    """Share of the steps, at the end, over which it falls; 1 for a cosine over all of training."""
    clip_norm: float | None = None
    """Largest norm of the gradient of all weights together, clipped above it; None never clips."""
    autocast: Literal["none", "bfloat16"] = "none"
    """Precision of the encoder's matrix product in training. Weights, sums, saved files and
    inference stay in float32."""
    aux_k: int | None = None
    """Number of dead features that explain the residual of a token; None means ``d_in / 2``."""
    aux_coefficient: float = 1 / 32
    """Weight of the auxiliary loss; 0 turns it off."""
    sparsity_warmup_share: float = 0.05
    """Share of the steps, at the beginning, over which the penalty of ``l1_coefficient`` or
    ``l0_coefficient`` rises from 0 (Anthropic's update of April 2024)."""
    dead_after: int = 250_000
    """Tokens without firing after which a feature counts as dead."""
    centre: bool = True
    """Subtract the mean of the activations; it is folded into the weights after training."""
    normalise: Literal["none", "scale", "whiten"] = "scale"
    """``scale`` divides by the root mean square of the centred activations; ``whiten`` makes their
    covariance the identity, and saved rows of W_dec then do not have unit norm. Either is folded
    into the weights after training."""
    outlier_sd: float | None = 4.0
    """Rows whose norm exceeds the mean norm by this many standard deviations are outliers: they are
    not trained on, but counted and measured apart. None trains on all rows."""
    moment_rows: int = 500_000
    """Number of rows from which mean and scale are estimated."""
    eval_share: float = 0.1
    """Share of the blocks of the data that are held out, that is, never trained on."""
    eval_rows: int = 65_536
    """Most held-out rows to evaluate on."""
    threshold_decay: float = 0.9
    """Weight of the old threshold in the running mean of a batch architecture."""
    threshold_batches: int = 16
    """Number of batches, after the last step, whose mean threshold is stored."""
    log_every: int = 100
    """Steps between the lines of metrics.jsonl."""
    checkpoint_every: int = 500
    """Steps between checkpoints."""
    seed: int = 0
    """Random seed of the order of the data, the held-out blocks and the initial weights."""
    init_seed: int | None = None
    """Random seed of the initial weights alone; None means ``seed``."""

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
        _require(
            self.normalise == "scale" or self.sae.delta_coefficient == 0,
            "normalise",
            "scale where a difference of sites is learnt, so that they are of one size",
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
        """Return Adam's step size at the plateau, for activations of this width."""
        return RATE / math.sqrt(d_in) if self.learning_rate is None else self.learning_rate

    def for_rows(self: C, n_rows: int) -> C:
        """Resolve the settings that depend on the number of rows of the data.

        If ``n_tokens`` is not given, the warm-up also takes a tenth of the steps at most, and a
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
        """Number of whole steps in ``n_tokens``, which must be resolved: see `for_rows`."""
        assert self.n_tokens is not None
        return self.n_tokens // self.batch_tokens


def check_joinable(config: SaeConfig) -> None:
    """Refuse an architecture whose features are not chosen independently of one another.

    Raises
    ------
    ConfigError
        If it is none of `JOINABLE`.
    """
    if config.architecture not in JOINABLE:
        expected = f"one of {', '.join(JOINABLE)} for a dictionary in parts"
        raise ConfigError("architecture", expected, repr(config.architecture))


def _require(condition: bool, field_name: str, expected: str, found: object) -> None:  # noqa: FBT001
    if not condition:
        raise ConfigError(field_name, expected, repr(found))
