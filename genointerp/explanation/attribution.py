"""Integrated gradients over the features of one site and what its dictionary does not explain.

Sundararajan et al. 2017 (arXiv 1703.01365) integrate from a baseline to the input; here the input
is the activation of a site, as in sparse feature circuits (Marks et al. 2024, arXiv 2403.19647).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from genointerp.annotation.finders.folding import dinucleotide_shuffle
from genointerp.core.config import check_choice
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.progress import Progress, piece, silent
from genointerp.core.seed import rng
from genointerp.explanation.path import PathConfig, PathIntegral, gradient_at, integrate
from genointerp.model.protocol import DnaModel
from genointerp.reading.fidelity import check_dictionary
from genointerp.reading.question import Question, clean_activations
from genointerp.sae.dictionary import Dictionary

Baseline = Literal["mean", "shuffle", "zero", "counterfactual"]
"""What the activations are compared with: the mean amount of each feature over the window, without
an error; the activations that the bases have with dinucleotides shuffled, but for the first and
those that are asked for; no features and no error; or the activations of another sequence."""


@dataclass(frozen=True)
class AttributionConfig(PathConfig):
    """How a number is attributed.

    Raises
    ------
    ConfigError
        If a number is out of its range, or a baseline is unknown.
    """

    baseline: Baseline = "mean"
    """What the activations are compared with."""
    n_shuffles: int = 8
    """Shuffled sequences of the baseline ``shuffle``; attributions are means over them."""
    seed: int = 0
    """Random seed of the shuffles."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("baseline", self.baseline, Baseline)
        if self.n_shuffles < 1:
            raise ConfigError("n_shuffles", "at least 1", str(self.n_shuffles))


@dataclass(frozen=True, eq=False)
class Attribution:
    """What each node contributes to a number: a feature, or the error, at a token.

    Tokens are those of ``question.nodes``. What depends on the baseline is a mean over all of them,
    if there are several (shuffles).

    Parameters
    ----------
    amounts, baseline_amounts
        Amount of each feature, and that of the baseline.
    error, baseline_error
        What the dictionary does not explain of the activations, and of those of the baseline.
    features, errors
        Attribution of each node, in nats (of a feature: in its units).
    feature_gradients, error_gradients
        The same with the gradient at the activations themselves instead of that along the path.
    value, baseline_value
        The number, and that of the baseline.
    steps
        Midpoints of the path; the most of the baselines.
    gap
        ``|sum of all attributions - change|``.
    is_complete
        Whether the gap is within the tolerance for every baseline.
    """

    question: Question
    site: str
    amounts: Float[np.ndarray, "token n_features"]
    baseline_amounts: Float[np.ndarray, "token n_features"]
    error: Float[np.ndarray, "token d"]
    baseline_error: Float[np.ndarray, "token d"]
    features: Float[np.ndarray, "token n_features"]
    errors: Float[np.ndarray, " token"]
    feature_gradients: Float[np.ndarray, "token n_features"]
    error_gradients: Float[np.ndarray, " token"]
    value: float
    baseline_value: float
    steps: int
    gap: float
    is_complete: bool

    @property
    def change(self) -> float:
        """The number minus that of the baseline."""
        return self.value - self.baseline_value

    @property
    def both_amounts(self) -> tuple[np.ndarray, np.ndarray]:
        """Amounts, and those of the baseline."""
        return self.amounts, self.baseline_amounts

    @property
    def both_errors(self) -> tuple[np.ndarray, np.ndarray]:
        """Error, and that of the baseline."""
        return self.error, self.baseline_error

    @property
    def error_share(self) -> float:
        """Share of the error nodes in the sum of the absolute attributions; NaN if all are 0."""
        errors, features = float(np.abs(self.errors).sum()), float(np.abs(self.features).sum())
        return errors / (errors + features) if errors + features else float("nan")

    def largest(self, n: int) -> "Nodes":
        """Return the ``n`` nodes of largest absolute attribution, features and errors together."""
        every = np.concatenate([self.features.ravel(), self.errors])
        order = np.argsort(-np.abs(every), kind="stable")[:n]
        order = order[every[order] != 0]
        width = self.features.shape[1]
        is_error = order >= self.features.size
        token = np.where(is_error, order - self.features.size, order // width)
        return Nodes(token, np.where(is_error, -1, order % width))

    def of(self, nodes: "Nodes") -> Float64[np.ndarray, " node"]:
        """Return the attributions of some nodes."""
        return _picked(self.features, self.errors, nodes)

    def gradients_of(self, nodes: "Nodes") -> Float64[np.ndarray, " node"]:
        """Return what the gradient at the activations themselves says of some nodes."""
        return _picked(self.feature_gradients, self.error_gradients, nodes)


class Nodes(NamedTuple):
    """Some nodes of an attribution.

    Parameters
    ----------
    token
        Index of each within ``question.nodes``.
    feature
        Feature of each; -1 for the error.
    """

    token: Int64[np.ndarray, " node"]
    feature: Int64[np.ndarray, " node"]


def attribute(
    model: DnaModel,
    dictionary: Dictionary,
    question: Question,
    config: AttributionConfig | None = None,
    *,
    progress: Progress = silent,
) -> Attribution:
    """Attribute a number to the features of a site and to what its dictionary does not explain.

    Parameters
    ----------
    progress
        Called with (points of paths done, the most that may be needed).

    Notes
    -----
    With amounts f, error e and directions d of the activations ``x = sum_i f_i d_i + b + e``, f'
    and e' those of the baseline, and g the mean gradient on the line from x' to x
    (`genointerp.explanation.path.integrate`), the attribution of feature i at token t is
    ``(f_ti - f'_ti) <g_t, d_i>``, and that of the error ``<g_t, e_t - e'_t>``. Together they are
    ``<g, x - x'>``, the change of the number up to the gap of the integral: b is in both.

    Raises
    ------
    InputError
        If the baseline cannot be made, or the model is of half precision; if the target is a
        feature that is not above the site.
    MismatchError
        If the dictionary is not of the model.
    """
    config = AttributionConfig() if config is None else config
    check_dictionary(dictionary, model)
    site = dictionary.header.site
    _check_above(model, site, question)
    x = clean_activations(model, site, question.read.spans.ids)
    own = _parts(dictionary, x[question.nodes])
    at_end = gradient_at(model, question, site, x[None])[0, question.nodes]
    baselines = _baselines(model, dictionary, question, x, own, config)
    paths = []
    for number, other in enumerate(baselines):
        # by the difference, so that what is the same in both is so to the last digit
        away = (other.amounts - own.amounts) @ dictionary.directions + (other.error - own.error)
        start = x.clone()
        start[question.nodes] += away.to(x)
        report = piece(progress, number, len(baselines))
        paths.append(integrate(model, question, site, start, x, config, progress=report))
    return _attribution(dictionary, question, own, baselines, paths, at_end)


def ablate(
    model: DnaModel,
    dictionary: Dictionary,
    attribution: Attribution,
    nodes: Nodes,
    *,
    batch: int = AttributionConfig.batch,
    progress: Progress = silent,
) -> Float64[np.ndarray, " node"]:
    """Return the exact effect of each node alone: by how much the number falls at its baseline.

    The node's amount, or its error, is set to that of the baseline (the mean of several), and all
    others are left as they are.

    Parameters
    ----------
    progress
        Called with (nodes done, nodes in all).
    """
    question, site = attribution.question, attribution.site
    x = clean_activations(model, site, question.read.spans.ids)
    first = question.nodes.start
    amount = torch.from_numpy(attribution.baseline_amounts - attribution.amounts)
    error = torch.from_numpy(attribution.baseline_error - attribution.error)
    found = []
    for begin in range(0, len(nodes.token), batch):
        rows = [it[begin : begin + batch].tolist() for it in nodes]
        ablated = x.repeat(len(rows[0]), 1, 1)
        for row, (token, feature) in enumerate(zip(*rows, strict=True)):
            away = error[token]
            if feature >= 0:
                away = amount[token, feature] * dictionary.directions[feature].cpu()
            ablated[row, first + token] += away.to(x)
        found.append(attribution.value - question.values(model, site, ablated).cpu().numpy())
        progress(begin + len(rows[0]), len(nodes.token))
    return np.concatenate([np.zeros(0), *found])


class _Parts(NamedTuple):
    """Activations as a dictionary has them."""

    amounts: Float[Tensor, "token n_features"]
    error: Float[Tensor, "token d"]


def _parts(dictionary: Dictionary, x: Float[Tensor, "token d"]) -> _Parts:
    amounts = dictionary.amounts(x)
    return _Parts(amounts, x.to(amounts) - dictionary.decode(amounts))


def _baselines(
    model: DnaModel,
    dictionary: Dictionary,
    question: Question,
    x: Float[Tensor, "token d"],
    own: _Parts,
    config: AttributionConfig,
) -> Sequence[_Parts]:
    if config.baseline in ("mean", "zero"):
        mean = own.amounts.mean(0) * (config.baseline == "mean")
        return [_Parts(mean.expand_as(own.amounts), torch.zeros_like(own.error))]
    if config.baseline == "counterfactual":
        if question.counterfactual is None:
            expected = "a sequence to compare with, as a variant has in the genome's bases"
            raise InputError("baseline counterfactual", expected, "none")
        sequences = [question.counterfactual]
    else:
        sequences = [_shuffled(model, question, config.seed, i) for i in range(config.n_shuffles)]
    site = dictionary.header.site
    return [
        _parts(dictionary, clean_activations(model, site, ids)[question.nodes].to(x))
        for ids in sequences
    ]


def _shuffled(
    model: DnaModel, question: Question, seed: int, number: int
) -> Int64[np.ndarray, " token"]:
    """Return the tokens with the bases before those that are asked for in another order."""
    bases, spans = question.passage.bases.copy(), question.read.spans
    before = int(spans.start[question.asked])
    if before < 3:
        expected = "at least 3 bases before those that are asked for, which are shuffled"
        raise InputError("baseline shuffle", expected, str(before))
    draw = rng(seed, f"shuffle {number} before {question.name} {question.interval.strand}")
    # a shuffle keeps the last base: with that which is asked for, the one before it may change
    bases[: before + 1] = dinucleotide_shuffle(bases[: before + 1], draw)
    shuffled = model.tokenize(bases)
    if not np.array_equal(shuffled.start, spans.start):
        expected = "tokens that begin at the same bases once these are shuffled"
        raise InputError("baseline shuffle", expected, "others")
    return shuffled.ids


def _attribution(
    dictionary: Dictionary,
    question: Question,
    own: _Parts,
    others: Sequence[_Parts],
    paths: Sequence[PathIntegral],
    at_end: Float[Tensor, "token d"],
) -> Attribution:
    directions = dictionary.directions
    features, errors = torch.zeros_like(own.amounts), own.error.new_zeros(len(own.error))
    listed = []
    for other, path in zip(others, paths, strict=True):
        gradient = path.gradient[question.nodes].to(directions)
        by_feature = (own.amounts - other.amounts) * (gradient @ directions.T)
        by_error = ((own.error - other.error) * gradient).sum(1)
        total = float(by_feature.double().sum() + by_error.double().sum())
        listed.append(path._replace(total=total))
        features += by_feature / len(paths)
        errors += by_error / len(paths)
    amounts = torch.stack([other.amounts for other in others]).mean(0)
    error = torch.stack([other.error for other in others]).mean(0)
    at_end = at_end.to(directions)
    return Attribution(
        question,
        dictionary.header.site,
        own.amounts.cpu().numpy(),
        amounts.cpu().numpy(),
        own.error.cpu().numpy(),
        error.cpu().numpy(),
        features.cpu().numpy(),
        errors.cpu().numpy(),
        ((own.amounts - amounts) * (at_end @ directions.T)).cpu().numpy(),
        ((own.error - error) * at_end).sum(1).cpu().numpy(),
        paths[0].end_value,
        float(np.mean([path.start_value for path in paths])),
        max(path.steps for path in paths),
        abs(float(np.mean([path.total - path.change for path in listed]))),
        all(path.is_complete for path in listed),
    )


def _check_above(model: DnaModel, site: str, question: Question) -> None:
    sites = [*model.spec.sites]
    for watched in question.watched:
        known = site in sites and watched in sites
        if watched == site or (known and sites.index(watched) <= sites.index(site)):
            expected = f"a feature of a site above {site}, whose features explain it"
            found = f"one of {watched} (mutate --feature explains it by bases)"
            raise InputError(question.name, expected, found)


def _picked(
    features: Float[np.ndarray, "token n_features"],
    errors: Float[np.ndarray, " token"],
    nodes: Nodes,
) -> Float64[np.ndarray, " node"]:
    of_error = errors[nodes.token]
    found = np.where(nodes.feature < 0, of_error, features[nodes.token, nodes.feature])
    return np.asarray(found, dtype=np.float64)
