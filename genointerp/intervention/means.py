"""The difference of means: a direction that is found with labels and without a dictionary."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from genointerp.annotation.concepts import ConceptElements
from genointerp.core.seed import rng
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.windows import spread_stretches
from genointerp.intervention.places import ConceptPlaces
from genointerp.intervention.schedule import Schedule
from genointerp.intervention.subject import Subject
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.run import Wanted, run_passages
from genointerp.reading.tokens import WindowTokens, genome_passages

_log = logging.getLogger(__name__)

_READING = HarvestConfig(window=2048, warmup=512)
_N_ELEMENTS = 32
"""Elements of each concept that are read too, up to as many bases as of the sample."""


@dataclass
class _Labelled:
    """Sum of the activations that a label holds of."""

    n: int = 0
    total: Tensor | float = field(default=0.0)

    def add(self, x: Float[Tensor, "token d"], at: Bool[np.ndarray, " token"]) -> None:
        self.n += int(at.sum())
        self.total = self.total + x[torch.from_numpy(at).to(x.device)].sum(0)


@torch.no_grad()
def difference_of_means(
    subject: Subject, schedule: Schedule, *, n_bases: int, seed: int = 0
) -> Float[Tensor, "column d"] | None:
    """Return a direction for each column of a schedule, found with labels in place of a dictionary.

    What is written along it are still the amounts of the column's feature.

    Parameters
    ----------
    n_bases
        Bases of each strand that are read, spread over the genome. Elements of the concepts that
        strokes name, by their units or as profiles, are read too.
    seed
        Seed by which these elements are drawn.

    Returns
    -------
    torch.Tensor or None
        None, with a warning, if no base that was read has a label, or all have it.

    Notes
    -----
    The mean of the activations at the site over bases that belong to the concept of the stroke,
    read in sense, minus that over all other bases, of the norm of the feature's own direction. The
    label of a feature for which no stroke names a concept is its own firing.
    """
    concepts = _concepts(subject, schedule)
    labelled = {feature: _Labelled() for feature in schedule.features}
    every = _Labelled()
    read_too = {*concepts.values(), *_profiled(subject, schedule)}
    for x, read in _read(subject, read_too, n_bases, seed):
        known = read.begun
        every.add(x, known)
        for feature, at in _labels(subject, concepts, x, read, schedule.features):
            labelled[feature].add(x, at & known)
    directions = {}
    for feature, own in labelled.items():
        if not 0 < own.n < every.n:
            _log.warning(
                "no control by a difference of means: of %d tokens that were read, %d are labelled "
                "by %s",
                every.n,
                own.n,
                concepts.get(feature, f"the firing of f/{feature}"),
            )
            return None
        vector = own.total / own.n - (every.total - own.total) / (every.n - own.n)
        assert isinstance(vector, Tensor), "tokens were added"
        norm = subject.dictionary.direction(feature).norm()
        directions[feature] = vector / vector.norm() * norm.to(vector)
    if not directions:
        return None
    return torch.stack([directions[column.feature] for column in schedule.columns])


def _concepts(subject: Subject, schedule: Schedule) -> dict[int, str]:
    """Return the concept of each feature for which a stroke names one that is annotated."""
    found: dict[int, str] = {}
    for line in schedule.lines:
        if subject.elements is not None and line.profile is None and line.stroke.concept:
            found[schedule.columns[line.columns[0]].feature] = line.stroke.concept
    return found


def _profiled(subject: Subject, schedule: Schedule) -> set[str]:
    """Return the concepts whose profiles are painted: their features fire on them."""
    known = () if subject.elements is None else subject.elements.names
    profiles = {str(it.stroke.feature) for it in schedule.lines if it.profile is not None}
    return profiles & set(known)


def _read(
    subject: Subject, concepts: set[str], n_bases: int, seed: int
) -> Iterator[tuple[Float[Tensor, "token d"], WindowTokens]]:
    """Yield the activations at the site in windows of a sample."""
    genome, spec = subject.genome, subject.model.spec
    length = _READING.window - _READING.warmup
    stretches = spread_stretches(genome.regions(genome), n_bases=n_bases, length=length)
    regions = _apart([*stretches, *_some_elements(subject.elements, concepts, n_bases, seed)])
    passages = genome_passages(genome, _READING.windows(spec, genome, regions))
    for found in run_passages(subject.model, passages, Wanted((subject.site,)), size=1):
        for x, read in zip(found.activations[subject.site], found.batch.windows, strict=True):
            yield x.to(subject.dictionary.to(x.device).sae.b_dec), read


def _some_elements(
    elements: ConceptElements | None, concepts: set[str], n_bases: int, seed: int
) -> Iterator[GenomicInterval]:
    if elements is None:
        return
    for concept in sorted(concepts):
        table = elements.of(concept)
        order = rng(seed, f"elements of {concept}").permutation(len(table))[:_N_ELEMENTS]
        left = n_bases
        for row in table.iloc[order].to_dict("records"):
            place = GenomicInterval(str(row["seqid"]), int(row["start"]), int(row["end"]))
            left -= place.length
            if left < 0:
                break
            yield place


def _apart(regions: Sequence[GenomicInterval]) -> list[GenomicInterval]:
    """Return the regions that overlap none before them."""
    kept: list[GenomicInterval] = []
    for region in regions:
        if all(region.intersection(other) is None for other in kept):
            kept.append(region)
    return kept


def _labels(
    subject: Subject,
    concepts: Mapping[int, str],
    x: Float[Tensor, "token d"],
    read: WindowTokens,
    features: Sequence[int],
) -> Iterator[tuple[int, Bool[np.ndarray, " token"]]]:
    """Yield each feature with the tokens that its label holds of."""
    named = sorted(set(concepts.values()))
    places: dict[str, np.ndarray] = {}
    if named and subject.elements is not None:
        table = subject.elements.table
        own = ConceptElements(
            table[table["concept"].isin(named)],
            {name: subject.elements.concepts[name] for name in named},
        )
        places = dict(ConceptPlaces(own, subject.genome).of(read))
    fires = subject.dictionary.sae.amounts_of(x, torch.tensor(features, device=x.device)) > 0
    for number, feature in enumerate(features):
        if feature not in concepts:
            yield feature, fires[:, number].cpu().numpy()
            continue
        concept, nowhere = concepts[feature], np.zeros(len(x), np.bool_)
        yield feature, places.get(f"{concept} sense", places.get(concept, nowhere))
