"""The shares of features that are matched, by density, and the correlations of matches."""

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from genointerp.panel.style import (
    BLUE,
    FONT_SIZE,
    GREEN,
    GREY,
    LIGHT,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    current_axes,
    hide_frame,
)

_SERIES = {
    "found": ("found", BLUE, "-"),
    "found_residual": ("found, less composition", SKY, "-"),
    "ceiling": ("another seed", GREEN, "--"),
    "twin": ("with the random-weight twin", VERMILION, "-"),
    "twins": ("random-weight twins", ORANGE, "-"),
    "rotation_3": ("rotated by multiples of 3", PURPLE, ":"),
    "rotation": ("rotated", GREY, ":"),
}
"""Label, colour and style of each comparison, in the order of the legend."""

_OVER: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "bases": (
        "largest r with a feature of the other dictionary",
        {
            "null_r": ("rotated (1 in 20 exceeds)", LIGHT),
            "twin_r": ("with the random-weight twin", VERMILION),
            "residual_partner_r": ("found, less composition", SKY),
            "r": ("found", BLUE),
        },
    ),
    "genes": (
        "largest rank correlation over orthologous genes",
        {
            "null_r": ("shuffled pairs (1 in 20 exceeds)", LIGHT),
            "residual_r": ("found, less composition", SKY),
            "r": ("found", BLUE),
        },
    ),
}
"""Axis, and the columns with their labels and colours, by what r is a correlation over."""

_ACROSS = {
    "found": ("found", BLUE),
    "shuffled": ("shuffled pairs", GREY),
    "residual": ("found, less composition", SKY),
    "itself": ("itself", BLUE),
    "itself, shuffled": ("itself, shuffled pairs", GREY),
    "itself, residual": ("itself, less composition", SKY),
    "itself, residual shuffled": ("itself, less composition, shuffled", GREY),
    "itself, both": ("itself, with and less composition", PURPLE),
}
"""Label and colour of each comparison across genomes, from the top down."""


def plot_matched_shares(summary: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share that is matched by tenth of density, for what was found and for each null.

    Parameters
    ----------
    summary
        Rows of one side, with columns of the schema ``MATCH_SUMMARY``.
    """
    ax = current_axes(ax)
    own = summary[(summary["decile"] > 0) & (summary["n_features"] > 0)]
    for name, (label, color, style) in _SERIES.items():
        rows = own[own["comparison"] == name].sort_values("decile")
        if rows.empty:
            continue
        at = rows["decile"].to_numpy()
        ax.fill_between(at, rows["share_low"], rows["share_high"], color=color, alpha=0.15, lw=0)
        ax.plot(
            at, rows["share"], color=color, linestyle=style, marker="o", markersize=2.5, label=label
        )
    ax.set(xlim=(0.5, 10.5), ylim=(0, 1.02))
    ax.set_xticks(range(1, 11))
    ax.set_xlabel("tenth of features by density (1: rarest)", fontsize=FONT_SIZE + 1)
    ax.set_ylabel("share matched", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=FONT_SIZE, frameon=False, ncols=2
    )
    hide_frame(ax, keep=("left", "bottom"))
    return ax


def plot_shares_across(summary: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the shares that are matched across genomes, with their intervals, a row for each.

    Parameters
    ----------
    summary
        Rows of one side, with columns of the schema ``ACROSS_SUMMARY``.
    """
    ax = current_axes(ax)
    names, values = summary["comparison"].tolist(), summary[["share", "share_low", "share_high"]]
    known = dict(zip(names, values.to_numpy(np.float64), strict=True))
    shown = [name for name in _ACROSS if name in known]
    for place, name in enumerate(shown):
        share, low, high = known[name]
        color = _ACROSS[name][1]
        ax.plot([low, high], [place, place], color=color, linewidth=1.2)
        ax.plot([share], [place], color=color, marker="o", markersize=3.5)
    ax.set_yticks(range(len(shown)), [_ACROSS[name][0] for name in shown])
    ax.set_ylim(len(shown) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.set_xlabel("share of features matched", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("left", "bottom"))
    return ax


def plot_best_correlations(
    matches: pd.DataFrame,
    *,
    min_r: float,
    over: Literal["bases", "genes"] = "bases",
    ax: Axes | None = None,
) -> Axes:
    """Draw how many features have which best correlation, over what the nulls give.

    Parameters
    ----------
    matches
        Rows of one side, with columns of the schema ``MATCHES``; over genes, of ``ACROSS``.
    min_r
        Smallest correlation of a match, where a line is drawn.
    over
        What r is a correlation over.
    """
    ax = current_axes(ax)
    edges = np.linspace(0, 1, 41).tolist()
    axis, series = _OVER[over]
    for column, (label, color) in series.items():
        values = matches[column].dropna().clip(0, 1)
        if values.empty:
            continue
        kind: Literal["step", "stepfilled"] = "stepfilled" if column == "null_r" else "step"
        ax.hist(values, bins=edges, color=color, label=label, linewidth=1.2, histtype=kind)
    ax.axvline(min_r, color=GREY, linewidth=0.6, linestyle=":")
    ax.set_xlim(0, 1)
    ax.set_xlabel(axis, fontsize=FONT_SIZE + 1)
    ax.set_ylabel("features", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=FONT_SIZE, frameon=False, ncols=2
    )
    hide_frame(ax, keep=("left", "bottom"))
    return ax
