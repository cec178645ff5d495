"""Create and save figures without pyplot and its global state."""

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
"""Mark in the metadata of a figure that this package wrote it."""

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
    """Return an empty figure of a size in inches, with constrained layout or none (``free``)."""
    # the default gap between columns lets the outermost ticks of two panels touch
    engine = ConstrainedLayoutEngine(w_pad=0.1) if layout == "constrained" else None
    figure = ShownFigure(figsize=(width, height), layout=engine)
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, out: StrPath | None, *, dpi: int = 150) -> Figure:
    """Write a figure reproducibly, unless ``out`` is None, and return it."""
    if out is None:
        return figure
    out = Path(out)
    # no dates or random ids; the mark allows a newer figure to replace the file
    metadata = {
        ".png": {"Software": FORMAT},
        ".svg": {"Creator": FORMAT, "Date": None},
        ".pdf": {"Creator": FORMAT, "CreationDate": None},
    }.get(out.suffix)
    with atomic_path(out) as temporary, rc_context({"svg.hashsalt": "genointerp"}):
        figure.savefig(temporary, dpi=dpi, metadata=metadata)
    return figure


def check_suffix(out: StrPath | None) -> None:
    """Check before any work that the format of a figure is known; None means no file."""
    if out is not None and Path(out).suffix not in FORMATS:
        raise InputError(str(out), f"a file name in {', '.join(FORMATS)}", repr(Path(out).suffix))
