"""Trials: which places of test are shown with which label, before anyone is asked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from genointerp.association.config import AssociateConfig
from genointerp.core.seed import rng
from genointerp.feature.specimen import Specimen
from genointerp.labelling.judged.cards import Cards
from genointerp.labelling.judged.choice import Choice
from genointerp.labelling.judged.config import JudgeConfig
from genointerp.labelling.judged.places import JudgedSide, Place
from genointerp.labelling.judged.question import Control, Item, Trial
from genointerp.labelling.label import FeatureLabel

N_SHOWN = 5
"""Places of a question about an intruder, of which one is the intruder."""


def make_trials(
    specimens: Sequence[Specimen],
    split: AssociateConfig,
    choice: Choice,
    config: JudgeConfig,
    *,
    seed: int,
) -> list[Trial]:
    """Return the trials of all judged features, by feature.

    Notes
    -----
    All trials of a feature in a task show the same places in the same order.
    """
    asked = {*choice.features, *choice.nearest.values(), *choice.alike.values()}
    maker = _Maker(specimens, split, choice, config, sorted(asked), seed)
    return [trial for feature in choice.features for trial in maker.of(feature)]


class _Maker:
    """Maker of the trials of each feature."""

    def __init__(
        self,
        specimens: Sequence[Specimen],
        split: AssociateConfig,
        choice: Choice,
        config: JudgeConfig,
        asked: Sequence[int],
        seed: int,
    ) -> None:
        self._choice, self._config, self._seed = choice, config, seed
        self._side = JudgedSide(specimens, split, asked)
        self._cards = Cards(specimens)

    def of(self, feature: int) -> Iterator[Trial]:
        """Yield the trials of a feature."""
        config, seed = self._config, self._seed
        positives = self._side.positives(feature, config.n_loci, seed=seed)
        nearest = self._choice.nearest.get(feature)
        negatives = self._side.negatives(feature, positives, nearest, config.n_loci, seed=seed)
        places = [*positives, *negatives]
        order = rng(seed, f"order of cards: feature {feature}").permutation(len(places))
        places = [places[index] for index in order.tolist()]
        origins = Counter(place.origin for place in negatives)
        seen = self._detection(places)
        pairs = self._pairs(feature, positives)
        paired: dict[str, Any] = {"task": "fuzzing", "n_origins": {}}
        is_controlled = feature in self._choice.controlled

        def trial(items: tuple[Item, ...], label: FeatureLabel | None, **more: Any) -> Trial:  # noqa: ANN401
            known = {"task": "detection", "control": "", "n_origins": origins, **more}
            n = 1 if known["task"] == "intruder" else config.n_cards
            return Trial(feature, items=items, label=label, per_question=n, **known)

        for label, other in zip(self._choice.labels, self._choice.others, strict=True):
            if label.feature != feature:
                continue
            own = {"source": label.source}
            said: dict[Control, FeatureLabel] = {"": label}
            if is_controlled and other is not None:
                said["shuffled"] = other
            for control, one in said.items():
                yield trial(seen, one, control=control, **own)
            if is_controlled:
                mask = rng(seed, f"masked names: feature {feature}")
                masked = self._detection(places, mask)
                yield trial(masked, label, control="masked", **own)
                yield trial(seen, label, control="always yes", **own)
            for control, one in said.items():
                yield trial(pairs, one, control=control, **paired, **own)
        if is_controlled:
            yield trial(seen, None, control="empty", source="")
            yield trial(pairs, None, control="empty", source="", **paired)
        rounds = self._rounds(feature, positives)
        yield trial(rounds, None, task="intruder", source="", n_origins={})

    def _detection(
        self, places: Sequence[Place], mask: np.random.Generator | None = None
    ) -> tuple[Item, ...]:
        return tuple(
            Item(
                int(place.origin == "locus"),
                (self._cards.card(place, mask),),
                self._cards.family(place),
            )
            for place in places
        )

    def _pairs(self, feature: int, runs: Sequence[Place]) -> tuple[Item, ...]:
        """Return runs next to a shifted stretch of the same element, where there is room."""
        draw = rng(self._seed, f"shifted runs: feature {feature}")
        found = []
        for run in runs:
            within = self._cards.element_around(run)
            other = None if within is None else self._side.shifted(feature, run, within, draw)
            if other is not None:
                shown = [self._cards.card(run), self._cards.card(other)]
                truth = 1 + int(draw.integers(2))
                cards = tuple(shown if truth == 1 else reversed(shown))
                found.append(Item(truth, cards, self._cards.family(run)))
        return tuple(found)

    def _rounds(self, feature: int, loci: Sequence[Place]) -> tuple[Item, ...]:
        """Return rounds of four loci and one of a feature with a similar density."""
        alike = self._choice.alike.get(feature)
        if alike is None or len(loci) < N_SHOWN - 1:
            return ()
        draw = rng(self._seed, f"intruders: feature {feature}")
        theirs = list(self._side.foreign_loci(feature, alike, self._config.n_rounds, draw))
        found = []
        for other in theirs:
            chosen = draw.choice(len(loci), N_SHOWN - 1, replace=False).tolist()
            shown = [self._cards.card(loci[number]) for number in chosen]
            truth = 1 + int(draw.integers(N_SHOWN))
            shown.insert(truth - 1, self._cards.card(other))
            found.append(Item(truth, tuple(shown), self._cards.family(other)))
        return tuple(found)


def origins_of(trial: Trial) -> Mapping[str, int]:
    """Return the number of silent places of each origin, as columns of the table."""
    return {f"n_{name}": trial.n_origins.get(name, 0) for name in ("drawn", "matched", "near")}
