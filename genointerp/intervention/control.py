"""Controls of a painting: the same done with what should not work."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from genointerp.core.errors import ConfigError, InputError
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.intervention.canvas import Canvas
from genointerp.intervention.means import difference_of_means
from genointerp.intervention.schedule import Schedule
from genointerp.intervention.subject import Subject
from genointerp.sae.dictionary import Dictionary
from genointerp.sae.paint import Painter, Targets
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand

_log = logging.getLogger(__name__)

RELATED = 0.1
"""Correlation of firing from which two features count as related."""
_LAGS = (-2, -1, 0, 1, 2)
"""Distances at which firing is compared: the other positions of a codon are 1 or 2 bases away."""
_FACTOR = 2.0
"""Ratio of densities up to which a feature matches another."""
_POOL = 4
"""Number of the nearest features by density, for each one needed, from which is drawn."""


@dataclass(frozen=True)
class ControlConfig:
    """Doses of a canvas, and what is done beside it.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    doses: tuple[float, ...] = (1.0,)
    """Factors by which the doses of the canvas are multiplied, one after the other."""
    controls: bool = True
    """Whether the controls are measured too."""
    n_matched: int = 2
    """Controls by other features that fire as often and are unrelated."""
    n_random: int = 2
    """Controls along random directions of the same norm."""
    labelled: int = 16_384
    """Bases of each strand that are read for the control by a difference of means; 0: none."""
    sample: int = 65_536
    """Bases of each strand that are read first to measure units and draw controls, where features
    of the genome are not given."""
    seed: int = 0
    """Random seed."""

    def __post_init__(self) -> None:
        for name, least in (
            ("n_matched", 0),
            ("n_random", 0),
            ("labelled", 0),
            ("sample", 1),
        ):
            if getattr(self, name) < least:
                raise ConfigError(name, f"at least {least}", str(getattr(self, name)))
        if not self.doses or not np.isfinite(self.doses).all():
            raise ConfigError("doses", "one finite number or more", str(self.doses))


C = TypeVar("C", bound=ControlConfig)


def changed(
    config: C,
    *,
    doses: Sequence[float] = (),
    controls: bool = True,
    **values: object,
) -> C:
    """Return a configuration with other values; None, and no dose, keep what there is."""
    given: dict[str, Any] = {name: it for name, it in values.items() if it is not None}
    return replace(config, doses=tuple(doses) or config.doses, controls=controls, **given)


@dataclass(frozen=True, eq=False)
class Condition:
    """A way to paint: the canvas itself, or a control.

    Parameters
    ----------
    name
        Name in tables.
    dose
        What the doses of the canvas were multiplied by.
    schedule
        What becomes of which feature where.
    directions
        Vectors along which the changes are written, if not along the features' directions.
    """

    name: str
    dose: float
    schedule: Schedule
    directions: Float[Tensor, "column d"] | None = None

    def painter(self, dictionary: Dictionary, targets: Targets) -> Painter:
        """Return the function that paints activations by targets of its schedule."""
        return Painter(dictionary, targets, self.directions)


CANVAS_ITSELF = "canvas"
"""Name of the condition that is no control."""


def all_conditions(
    subject: Subject, canvas: Canvas, config: ControlConfig, *, progress: Progress = silent
) -> Iterator[Condition]:
    """Yield the canvas at each dose, each followed by its controls.

    ``progress`` is called with (features that have their matches, all that are painted).
    """
    own = subject.bound(canvas)
    controlled = config.controls and bool(own.features)
    matched: list[dict[int, int]] = []
    means = None
    if controlled and config.labelled:
        means = difference_of_means(subject, own, n_bases=config.labelled, seed=config.seed)
    if controlled and subject.features is not None:
        matched = matched_sets(
            subject.features, own.features, config.n_matched, seed=config.seed, progress=progress
        )
    for dose in config.doses:
        dosed = canvas.times(dose)
        schedule = subject.bound(dosed)
        yield Condition(CANVAS_ITSELF, dose, schedule)
        if controlled:
            yield from controls(
                schedule,
                _flat(subject, dosed),
                subject.dictionary,
                matched,
                means,
                dose=dose,
                config=config,
            )


def _flat(subject: Subject, canvas: Canvas) -> Schedule | None:
    """Return the schedule of a canvas without codon phases, if there is one."""
    flat = canvas.flat()
    try:
        return None if flat is None else subject.bound(flat)
    except InputError as error:
        # strokes that take turns with each other's phases meet where each paints all bases
        _log.warning("no control without codon phases: %s", error)
        return None


def controls(
    schedule: Schedule,
    flat: Schedule | None,
    dictionary: Dictionary,
    matched: Sequence[Mapping[int, int]],
    means: Float[Tensor, "column d"] | None = None,
    *,
    dose: float,
    config: ControlConfig,
) -> Iterator[Condition]:
    """Yield the controls of a schedule.

    Parameters
    ----------
    flat
        The schedule of the canvas without codon phases, if it has any.
    matched
        For each control by other features, the feature that takes the place of each painted one.
    means
        The direction of the difference of means of each column, if it is known.

    Notes
    -----
    Those that move places are made only of a schedule with phases or profiles, since otherwise they
    differ from the canvas at the ends of its strokes alone.
    """
    for number, others in enumerate(matched, 1):
        yield Condition(f"matched {number}", dose, schedule.with_features(dict(others)))
    for number in range(1, config.n_random + 1):
        directions = random_directions(schedule, dictionary, number, config.seed)
        yield Condition(f"random {number}", dose, schedule, directions)
    if means is not None:
        yield Condition("difference of means", dose, schedule, means)
    if schedule.has_order:
        yield Condition("shifted", dose, schedule.shifted(1))
        yield Condition("shuffled", dose, schedule.shuffled(config.seed))
    if flat is not None:
        yield Condition("flat", dose, flat)


def random_directions(
    schedule: Schedule, dictionary: Dictionary, number: int, seed: int
) -> Float[Tensor, "column d"]:
    """Return a random direction for each painted feature, of the norm of its own."""
    drawn = {}
    for feature in schedule.features:
        own = dictionary.direction(feature)
        noise = rng(seed, f"direction {number} in place of {feature}").normal(size=len(own))
        vector = torch.from_numpy(noise).to(own)
        drawn[feature] = vector / vector.norm() * own.norm()
    return torch.stack([drawn[column.feature] for column in schedule.columns])


def matched_sets(
    store: FeatureStore,
    features: Sequence[int],
    n: int,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> list[dict[int, int]]:
    """Draw unrelated features that fire about as often as some features, up to ``n`` for each.

    Notes
    -----
    A feature matches another if it fires at most twice and at least half as often. It is related to
    a feature if the correlation (phi) of their firing, over all (base, reading strand) pairs,
    exceeds .1 in size at a distance of up to two bases, on the same or on the opposite strand. What
    tells the same, or another position of the codon, or either on the other strand, is no control.
    A set has no feature twice, nor one that is in a set before.
    """
    n_firing = np.sum([store.n_firing(strand) for strand in STRANDS], axis=0)
    firing = [_Firing(store, feature) for feature in features]
    pools: dict[int, list[int]] = {}
    known: dict[int, bool] = {}

    def is_unrelated(other: int) -> bool:
        if other not in known:
            known[other] = not any(it.is_related(store, other) for it in firing)
        return known[other]

    for done, feature in enumerate(features):
        progress(done, len(features))
        alike = (other for other in _by_density(n_firing, feature) if other not in features)
        near = list(islice(filter(is_unrelated, alike), _POOL * n * len(features)))
        pools[feature] = rng(seed, f"matched {feature}").permutation(near).tolist()
    # who has the fewest to choose from chooses first
    order = sorted(pools, key=lambda feature: len(pools[feature]))
    sets: list[dict[int, int]] = []
    taken: set[int] = set()
    for _ in range(n):
        found: dict[int, int] = {}
        for feature in order:
            left = [int(other) for other in pools[feature] if other not in taken]
            if not left:
                _log.warning(
                    "%d of %d controls by matched features: no more that are unrelated fire as "
                    "often as f/%d",
                    len(sets),
                    n,
                    feature,
                )
                return sets
            found[feature] = left[0]
            taken.add(left[0])
        sets.append(found)
    return sets


def _by_density(n_firing: Int64[np.ndarray, " n_features"], feature: int) -> list[int]:
    """Return the features that fire about as often, nearest first."""
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.abs(np.log(n_firing / n_firing[feature]))
    order = np.argsort(distance, kind="stable")
    return [int(it) for it in order if distance[it] <= np.log(_FACTOR)]


class _Firing:
    """The bases on which a feature fires, to be compared with those of others."""

    def __init__(self, store: FeatureStore, feature: int) -> None:
        self._mask: dict[ReadStrand, np.ndarray] = {
            strand: _mask(store, feature, strand) for strand in STRANDS
        }
        self._n = sum(int(mask.sum()) for mask in self._mask.values())
        self._n_read = sum(
            interval.length for strand in STRANDS for interval in store.coverage(strand)
        )

    def is_related(self, store: FeatureStore, other: int) -> bool:
        rows = {strand: store.feature(other, strand).row for strand in STRANDS}
        n_other = sum(len(row) for row in rows.values())
        return any(
            abs(self._phi(rows, lag, n_other, opposite=opposite)) > RELATED
            for lag in _LAGS
            for opposite in (False, True)
        )

    def _phi(
        self,
        rows: Mapping[ReadStrand, np.ndarray],
        lag: int,
        n_other: int,
        *,
        opposite: bool,
    ) -> float:
        both = 0
        for strand, mask in self._mask.items():
            own: ReadStrand = strand if not opposite else "-" if strand == "+" else "+"
            # downstream of the feature, whichever strand it is read on
            shift = lag if strand == "+" else -lag
            both += int(mask[rows[own] + shift + 2].sum())
        n, p, q = self._n_read, self._n / self._n_read, n_other / self._n_read
        spread = np.sqrt(p * (1 - p) * q * (1 - q))
        return float((both / n - p * q) / spread) if spread > 0 else 0.0


def _mask(store: FeatureStore, feature: int, strand: ReadStrand) -> Bool[np.ndarray, " padded"]:
    # two rows more at either end, for the lags
    mask = np.zeros(store.n_rows + 4, np.bool_)
    mask[store.feature(feature, strand).row + 2] = True
    return mask
