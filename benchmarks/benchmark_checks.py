"""What it costs that a reader compares the checksums of what it reads, as a ratio in one run.

Each question is asked of a store of which no tile has been compared before; beside it the same
question with the comparisons left out. Opening a store, which compares the checksum of its header,
is apart.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from benchmarks import benchmark_feature_scale, benchmark_reading
from benchmarks.timing import interleaved
from genointerp.feature.encode import encode_rows
from genointerp.feature.query import query_region
from genointerp.genome.interval import GenomicInterval
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from genointerp.store.activation.store import ActivationStore, _ChunkSums
from genointerp.store.feature.store import FeatureStore
from genointerp.store.feature.tiles import TiledLayout

FULL = {
    "bp": 400_000,
    "n_features": 32_768,
    "k": 64,
    "region_bp": 10_000,
    "n_rows": 100_000,
    "d_in": 512,
    "repeats": 9,
}


def measure(  # noqa: PLR0913  the sizes of two files
    folder: Path,
    *,
    bp: int,
    n_features: int,
    k: int,
    region_bp: int,
    n_rows: int,
    d_in: int,
    repeats: int,
) -> dict[str, float]:
    features, activations = folder / "f.h5", folder / "a.h5"
    benchmark_feature_scale.write(features, bp, n_features, k)
    benchmark_reading.write(activations, n_rows, d_in)
    region = GenomicInterval("chr", bp // 2, bp // 2 + region_bp)
    sae = make_sae(SaeConfig(n_features=4 * d_in, k=k), d_in)

    def every_row() -> None:
        store = ActivationStore(activations)
        for start in range(0, store.n_tokens, store.chunk_rows):
            store.rows(start, min(start + store.chunk_rows, store.n_tokens))

    def encoded() -> None:
        store = ActivationStore(activations)
        for start in range(0, store.n_tokens // 10, store.chunk_rows):
            encode_rows(store.rows(start, start + store.chunk_rows), sae)

    def asked(question: Callable[[FeatureStore], object]) -> Callable[[], None]:
        store = FeatureStore(features)

        def ask() -> None:
            for sound in store._sound.values():
                sound.clear()
            question(store)

        return ask

    questions: dict[str, Callable[[], object]] = {
        "opening": lambda: FeatureStore(features),
        "region": asked(lambda store: query_region(store, region)),
        "rare_feature": asked(lambda store: store.feature(n_features - 1, "+")),
        "dense_feature": asked(lambda store: store.feature(0, "+")),
        "reading": every_row,
        "encoding": encoded,
    }
    found = {}
    for name, ask in questions.items():
        compared, plain = interleaved(ask, lambda ask=ask: _without(ask), repeats=repeats)
        found |= {f"{name}_ms": 1e3 * compared, f"{name}_ratio": compared / plain}
    return found


def _without(ask: Callable[[], object]) -> None:
    with _no_checks():
        ask()


@contextmanager
def _no_checks() -> Iterator[None]:
    nothing = {"return_value": None}
    with ExitStack() as stack:
        for owner, name in (
            (TiledLayout, "_check_tile"),
            (TiledLayout, "_check_feature"),
            (_ChunkSums, "_compare"),
        ):
            stack.enter_context(patch.object(owner, name, **nothing))
        for module in ("feature", "activation"):
            stack.enter_context(patch(f"genointerp.store.{module}.store.check_contents", **nothing))
        yield


def benchmark_checks(tmp_path):
    size = {"bp": 20_000, "n_features": 96, "k": 4, "region_bp": 2000, "n_rows": 2000, "d_in": 16}
    found = measure(tmp_path, **size, repeats=1)
    assert all(value > 0 for value in found.values())
