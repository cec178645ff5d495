"""Select entries of a matrix of pre-activations: the largest, or those above a threshold.

Reading the matrix is what costs time, so it is read once, for the maxima of groups of entries; the
entries sought can only be in groups whose maximum is large enough, and these are few.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from genointerp.sae.kernel.sparse import SparsePattern

_GROUP = 16
"""Size of the groups of features whose maximum is taken, to find the largest of a token."""
_FLAT_GROUP = 32
"""Size of the groups of neighbouring entries whose maximum is taken, if a threshold is known."""

_SAMPLE = 1 << 16
"""Number of entries from which a threshold is guessed."""


class Entries(NamedTuple):
    """Places in a flattened matrix, ascending, and the values there."""

    place: Int64[Tensor, " hit"]
    value: Float[Tensor, " hit"]


def topk_pattern(z: Float[Tensor, "batch n_features"], k: int) -> SparsePattern:
    """Return the k largest positive entries of each row, features ascending."""
    feature = _topk_features(z, k).sort(dim=1).values
    is_on = z.gather(1, feature) > 0
    row = torch.arange(len(z), device=z.device)[:, None].expand_as(feature)
    return SparsePattern.from_hits(row[is_on], feature[is_on], (z.shape[0], z.shape[1]))


def above_pattern(
    z: Float[Tensor, "batch n_features"],
    threshold: float | Float[Tensor, ""] | Float[Tensor, " n_features"],
) -> SparsePattern:
    """Return the entries above a threshold, one for all features or one for each."""
    limit = torch.as_tensor(threshold, device=z.device)
    found = entries_above(z.reshape(-1), float(limit.min()))
    row, feature = found.place // z.shape[1], found.place % z.shape[1]
    if limit.ndim == 1:
        is_on = found.value > limit[feature]
        row, feature = row[is_on], feature[is_on]
    return SparsePattern.from_hits(row, feature, (z.shape[0], z.shape[1]))


def largest(z: Float[Tensor, " n"], count: int, *, guess: float) -> Int64[Tensor, " hit"]:
    """Return the places of the ``count`` largest positive values, ascending; ties go to the first.

    ``guess`` is a value that the result is likely to exceed; if it is 0, it is estimated from a
    sample of the entries. It makes the search fast and does not change the result: sorting a whole
    batch would take longer than the encoder's matrix product.
    """
    floor = max(guess, 0.0) or _sampled_floor(z, count)
    place, value = entries_above(z, floor)
    if len(place) < count and floor > 0:
        place, value = entries_above(z, 0.0)
    if len(place) <= count:
        return place
    smallest = _kth_largest(value, count)
    above = value > smallest
    ties = torch.nonzero(value == smallest).squeeze(1)[: count - int(above.sum())]
    above[ties] = True
    return place[above]


def entries_above(z: Float[Tensor, " n"], floor: float) -> Entries:
    """Return the entries above ``floor``."""
    if len(z) % _FLAT_GROUP == 0 and len(z) > 0:
        groups = z.view(-1, _FLAT_GROUP)
        chosen = torch.nonzero(groups.amax(1) > floor).squeeze(1)
        if 2 * len(chosen) < len(groups):
            inside = groups.index_select(0, chosen).view(-1)
            hit = torch.nonzero(inside > floor).squeeze(1)
            group, offset = hit // _FLAT_GROUP, hit % _FLAT_GROUP
            return Entries(chosen[group] * _FLAT_GROUP + offset, inside[hit])
    place = torch.nonzero(z > floor).squeeze(1)
    return Entries(place, z[place])


def _topk_features(z: Tensor, k: int) -> Tensor:
    """Return the features of the k largest entries of each row, in any order.

    The k-th largest of the group maxima is a lower bound of the k-th largest entry; all entries
    above it are in the k groups with the largest maxima.
    """
    batch, n_groups = z.shape[0], z.shape[1] // _GROUP
    if z.shape[1] % _GROUP or n_groups < 4 * k or batch == 0:
        return z.topk(k, dim=1, sorted=False).indices
    grouped = z.view(batch, _GROUP, n_groups)
    top = grouped.amax(1).topk(k, dim=1, sorted=False)
    inside = grouped.gather(2, top.indices[:, None, :].expand(batch, _GROUP, k)).view(batch, -1)
    hit = torch.nonzero((inside >= top.values.amin(1, keepdim=True)).view(-1)).squeeze(1)
    row, place = hit // inside.shape[1], hit % inside.shape[1]
    feature = (place // k) * n_groups + top.indices[row, place % k]
    narrow = SparsePattern.from_hits(row, feature, (batch, z.shape[1]))
    slot = torch.arange(len(row), device=z.device) - narrow.offsets[row]
    candidates = feature.new_zeros(batch, int(slot.max()) + 1)
    value = z.new_full(candidates.shape, -torch.inf)
    candidates[row, slot], value[row, slot] = feature, inside.view(-1)[hit]
    return candidates.gather(1, value.topk(k, dim=1, sorted=False).indices)


def _sampled_floor(z: Tensor, count: int) -> float:
    """Return a value that about ``2 * count`` entries exceed, at least 0."""
    sample = z[:: max(1, len(z) // _SAMPLE)]
    rank = 2 * count * len(sample) // max(1, len(z))
    return (
        0.0 if rank >= len(sample) else max(0.0, float(sample.sort(descending=True).values[rank]))
    )


def _kth_largest(value: Tensor, k: int) -> Tensor:
    if value.dtype != torch.float32:
        return torch.kthvalue(value, len(value) - k + 1).values
    # the bits of positive floats are ordered as the floats are, and torch sorts integers in threads
    bits = value.view(torch.int32).sort().values
    return bits[len(bits) - k].view(torch.float32)
