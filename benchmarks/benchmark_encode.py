"""Encoding against the encoder's matrix product alone, which no sparse dictionary is spared."""

from itertools import count
from pathlib import Path

import numpy as np
import torch

from benchmarks.timing import cpu_seconds
from genointerp.core.provenance import Provenance
from genointerp.feature.encode import BATCH_ROWS, encode_rows, encode_store
from genointerp.genome.interval import GenomicInterval
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.config import SaeConfig
from genointerp.sae.io import save_sae
from genointerp.store.activation.shards import ActivationShards
from genointerp.store.activation.store import ActivationHeader, ActivationStore
from genointerp.store.contigs import ContigInfo

FULL = {"n_tokens": 131_072, "d_in": 128, "n_features": 2048, "k": 16}
METADATA = {"model": "m", "model_sha256": "m", "site": "s"}
WINDOW = 4096


def measure(folder: Path, *, n_tokens: int, d_in: int, n_features: int, k: int) -> dict[str, float]:
    x = np.random.default_rng(0).standard_normal((n_tokens, d_in)).astype(np.float32)
    store = store_activations(folder / "a.h5", x)
    sae = make_dictionary(x, n_features, k)
    save_sae(sae, folder / "sae", METADATA)
    rows = store.rows(0, n_tokens)
    number = count()

    @torch.no_grad()
    def product() -> None:
        for start in range(0, n_tokens, BATCH_ROWS):
            sae.pre_activations(torch.from_numpy(rows[start : start + BATCH_ROWS]))

    product_seconds = cpu_seconds(product)
    rows_seconds = cpu_seconds(lambda: encode_rows(rows, sae))
    file_seconds = cpu_seconds(
        lambda: encode_store([store], folder / "sae", folder / f"{next(number)}.h5")
    )
    return {
        "tokens_per_s": n_tokens / rows_seconds,
        "times_product": rows_seconds / product_seconds,
        "file_tokens_per_s": n_tokens / file_seconds,
        "file_times_product": file_seconds / product_seconds,
    }


def store_activations(path: Path, x: np.ndarray) -> ActivationStore:
    contigs = (ContigInfo("chr", len(x), circular=False),)
    header = ActivationHeader("m", "m", "s", x.shape[1], "g", "float16", contigs)
    starts = range(0, len(x), WINDOW)
    windows = [GenomicInterval("chr", i, min(i + WINDOW, len(x)), "+") for i in starts]
    shards = ActivationShards(path, header, windows, Provenance(config={}, inputs={}))
    for shard in shards.pending():
        numbers = shards.shard_windows(shard)
        first, last = windows[numbers[0]], windows[numbers[-1]]
        shards.write_shard(shard, x[first.start : last.end])
    return shards.finish()


@torch.no_grad()
def make_dictionary(x: np.ndarray, n_features: int, k: int) -> SparseAutoencoder:
    """Random directions, and the threshold at which k of them fire on average."""
    config = SaeConfig(architecture="batch_topk", n_features=n_features, k=k)
    sae = make_sae(config, x.shape[1])
    z = sae.pre_activations(torch.from_numpy(x[:1000])).flatten()
    sae.threshold.fill_(z.topk(k * len(x[:1000])).values[-1])
    return sae


def benchmark_encode(tmp_path):
    found = measure(tmp_path, n_tokens=500, d_in=8, n_features=32, k=4)
    assert found["times_product"] > 0
