"""How much of a model's loss a dictionary keeps when its output replaces the activations."""

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
    """Losses with the site's activations as they are, reconstructed and ablated.

    Parameters
    ----------
    loss_clean, loss_spliced
        nats per base, untouched and with the dictionary's reconstruction in place.
    loss_mean_ablated, loss_zero_ablated
        nats per base with every activation at its mean over the tokens read, or at zero.
    loss_recovered
        Against mean ablation: the stricter of the two, since the mean alone may carry a good deal.
    loss_recovered_zero
        Against zero ablation, as most of the literature has it.
    kl
        Divergence of what the model expects, from as it is to spliced, in nats a token; see
        :func:`genointerp.reading.loss.genome_divergence`.
    bits_per_base
        ``loss_clean`` in bits.
    n_bases
        Bases in each mean.
    fvu, explained_variance, l0, dead_share
        Of the dictionary on the same genome, which training need not have seen: fraction of
        variance unexplained and 1 less that, features that fire on a token, and share of features
        that fire on none. Over every token read, warm-up included, or over every row of a file of
        activations where one was given.
    n_tokens
        Tokens that these four are of.

    Notes
    -----
    ``loss recovered = (L_ablated - L_spliced) / (L_ablated - L_clean)``: 1 where nothing is lost,
    0 where the reconstruction is worth no more than the ablation, NaN where the ablation does no
    harm. Activations are replaced at every token read, warm-up included, but for special tokens,
    which no dictionary was trained on; the losses are over kept bases.
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
        """Return a copy with what the dictionary is over other tokens than those of the losses."""
        return replace(
            self,
            fvu=figures.fvu,
            explained_variance=figures.explained_variance,
            l0=figures.l0,
            dead_share=figures.dead_share,
            n_tokens=figures.n_tokens,
        )

    def as_mapping(self) -> dict[str, Any]:
        """Return the figures as plain values; None, which JSON can hold, for those undefined."""
        return {name: None if math.isnan(value) else value for name, value in asdict(self).items()}


class Measured(NamedTuple):
    """Losses with a dictionary in place, and the dictionary on the tokens that the model read."""

    fidelity: Fidelity
    figures: Evaluation


Change = Callable[[Float[Tensor, "batch token d"]], Float[Tensor, "batch token d"]]
"""What is put in the place of activations."""

Observe = Callable[[Float[Tensor, "token d"]], None]
"""Called with activations of the site as they are."""


def load_matching(sae_dir: Path, model: DnaModel) -> Dictionary:
    """Load a dictionary that is of a causal model.

    Raises
    ------
    InputError
        If the model is a masked one.
    MismatchError
        If the dictionary is of another model, or of weights that differ.
    """
    check_causal(model.spec)
    dictionary = Dictionary.load(sae_dir)
    _check_model(dictionary, model)
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
    """Measure the loss recovered by a dictionary that was loaded.

    Parameters
    ----------
    observe
        Told of the activations that the model computes, in the order of its reading.
    """
    site, sae = dictionary.header.site, dictionary.sae
    mean = _MeanOf(model.spec.d_site, observe)

    def part(first: int, n: int = 1) -> Progress:
        """Progress of ``n`` passes of four over the genome, behind ``first`` of them."""
        return lambda done, total: progress(first * total + n * done, 4 * total)

    def ablated(function: Change, number: int) -> GenomeLoss:
        edits = [Edit(site, function)]
        return genome_loss(
            model, genome, config=config, regions=regions, edits=edits, progress=part(number)
        )

    measured = RunningEvaluation(sae)
    # what the dictionary replaces is what the model computes untouched
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
    """Running mean of the activations that pass an edit, which leaves them as they are."""

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
        # a model may lie on several devices: the dictionary goes where the site's activations are
        sae.to(x.device)
        rows = torch.split(x.flatten(0, 1), 4096)
        return torch.cat([reconstruct(part) for part in rows]).to(x).view_as(x)

    return splice


def _recovered(clean: GenomeLoss, spliced: GenomeLoss, ablated: GenomeLoss) -> float:
    span = ablated.nats_per_base - clean.nats_per_base
    return (ablated.nats_per_base - spliced.nats_per_base) / span if span > 0 else float("nan")


def _check_model(dictionary: Dictionary, model: DnaModel) -> None:
    header, spec = dictionary.header, model.spec
    of_model = Identity(f"model {spec.name}", model=spec.name, model_sha256=spec.sha256)
    header.identity.check(of_model, "model")
    where = str(header.folder)
    if dictionary.sae.joins_sites:
        expected = "a dictionary of one site, which stands for its activations"
        raise MismatchError(where, expected, f"a {header.config.architecture}")
    if not has_site(spec, header.site) or header.d_in != spec.d_site:
        expected = f"a site of {spec.name}, {spec.d_site} wide"
        raise MismatchError(where, expected, f"{header.site}, {header.d_in} wide")
