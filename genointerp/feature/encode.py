"""Encode all stored activations of a genome with a dictionary.

Features are per base: if a row stands for several bases, its features are repeated for each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import check_writable, claiming
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.model.device import find_device
from genointerp.sae.architecture.batch_topk_crosscoder import BatchTopKCrosscoder
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.header import DictionaryHeader
from genointerp.store.activation.side_by_side import JOINED, join_sites
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import FORMAT, VERSION, CsrRows, FeatureHeader, FeatureStore
from genointerp.store.feature.tiles import Compression
from genointerp.store.feature.writer import FeatureWriter
from genointerp.store.hdf5 import open_checked, text_attribute

BATCH_ROWS = 1 << 13
"""Number of rows encoded at once; their dense pre-activations determine the memory needed."""

STRETCH_ROWS = 1 << 15
"""Most rows of one window that are held at once, since a window may be a chromosome."""


def encode_store(
    activations: Sequence[ActivationStore],
    sae_dir: Path,
    out: Path,
    *,
    device: str = "cpu",
    compression: Compression = "none",
    of_parent: bool = False,
    progress: Progress = silent,
) -> FeatureStore:
    """Encode the activations of one genome into a features file.

    Parameters
    ----------
    activations
        Activation stores of one genome, with windows that do not overlap; for a crosscoder, one per
        site, in the order of its sites, or a single one of any of them if it was trained with
        ``encode_from: any``.
    sae_dir
        Folder of the dictionary.
    out
        Path of the features file, which appears when it is complete.
    compression
        ``zstd`` makes the file smaller and queries slower.
    of_parent
        Whether the activations are of an edited model, and the dictionary of the one that was
        edited.
    progress
        Called with (rows done, rows in all).

    Raises
    ------
    InputError
        If the device does not exist on this machine, the compressor is not installed, or
        ``of_parent`` is given for a model that is not an edited one.
    MismatchError
        If the activations have another model, site or width than those that the dictionary was
        trained on, or are of two genomes.
    StorageError
        If the file cannot be written.
    """
    if not activations:
        raise InputError("activations", "at least one store", "none")
    check_writable(out)
    find_device(device)
    dictionary = Dictionary.load(sae_dir, device=device)
    sae, of = dictionary.sae, dictionary.header
    made_from, site = of.identity, None
    if isinstance(sae, BatchTopKCrosscoder):
        site = _site_alone(activations, of, sae, of_parent=of_parent)
        if site is None:
            activations = join_sites(activations)
        else:
            made_from = _parts(of, sae)[site]
    for store in activations:
        known_as = store.identity_for_dictionaries(of_parent=of_parent)
        made_from.check(known_as, "model", "site", "width")
        activations[0].identity.check(store.identity, "model", "genome")
    header = _header(activations[0], of)
    n_rows, done = sum(store.n_tokens for store in activations), 0
    record = _provenance(activations, of.sha256, compression)
    with (
        claiming(out, same=_is_encoded(out, record)),
        FeatureWriter(out, header, record, compression=compression) as writer,
    ):
        for store in activations:
            for group in _groups(store):
                for kept, rows in _encoded_stretches(store, group, sae, device, site):
                    writer.add_window(kept, *rows)
                done += group[-1].stop - group[0].start
                progress(done, n_rows)
    return FeatureStore(out)


def _is_encoded(out: Path, record: Provenance) -> bool:
    """Return whether a features file was made from the same inputs with the same settings."""
    try:
        with open_checked(out, FORMAT, VERSION) as file:
            return text_attribute(file, "provenance") == record.as_json()
    except SchemaError:
        return False


def encode_rows(
    x: Float32[np.ndarray, "n d_in"], sae: SparseAutoencoder, device: str = "cpu"
) -> CsrRows:
    """Return the features of activations as compressed sparse rows, in ascending order."""
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


class _Stretch(NamedTuple):
    """Consecutive rows of one window, and the bases that they cover."""

    start: int
    stop: int
    kept: GenomicInterval


def _groups(store: ActivationStore) -> Iterator[list[_Stretch]]:
    """Yield groups of about ``BATCH_ROWS`` consecutive rows, for large reads and batches."""
    group: list[_Stretch] = []
    for stretch in _stretches(store):
        group.append(stretch)
        if stretch.stop - group[0].start >= BATCH_ROWS:
            yield group
            group = []
    if group:
        yield group


def _stretches(store: ActivationStore) -> Iterator[_Stretch]:
    """Yield each window, in pieces of ``STRETCH_ROWS`` rows if it has more."""
    for number, window in enumerate(store.windows):
        first, last = (int(row) for row in store.window_offset[number : number + 2])
        if last - first <= STRETCH_ROWS:
            yield _Stretch(first, last, window)
            continue
        for start in range(first, last, STRETCH_ROWS):
            stop = min(start + STRETCH_ROWS, last)
            ends = [store.token_bases(row, row + 1) for row in (start, stop - 1)]
            low, high = min(int(it.start[0]) for it in ends), max(int(it.end[0]) for it in ends)
            kept = GenomicInterval(window.seqid, low, high, window.strand)
            yield _Stretch(start, stop, kept)


def _encoded_stretches(
    store: ActivationStore,
    group: Sequence[_Stretch],
    sae: SparseAutoencoder,
    device: str,
    site: int | None = None,
) -> Iterator[tuple[GenomicInterval, CsrRows]]:
    """Yield the bases of each stretch and their features, in forward coordinates.

    ``site`` is that of a universal dictionary, if the store is of it alone.
    """
    first, last = group[0].start, group[-1].stop
    x = store.rows(first, last)
    if site is not None and isinstance(sae, BatchTopKCrosscoder):
        x = sae.from_site(torch.from_numpy(x).to(device), site).cpu().numpy()
    bases = store.token_bases(first, last)
    n_bases = bases.end - bases.start
    for start, stop, kept in group:
        here = slice(start - first, stop - first)
        if kept.strand == "-":
            x[here], n_bases[here] = x[here][::-1].copy(), n_bases[here][::-1].copy()
    rows = encode_rows(x, sae, device)
    for start, stop, kept in group:
        indptr = rows.indptr[start - first : stop - first + 1]
        low, high = int(indptr[0]), int(indptr[-1])
        part = CsrRows(indptr - low, rows.feature[low:high], rows.value[low:high])
        here = slice(start - first, stop - first)
        yield kept, repeat_rows(part, n_bases[here]) if store.has_words else part


def repeat_rows(rows: CsrRows, times: Int64[np.ndarray, " row"]) -> CsrRows:
    """Repeat each row as often as ``times`` states."""
    n_hits = np.repeat(np.diff(rows.indptr), times)
    indptr = np.concatenate([[0], np.cumsum(n_hits)]).astype(np.int64)
    # a hit has the same position in its row as the hit that it repeats
    shift = np.repeat(rows.indptr[:-1], times) - indptr[:-1]
    hit = np.arange(indptr[-1]) + np.repeat(shift, n_hits)
    return CsrRows(indptr, rows.feature[hit], rows.value[hit])


def _site_alone(
    activations: Sequence[ActivationStore],
    of: DictionaryHeader,
    sae: BatchTopKCrosscoder,
    *,
    of_parent: bool,
) -> int | None:
    """Return the site of a universal dictionary that one store is of; None to join its sites."""
    if sae.config.encode_from != "any" or len(activations) > 1:
        return None
    known_as = activations[0].identity_for_dictionaries(of_parent=of_parent)
    parts = _parts(of, sae)
    near = [number for number, part in enumerate(parts) if part.site == known_as.site]
    if not near:
        of.identity.check(known_as, "site")
    return near[known_as.find([parts[number] for number in near], "model")]


def _parts(of: DictionaryHeader, sae: BatchTopKCrosscoder) -> list[Identity]:
    """Return what each site of a crosscoder is of, without the others."""
    widths = sae.config.widths
    models, sha256s, sites = (
        names * (len(widths) // len(names))
        for names in (it.split(JOINED) for it in (of.model, of.model_sha256, of.site))
    )
    return [
        replace(of.identity, model=model, model_sha256=sha256, site=site, d_in=width)
        for model, sha256, site, width in zip(models, sha256s, sites, widths, strict=True)
    ]


def _header(store: ActivationStore, dictionary: DictionaryHeader) -> FeatureHeader:
    header = store.header
    return FeatureHeader(
        model=header.model,
        model_sha256=header.model_sha256,
        site=header.site,
        genome_sha256=header.genome_sha256,
        sae_sha256=dictionary.sha256,
        n_features=dictionary.n_features,
        contigs=header.contigs,
        feature_names=dictionary.feature_names,
    )


def _provenance(
    activations: Sequence[ActivationStore], sae_sha256: str, compression: Compression
) -> Provenance:
    files = [part for store in activations for part in store.parts]
    inputs = {f"activations-{index}": part.sha256 for index, part in enumerate(files)}
    return Provenance({"compression": compression}, {**inputs, "sae": sae_sha256})
