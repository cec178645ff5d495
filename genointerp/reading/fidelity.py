"""Fidelity: how much of the loss is recovered if a dictionary's output replaces the activations."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.core.errors import MismatchError
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.model.protocol import DnaModel, Edit
from genointerp.reading.harvest import HarvestConfig, has_site
from genointerp.reading.loss import GenomeLoss, check_causal, genome_divergence, genome_loss
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.metrics import Evaluation, RunningEvaluation


@dataclass(frozen=True)
class Fidelity:
    """Losses with the activations of the site unchanged, reconstructed and ablated.

    Parameters
    ----------
    loss_clean, loss_spliced
        Nats per base, unchanged and with the dictionary's reconstruction in place.
    loss_mean_ablated, loss_zero_ablated
        Nats per base with every activation replaced by the mean over the tokens read, or by zeros.
    loss_recovered
        Loss recovered against mean ablation: the stricter measure, since the mean alone may carry
        much of the loss.
    loss_recovered_zero
        Loss recovered against zero ablation, as in most of the literature.
    kl
        Divergence of the model's predictions, from unchanged to spliced, in nats per token; see
        :func:`genointerp.reading.loss.genome_divergence`.
    bits_per_base
        ``loss_clean`` in bits.
    n_bases
        Number of bases over which each loss is a mean.
    fvu, explained_variance, l0, dead_share
        Figures of the dictionary on the same genome, which may be new to it: fraction of variance
        unexplained, 1 minus that, mean number of features that fire on a token, and share of
        features that fire on none. They are over every token read, warm-up included, or over every
        row of a file of activations if there is one.
    n_tokens
        Number of tokens of these four figures.

    Notes
    -----
    ``loss recovered = (L_ablated - L_spliced) / (L_ablated - L_clean)``: it is 1 if nothing is
    lost, 0 if the reconstruction is no better than the ablation, and NaN if the ablation does no
    harm. Activations are replaced at every token read, warm-up included, except for special tokens,
    on which no dictionary was trained. The losses are over kept bases.
    """

    loss_clean: float
    loss_spliced: float
    loss_mean_ablated: float
    loss_zero_ablated: float
    loss_recovered: float
    loss_recovered_zero: float
    kl: float
    bits_per_base: float
    n_bases: int
    fvu: float
    explained_variance: float
    l0: float
    dead_share: float
    n_tokens: int

    def of_tokens(self, figures: Evaluation) -> "Fidelity":
        """Return a copy with the figures of the dictionary over other tokens."""
        return replace(
            self,
            fvu=figures.fvu,
            explained_variance=figures.explained_variance,
            l0=figures.l0,
            dead_share=figures.dead_share,
            n_tokens=figures.n_tokens,
        )

    def as_mapping(self) -> dict[str, Any]:
        """Return the figures as plain values, with None, which JSON has, for undefined ones."""
        return {name: None if math.isnan(value) else value for name, value in asdict(self).items()}


class Measured(NamedTuple):
    """Losses with a dictionary in place, and the dictionary on the tokens that the model read."""

    fidelity: Fidelity
    figures: Evaluation


Change = Callable[[Float[Tensor, "batch token d"]], Float[Tensor, "batch token d"]]
"""Function from activations to those that replace them."""

Observe = Callable[[Float[Tensor, "token d"]], None]
"""Called with the unchanged activations of the site."""


def load_matching(sae_dir: Path, model: DnaModel) -> Dictionary:
    """Load a dictionary, and check that it belongs to this causal model.

    Raises
    ------
    InputError
        If the model is a masked one.
    MismatchError
        If the dictionary is of another model, or of other weights of the model.
    """
    check_causal(model.spec)
    dictionary = Dictionary.load(sae_dir)
    check_dictionary(dictionary, model)
    return dictionary


def measure_sae(
    model: DnaModel,
    genome: Genome,
    dictionary: Dictionary,
    *,
    config: HarvestConfig | None = None,
    regions: Sequence[GenomicInterval] = (),
    observe: Observe | None = None,
    progress: Progress = silent,
) -> Measured:
    """Measure the loss recovered by a dictionary, and its figures on the tokens that are read.

    Parameters
    ----------
    observe
        Called with the activations that the model computes, in the order in which it reads.
    """
    site, sae = dictionary.header.site, dictionary.sae
    mean = _MeanOf(model.spec.d_site, observe)

    def part(first: int, n: int = 1) -> Progress:
        """Return the progress of ``n`` of the four passes over the genome, after ``first``."""
        return lambda done, total: progress(first * total + n * done, 4 * total)

    def ablated(function: Change, number: int) -> GenomeLoss:
        edits = [Edit(site, function)]
        return genome_loss(
            model, genome, config=config, regions=regions, edits=edits, progress=part(number)
        )

    measured = RunningEvaluation(sae)
    # the mean is that of the unchanged activations, since this edit comes before the splice
    edits = [Edit(site, mean.observe), Edit(site, _splice(sae, measured.reconstruct))]
    clean, spliced, kl = genome_divergence(
        model, genome, edits, config=config, regions=regions, progress=part(0, 2)
    )
    figures = measured.result()
    average = mean.value()
    mean_ablated = ablated(lambda x: average.to(x).expand_as(x), 2)
    zero_ablated = ablated(torch.zeros_like, 3)
    fidelity = Fidelity(
        loss_clean=clean.nats_per_base,
        loss_spliced=spliced.nats_per_base,
        loss_mean_ablated=mean_ablated.nats_per_base,
        loss_zero_ablated=zero_ablated.nats_per_base,
        loss_recovered=_recovered(clean, spliced, mean_ablated),
        loss_recovered_zero=_recovered(clean, spliced, zero_ablated),
        kl=kl,
        bits_per_base=clean.bits_per_base,
        n_bases=clean.n_bases,
        fvu=figures.fvu,
        explained_variance=figures.explained_variance,
        l0=figures.l0,
        dead_share=figures.dead_share,
        n_tokens=figures.n_tokens,
    )
    return Measured(fidelity, figures)


class _MeanOf:
    """Running mean of the activations at an edit, which does not change them."""

    def __init__(self, d_in: int, observe: Observe | None) -> None:
        self._told = observe
        self.total = torch.zeros(d_in, dtype=torch.float64)
        self.count = 0

    def observe(self, x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        rows = x.flatten(0, 1)
        self.total += rows.sum(0, dtype=torch.float64).cpu()
        self.count += len(rows)
        if self._told is not None:
            self._told(rows)
        return x

    def value(self) -> Float[Tensor, " d"]:
        return self.total / max(1, self.count)


def _splice(
    sae: SparseAutoencoder,
    reconstruct: Callable[[Float[Tensor, "token d"]], Float[Tensor, "token d"]],
) -> Change:
    def splice(x: Float[Tensor, "batch token d"]) -> Float[Tensor, "batch token d"]:
        # a model may be on several devices: the dictionary follows the activations of the site
        sae.to(x.device)
        rows = torch.split(x.flatten(0, 1), 4096)
        return torch.cat([reconstruct(part) for part in rows]).to(x).view_as(x)

    return splice


def _recovered(clean: GenomeLoss, spliced: GenomeLoss, ablated: GenomeLoss) -> float:
    span = ablated.nats_per_base - clean.nats_per_base
    return (ablated.nats_per_base - spliced.nats_per_base) / span if span > 0 else float("nan")


def check_dictionary(dictionary: Dictionary, model: DnaModel) -> None:
    """Refuse a dictionary of another model; that of the parent too, unless it was asked for.

    Raises
    ------
    MismatchError
        If the dictionary is of another model, of other weights of the model, or of a site that the
        model does not have.
    """
    header, spec = dictionary.header, model.spec
    name, sha256 = spec.dictionaries_of
    of_model = Identity(f"model {spec.name}", model=name, model_sha256=sha256)
    header.identity.check(of_model, "model")
    where = str(header.folder)
    if dictionary.sae.joins_sites:
        expected = "a dictionary of one site, which reconstructs its activations"
        raise MismatchError(where, expected, f"a {header.config.architecture}")
    if not has_site(spec, header.site) or header.d_in != spec.d_site:
        expected = f"a site of {spec.name}, {spec.d_site} wide"
        raise MismatchError(where, expected, f"{header.site}, {header.d_in} wide")
