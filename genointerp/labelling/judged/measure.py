"""What answers are worth: accuracy with its interval, and AUROC."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from genointerp.core.metric import auroc_of_values
from genointerp.core.seed import rng
from genointerp.labelling.judged.question import YES, Item, Task

_NAN = float("nan")


class Accuracy(NamedTuple):
    """Accuracy of answers.

    Parameters
    ----------
    accuracy
        Share of right answers: in detection the mean of that on loci and of that on silent places.
    low, high
        Its 95 % interval over families, drawn with replacement.
    auroc
        Detection: how well the answers order loci above silent places; else NaN.
    """

    accuracy: float = _NAN
    low: float = _NAN
    high: float = _NAN
    auroc: float = _NAN


def measure_answers(
    task: Task, items: Sequence[Item], answers: Sequence[int], *, n_draws: int, seed: int
) -> Accuracy:
    """Return what the answers to items are worth.

    Notes
    -----
    ``accuracy = mean over classes c of (right of c) / (items of c)``, with the classes of truth in
    detection, and one class else. In a draw, each family counts as often as it was drawn; draws
    without an item of a class are left out.
    """
    if not items:
        return Accuracy()
    truth, said = np.array([item.truth for item in items]), np.array(answers)
    if task == "detection":
        is_right, group = (said >= YES) == (truth == 1), truth
        auroc = auroc_of_values(
            said[truth == 1].astype(np.float64), said[truth == 0].astype(np.float64)
        )
    else:
        is_right, group, auroc = said == truth, np.zeros(len(items), np.int64), _NAN
    _, family = np.unique([item.family for item in items], return_inverse=True)
    n = int(family.max()) + 1
    weight = rng(seed, "judged intervals").multinomial(n, np.full(n, 1 / n), size=n_draws)
    right = is_right.astype(np.float64)
    drawn = _balanced(weight[:, family.reshape(-1)], right, group)
    drawn = drawn[~np.isnan(drawn)]
    whole = _balanced(np.ones((1, len(items)), np.int64), right, group)[0]
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (_NAN, _NAN)
    return Accuracy(float(whole), float(low), float(high), auroc)


def _balanced(
    weight: Int64[np.ndarray, "draw item"],
    right: Float64[np.ndarray, " item"],
    group: Int64[np.ndarray, " item"],
) -> Float64[np.ndarray, " draw"]:
    """Return the mean over groups of the share of right answers; NaN without items of a group."""
    shares = []
    for one in np.unique(group):
        own = weight[:, group == one].astype(np.float64)
        n = own.sum(axis=1)
        found = own @ right[group == one]
        shares.append(np.where(n > 0, found / np.where(n > 0, n, 1), np.nan))
    return np.asarray(np.mean(shares, axis=0), dtype=np.float64)
