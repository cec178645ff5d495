"""Train dictionaries on a source of activations; training can be resumed at any checkpoint."""

import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields, replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Float64

from genointerp.core.config import to_mapping
from genointerp.core.errors import ConfigError, DivergenceError, InputError
from genointerp.core.files import atomic_path, replacing
from genointerp.core.progress import Progress, silent
from genointerp.sae import parallel
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.checkpoint import (
    METRICS,
    Progressed,
    Record,
    metrics_text,
    restore_checkpoint,
    save_checkpoint,
)
from genointerp.sae.config import TrainConfig
from genointerp.sae.data import Batches, Position, Survey, batches, survey
from genointerp.sae.final import FinalFigures, TrainLog, measure_final
from genointerp.sae.metrics import evaluate
from genointerp.sae.source import ActivationSource
from genointerp.sae.step import StepResult, Trainer

logger = logging.getLogger(__name__)

OWN = ("sae", "init_seed", "learning_rate", "aux_k", "aux_coefficient", "dead_after", "clip_norm")
"""Settings in which dictionaries that are trained together may differ."""

Listen = Callable[[int, Record], None]
"""Called with the index of a dictionary and each new line of its metrics.jsonl."""


def ignore(number: int, record: Record) -> None:
    """Ignore a line of metrics; the default of every ``listen`` parameter."""


class TrainResult(NamedTuple):
    """A trained dictionary, which acts on raw activations, and its figures.

    Parameters
    ----------
    sae
        The dictionary; mean and scale of the data are folded into its weights.
    log
        Final figures.
    density
        Share of held-out rows on which each feature fires.
    scale
        Scale of each feature on these rows, from :func:`genointerp.sae.metrics.firing_scale`.
    records
        Lines of metrics.jsonl.
    config
        Settings, with every default resolved.
    metadata
        Metadata, as they were passed.
    seconds
        Time that this process took, in seconds; it is written to no reproducible file.
    """

    sae: SparseAutoencoder
    log: TrainLog
    density: Float64[np.ndarray, " n_features"]
    scale: Float64[np.ndarray, " n_features"]
    records: list[Record]
    config: TrainConfig
    metadata: dict[str, str]
    seconds: float


def train_sae(
    source: ActivationSource,
    config: TrainConfig,
    *,
    metadata: Mapping[str, str],
    progress: Progress = silent,
    listen: Listen = ignore,
    checkpoint_dir: Path | None = None,
    device: str = "cpu",
) -> TrainResult:
    """Train a dictionary; the same seed on the same machine gives the same bytes.

    See :func:`train_together`, which this calls for a single dictionary.
    """
    return train_together(
        source,
        [config],
        metadata=metadata,
        progress=progress,
        listen=listen,
        checkpoint_dir=checkpoint_dir,
        device=device,
    )[0]


def train_together(
    source: ActivationSource,
    configs: Sequence[TrainConfig],
    *,
    metadata: Mapping[str, str],
    progress: Progress = silent,
    listen: Listen = ignore,
    checkpoint_dir: Path | None = None,
    device: str = "cpu",
) -> list[TrainResult]:
    """Train several dictionaries while reading the data once, each as if it were trained alone.

    In several processes of ``torchrun``, inside :func:`parallel.process_group`, each process trains
    on its share of every batch, and all return the same dictionaries.

    Parameters
    ----------
    configs
        Settings of each dictionary; they may differ only in the settings that `OWN` names.
    metadata
        ``model``, ``model_sha256`` and ``site`` of the activations; part of the identity of a
        checkpoint and of the saved dictionary.
    progress
        Called with (tokens read, tokens in all).
    checkpoint_dir
        Folder for the state of the run. A run that was stopped goes on from there, and ends with
        the result that it would have had. None keeps no state.

    Raises
    ------
    ConfigError
        If the configurations differ in any other setting, or ``batch_tokens`` is not a multiple of
        the number of processes.
    DivergenceError
        If the loss of a step is not finite; the last checkpoint stays as it is.
    InputError
        If activations are not finite, are all equal or are too few.
    MismatchError
        If the width of a row is not that of the source, or the checkpoint is of another run.
    """
    configs = [config.for_rows(source.n_rows) for config in configs]
    config = _shared(configs)
    first = survey(source, config)
    _report(first, source, config)
    trainers = [_trainer(own, source, first, device) for own in configs]
    identity = _identity(source, configs, metadata)
    run = _Run(source, config, trainers, first, checkpoint_dir, identity, listen)
    progressed, total = run.resume(), config.n_steps * config.batch_tokens
    left = config.n_steps - run.step_number
    with closing(run.batches(progressed.position)) as following, run.kept_upon_error(progressed):
        for position, rows in islice(following, left):
            run.step(rows, position, progressed)
            progress(run.step_number * config.batch_tokens, total)
    run.calibrate(progressed.position)
    logger.info("trained on %d tokens in %.1f s", total, run.seconds)
    return [
        TrainResult(
            trainer.sae, *run.finish(trainer), records, trainer.config, dict(metadata), run.seconds
        )
        for trainer, records in zip(trainers, progressed.records, strict=True)
    ]


@dataclass
class _Run:
    source: ActivationSource
    config: TrainConfig
    trainers: list[Trainer]
    survey: Survey
    checkpoint_dir: Path | None
    identity: str
    listen: Listen
    began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    def batches(self, start: Position) -> Batches:
        return batches(self.source, self.config, start, outlier_norm=self.survey.outlier_norm)

    @property
    def step_number(self) -> int:
        return self.trainers[0].step_number

    def resume(self) -> Progressed:
        progressed = None
        if self.checkpoint_dir is not None:
            progressed = restore_checkpoint(
                self.checkpoint_dir, self.trainers, identity=self.identity
            )
        # no process may write the checkpoint before every process has read it
        parallel.wait_for_all()
        return progressed or Progressed(records=[[] for _ in self.trainers])

    def step(
        self, rows: Float32[np.ndarray, "batch d_in"], position: Position, progressed: Progressed
    ) -> None:
        device = self.trainers[0].sae.b_dec.device
        standardised = self.survey.standardiser(rows)
        if self.step_number == 0:
            # on the whole batch, so that all processes begin with the same weights
            for trainer in self.trainers:
                trainer.sae.fit_encoder(standardised.to(device))
        x = parallel.share_of(standardised).to(device)
        is_last = self.step_number + 1 == self.config.n_steps
        is_logged = (self.step_number + 1) % self.config.log_every == 0 or is_last
        for number, trainer in enumerate(self.trainers):
            rate = trainer.rate
            result = trainer.step(x)
            # checked before a checkpoint is written, so that the last one holds good weights
            if not math.isfinite(result.fvu):
                raise DivergenceError(trainer.step_number, result.fvu)
            if is_logged:
                progressed.records[number].append(self._record(trainer, result, rate))
                self.listen(number, progressed.records[number][-1])
        progressed.position = position
        if is_logged and self.checkpoint_dir is not None and parallel.rank() == 0:
            self._write_metrics(self.checkpoint_dir, progressed)
        if self.step_number % self.config.checkpoint_every == 0 or is_last:
            self._save(progressed)

    @contextmanager
    def kept_upon_error(self, progressed: Progressed) -> Iterator[None]:
        """Save the state if data turn out to be bad; training can go on once they are mended."""
        try:
            yield
        except InputError:
            if self.step_number > 0:
                self._save(progressed)
            raise

    def calibrate(self, position: Position) -> None:
        """Set each threshold to the mean of those of the next batches, with the final weights.

        The running threshold lags behind while weights still change.
        """
        chosen = [trainer for trainer in self.trainers if trainer.sae.has_threshold]
        if not chosen:
            return
        device = chosen[0].sae.b_dec.device
        with closing(self.batches(position)) as following:
            smallest: list[list[float]] = [[] for _ in chosen]
            counted = enumerate(islice(following, self.config.threshold_batches), self.step_number)
            for step, (_, batch) in counted:
                rows = self.survey.standardiser(batch).to(device)
                for trainer, found in zip(chosen, smallest, strict=True):
                    least = trainer.smallest_kept(rows, step)
                    found += [] if least is None else [least]
        for trainer, found in zip(chosen, smallest, strict=True):
            if found:
                trainer.sae.threshold.fill_(sum(found) / len(found))

    def finish(self, trainer: Trainer) -> FinalFigures:
        """Fold the standardisation into the weights, and measure the result."""
        dead_share = float(trainer.is_dead.float().mean())
        self.survey.standardiser.fold(trainer.sae)
        return measure_final(trainer.sae, self.source, self.config, self.survey, dead_share)

    def _save(self, progressed: Progressed) -> None:
        if self.checkpoint_dir is not None and parallel.rank() == 0:
            save_checkpoint(self.checkpoint_dir, self.trainers, progressed, identity=self.identity)

    def _record(self, trainer: Trainer, result: StepResult, rate: float) -> Record:
        """Return a line of metrics.jsonl; its FVU and L0 are those of a batch of held-out rows."""
        glance = self.survey.held_out[: self.config.batch_tokens]
        held_out = evaluate(trainer.sae, [self.survey.standardiser(glance).numpy()])
        device = trainer.sae.b_dec.device
        result = StepResult(*parallel.mean_over_ranks(torch.tensor(result, device=device)).tolist())
        return {
            "step": trainer.step_number,
            "n_tokens": trainer.step_number * self.config.batch_tokens,
            "fvu": held_out.fvu,
            "l0": held_out.l0,
            "dead_share": result.dead_share,
            "loss": result.fvu,
            "aux_loss": None if math.isnan(result.aux_fvu) else result.aux_fvu,
            "learning_rate": rate,
        }

    def _write_metrics(self, folder: Path, progressed: Progressed) -> None:
        for number, records in enumerate(progressed.records):
            name = METRICS if len(self.trainers) == 1 else f"{number}.{METRICS}"
            with replacing(), atomic_path(folder / name) as temporary:
                temporary.write_text(metrics_text(records), encoding="utf-8")


def _shared(configs: Sequence[TrainConfig]) -> TrainConfig:
    first = configs[0]
    for config in configs[1:]:
        for it in fields(first):
            expected, found = getattr(first, it.name), getattr(config, it.name)
            if it.name not in OWN and expected != found:
                raise ConfigError(it.name, f"{expected!r} for all dictionaries", repr(found))
    if first.batch_tokens % parallel.world_size():
        expected = f"a multiple of {parallel.world_size()}, the number of processes"
        raise ConfigError("batch_tokens", expected, str(first.batch_tokens))
    for config in configs:
        if config.normalise == "whiten" and config.sae.architecture == "tied_batch_topk":
            expected = "an encoder of its own where inputs are whitened"
            raise ConfigError("architecture", expected, config.sae.architecture)
    return first


def _trainer(config: TrainConfig, source: ActivationSource, first: Survey, device: str) -> Trainer:
    seed = config.seed if config.init_seed is None else config.init_seed
    settings = config.sae
    if len(source.widths) > 1 and not settings.widths:
        settings = replace(settings, widths=source.widths)
    sae = make_sae(settings, source.d_in, seed=seed).to(device)
    return Trainer(sae, config, variance=float(first.variance[sae.target_columns].sum()))


def _report(first: Survey, source: ActivationSource, config: TrainConfig) -> None:
    if parallel.rank() != 0:
        return
    logger.info(
        "activations: %d wide, |mean| / |std| = %.2f%s",
        source.d_in,
        first.mean_to_spread,
        "; the mean is subtracted" if config.centre else "",
    )
    if first.mean_to_spread > 1 and not config.centre:
        logger.warning("the mean exceeds the spread: most features will die; set centre: true")
    logger.info(
        "%d tokens to train on: %.1f passes over the data",
        config.n_steps * config.batch_tokens,
        config.n_steps * config.batch_tokens / max((1 - config.eval_share) * source.n_rows, 1),
    )
    logger.info(
        "left out: %.3f %% of rows, whose norm is above %.4g; %d first rows of windows",
        100 * first.outlier_share,
        first.outlier_norm,
        source.n_skipped,
    )


def _identity(
    source: ActivationSource, configs: Sequence[TrainConfig], metadata: Mapping[str, str]
) -> str:
    identity = {
        "config": [to_mapping(config) for config in configs],
        "metadata": dict(metadata),
        "d_in": source.d_in,
        "n_rows": source.n_rows,
    }
    return json.dumps(identity, sort_keys=True)
