"""What an edit is fitted and measured on: windows, where the feature fires, and predictions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import Window, spread_stretches
from genointerp.intervention.editing.config import EditConfig
from genointerp.model.edited.changes import Splices, WeightChange, changed
from genointerp.model.protocol import DnaModel, Edit
from genointerp.reading.run import Wanted, run_batch
from genointerp.reading.tokens import TokenBatch, genome_passages, token_batches

_EACH = 4
"""One stretch in so many is held out of the fit."""


class Variant(NamedTuple):
    """A model as it is, or with changed weights, edits of its activations, or both."""

    weights: Mapping[str, WeightChange] = {}
    edits: Sequence[Edit] = ()


@dataclass(frozen=True, eq=False)
class Subject:
    """An edit of a model to be measured, and the edit of activations that it is to equal.

    Parameters
    ----------
    edit
        ``feature``; or as a control ``matched feature`` or ``random direction``.
    draw
        Number of the control, from 1; 0 for the feature itself.
    splices
        Edit of the activations.
    made
        The edited model, as changes of the parent.
    """

    edit: str
    draw: int
    feature: int
    splices: Splices
    made: Variant


class Stretches(NamedTuple):
    """Stretches of a genome to fit on, and some that the fit does not see."""

    fit: list[GenomicInterval]
    held_out: list[GenomicInterval]


def fit_stretches(
    model: DnaModel, genome: Genome, site: str, splices: Splices, config: EditConfig
) -> Stretches:
    """Return stretches to fit an edit on, of which every fourth is held out.

    They are spread evenly over the genome, but for a share of them on which the feature fires most.

    Raises
    ------
    InputError
        If the genome is too short to hold one out.
    """
    n_firing = int(config.firing_share * config.n_fit)
    even = sample(model, genome, config.n_fit - n_firing, config)
    scores = dict.fromkeys(_others(model, genome, even, n_firing, config), 0.0)
    for one, amount, begun in _amounts(model, genome, site, splices, list(scores), config):
        scores[one] += float(np.square(amount[0, begun]).sum())
    found = sorted([*even, *_best(scores, config)])
    held_out = found[_EACH - 1 :: _EACH]
    if not held_out:
        expected = f"{_EACH} stretches of a window or more, to fit and to hold out"
        raise InputError("genome", expected, str(len(found)))
    return Stretches([one for i, one in enumerate(found) if i % _EACH != _EACH - 1], held_out)


def sample(
    model: DnaModel, genome: Genome, n_bases: int, config: EditConfig
) -> list[GenomicInterval]:
    """Return stretches of a window's kept bases, spread evenly over a genome.

    Parameters
    ----------
    n_bases
        Bases of both strands together.
    """
    length = max(1, config.window - config.warmup - config.reading.halo_for(model.spec))
    whole, n_strands = genome.regions(genome), len(config.reading.strands)
    # less than all, which would not be cut into stretches
    most = sum(region.length for region in whole) - 1
    return spread_stretches(whole, n_bases=min(-(-n_bases // n_strands), most), length=length)


def silent_stretches(
    model: DnaModel, genome: Genome, site: str, splices: Splices, config: EditConfig
) -> list[GenomicInterval]:
    """Return stretches on most of which a feature is silent for long, other than the even ones.

    They are those with the most silent tokens, both strands together, of a wider sample.
    """
    even = sample(model, genome, config.n_test, config)
    counts = dict.fromkeys(_others(model, genome, even, config.n_silent, config), 0.0)
    for one, amount, begun in _amounts(model, genome, site, splices, list(counts), config):
        counts[one] += float((since_fired(amount > 0)[0, begun] >= config.silent_after).sum())
    return _best(counts, config)


def _others(
    model: DnaModel,
    genome: Genome,
    even: Sequence[GenomicInterval],
    n_bases: int,
    config: EditConfig,
) -> list[GenomicInterval]:
    """Return stretches of ``scan`` times as many bases that share none with the even ones."""
    wide = sample(model, genome, config.scan * n_bases, config) if n_bases else []
    return [one for one in wide if not any(one.intersection(other) for other in even)]


def _best(scores: Mapping[GenomicInterval, float], config: EditConfig) -> list[GenomicInterval]:
    """Return one stretch in ``scan``, those with the highest scores, unless these are 0."""
    best = sorted(scores, key=lambda one: -scores[one])[: -(-len(scores) // config.scan)]
    return sorted(one for one in best if scores[one] > 0)


def _amounts(
    model: DnaModel,
    genome: Genome,
    site: str,
    splices: Splices,
    regions: Sequence[GenomicInterval],
    config: EditConfig,
) -> Iterator[tuple[GenomicInterval, Float32[np.ndarray, "1 token"], Bool[np.ndarray, " token"]]]:
    """Yield the amount of a feature on each window of regions, and which of its tokens count."""
    windows = [
        (one, window) for one in regions for window in windows_of(model, genome, [one], config)
    ]
    passages = genome_passages(genome, [window for _, window in windows])
    owners = iter([one for one, _ in windows])
    for batch in token_batches(model, passages, config.batch):
        amount = reading(model.run(batch.ids, capture=[site])[site], splices).cpu().numpy()
        for read, row in zip(batch.windows, amount, strict=True):
            yield next(owners), row[None], read.begun


def windows_of(
    model: DnaModel, genome: Genome, regions: Sequence[GenomicInterval], config: EditConfig
) -> list[Window]:
    """Return the windows of regions, on both strands; none if there are no regions."""
    return config.reading.windows(model.spec, genome, regions) if regions else []


def batches(
    model: DnaModel, genome: Genome, regions: Sequence[GenomicInterval], config: EditConfig
) -> Iterator[TokenBatch]:
    """Yield the windows of regions as batches of tokens, on both strands."""
    windows = windows_of(model, genome, regions, config)
    yield from token_batches(model, genome_passages(genome, windows), config.batch)


def distribution(
    model: DnaModel, batch: TokenBatch, variant: Variant, sites: tuple[str, ...] = ()
) -> tuple[Float[Tensor, "batch token_minus_1 symbol"], Mapping[str, Tensor]]:
    """Return the log probabilities of all symbols under a variant, and activations at sites."""
    with changed(model, variant.weights):
        found = run_batch(model, batch, Wanted(sites, distribution=True), edits=variant.edits)
    assert found.distribution is not None
    return found.distribution.double(), found.activations


def divergence(
    p: Float[Tensor, "*row symbol"], q: Float[Tensor, "*row symbol"]
) -> Float[Tensor, "*row"]:
    """Return ``KL(p || q)`` of log probabilities, in nats."""
    return (p.exp() * (p - q)).sum(-1)


def reading(x: Float[Tensor, "*row d"], splices: Splices) -> Float[Tensor, "*row"]:
    """Return the amount of the first feature of splices in activations, as the edit reads it."""
    one = splices.features
    z = (x.float() * one.read[0].to(x.device)).sum(-1) + float(one.bias[0])
    return z.where(z > float(one.threshold[0]), 0.0)


def since_fired(fires: Bool[np.ndarray, "row token"]) -> Int64[np.ndarray, "row token"]:
    """Return the number of tokens since the last one on which a feature fired.

    Examples
    --------
    >>> since_fired(np.array([[True, False, False, True]]))
    array([[0, 1, 2, 0]])
    """
    index = np.arange(fires.shape[1], dtype=np.int64)
    last = np.maximum.accumulate(np.where(fires, index, -NEVER), axis=1)
    return index - last


NEVER = 10**9
"""Tokens since a feature fired that has not fired at all, and more."""
