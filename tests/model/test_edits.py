"""Each edit by numbers worked out by hand, and against its formula written as a loop."""

import pytest
import torch
from torch import nn

from genointerp.core.errors import ConfigError, InputError
from genointerp.model.edits import ablate, add, clamp, replace
from genointerp.model.hooks import apply_edits, hooked

X = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
NAN = float("nan")


def edited(edit, x=X):
    return apply_edits(x, [edit])[0].tolist()


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_add_adds_a_multiple_of_the_vector():
    edit = add("a", torch.tensor([1.0, -1.0]), strength=2.0, start=1)
    assert edited(edit) == [[1, 2], [5, 2], [7, 4]]
    assert edited(add("a", torch.tensor([1.0, -1.0]))) == [[2, 1], [4, 3], [6, 5]]


def test_clamp_sets_the_coefficient_along_the_direction():
    # u = (.6, .8): coefficients 2.2, 5, 7.8
    edit = clamp("a", torch.tensor([3.0, 4.0]), 10.0, start=1, end=2)
    assert edited(edit) == [[1, 2], pytest.approx([6, 8]), [5, 6]]


def test_clamp_leaves_what_is_orthogonal():
    edit = clamp("a", torch.tensor([0.0, -5.0]), 7.0)
    assert edited(edit) == [[1, -7], [3, -7], [5, -7]]


def test_ablate_projects_the_direction_out():
    assert edited(ablate("a", torch.tensor([2.0, 0.0]))) == [[0, 2], [0, 4], [0, 6]]
    diagonal = edited(ablate("a", torch.tensor([1.0, 1.0]), start=2))
    assert diagonal == [[1, 2], [3, 4], pytest.approx([-0.5, 0.5])]


def test_ablate_without_a_direction_sets_all_to_zero():
    assert edited(ablate("a", start=1, end=3)) == [[1, 2], [0, 0], [0, 0]]


def test_replace_by_one_vector():
    assert edited(replace("a", torch.tensor([8.0, 9.0]), end=2)) == [[8, 9], [8, 9], [5, 6]]


def test_replace_by_a_row_for_each_token():
    values = torch.tensor([[10.0, 11.0], [12.0, 13.0]])
    assert edited(replace("a", values, start=1)) == [[1, 2], [10, 11], [12, 13]]
    assert edited(replace("a", values)) == [[10, 11], [12, 13], [5, 6]]


def test_replace_by_rows_for_each_sequence():
    values = torch.tensor([[[10.0, 11.0]], [[12.0, 13.0]]])
    out = apply_edits(torch.cat([X, X]), [replace("a", values, start=2)])
    assert out[0].tolist() == [[1, 2], [3, 4], [10, 11]]
    assert out[1].tolist() == [[1, 2], [3, 4], [12, 13]]


VECTOR, ROWS = noise(4, seed=1), noise(5, 4, seed=2)
KINDS = {
    "add": (
        lambda start, end: add("a", VECTOR, strength=-1.5, start=start, end=end),
        lambda x, row: [x[i] - 1.5 * float(VECTOR[i]) for i in range(4)],
    ),
    "clamp": (
        lambda start, end: clamp("a", VECTOR, 3.0, start=start, end=end),
        lambda x, row: _project(x, 3.0),
    ),
    "ablate-direction": (
        lambda start, end: ablate("a", VECTOR, start=start, end=end),
        lambda x, row: _project(x, 0.0),
    ),
    "ablate-all": (
        lambda start, end: ablate("a", start=start, end=end),
        lambda x, row: [0.0] * 4,
    ),
    "replace-vector": (
        lambda start, end: replace("a", VECTOR, start=start, end=end),
        lambda x, row: VECTOR.tolist(),
    ),
    "replace-rows": (
        lambda start, end: replace("a", ROWS, start=start, end=end),
        lambda x, row: ROWS[row].tolist(),
    ),
}


def _project(x, value):
    length = sum(v * v for v in VECTOR.tolist()) ** 0.5
    unit = [v / length for v in VECTOR.tolist()]
    coefficient = sum(a * b for a, b in zip(x, unit, strict=True))
    return [a + (value - coefficient) * b for a, b in zip(x, unit, strict=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_edits_are_their_formula_in_one_pass_and_in_chunks(kind):
    make, naive = KINDS[kind]
    x, edit = noise(2, 11, 4), make(3, 8)
    expected = x.clone()
    for sequence in range(2):
        for token in range(3, 8):
            new = naive(x[sequence, token].tolist(), token - 3)
            expected[sequence, token] = torch.tensor(new)
    torch.testing.assert_close(apply_edits(x, [edit]), expected)
    for chunk in (1, 2, 4, 11):
        pieces = [apply_edits(x[:, i : i + chunk], [edit], offset=i) for i in range(0, 11, chunk)]
        torch.testing.assert_close(torch.cat(pieces, dim=1), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_outside_the_range_are_equal_to_the_last_bit(kind):
    x, edit = noise(2, 11, 4), KINDS[kind][0](3, 8)
    out = apply_edits(x, [edit])
    assert torch.equal(out[:, :3], x[:, :3])
    assert torch.equal(out[:, 8:], x[:, 8:])
    assert not torch.isclose(out[:, 3:8], x[:, 3:8]).all(dim=-1).any()


@pytest.mark.parametrize("kind", KINDS)
def test_the_activations_given_are_not_written_to(kind):
    x = noise(1, 5, 4)
    before = x.clone()
    apply_edits(x, [KINDS[kind][0](0, 5)])
    assert torch.equal(x, before)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_an_edit_works_in_the_dtype_of_the_activations(kind, dtype):
    x, edit = noise(2, 5, 4), KINDS[kind][0](0, 5)
    out = apply_edits(x.to(dtype), [edit])
    assert out.dtype == dtype
    # computed in float32 or wider and rounded once: half a unit in the last place, and the input's
    step = {torch.bfloat16: 2**-8, torch.float16: 2**-11, torch.float64: 1e-6}[dtype]
    exact = apply_edits(x.to(dtype).double(), [edit])
    torch.testing.assert_close(out.double(), exact, rtol=step, atol=1e-6)


def test_a_vector_is_moved_to_each_dtype_once(monkeypatch):
    edit = add("a", VECTOR)
    for dtype in (torch.float32, torch.bfloat16):  # both are computed in float32
        apply_edits(noise(1, 3, 4).to(dtype), [edit])
    moves = []
    to = torch.Tensor.to
    monkeypatch.setattr(
        torch.Tensor, "to", lambda self, *args: moves.append(self.shape) or to(self, *args)
    )
    apply_edits(noise(1, 3, 4), [edit])
    assert (4,) not in moves


def test_the_network_may_write_into_replaced_activations():
    class Doubling(nn.Module):
        def forward(self, x):
            return x.mul_(2.0)

    first, second, values = nn.Identity(), Doubling(), torch.tensor([8.0, 9.0])
    edit = replace("a", values)
    for _ in range(2):
        with hooked({"a": first}, edits=[edit]):
            out = second(first(torch.zeros(1, 3, 2)))
        assert out[0].tolist() == [[16, 18]] * 3
    assert values.tolist() == [8, 9]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            lambda: add("a", torch.ones(1, 2)), r"vector of one axis, found shape", id="axes"
        ),
        pytest.param(lambda: add("a", torch.ones(0)), "vector of one axis", id="empty"),
        pytest.param(lambda: add("a", torch.tensor([1.0, NAN])), "finite vector", id="nan"),
        pytest.param(lambda: add("a", VECTOR, strength=NAN), "finite strength", id="strength"),
        pytest.param(lambda: add("a", VECTOR, start=-1), "start < end, found -1, None", id="start"),
        pytest.param(lambda: ablate("a", start=3, end=3), "start < end, found 3, 3", id="range"),
        pytest.param(lambda: clamp("a", VECTOR, NAN), "finite value", id="value"),
        pytest.param(
            lambda: clamp("a", torch.zeros(2), 1.0), "other than zero, found zeros", id="zero"
        ),
        pytest.param(
            lambda: replace("a", torch.ones(2, 3), start=4, end=7),
            "each of the tokens 4 to 7, found 2 rows",
            id="rows",
        ),
        pytest.param(
            lambda: replace("a", torch.ones(1, 1, 2, 3)), "two or three axes, found 4", id="values"
        ),
    ],
)
def test_what_is_no_edit_is_refused(make, message):
    with pytest.raises(ConfigError, match=f"edit of a: .*{message}"):
        make()


def test_integers_are_no_vector():
    with pytest.raises(ConfigError, match=r"floating dtype, found torch\.int64"):
        ablate("a", torch.tensor([1, 2]))


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(add("a", VECTOR), id="add"),
        pytest.param(clamp("a", VECTOR, 1.0), id="clamp"),
        pytest.param(replace("a", ROWS[:3]), id="replace"),
    ],
)
def test_a_vector_of_another_width_is_named(edit):
    with pytest.raises(InputError, match=r"edit of a: expected activations 4 wide.* found 2"):
        apply_edits(X, [edit])


def test_values_for_another_batch_are_named():
    with pytest.raises(InputError, match="batch of 3 sequences, as the values have, found 1"):
        apply_edits(X, [replace("a", torch.ones(3, 3, 2))])
