"""Colours that stay apart for colour-blind readers (Okabe and Ito, 2008), and axis habits."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from genointerp.genome.interval import GenomicInterval

BLACK = "#000000"
GREY = "#7f7f7f"
LIGHT = "#d9d9d9"
ORANGE = "#e69f00"
SKY = "#56b4e9"
GREEN = "#009e73"
YELLOW = "#f0e442"
BLUE = "#0072b2"
VERMILION = "#d55e00"
PURPLE = "#cc79a7"

PALETTE = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, YELLOW)
"""Colours of series, in order."""

LINE_PALETTE = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, BLACK)
"""Colours of thin lines: a yellow line would not be visible on white."""

STRAND_COLORS = {"+": BLUE, "-": VERMILION, ".": GREY}
"""Colour of each reading strand."""

TYPE_COLORS = {
    "CDS": SKY,
    "tRNA": VERMILION,
    "rRNA": GREEN,
    "ncRNA": PURPLE,
    "tmRNA": ORANGE,
    "pseudogene": LIGHT,
    "pseudogenic": LIGHT,
    "riboswitch": YELLOW,
    "antisense": PURPLE,
    "SRP": PURPLE,
    "RNase": PURPLE,
    "scRNA": PURPLE,
    "start": BLACK,
    "stop": BLACK,
}
"""Colour of an element's type, by the first word of its name; other types are grey."""

BASE_COLORS = {"A": GREEN, "C": BLUE, "G": ORANGE, "T": VERMILION}
"""Colour of a base; other letters are grey."""

SEQUENTIAL = "cividis"
"""Colour map of scores between 0 and 1."""

FONT_SIZE = 7

NOT_READ: dict[str, Any] = {
    "facecolor": "0.96",
    "edgecolor": "0.6",
    "hatch": "////",
    "linewidth": 0.0,
}
"""Style of bases that were not read: they are neither firing nor silent."""

NOT_READ_LABEL = "hatched: not read"


def type_color(name: str) -> str:
    """Return the colour of an element type or of a concept named after one.

    Examples
    --------
    >>> type_color("rRNA_16S") == type_color("rRNA")
    True
    """
    return TYPE_COLORS.get(name.split("_")[0], GREY)


def current_axes(ax: Axes | None) -> Axes:
    """Return ``ax``, or the current Axes of pyplot if it is None."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.gca()


def use_region_axis(
    ax: Axes, interval: GenomicInterval, *, labelled: bool = True, length: int | None = None
) -> None:
    """Make x the bases of an interval, 1-based as in browsers, labelled in bp.

    Parameters
    ----------
    length
        Of a circular contig: the base after it is labelled as the first.
    """
    turn = interval.end if length is None else length
    ax.set_xlim(interval.start + 0.5, interval.end + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{_wrapped(int(value), turn):,}"))
    ax.tick_params(axis="x", labelbottom=labelled, labelsize=FONT_SIZE)
    if labelled:
        ax.set_xlabel(f"{plain_text(interval.seqid)} (bp)", fontsize=FONT_SIZE + 1)


def _wrapped(base: int, length: int) -> int:
    return base - length if base > length else base


def hide_frame(ax: Axes, *, keep: tuple[str, ...] = ()) -> None:
    """Hide the sides of the frame that are not in ``keep``."""
    for side, spine in ax.spines.items():
        spine.set_visible(side in keep)


def plain_text(text: str) -> str:
    """Return text that matplotlib draws unchanged, ``$`` included."""
    return visible_text(text).replace("$", r"\$")


def visible_text(text: str) -> str:
    """Return a text with U+FFFD for each control character (C0 and C1) but the line feed.

    No font draws them, and XML, so SVG, cannot hold them.
    """
    return text.translate(_CONTROLS)


_CONTROLS = dict.fromkeys([*range(0x0A), *range(0x0B, 0x20), *range(0x7F, 0xA0)], "\ufffd")
