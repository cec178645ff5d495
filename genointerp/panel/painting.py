"""What a model does under a canvas: by dose, by distance, and base by base."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from genointerp.core.errors import InputError
from genointerp.panel.style import (
    BLUE,
    FONT_SIZE,
    GREY,
    LIGHT,
    ORANGE,
    PALETTE,
    current_axes,
    hide_frame,
    plain_text,
)

MEASURES = {
    **{f"stops_{k}": f"stops in frame {k}, observed / expected" for k in range(3)},
    **{f"coding_{k}": f"share of bases in genes of frame {k}" for k in range(3)},
    "trna": "share with a tRNA (pyaragorn)",
    "rrna": "share with an rRNA (pybarrnap)",
    "t_loop": "share with a T loop",
    "d_loop": "share with a D loop",
    "cca": "share that ends in CCA",
    "acceptor_pairs": "pairs of the acceptor stem",
    "gc": "share of G and C",
    "diversity": "share of bases that differ, by pairs",
    "features_moved": "features moved",
}
"""Columns of a painting that can be drawn, and what they are; frames count from the place."""
_CANVAS, _UNPAINTED = "canvas", "unpainted"
_MARKERS = "osD^vPX*<>"


def plot_dose_response(summary: pd.DataFrame, measure: str, *, ax: Axes | None = None) -> Axes:
    """Draw a measure of designs by dose, with the controls beside the canvas.

    The line is the canvas, from the unpainted designs at dose 0 on; its bars are 95 % intervals
    over designs drawn again, where the table has them. Controls stand at their doses, moved apart.

    Parameters
    ----------
    summary
        Columns of the schema ``PAINTING``.
    measure
        One of `MEASURES`.

    Raises
    ------
    InputError
        If there is no such measure.
    """
    if measure not in MEASURES:
        raise InputError("measure", f"one of {', '.join(MEASURES)}", measure)
    ax = current_axes(ax)
    line = summary[summary["condition"].isin([_UNPAINTED, _CANVAS])].sort_values("dose")
    ax.plot(line["dose"], line[measure], color=BLUE, marker="o", markersize=4, label=_CANVAS)
    if f"{measure}_low" in summary:
        low, high = line[f"{measure}_low"], line[f"{measure}_high"]
        ax.vlines(line["dose"], low, high, color=BLUE, linewidth=1)
    others = summary[~summary["condition"].isin([_UNPAINTED, _CANVAS])]
    names = list(dict.fromkeys(others["condition"]))
    width = float(line["dose"].max()) if len(line) else 1.0
    # controls of one dose would hide each other
    apart = others["dose"] + 0.02 * width * (others.groupby("dose").cumcount() + 1)
    for number, name in enumerate(names):
        own = others["condition"] == name
        color = PALETTE[1 + number % (len(PALETTE) - 1)]
        marker = _MARKERS[number % len(_MARKERS)]
        ax.plot(
            apart[own],
            others[own][measure],
            marker,
            color=color,
            markersize=4,
            clip_on=False,
            label=plain_text(name),
        )
    ax.set_xlabel("dose, in units of each feature", fontsize=FONT_SIZE + 1)
    ax.set_ylabel(MEASURES[measure], fontsize=FONT_SIZE + 1)
    ax.set_ylim(bottom=0)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("left", "bottom"))
    return ax


def plot_divergence(steering: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how far predictions move inside the strokes and downstream, for each condition.

    It is drawn at the first dose of the table, on a logarithmic scale; a place without any change
    has no mark.

    Parameters
    ----------
    steering
        Columns of the schema ``STEERING``; concepts are left out.
    """
    ax = current_axes(ax)
    at = steering["place"].str.match("inside|downstream") & (
        steering["dose"] == steering["dose"].iloc[0]
    )
    rows = steering[at]
    places = list(dict.fromkeys(rows["place"]))
    names = list(dict.fromkeys(rows["condition"]))
    for number, name in enumerate(names):
        own = rows[(rows["condition"] == name) & (rows["kl"] > 0)]
        color = PALETTE[number % len(PALETTE)]
        marker, line = _MARKERS[number % len(_MARKERS)], "-" if name == _CANVAS else ":"
        where = [places.index(place) for place in own["place"]]
        ax.plot(
            where,
            own["kl"],
            marker=marker,
            linestyle=line,
            color=color,
            markersize=4,
            linewidth=1,
            label=plain_text(name),
        )
    ax.set_yscale("log")
    labels = [place.replace("downstream ", "+") for place in places]
    ax.set_xticks(range(len(places)), labels, fontsize=FONT_SIZE)
    ax.set_xlabel("bases downstream of the strokes", fontsize=FONT_SIZE + 1)
    ax.set_ylabel("KL (nats per token)", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("left", "bottom"))
    return ax


def plot_base_changes(bases: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the change of the log probability of each base of one contig and strand.

    What strokes decide is shaded. Ticks are 1-based, as in genome browsers.

    Parameters
    ----------
    bases
        Columns of the schema ``STEERED_BASES``, of one contig and one reading strand.

    Raises
    ------
    InputError
        If it is empty, or of several contigs or strands.
    """
    places = bases[["seqid", "strand"]].drop_duplicates()
    if len(places) != 1:
        raise InputError("bases", "bases of one contig and one strand", str(len(places)))
    ax = current_axes(ax)
    change = bases["log_p_painted"] - bases["log_p"]
    x = (bases["start"] + bases["end"] + 1) / 2
    for first, last in _stretches(bases):
        ax.axvspan(first + 0.5, last + 0.5, color="0.94", zorder=0, linewidth=0)
    ax.vlines(x, 0, change.clip(lower=0), color=BLUE, linewidth=0.6, label="more probable")
    ax.vlines(x, change.clip(upper=0), 0, color=ORANGE, linewidth=0.6, label="less probable")
    ax.axhline(0, color=GREY, linewidth=0.6)
    seqid, strand = places.iloc[0]
    ax.set_xlim(float(x.min()) - 0.5, float(x.max()) + 0.5)
    ax.ticklabel_format(axis="x", style="plain", useOffset=False)
    ax.set_xlabel(f"{plain_text(str(seqid))} ({strand}), bp", fontsize=FONT_SIZE + 1)
    ax.set_ylabel("change of log p (nats)", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    ax.grid(axis="y", color=LIGHT, linewidth=0.4)
    ax.set_axisbelow(True)
    hide_frame(ax, keep=("left", "bottom"))
    return ax


def _stretches(bases: pd.DataFrame) -> Sequence[tuple[int, int]]:
    """Return the stretches of bases that strokes decide, 0-based and half-open."""
    inside = bases[bases["place"] == "inside"].sort_values("start")
    start, end = inside["start"].to_numpy(), inside["end"].to_numpy()
    if not len(start):
        return []
    breaks = np.flatnonzero(start[1:] > end[:-1])
    first, last = np.r_[0, breaks + 1], np.r_[breaks, len(start) - 1]
    return list(zip(start[first].tolist(), end[last].tolist(), strict=True))
