"""Create and save figures without pyplot and its global state."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Literal, TypedDict, Unpack

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path
from genointerp.panel.style import (
    BASE_COLORS,
    FAMILY_COLORS,
    FONT_SIZE,
    NOT_READ,
    PALETTE,
    SEQUENTIAL,
    plain_text,
)

FORMATS = (".png", ".pdf", ".svg")
FORMAT = "genointerp::figure"
"""Mark in the metadata of a figure that this package wrote it."""

DPI = 150
"""Pixels per inch of a .png, unless another number is asked for."""

WIDTHS = (60.0, 1000.0)
"""Least and greatest width of a figure in mm."""

NARROW = 150.0
"""Width in mm below which a figure has its panels and its legend below each other."""

MAX_DPI = 2400

_TINTS = (1.0, 0.8, 0.6, 0.4, 0.2)
_N_SCORES = 64
_N_GREYS = 32

_SCREEN_DPI = 100
_MM_PER_INCH = 25.4
_CHARACTER = 0.58
"""Width of a character as a share of the size of its font."""

_HANDLE = 8
"""Width of a patch of a legend with the room around it, in characters."""

# the first ones come with matplotlib; where an .svg is read, at least one is installed
_SANS = ("DejaVu Sans", "Verdana", "Arial", "Helvetica")
_MONOSPACE = ("DejaVu Sans Mono", "Menlo", "Consolas", "Courier New")


class Look(TypedDict, total=False):
    """How a figure is drawn: the same keywords for every figure.

    Parameters
    ----------
    dpi
        Pixels per inch of a .png, and of what is drawn as pixels in a .pdf or .svg.
    width
        Width in mm, the unit of journals: one column has 85 to 90, a page 170 to 183. The size of
        the text stays; the height follows. Without it each figure has a width of its own.
    title
        Text above the figure, in place of its own; empty for none.
    """

    dpi: int
    width: float
    title: str


class ShownFigure(Figure):
    """A figure that a notebook shows as the value of a cell, without pyplot."""

    def _repr_png_(self) -> bytes:
        image = BytesIO()
        self.savefig(image, format="png", dpi=_SCREEN_DPI)
        return image.getvalue()


def is_narrow(look: Look) -> bool:
    """Return whether panels stand below each other, since there is no room beside."""
    return look.get("width", NARROW) < NARROW


def new_figure(
    width: float,
    height: float,
    /,
    *,
    layout: Literal["constrained", "free"] = "constrained",
    follows: Literal["shape", "rows"] = "shape",
    own_title: str = "",
    **look: Unpack[Look],
) -> Figure:
    """Return an empty figure, with constrained layout or none (``free``).

    Parameters
    ----------
    width, height
        In inches, unless the look has another width.
    follows
        With another width, the height keeps the shape of the figure, or that of its rows.
    own_title
        Title, unless the look has another.

    Raises
    ------
    InputError
        If the width or the resolution is out of range.
    """
    dpi, share = look.get("dpi", DPI), 1.0
    if not 1 <= dpi <= MAX_DPI:
        raise InputError("dpi", f"1 to {MAX_DPI:,}", str(dpi))
    if "width" in look:
        if not WIDTHS[0] <= look["width"] <= WIDTHS[1]:
            raise InputError("width", f"{WIDTHS[0]:g} to {WIDTHS[1]:g} mm", f"{look['width']:g}")
        share = look["width"] / _MM_PER_INCH / width
    if follows == "shape":
        # text does not shrink, so that a narrow figure needs more height than its share
        height *= max(share, (1 + share) / 2)
    # the default gap between columns lets the outermost ticks of two panels touch
    engine = ConstrainedLayoutEngine(w_pad=0.1) if layout == "constrained" else None
    figure = ShownFigure(figsize=(share * width, height), dpi=dpi, layout=engine)
    FigureCanvasAgg(figure)
    title = look.get("title", own_title)
    if title:
        figure.suptitle(plain_text(title), fontsize=FONT_SIZE + 3)
    return figure


def lay_out(figure: Figure) -> None:
    """Give the axes of a figure their places, for what is drawn by the room that it has."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def write_caption(figure: Figure, text: str) -> None:
    """Write a text below a figure, in lines that fit its width."""
    lines = [line for part in text.split("\n") for line in wrap(part, _max_characters(figure))]
    text = plain_text("\n".join(lines))
    figure.supxlabel(text, x=0.01, ha="left", fontsize=FONT_SIZE, color="0.25")


def legend_below(figure: Figure, handles: Sequence[Artist]) -> None:
    """Write a legend below a figure, in as few lines as its width allows."""
    widths = np.array([len(str(handle.get_label())) + _HANDLE for handle in handles])
    fitting = (
        n_columns
        for n_columns in range(len(handles), 1, -1)
        if sum(column.max() for column in np.array_split(widths, n_columns))
        <= _max_characters(figure)
    )
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=next(fitting, 1),
        fontsize=FONT_SIZE,
        frameon=False,
    )


def save_figure(figure: Figure, out: StrPath | None) -> Figure:
    """Write a figure reproducibly, unless ``out`` is None, and return it."""
    if out is None:
        return figure
    out = Path(out)
    # no dates; the mark allows a newer figure to replace the file
    metadata = {
        ".png": {"Software": FORMAT},
        ".svg": {"Creator": FORMAT, "Date": None},
        ".pdf": {"Creator": FORMAT, "CreationDate": None},
    }.get(out.suffix)
    reproducible_and_editable = rc_context(
        {
            "svg.hashsalt": FORMAT,
            "svg.fonttype": "none",
            "pdf.fonttype": 42,
            "font.sans-serif": list(_SANS),
            "font.monospace": list(_MONOSPACE),
        }
    )
    with atomic_path(out) as temporary, reproducible_and_editable:
        figure.savefig(temporary, dpi=figure.dpi, metadata=metadata)
    return figure


def with_few_colors(image: Image.Image) -> Image.Image:
    """Return a picture of a figure in the colours of the package, for a smaller file.

    Each pixel takes one of the fixed colours, their tints, greys and the colours of scores. Colours
    that are chosen by how often they occur merge rare ones, which a legend tells apart.
    """
    colors = sorted({*FAMILY_COLORS.values(), *PALETTE, *BASE_COLORS.values()})
    tints = [1 - share * (1 - np.array(to_rgb(color))) for color in colors for share in _TINTS]
    scores = colormaps[SEQUENTIAL](np.linspace(0, 1, _N_SCORES))[:, :3]
    greys = np.repeat(np.linspace(0, 1, _N_GREYS)[:, None], 3, axis=1)
    every = np.vstack([tints, scores, greys, to_rgb(NOT_READ["facecolor"])])
    palette = Image.new("P", (1, 1))
    palette.putpalette((255 * every).round().astype(int).ravel().tolist())
    return image.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)


def _max_characters(figure: Figure) -> int:
    return int(72 * figure.get_figwidth() / (_CHARACTER * FONT_SIZE))


def check_suffix(out: StrPath | None) -> None:
    """Check before any work that the format of a figure is known; None means no file."""
    if out is not None and Path(out).suffix not in FORMATS:
        raise InputError(str(out), f"a file name in {', '.join(FORMATS)}", repr(Path(out).suffix))
