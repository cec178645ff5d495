import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise, set_dtype
from genointerp.model.hyena.state import FilterState, KeyValueCache, Tail

KINDS = ("SE", "MR", "LI", "ATT")


def make_network(mixers, *, scale=1.0):
    config = HyenaConfig(
        vocab_size=8,
        d_model=16,
        d_mlp=24,
        mixers=tuple(mixers),
        n_heads=2,
        n_filter_groups=4,
        medium_taps=20,
        rotary_scale=scale,
    )
    network = StripedHyena(config).requires_grad_(requires_grad=False)
    initialise(network, torch.Generator().manual_seed(0))
    return network


def tokens_of(length, batch=2):
    return torch.randint(0, 4, (batch, length), generator=torch.Generator().manual_seed(1))


def in_pieces(network, tokens, sizes):
    """Read consecutive pieces, the last as long as the rest."""
    states, out, start = network.states(tokens.shape[1]), [], 0
    for size in [*sizes, tokens.shape[1]]:
        if start < tokens.shape[1]:
            out.append(network.stream(tokens[:, start : start + size], states))
        start += size
    return torch.cat(out, dim=1), states


def relative_error(found, expected):
    return float((found.float() - expected.float()).norm() / expected.float().norm())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=3),
    st.integers(1, 90),
    st.lists(st.integers(1, 50), max_size=5),
    st.sampled_from([1.0, 32.0]),
)
def test_pieces_of_any_lengths_equal_one_pass(mixers, length, sizes, scale):
    network, tokens = make_network(mixers, scale=scale), tokens_of(length)
    found, _ = in_pieces(network, tokens, sizes)
    assert relative_error(found, network.stream(tokens)) <= 1e-5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunk", [1, 3, 339, 1000])
def test_chunks_of_each_kind_equal_one_pass(kind, chunk):
    length = 400 if chunk > 3 else 100
    network, tokens = make_network([kind, kind]), tokens_of(length, batch=1)
    found, _ = in_pieces(network, tokens, [chunk] * (length // chunk))
    assert relative_error(found, network.stream(tokens)) <= 1e-5


def test_chunks_in_half_precision_equal_one_pass_up_to_its_rounding():
    network, tokens = make_network(KINDS), tokens_of(200)
    exact = network.stream(tokens)
    set_dtype(network, torch.bfloat16)
    whole = network.stream(tokens)
    found, _ = in_pieces(network, tokens, [33] * 6)
    assert relative_error(found, whole) <= relative_error(whole, exact)


def test_what_came_before_matters():
    # were the state not used, the second piece would be read as a sequence of its own
    for kind in KINDS:
        network, tokens = make_network([kind]), tokens_of(60)
        alone = network.stream(tokens[:, 30:])
        found, _ = in_pieces(network, tokens, [30])
        assert relative_error(alone, found[:, 30:]) > 1e-2, kind


def test_only_keys_and_values_grow_with_the_sequence():
    network = make_network(KINDS)
    sizes = [
        [kept_bytes(state) for state in in_pieces(network, tokens_of(n), [40] * 9)[1]]
        for n in (80, 320)
    ]
    assert sizes[0][:3] == sizes[1][:3]
    assert sizes[1][3] == 4 * sizes[0][3]
    # batch 2, 2 taps before the last on 48 channels and 6 on 16, float32
    assert sizes[0][0] == 2 * (2 * 48 + 6 * 16) * 4


def kept_bytes(state):
    """Bytes of the memory behind whatever a state holds, not of its views."""
    held = vars(state).values()
    tensors = [x for x in held if isinstance(x, torch.Tensor)]
    inner = [kept_bytes(x) for x in held if isinstance(x, Tail)]
    return sum(x.untyped_storage().nbytes() for x in tensors) + sum(inner)


def test_the_state_of_a_long_filter_is_float32_in_half_precision():
    network = make_network(["LI"])
    set_dtype(network, torch.bfloat16)
    _, states = in_pieces(network, tokens_of(20), [10])
    assert states[0].modes.dtype == torch.float32


def test_a_tail_holds_zeros_and_then_the_last_inputs():
    tail = Tail(3)
    x = torch.arange(1.0, 6.0)[None, :, None]
    assert tail.swap(x[:, :2]).flatten().tolist() == [0, 0, 0]
    assert tail.swap(x[:, 2:]).flatten().tolist() == [0, 1, 2]
    assert tail.swap(x).flatten().tolist() == [3, 4, 5]


def test_a_cache_gives_all_keys_so_far():
    cache = KeyValueCache(5)
    key = torch.arange(5.0)[None, None, :, None]
    cache.extend(key[:, :, :3], -key[:, :, :3])
    keys, values = cache.extend(key[:, :, 3:], -key[:, :, 3:])
    assert torch.equal(keys, key)
    assert torch.equal(values, -key)
    assert cache.n_tokens == 5


def test_a_state_is_of_its_block():
    states = make_network(KINDS).states(7)
    assert [type(state) for state in states] == [FilterState] * 3 + [KeyValueCache]
    assert states[3].capacity == 7
