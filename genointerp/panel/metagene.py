"""Metagene profiles: mean activation around the starts or the ends of elements."""

import pandas as pd
from matplotlib.axes import Axes

from genointerp.core.errors import InputError
from genointerp.panel.style import (
    ACTIVATION,
    BLUE,
    FONT_SIZE,
    GREY,
    ORANGE,
    PURPLE,
    current_axes,
    hide_frame,
    plain_text,
)

ORIENTATION_COLORS = {"sense": BLUE, "antisense": ORANGE, "both": PURPLE}
ANCHOR_NAMES = {"start": "first base", "end": "last base"}


def plot_metagene(profile: pd.DataFrame, anchor: str, *, ax: Axes | None = None) -> Axes:
    """Draw the mean activation around one end of a concept's elements, for each orientation.

    The band is 1.96 standard errors on either side; the inside of the elements is shaded; the
    dashed line is the mean over all bases, what a rotated annotation gives. The scale is that of
    the whole profile, so that both anchors have the same.

    Parameters
    ----------
    profile
        Columns of the schema ``METAGENE``, of one feature and one concept.
    anchor
        ``start`` or ``end``.

    Raises
    ------
    InputError
        If the profile has no such anchor.
    """
    shown = profile[profile["anchor"] == anchor]
    if shown.empty:
        known = ", ".join(dict.fromkeys(profile["anchor"])) or "none"
        raise InputError("anchor", f"one of {known}", repr(anchor))
    ax = current_axes(ax)
    low, high = int(shown["offset"].min()), int(shown["offset"].max())
    inside = (-0.5, high) if anchor == "start" else (low, 0.5)
    ax.axvspan(*inside, color="0.94", zorder=0, linewidth=0)
    for orientation, curve in shown.groupby("orientation", sort=False):
        _draw_curve(curve, str(orientation), ax)
    ax.axhline(
        float(shown["background"].iloc[0]),
        color=GREY,
        linestyle="--",
        linewidth=0.8,
        label="all bases",
    )
    ax.set_xlim(low, high)
    ax.set_ylim(0, _top(profile))
    concept = plain_text(str(shown["concept"].iloc[0]))
    ax.set_xlabel(
        f"distance from the {ANCHOR_NAMES[anchor]} of {concept} (bp)", fontsize=FONT_SIZE + 1
    )
    ax.set_ylabel(f"mean {ACTIVATION}", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    ax.legend(fontsize=FONT_SIZE, frameon=False)
    hide_frame(ax, keep=("left", "bottom"))
    return ax


def _top(profile: pd.DataFrame) -> float:
    highest = profile["mean_activation"] + _half_band(profile)
    top = 1.05 * max(float(highest.max()), float(profile["background"].max()))
    return top if top > 0 else 1.0


def _half_band(profile: pd.DataFrame) -> pd.Series:
    return 1.96 * profile["sem"].fillna(0.0)


def _draw_curve(curve: pd.DataFrame, orientation: str, ax: Axes) -> None:
    color = ORIENTATION_COLORS[orientation]
    mean = curve["mean_activation"]
    half = _half_band(curve)
    n_elements = int(curve["n_elements"].max())
    ax.fill_between(curve["offset"], mean - half, mean + half, color=color, alpha=0.2, linewidth=0)
    ax.plot(
        curve["offset"], mean, color=color, linewidth=1, label=f"{orientation} (n = {n_elements:,})"
    )
