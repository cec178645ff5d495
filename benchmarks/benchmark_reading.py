"""Rows given to training in shuffled order, against reading the same file from first to last."""

from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.timing import interleaved
from genointerp.core.provenance import Provenance
from genointerp.genome.interval import GenomicInterval
from genointerp.sae.config import TrainConfig
from genointerp.sae.data import Position, batches
from genointerp.store.activation.reading import ReadingConfig, StoreSource
from genointerp.store.activation.shards import ActivationShards
from genointerp.store.activation.store import ActivationHeader, ActivationStore
from genointerp.store.contigs import ContigInfo

FULL = {"n_rows": 200_000, "d_in": 512, "batch": 4096}
WINDOW = 3584


def measure(folder: Path, *, n_rows: int, d_in: int, batch: int) -> dict[str, float]:
    store = write(folder / "a.h5", n_rows, d_in)
    source = StoreSource([store], ReadingConfig(buffer_rows=64 * store.chunk_rows))
    config = TrainConfig(batch_tokens=batch, n_tokens=batch)
    n_given = sum(len(rows) for rows in source.chunks(0, 0, eval_share=0.1))

    def sequential() -> None:
        for start in range(0, store.n_tokens, store.chunk_rows):
            store.rows(start, min(start + store.chunk_rows, store.n_tokens))

    def shuffled() -> None:
        for _ in source.chunks(0, 0, eval_share=0.1):
            pass

    def in_batches() -> None:
        stream = batches(source, config, Position(), outlier_norm=1e9)
        for _ in islice(stream, n_given // batch):
            pass
        stream.close()

    plain, mixed, batched = interleaved(sequential, shuffled, in_batches)
    return {
        "sequential_rows_per_s": store.n_tokens / plain,
        "shuffled_rows_per_s": n_given / mixed,
        "batched_rows_per_s": n_given / batched,
        "shuffled_share_of_sequential": n_given / mixed * plain / store.n_tokens,
        "batched_share_of_sequential": n_given / batched * plain / store.n_tokens,
    }


def write(path: Path, n_rows: int, d_in: int) -> ActivationStore:
    """Make a file of random rows, a contig read on one strand."""
    contigs = (ContigInfo("chr", n_rows, circular=False),)
    starts = range(0, n_rows, WINDOW)
    windows = tuple(GenomicInterval("chr", at, min(at + WINDOW, n_rows), "+") for at in starts)
    header = ActivationHeader("m", "m", "s", d_in, "g", "float16", contigs)
    shards = ActivationShards(path, header, windows, Provenance(config={}, inputs={}))
    generator = np.random.default_rng(0)
    for shard in shards.pending():
        n = sum(windows[index].length for index in shards.shard_windows(shard))
        shards.write_shard(shard, generator.normal(size=(n, d_in)).astype(np.float32))
    return shards.finish()


def benchmark_reading(tmp_path):
    found = measure(tmp_path, n_rows=8_000, d_in=8, batch=100)
    assert found["batched_rows_per_s"] > 0
