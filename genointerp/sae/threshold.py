"""Estimate the threshold of a BatchTopK dictionary that was published without one."""

from collections.abc import Iterable

import torch
from jaxtyping import Float32
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.sae.base import SparseAutoencoder


@torch.no_grad()
def estimate_threshold(
    sae: SparseAutoencoder, batches: Iterable[Float32[Tensor, "_ d_in"]], *, n_rows: int
) -> float:
    """Return the threshold above which ``k`` features fire on a row on average.

    Parameters
    ----------
    sae
        Dictionary whose ``config.k`` is the budget of a row.
    batches
        Raw activations, from all over the genome: the threshold is valid for such activations.
    n_rows
        Number of rows of all batches.

    Raises
    ------
    InputError
        If the number of rows is another one, or 0.

    Notes
    -----
    The threshold is the value of rank ``k n_rows + 1`` among the positive z of all rows, or 0 if
    there are fewer. This is exactly BatchTopK over all rows in one call, however they are batched,
    and needs memory for about twice ``k n_rows`` numbers.
    """
    budget = sae.config.k * n_rows
    highest, floor, seen = torch.zeros(0), 0.0, 0
    for x in batches:
        seen += len(x)
        z = sae.pre_activations(x.to(sae.b_dec))
        highest = torch.cat([highest, z[z > floor].cpu().float()])
        if len(highest) > 2 * budget:
            highest = highest.topk(budget + 1, sorted=False).values
            floor = float(highest.min())
    if seen != n_rows or n_rows == 0:
        raise InputError("rows for the threshold", f"{max(n_rows, 1)}", f"{seen}")
    if len(highest) <= budget:
        return 0.0
    return float(highest.topk(budget + 1).values[-1])
