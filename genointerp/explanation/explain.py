"""Explain a number: attribute it to nodes, and check the largest by exact ablation."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64

from genointerp.core.errors import ConfigError
from genointerp.core.progress import Progress, piece, silent
from genointerp.explanation.attribution import (
    Attribution,
    AttributionConfig,
    Nodes,
    ablate,
    attribute,
)
from genointerp.genome.genome import Genome
from genointerp.model.protocol import DnaModel
from genointerp.reading.question import Question, differentiable
from genointerp.reading.target import Measure, Prediction
from genointerp.sae.dictionary import Dictionary
from genointerp.store.table.schema.explanation import EXPLANATION
from genointerp.store.table.table import conform

N_TOP = 10
"""Number of features in the column ``top``, whose sum gives an explanation its sign."""


@dataclass(frozen=True)
class ExplainConfig(AttributionConfig):
    """What is read, how a number is attributed, and how many nodes are shown and checked.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    context: int = 512
    """Bases read before those that are asked for."""
    measure: Measure = "contrast"
    """How a prediction becomes a number."""
    n_nodes: int = 100
    """Number of nodes in the table, largest attribution first; the others are summed."""
    n_exact: int = 50
    """Number of them that are ablated exactly."""
    n_next: int = 63
    """Bases behind a variant whose log probability is explained."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("context", "n_nodes", "n_next"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "at least 1", str(getattr(self, name)))
        if not 0 <= self.n_exact <= self.n_nodes:
            expected = f"from 0 to n_nodes={self.n_nodes}"
            raise ConfigError("n_exact", expected, str(self.n_exact))


def changed(**values: object) -> ExplainConfig:
    """Return the configuration with other values; None keeps the default."""
    given: dict[str, Any] = {name: it for name, it in values.items() if it is not None}
    if "n_nodes" in given:
        given.setdefault("n_exact", min(given["n_nodes"], ExplainConfig.n_exact))
    if "steps" in given:
        given.setdefault("most_steps", max(given["steps"], ExplainConfig.most_steps))
    return ExplainConfig(**given)


@dataclass(frozen=True)
class FeatureNames:
    """What features are called.

    Parameters
    ----------
    names
        Name of a feature, as its dictionary has it.
    concepts
        Concept that a feature detects better than chance, with the orientation.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    concepts: Mapping[int, str] = field(default_factory=dict)

    def of(self, feature: int) -> str:
        """Return the number of a feature with its name, or else its concept.

        Examples
        --------
        >>> FeatureNames(concepts={145: "tRNA sense"}).of(145)
        'f/145 (tRNA sense)'
        """
        called = self.names.get(feature) or self.concepts.get(feature)
        return f"f/{feature} ({called})" if called else f"f/{feature}"


@dataclass(frozen=True, eq=False)
class Explanation:
    """An attribution, its largest nodes, and the exact effect of the first of them.

    Parameters
    ----------
    exact
        By how much the number falls if a node alone is set to its baseline: for each node, NaN for
        those that were not ablated.
    log_p
        Log probability of what is asked for; NaN if that is a feature.
    """

    attribution: Attribution
    nodes: Nodes
    exact: Float64[np.ndarray, " node"]
    log_p: float

    @property
    def r(self) -> float:
        """Correlation of attribution and exact effect, over the nodes that were ablated."""
        return _correlation(self.attribution.of(self.nodes), self.exact)

    @property
    def r_gradient(self) -> float:
        """The same with the gradient at the activations themselves."""
        return _correlation(self.attribution.gradients_of(self.nodes), self.exact)

    @property
    def slope(self) -> float:
        """Least-squares slope of the exact effect on the attribution, through 0."""
        known = ~np.isnan(self.exact)
        a, exact = self.attribution.of(self.nodes)[known], self.exact[known]
        return float(a @ exact / (a @ a)) if (a @ a) > 0 else float("nan")

    @property
    def summed(self) -> Float64[np.ndarray, " n_features"]:
        """Sum of the attributions of each feature over tokens."""
        return np.asarray(self.attribution.features.sum(0, dtype=np.float64))

    def top(self, n: int = N_TOP) -> list[int]:
        """Return the features of largest absolute sum, in this order; none whose sum is 0."""
        order = np.argsort(-np.abs(self.summed), kind="stable")[:n]
        return [int(feature) for feature in order if self.summed[feature]]

    @property
    def top_sum(self) -> float:
        """Sum over the features of `top`, whose sign is that of the explanation."""
        return float(self.summed[self.top()].sum())

    def in_short(self, names: FeatureNames) -> str:
        """Return the features of largest sum with it, for the column ``top``."""
        return "; ".join(f"{names.of(it)} {self.summed[it]:+.3f}" for it in self.top())

    def table(self, genome: Genome, names: FeatureNames) -> pd.DataFrame:
        """Return the nodes in the schema ``EXPLANATION``; what is not listed is in two sums."""
        found, question = self.attribution, self.attribution.question
        kept = question.interval
        length = genome[kept.seqid].length
        rows = []
        listed = zip(self.nodes.token.tolist(), self.nodes.feature.tolist(), strict=True)
        weights, slopes = found.of(self.nodes), found.gradients_of(self.nodes)
        for i, (token, feature) in enumerate(listed):
            index = question.nodes.start + token
            place = question.bases_of(index, length)
            if feature < 0:
                kind = "error"
                amounts = [float(np.linalg.norm(e[token])) for e in found.both_errors]
            else:
                kind, amounts = "feature", [float(f[token, feature]) for f in found.both_amounts]
            called = (names.names.get(feature, ""), names.concepts.get(feature, ""))
            offset = index - question.asked
            numbers = (*amounts, weights[i], slopes[i], self.exact[i])
            row = (place.seqid, place.start, place.end, place.strand, offset, kind, feature)
            rows.append((question.name, *row, *called, *numbers))
        rows += self._others()
        table = pd.DataFrame(rows, columns=EXPLANATION.names)
        return conform(table, EXPLANATION, where=question.name)

    def _others(self) -> list[tuple[object, ...]]:
        """Return the sums over the features and over the errors that are not listed."""
        found, kept = self.attribution, self.attribution.question.interval
        is_error = self.nodes.feature < 0
        weights, slopes = found.of(self.nodes), found.gradients_of(self.nodes)
        sums = (
            ("other features", found.features, found.feature_gradients, ~is_error),
            ("other errors", found.errors, found.error_gradients, is_error),
        )
        place = (kept.seqid, kept.start, kept.end, kept.strand, 0)
        rows: list[tuple[object, ...]] = []
        for kind, every, every_slope, own in sums:
            rest = float(every.sum(dtype=np.float64)) - float(weights[own].sum())
            slope = float(every_slope.sum(dtype=np.float64)) - float(slopes[own].sum())
            unknown = float("nan")
            numbers = (unknown, unknown, rest, slope, unknown)
            rows.append((found.question.name, *place, kind, -1, "", "", *numbers))
        return rows


def explain_question(
    model: DnaModel,
    dictionary: Dictionary,
    question: Question,
    config: ExplainConfig | None = None,
    *,
    progress: Progress = silent,
) -> Explanation:
    """Attribute a number to nodes, and ablate the largest of them exactly.

    Parameters
    ----------
    progress
        Called with (percent done, 100): half of it is attribution, half ablation.

    Raises
    ------
    InputError
        As `attribute`.
    MismatchError
        If the dictionary is not of the model.
    """
    config = ExplainConfig() if config is None else config
    halves = [piece(_percent(progress), number, 2) for number in range(2)]
    attribution = attribute(model, dictionary, question, config, progress=halves[0])
    nodes = attribution.largest(config.n_nodes)
    first = Nodes(nodes.token[: config.n_exact], nodes.feature[: config.n_exact])
    exact = np.full(len(nodes.token), np.nan)
    exact[: len(first.token)] = ablate(
        model, dictionary, attribution, first, batch=config.batch, progress=halves[1]
    )
    progress(100, 100)
    return Explanation(attribution, nodes, exact, _log_p(model, question))


def _percent(progress: Progress) -> Progress:
    # parts of different sizes are one whole
    return lambda done, total: progress(100 * done // total, 100)


def _log_p(model: DnaModel, question: Question) -> float:
    target = question.target
    if not isinstance(target, Prediction):
        return float("nan")
    ids = question.batch.ids
    traced = differentiable(model).trace(ids)
    return float(replace(target, measure="log_p")(traced).detach())


def _correlation(a: Float64[np.ndarray, " node"], exact: Float64[np.ndarray, " node"]) -> float:
    """Return Pearson's r over the nodes that were ablated; NaN for fewer than three."""
    known = ~np.isnan(exact)
    a, exact = a[known], exact[known]
    if len(a) < 3 or not a.std() or not exact.std():
        return float("nan")
    return float(np.corrcoef(a, exact)[0, 1])
