"""Small stores for the tests of this folder, of features and of others."""

from pathlib import Path

import h5py
import numpy as np

from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.store.activation import store as activations
from genointerp.store.activation.shards import ActivationShards
from genointerp.store.activation.store import ActivationHeader, ActivationStore
from genointerp.store.contents import CONTENTS, contents_sha256, crc32_of
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.store import FeatureHeader, FeatureStore
from genointerp.store.feature.writer import FeatureWriter

CONTIGS = (ContigInfo("chrA", 120, circular=True), ContigInfo("chrB", 40, circular=False))
PROVENANCE = Provenance(config={"k": 1}, inputs={"genome": "aa"})


def feature_header(n_features=7, contigs=CONTIGS, genome_sha256="g" * 64, sae_sha256="s" * 64):
    origin = ("toy", "m" * 64, "blocks.1", genome_sha256, sae_sha256)
    return FeatureHeader(*origin, n_features, contigs)


def activation_header(d_in=4, encoding="float16", contigs=CONTIGS, **changes):
    values = dict(
        model="toy",
        model_sha256="m" * 64,
        site="blocks.1",
        d_in=d_in,
        genome_sha256="g" * 64,
        encoding=encoding,
        contigs=contigs,
    )
    return ActivationHeader(**{**values, **changes})


def reseal(path):
    """Give an activations file the checksums of what it holds, as if it had been written so."""
    with h5py.File(path, "r+") as file:
        rows = file["activations"].chunks[0]
        for names in (("activations",), ("tokens/start", "tokens/end")):
            if names[0] in file:
                parts = [slice(at, at + rows) for at in range(0, len(file[names[0]]), rows)]
                found = [crc32_of(file[name][part] for name in names) for part in parts]
                file[activations.CHECKSUMS[names[0]]][...] = found
        file.attrs[CONTENTS] = contents_sha256(file, activations.LARGE)


def windows_of(contigs=CONTIGS, step=25):
    return tuple(
        GenomicInterval(contig.seqid, start, min(start + step, contig.length), strand)
        for contig in contigs
        for strand in "+-"
        for start in range(0, contig.length, step)
    )


def dense_features(n_features=7, contigs=CONTIGS, seed=0, density=0.2):
    """Dense activations per strand: rows in forward coordinates, exact in float16."""
    generator = np.random.default_rng(seed)
    n_rows = sum(contig.length for contig in contigs)
    shape = (n_rows, n_features)
    return {
        strand: (
            generator.integers(1, 200, shape) / 16 * (generator.random(shape) < density)
        ).astype(np.float32)
        for strand in "+-"
    }


def csr_of(dense):
    mask = dense > 0
    indptr = np.concatenate([[0], np.cumsum(mask.sum(1))]).astype(np.int64)
    return indptr, np.nonzero(mask)[1].astype(np.int64), dense[mask]


def write_features(
    path: Path,
    dense,
    *,
    contigs=CONTIGS,
    windows=None,
    genome_sha256="g" * 64,
    sae_sha256="s" * 64,
    provenance=PROVENANCE,
    **options,
) -> FeatureStore:
    """Write dense activations through FeatureWriter, window by window."""
    offsets, total = {}, 0
    for contig in contigs:
        offsets[contig.seqid], total = total, total + contig.length
    header = feature_header(dense["+"].shape[1], contigs, genome_sha256, sae_sha256)
    with FeatureWriter(path, header, provenance, **options) as writer:
        for kept in windows_of(contigs) if windows is None else windows:
            offset = offsets[kept.seqid]
            part = dense[kept.strand][offset + kept.start : offset + kept.end]
            writer.add_window(kept, *csr_of(part))
    return FeatureStore(path)


def write_read(path: Path, dense, is_read, *, contigs=CONTIGS, **options) -> FeatureStore:
    """Write dense activations of the bases that ``is_read`` marks on each strand."""
    windows, offset = [], 0
    for contig in contigs:
        for strand in "+-":
            own = is_read[strand][offset : offset + contig.length].astype(np.int8)
            edges = np.flatnonzero(np.diff(np.concatenate([[0], own, [0]]))).tolist()
            spans = zip(edges[::2], edges[1::2], strict=True)
            windows += [GenomicInterval(contig.seqid, *span, strand) for span in spans]
        offset += contig.length
    return write_features(path, dense, contigs=contigs, windows=windows, **options)


def write_activations(path: Path, x, *, windows=None, header=None, **options) -> ActivationStore:
    """Write rows of all windows through ActivationShards."""
    header = activation_header(x.shape[1]) if header is None else header
    windows = windows_of(header.contigs) if windows is None else windows
    shards = ActivationShards(path, header, windows, PROVENANCE, **options)
    offsets = np.concatenate([[0], np.cumsum([w.length for w in windows])])
    for shard in shards.pending():
        numbers = shards.shard_windows(shard)
        shards.write_shard(shard, x[offsets[numbers.start] : offsets[numbers.stop]])
    return shards.finish()


def word_lengths(length, size=3):
    """Words of ``size`` bases, the last one shorter."""
    return [size] * (length // size) + [length % size] * (length % size > 0)


def write_words(path: Path, *, windows=None, header=None, **options) -> ActivationStore:
    """Write windows of words of three bases; row i, channel j holds ``i - j / 4``."""
    header = activation_header() if header is None else header
    windows = windows_of(header.contigs) if windows is None else windows
    shards = ActivationShards(path, header, windows, PROVENANCE, words=True, **options)
    n_rows = [len(word_lengths(window.length)) for window in windows]
    offsets = np.concatenate([[0], np.cumsum(n_rows)])
    x = (np.arange(offsets[-1])[:, None] - np.arange(header.d_in) / 4).astype(np.float32)
    for shard in shards.pending():
        numbers = shards.shard_windows(shard)
        lengths = [n for i in numbers for n in word_lengths(windows[i].length)]
        rows = x[offsets[numbers.start] : offsets[numbers.stop]]
        shards.write_shard(shard, rows, np.array(lengths, np.int64))
    return shards.finish()
