"""Training of a dictionary from a source of activations, resumable at any step."""

import json
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Float64

from genointerp.core.config import to_mapping
from genointerp.core.progress import Progress, silent
from genointerp.sae.base import ActivationSource, SparseAutoencoder
from genointerp.sae.checkpoint import Progressed, restore_checkpoint, save_checkpoint
from genointerp.sae.config import TrainConfig
from genointerp.sae.data import Position, Survey, batches, survey
from genointerp.sae.metrics import evaluate
from genointerp.sae.registry import make_sae
from genointerp.sae.step import StepResult, Trainer, learning_rate

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainLog:
    """Figures of a finished training; those of quality are measured on held-out rows.

    Parameters
    ----------
    fvu
        Fraction of variance unexplained, about the mean of the held-out rows.
    l0
        Mean number of features that fire on a token, at the stored threshold.
    dead_share
        Share of features that fire on no held-out row.
    dead_share_fit
        Share of features that had not fired for ``dead_after`` tokens when training ended.
    n_tokens
        Tokens trained on.
    n_eval_tokens
        Held-out rows.
    threshold
        Pre-activation that a feature must exceed, on raw activations; 0 for TopK.
    mean_to_spread
        Norm of the mean row over the root of the total variance, before centring.
    """

    fvu: float
    l0: float
    dead_share: float
    dead_share_fit: float
    n_tokens: int
    n_eval_tokens: int
    threshold: float
    mean_to_spread: float


class TrainResult(NamedTuple):
    """A trained dictionary, which acts on raw activations, and what is known of it.

    Parameters
    ----------
    sae
        Mean and scale of the data are folded into its weights.
    log
        Final figures.
    density
        Share of held-out rows on which each feature fires.
    records
        Lines of metrics.jsonl.
    config
        As resolved.
    metadata
        As given, and the sizes.
    seconds
        Time taken by this process; written to no reproducible file.
    """

    sae: SparseAutoencoder
    log: TrainLog
    density: Float64[np.ndarray, " n_features"]
    records: list[dict[str, float | int | None]]
    config: TrainConfig
    metadata: dict[str, str]
    seconds: float


def train_sae(
    source: ActivationSource,
    config: TrainConfig,
    *,
    metadata: Mapping[str, str],
    progress: Progress = silent,
    checkpoint_dir: Path | None = None,
    device: str = "cpu",
) -> TrainResult:
    """Train a dictionary; the same seed on the same machine gives the same bytes.

    Parameters
    ----------
    metadata
        ``model``, ``model_sha256`` and ``site`` of the activations; part of the identity of a
        checkpoint and of the saved dictionary.
    progress
        Called with the tokens read.
    checkpoint_dir
        Where to keep the state of the run. A run that was stopped goes on from there, and ends
        with the result it would have had. None keeps no state.

    Raises
    ------
    InputError
        If activations are not finite, are all equal or are too few.
    MismatchError
        If a row has another width than the source states, or the checkpoint is of another run.
    """
    began = time.perf_counter()
    first = survey(source, config)
    logger.info("activations: |mean| / spread = %.2f", first.mean_to_spread)
    sae = make_sae(config.sae, source.d_in, seed=config.seed).to(device)
    trainer = Trainer(sae, config, variance=first.variance)
    run = _Run(source, config, trainer, first, checkpoint_dir, _identity(source, config, metadata))
    progressed, total = run.resume(), config.n_steps * config.batch_tokens
    left = config.n_steps - trainer.step_number
    for position, rows in islice(batches(source, config, progressed.position), left):
        progressed.position = position
        run.step(rows, progressed)
        progress(trainer.step_number * config.batch_tokens, total)
    if sae.has_threshold:
        run.calibrate(progressed.position)
    dead_share_fit = float(trainer.is_dead.float().mean())
    first.standardiser.fold(sae)
    log, density = _final_log(sae, config, first, dead_share_fit)
    seconds = time.perf_counter() - began
    logger.info("trained on %d tokens in %.1f s", log.n_tokens, seconds)
    return TrainResult(sae, log, density, progressed.records, config, dict(metadata), seconds)


@dataclass
class _Run:
    source: ActivationSource
    config: TrainConfig
    trainer: Trainer
    survey: Survey
    checkpoint_dir: Path | None
    identity: str

    def resume(self) -> Progressed:
        progressed = None
        if self.checkpoint_dir is not None:
            progressed = restore_checkpoint(
                self.checkpoint_dir, self.trainer, identity=self.identity
            )
        return progressed or Progressed(Position(0, 0), [])

    def step(self, rows: Float32[np.ndarray, "batch d_in"], progressed: Progressed) -> None:
        x = self.survey.standardiser(rows).to(self.trainer.sae.b_dec.device)
        rate = learning_rate(self.trainer.step_number, self.config)
        result = self.trainer.step(x)
        number, last = self.trainer.step_number, self.config.n_steps
        if number % self.config.log_every == 0 or number == last:
            progressed.records.append(self._record(result, rate))
        if self.checkpoint_dir is None:
            return
        if number % self.config.checkpoint_every == 0 or number == last:
            save_checkpoint(self.checkpoint_dir, self.trainer, progressed, identity=self.identity)

    def calibrate(self, position: Position) -> None:
        following = batches(self.source, self.config, position)
        self.trainer.calibrate(
            self.survey.standardiser(rows).to(self.trainer.sae.b_dec.device)
            for _, rows in islice(following, self.config.threshold_batches)
        )

    def _record(self, result: StepResult, rate: float) -> dict[str, float | int | None]:
        """Return a line of metrics.jsonl: FVU and L0 are of a batch of held-out rows."""
        glance = self.survey.held_out[: self.config.batch_tokens]
        held_out = evaluate(self.trainer.sae, [self.survey.standardiser(glance).numpy()])
        return {
            "step": self.trainer.step_number,
            "n_tokens": self.trainer.step_number * self.config.batch_tokens,
            "fvu": held_out.fvu,
            "l0": held_out.l0,
            "dead_share": result.dead_share,
            "loss": result.fvu,
            "aux_loss": None if math.isnan(result.aux_fvu) else result.aux_fvu,
            "learning_rate": rate,
        }


def _final_log(
    sae: SparseAutoencoder, config: TrainConfig, first: Survey, dead_share_fit: float
) -> tuple[TrainLog, Float64[np.ndarray, " n_features"]]:
    rows, size = first.held_out, config.batch_tokens
    found = evaluate(sae, (rows[start : start + size] for start in range(0, len(rows), size)))
    log = TrainLog(
        fvu=found.fvu,
        l0=found.l0,
        dead_share=found.dead_share,
        dead_share_fit=dead_share_fit,
        n_tokens=config.n_steps * config.batch_tokens,
        n_eval_tokens=found.n_tokens,
        threshold=float(sae.threshold),
        mean_to_spread=first.mean_to_spread,
    )
    return log, found.density


def _identity(source: ActivationSource, config: TrainConfig, metadata: Mapping[str, str]) -> str:
    identity = {
        "config": to_mapping(config),
        "metadata": dict(metadata),
        "d_in": source.d_in,
        "n_rows": source.n_rows,
    }
    return json.dumps(identity, sort_keys=True)
