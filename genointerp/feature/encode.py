"""Features of a whole genome: every stored activation through a dictionary."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32

from genointerp.core.errors import InputError, MismatchError
from genointerp.core.files import check_writable
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance
from genointerp.model.device import find_device
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.io import load_sae
from genointerp.store.activations import ActivationStore
from genointerp.store.feature_writer import FeatureWriter
from genointerp.store.features import CsrRows, FeatureHeader, FeatureStore
from genointerp.store.reading import check_same_site

BATCH_ROWS = 1 << 13
"""Rows encoded at once; their dense pre-activations are the memory that encoding takes."""


def encode_store(
    activations: Sequence[ActivationStore],
    sae_dir: Path,
    out: Path,
    *,
    device: str = "cpu",
    progress: Progress = silent,
) -> FeatureStore:
    """Encode the activations of one genome into a features file.

    Parameters
    ----------
    activations
        Stores of one genome, with windows that do not overlap.
    sae_dir
        The dictionary's folder.
    out
        The features file; it appears when it is complete.
    progress
        Called with rows.

    Raises
    ------
    InputError
        If this machine has no such device.
    MismatchError
        If the activations are of another model, site or width than the dictionary was trained
        on, or of two genomes.
    StorageError
        If the file cannot be written.
    """
    if not activations:
        raise InputError("activations", "at least one store", "none")
    check_writable(out)
    find_device(device)
    loaded = load_sae(sae_dir, device=device)
    for store in activations:
        check_dictionary(store, loaded.metadata, sae_dir)
    check_same_site(activations)
    _check_same_genome(activations)
    sae = loaded.sae.eval()
    header = _header(activations[0], loaded.sha256, sae.n_features)
    n_rows, done = sum(store.n_tokens for store in activations), 0
    with FeatureWriter(out, header, _provenance(activations, loaded.sha256)) as writer:
        for store in activations:
            for group in _groups(store):
                for number, rows in _encoded_windows(store, group, sae, device):
                    writer.add_window(store.windows[number], *rows)
                done += _n_rows(store, group)
                progress(done, n_rows)
    return FeatureStore(out)


def check_dictionary(store: ActivationStore, metadata: Mapping[str, object], sae_dir: Path) -> None:
    """Refuse activations of another model, site or width than a dictionary's.

    Raises
    ------
    MismatchError
        Naming the file and the first field that differs.
    """
    for field in ("model", "model_sha256", "site", "d_in"):
        expected, found = metadata.get(field), getattr(store.header, field)
        if str(expected) != str(found):
            where = f"{store.path}: {field.replace('_', '-')}"
            wanted = f"{expected!r} as in {sae_dir}" if expected is not None else "none"
            raise MismatchError(where, wanted, repr(found))


def encode_rows(
    x: Float32[np.ndarray, "n d_in"], sae: SparseAutoencoder, device: str = "cpu"
) -> CsrRows:
    """Return the features of activations as compressed sparse rows, features rising."""
    pieces = [_encoded(batch, sae, device) for batch in _batches(x)]
    counts = np.concatenate([piece.counts for piece in pieces] or [np.zeros(0, np.int64)])
    indptr = np.zeros(len(x) + 1, dtype=np.int64)
    np.cumsum(counts, out=indptr[1:])
    feature = np.concatenate([piece.feature for piece in pieces] or [np.zeros(0, np.int64)])
    value = np.concatenate([piece.value for piece in pieces] or [np.zeros(0, np.float32)])
    return CsrRows(indptr, feature, value)


class _Encoded(NamedTuple):
    counts: np.ndarray
    feature: np.ndarray
    value: np.ndarray


def _encoded(x: np.ndarray, sae: SparseAutoencoder, device: str) -> _Encoded:
    codes = sae.encode_sparse(torch.from_numpy(np.ascontiguousarray(x)).to(device))
    value = codes.value.float().cpu().numpy()
    fires = value > 0
    return _Encoded(fires.sum(axis=1), codes.index.cpu().numpy()[fires], value[fires])


def _batches(x: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(x), BATCH_ROWS):
        yield x[start : start + BATCH_ROWS]


def _groups(store: ActivationStore) -> Iterator[range]:
    """Yield runs of windows of about ``BATCH_ROWS`` rows, so that reads and batches are large."""
    first = 0
    for number in range(store.n_windows):
        if _n_rows(store, range(first, number + 1)) >= BATCH_ROWS:
            yield range(first, number + 1)
            first = number + 1
    if first < store.n_windows:
        yield range(first, store.n_windows)


def _n_rows(store: ActivationStore, group: range) -> int:
    return int(store.window_offset[group.stop] - store.window_offset[group.start])


def _encoded_windows(
    store: ActivationStore, group: range, sae: SparseAutoencoder, device: str
) -> Iterator[tuple[int, CsrRows]]:
    """Yield each window of a group with its features, rows in forward coordinates."""
    bounds = store.window_offset[group.start : group.stop + 1]
    x = store.rows(int(bounds[0]), int(bounds[-1]))
    edges = (bounds - bounds[0]).tolist()
    for i, number in enumerate(group):
        if store.windows[number].strand == "-":
            x[edges[i] : edges[i + 1]] = x[edges[i] : edges[i + 1]][::-1].copy()
    rows = encode_rows(x, sae, device)
    for i, number in enumerate(group):
        indptr = rows.indptr[edges[i] : edges[i + 1] + 1]
        low, high = int(indptr[0]), int(indptr[-1])
        yield number, CsrRows(indptr - low, rows.feature[low:high], rows.value[low:high])


def _check_same_genome(activations: Sequence[ActivationStore]) -> None:
    first = activations[0]
    for store in activations[1:]:
        if store.header.genome_sha256 != first.header.genome_sha256:
            raise MismatchError(
                f"{store.path}: genome-sha256",
                f"{first.header.genome_sha256[:12]} as in {first.path}",
                store.header.genome_sha256[:12],
            )


def _header(store: ActivationStore, sae_sha256: str, n_features: int) -> FeatureHeader:
    header = store.header
    return FeatureHeader(
        model=header.model,
        model_sha256=header.model_sha256,
        site=header.site,
        genome_sha256=header.genome_sha256,
        sae_sha256=sae_sha256,
        n_features=n_features,
        contigs=header.contigs,
    )


def _provenance(activations: Sequence[ActivationStore], sae_sha256: str) -> Provenance:
    inputs = {f"activations-{index}": store.sha256 for index, store in enumerate(activations)}
    return Provenance(config={}, inputs={**inputs, "sae": sae_sha256})
