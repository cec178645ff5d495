import numpy as np
import pytest

from genointerp.core.errors import InputError, MismatchError
from genointerp.store.reading import StoreSource
from tests.stores import activation_header, write_activations


def numbered(first):
    return (first + np.arange(320, dtype=np.float32))[:, None] * np.ones((1, 2), np.float32)


@pytest.fixture
def stores(tmp_path):
    found = [write_activations(tmp_path / f"{first}.h5", numbered(first)) for first in (0, 320)]
    for store in found:
        # smaller pieces than the file has chunks, so that the order can be seen
        store.chunk_rows = 16
    return found


@pytest.mark.parametrize("buffer_rows", [1, 50, 10_000])
def test_every_row_comes_once_an_epoch(stores, buffer_rows):
    source = StoreSource(stores, buffer_rows=buffer_rows)
    blocks = list(source.chunks(seed=0, epoch=0))
    assert (source.d_in, source.n_rows) == (2, 640)
    assert sorted(np.concatenate(blocks)[:, 0].tolist()) == list(range(640))
    assert max(map(len, blocks)) <= max(buffer_rows, 640 if buffer_rows > 640 else 66)


def test_order_depends_on_seed_and_epoch_alone(stores):
    def order(seed, epoch):
        return np.concatenate(list(StoreSource(stores).chunks(seed, epoch)))[:, 0].tolist()

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_blocks_mix_rows_of_both_stores(stores):
    block = next(StoreSource(stores, buffer_rows=200).chunks(seed=0, epoch=0))[:, 0]
    assert 0.1 < np.mean(block < 320) < 0.9
    assert np.mean(np.diff(block) == 1) < 0.1


def test_stores_of_different_sites_are_refused(tmp_path, stores):
    other = write_activations(
        tmp_path / "other.h5", numbered(0), header=activation_header(2, site="blocks.9")
    )
    with pytest.raises(MismatchError, match=r"other.h5: site: expected 'blocks.1' as in .*0.h5"):
        StoreSource([*stores, other])


def test_no_store_is_refused():
    with pytest.raises(InputError, match="expected at least one store, found none"):
        StoreSource([])
