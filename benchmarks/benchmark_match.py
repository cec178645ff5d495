"""Sums of products of all pairs of features of two dictionaries, compared with a dense product.

Both dictionaries have fired on a genome as trained ones do. The sums of the features of one slot
(dense ones and rare ones) with all others are counted on the whole genome, and on a slice of it
both sparsely and by a product of dense float32 matrices, which have the same numbers.
"""

import resource
from pathlib import Path

import numpy as np

from benchmarks import benchmark_feature_scale
from benchmarks.timing import cpu_seconds, interleaved
from genointerp.comparison.matching.bases import Panel
from genointerp.comparison.matching.pairing import Pairing
from genointerp.store.feature.store import FeatureStore

FULL = {"bp": 4_640_000, "n_features": 32_768, "k": 64, "n_sources": 341, "slice_bp": 8192}


def measure(
    folder: Path, *, bp: int, n_features: int, k: int, n_sources: int, slice_bp: int
) -> dict[str, float]:
    path = folder / "f.h5"
    n_hits, _ = benchmark_feature_scale.write(path, bp, n_features, k)
    store = FeatureStore(path)
    found = measure_slice(store, n_sources, slice_bp)
    whole = Pairing([store], [store])
    block = whole.load(0, n_sources)
    # the hits of the other reading are read once, for all features
    for number in range(len(whole.panels)):
        whole.firing(number)
    seconds = cpu_seconds(lambda: whole.sums(block), repeats=1)
    cells = np.concatenate([hits.cell for hits in block.panels])
    path.unlink()
    return found | {
        "hits_of_sources": float(len(cells)),
        "seconds_of_all": seconds * n_hits / max(len(cells), 1),
        "peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def measure_slice(store: FeatureStore, n_sources: int, slice_bp: int) -> dict[str, float]:
    """Compare a sparse product with a dense one on the first bases."""
    panel = Panel(0, "+", np.array([[0, slice_bp]]))
    pairing = Pairing([store], [store], [panel])
    n = store.n_features
    hits = panel.hits(store, 0, n)
    dense = np.zeros((slice_bp, n), np.float32)
    dense[hits.cell, np.repeat(np.arange(n), np.diff(hits.begin))] = hits.value
    block = pairing.load(0, n_sources)
    own = np.ascontiguousarray(dense[:, :n_sources].T)
    assert np.allclose(own @ dense, pairing.sums(block), rtol=1e-4, atol=1e-3)
    by_lists, by_product = interleaved(lambda: pairing.sums(block), lambda: own @ dense)
    per_cell = np.diff(pairing.firing(0).indptr)
    n_products = float(per_cell[block.panels[0].cell].sum())
    return {"dense_over_sparse": by_product / by_lists, "products_per_s": n_products / by_lists}


def benchmark_match(tmp_path):
    size = {"bp": 20_000, "n_features": 96, "k": 4, "n_sources": 16, "slice_bp": 2000}
    found = measure(tmp_path, **size)
    assert found["dense_over_sparse"] > 0
    assert found["products_per_s"] > 0
