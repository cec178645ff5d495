"""Colours that stay apart for colour-blind readers, and axis habits.

Colours of series are those of Okabe and Ito (2008); those of concepts are fixed, by family.
"""

from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from genointerp.genome.interval import GenomicInterval

BLACK = "#000000"
GREY = "#7f7f7f"
LIGHT = "#d9d9d9"
ORANGE = "#e69f00"
SKY = "#56b4e9"
GREEN = "#009e73"
BLUE = "#0072b2"
VERMILION = "#d55e00"
PURPLE = "#cc79a7"

PALETTE = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, BLACK)
"""Colours of series, in order."""

STRAND_COLORS = {"+": BLUE, "-": VERMILION, ".": GREY}
"""Colour of each reading strand."""

FAMILY_COLORS = {
    "CDS": "#42c3f0",
    "tRNA": "#e5240c",
    "rRNA": "#049663",
    "other RNA": "#6244df",
    "regulatory": "#e3af2c",
    "repeat or mobile": "#9c0221",
    "intergenic": "#a6a6a6",
    "other": "#5b5b5b",
}
"""Colour of each family of concepts and of element types, in the order of legends.

They were searched to stay apart for readers without one kind of cone too, on light and on dark.
"""

_FAMILIES = {
    "CDS": "CDS start stop",
    "tRNA": "tRNA",
    "rRNA": "rRNA",
    "other RNA": "ncRNA tmRNA sRNA antisense SRP RNase scRNA snRNA snoRNA scaRNA guide ribozyme "
    "hammerhead autocatalytically telomerase vault Y lncRNA circRNA miRNA pre piRNA siRNA",
    "regulatory": "regulatory riboswitch attenuator promoter terminator operator enhancer RBS "
    "ribosome minus protein TF",
    "repeat or mobile": "repeat direct inverted tandem dispersed terminal long satellite "
    "microsatellite minisatellite CRISPR mobile insertion transposable integron prophage",
    "intergenic": "intergenic",
}
_FAMILY_OF = {word: name for name, words in _FAMILIES.items() for word in words.split()}

BASE_COLORS = {"A": GREEN, "C": BLUE, "G": ORANGE, "T": VERMILION}
"""Colour of a base; other letters are grey."""

SEQUENTIAL = "cividis"
"""Colour map of scores between 0 and 1."""

FONT_SIZE = 7

ACTIVATION = "activation (model units)"
"""Name and unit of what a feature has on a base: directions have norm 1 in the model's space."""

NOT_READ: dict[str, Any] = {"facecolor": "#e4e4e4", "linewidth": 0.0}
"""Style of bases that were not read: they are neither firing nor silent."""

NOT_READ_LABEL = "not read"


def family(name: str) -> str:
    """Return the family of an element type or of a concept, by the first word of its name.

    Examples
    --------
    >>> family("rRNA_16S"), family("stop_codon"), family("my_concept")
    ('rRNA', 'CDS', 'other')
    """
    return _FAMILY_OF.get(name.split("_")[0], "other")


def type_color(name: str) -> str:
    """Return the colour of an element type or of a concept: that of its family."""
    return FAMILY_COLORS[family(name)]


def rank_in_family(names: Iterable[str]) -> dict[str, int]:
    """Return for each name how many of its family stand before it: what tells their looks apart.

    Examples
    --------
    >>> rank_in_family(["CDS", "tRNA", "stop_codon"])
    {'CDS': 0, 'tRNA': 0, 'stop_codon': 1}
    """
    n_of: dict[str, int] = {}
    ranks = {}
    for name in dict.fromkeys(names):
        ranks[name] = n_of.get(family(name), 0)
        n_of[family(name)] = ranks[name] + 1
    return ranks


def family_patches(names: Iterable[str]) -> list[Patch]:
    """Return a patch for the legend for each family that the names belong to."""
    present = {family(name) for name in names}
    return [
        Patch(facecolor=color, edgecolor="0.25", linewidth=0.5, label=name)
        for name, color in FAMILY_COLORS.items()
        if name in present
    ]


def not_read_patch() -> Patch:
    """Return the patch for the legend of what was not read."""
    return Patch(**NOT_READ, label=NOT_READ_LABEL)


def current_axes(ax: Axes | None) -> Axes:
    """Return ``ax``, or the current Axes of pyplot if it is None."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.gca()


def axes_width(ax: Axes) -> float:
    """Return the width of the axes in points."""
    return float(ax.get_position().width * ax.figure.get_figure(root=True).get_figwidth() * 72)


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
    room = axes_width(ax) / (0.62 * FONT_SIZE * len(f"{min(interval.end, turn):,}") + 2 * FONT_SIZE)
    n_ticks = min(max(int(room), 1), 6)
    ax.xaxis.set_major_locator(MaxNLocator(n_ticks, integer=True, min_n_ticks=1))
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
