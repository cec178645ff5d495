"""The path from a baseline to the activations of a site, along which gradients are integrated."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from genointerp.core.errors import ConfigError
from genointerp.core.progress import Progress, silent
from genointerp.model.protocol import DnaModel, SiteActivations
from genointerp.reading.question import Question
from genointerp.reading.run import gradients

RELATIVE, ABSOLUTE = 0.01, 0.001
"""An attribution is complete if its gap is at most ``RELATIVE |change| + ABSOLUTE`` nats."""


@dataclass(frozen=True)
class PathConfig:
    """At how many points of a path gradients are taken.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    steps: int = 20
    """Midpoints of the path at which gradients are taken."""
    most_steps: int = 160
    """Steps are doubled, up to so many, until the attributions add up to the change."""
    batch: int = 20
    """Points of a path, or ablated copies of a window, that the model reads at once."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "at least 1", str(getattr(self, name)))
        if self.most_steps < self.steps:
            expected = f"at least steps={self.steps}"
            raise ConfigError("most_steps", expected, str(self.most_steps))

    @property
    def most_points(self) -> int:
        """The most points of one path at which gradients are taken, over all doublings."""
        steps, points = self.steps, self.steps
        while 2 * steps <= self.most_steps:
            steps *= 2
            points += steps
        return points


class PathIntegral(NamedTuple):
    """The mean gradient of a number along the straight line between two activations of a site.

    Parameters
    ----------
    gradient
        Mean over the midpoints.
    steps
        Number of midpoints.
    start_value, end_value
        The number at both ends.
    total
        Sum of the gradient times the difference of the ends.
    """

    gradient: Float[Tensor, "token d"]
    steps: int
    start_value: float
    end_value: float
    total: float

    @property
    def change(self) -> float:
        """The number at the end minus that at the start."""
        return self.end_value - self.start_value

    @property
    def gap(self) -> float:
        """How much the attributions of the path miss of the change."""
        return abs(self.total - self.change)

    @property
    def is_complete(self) -> bool:
        """Whether the gap is within the tolerance."""
        return self.gap <= RELATIVE * abs(self.change) + ABSOLUTE


def integrate(
    model: DnaModel,
    question: Question,
    site: str,
    start: Float[Tensor, "token d"],
    end: Float[Tensor, "token d"],
    config: PathConfig,
    *,
    progress: Progress = silent,
) -> PathIntegral:
    """Integrate the gradient of a number from ``start`` to ``end``, activations at a site.

    Parameters
    ----------
    progress
        Called with (points done, `PathConfig.most_points`), of which most are seldom needed.

    Notes
    -----
    ``(1 / K) sum_k grad L(start + a_k (end - start))`` at midpoints ``a_k = (k + 1/2) / K``. K is
    doubled until the sum of the gradient times ``end - start`` is the change of L within
    :data:`RELATIVE` and :data:`ABSOLUTE`, or ``most_steps`` would be exceeded. Midpoints have an
    error of order ``1 / K^2``, the left ends of K equal parts one of order ``1 / K``.
    """
    first, last = question.values(model, site, torch.stack([start, end])).tolist()
    steps, difference, points = config.steps, end - start, 0
    while True:
        summed = torch.zeros_like(start, dtype=torch.float64)
        for some in torch.split(_midpoints(steps, start), config.batch):
            x = start + some[:, None, None] * difference
            summed += gradient_at(model, question, site, x).double().sum(0)
            points += len(some)
            progress(points, config.most_points)
        gradient = (summed / steps).to(start)
        total = float((gradient.double() * difference.double()).sum())
        path = PathIntegral(gradient, steps, first, last, total)
        if path.is_complete or 2 * steps > config.most_steps:
            return path
        steps *= 2


def _midpoints(steps: int, like: Float[Tensor, "token d"]) -> Float[Tensor, " step"]:
    return ((torch.arange(steps, device=like.device) + 0.5) / steps).to(like)


def gradient_at(
    model: DnaModel, question: Question, site: str, x: Float[Tensor, "row token d"]
) -> Float[Tensor, "row token d"]:
    """Return the gradient of a number by the activations of a site, for each row of them."""
    found = gradients(
        model,
        question.batch.repeated(len(x)),
        question.target,
        sites=[site, *question.watched],
        begin=SiteActivations(site, x),
        logits=not question.watched,
    )
    return found.gradient[site]
