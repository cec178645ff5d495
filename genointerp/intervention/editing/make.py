"""Make an edit by one of the methods, and its controls by the same."""

import logging
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from genointerp.core.errors import InputError
from genointerp.core.seed import rng
from genointerp.genome.genome import Genome
from genointerp.intervention.ablation import matched_features
from genointerp.intervention.editing.closed_form import Probe, choose_strength, fit_probe
from genointerp.intervention.editing.config import EditConfig, Method
from genointerp.intervention.editing.distil import distil
from genointerp.intervention.editing.feature_change import FeatureEdit, feature_reader
from genointerp.intervention.editing.sample import (
    Stretches,
    Subject,
    Variant,
    batches,
    fit_stretches,
    sample,
)
from genointerp.model.edited.changes import Changes, Splices, WeightChange
from genointerp.model.edited.writers import last_writers
from genointerp.model.protocol import DnaModel
from genointerp.sae.dictionary import Dictionary

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Edited:
    """An edit that was made.

    Parameters
    ----------
    changes
        What the edited model has of its own.
    r2, strength
        Held-out R2 of the probe and the chosen strength; NaN for an adapter, which has neither.
    subjects
        The edit and its controls, to be measured.
    """

    changes: Changes
    r2: float
    strength: float
    subjects: list[Subject]


def make_edit(
    model: DnaModel,
    dictionary: Dictionary,
    edit: FeatureEdit,
    method: Method,
    genome: Genome,
    config: EditConfig,
    *,
    is_forced: bool = False,
) -> Edited:
    """Edit a model, and make the controls: other features, and random directions.

    Parameters
    ----------
    edit
        The feature and its new amount.
    genome
        Genome on which it is fitted; for an adapter, only the density of features is taken from it.
    is_forced
        Whether a probe that predicts too little is no error.

    Raises
    ------
    InputError
        If the model cannot be edited, or the feature cannot be read linearly from what the last
        writers read.
    """
    site, (feature, splices) = dictionary.header.site, edit
    maker = _Maker(model, genome, site, method, config)
    task = maker.task(splices)
    probe = task.probe
    if probe is not None:
        _log.info("feature %d: held-out R2 of the probe %.3f", feature, probe.r2)
        if method == "closed-form" and not is_forced:
            _check(probe, config.least_r2)
    made = maker.made(task)
    subjects = [Subject("feature", 0, feature, splices, made.variant)]
    others = maker.matched(dictionary, feature)
    for draw, other in enumerate(others, 1):
        reader = feature_reader(dictionary, int(other))
        own = Splices(reader, splices.gain, splices.value)
        found = maker.made(maker.task(own))
        subjects.append(Subject("matched feature", draw, int(other), own, found.variant))
    for draw in range(1, config.n_random + 1):
        direction = _random_like(splices.features.direction[0], config.seed, draw)
        turned = made.along(direction, splices, site)
        subjects.append(Subject("random direction", draw, feature, splices, turned))
    return Edited(made.changes(site, splices), made.r2, made.strength, subjects)


def exact_edit(dictionary: Dictionary, edit: FeatureEdit) -> Edited:
    """Return an adapter without controls, for a model in which nothing can be measured."""
    changes = Changes(dictionary.header.site, edit.splices)
    return Edited(changes, float("nan"), float("nan"), [])


@dataclass(frozen=True, eq=False)
class _Made:
    """Weights of an edit, or none for an adapter."""

    variant: Variant
    writers: frozenset[str] = frozenset()
    r2: float = float("nan")
    strength: float = float("nan")

    def changes(self, site: str, splices: Splices) -> Changes:
        weights = dict(self.variant.weights)
        return Changes(site, None if weights else splices, weights)

    def along(self, direction: Float[Tensor, " d"], splices: Splices, site: str) -> Variant:
        """Return the same edit, written along another direction."""
        before = splices.features.direction[0].double()
        if not self.variant.weights:
            reader = splices.features
            own = type(reader)(reader.read, reader.bias, reader.threshold, direction[None].float())
            return Variant(edits=[Splices(own, splices.gain, splices.value).at(site)])
        turned = {
            name: WeightChange(_turned(change.left, before, direction.double()), change.right)
            for name, change in self.variant.weights.items()
            if name.rpartition(".")[0] in self.writers
        }
        return Variant({**self.variant.weights, **turned})


@dataclass(frozen=True, eq=False)
class _Task:
    """What is to be made: what it is fitted on, and its probe; an adapter needs neither."""

    splices: Splices
    on: Stretches | None = None
    probe: Probe | None = None


@dataclass(frozen=True, eq=False)
class _Maker:
    model: DnaModel
    genome: Genome
    site: str
    method: Method
    config: EditConfig

    def task(self, splices: Splices) -> _Task:
        """Choose what an edit is fitted on, and fit its probe."""
        if self.method == "adapter":
            return _Task(splices)
        on = fit_stretches(self.model, self.genome, self.site, splices, self.config)
        probe = fit_probe(self.model, self.genome, on, self.site, splices, self.config)
        return _Task(splices, on, probe)

    def made(self, task: _Task) -> _Made:
        """Make an edit."""
        splices, on, probe = task.splices, task.on, task.probe
        if on is None or probe is None:
            return _Made(Variant(edits=[splices.at(self.site)]))
        strength = choose_strength(
            self.model, self.genome, on.fit, probe, self.site, splices, self.config
        )
        writers = last_writers(self.model, self.site)
        weights = probe.weights(splices.features.direction[0], writers, strength)
        if self.method == "distil":
            weights = distil(
                self.model, self.genome, on.fit, self.site, splices, weights, self.config
            )
        return _Made(Variant(weights), frozenset(writers), probe.r2, strength)

    def matched(self, dictionary: Dictionary, feature: int) -> Int64[np.ndarray, " matched"]:
        """Return features that fire about as often on stretches spread over the genome."""
        if not self.config.n_matched:
            return np.zeros(0, np.int64)
        fires = np.zeros(dictionary.header.n_features, np.int64)
        even = sample(self.model, self.genome, self.config.n_fit, self.config)
        for batch in batches(self.model, self.genome, even, self.config):
            x = self.model.run(batch.ids, capture=[self.site])[self.site]
            kept = np.stack([read.begun for read in batch.windows])
            rows = x[torch.from_numpy(kept).to(x.device)].float()
            fires += (dictionary.to(x.device).amounts(rows) > 0).sum(0).cpu().numpy()
        return matched_features(fires, feature, self.config.n_matched, self.config.seed)


def _check(probe: Probe, least: float) -> None:
    if not probe.r2 >= least:
        expected = f"a held-out R2 of {least:g} or more, or --anyway (anyway=True)"
        raise InputError("closed form", expected, f"{probe.r2:.3f}")


def _random_like(direction: Float[Tensor, " d"], seed: int, draw: int) -> Float[Tensor, " d"]:
    found = torch.from_numpy(rng(seed, f"direction {draw}").standard_normal(len(direction)))
    turned: Tensor = found / found.norm() * direction.double().norm()
    return turned


def _turned(
    left: Float[Tensor, "out rank"], before: Float[Tensor, " out"], after: Float[Tensor, " out"]
) -> Float[Tensor, "out rank"]:
    """Return columns with their part along one direction moved to another of the same norm."""
    share = before @ left.double() / before.square().sum()
    return left.double() + torch.outer(after - before, share)
