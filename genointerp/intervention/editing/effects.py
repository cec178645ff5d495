"""Side effects of an edit: what it changes, and where, next to the same done with controls."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float64, Int64

from genointerp.annotation.concepts import ConceptElements
from genointerp.core.errors import InputError
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.intervention.editing.amounts import RunningAmounts
from genointerp.intervention.editing.config import EditConfig
from genointerp.intervention.editing.places import Places
from genointerp.intervention.editing.sample import (
    NEVER,
    Subject,
    Variant,
    batches,
    distribution,
    divergence,
    reading,
    sample,
    silent_stretches,
    since_fired,
    windows_of,
)
from genointerp.intervention.editing.writing import judge_writing
from genointerp.model.protocol import DnaModel, GivesDistribution
from genointerp.reading.tokens import TokenBatch
from genointerp.sae.dictionary import Dictionary
from genointerp.store.table.schema.editing import EDIT_EFFECTS
from genointerp.store.table.table import conform

PARTS = {"fires": 0, "silent 1-7": 1, "silent 8-31": 8, "silent 32-127": 32, "silent 128+": 128}
"""Parts by the least number of tokens since the feature fired; each ends where the next begins."""
_DIVERGENCES = ("kl_edit", "kl_activation", "kl_parent_activation", "kl_edit_activation")
_LOSSES = ("parent", "activation", "edited")


class Effects(NamedTuple):
    """Tables of the schemas ``EDIT_EFFECTS``, ``EDIT_FEATURES`` and ``EDIT_WRITING``."""

    effects: pd.DataFrame
    features: pd.DataFrame
    writing: pd.DataFrame


@dataclass
class _Tally:
    """What is known of each prediction, batch after batch."""

    values: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def add(self, name: str, values: np.ndarray) -> None:
        self.values.setdefault(name, []).append(values)

    def of(self, name: str) -> np.ndarray:
        return np.concatenate(self.values[name])


def measure_effects(
    model: DnaModel,
    genome: Genome,
    dictionary: Dictionary,
    subjects: Sequence[Subject],
    config: EditConfig,
    *,
    elements: ConceptElements | None = None,
    progress: Progress = silent,
) -> Effects:
    """Measure edits of one site on a genome that their fit did not see.

    Parameters
    ----------
    model
        The parent, unchanged.
    subjects
        The edit of the feature first, then its controls.
    elements
        Elements of concepts on the genome; the loss is then told for each concept too.
    progress
        Called with (windows done, windows in all).

    Raises
    ------
    InputError
        If activations or predictions under an edit are not finite.

    Notes
    -----
    A prediction belongs to the token before it, whose state decides it. With p the distribution of
    the next token under the parent, a that under the edit of activations and e that under the
    edited model, all means over the predictions of a part:
    ``bake = 1 - KL(a || e) / KL(a || p)``; it is NaN where the edit of activations changes nothing.
    All parts are of windows spread evenly over the genome; to those that begin ``silent_after``
    tokens or more after the feature fired, windows are added in which it is silent.
    """
    site = dictionary.header.site
    stretches = {
        "even": sample(model, genome, config.n_test, config),
        "silent": silent_stretches(model, genome, site, subjects[0].splices, config),
    }
    n_windows = sum(len(windows_of(model, genome, some, config)) for some in stretches.values())
    tallies = [_Tally() for _ in subjects]
    places, amounts, done = Places(), RunningAmounts(dictionary), 0
    for kind, some in stretches.items():
        for batch in batches(model, genome, some, config):
            clean, found = distribution(model, batch, Variant(), (site,))
            kept = np.stack([read.begun for read in batch.windows])[:, 1:]
            places.add(batch, kept, genome)
            known = [found[site]]
            for subject, tally in zip(subjects, tallies, strict=True):
                tally.add("even", np.full(int(kept.sum()), kind == "even"))
                amount = reading(found[site], subject.splices)
                tally.add("since", since_fired((amount > 0).cpu().numpy())[:, :-1][kept])
                plain = Variant(edits=[subject.splices.at(site)])
                wanted, spliced = distribution(model, batch, plain, (site,))
                made, edited = distribution(model, batch, subject.made, (site,))
                _check_finite(subject, spliced[site], wanted, edited[site], made)
                known += [spliced[site], edited[site]]
                for name, values in _compare(clean, wanted, made, batch, model).items():
                    tally.add(name, values[kept])
            if kind == "even":
                for number, x in enumerate(known[:3]):
                    amounts.add(number, x, batch)
            done += len(batch.windows)
            progress(done, n_windows)
    concepts = {} if elements is None else places.of_concepts(elements, genome)
    n_bases = np.concatenate(places.n_bases)
    rows = [
        (subject.edit, subject.draw, subject.feature, part, *values)
        for subject, tally in zip(subjects, tallies, strict=True)
        for part, values in _parts(tally, n_bases, concepts, config)
    ]
    table = pd.DataFrame(rows, columns=EDIT_EFFECTS.names)
    return Effects(
        conform(table, EDIT_EFFECTS, where="effects of an edit"),
        amounts.table(),
        judge_writing(model, genome, site, subjects, config),
    )


def _check_finite(subject: Subject, *found: torch.Tensor) -> None:
    """Refuse activations or predictions that are not finite, or too large for a norm to be."""
    if not all(bool(it.float().square().sum(-1).isfinite().all()) for it in found):
        expected = "a new amount with which activations and predictions stay finite"
        raise InputError(f"edit of feature {subject.feature}", expected, "NaN or infinity")


def _compare(
    clean: torch.Tensor,
    wanted: torch.Tensor,
    made: torch.Tensor,
    batch: TokenBatch,
    model: DnaModel,
) -> Mapping[str, Float64[np.ndarray, "batch token_minus_1"]]:
    """Return the divergences and losses of each prediction, in nats."""
    assert isinstance(model, GivesDistribution)
    target = batch.ids[:, 1:].to(clean.device)
    symbols = torch.from_numpy(model.symbols.ids).to(clean.device)
    is_target = target[..., None] == symbols
    unknown = ~is_target.any(-1)

    def nats(log_p: torch.Tensor) -> torch.Tensor:
        return -log_p.where(is_target, 0.0).sum(-1).masked_fill(unknown, torch.nan)

    found = {
        "kl_edit": divergence(clean, made),
        "kl_activation": divergence(clean, wanted),
        "kl_parent_activation": divergence(wanted, clean),
        "kl_edit_activation": divergence(wanted, made),
        "parent": nats(clean),
        "activation": nats(wanted),
        "edited": nats(made),
    }
    return {name: values.cpu().numpy() for name, values in found.items()}


def _parts(
    tally: _Tally,
    n_bases: Int64[np.ndarray, " prediction"],
    concepts: Mapping[str, Bool[np.ndarray, " prediction"]],
    config: EditConfig,
) -> Iterator[tuple[str, tuple[int | float, ...]]]:
    since, even = tally.of("since"), tally.of("even")
    ends = [*list(PARTS.values())[1:], 3 * NEVER]
    whole = {"all": even}
    by_distance = {
        name: (since >= first) & (since < end) & (even | (first >= config.silent_after))
        for (name, first), end in zip(PARTS.items(), ends, strict=True)
    }
    of_concepts = {f"concept {name}": inside & even for name, inside in concepts.items()}
    for part, inside in (whole | by_distance | of_concepts).items():
        yield part, _figures(tally, n_bases, inside)


def _figures(
    tally: _Tally,
    n_bases: Int64[np.ndarray, " prediction"],
    inside: Bool[np.ndarray, " prediction"],
) -> tuple[int | float, ...]:
    mean = {name: _mean(tally.of(name)[inside]) for name in _DIVERGENCES}
    known = inside & ~np.isnan(tally.of("parent"))
    n_known = int(n_bases[known].sum())
    bits = [
        float(tally.of(name)[known].sum() / np.log(2) / n_known) if n_known else np.nan
        for name in _LOSSES
    ]
    whole = mean["kl_parent_activation"]
    bake = 1 - mean["kl_edit_activation"] / whole if whole > 0 else np.nan
    return (int(inside.sum()), bake, *mean.values(), *bits)


def _mean(values: Float64[np.ndarray, " prediction"]) -> float:
    return float(values.mean()) if len(values) else float("nan")
