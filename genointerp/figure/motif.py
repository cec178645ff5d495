"""Figure of a motif as a logo."""

import numpy as np
from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath
from genointerp.feature.motif import Motif
from genointerp.figure.file import check_suffix, new_figure, save_figure
from genointerp.panel.logo import plot_logo
from genointerp.panel.style import FONT_SIZE


def motif(motif: Motif, out: StrPath | None = None) -> Figure:
    """Draw the logo of a motif.

    Parameters
    ----------
    motif
        Motif as the command `motif` returns it.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.
    """
    check_suffix(out)
    figure = new_figure(1.2 + 0.2 * len(motif.counts), 2.2)
    null_bits = highest_null(motif)
    ax = plot_logo(motif.heights, first=motif.first, null_bits=null_bits, ax=figure.subplots())
    repeated = f", {motif.n_repeated} repeats left out" if motif.n_repeated else ""
    title = f"{motif.name}: {motif.n_sites} loci{repeated}; dashed: 1 in 20 by chance"
    ax.set_title(title, fontsize=FONT_SIZE + 1)
    return save_figure(figure, out)


def highest_null(motif: Motif) -> float | None:
    """Return the highest null among columns that have bases, in bits; None if none has."""
    null_bits = motif.information.null_bits
    known = null_bits[~np.isnan(null_bits)]
    return float(known.max()) if len(known) else None
