"""Train dictionaries from a source of activations into folders, after checking the folders."""

import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from genointerp.core.errors import ConfigError, InputError
from genointerp.core.files import check_replaceable, check_writable, replacing
from genointerp.core.lock import only_writer
from genointerp.core.progress import Progress, silent
from genointerp.model.device import find_device
from genointerp.sae import parallel
from genointerp.sae.checkpoint import CHECKPOINT, Record
from genointerp.sae.final import TrainLog
from genointerp.sae.header import CONFIG
from genointerp.sae.io import is_trained, save_training
from genointerp.sae.source import ActivationSource
from genointerp.sae.train import Listen, TrainResult, ignore, train_together
from genointerp.training.config import TrainingConfig
from genointerp.training.parts import train_parts


@dataclass(frozen=True)
class Grid:
    """Values of settings; every combination is trained, and the data are read once for all.

    A setting without values keeps that of the configuration.
    """

    n_features: tuple[int, ...] = ()
    """Numbers of features."""
    k: tuple[int, ...] = ()
    """Numbers of features that may fire on a token."""
    init_seed: tuple[int, ...] = ()
    """Random seeds of the initial weights."""

    def configs(self, config: TrainingConfig) -> dict[str, TrainingConfig]:
        """Return each combination by the name of its folder, which is ``.`` if there is only one.

        Raises
        ------
        ConfigError
            If a combination is impossible, such as a k above the number of features.
        """
        own_seed = config.seed if config.init_seed is None else config.init_seed
        combinations = product(
            self.n_features or (config.sae.n_features,),
            self.k or (config.sae.k,),
            self.init_seed or (own_seed,),
        )
        found = {
            f"f{n}_k{k}_s{seed}": replace(
                config, sae=replace(config.sae, n_features=n, k=k), init_seed=seed
            )
            for n, k, seed in combinations
        }
        if len(found) > 1:
            return found
        only = next(iter(found.values()))
        return {".": only if self.init_seed else replace(only, init_seed=config.init_seed)}


@dataclass(frozen=True)
class Runtime:
    """Where a training runs and where it reports; the result does not depend on it.

    Parameters
    ----------
    device
        Device, by its name in torch; under ``torchrun``, ``cuda`` is the GPU of each process.
    tensorboard
        Folder for the metrics in TensorBoard's format; None writes none.
    progress
        Called with (tokens read, tokens in all); if None, `genointerp.train` draws a bar.
    """

    device: str = "cpu"
    tensorboard: Path | None = None
    progress: Progress | None = None


class Trained(NamedTuple):
    """A trained dictionary: its folder and its final figures."""

    folder: Path
    log: TrainLog


def train_into(
    out: Path,
    source: ActivationSource,
    config: TrainingConfig,
    *,
    origin: Mapping[str, str],
    grid: Grid | None = None,
    runtime: Runtime | None = None,
) -> list[Trained]:
    """Train one dictionary into ``out``, or each of a grid into a folder inside ``out``.

    Its state is kept in ``<out>.checkpoint``: if it is stopped and started again, it goes on from
    there. Under ``torchrun`` each process trains on its share of every batch.

    Parameters
    ----------
    origin
        Metadata of the activations: ``model``, ``model_sha256``, ``site`` and more.
    grid
        Settings to combine; None trains a single dictionary.
    runtime
        Device and reports; None runs on the CPU, silently.

    Raises
    ------
    InputError
        If activations are not finite or are too few, or this machine lacks the device.
    MismatchError
        If ``<out>.checkpoint`` is of another run.
    StorageError
        If ``out`` cannot be written, another process is writing it, or it already exists and is not
        a dictionary with the same settings and activations. This is raised before the training.
    """
    runtime = Runtime() if runtime is None else runtime
    find_device(runtime.device)
    configs = (Grid() if grid is None else grid).configs(config)
    folders = [out / name for name in configs]
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    with (
        parallel.process_group(runtime.device) as own,
        only_writer(out) if parallel.rank() == 0 else nullcontext(),
        _curves(runtime.tensorboard, [*configs]) as listen,
    ):
        for folder, one in zip(folders, configs.values(), strict=True):
            check_writable(folder / CONFIG)
            check_replaceable(folder, same=is_trained(folder, one.for_rows(source.n_rows), origin))
        check_writable(checkpoint / CHECKPOINT)
        results = train_source(
            source,
            [*configs.values()],
            metadata=origin,
            progress=(parallel.rank() == 0 and runtime.progress) or silent,
            listen=listen,
            checkpoint_dir=checkpoint,
            device=own,
        )
        if parallel.rank() == 0:
            # checked before the training: either it is the same, or --force was given
            with replacing():
                for folder, result in zip(folders, results, strict=True):
                    save_training(result, folder)
            shutil.rmtree(checkpoint, ignore_errors=True)
        # the other processes must not read a folder before it is there
        parallel.wait_for_all()
    logs = [result.log for result in results]
    return [Trained(folder, log) for folder, log in zip(folders, logs, strict=True)]


@runtime_checkable
class SequenceSource(ActivationSource, Protocol):
    """A source that can also give its rows in the order of the genome."""

    def stretches(self, seed: int, *, eval_share: float) -> Iterator[Float32[np.ndarray, "_ d_in"]]:
        """Yield the rows to train on in arrays of consecutive bases."""
        ...


def train_source(
    source: ActivationSource,
    configs: Sequence[TrainingConfig],
    *,
    metadata: Mapping[str, str],
    progress: Progress = silent,
    listen: Listen = ignore,
    checkpoint_dir: Path | None = None,
    device: str = "cpu",
) -> list[TrainResult]:
    """Train dictionaries together, or one in parts; see :func:`~genointerp.sae.train.train_sae`.

    Raises
    ------
    ConfigError
        If there are slow parts, and either several dictionaries or a source without stretches.
    """
    config = configs[0]
    if not config.slow_parts:
        return train_together(
            source,
            configs,
            metadata=metadata,
            progress=progress,
            listen=listen,
            checkpoint_dir=checkpoint_dir,
            device=device,
        )
    if len(configs) > 1:
        raise ConfigError("slow_parts", "one dictionary, not a grid", f"{len(configs)}")
    if not isinstance(source, SequenceSource):
        raise ConfigError("slow_parts", "stored activations", "a model that is read in training")
    stretches = _first_rows(
        source.stretches(config.seed, eval_share=config.eval_share), config.moment_rows
    )
    result = train_parts(
        source,
        stretches,
        config,
        config.slow_parts,
        metadata=metadata,
        progress=progress,
        listen=listen,
        checkpoint_dir=checkpoint_dir,
        device=device,
    )
    return [result]


def _first_rows(
    stretches: Iterator[Float32[np.ndarray, "_ d_in"]], n_rows: int
) -> Iterator[Float32[np.ndarray, "_ d_in"]]:
    """Yield stretches until they hold enough rows."""
    n_read = 0
    for rows in stretches:
        yield rows
        n_read += len(rows)
        if n_read >= n_rows:
            return


@contextmanager
def _curves(folder: Path | None, names: Sequence[str]) -> Iterator[Listen]:
    """Yield a function that writes metrics for TensorBoard, or one that does nothing.

    Raises
    ------
    InputError
        If the package tensorboard is not installed.
    """
    if folder is None or parallel.rank() != 0:
        yield ignore
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError("tensorboard", "the package tensorboard", "none") from error
    writers = [SummaryWriter(str(folder / name)) for name in names]

    def write(number: int, record: Record) -> None:
        for key, value in record.items():
            if key != "step" and value is not None:
                writers[number].add_scalar(key, value, record["step"])

    logging.getLogger(__name__).info("metrics for TensorBoard -> %s", folder)
    try:
        yield write
    finally:
        for writer in writers:
            writer.close()
