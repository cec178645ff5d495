import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import InputError
from genointerp.core.split import held_out_blocks, shuffled_groups


@pytest.mark.parametrize(
    ("n_blocks", "share", "n_chosen"),
    [(2, 0.01, 1), (2, 0.99, 1), (30, 0.1, 3), (100, 0.126, 13)],
)
def test_a_share_of_the_blocks_is_held_out_but_neither_none_nor_all(n_blocks, share, n_chosen):
    assert held_out_blocks(n_blocks, share, seed=0).sum() == n_chosen


def test_the_seed_chooses_the_blocks():
    chosen = [np.flatnonzero(held_out_blocks(50, 0.1, seed=seed)).tolist() for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_one_block_cannot_be_divided():
    with pytest.raises(InputError, match="activations: expected two blocks at least"):
        held_out_blocks(1, 0.5, seed=0)


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(1, 200), st.integers(0, 5))
def test_groups_hold_every_piece_once_and_are_of_about_one_size(sizes, size, seed):
    n_rows = np.array(sizes, dtype=np.int64)
    groups = shuffled_groups(n_rows, size, seed=seed, purpose="test")
    assert sorted(piece for group in groups for piece in group) == list(range(len(sizes)))
    found = [int(n_rows[group].sum()) for group in groups]
    assert all(rows < size + 30 for rows in found)
    assert len(groups) == -(-sum(sizes) // size)
    if len(groups) > 1 and size > 60:
        assert min(found) > sum(sizes) / len(groups) - 30
