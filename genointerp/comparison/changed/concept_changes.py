"""What the dictionary of the base model cannot say, by concept, and whose features changed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float64
from scipy.stats import hypergeom

from genointerp.association.null.significance import benjamini_hochberg
from genointerp.comparison.changed.block_test import BlockDraws
from genointerp.comparison.changed.concept_scores import ConceptScores
from genointerp.comparison.changed.config import ChangedConfig
from genointerp.comparison.changed.joint_reading import Reading
from genointerp.store.table.schema.changed import CHANGED_CONCEPTS
from genointerp.store.table.table import conform


@dataclass(frozen=True, eq=False)
class Arms:
    """The readings of the models of one seed; without a control, the base is what is compared."""

    base: Reading
    tuned: Reading
    control: Reading | None

    @property
    def reference(self) -> Reading:
        """The control, or the base model if there is none."""
        return self.base if self.control is None else self.control


def concept_table(
    arm: Arms,
    scores: ConceptScores | None,
    features: pd.DataFrame,
    draws: BlockDraws,
    config: ChangedConfig,
) -> pd.DataFrame:
    """Return what the dictionary cannot say on each concept, and how many of its features changed.

    The first row is about all bases.
    """
    read = arm.base.n_bases > 0
    readings = [it for it in (arm.base, arm.tuned, arm.control) if it is not None]
    n_bases = arm.base.n_bases[:, None]
    errors = [reading.squared_error[:, None] for reading in readings]
    names: list[tuple[str, str]] = [("", "")]
    feature, f1 = np.array([-1]), np.full((3, 1), np.nan)
    if scores is not None:
        names += scores.labels
        n_bases = np.column_stack([n_bases, scores.n_bases])
        pairs = zip(errors, scores.squared_error, strict=True)
        errors = [np.column_stack(pair) for pair in pairs]
        best, label = scores.best_feature, np.arange(len(scores.labels))
        feature = np.concatenate([feature, best])
        own = [table[best, label] for table in scores.f1]
        own += [np.full(len(best), np.nan)] * (3 - len(own))
        f1 = np.column_stack([f1, np.stack(own)])
    fvu = [
        _of_variance(error, n_bases, reading)
        for error, reading in zip(errors, readings, strict=True)
    ]
    fvu += [np.full(len(names), np.nan)] * (3 - len(fvu))
    number, against = n_bases[read], 0 if arm.control is None else 2
    after, before = (errors[one][read] / readings[one].variance for one in (1, against))
    found = draws.difference_of_means(after, number, before, number)
    frame = pd.DataFrame(
        {
            "concept": [name[0] for name in names],
            "orientation": [name[1] for name in names],
            "n_bases": n_bases.sum(axis=0).astype(np.int64),
            **{f"fvu_{role}": it for role, it in zip(_ROLES, fvu, strict=True)},
            "fvu_excess": found.value,
            "fvu_p": found.p_value,
            "fvu_q": benjamini_hochberg(found.p_value),
            "feature": feature,
            **{f"f1_{role}": it for role, it in zip(_ROLES, f1, strict=True)},
        }
    )
    frame = pd.concat([frame, enrichment(names, features, config)], axis=1)
    return conform(frame[CHANGED_CONCEPTS.names], CHANGED_CONCEPTS, where="changed concepts")


_ROLES = ("base", "tuned", "control")


def _of_variance(
    error: Float64[np.ndarray, "block label"],
    n_bases: Float64[np.ndarray, "block label"],
    reading: Reading,
) -> Float64[np.ndarray, " label"]:
    n = n_bases.sum(axis=0)
    mean = np.where(n > 0, error.sum(axis=0) / np.maximum(n, 1), np.nan)
    return np.asarray(mean / reading.variance) if reading.variance else mean * np.nan


def enrichment(
    names: Sequence[tuple[str, str]], features: pd.DataFrame, config: ChangedConfig
) -> pd.DataFrame:
    """Count the gained and the lost features of each concept, and compare with all others.

    Where there is a second seed, features have changed that a sentence is written about; otherwise
    those whose excess has a q of ``most_q``. Either way it is ``least_change`` at least.

    Notes
    -----
    With c of n features gained, and c_k of the n_k of a concept: the odds are
    ``(c_k + 1/2)(n - n_k - c + c_k + 1/2) / ((n_k - c_k + 1/2)(c - c_k + 1/2))``, and p is the
    chance of c_k or more among n_k features that are drawn from the n. The same for lost ones; q is
    corrected over both and all concepts.
    """
    alive = features["p_value"].notna()
    moved = alive & (features["excess"].abs() >= config.least_change)
    has_second = features["seeds_q"].notna().any()
    moved &= (features["kind"] != "") if has_second else (features["q_value"] <= config.most_q)
    counted = alive & (features["f1_base"] >= config.least_f1)
    up = features["excess"] > 0
    sides = {"gained": moved & up, "lost": moved & ~up}
    rows = []
    for concept, orientation in names:
        own = counted & (features["concept"] == concept) & (features["orientation"] == orientation)
        row: dict[str, float] = {"n_features": int(own.sum())}
        for side, changed in sides.items():
            c_k = int((own & changed).sum())
            row[f"n_{side}"], odds, p = c_k, np.nan, np.nan
            if concept and row["n_features"]:
                odds, p = _odds(int(alive.sum()), int(changed.sum()), int(own.sum()), c_k)
            row |= {f"{side}_odds": odds, f"{side}_p": p}
        rows.append(row)
    frame = pd.DataFrame(rows)
    q = benjamini_hochberg(frame[["gained_p", "lost_p"]].to_numpy(np.float64).ravel())
    return frame.assign(gained_q=q[::2], lost_q=q[1::2])


def _odds(n: int, c: int, n_k: int, c_k: int) -> tuple[float, float]:
    rest = c - c_k
    odds = (c_k + 0.5) * (n - n_k - rest + 0.5) / ((n_k - c_k + 0.5) * (rest + 0.5))
    return odds, float(hypergeom.sf(c_k - 1, n, c, n_k))
