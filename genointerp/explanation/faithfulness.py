"""Faithfulness: how much of a number some nodes carry alone, and how much is left without them.

After Marks et al. 2024 (arXiv 2403.19647), section 3: their faithfulness and completeness of sparse
feature circuits, here of the nodes of one site.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.core.seed import rng
from genointerp.explanation.attribution import Attribution, Nodes
from genointerp.model.protocol import DnaModel
from genointerp.reading.question import clean_activations
from genointerp.sae.dictionary import Dictionary

Order = Literal["attribution", "gradient", "activation", "random", "shuffled"]
"""By what nodes are taken first: their attribution, or their gradient at one point. The controls
are the amount alone; random nodes, each of the amount of a node of ``attribution``; and the
attribution that the same place has in a shuffled sequence."""
SIZES = (10, 20, 50, 100, 200, 500, 1000)
"""Numbers of nodes of a curve."""
_POOL = 50
"""Number of firing nodes on either side, by amount, from which a random node is drawn."""


class Ranking(NamedTuple):
    """Feature nodes in some order."""

    order: Order
    nodes: Nodes


def rankings(
    found: Attribution, shuffled: Attribution | None, *, n: int = max(SIZES), seed: int = 0
) -> list[Ranking]:
    """Return the first ``n`` feature nodes by attribution, and those of the other orders.

    Parameters
    ----------
    shuffled
        The same question with the bases before in another order; without it, that control is
        left out.

    Notes
    -----
    A random node is drawn for each node by attribution, from the 50 firing nodes of next smaller
    and of next larger amount, without those by attribution themselves, and none twice.
    """
    own = _first(found.features, n)
    orders = [
        Ranking("attribution", own),
        Ranking("gradient", _first(found.feature_gradients, n)),
        Ranking("activation", _first(found.amounts, n)),
        Ranking("random", _matched(found, own, seed)),
    ]
    if shuffled is not None:
        orders.append(Ranking("shuffled", _first(shuffled.features, n)))
    return orders


def curves(
    model: DnaModel,
    dictionary: Dictionary,
    found: Attribution,
    orders: Sequence[Ranking],
    *,
    sizes: Sequence[int] = SIZES,
    batch: int = 20,
) -> pd.DataFrame:
    """Return faithfulness and completeness of the first nodes of each order.

    The columns are ``order, k, errors, faithfulness, completeness``; sizes beyond the nodes that
    an order has are left out.

    Notes
    -----
    With m the number, M all nodes and 0 none of them (all at their baseline), faithfulness of nodes
    C is ``(m(C) - m(0)) / (m(M) - m(0))`` and completeness ``(m(M - C) - m(0)) / (m(M) - m(0))``:
    1 and 0 if C is all that counts. Both need a change ``m(M) - m(0)`` that is not small, such as a
    nat. Errors are no part of C: they are all at their baseline, or all kept.
    """
    question, site = found.question, found.site
    x = clean_activations(model, site, question.read.spans.ids)
    directions = dictionary.directions.cpu()
    away = torch.from_numpy(found.amounts - found.baseline_amounts)
    features, errors = away @ directions, torch.from_numpy(found.error - found.baseline_error)
    keys, states = [], [-features - errors]
    for order, nodes in orders:
        for k in sizes:
            if k > len(nodes.token):
                break
            own = _written(away, directions, Nodes(nodes.token[:k], nodes.feature[:k]))
            keys += [(order, k, "baseline"), (order, k, "kept")]
            # what is added to x: nodes outside go to their baseline, then those inside
            states += [own - features - errors, -own - errors, own - features, -own]
    values: list[float] = []
    for begin in range(0, len(states), batch):
        some = torch.stack(states[begin : begin + batch]).to(x)
        placed = x.repeat(len(some), 1, 1)
        placed[:, question.nodes] += some
        values += question.values(model, site, placed).tolist()
    scores = (np.array(values[1:]).reshape(-1, 2) - values[0]) / (found.value - values[0])
    table = pd.DataFrame(keys, columns=["order", "k", "errors"])
    return table.assign(faithfulness=scores[:, 0], completeness=scores[:, 1])


def _written(
    away: Float[Tensor, "token n_features"],
    directions: Float[Tensor, "n_features d"],
    nodes: Nodes,
) -> Float[Tensor, "token d"]:
    """Return what some nodes add to the activations of the baseline."""
    token, feature = torch.from_numpy(nodes.token), torch.from_numpy(nodes.feature)
    written = away.new_zeros(len(away), directions.shape[1])
    return written.index_add_(0, token, away[token, feature][:, None] * directions[feature])


def _first(scores: Float[np.ndarray, "token n_features"], n: int) -> Nodes:
    """Return the nodes of largest absolute score, without those that have none."""
    order = np.argsort(-np.abs(scores), axis=None, kind="stable")[:n]
    order = order[scores.ravel()[order] != 0]
    return Nodes(*np.unravel_index(order, scores.shape))


def _matched(found: Attribution, own: Nodes, seed: int) -> Nodes:
    """Return a random firing node of about the amount of each node."""
    draw = rng(seed, f"nodes matched to those of {found.question.name}")
    amounts = found.amounts.ravel()
    firing = np.flatnonzero(amounts)
    firing = firing[np.argsort(amounts[firing], kind="stable")]
    taken = np.isin(firing, np.ravel_multi_index(own, found.amounts.shape))
    free, chosen = firing[~taken], []
    for token, feature in zip(*own, strict=True):
        if not len(free):
            break
        place = int(np.searchsorted(amounts[free], found.amounts[token, feature]))
        first, last = max(place - _POOL, 0), min(place + _POOL, len(free))
        drawn = int(draw.integers(first, last))
        chosen.append(free[drawn])
        free = np.delete(free, drawn)
    return Nodes(*np.unravel_index(np.array(chosen, dtype=np.int64), found.amounts.shape))
