"""Families of features as small graphs by lag, and phi by lag with its null."""

from collections.abc import Sequence
from math import cos, pi, sin

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from genointerp.panel.style import (
    BLUE,
    FONT_SIZE,
    GREY,
    LIGHT,
    PALETTE,
    current_axes,
    hide_frame,
    plain_text,
    type_color,
)

_GAP = 0.7
# between features of one step


def plot_family(family: pd.Series, edges: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw a family: a cycle as a circle, a path as a line, with phi and the lag on each arrow.

    Features of one step stand together. Of the edges between two features that with the shorter lag
    is drawn; one at lag 0 has no head. An edge that only says that features of one step fire again
    a period later is not drawn. A feature has the colour of its concept.

    Parameters
    ----------
    family
        A row with columns of the schema ``CIRCUIT_FAMILIES``.
    edges
        Columns of the schema ``COACTIVATION``.
    """
    ax = current_axes(ax)
    steps = _steps(family)
    places = _places(str(family["kind"]), steps)
    step_of = {feature: k for k, step in enumerate(steps) for feature in step}
    own = edges[
        (edges["relation"] == "same")
        & edges["feature_a"].isin(places)
        & edges["feature_b"].isin(places)
    ]
    both = own[["feature_a", "feature_b"]]
    pairs = own.assign(low=both.min(axis=1), high=both.max(axis=1))
    shown = pairs.sort_values("lag", kind="stable").drop_duplicates(["low", "high"])
    drawn = shown[
        (shown["feature_a"].map(step_of) != shown["feature_b"].map(step_of)) | (shown["lag"] == 0)
    ]
    for number, row in enumerate(drawn[["feature_a", "feature_b", "lag", "phi"]].to_numpy()):
        a, b, lag, phi = row.tolist()
        # the middles of crossing edges would meet
        at = (0.35, 0.2)[number % 2]
        _draw_edge(ax, places[int(a)], places[int(b)], int(lag), phi, at=at)
    concepts = _concepts(str(family["concepts"]))
    for feature, (x, y) in places.items():
        color = type_color(concepts[feature]) if feature in concepts else GREY
        ax.text(
            x,
            y,
            str(feature),
            ha="center",
            va="center",
            fontsize=FONT_SIZE,
            color="white",
            bbox={"boxstyle": "round,pad=0.25", "facecolor": color, "edgecolor": "none"},
            zorder=3,
        )
    x, y = np.array(list(places.values())).T
    half = max(np.ptp(x), np.ptp(y)) / 2 + 0.3
    ax.set_xlim(x.min() + np.ptp(x) / 2 - half, x.max() - np.ptp(x) / 2 + half)
    ax.set_ylim(y.min() + np.ptp(y) / 2 - half, y.max() - np.ptp(y) / 2 + half)
    ax.set_aspect("equal")
    ax.set_axis_off()
    period = f", period {family['period']:.0f}" if family["period"] > 0 else ""
    title = f"{family['name'] or 'no common concept'}\n{family['kind']}{period}"
    ax.set_title(plain_text(title), fontsize=FONT_SIZE + 1)
    return ax


def plot_lags(
    lags: pd.DataFrame, pairs: Sequence[tuple[int, int, str]], *, ax: Axes | None = None
) -> Axes:
    """Draw phi by lag of pairs on one strand, over what one rotation in twenty exceeds.

    Lags beyond the consecutive ones stand at equal distances, behind a line.

    Parameters
    ----------
    lags
        Columns of the schema ``COACTIVATION_LAGS``.
    pairs
        First feature, second feature and reading strand.
    """
    ax = current_axes(ax)
    every = sorted(set(lags.loc[lags["relation"] == "same", "lag"]))
    highest = 0.0
    for number, (a, b, strand) in enumerate(pairs):
        own = lags[
            (lags["feature_a"] == a)
            & (lags["feature_b"] == b)
            & (lags["strand"] == strand)
            & (lags["relation"] == "same")
        ]
        color = PALETTE[number % len(PALETTE)]
        at = [every.index(lag) for lag in own["lag"]]
        label = f"{a} to {b} ({strand})"
        ax.plot(at, own["phi"], color=color, marker="o", markersize=2.5, linewidth=1, label=label)
        highest = max(highest, float(own["null_phi"].max()))
    ax.axhspan(0, highest, color=LIGHT, linewidth=0, label="95 % of rotations")
    ax.axhline(0, color=GREY, linewidth=0.6)
    beyond = next((i for i in range(1, len(every)) if every[i] > every[i - 1] + 1), None)
    if beyond is not None:
        ax.axvline(beyond - 0.5, color=GREY, linewidth=0.6, linestyle=":")
    ax.set_xticks(range(len(every)), [f"{lag:,}" for lag in every], fontsize=FONT_SIZE, rotation=90)
    ax.set_xlabel("lag (bases along the reading strand)", fontsize=FONT_SIZE + 1)
    ax.set_ylabel("phi", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    ax.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1), fontsize=FONT_SIZE, frameon=False, ncols=3
    )
    hide_frame(ax, keep=("left", "bottom"))
    return ax


def _steps(family: pd.Series) -> list[list[int]]:
    """Return the features of each step, as the column ``members`` lists them."""
    steps = [
        [int(feature) for feature in step.split("+")] for step in str(family["members"]).split(">")
    ]
    if family["kind"] == "set":
        return [[feature] for step in steps for feature in step]
    return steps


def _places(kind: str, steps: Sequence[Sequence[int]]) -> dict[int, tuple[float, float]]:
    n = len(steps)
    places: dict[int, tuple[float, float]] = {}
    for k, step in enumerate(steps):
        for i, feature in enumerate(step):
            aside = _GAP * (i - (len(step) - 1) / 2)
            if kind == "path" or n < 3:
                places[feature] = (1.6 * k, aside)
            else:
                angle, radius = pi / 2 - 2 * pi * k / n, max(1.0, 0.14 * n)
                places[feature] = (radius * cos(angle) + aside, radius * sin(angle))
    return places


def _concepts(text: str) -> dict[int, str]:
    """Return the concept of each feature, as the column ``concepts`` lists them."""
    rows = (item.partition("=") for item in text.split(",") if item)
    return {int(feature): said.split("/")[0] for feature, _, said in rows}


def _draw_edge(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    lag: int,
    phi: float,
    *,
    at: float,
) -> None:
    """Draw an arrow with its lag and phi, which stand at a share of its length."""
    arrow = {"arrowstyle": "-|>" if lag else "-", "color": BLUE, "linewidth": 0.4 + 1.6 * phi}
    arrow |= {"shrinkA": 9, "shrinkB": 9}
    ax.annotate("", end, start, arrowprops=arrow, zorder=1)
    x, y = ((1 - at) * a + at * b for a, b in zip(start, end, strict=True))
    ax.text(
        x,
        y,
        f"+{lag}: {phi:.2f}" if lag else f"{phi:.2f}",
        ha="center",
        va="center",
        fontsize=FONT_SIZE - 1,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        zorder=2,
    )
