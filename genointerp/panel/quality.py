"""Quality of a dictionary: losses, densities, directions, comparison with other dictionaries."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from genointerp.panel.style import BLUE, FONT_SIZE, GREY, LIGHT, ORANGE, current_axes, hide_frame

LOSSES = {
    "loss_clean": "as it is",
    "loss_spliced": "spliced",
    "loss_mean_ablated": "mean",
    "loss_zero_ablated": "zero",
}
"""The losses that are drawn, by what stands in place of the activations."""

SHARES = {
    "share_same_direction": ("same direction", BLUE),
    "share_same_activation": ("same activation", ORANGE),
}


def plot_losses(losses: Mapping[str, float], *, ax: Axes | None = None) -> Axes:
    """Draw the loss of the model with its activations, their reconstruction, and ablated.

    Parameters
    ----------
    losses
        In nats per base, by the names of `LOSSES`.
    """
    ax = current_axes(ax)
    names = [name for name in LOSSES if name in losses]
    values = [losses[name] for name in names]
    bars = ax.bar(range(len(names)), values, color=[GREY, BLUE, LIGHT, LIGHT][: len(names)])
    ax.bar_label(bars, fmt="%.3f", fontsize=FONT_SIZE, padding=1)
    ax.set_xticks(range(len(names)), [LOSSES[name] for name in names])
    ax.margins(y=0.15)
    _label(ax, "activations of the site", "loss (nats per base)")
    return ax


def plot_densities(
    edges: Float[np.ndarray, " b1"],
    count: Int[np.ndarray, " b"],
    *,
    n_features: int,
    ax: Axes | None = None,
) -> Axes:
    """Draw a histogram of densities; the title says how many features never fire."""
    ax = current_axes(ax)
    ax.stairs(count, edges, fill=True, color=BLUE)
    shown = np.flatnonzero(count)
    if len(shown):
        ax.set_xlim(edges[max(shown[0] - 2, 0)], edges[-1])
    ax.set_xscale("log")
    _label(ax, "density (share of tokens on which a feature fires)", "features")
    silent = n_features - int(count.sum())
    ax.set_title(f"{silent:,} of {n_features:,} features never fire", fontsize=FONT_SIZE + 1)
    return ax


def plot_cosines(
    edges: Float[np.ndarray, " b1"], count: Int[np.ndarray, " b"], *, ax: Axes | None = None
) -> Axes:
    """Draw a histogram of each feature's cosine with the nearest other direction."""
    ax = current_axes(ax)
    ax.stairs(count, edges, fill=True, color=BLUE)
    shown = np.flatnonzero(count)
    low = min(0.0, float(edges[shown[0]])) if len(shown) else 0.0
    ax.set_xlim(low, 1)
    _label(ax, "largest cosine to another direction", "features")
    return ax


def plot_stability(
    names: Sequence[str], shares: Sequence[Mapping[str, float]], *, ax: Axes | None = None
) -> Axes:
    """Draw the share of features that is found again in each of several other dictionaries.

    Parameters
    ----------
    shares
        For each dictionary its values of `SHARES`.
    """
    ax = current_axes(ax)
    height = 0.8 / len(SHARES)
    for number, (key, (label, color)) in enumerate(SHARES.items()):
        at = np.arange(len(names)) + (number - (len(SHARES) - 1) / 2) * height
        bars = ax.barh(at, [it[key] for it in shares], height, color=color, label=label)
        ax.bar_label(bars, fmt="{:.0%}", fontsize=FONT_SIZE, padding=2)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlim(0, 1.12)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(
        fontsize=FONT_SIZE, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2
    )
    _label(ax, "share of features", "")
    return ax


def _label(ax: Axes, x: str, y: str) -> None:
    ax.set_xlabel(x, fontsize=FONT_SIZE + 1)
    ax.set_ylabel(y, fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("left", "bottom"))
