"""Training of a dictionary from activation stores: the files that join ``store`` and ``sae``."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

from genointerp.core.config import read_config
from genointerp.core.files import check_writable
from genointerp.core.progress import Progress, silent
from genointerp.sae.checkpoint import CHECKPOINT
from genointerp.sae.config import TrainConfig
from genointerp.sae.io import CONFIG, save_training
from genointerp.sae.train import TrainLog, train_sae
from genointerp.store.activations import ActivationStore
from genointerp.store.reading import StoreSource


def train_from_store(
    activations: Sequence[Path],
    out: Path,
    *,
    config: Path | None = None,
    seed: int | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> TrainLog:
    """Train a dictionary on activation stores, read together, and write it to ``out``.

    While it runs its state is in ``<out>.checkpoint``; started again, it goes on from there.

    Parameters
    ----------
    config
        YAML of a `TrainConfig`; the defaults where None.
    seed
        Replaces the seed of the configuration.

    Raises
    ------
    ConfigError
        If the configuration has an unknown key or a value out of range.
    InputError
        If activations are not finite or too few.
    MismatchError
        If the stores are of different models or sites, or ``<out>.checkpoint`` is of another run.
    StorageError
        If nothing can be written to ``out``; told before the training, not after it.
    """
    settings = read_config(TrainConfig, config)
    if seed is not None:
        settings = dataclasses.replace(settings, seed=seed)
    stores = [ActivationStore(path) for path in activations]
    source = StoreSource(stores)
    header = stores[0].header
    metadata = {
        "model": header.model,
        "model_sha256": header.model_sha256,
        "site": header.site,
        "activations_sha256": " ".join(store.sha256 for store in stores),
    }
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    for path in (out / CONFIG, checkpoint / CHECKPOINT):
        check_writable(path)
    result = train_sae(
        source,
        settings,
        metadata=metadata,
        progress=progress,
        checkpoint_dir=checkpoint,
        device=device,
    )
    save_training(result, out)
    shutil.rmtree(checkpoint, ignore_errors=True)
    return result.log
