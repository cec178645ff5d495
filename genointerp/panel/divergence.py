"""The divergence of two models along a genome, and its tail, next to a control."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from genointerp.panel.style import BLUE, FONT_SIZE, GREY, VERMILION, current_axes, hide_frame

PAIRS = {
    ("tuned", "base"): ("tuned against base", VERMILION, "-"),
    ("control", "base"): ("control against base", GREY, "-"),
    ("tuned", "control"): ("tuned against control", BLUE, ":"),
}
"""Label, colour and line of each pair of models."""


def plot_divergence_course(bins: pd.DataFrame, seqid: str, *, ax: Axes | None = None) -> Axes:
    """Draw the largest divergence of each bin of a contig: ``+`` upwards, ``-`` downwards.

    Parameters
    ----------
    bins
        A table of the schema ``DIVERGENCE_BINS``; the control is drawn over the tuned model.
    seqid
        Contig.
    """
    ax = current_axes(ax)
    own = bins[bins["seqid"] == seqid]
    for name, pair in (("kl", ("tuned", "base")), ("control_kl", ("control", "base"))):
        sign = np.where(own["strand"] == "-", -1.0, 1.0)
        ax.bar(
            own["start"] + 1,
            sign * own[name],
            width=own["end"] - own["start"],
            align="edge",
            color=PAIRS[pair][1],
            linewidth=0,
        )
    ax.axhline(0, color="black", lw=0.6)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda base, _: f"{base:,.0f}"))
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.set_xlabel(f"{seqid} (bp)", fontsize=FONT_SIZE + 1)
    ax.set_ylabel("largest KL (nats), on + and on -", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax)
    return ax


def plot_divergence_tail(tail: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw which share of the bases exceeds each KL, by pair of models.

    Parameters
    ----------
    tail
        A table of the schema ``DIVERGENCE_TAIL``.
    """
    ax = current_axes(ax)
    for (model, against), (label, color, line) in PAIRS.items():
        own = tail[(tail["model"] == model) & (tail["against"] == against)]
        # a KL of 0 has no place on a logarithmic axis
        own = own[own["kl"] > 0]
        if len(own):
            ax.plot(own["kl"], own["share"], color=color, linestyle=line, label=label, lw=1.4)
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel("KL (nats)", fontsize=FONT_SIZE + 1)
    ax.set_ylabel("share of the bases that reach it", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    if ax.lines:
        ax.legend(fontsize=FONT_SIZE, frameon=False)
    hide_frame(ax)
    return ax
