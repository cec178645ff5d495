"""Overlap of features with concepts: a heat map with the numbers in its cells."""

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from genointerp.association.summary import is_above_null, own_orientations
from genointerp.core.errors import InputError
from genointerp.panel.style import FONT_SIZE, SEQUENTIAL, axes_width, current_axes, plain_text

Score = Literal["f1", "precision", "recall"]
NULL_ROW = "null F1"
"""Label of the row of nulls."""

CAPTION = (
    "bold: the best feature of each concept, chosen on fit; in brackets: the best one, but its F1 "
    "is not above its null. The null F1 is what one rotation of the annotation in twenty exceeds."
)

SCORE_NAMES: dict[Score, str] = {"f1": "F1", "precision": "precision", "recall": "recall"}


def best_pairs(associations: pd.DataFrame) -> pd.DataFrame:
    """Return the best row of each concept, chosen by ``f1_fit``, sorted by test ``f1``.

    Ties go to the lower feature. A concept that no feature finds at all (``f1_fit`` of 0 or
    undefined) has no row. A concept with a strand is taken as sense or as antisense
    (`genointerp.association.summary.own_orientations`).
    """
    own = own_orientations(associations)
    found = own[own["f1_fit"] > 0]
    order = found.sort_values(
        ["f1_fit", "feature", "orientation"], ascending=[False, True, True], kind="stable"
    )
    best = order.drop_duplicates("concept")
    return best.sort_values(["f1", "concept"], ascending=[False, True]).reset_index(drop=True)


def shown_pairs(associations: pd.DataFrame) -> pd.DataFrame:
    """Return the best row of each concept that test holds: the bold cells of the heat map."""
    best = best_pairs(associations)
    return best[best["f1"].notna()].reset_index(drop=True)


def plot_overlap(
    associations: pd.DataFrame, *, score: Score = "f1", ax: Axes | None = None
) -> Axes:
    """Draw a test score of each concept's best feature with every concept.

    Parameters
    ----------
    associations
        Columns ``feature``, ``concept``, ``orientation``, ``f1_fit``, ``f1``, ``null_f1``,
        ``q_value`` and that of the score.
    score
        Column to draw. Rows, columns and orientations are the same for each.

    Notes
    -----
    Pair and orientation are chosen by ``f1_fit``; the colour and the number of a cell are the
    test score of the orientation with the greater ``f1_fit``. A pair without a score is white; a
    concept without a base on test is left out. The best feature of a concept is bold, or in
    brackets if it is not above its null; below the F1 is the null of each concept's best feature.

    Raises
    ------
    InputError
        If no feature of the table finds any concept that test holds.
    """
    best = shown_pairs(associations)
    if best.empty:
        raise InputError("associations", "a feature with f1_fit above 0", "none")
    ax = current_axes(ax)
    features = list(dict.fromkeys(best["feature"]))
    scores = _scores(associations, features, list(best["concept"]), score)
    rows = [f"f/{feature}" for feature in features]
    if score == "f1":
        scores, rows = np.vstack([scores, best["null_f1"]]), [*rows, NULL_ROW]
        ax.axhline(len(features) - 0.5, color="white", linewidth=2)
    image = ax.imshow(np.ma.masked_invalid(scores), vmin=0, vmax=1, cmap=SEQUENTIAL, aspect="auto")
    cell = 0.7 * axes_width(ax) / len(best)
    _write_numbers(scores, best, features, ax, size=min(float(FONT_SIZE), cell / 2.5))
    pairs = zip(best["concept"], best["orientation"], strict=True)
    names = [plain_text(_pair_name(concept, orientation)) for concept, orientation in pairs]
    size = FONT_SIZE + 1
    ax.set_xticks(range(len(names)), names, fontsize=size)
    if cell > 1.5 * size:
        ax.xaxis.set_tick_params(rotation=45)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    else:
        ax.xaxis.set_tick_params(rotation=90)
    ax.set_yticks(range(len(rows)), rows, fontsize=size)
    ax.set_ylabel("feature", fontsize=size + 1)
    ax.set_xlabel("concept (orientation of its best feature)", fontsize=size + 1)
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.03, pad=0.02)
    bar.set_label(f"{SCORE_NAMES[score]} on test", fontsize=size)
    bar.ax.tick_params(labelsize=size)
    return ax


def _pair_name(concept: str, orientation: str) -> str:
    return concept if orientation == "both" else f"{concept} ({orientation})"


def _scores(
    associations: pd.DataFrame, features: list[int], concepts: list[str], score: Score
) -> np.ndarray:
    own = own_orientations(associations)
    shown = own[own["feature"].isin(features) & own["concept"].isin(concepts)]
    order = shown.sort_values("f1_fit", ascending=False, kind="stable")
    first = order.drop_duplicates(["feature", "concept"])
    table = first.pivot(index="feature", columns="concept", values=score)
    return table.reindex(index=features, columns=concepts).to_numpy(dtype=float)


def _write_numbers(
    scores: np.ndarray, best: pd.DataFrame, features: list[int], ax: Axes, *, size: float
) -> None:
    above = is_above_null(best).tolist()
    chosen = {
        (features.index(feature), column): above[column]
        for column, feature in enumerate(best["feature"])
    }
    for (row, column), score in np.ndenumerate(scores):
        if np.isnan(score):
            continue
        text = f"{score:.2f}".removeprefix("0") if score < 1 else "1"
        ax.text(
            column,
            row,
            text if chosen.get((row, column), True) else f"({text})",
            ha="center",
            va="center",
            fontsize=size,
            color="white" if score < 0.55 else "black",
            fontweight="bold" if chosen.get((row, column), False) else "normal",
        )
