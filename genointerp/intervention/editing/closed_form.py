"""The closed form: a linear probe of the feature, written into the weights that write the site.

A rank-one case of MEMIT (Meng et al. 2023, arXiv:2210.07229), whose values all point along one
direction, with a soft weight on silent tokens instead of a null space, since what the weights read
is of full rank there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor, nn

from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.intervention.editing.config import EditConfig
from genointerp.intervention.editing.sample import (
    Stretches,
    Variant,
    batches,
    distribution,
    divergence,
    reading,
    since_fired,
)
from genointerp.model.edited.changes import Splices, WeightChange
from genointerp.model.edited.writers import last_writers, reading_keys
from genointerp.model.protocol import DnaModel

_MOST_STRETCHES = 12
"""Stretches of the fit on which a strength is chosen, which needs a pass for each."""


@dataclass(frozen=True, eq=False)
class Probe:
    """A linear map from what the last writers read to the change that the edit wants.

    Parameters
    ----------
    g
        Coefficients by writer, and that of the constant, if a writer has a bias.
    r2
        Share of the variance of the wanted change that it predicts on held-out stretches; NaN if
        the feature never fires there.
    """

    g: dict[str, Float64[np.ndarray, " into"]]
    constant: float
    r2: float

    def weights(
        self, direction: Float[Tensor, " d"], writers: dict[str, nn.Linear], strength: float = 1.0
    ) -> dict[str, WeightChange]:
        """Return the change of weights that writes along a direction."""
        left = strength * direction[:, None].double()
        found = {
            f"{name}.weight": WeightChange(left, torch.from_numpy(one)[:, None])
            for name, one in self.g.items()
        }
        biased = [name for name, module in writers.items() if module.bias is not None]
        if biased:
            constant = torch.full((1, 1), self.constant, dtype=torch.float64)
            found[f"{biased[-1]}.bias"] = WeightChange(left, constant)
        return found


def fit_probe(
    model: DnaModel,
    genome: Genome,
    on: Stretches,
    site: str,
    splices: Splices,
    config: EditConfig,
) -> Probe:
    """Fit the probe of a feature by weighted ridge regression, in float64.

    Notes
    -----
    With k the keys, that is, what the writers read and a constant 1 if one of them has a bias, and
    ``c = (gain - 1) f + value`` the wanted change of the amount:
    ``g = (sum w k k^T + l I)^-1 sum w k c``, where w is ``silent_weight`` on silent tokens and 1 on
    others, and l is ``ridge`` times the mean of the diagonal of the first sum. The constant is not
    shrunk. ``R2 = 1 - sum (c - k . g)^2 / sum (c - mean c)^2`` over held-out tokens, unweighted.
    """
    writers = last_writers(model, site)
    sizes = [module.in_features for module in writers.values()]
    biased = any(module.bias is not None for module in writers.values())
    n = sum(sizes) + int(biased)
    gram, moment = np.zeros((n, n)), np.zeros(n)
    for rows in _rows(model, genome, on.fit, site, splices, config):
        weighted = rows.keys * np.where(rows.silent, config.silent_weight, 1.0)[:, None]
        gram += weighted.T @ rows.keys
        moment += weighted.T @ rows.wanted
    shrunk = np.full(n, config.ridge * np.trace(gram) / n + np.finfo(float).tiny)
    if biased:
        shrunk[-1] = np.finfo(float).tiny
    g = np.linalg.solve(gram + np.diag(shrunk), moment)
    found = [
        (rows.wanted - rows.keys @ g, rows.wanted)
        for rows in _rows(model, genome, on.held_out, site, splices, config)
    ]
    missed, wanted = (np.concatenate(part) for part in zip(*found, strict=True))
    total = np.square(wanted - wanted.mean()).sum()
    r2 = 1 - float(np.square(missed).sum() / total) if total > 0 else float("nan")
    pieces = np.split(g[: sum(sizes)], np.cumsum(sizes)[:-1])
    return Probe(dict(zip(writers, pieces, strict=True)), float(g[-1]) if biased else 0.0, r2)


def choose_strength(
    model: DnaModel,
    genome: Genome,
    regions: Sequence[GenomicInterval],
    probe: Probe,
    site: str,
    splices: Splices,
    config: EditConfig,
) -> float:
    """Return the multiple of the change whose predictions are nearest to the edit of activations.

    Notes
    -----
    The least sum of ``KL(p_activation || p_edited)`` over the tokens of 12 stretches or fewer.
    """
    writers, edit = last_writers(model, site), splices.at(site)
    direction = splices.features.direction[0]
    total = dict.fromkeys(config.strengths, 0.0)
    fewer = regions[:: -(-len(regions) // _MOST_STRETCHES)]
    for batch in batches(model, genome, fewer, config):
        wanted, _ = distribution(model, batch, Variant(edits=[edit]))
        kept = torch.from_numpy(np.stack([read.begun for read in batch.windows])[:, 1:])
        for strength in total:
            weights = probe.weights(direction, writers, strength)
            found, _ = distribution(model, batch, Variant(weights))
            total[strength] += float(divergence(wanted, found)[kept.to(found.device)].sum())
    return min(total, key=lambda strength: total[strength])


@dataclass(frozen=True, eq=False)
class _Rows:
    """Kept tokens of a batch: what the writers read, the wanted change, and where it is silent."""

    keys: Float64[np.ndarray, "row key"]
    wanted: Float64[np.ndarray, " row"]
    silent: Bool[np.ndarray, " row"]


def _rows(
    model: DnaModel,
    genome: Genome,
    regions: Sequence[GenomicInterval],
    site: str,
    splices: Splices,
    config: EditConfig,
) -> Iterator[_Rows]:
    writers = last_writers(model, site)
    biased = any(module.bias is not None for module in writers.values())
    gain, value = float(splices.gain[0]), float(splices.value[0])
    for batch in batches(model, genome, regions, config):
        with reading_keys(writers) as keys:
            x = model.run(batch.ids, capture=[site])[site]
        amount = reading(x, splices)
        kept = np.stack([read.begun for read in batch.windows])
        since = since_fired((amount > 0).cpu().numpy())[kept]
        parts = [one.double().cpu().numpy()[kept] for one in map(keys.__getitem__, writers)]
        if biased:
            parts.append(np.ones((len(since), 1)))
        wanted = (gain - 1) * amount.double().cpu().numpy()[kept] + value
        yield _Rows(np.concatenate(parts, axis=1), wanted, since >= config.silent_after)
