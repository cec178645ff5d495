"""Map of a dictionary: its directions in two dimensions, coloured by their best concepts."""

import pandas as pd
from matplotlib.axes import Axes

from genointerp.panel.style import (
    FONT_SIZE,
    LIGHT,
    current_axes,
    hide_frame,
    plain_text,
    rank_in_family,
    type_color,
)

_MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*", "<", ">", "p", "h")


def plot_dictionary(
    points: pd.DataFrame, *, axis_names: tuple[str, str], ax: Axes | None = None
) -> Axes:
    """Draw each feature as a point; concepts have the colour of their family, and a marker each.

    Parameters
    ----------
    points
        Columns ``feature``, ``x``, ``y`` and ``concept``, empty for features without a concept,
        which are grey and lie below the others. The most frequent concept comes first in the
        legend.
    """
    ax = current_axes(ax)
    other = points[points["concept"] == ""]
    ax.scatter(
        other["x"],
        other["y"],
        s=9,
        color=LIGHT,
        linewidths=0,
        label=f"no concept ({len(other):,})",
        zorder=1,
    )
    counts = points[points["concept"] != ""].groupby("concept", sort=True).size()
    names = counts.sort_values(ascending=False, kind="stable").index
    for name, rank in rank_in_family(names).items():
        of_concept = points[points["concept"] == name]
        ax.scatter(
            of_concept["x"],
            of_concept["y"],
            s=16,
            color=type_color(name),
            marker=_MARKERS[rank % len(_MARKERS)],
            edgecolors="0.2",
            linewidths=0.3,
            label=plain_text(f"{name} ({len(of_concept):,})"),
            zorder=2,
        )
    ax.set_xlabel(axis_names[0], fontsize=FONT_SIZE + 1)
    ax.set_ylabel(axis_names[1], fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    ax.legend(
        title="best concept (features)",
        title_fontsize=FONT_SIZE,
        fontsize=FONT_SIZE,
        frameon=False,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
    )
    hide_frame(ax, keep=("left", "bottom"))
    return ax
