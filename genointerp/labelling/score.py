"""How well labels say where features fire, on bases that no labeller saw.

An executable label is measured as `associate` measures a concept: the threshold is chosen on fit,
and everything else is counted on test. Where a label names a whole concept, the numbers are those
of the associations.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from genointerp.association.config import AssociateConfig
from genointerp.association.count.hits import Detections, HitBlock, feature_blocks, read_cells
from genointerp.association.count.label import Label
from genointerp.association.count.measure import Measures, Side, make_side, measure
from genointerp.association.count.universe import Universe, lay_side
from genointerp.association.null.nulls import PairNulls
from genointerp.association.null.significance import benjamini_hochberg
from genointerp.association.split import SideName
from genointerp.core import metric
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.feature.specimen import Specimen
from genointerp.labelling.config import ScoreConfig
from genointerp.labelling.executable import named_bases, with_named
from genointerp.labelling.label import FeatureLabel
from genointerp.store.table.schema.label import LABEL_SCORES
from genointerp.store.table.table import conform

MOST_NAMES = 256
"""Most different sets of bases that are laid over the genomes at once."""

_Row = dict[str, Any]


class _Group(NamedTuple):
    """Consecutive features, and their executable labels by their place in the table."""

    features: range
    labels: tuple[tuple[int, FeatureLabel, Label], ...]


@dataclass(frozen=True, eq=False)
class _Laid:
    """The bases of a group's labels on both sides, and what was measured."""

    names: tuple[Label, ...]
    test: Side
    measures: Measures
    first: int
    nulls: PairNulls


def score_labels(
    specimens: Sequence[Specimen],
    labels: Sequence[FeatureLabel],
    split: AssociateConfig,
    config: ScoreConfig | None = None,
    *,
    measured_on: SideName = "test",
    controls: bool = True,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Return the scores of labels in their order, in the schema ``LABEL_SCORES``.

    Parameters
    ----------
    specimens
        Genomes with the features of one dictionary and the elements of the concepts; with their
        sequences where a label names a motif or a GC content.
    split
        The configuration of the associations: fit and test, thresholds and shifts.
    measured_on
        ``fit`` for choices among labels, which are then measured on test.
    controls
        Whether to draw the intervals, and to score the labels of other features.

    Returns
    -------
    pandas.DataFrame
        A row for each label. Scores are NaN for a label that names no bases, or none on test.

    Notes
    -----
    ``shuffled_f1`` and ``shuffled_auroc`` are the means over the labels of ``n_shuffled`` other
    features that are drawn from those counted together, labelled by the same source, and name other
    bases: what any label would reach.
    """
    config = ScoreConfig() if config is None else config
    rows: list[_Row] = [_empty(label) for label in labels]
    universes = {side: lay_side(specimens, split, side) for side in ("fit", measured_on)}
    groups = list(_groups(specimens, labels))
    for done, group in enumerate(groups, start=1):
        laid = _lay(specimens, group, universes["fit"], universes[measured_on], split)
        for place, row in _score_group(specimens, group, laid, config, controls=controls):
            rows[place] |= row
        progress(done, len(groups))
    table = pd.DataFrame(rows, columns=LABEL_SCORES.names)
    p = table["p_value"].to_numpy(np.float64)
    for source in table["source"].unique():
        own = (table["source"] == source).to_numpy()
        table.loc[own, "q_value"] = benjamini_hochberg(p[own])
    return conform(table, LABEL_SCORES, where="label scores")


def _empty(label: FeatureLabel) -> _Row:
    kinds = {column.name: column.kind for column in LABEL_SCORES.columns}
    row: _Row = {name: 0 if kind == "int64" else np.nan for name, kind in kinds.items()}
    return row | {
        "feature": label.feature,
        "source": label.source,
        "label": label.label,
        "is_executable": int(label.is_executable),
    }


def _groups(specimens: Sequence[Specimen], labels: Sequence[FeatureLabel]) -> Iterator[_Group]:
    """Group consecutive features so that their labels name at most `MOST_NAMES` sets of bases."""
    by_feature: dict[int, list[tuple[int, FeatureLabel, Label]]] = {}
    for place, label in enumerate(labels):
        named = named_bases(label)
        if named is not None:
            by_feature.setdefault(label.feature, []).append((place, label, named))
    names: set[Label] = set()
    held: list[tuple[int, FeatureLabel, Label]] = []
    first = 0
    for feature in sorted(by_feature):
        own = by_feature[feature]
        if held and len(names | {it[2] for it in own}) > MOST_NAMES:
            yield _Group(range(first, held[-1][1].feature + 1), tuple(held))
            names, held = set(), []
        if not held:
            first = feature
        names |= {it[2] for it in own}
        held += own
    if held:
        yield _Group(range(first, held[-1][1].feature + 1), tuple(held))


def _lay(
    specimens: Sequence[Specimen],
    group: _Group,
    fit: Universe,
    test: Universe,
    split: AssociateConfig,
) -> _Laid:
    labels = [label for _, label, _ in group.labels]
    named = [with_named(specimen, labels) for specimen in specimens]
    names = tuple(dict.fromkeys(it for _, _, it in group.labels))
    sides = [make_side(named, universe, names, split) for universe in (fit, test)]
    blocks = _blocks_within(specimens, group.features)
    measures = measure(named, sides[0], sides[1], split, blocks=blocks)
    nulls = PairNulls(named, test, sides[1].labels, split, matched=False)
    return _Laid(names, sides[1], measures, group.features.start, nulls)


def _blocks_within(specimens: Sequence[Specimen], features: range) -> list[range]:
    """Return the parts of the blocks of features that lie in a range."""
    blocks = feature_blocks([specimen.features for specimen in specimens])
    parts = [range(max(it.start, features.start), min(it.stop, features.stop)) for it in blocks]
    return [part for part in parts if len(part)]


def _score_group(
    specimens: Sequence[Specimen],
    group: _Group,
    laid: _Laid,
    config: ScoreConfig,
    *,
    controls: bool,
) -> Iterator[tuple[int, _Row]]:
    number = {name: index for index, name in enumerate(laid.names)}
    universe = laid.test.universe
    reader = read_cells([specimen.features for specimen in specimens], universe)
    drawn = _draws(laid, config) if controls else None
    pairs: list[tuple[int, int, int, _Row]] = []
    for block in _blocks_within(specimens, group.features):
        hits = reader.read(block)
        for place, label, name in group.labels:
            if label.feature not in block:
                continue
            row = _counted(label.feature, number[name], laid)
            if row and not np.isnan(row["threshold"]):
                detected = _detect(hits, label.feature, row["threshold"])
                _add_null(laid, label.feature, number[name], detected, row)
                if drawn is not None:
                    row |= _interval(detected, number[name], laid, drawn)
            pairs.append((place, label.feature, number[name], row))
    columns = laid.nulls.columns()
    for place, feature, index, row in pairs:
        row |= {name: float(columns[name][feature, index]) for name in ("null_f1", "p_value")}
        if controls:
            row |= _shuffled(place, index, group, laid, config, number)
        yield place, row


def _counted(feature: int, index: int, laid: _Laid) -> _Row:
    """Return the scores of one feature and one set of bases."""
    found, labels, universe = laid.measures, laid.test.labels, laid.test.universe
    at, one = (feature - laid.first, index), slice(index, index + 1)
    n_label, n_elements = labels.n_positive[one], labels.n_elements[one]
    row: _Row = {
        "threshold": float(found.threshold[at]),
        "f1_fit": float(found.f1_fit[at]),
        "n_label_bp": int(n_label[0]),
        "n_elements": int(n_elements[0]),
        "f1_always_on": metric.f1_always_on(n_label, universe.n_covered).item(),
    }
    if not row["n_label_bp"] or np.isnan(row["threshold"]):
        return row
    own = (feature - laid.first, one)
    both, detected = found.n_both[own], found.n_feature[own]
    scores = {
        "precision": metric.precision(both, detected),
        "recall": metric.recall(both, n_label),
        "f1": metric.f1(both, detected, n_label),
        "auroc": metric.auroc(found.rank_sum[own], n_label, universe.n_covered),
        "recall_element": metric.recall(found.n_hit[own], n_elements),
    }
    return row | {name: value.item() for name, value in scores.items()}


def _detect(hits: HitBlock, feature: int, threshold: float) -> Detections:
    return hits.detect(np.array([feature]), np.array([threshold]))


def _add_null(laid: _Laid, feature: int, index: int, detected: Detections, row: _Row) -> None:
    if "f1" not in row:
        return
    at = (np.array([feature]), index)
    counts = laid.measures.n_feature, laid.measures.n_both
    place = (feature - laid.first, index)
    laid.nulls.add(*at, detected, *(count[place].reshape(1) for count in counts))


class _Draws(NamedTuple):
    """Stretches of test as they are drawn, and the bases of each label in them."""

    weight: Int64[np.ndarray, "draw stretch"]
    positive: Int64[np.ndarray, "label stretch"]
    n_stretches: int


def _draws(laid: _Laid, config: ScoreConfig) -> _Draws:
    labels = laid.test.labels
    n = labels.patches.n_stretches
    draw = rng(config.seed, "label intervals")
    weight = draw.multinomial(n, np.full(n, 1 / n), size=config.n_draws)
    positive = np.stack(
        [_by_stretch(np.flatnonzero(labels.mask(i)), laid) for i in range(len(laid.names))]
    )
    return _Draws(weight.astype(np.int64), positive, n)


def _by_stretch(cells: Int64[np.ndarray, " cell"], laid: _Laid) -> Int64[np.ndarray, " stretch"]:
    """Count cells by the stretch of the axis in which they lie, both strands together."""
    n_bp, n = laid.test.universe.n_bp, laid.test.labels.patches.n_stretches
    stretch = cells % n_bp * n // n_bp
    return np.bincount(stretch, minlength=n).astype(np.int64)


def _interval(detected: Detections, index: int, laid: _Laid, drawn: _Draws) -> _Row:
    """Return the percentile interval of F1 over draws of stretches."""
    cells = detected.cell[detected.start[0] : detected.stop[0]]
    loud = detected.code[detected.start[0] : detected.stop[0]] >= detected.reach[0]
    cells = cells[loud].astype(np.int64)
    is_in: Bool[np.ndarray, " hit"] = laid.test.labels.mask(index)[cells]
    n_detected, n_both = _by_stretch(cells, laid), _by_stretch(cells[is_in], laid)
    found = metric.f1(
        drawn.weight @ n_both, drawn.weight @ n_detected, drawn.weight @ drawn.positive[index]
    )
    known = found[~np.isnan(found)]
    if not len(known):
        return {}
    low, high = np.quantile(known, [0.025, 0.975])
    return {"f1_low": float(low), "f1_high": float(high)}


def _shuffled(
    place: int,
    index: int,
    group: _Group,
    laid: _Laid,
    config: ScoreConfig,
    number: Mapping[Label, int],
) -> _Row:
    """Return the mean scores of a feature under the labels of other features."""
    own = next(label for at, label, _ in group.labels if at == place)
    others = [
        number[name]
        for _, label, name in group.labels
        if label.feature != own.feature and label.source == own.source and number[name] != index
    ]
    draw = rng(config.seed, f"shuffled labels of {own.feature}")
    chosen = draw.permutation(others)[: config.n_shuffled].tolist()
    rows = [_counted(own.feature, it, laid) for it in chosen]
    return {
        f"shuffled_{name}": _mean([row[name] for row in rows if name in row])
        for name in ("f1", "auroc")
    }


def _mean(values: Sequence[float]) -> float:
    known: Float64[np.ndarray, " value"] = np.array(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    return float(known.mean()) if len(known) else float("nan")
