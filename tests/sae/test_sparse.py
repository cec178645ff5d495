import pytest
import torch

from genointerp.sae.kernel.sparse import SparsePattern, sparse_decode, sparse_encode

N, D, M = 30, 7, 50


def test_pattern_read_by_feature_is_its_transpose():
    row, feature = torch.tensor([0, 0, 2]), torch.tensor([1, 3, 1])
    pattern = SparsePattern.from_hits(row, feature, (3, 4))
    assert pattern.offsets.tolist() == [0, 2, 2]
    assert pattern.by_feature.row.tolist() == [0, 2, 0]
    assert pattern.by_feature.offsets.tolist() == [0, 0, 2, 2]
    assert pattern.share == 0.25


def test_values_are_read_and_written_at_the_hits():
    pattern = SparsePattern.from_hits(torch.tensor([0, 1]), torch.tensor([2, 0]), (2, 3))
    z = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert pattern.values_of(z).tolist() == [3, 4]
    assert pattern.dense(torch.tensor([7.0, 8.0])).tolist() == [[0, 0, 7], [8, 0, 0]]


@pytest.mark.parametrize("share", [0.0, 0.03, 0.1, 0.6], ids=lambda share: f"{share}-on")
def test_gradients_equal_those_of_dense_products_however_full_the_pattern(share):
    generator = torch.Generator().manual_seed(0)
    on = torch.rand(N, M, generator=generator) < share
    pattern = SparsePattern.from_hits(*on.nonzero(as_tuple=True), (N, M))
    shapes = {"W_enc": (D, M), "b_enc": (M,), "W_dec": (M, D)}
    weights = {
        name: torch.randn(shape, generator=generator, requires_grad=True)
        for name, shape in shapes.items()
    }
    x, target = (torch.randn(N, D, generator=generator) for _ in range(2))

    def gradients(x_hat):
        (x_hat - target).square().sum().backward()
        found = [weight.grad.clone() for weight in weights.values()]
        for weight in weights.values():
            weight.grad = None
        return found

    z = x @ weights["W_enc"] + weights["b_enc"]
    expected = gradients((on * z) @ weights["W_dec"])
    pre = sparse_encode(x, weights["W_enc"], weights["b_enc"], z.detach(), pattern)
    for found, wanted in zip(
        gradients(sparse_decode(pre, weights["W_dec"], pattern)), expected, strict=True
    ):
        scale = wanted.abs().max().clamp_min(1e-6)
        torch.testing.assert_close(found / scale, wanted / scale, rtol=0, atol=1e-5)


def test_weights_that_are_held_get_no_gradient():
    pattern = SparsePattern.from_hits(torch.tensor([0]), torch.tensor([1]), (1, 40))
    value = torch.ones(1, requires_grad=True)
    weight = torch.randn(40, 3)
    sparse_decode(value, weight, pattern).sum().backward()
    torch.testing.assert_close(value.grad, weight[1].sum()[None])
