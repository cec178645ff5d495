"""Recall of a ranking: how early it places the features of a class that was hidden from it."""

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, PercentFormatter

from genointerp.candidate.backtest.backtest import GOAL_RANK
from genointerp.candidate.backtest.chance import recall_band
from genointerp.core.errors import InputError
from genointerp.panel.style import (
    BLUE,
    FONT_SIZE,
    GREEN,
    GREY,
    LIGHT,
    ORANGE,
    current_axes,
    hide_frame,
    plain_text,
)

ORDERS = {
    ("trained", "rank"): ("ranking, class hidden", BLUE, "-"),
    ("trained", "density_rank"): ("rarest first", ORANGE, "--"),
    ("random", "rank"): ("ranking, random weights", GREEN, ":"),
}
"""The orders that are drawn: of which dictionary, by which column."""


def plot_recall(features: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of a hidden class's features among the first ranks, for each order.

    Grey is a random order: its mean, and the central 95 % of its distribution. A dot marks the
    best feature of the class, a thin line the rank that it should reach.

    Parameters
    ----------
    features
        One class, in the schema of features of a backtest.

    Raises
    ------
    InputError
        If there are no features of the trained dictionary, or those of several classes.
    """
    own = features[features["dictionary"] == "trained"]
    names = features["class"].unique()
    if own.empty or len(names) != 1:
        raise InputError("features", "features of one class", f"{len(own)} of {len(names)}")
    ax = current_axes(ax)
    n_live, n_own = int(own["n_live"].iloc[0]), len(own)
    ranks, band = np.arange(1, n_live + 1), recall_band(n_live, n_own)
    ax.fill_between(ranks, band.low, band.high, step="post", color=LIGHT, linewidth=0)
    ax.plot(ranks, band.mean, color=GREY, linewidth=0.8, label="random order, 95 %")
    ax.axvline(GOAL_RANK, color=GREY, linewidth=0.6, linestyle=":")
    for (dictionary, column), (label, color, style) in ORDERS.items():
        part = features[features["dictionary"] == dictionary]
        if len(part):
            _draw_order(ax, part, column, label=label, color=color, style=style)
    best = own.sort_values("f1_fit", kind="stable").iloc[-1]
    at = float((own["rank"] <= best["rank"]).mean())
    ax.plot([best["rank"]], [at], "o", color=BLUE, markersize=4, label="best feature", zorder=3)
    ax.set_xscale("log")
    ax.set(xlim=(1, n_live), ylim=(0, 1.02))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    title = f"{names[0]}: {n_own} of {n_live} features"
    ax.set_title(plain_text(title), fontsize=FONT_SIZE + 1)
    ax.set_xlabel("rank", fontsize=FONT_SIZE + 1)
    ax.set_ylabel("features of the class", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("left", "bottom"))
    return ax


def _draw_order(
    ax: Axes, features: pd.DataFrame, column: str, *, label: str, color: str, style: str
) -> None:
    rank: Int64[np.ndarray, " feature"] = np.sort(features[column].to_numpy(np.int64))
    recall: Float64[np.ndarray, " feature"] = np.arange(1, len(rank) + 1) / len(rank)
    x = np.concatenate([[1], rank, [int(features["n_live"].iloc[0])]])
    y = np.concatenate([[0.0], recall, [1.0]])
    ax.step(x, y, where="post", color=color, linestyle=style, linewidth=1.4, label=label)
