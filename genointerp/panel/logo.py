"""Sequence logos (Schneider and Stephens, 1990)."""

from functools import cache

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D

from genointerp.core.errors import InputError
from genointerp.panel.style import (
    BLUE,
    FONT_SIZE,
    GREEN,
    GREY,
    ORANGE,
    VERMILION,
    current_axes,
    hide_frame,
)

LETTER_COLORS = {"A": GREEN, "C": BLUE, "G": ORANGE, "T": VERMILION}
"""In the order of the columns of a matrix."""

_FONT = FontProperties(family="DejaVu Sans", weight="bold")


def plot_logo(
    heights: Float[np.ndarray, "position 4"],
    *,
    first: int = 0,
    null_bits: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a sequence logo: letters stacked in each column, the largest on top.

    Parameters
    ----------
    heights
        Bits of each letter, columns A, C, G and T.
    first
        Offset of the first column from the anchor in bp, in reading direction; a dotted line
        marks offset 0.
    null_bits
        A dashed line: what one column in twenty of the background exceeds.

    Raises
    ------
    InputError
        If a height is negative or not finite.
    """
    if not (np.isfinite(heights).all() and (heights >= 0).all()):
        raise InputError("heights", "bits of 0 or more", str(heights.min()))
    ax = current_axes(ax)
    drawn: dict[str, list[Path]] = {letter: [] for letter in LETTER_COLORS}
    for column, bits in enumerate(heights):
        bottom = 0.0
        for letter, height in sorted(
            zip(LETTER_COLORS, bits.tolist(), strict=True), key=lambda pair: pair[1]
        ):
            if height > 0:
                drawn[letter].append(letter_path(letter, float(first + column), bottom, height))
            bottom += height
    for letter, paths in drawn.items():
        if paths:
            # one patch for all places of a letter: a patch each takes ten times as long to draw
            whole = Path.make_compound_path(*paths)
            patch = PathPatch(whole, facecolor=LETTER_COLORS[letter], linewidth=0)
            patch.set_gid(f"letter-{letter}")
            ax.add_artist(patch)
    if first <= 0 < first + len(heights):
        ax.axvline(0, color=GREY, linewidth=0.5, linestyle=":", zorder=0)
    if null_bits is not None:
        ax.axhline(null_bits, color=GREY, linewidth=0.7, linestyle="--", zorder=0)
    top = max(float(heights.sum(axis=1).max(initial=0)), null_bits or 0.0, 0.1)
    ax.set(xlim=(first - 0.6, first + len(heights) - 0.4), ylim=(0, 1.05 * top))
    ax.xaxis.set_major_locator(MaxNLocator(9, integer=True))
    ax.set_xlabel("offset from the anchor (bp, reading direction)", fontsize=FONT_SIZE + 1)
    ax.set_ylabel("information (bits)", fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("left", "bottom"))
    return ax


def letter_path(letter: str, x: float, bottom: float, height: float) -> Path:
    """Return the outline of a letter above ``bottom``; upside down below it if it is negative."""
    fit = Affine2D().scale(0.9, height).translate(x - 0.45, bottom)
    return fit.transform_path(_outline(letter))


@cache
def _outline(letter: str) -> Path:
    """Return the outline of a letter, stretched to the unit square."""
    path = TextPath((0, 0), letter, size=1, prop=_FONT)
    box = path.get_extents()
    fit = Affine2D().translate(-box.x0, -box.y0).scale(1 / box.width, 1 / box.height)
    return fit.transform_path(path)
