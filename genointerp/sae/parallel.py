"""Train one dictionary in several processes, each on its share of every batch.

They compute what one process would compute on whole batches, except for the order of sums:
gradients and losses are averaged, and the budget of BatchTopK is that of the whole batch. Without
``torchrun``, nothing here has an effect.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from genointerp.sae.architecture.batch_topk import FLOOR, BatchTopK
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.kernel.selection import above_pattern, largest
from genointerp.sae.kernel.sparse import SparsePattern


@contextmanager
def process_group(device: str) -> Iterator[str]:
    """Join the processes that ``torchrun`` started, and yield the device of this one.

    ``cuda`` becomes the GPU of this process's local rank. A process that was started without
    ``torchrun`` works alone.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ or dist.is_initialized():
        yield device
        return
    is_cuda = device.startswith("cuda")
    own = f"cuda:{os.environ['LOCAL_RANK']}" if device == "cuda" else device
    if is_cuda:
        torch.cuda.set_device(own)
    dist.init_process_group("nccl" if is_cuda else "gloo")
    try:
        yield own
    finally:
        dist.destroy_process_group()


def world_size() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first_process() -> bool:
    """Say whether this is the first process that ``torchrun`` started, or the only one.

    It may log for all, and can be asked before the processes are joined.
    """
    return os.environ.get("RANK", "0") == "0"


def rank() -> int:
    """Return the rank of this process; rank 0 writes files."""
    return dist.get_rank() if dist.is_initialized() else 0


def share_of(x: Shaped[Tensor, "batch d_in"]) -> Shaped[Tensor, "part d_in"]:
    """Return this process's rows of a batch."""
    return x.chunk(world_size())[rank()]


def wait_for_all() -> None:
    """Wait until every process has reached this call."""
    if world_size() > 1:
        dist.barrier()


def mean_over_ranks(value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """Return the mean of a tensor over processes."""
    if world_size() == 1:
        return value
    total = value.clone()
    dist.all_reduce(total)
    return total / world_size()


def min_over_ranks(value: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """Return the least of a value over processes."""
    if world_size() == 1:
        return value
    least = value.clone()
    dist.all_reduce(least, dist.ReduceOp.MIN)
    return least


def any_over_ranks(mask: Bool[Tensor, " n"]) -> Bool[Tensor, " n"]:
    """Return where a mask is true in any process."""
    if world_size() == 1:
        return mask
    found = mask.to(torch.uint8)
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return found.bool()


def average_gradients(sae: SparseAutoencoder) -> None:
    """Replace the gradients of all weights by their means over processes."""
    if world_size() == 1:
        return
    for weight in sae.parameters():
        if weight.grad is not None:
            # the encoder is transposed in memory, which not every backend accepts
            grad = weight.grad.contiguous()
            dist.all_reduce(grad)
            weight.grad.copy_(grad / world_size())


def training_pattern(sae: SparseAutoencoder, z: Float[Tensor, "part n_features"]) -> SparsePattern:
    """Choose the features of this process's rows as if the whole batch were in one process.

    Notes
    -----
    Each process offers its ``k * batch + 1`` largest values. A feature is on if its value exceeds
    the largest value outside the budget. Values that tie with it, in any process, are off, whereas
    a single process would keep the first of them.
    """
    if world_size() == 1 or not isinstance(sae, BatchTopK):
        return sae.training_pattern(z)
    budget = sae.config.k * len(z) * world_size()
    own = z.reshape(-1)[largest(z.reshape(-1), budget + 1, guess=FLOOR * float(sae.threshold))]
    offered = own.new_zeros(budget + 1)
    offered[: len(own)] = own
    everyone = [torch.empty_like(offered) for _ in range(world_size())]
    dist.all_gather(everyone, offered)
    cut = torch.cat(everyone).topk(budget + 1).values[-1]
    return above_pattern(z, cut)
