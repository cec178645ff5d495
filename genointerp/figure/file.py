"""Figures without pyplot or its global state; the format of one is that of its suffix."""

from io import BytesIO
from pathlib import Path
from typing import Literal

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path

FORMATS = (".png", ".pdf", ".svg")
FORMAT = "genointerp::figure"
"""What the metadata of a figure say that it is."""

_SCREEN_DPI = 100


class ShownFigure(Figure):
    """A figure that a notebook shows as the value of a cell, without pyplot."""

    def _repr_png_(self) -> bytes:
        image = BytesIO()
        self.savefig(image, format="png", dpi=_SCREEN_DPI)
        return image.getvalue()


def new_figure(
    width: float, height: float, *, layout: Literal["constrained", "free"] = "constrained"
) -> Figure:
    """Return an empty figure of a size in inches; its parts are kept apart, or placed by hand."""
    # the default gap between columns lets the outermost ticks of two panels touch
    engine = ConstrainedLayoutEngine(w_pad=0.1) if layout == "constrained" else None
    figure = ShownFigure(figsize=(width, height), layout=engine)
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, out: StrPath | None, *, dpi: int = 150) -> Figure:
    """Write a figure, unless ``out`` is None, and return it; the same figure is the same file."""
    if out is None:
        return figure
    out = Path(out)
    # without dates and random ids, and with a mark by which a newer figure may replace it
    metadata = {
        ".png": {"Software": FORMAT},
        ".svg": {"Creator": FORMAT, "Date": None},
        ".pdf": {"Creator": FORMAT, "CreationDate": None},
    }.get(out.suffix)
    with atomic_path(out) as temporary, rc_context({"svg.hashsalt": "genointerp"}):
        figure.savefig(temporary, dpi=dpi, metadata=metadata)
    return figure


def check_suffix(out: StrPath | None) -> None:
    """Refuse, before any work, a figure of an unknown format; None is no file."""
    if out is not None and Path(out).suffix not in FORMATS:
        raise InputError(str(out), f"a file name in {', '.join(FORMATS)}", repr(Path(out).suffix))
