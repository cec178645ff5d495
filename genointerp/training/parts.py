"""Train one dictionary in parts: some for slow parts of the activations, and one for the rest.

Each part is trained as a dictionary of its own, on a linear part of the activations. When that
linear map is folded in, it reads the activations themselves. Together the parts are one dictionary
whose reconstruction is the sum of theirs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from genointerp.core.progress import Progress, silent
from genointerp.sae.checkpoint import Record
from genointerp.sae.config import SaeConfig, TrainConfig, check_joinable
from genointerp.sae.data import survey
from genointerp.sae.final import measure_final
from genointerp.sae.join import join
from genointerp.sae.source import ActivationSource
from genointerp.sae.train import Listen, TrainResult, ignore, train_sae
from genointerp.training.config import SlowPart
from genointerp.training.slow import LinearPart, fit_parts


@dataclass(frozen=True)
class PartSource:
    """A linear part of the rows of a source."""

    source: ActivationSource
    part: LinearPart

    @property
    def d_in(self) -> int:
        """Width of a row."""
        return self.source.d_in

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the sites that a row joins."""
        return self.source.widths

    @property
    def n_rows(self) -> int:
        """Number of rows of all blocks."""
        return self.source.n_rows

    @property
    def n_skipped(self) -> int:
        """Number of rows that the source leaves out."""
        return self.source.n_skipped

    def chunks(
        self, seed: int, epoch: int, *, eval_share: float, start: int = 0
    ) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        """Yield the part of every row to train on, in the order of the source."""
        rows = self.source.chunks(seed, epoch, eval_share=eval_share, start=start)
        return (self.part(chunk) for chunk in rows)

    def held_out(self, seed: int, *, eval_share: float) -> Iterator[Float32[np.ndarray, "n d_in"]]:
        """Yield the part of every held-out row."""
        return (self.part(chunk) for chunk in self.source.held_out(seed, eval_share=eval_share))


def train_parts(  # noqa: PLR0913 - as train_sae, and where the parts come from
    source: ActivationSource,
    stretches: Iterable[Float32[np.ndarray, "_ d_in"]],
    config: TrainConfig,
    slow: Sequence[SlowPart],
    *,
    metadata: Mapping[str, str],
    progress: Progress = silent,
    listen: Listen = ignore,
    checkpoint_dir: Path | None = None,
    device: str = "cpu",
) -> TrainResult:
    """Train a dictionary whose first features describe slow parts of the activations.

    Parameters
    ----------
    source
        Rows to train on.
    stretches
        Arrays of rows of consecutive bases, to which the parts are fitted; see
        :func:`~genointerp.training.slow.fit_parts`.
    config
        Settings of the dictionary for what the slow parts leave, and of the training of every part.
    slow
        The slow parts, in order; their features come first.
    metadata, progress, listen, checkpoint_dir, device
        As for :func:`~genointerp.sae.train.train_sae`; a checkpoint is kept for each part.

    Returns
    -------
    TrainResult
        A ``jumprelu`` dictionary with the thresholds that were estimated. Its figures are those on
        whole activations; ``records`` are those of the parts, one after the other, with the number
        of the part.

    Raises
    ------
    ConfigError
        If the features of the architecture compete with one another, as in TopK.
    """
    check_joinable(config.sae)
    config = config.for_rows(source.n_rows)
    parts = fit_parts(stretches, slow)
    shapes = [replace(config.sae, n_features=it.n_features, k=it.k) for it in slow]
    results, done, total = [], 0, len(parts) * config.n_steps * config.batch_tokens
    for number, (part, sae) in enumerate(zip(parts, [*shapes, config.sae], strict=True)):
        result = train_sae(
            PartSource(source, part),
            replace(config, sae=sae),
            metadata={**metadata, "part": str(number)},
            progress=_shifted(progress, done, total),
            listen=_shifted_listen(listen, number, config),
            checkpoint_dir=None if checkpoint_dir is None else checkpoint_dir / f"part-{number}",
            device=device,
        )
        part.fold(result.sae)
        results.append(result)
        done += config.n_steps * config.batch_tokens
    return _joined(source, config, results, _described(slow, parts, config.sae), metadata)


def _shifted(progress: Progress, done: int, total: int) -> Progress:
    return lambda n, _: progress(done + n, total)


def _shifted_listen(listen: Listen, number: int, config: TrainConfig) -> Listen:
    return lambda _, record: listen(0, _shifted_record(record, number, config))


def _shifted_record(record: Record, number: int, config: TrainConfig) -> Record:
    """Return a line of metrics of one part, numbered as a step of the whole training."""
    own = record["step"]
    assert own is not None
    step = number * config.n_steps + own
    return {**record, "step": step, "n_tokens": step * config.batch_tokens, "part": number}


def _joined(
    source: ActivationSource,
    config: TrainConfig,
    results: Sequence[TrainResult],
    described: str,
    metadata: Mapping[str, str],
) -> TrainResult:
    sae = join([result.sae for result in results])
    n_dead = sum(result.log.dead_share_fit * result.sae.n_features for result in results)
    first = survey(source, config)
    found = measure_final(sae, source, config, first, n_dead / sae.n_features)
    log = replace(found.log, n_tokens=sum(result.log.n_tokens for result in results))
    records = [
        _shifted_record(record, number, config)
        for number, result in enumerate(results)
        for record in result.records
    ]
    seconds = sum(result.seconds for result in results)
    return TrainResult(
        sae=sae,
        log=log,
        density=found.density,
        scale=found.scale,
        records=records,
        config=config,
        metadata={**metadata, "parts": described},
        seconds=seconds,
    )


def _described(slow: Sequence[SlowPart], parts: Sequence[LinearPart], sae: SaeConfig) -> str:
    """Describe the parts: their features, as half-open ranges, and their share of the variance."""
    names = [f"slow part of step {it.step}, {it.half} on either side" for it in slow]
    sizes = [*(it.n_features for it in slow), sae.n_features]
    ends = np.cumsum(sizes).tolist()
    return "; ".join(
        f"features {end - size} to {end}: {name}, {part.share:.3f} of the variance"
        for name, size, end, part in zip([*names, "the rest"], sizes, ends, parts, strict=True)
    )
