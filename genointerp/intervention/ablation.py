"""Ablation: how much the loss rises without a feature, compared with matched features."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from genointerp.core.errors import ConfigError
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import Window
from genointerp.model.protocol import DnaModel, SiteActivations
from genointerp.reading.fidelity import load_matching
from genointerp.reading.firing_windows import FiringWindows
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Wanted, run_batch, run_passages
from genointerp.reading.tokens import TokenBatch, WindowTokens, genome_passages
from genointerp.sae.dictionary import Dictionary
from genointerp.store.feature.store import STRANDS, FeatureStore
from genointerp.store.table.schema.candidate import ABLATION
from genointerp.store.table.table import conform

_POOL = 4
"""Number of features of similar density from which each matched feature is drawn."""


@dataclass(frozen=True)
class AblationConfig:
    """Windows in which features are ablated, and the number of matched features.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_windows: int = 8
    """Windows of each feature, around bases drawn from those on which it fires."""
    window: int = 320
    """Bases of a window, warm-up included."""
    warmup: int = 256
    """First bases of a window: context, in which nothing is ablated and no loss is counted."""
    n_matched: int = 19
    """Number of other features along whose directions the same amounts are taken out."""
    top: int = 50
    """Number of features of a table of candidates to ablate, best first."""
    regions: tuple[str, ...] = ()
    """Regions, as in samtools, from which the bases are drawn; the whole genome if empty."""
    batch: int = 32
    """Ablated copies of a window that the model reads at once."""
    seed: int = 0
    """Random seed of the windows and of the matched features."""

    def __post_init__(self) -> None:
        for name in ("n_windows", "n_matched", "top", "batch"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "at least 1", str(getattr(self, name)))
        if not 0 <= self.warmup < self.window:
            expected = f"0 <= warmup < window={self.window}"
            raise ConfigError("warmup", expected, str(self.warmup))


def ablate_features(
    model: DnaModel,
    genome: Genome,
    sae_dir: Path,
    store: FeatureStore,
    *,
    features: Sequence[int] = (),
    config: AblationConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Measure how much the loss rises without each feature, as a table of the schema ``ABLATION``.

    Parameters
    ----------
    store
        Features of ``genome``, encoded with the dictionary, which say where and how often each
        feature fires.
    features
        Features to ablate, in this order; all if empty.
    progress
        Called with (features done, features in all).

    Notes
    -----
    ``loss_effect = sum (L_ablated - L) / n``. L is the loss, in nats, over the kept bases of the
    windows of a feature, which are around bases drawn from those on which it fires. L_ablated is
    the loss with ``x - f_i W_dec_i`` instead of the activation x at each kept token, where f is
    computed from the x of the window. n counts the kept bases of the tokens on which the feature
    fires, that is, where x changes. ``loss_effect_matched`` and its standard deviation are those
    of the same figure with ``x - f_i |W_dec_i| u_j`` instead, over the unit directions u_j of other
    features, drawn from the ``4 n_matched`` nearest in density.
    ``p_value = (1 + #{matched >= observed}) / (1 + n_matched)``, so it cannot be below
    ``1 / (1 + n_matched)``. All are NaN for a feature that fires in none of its windows.

    Raises
    ------
    InputError
        If the model is a masked one.
    MismatchError
        If the dictionary is of another model, or the features of another dictionary or genome.
    UnknownNameError
        If the dictionary has no such feature.
    CoordinateError
        If a region is malformed, or not inside the genome.
    """
    config = AblationConfig() if config is None else config
    dictionary = load_matching(sae_dir, model)
    dictionary.header.identity.check(store.identity, "dictionary")
    Identity("genome", genome_sha256=genome.sha256).check(store.identity, "genome")
    for feature in features:
        store.check_feature(feature)
    regions = genome.regions(config.regions)
    bench = _Bench(model, genome, dictionary, store, config)
    wanted = list(features) or list(range(store.n_features))
    rows = []
    for done, feature in enumerate(wanted, 1):
        rows.append(bench.row(feature, regions))
        progress(done, len(wanted))
    return conform(pd.DataFrame(rows, columns=ABLATION.names), ABLATION, where="ablation")


@dataclass
class _Tally:
    """Sums over the windows of one feature: nats lost by each ablated copy, and counts."""

    nats: Float64[np.ndarray, " copy"]
    n_bases: int = 0
    n_tokens: int = 0
    n_windows: int = 0

    def row(self, feature: int) -> tuple[int | float, ...]:
        own, matched = self.nats[0], self.nats[1:]
        scale = 1 / self.n_bases if self.n_bases else np.nan
        defined = self.n_bases > 0 and len(matched) > 0
        return (
            feature,
            own * scale,
            matched.mean() * scale if defined else np.nan,
            matched.std(ddof=1) * scale if defined and len(matched) > 1 else np.nan,
            (1 + np.sum(matched >= own)) / (1 + len(matched)) if defined else np.nan,
            self.n_tokens,
            self.n_windows,
        )


@dataclass(frozen=True)
class _Bench:
    model: DnaModel
    genome: Genome
    dictionary: Dictionary
    store: FeatureStore
    config: AblationConfig

    @property
    def site(self) -> str:
        """Site of the dictionary."""
        return self.dictionary.header.site

    @cached_property
    def n_firing(self) -> Int64[np.ndarray, " n_features"]:
        """Number of bases on which each feature fires, on both strands."""
        counts: Int64[np.ndarray, " n_features"]
        counts = np.sum([self.store.n_firing(strand) for strand in STRANDS], axis=0)
        return counts

    @torch.no_grad()
    def row(self, feature: int, regions: Sequence[GenomicInterval]) -> tuple[int | float, ...]:
        directions = self._directions(feature)
        tally = _Tally(np.zeros(len(directions)))
        windows = self._windows(feature, regions)
        passages, wanted = genome_passages(self.genome, windows), Wanted((self.site,))
        for found in run_passages(self.model, passages, wanted, size=self.config.n_windows):
            for row, x in enumerate(found.activations[self.site]):
                self._add(tally, found.batch.only(row), x, feature, directions)
        return tally.row(feature)

    def _windows(self, feature: int, regions: Sequence[GenomicInterval]) -> list[Window]:
        config = self.config
        reading = HarvestConfig(window=config.window, warmup=config.warmup)
        around = FiringWindows(
            self.store, self.genome, reading, config.n_windows, config.seed, regions
        )
        return around.of(self.model.spec, feature)

    def _directions(self, feature: int) -> Float[Tensor, "copy d"]:
        """Return the direction of the feature, then those of matched features with that norm."""
        weights = self.dictionary.directions.float()
        norm = weights.norm(dim=1)
        usable = (self.n_firing > 0) & (norm > 0).cpu().numpy()
        others = matched_features(
            np.where(usable, self.n_firing, 0), feature, self.config.n_matched, self.config.seed
        )
        chosen = torch.from_numpy(others).to(weights.device)
        matched = weights[chosen] / norm[chosen, None] * norm[feature]
        return torch.cat([weights[feature][None], matched])

    def _add(
        self,
        tally: _Tally,
        window: TokenBatch,
        x: Float[Tensor, "token d"],
        feature: int,
        directions: Float[Tensor, "copy d"],
    ) -> None:
        (read,) = window.windows
        amount = self._amounts(x, read, feature)
        fires = (amount > 0).cpu().numpy()
        if not fires.any():
            return
        taken = torch.cat([torch.zeros_like(directions[:1]), directions]).to(x.device)
        nats = np.concatenate(
            [self._nats(window, x, amount, part) for part in torch.split(taken, self.config.batch)]
        )
        tally.nats += nats[1:] - nats[0]
        tally.n_bases += int(read.n_kept[fires].sum())
        tally.n_tokens += int(fires.sum())
        tally.n_windows += 1

    def _amounts(
        self, x: Float[Tensor, "token d"], read: WindowTokens, feature: int
    ) -> Float[Tensor, " token"]:
        """Return the activation of the feature at each kept token; 0 at the others."""
        # a model may be on several devices: the dictionary follows the activations of the site
        amount = self.dictionary.to(x.device).amounts(x.float(), [feature])[:, 0]
        return amount * torch.from_numpy(read.n_kept > 0).to(x.device)

    def _nats(
        self,
        window: TokenBatch,
        x: Float[Tensor, "token d"],
        amount: Float[Tensor, " token"],
        directions: Float[Tensor, "copy d"],
    ) -> Float64[np.ndarray, " copy"]:
        """Return the nats of the kept bases after removing the amounts along each direction."""
        edited = (x.float() - amount[:, None] * directions[:, None]).to(x.dtype)
        found = run_batch(
            self.model,
            window.repeated(len(directions)),
            Wanted(log_probs=True),
            begin=SiteActivations(self.site, edited),
            shared=int(amount.nonzero()[0]),
        )
        return np.array([loss.nats for loss in found.losses()])


def matched_features(
    n_firing: Int64[np.ndarray, " n_features"], feature: int, n: int, seed: int
) -> Int64[np.ndarray, " matched"]:
    """Draw up to ``n`` other features that fire about as often.

    Parameters
    ----------
    n_firing
        Number of bases on which each feature fires. Features that fire are drawn from the ``4 n``
        nearest ones, by the ratio of these numbers.
    """
    others = np.flatnonzero((n_firing > 0) & (np.arange(len(n_firing)) != feature))
    distance = np.abs(np.log(n_firing[others]) - np.log(max(1, n_firing[feature])))
    pool = others[np.argsort(distance, kind="stable")[: _POOL * n]]
    drawn = rng(seed, f"matched {feature}").choice(pool, min(n, len(pool)), replace=False)
    return np.sort(drawn).astype(np.int64)
