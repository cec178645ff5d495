"""Figures without pyplot or its global state; the format of one is that of its suffix."""

from pathlib import Path
from typing import Literal, NamedTuple

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from genointerp.core.errors import InputError, MismatchError
from genointerp.core.files import atomic_path
from genointerp.genome.genome import Genome
from genointerp.store.feature.store import FeatureStore

FORMATS = (".png", ".pdf", ".svg")
FORMAT = "genointerp::figure"
"""What the metadata of a figure say that it is."""


class SourceFiles(NamedTuple):
    """Where a genome and what is known of it lie.

    Parameters
    ----------
    sequence
        FASTA or GenBank.
    annotation
        GFF3 or GenBank.
    concepts
        Definition of the concepts; the shipped one where None.
    """

    sequence: Path
    annotation: Path
    concepts: Path | None = None


def new_figure(
    width: float, height: float, *, layout: Literal["constrained", "free"] = "constrained"
) -> Figure:
    """Return an empty figure of a size in inches; its parts are kept apart, or placed by hand."""
    # the default gap between columns lets the outermost ticks of two panels touch
    engine = ConstrainedLayoutEngine(w_pad=0.1) if layout == "constrained" else None
    figure = Figure(figsize=(width, height), layout=engine)
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, out: Path, *, dpi: int = 150) -> None:
    """Write a figure; the same figure is the same file."""
    # without dates and random ids, and with a mark by which a newer figure may replace it
    metadata = {
        ".png": {"Software": FORMAT},
        ".svg": {"Creator": FORMAT, "Date": None},
        ".pdf": {"Creator": FORMAT, "CreationDate": None},
    }.get(out.suffix)
    with atomic_path(out) as temporary, rc_context({"svg.hashsalt": "genointerp"}):
        figure.savefig(temporary, dpi=dpi, metadata=metadata)


def check_suffix(out: Path) -> None:
    """Refuse, before any work, a figure of an unknown format."""
    if out.suffix not in FORMATS:
        raise InputError(str(out), f"a file name in {', '.join(FORMATS)}", repr(out.suffix))


def check_genome(store: FeatureStore, genome: Genome, path: Path) -> None:
    """Refuse features of another genome than that of ``path``."""
    if genome.sha256 != store.header.genome_sha256:
        raise MismatchError(
            str(path),
            f"the genome of {store.path} (sha256 {store.header.genome_sha256[:12]})",
            f"sha256 {genome.sha256[:12]}",
        )
