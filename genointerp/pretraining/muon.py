"""The optimiser Muon, with matrix products in a precision that can be chosen.

Torch's own Muon rounds them to bfloat16. On a CPU without instructions for bfloat16, they then take
about twenty times longer, and more time than the rest of a training step.
"""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Coefficients of ``a x + b x^3 + c x^5``, which moves singular values towards 1 (Jordan et al.
2024)."""
N_ITERATIONS = 5
_TINY = 1e-7


class Muon(torch.optim.Optimizer):
    """Gradient descent with momentum, whose updates of matrices are made nearly orthogonal.

    Parameters
    ----------
    params
        Matrices, or groups of them.
    lr
        Step size, comparable to AdamW's: updates have the root mean square that is typical of
        AdamW.
    weight_decay
        Decoupled weight decay, multiplied by the learning rate.
    momentum
        Share of the old momentum that each step keeps; the momentum is Nesterov's.
    product_dtype
        Precision of the products that make an update orthogonal; None means that of the weights.
        Momentum and weights keep their own precision.

    Notes
    -----
    Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks". The size of the
    update, ``.2 sqrt(max(rows, columns))``, is that of Liu et al. 2025, arXiv 2502.16982.
    """

    def __init__(
        self,
        params: list[Tensor] | list[dict[str, object]],
        *,
        lr: float,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        product_dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.product_dtype = product_dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Apply the gradients."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(parameter)
        buffer, keep = state["momentum_buffer"], group["momentum"]
        assert parameter.grad is not None
        buffer.lerp_(parameter.grad, 1 - keep)
        direction = orthogonalised(parameter.grad.lerp(buffer, keep), self.product_dtype)
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        size = 0.2 * math.sqrt(max(parameter.shape))
        parameter.add_(direction, alpha=-group["lr"] * size)


def orthogonalised(
    matrix: Float[Tensor, "row column"], product_dtype: torch.dtype | None = None
) -> Float[Tensor, "row column"]:
    """Return a matrix with the same singular vectors, and singular values of about 1.

    Notes
    -----
    This is a Newton-Schulz iteration on the shorter side; a zero matrix stays zero.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = (x / x.norm().clamp_min(_TINY)).to(product_dtype or matrix.dtype)
    a, b, c = COEFFICIENTS
    for _ in range(N_ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    x = x.to(matrix.dtype)
    return x.T if tall else x
