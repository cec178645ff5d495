"""Plots of one feature: its activations, where it fires along a genome, its density."""

import numpy as np
from jaxtyping import Float, Int64
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from genointerp.core.errors import InputError
from genointerp.genome.runs import runs_of
from genointerp.panel.style import (
    ACTIVATION,
    BLUE,
    FONT_SIZE,
    GREY,
    NOT_READ,
    STRAND_COLORS,
    VERMILION,
    current_axes,
    hide_frame,
    not_read_patch,
    plain_text,
)


def plot_activation_histogram(
    plus: Float[np.ndarray, " hit_plus"],
    minus: Float[np.ndarray, " hit_minus"],
    *,
    n_bins: int = 40,
    ax: Axes | None = None,
) -> Axes:
    """Draw a histogram of activations for each reading strand, with counts on a log scale.

    Bases at which the feature is silent are not drawn.
    """
    ax = current_axes(ax)
    top = float(max(plus.max(initial=0), minus.max(initial=0))) or 1.0
    edges = np.linspace(0, top, n_bins + 1)
    for values, strand, name in ((plus, "+", "+"), (minus, "-", "\N{MINUS SIGN}")):
        ax.hist(
            values,
            bins=edges.tolist(),
            histtype="step",
            color=STRAND_COLORS[strand],
            label=f"read on {name} ({len(values):,} bp)",
        )
    if len(plus) or len(minus):
        ax.set_yscale("log")
    else:
        ax.set(ylim=(0, 1), yticks=[0])
    ax.set_xlim(0, top)
    _label(ax, ACTIVATION, "bases (bp)")
    ax.legend(fontsize=FONT_SIZE, frameon=False)
    return ax


def plot_density_histogram(
    density: Float[np.ndarray, " n_features"],
    *,
    feature: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the densities of all features on a log scale, one of them marked.

    Features that never fire have no logarithm; their number is written in the title.
    """
    ax = current_axes(ax)
    alive = density[density > 0]
    if len(alive):
        low = np.floor(np.log10(alive.min()))
        ax.hist(alive, bins=np.logspace(low, 0, 41).tolist(), color=GREY)
        ax.set_xscale("log")
    if feature is not None and density[feature] > 0:
        ax.axvline(float(density[feature]), color=VERMILION, label=f"f/{feature}")
        ax.legend(fontsize=FONT_SIZE, frameon=False)
    n_silent = len(density) - len(alive)
    ax.set_title(f"{n_silent:,} of {len(density):,} features never fire", fontsize=FONT_SIZE + 1)
    _label(ax, "density (share of bases on which the feature fires)", "features")
    return ax


def plot_profile(
    plus: Float[np.ndarray, " bin"],
    minus: Float[np.ndarray, " bin_minus"],
    *,
    bin_bp: int,
    start: int = 0,
    seqid: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw a value for each bin along a contig: read on ``+`` upwards, read on ``-`` downwards.

    Parameters
    ----------
    plus, minus
        The greatest activation of each bin; NaN where no base of it was read, which is grey.
    bin_bp
        Width of a bin in bp.
    start
        First base of the first bin, 0-based.

    Raises
    ------
    InputError
        If the strands differ in length.
    """
    if len(plus) != len(minus):
        raise InputError("minus", f"{len(plus)} bins", str(len(minus)))
    ax = current_axes(ax)
    # 1-based: the first base lies from .5 to 1.5
    edges = start + 0.5 + bin_bp * np.arange(len(plus) + 1)
    highest = max(float(np.nan_to_num(values).max(initial=0)) for values in (plus, minus))
    top = highest or 1.0
    gaps = False
    for values, sign, strand in ((plus, 1, "+"), (minus, -1, "-")):
        ax.stairs(sign * np.nan_to_num(values), edges, fill=True, color=STRAND_COLORS[strand])
        for first, last in runs_of(np.isnan(values)).tolist():
            corner, width = (edges[first], min(sign, 0) * 1.05 * top), edges[last] - edges[first]
            ax.add_patch(Rectangle(corner, width, 1.05 * top, **NOT_READ))
            gaps = True
    ax.axhline(0, color=GREY, linewidth=0.5)
    ax.set(xlim=(edges[0], edges[-1]), ylim=(-1.05 * top, 1.05 * top))
    ticks = {-top: f"{top:.2g}", 0: "0", top: f"{top:.2g}"} if highest else {0: "0"}
    ax.set_yticks(list(ticks), list(ticks.values()))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1e6:g}"))
    if gaps:
        ax.legend(
            handles=[not_read_patch()],
            fontsize=FONT_SIZE,
            frameon=False,
            loc="lower right",
            bbox_to_anchor=(1, 1),
            borderpad=0,
        )
    _label(ax, f"{plain_text(seqid)} (Mb)", f"highest per\n{bin_bp:,} bp\n(model units)")
    return ax


def plot_aligned(
    mean: Float[np.ndarray, " offset"],
    offset: Int64[np.ndarray, " offset"],
    *,
    n_loci: int,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean activation around loci that are aligned at offset 0, in reading direction."""
    if len(mean) != len(offset):
        raise InputError("offset", f"{len(mean)} values", str(len(offset)))
    ax = current_axes(ax)
    ax.plot(offset, mean, color=BLUE, linewidth=1)
    ax.axvline(0, color=GREY, linewidth=0.5, linestyle=":")
    ax.set_xlim(offset[0], offset[-1])
    ax.set_ylim(bottom=0)
    if not n_loci:
        ax.set_yticks([0])
    ax.set_title(f"mean of {n_loci} loci", fontsize=FONT_SIZE + 1)
    _label(ax, "distance from the peak (bp, reading direction)", f"mean {ACTIVATION}")
    return ax


def _label(ax: Axes, x: str, y: str) -> None:
    ax.set_xlabel(x, fontsize=FONT_SIZE + 1)
    ax.set_ylabel(y, fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("left", "bottom"))
