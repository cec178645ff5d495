"""A dictionary of others made ready for use: checked, given a threshold, saved as one of ours."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32

from genointerp.core.arguments import OneOrMorePaths, StrPath
from genointerp.core.config import read_config, to_mapping
from genointerp.core.errors import ConfigError, InputError, MismatchError, SchemaError
from genointerp.core.files import check_replaceable, check_writable
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.seed import rng
from genointerp.model.device import find_device
from genointerp.sae.architecture.transcoder import Transcoder
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.formats.published import find_published, published_metadata, read_published
from genointerp.sae.formats.registry import check_destination, find_format
from genointerp.sae.header import CONFIG, read_cfg
from genointerp.sae.io import save_sae
from genointerp.sae.metrics import evaluate
from genointerp.sae.threshold import estimate_threshold
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.run_folder import activation_files

BATCH_ROWS = 1 << 10
"""Rows read and encoded at once; with 32,768 features their pre-activations take 128 MiB."""


_PIECE_ROWS = 128
"""Consecutive rows of a random place in the genome."""


@dataclass(frozen=True)
class AdoptConfig:
    """Which dictionary is adopted, and on how much its threshold is estimated."""

    dictionary: str = "evo2-layer-26-mixed"
    """Its name in :data:`genointerp.sae.formats.published.PUBLISHED`."""
    format: str | None = None
    """Library that wrote the folder, by its name in
    :data:`genointerp.sae.formats.registry.FORMATS`; a published dictionary where None."""
    n_rows: int = 1 << 16
    """Rows to read, in pieces from all over; every row where there are fewer."""
    seed: int = 0
    """Of the choice of the pieces."""

    def __post_init__(self) -> None:
        if self.n_rows < 1:
            raise ConfigError("n_rows", "1 or more", str(self.n_rows))


class Adopted(NamedTuple):
    """A dictionary that was adopted, measured on the rows that its threshold comes from.

    Parameters
    ----------
    threshold
        Pre-activation that a feature must exceed to fire; the mean where each has its own.
    n_rows
        Rows that were read.
    l0, fvu, dead_share
        As in :class:`~genointerp.sae.metrics.Evaluation`. An FVU near 1 or above says that the
        activations are not those that the dictionary was made for.
    """

    threshold: float
    n_rows: int
    l0: float
    fvu: float
    dead_share: float


def adopt(
    file: StrPath,
    activations: OneOrMorePaths,
    out: StrPath,
    *,
    config: AdoptConfig | Mapping[str, Any] | StrPath | None = None,
    device: str = "cpu",
    progress: Progress | None = None,
) -> Adopted:
    """Write a dictionary of others as a folder that ``encode`` and ``evaluate`` take.

    What is published keeps, of whatever it is given at once, the ``k`` largest activations a base,
    so that values depend on the window. Such a dictionary, and one of another library that came
    without a threshold, gets one here, estimated on the activations: a base's features then depend
    on its activations alone, and genomes can be compared. Adopt once, on a genome that stands for
    all, and encode every genome with the same folder. The first rows of each window are left out,
    whatever its warm-up, where the dictionary was not made for them.

    Parameters
    ----------
    file
        As published; a folder where the configuration names a format.
    activations
        From the model and site that the dictionary is for. A folder of another library does not
        say which these are, in words of this package: they are taken to be the right ones, and
        the FVU tells if they are not.
    progress
        Called with the number of rows read; they are read twice. None draws a bar.

    Raises
    ------
    InputError
        If ``out`` is the folder that is read, or holds it.
    SchemaError
        If the file does not hold this dictionary.
    MismatchError
        If the activations are of another model, site or width, or the dictionary reconstructs
        another site than it reads.
    StorageError
        If the folder cannot be written, or something else stands there.
    """
    config, file, out = read_config(AdoptConfig, config), Path(file), Path(out)
    stores = [ActivationStore(path) for path in activation_files(activations)]
    find_device(device)
    if not stores:
        raise InputError("activations", "at least one store", "none")
    check_destination(file, out)
    given = (
        _published(file, config)
        if config.format is None
        else _foreign(file, config.format, stores[0].identity)
    )
    metadata = {**_origin_of(stores), **given.metadata, "d_in": given.identity.d_in}
    for store in stores:
        given.identity.check(store.identity, "model", "site", "width")
    sample = _Sample(stores, given.cold_bases, config)
    check_writable(Path(out) / CONFIG)
    settings = to_mapping(config) | {"activations": _origin(stores)}
    # whether the figures are the same too is seen when they are known
    check_replaceable(out, same=_is_adopted(out, metadata, settings))
    sae = given.read().to(device)
    with progress_bar("adopt (rows)", progress) as report:
        if sae.has_threshold and float(sae.threshold) == 0:
            rows = (torch.from_numpy(batch) for batch in sample.batches(report, 0))
            sae.threshold.fill_(estimate_threshold(sae, rows, n_rows=sample.n_rows))
        found = evaluate(sae, sample.batches(report, 1))
    threshold = float(sae.threshold.mean())
    result = Adopted(threshold, sample.n_rows, found.l0, found.fvu, found.dead_share)
    save_sae(sae, out, metadata | {"adopted": settings | result._asdict()})
    return result


def _is_adopted(out: Path, metadata: Mapping[str, object], settings: Mapping[str, object]) -> bool:
    """Say whether a folder holds what was adopted from a source like this, with these settings."""
    try:
        told = read_cfg(Path(out) / CONFIG)["metadata"]
    except SchemaError:
        return False
    adopted = told.get("adopted")
    if not isinstance(adopted, dict):
        return False
    of_this = all(told.get(name) == value for name, value in metadata.items() if name != "d_in")
    # the number of rows that were read is reported
    asked = {name: value for name, value in settings.items() if name != "n_rows"}
    return of_this and all(adopted.get(name) == value for name, value in asked.items())


class _Given(NamedTuple):
    """A dictionary of others: what it says of itself, and how its weights are read."""

    metadata: dict[str, object]
    identity: Identity
    cold_bases: int
    read: Callable[[], SparseAutoencoder]


def _published(file: Path, config: AdoptConfig) -> _Given:
    published = find_published(config.dictionary)
    metadata = published_metadata(file, published)
    read = partial(read_published, file, published)
    identity = Identity(
        str(file),
        model=published.model,
        site=published.site,
        d_in=published.d_in,
        only_there=published.only_there,
    )
    return _Given(metadata, identity, published.cold_bases, read)


def _foreign(folder: Path, name: str, activations: Identity) -> _Given:
    sae = find_format(name).read(folder)
    if isinstance(sae, Transcoder):
        raise MismatchError(str(folder), "a dictionary that reads what it writes", "a transcoder")
    # the folder does not name its model and site in our words: those of the activations are taken
    identity = replace(activations, where=str(folder), d_in=sae.d_in)
    return _Given({"source": f"{name}: {folder.name}"}, identity, 0, lambda: sae)


def _origin_of(activations: Sequence[ActivationStore]) -> dict[str, object]:
    header = activations[0].header
    return {"model": header.model, "model_sha256": header.model_sha256, "site": header.site}


class _Sample:
    """Rows from random places of all windows, the first of each window left out."""

    def __init__(self, stores: Sequence[ActivationStore], n_cold: int, config: AdoptConfig) -> None:
        pieces = [piece for store in stores for piece in _pieces(store, n_cold)]
        if not pieces:
            raise InputError("activations", f"windows of more than {n_cold} rows", "none")
        order = rng(config.seed, "rows for the threshold").permutation(len(pieces))
        self.n_rows, self._chosen = 0, []
        for number in order:
            if self.n_rows >= config.n_rows:
                break
            self._chosen.append(pieces[number])
            self.n_rows += pieces[number][2] - pieces[number][1]

    def batches(self, progress: Progress, turn: int) -> Iterator[Float32[np.ndarray, "batch d_in"]]:
        done = turn * self.n_rows
        size = BATCH_ROWS // _PIECE_ROWS
        for first in range(0, len(self._chosen), size):
            group = self._chosen[first : first + size]
            rows = np.concatenate([store.rows(start, stop) for store, start, stop in group])
            yield rows
            done += len(rows)
            progress(done, 2 * self.n_rows)


def _pieces(store: ActivationStore, n_cold: int) -> Iterator[tuple[ActivationStore, int, int]]:
    for first, last in zip(store.window_offset[:-1], store.window_offset[1:], strict=True):
        for start in range(int(first) + n_cold, int(last), _PIECE_ROWS):
            yield store, start, min(start + _PIECE_ROWS, int(last))


def _origin(activations: Sequence[ActivationStore]) -> list[dict[str, str]]:
    return [
        {"genome_sha256": store.header.genome_sha256, "model_sha256": store.header.model_sha256}
        for store in activations
    ]
