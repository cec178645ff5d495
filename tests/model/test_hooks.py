"""Hooks on small networks whose activations can be computed by hand."""

import threading

import pytest
import torch
from torch import nn

from genointerp.core.errors import InputError, UnknownNameError
from genointerp.model.hooks import ForwardStopped, apply_edits, hooked
from genointerp.model.protocol import Edit


class Sum(nn.Module):
    """Adds to each token all those before it, and a constant."""

    def __init__(self, constant):
        super().__init__()
        self.constant = constant
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x.cumsum(1) + self.constant


class Pair(Sum):
    """Returns a tuple, as the layers of some families do."""

    def forward(self, x):
        return super().forward(x), "state", None


class InPlace(nn.Module):
    def forward(self, x):
        return x.mul_(100.0)


class Network(nn.Module):
    """Two blocks and an in-place head; tuples travel between the blocks."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = Pair(1.0), Sum(10.0), InPlace()

    def forward(self, x):
        x, *self.seen = self.first(x)
        return self.head(self.second(x))


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def sites(network):
    return {"first": network.first, "second": network.second, "head": network.head}


ONES = torch.ones(1, 3, 1)


def rows(x):
    return x[0, :, 0].tolist()


def hooks_of(network):
    return [len(module._forward_hooks) for module in network.modules()]


def test_what_a_site_returns_is_captured(network, sites):
    with hooked(sites, capture=["second", "first"]) as captured:
        out = network(ONES)
    assert rows(captured["first"]) == [2, 3, 4]
    assert rows(captured["second"]) == [12, 15, 19]
    assert rows(out) == [1200, 1500, 1900]


def test_a_later_in_place_operation_does_not_change_what_was_captured(network, sites):
    with hooked(sites, capture=["second"]) as captured:
        network(ONES)
    assert rows(captured["second"]) == [12, 15, 19]


def test_the_rest_of_a_tuple_goes_on_beside_the_edited_activations(network, sites):
    with hooked(sites, edits=[Edit("first", lambda x: x + 1)], capture=["first"]) as captured:
        network(ONES)
    assert rows(captured["first"]) == [3, 4, 5]
    assert network.seen == ["state", None]


def test_edits_of_a_site_follow_one_another_and_come_before_its_capture(network, sites):
    edits = [Edit("second", lambda x: x * 2), Edit("second", lambda x: x + 1)]
    with hooked(sites, edits=edits, capture=["second"]) as captured:
        out = network(ONES)
    assert rows(captured["second"]) == [25, 31, 39]
    assert rows(out) == [2500, 3100, 3900]


def test_an_edit_below_changes_what_is_captured_above(network, sites):
    with hooked(sites, edits=[Edit("first", torch.zeros_like)], capture=["second"]) as captured:
        network(ONES)
    assert rows(captured["second"]) == [10, 10, 10]


def test_nothing_above_the_last_site_is_computed(network, sites):
    reached = False
    with hooked(sites, capture=["first"], stop_after="first") as captured:
        network(ONES)
        reached = True
    assert not reached
    assert rows(captured["first"]) == [2, 3, 4]
    assert network.second.calls == 0


def test_a_pass_may_stop_at_a_site_that_is_not_captured(network, sites):
    with hooked(sites, stop_after="first") as captured:
        network(ONES)
    assert captured == {}
    assert network.second.calls == 0


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        pytest.param(0, None, [-2, -3, -4], id="all"),
        pytest.param(1, None, [2, -3, -4], id="from-the-second"),
        pytest.param(0, 1, [-2, 3, 4], id="only-the-first"),
        pytest.param(1, 2, [2, -3, 4], id="only-the-second"),
        pytest.param(2, 99, [2, 3, -4], id="beyond-the-end"),
        pytest.param(3, None, [2, 3, 4], id="after-the-end"),
    ],
)
def test_only_the_tokens_of_its_range_are_edited(network, sites, start, end, expected):
    edits = [Edit("first", torch.neg, start, end)]
    with hooked(sites, edits=edits, capture=["first"]) as captured:
        network(ONES)
    assert rows(captured["first"]) == expected


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 7])
@pytest.mark.parametrize(("start", "end"), [(0, None), (2, 5), (3, 4), (6, None), (0, 1)])
def test_ranges_are_of_the_sequence_whatever_the_chunks(chunk, start, end):
    x = torch.arange(7.0).reshape(1, 7, 1)
    layer, edits = nn.Identity(), [Edit("a", lambda part: part + 100, start, end)]
    pieces = []
    for offset in range(0, 7, chunk):
        with hooked({"a": layer}, edits=edits, capture=["a"], offset=offset) as captured:
            layer(x[:, offset : offset + chunk])
        pieces.append(captured["a"])
    expected = [i + 100 if start <= i < (7 if end is None else end) else i for i in range(7)]
    assert rows(torch.cat(pieces, dim=1)) == expected


def test_an_edit_function_is_given_the_tokens_of_its_range_alone(network, sites):
    seen = []
    edits = [Edit("first", lambda x: seen.append(x.shape) or x, 1, 3)]
    with hooked(sites, edits=edits):
        network(ONES)
    assert seen == [(1, 2, 1)]


def test_tokens_before_an_edit_are_equal_to_the_last_bit(network, sites):
    x = torch.randn(2, 9, 4, generator=torch.Generator().manual_seed(0))
    edits = [Edit("first", lambda part: part * 1e6, 4)]
    with hooked(sites, capture=["second"]) as clean:
        network(x.clone())
    with hooked(sites, edits=edits, capture=["second"]) as edited:
        network(x.clone())
    assert torch.equal(clean["second"][:, :4], edited["second"][:, :4])
    assert not torch.isclose(clean["second"][:, 4:], edited["second"][:, 4:]).any()


def test_an_edit_in_double_precision_is_given_on_as_the_network_works(network, sites):
    with hooked(sites, edits=[Edit("first", lambda x: x.double())], capture=["second"]) as captured:
        network(ONES)
    assert captured["second"].dtype == torch.float32


def test_an_edit_that_changes_the_shape_is_named(network, sites):
    edits = [Edit("first", lambda x: x[:, :1])]
    with (
        pytest.raises(InputError, match=r"edit of first: .*\(1, 3, 1\).*found \(1, 1, 1\)"),
        hooked(sites, edits=edits),
    ):
        network(ONES)
    assert hooks_of(network) == [0, 0, 0, 0]


def test_a_module_that_returns_no_activations_is_named():
    class Named(nn.Module):
        def forward(self, x):
            return {"x": x}

    layer = Named()
    with (
        pytest.raises(InputError, match=r"site a: .*begins with one, found dict"),
        hooked({"a": layer}, capture=["a"]),
    ):
        layer(ONES)
    assert not layer._forward_hooks


@pytest.mark.parametrize("part", ["capture", "edits", "stop_after"])
def test_an_unknown_site_is_named_and_no_hook_is_left(network, sites, part):
    asked = {
        "capture": {"capture": ["first", "third"]},
        "edits": {"capture": ["first"], "edits": [Edit("third", torch.neg)]},
        "stop_after": {"capture": ["first"], "stop_after": "third"},
    }[part]
    with (
        pytest.raises(UnknownNameError, match="one of first, second, head, found 'third'"),
        hooked(sites, **asked),
    ):
        pass
    assert hooks_of(network) == [0, 0, 0, 0]


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, SystemExit, ForwardStopped])
@pytest.mark.parametrize("place", ["edit", "block"])
def test_hooks_are_removed_whatever_error_passes(network, sites, error, place):
    def fail(x):
        raise error("on purpose")

    edits = [Edit("second", fail)] if place == "edit" else []

    def block():
        with hooked(sites, edits=edits, capture=["first"]):
            assert hooks_of(network)[1] == 1
            network(ONES)
            raise error("on purpose")

    with pytest.raises(error):
        block()
    assert hooks_of(network) == [0, 0, 0, 0]
    # and what an edit function left behind does not silence those that follow
    with hooked(sites, capture=["first"]) as captured:
        network(ONES)
    assert rows(captured["first"]) == [2, 3, 4]


def test_blocks_may_be_nested(network, sites):
    with (
        hooked(sites, capture=["second"], edits=[Edit("first", lambda x: x * 0)]) as outer,
        hooked(sites, capture=["first", "second"], edits=[Edit("first", lambda x: x + 1)]) as inner,
    ):
        network(ONES)
    assert rows(inner["first"]) == [1, 1, 1]
    assert rows(inner["second"]) == rows(outer["second"]) == [11, 12, 13]


def test_an_inner_block_does_not_swallow_the_stop_of_an_outer_one(network, sites):
    with hooked(sites, capture=["first"], stop_after="first") as outer:
        with hooked(sites, capture=["second"]) as inner:
            network(ONES)
        pytest.fail("the outer block has been left by its stop")
    assert rows(outer["first"]) == [2, 3, 4]
    assert inner == {}
    assert hooks_of(network) == [0, 0, 0, 0]


def test_an_edit_function_may_run_the_network_itself(network, sites):
    def from_another_run(x):
        with hooked(sites, capture=["first"], stop_after="first") as captured:
            network(torch.zeros(1, 3, 1))
        return captured["first"]

    with hooked(sites, edits=[Edit("first", from_another_run)], capture=["first", "second"]) as own:
        network(ONES)
    assert rows(own["first"]) == [1, 1, 1]
    assert rows(own["second"]) == [11, 12, 13]


def test_threads_do_not_see_each_others_hooks(network, sites):
    other = {}

    def run_plainly():
        with hooked(sites, capture=["second"]) as captured:
            network(ONES)
        other.update(captured)

    with hooked(sites, edits=[Edit("first", torch.zeros_like)], capture=["second"]) as captured:
        thread = threading.Thread(target=run_plainly)
        thread.start()
        thread.join()
        assert captured == {}
        network(ONES)
    assert rows(captured["second"]) == [10, 10, 10]
    assert rows(other["second"]) == [12, 15, 19]


def test_a_function_that_asks_for_its_place_is_told_it():
    class Place:
        def __call__(self, x):
            return self.at(x, -1)

        def at(self, x, first):
            return torch.full_like(x, first)

    edit = Edit("a", Place(), 2, 5)
    assert rows(apply_edits(torch.zeros(1, 7, 1), [edit])) == [0, 0, 2, 2, 2, 0, 0]
    assert rows(apply_edits(torch.zeros(1, 3, 1), [edit], offset=3)) == [3, 3, 0]
