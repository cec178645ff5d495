"""Whose the features of a crosscoder of two models are, by their norms, cosines and nu."""

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from genointerp.panel.style import (
    BLUE,
    FONT_SIZE,
    GREY,
    LIGHT,
    ORANGE,
    PURPLE,
    VERMILION,
    current_axes,
    hide_frame,
)

TAGS = {
    "shared": ("shared", LIGHT, "o"),
    "scaled": ("scaled", BLUE, "s"),
    "rotated": ("rotated", ORANGE, "^"),
    "unclear": ("unclear", GREY, "x"),
    "exclusive_first": ("of the first alone", PURPLE, "<"),
    "exclusive_second": ("of the second alone", VERMILION, ">"),
}
"""Label, colour and marker of each tag that is drawn; features that fire too rarely have none."""

HIGHEST_NU = 1.5
"""Largest nu with a place of its own; a larger one is drawn here."""

Against = Literal["cosine", "nu_error", "nu_reconstruction"]
"""What the relative norm is drawn against."""

_LABELS: dict[Against, str] = {
    "cosine": "cosine of the two directions",
    "nu_error": "nu of the error, other model",
    "nu_reconstruction": "nu of the reconstruction, other model",
}


def plot_norms(
    latents: pd.DataFrame, against: Against = "cosine", *, ax: Axes | None = None
) -> Axes:
    """Draw the relative norm of each feature against a measure of it, by tag.

    Parameters
    ----------
    latents
        Rows of one pair of models, with columns of the schema ``LATENTS``.
    against
        The cosine, or a nu: of the model in which the feature is the weaker, which is low if that
        model lacks it.
    """
    ax = current_axes(ax)
    value = _measure(latents, against)
    for tag, (label, color, marker) in TAGS.items():
        own = (latents["tag"] == tag).to_numpy()
        if own.any():
            ax.scatter(
                latents.loc[own, "delta_norm"],
                value[own],
                color=color,
                marker=marker,
                s=9,
                linewidths=0.6,
                label=f"{label} ({own.sum()})",
            )
    ax.set_xlim(-0.03, 1.03)
    ax.set_ylim(-1.05 if against == "cosine" else -0.3, 1.05 if against == "cosine" else 1.55)
    ax.set_xlabel("relative norm (0: second model alone, 1: first)", fontsize=FONT_SIZE + 1)
    ax.set_ylabel(_LABELS[against], fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("left", "bottom"))
    return ax


def _measure(latents: pd.DataFrame, against: Against) -> np.ndarray:
    if against == "cosine":
        return latents["cosine"].to_numpy()
    # a feature that is stronger in the first model is probed in the second
    first = latents["delta_norm"] >= 0.5
    nu = np.where(first, latents[f"{against}_first"], latents[f"{against}_second"])
    return np.clip(nu, -0.25, HIGHEST_NU)
