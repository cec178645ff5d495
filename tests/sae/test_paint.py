"""Painting against a loop over tokens and features, and what it must leave as it is."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.core.errors import InputError, UnknownNameError
from genointerp.sae.architecture.registry import ARCHITECTURES
from genointerp.sae.paint import Column, Painter, Targets
from tests.sae.test_dictionary import N_FEATURES, SPLICED, dictionary_of, rows

UNTOUCHED = (1.0, 0.0, -math.inf)
RULES = {
    "set": lambda v: (0.0, v, -math.inf),
    "raise": lambda v: (1.0, 0.0, v),
    "add": lambda v: (1.0, v, -math.inf),
    "scale": lambda v: (v, 0.0, -math.inf),
    "ablate": lambda _: (0.0, 0.0, -math.inf),
}
NAIVE = {
    "set": lambda f, v: v,
    "raise": lambda f, v: max(f, v),
    "add": lambda f, v: f + v,
    "scale": lambda f, v: v * f,
    "ablate": lambda _f, _v: 0.0,
}


def targets_of(columns, places, *, n_rows=None):
    """Targets of places ``{(row, token): {column: rule}}``, or ``{token: ...}`` without rows."""
    rules = [[at.get(i, UNTOUCHED) for i in range(len(columns))] for at in places.values()]
    rule = torch.tensor(rules).reshape(-1, len(columns), 3)
    spots = [place if isinstance(place, tuple) else (0, place) for place in places]
    row, token = torch.tensor(spots, dtype=torch.int64).reshape(-1, 2).unbind(1)
    return Targets(
        tuple(Column(*column) for column in columns),
        token,
        rule,
        None if n_rows is None else row,
        n_rows or 1,
    )


@pytest.mark.parametrize("architecture", SPLICED)
@pytest.mark.parametrize("mode", sorted(RULES))
def test_painting_is_the_sum_over_features_of_what_is_missing_along_each(architecture, mode):
    dictionary, x = dictionary_of(architecture), rows(2, 6)
    f = dictionary.amounts(x).double()
    values = {(row, token): 0.3 + row + 0.1 * token for row in (0, 1) for token in (1, 4)}
    places = {at: {0: RULES[mode](v), 1: RULES[mode](2 * v)} for at, v in values.items()}
    expected = x.double()
    for (row, token), v in values.items():
        for feature, value in ((7, v), (2, 2 * v)):
            now = float(f[row, token, feature])
            change = NAIVE[mode](now, value) - now
            expected[row, token] += change * dictionary.direction(feature).double()
    painted = Painter(dictionary, targets_of([(7,), (2,)], places, n_rows=2))(x)
    torch.testing.assert_close(painted, expected.float())
    untouched = [0, 2, 3, 5]
    assert torch.equal(painted[:, untouched], x[:, untouched])


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_some_features_are_encoded_as_among_all(architecture):
    sae = dictionary_of(architecture).sae
    x = torch.randn(50, sae.d_in, generator=torch.Generator().manual_seed(0))
    features = torch.tensor([3, 9, 0])
    found = sae.amounts_of(x, features)
    assert (found > 0).any()
    torch.testing.assert_close(found, sae.encode(x).detach()[:, features])


def test_nothing_but_the_painted_columns_is_encoded(monkeypatch):
    dictionary = dictionary_of()
    monkeypatch.setattr(dictionary.sae, "pre_activations", None)
    Painter(dictionary, targets_of([(7,)], {0: {0: RULES["set"](1.0)}}))(rows(1, 3))


def test_a_canvas_without_a_place_returns_the_very_tensor():
    x = rows(2, 3)
    assert Painter(dictionary_of(), targets_of([(7,)], {}))(x) is x


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_tokens_without_a_place_keep_every_bit(dtype):
    x = rows(2, 5).to(dtype)
    x[0, 0] = -0.0
    painted = Painter(dictionary_of(), targets_of([(7,)], {3: {0: RULES["set"](2.0)}}))(x)
    assert painted.dtype == dtype
    others = [0, 1, 2, 4]
    bits = torch.int32 if dtype == torch.float32 else torch.int16
    assert torch.equal(painted[:, others].view(bits), x[:, others].view(bits))
    assert not torch.equal(painted[:, 3], x[:, 3])


def test_rows_of_a_batch_have_doses_of_their_own():
    dictionary, x = dictionary_of(), rows(1, 4).expand(3, -1, -1).clone()
    doses = [1.0, 4.0, 9.0]
    places = {(row, 2): {0: RULES["set"](dose)} for row, dose in enumerate(doses)}
    painted = Painter(dictionary, targets_of([(5,)], places, n_rows=3))(x)
    for row, dose in enumerate(doses):
        alone = Painter(dictionary, targets_of([(5,)], {2: {0: RULES["set"](dose)}}))
        torch.testing.assert_close(painted[row], alone(x[:1])[0])
        along = (painted[row, 2] - x[row, 2]) @ dictionary.direction(5)
        torch.testing.assert_close(along, dose - dictionary.amounts(x, [5])[row, 2, 0])


def test_a_batch_of_another_number_of_rows_is_refused():
    painter = Painter(dictionary_of(), targets_of([(5,)], {(0, 1): {}, (1, 1): {}}, n_rows=2))
    with pytest.raises(InputError, match=r"painting: expected a batch of 2 sequences, .* found 3"):
        painter(rows(3, 2))


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 9), max_size=4), seed=st.integers(0, 50))
def test_pieces_of_a_sequence_are_painted_as_the_whole(cuts, seed):
    dictionary, x = dictionary_of(), rows(2, 9, seed=seed)
    places = {(t % 2, t): {0: RULES["set"](1.0 + t), 1: RULES["scale"](0.5)} for t in range(2, 8)}
    painter = Painter(dictionary, targets_of([(7,), (2, 5)], places, n_rows=2))
    bounds = sorted({0, 9, *cuts})
    pieces = [painter.at(x[:, a:b], a) for a, b in pairwise(bounds)]
    torch.testing.assert_close(torch.cat(pieces, 1), painter(x))


def test_a_condition_paints_only_where_its_feature_fires():
    dictionary, x = dictionary_of(), rows(1, 200)
    places = {token: {0: RULES["add"](3.0)} for token in range(200)}
    painted = Painter(dictionary, targets_of([(7, 2)], places))(x)
    fires = dictionary.amounts(x, [2])[0, :, 0] > 0
    assert 0 < fires.sum() < 200
    assert torch.equal(painted[0, ~fires], x[0, ~fires])
    torch.testing.assert_close(painted[0, fires], x[0, fires] + 3 * dictionary.direction(7))


def test_a_control_writes_the_same_change_along_other_directions():
    dictionary, x = dictionary_of(), rows(1, 4)
    other = torch.randn(1, x.shape[-1], generator=torch.Generator().manual_seed(0))
    targets = targets_of([(7,)], {1: {0: RULES["set"](2.0)}})
    painted = Painter(dictionary, targets, other)(x)
    missing = 2.0 - dictionary.amounts(x, [7])[0, 1, 0]
    torch.testing.assert_close(painted[0, 1], x[0, 1] + missing * other[0])


def test_what_the_dictionary_does_not_explain_is_kept():
    dictionary, x = dictionary_of(), rows(1, 1)
    f = dictionary.amounts(x)
    error = x - dictionary.decode(f)
    places = {0: {i: RULES["ablate"](0) for i in range(N_FEATURES)}}
    painted = Painter(dictionary, targets_of([(i,) for i in range(N_FEATURES)], places))(x)
    torch.testing.assert_close(painted, dictionary.decode(torch.zeros_like(f)) + error)


def test_an_unknown_feature_and_a_transcoder_are_refused():
    with pytest.raises(UnknownNameError, match="expected a feature from 0 to 9, found 10"):
        Painter(dictionary_of(), targets_of([(3, 10)], {}))
    with pytest.raises(InputError, match="a dictionary that reconstructs what it reads"):
        Painter(dictionary_of("transcoder"), targets_of([(3,)], {}))


@pytest.mark.parametrize("value", [1e16, 1e38, math.inf, math.nan])
def test_an_amount_whose_square_float32_does_not_hold_is_refused(value):
    for mode in ("set", "add", "scale"):
        targets = targets_of([(3,)], {0: {0: RULES[mode](value)}})
        with pytest.raises(InputError, match="painting: expected amounts and factors below 1e"):
            Painter(dictionary_of("relu"), targets)
