"""What is judged, and next to what: chosen from labels and fit, so that test has no part in it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.sparse import csr_matrix

from genointerp.association.config import AssociateConfig
from genointerp.association.count.tracks import stream_rows
from genointerp.association.count.universe import Universe, lay_side
from genointerp.core.seed import rng
from genointerp.feature.specimen import Specimen
from genointerp.labelling.executable import NamedBases, named_bases
from genointerp.labelling.judged.config import JudgeConfig
from genointerp.labelling.label import FeatureLabel, leading_labels
from genointerp.store.feature.store import STRANDS, ReadStrand
from genointerp.store.table.schema.label import UNEXPLAINED

N_STRETCHES, STRETCH = 64, 2_000
"""Stretches of fit, and their length in bp, on which features are compared."""


class Choice(NamedTuple):
    """What is judged.

    Parameters
    ----------
    labels
        Labels of the judged features, by feature.
    others
        For each of them, the label of another feature that is shown in its place as a control; None
        if there is none.
    nearest
        For each judged feature the one that fires most like it on fit, if any fires with it.
    alike
        For each judged feature another with a similar density on fit and another label.
    controlled
        Features whose controls are judged.
    """

    labels: tuple[FeatureLabel, ...]
    others: tuple[FeatureLabel | None, ...]
    nearest: Mapping[int, int]
    alike: Mapping[int, int]
    controlled: frozenset[int]

    @property
    def features(self) -> list[int]:
        """Judged features, ascending."""
        return sorted({label.feature for label in self.labels})


def choose(
    specimens: Sequence[Specimen],
    labels: Sequence[FeatureLabel],
    split: AssociateConfig,
    config: JudgeConfig,
    *,
    seed: int,
) -> Choice:
    """Choose features to judge, and for each a near one and another label.

    Notes
    -----
    Labels that say that nothing was found are not judged. Another label is one of the same source,
    of the feature with the nearest density on fit among those whose label was not used yet; neither
    its own label nor that of the nearest feature, whose loci are among the places where it is
    silent, nor one that names the same bases in other words.
    """
    told = [label for label in labels if label.label != UNEXPLAINED]
    features = draw_features(told, config.n_judged, seed=seed)
    judged = [label for label in told if label.feature in set(features)]
    judged.sort(key=lambda it: it.feature)
    fit = lay_side(specimens, split, "fit")
    density = _densities(specimens, fit, sorted(features))
    nearest = nearest_features(specimens, fit, sorted(features), seed=seed)
    others = other_labels(judged, density, nearest)
    alike = {
        label.feature: other.feature
        for label, other in zip(judged, others, strict=True)
        if other is not None
    }
    controlled = frozenset(features[: config.n_controlled])
    return Choice(tuple(judged), tuple(others), nearest, alike, controlled)


def draw_features(labels: Sequence[FeatureLabel], n: int, *, seed: int) -> list[int]:
    """Draw features, one of each kind of label in turn, until there are ``n``."""
    by_kind: dict[str, list[int]] = {}
    for feature, label in leading_labels(labels).items():
        by_kind.setdefault(label.kind, []).append(feature)
    draw = rng(seed, "judged features")
    drawn = [draw.permutation(by_kind[kind]).tolist() for kind in sorted(by_kind)]
    longest = max((len(one) for one in drawn), default=0)
    return [one[turn] for turn in range(longest) for one in drawn if turn < len(one)][:n]


def other_labels(
    labels: Sequence[FeatureLabel], density: Mapping[int, float], nearest: Mapping[int, int]
) -> list[FeatureLabel | None]:
    """Return the label of another feature for each label, each used once as far as possible.

    It has neither the text nor the bases of a label of the feature or of the nearest one.
    """
    meanings = [_meanings(label) for label in labels]
    said: dict[int, set[str | NamedBases]] = {}
    for label, own_meanings in zip(labels, meanings, strict=True):
        said.setdefault(label.feature, set()).update(own_meanings)
    found: dict[int, FeatureLabel] = {}
    used: set[int] = set()
    for place in sorted(range(len(labels)), key=lambda it: density[labels[it].feature]):
        own = labels[place]
        near = nearest.get(own.feature, own.feature)
        refused = said[own.feature] | said.get(near, set())
        possible = [
            (number in used, abs(density[it.feature] - density[own.feature]), number)
            for number, it in enumerate(labels)
            if it.source == own.source and refused.isdisjoint(meanings[number])
        ]
        if possible:
            *_, number = min(possible)
            used.add(number)
            found[place] = labels[number]
    return [found.get(place) for place in range(len(labels))]


def _meanings(label: FeatureLabel) -> set[str | NamedBases]:
    """Return the text of a label, and the bases that it names if it is executable."""
    named = named_bases(label)
    return {label.label} if named is None else {label.label, named}


def nearest_features(
    specimens: Sequence[Specimen], universe: Universe, features: Sequence[int], *, seed: int
) -> dict[int, int]:
    """Return for each feature the other with the highest cosine of activations.

    They are those of drawn stretches of a side, without the mean being subtracted. A feature with
    which no other fires there has none.
    """
    n = specimens[0].features.n_features
    common = np.zeros((len(features), n))
    square = np.zeros(n)
    for genome, strand, start, stop in _stretches(universe, seed):
        rows = specimens[genome].features.rows(start, stop, strand)
        hits = csr_matrix((rows.value, rows.feature, rows.indptr), shape=(stop - start, n))
        common += (hits[:, list(features)].T @ hits).toarray()
        square += np.asarray(hits.power(2).sum(axis=0), dtype=np.float64).reshape(-1)
    scale = np.sqrt(np.outer(square[list(features)], square))
    cosine: Float64[np.ndarray, "feature other"] = common / np.where(scale > 0, scale, 1)
    cosine[np.arange(len(features)), list(features)] = 0
    best = cosine.argmax(axis=1).tolist()
    return {
        feature: other
        for place, (feature, other) in enumerate(zip(features, best, strict=True))
        if cosine[place, other] > 0
    }


def _stretches(universe: Universe, seed: int) -> list[tuple[int, ReadStrand, int, int]]:
    """Draw stretches of global rows that were read, longer segments more often."""
    known = [
        (genome, strand, int(start), int(end))
        for genome, own in enumerate(universe.covered)
        for strand in STRANDS
        for start, end in zip(own[strand].start, own[strand].end, strict=True)
    ]
    length = np.array([end - start for *_, start, end in known], dtype=np.float64)
    draw = rng(seed, "stretches of nearest features")
    found = []
    for number in draw.choice(len(known), N_STRETCHES, p=length / length.sum()).tolist():
        genome, strand, start, end = known[number]
        first = start + int(draw.integers(max(end - start - STRETCH, 0) + 1))
        found.append((genome, strand, first, min(first + STRETCH, end)))
    return found


def _densities(
    specimens: Sequence[Specimen], universe: Universe, features: Sequence[int]
) -> dict[int, float]:
    stores = [specimen.features for specimen in specimens]
    found = {}
    for feature, tracks in stream_rows(stores, features):
        n = sum(int(universe.locate(it.genome, it.strand, it.row).inside.sum()) for it in tracks)
        found[feature] = n / max(universe.n_covered, 1)
    return found
