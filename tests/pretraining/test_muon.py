import pytest
import torch

from genointerp.pretraining.muon import Muon, orthogonalised

SHAPES = [(12, 5), (5, 12), (8, 8)]


def _matrix(shape: tuple[int, int], seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_vectors_stay_and_singular_values_come_near_one(shape):
    matrix = _matrix(shape)
    found = orthogonalised(matrix)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inner = left.T @ found @ right.T
    values = inner.diagonal()
    assert values.min() > 0.5
    assert values.max() < 1.5
    assert (inner - values.diag()).abs().max() < 1e-4


def test_a_zero_matrix_stays_zero():
    assert torch.equal(orthogonalised(torch.zeros(3, 4)), torch.zeros(3, 4))


def test_the_scale_of_a_gradient_does_not_matter():
    matrix = _matrix((6, 4))
    torch.testing.assert_close(orthogonalised(matrix), orthogonalised(1e-4 * matrix))


@pytest.mark.parametrize("shape", SHAPES)
def test_steps_equal_torchs_muon_to_its_rounding(shape):
    ours, theirs = (torch.nn.Parameter(_matrix(shape)) for _ in range(2))
    rate, decay = 0.02, 0.5
    optimisers = [
        Muon([ours], lr=rate, weight_decay=decay),
        torch.optim.Muon([theirs], lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
    ]
    for step in range(4):
        for parameter, optimiser in zip((ours, theirs), optimisers, strict=True):
            parameter.grad = _matrix(shape, seed=step + 1)
            optimiser.step()
    moved = (ours - _matrix(shape)).norm()
    assert (ours - theirs).norm() < 0.02 * moved


def test_a_step_is_of_adamws_size():
    weight = torch.nn.Parameter(torch.zeros(64, 64))
    weight.grad = _matrix((64, 64))
    Muon([weight], lr=0.1, weight_decay=0.0).step()
    # .2 sqrt(64) times an orthogonal matrix, whose elements have the root mean square 1 / sqrt(64)
    assert weight.detach().square().mean().sqrt() == pytest.approx(0.1 * 0.2, rel=0.25)


def test_momentum_is_kept_in_the_state():
    weight = torch.nn.Parameter(_matrix((4, 4)))
    first = Muon([weight], lr=0.1)
    weight.grad = _matrix((4, 4), seed=1)
    first.step()
    second = Muon([weight], lr=0.1)
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(
        second.state[weight]["momentum_buffer"], 0.05 * _matrix((4, 4), seed=1)
    )


def test_products_in_half_precision_turn_a_matrix_the_same_way():
    matrix = _matrix((12, 5))
    full, half = orthogonalised(matrix), orthogonalised(matrix, torch.bfloat16)
    assert half.dtype == torch.float32
    assert not torch.equal(full, half)
    assert (full - half).norm() < 0.03 * full.norm()
