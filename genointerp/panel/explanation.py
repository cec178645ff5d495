"""What stands behind a prediction: bases as letters, features by token, and their sums."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.image import AxesImage
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from genointerp.panel.logo import LETTER_COLORS, letter_path
from genointerp.panel.style import (
    BLUE,
    FONT_SIZE,
    GREY,
    NOT_READ,
    VERMILION,
    axes_width,
    current_axes,
    hide_frame,
    plain_text,
)

DIVERGING = LinearSegmentedColormap.from_list("contribution", [BLUE, "#ffffff", VERMILION])
"""Colours of contributions: red raises the number, blue lowers it."""
ERRORS, OTHERS = "errors", "other features"
"""Rows below those of features: all error nodes, and features without a row."""
_TOP = 0.98
"""Quantile of the absolute values that gets the last colour."""
OFFSET = "offset from the first base asked for (tokens, reading direction)"


def plot_importance(bases: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the bases upstream as letters, as high as what they add to the number.

    A letter below the line lowers the number: another base in its place would raise it.

    Parameters
    ----------
    bases
        Rows of one question and strand, in the schema ``EXPLAINING_BASES``.
    """
    ax = current_axes(ax)
    drawn: dict[str, list[Path]] = {letter: [] for letter in LETTER_COLORS}
    for row in bases.dropna(subset="importance").to_dict("records"):
        height = float(row["importance"])
        if row["base"] in drawn and height:
            drawn[row["base"]].append(letter_path(row["base"], float(row["offset"]), 0.0, height))
    for letter, paths in drawn.items():
        if paths:
            whole = Path.make_compound_path(*paths)
            patch = PathPatch(whole, facecolor=LETTER_COLORS[letter], linewidth=0)
            patch.set_gid(f"letter-{letter}")
            ax.add_artist(patch)
    ax.axhline(0, color=GREY, linewidth=0.5)
    height = bases["importance"].abs().max()
    high, low = bases["importance"].max(), bases["importance"].min()
    room = 0.08 * (height if height > 0 else 1.0)
    ax.set_ylim(min(0.0, np.nan_to_num(low)) - room, max(0.0, np.nan_to_num(high)) + room)
    ax.set_ylabel("importance", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("left",))
    return ax


def plot_replacements(bases: pd.DataFrame, *, ax: Axes | None = None) -> AxesImage:
    """Draw the effect of each base in each place; what is there is a dot. Return the image."""
    ax = current_axes(ax)
    effects = bases[[f"effect_{letter}" for letter in LETTER_COLORS]].to_numpy().T
    offset = bases["offset"].to_numpy()
    image = _heat(effects, int(offset[0]), int(offset[-1]), ax)
    ax.set_yticks(range(4), list(LETTER_COLORS), fontsize=FONT_SIZE)
    letters = "".join(LETTER_COLORS)
    known = bases[bases["base"].isin([*letters])]
    rows = [letters.index(base) for base in known["base"]]
    ax.scatter(known["offset"], rows, s=2, color="0.2", linewidth=0)
    return image


def plot_nodes(
    nodes: pd.DataFrame,
    features: Sequence[int],
    names: Mapping[int, str],
    *,
    first: int,
    last: int,
    ax: Axes | None = None,
) -> AxesImage:
    """Draw the attributions of features, and of errors, token by token; return the image.

    Parameters
    ----------
    nodes
        Rows of one question and strand, in the schema ``EXPLANATION``.
    features
        Features that have a row, from the top. The row below is that of the errors, and the last,
        which is empty, that of all other features, whose tokens are not known.
    names
        What each is called.
    first, last
        Offsets of the first and the last token that is drawn.
    """
    ax = current_axes(ax)
    rows = {feature: i for i, feature in enumerate(features)}
    matrix = np.zeros((len(rows) + 2, last - first + 1))
    matrix[-1] = np.nan
    listed = nodes[nodes["kind"].isin(["feature", "error"])]
    inside = listed[(listed["offset"] >= first) & (listed["offset"] <= last)]
    for node in inside.to_dict("records"):
        row = len(rows) if node["kind"] == "error" else rows.get(int(node["feature"]))
        if row is not None:
            matrix[row, int(node["offset"]) - first] += node["attribution"]
    image = _heat(matrix, first, last, ax)
    labels = [plain_text(names[feature]) for feature in features]
    ax.set_yticks(range(len(labels) + 2), [*labels, ERRORS, OTHERS], fontsize=FONT_SIZE)
    ax.axhline(len(rows) - 0.5, color=GREY, linewidth=0.6)
    return image


def plot_sums(
    sums: Sequence[float], *, change: float | None = None, ax: Axes | None = None
) -> Axes:
    """Draw what features, the errors and all other features add up to, as bars from the top.

    Parameters
    ----------
    sums
        Sum of each bar.
    change
        A dashed line: the change that all bars together account for.
    """
    ax = current_axes(ax)
    colors = [VERMILION if value >= 0 else BLUE for value in sums]
    ax.barh(range(len(sums)), sums, color=colors, height=0.7)
    ax.set(yticks=[], ylim=(len(sums) - 0.5, -0.5))
    ax.axvline(0, color=GREY, linewidth=0.5)
    if change is not None:
        ax.axvline(change, color="0.2", linewidth=0.7, linestyle="--")
    ax.xaxis.set_major_locator(MaxNLocator(3))
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("bottom",))
    return ax


def use_offset_axis(ax: Axes, first: int, last: int, *, labelled: bool) -> None:
    """Make x the offsets of bases, from the first to the last."""
    ax.set_xlim(first - 0.5, last + 0.5)
    n_ticks = min(8, max(1, int(axes_width(ax) / (4 * FONT_SIZE))))
    ax.xaxis.set_major_locator(MaxNLocator(n_ticks, integer=True, min_n_ticks=1))
    ax.tick_params(axis="x", labelbottom=labelled, labelsize=FONT_SIZE)
    if labelled:
        ax.set_xlabel(OFFSET, fontsize=FONT_SIZE + 1)


def _heat(matrix: np.ndarray, first: int, last: int, ax: Axes) -> AxesImage:
    ax.set_facecolor(NOT_READ["facecolor"])
    size = np.abs(matrix[~np.isnan(matrix) & (matrix != 0)])
    # one that exceeds all others by far would leave them white
    top = float(np.quantile(size, _TOP)) if len(size) else 1.0
    extent = (first - 0.5, last + 0.5, len(matrix) - 0.5, -0.5)
    image = ax.imshow(
        matrix,
        cmap=DIVERGING,
        vmin=-top,
        vmax=top,
        extent=extent,
        interpolation="none",
        aspect="auto",
    )
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax)
    return image
