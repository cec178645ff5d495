"""Figure of a motif as a logo."""

from typing import Unpack

import numpy as np
from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath
from genointerp.feature.motif import Motif
from genointerp.figure.file import Look, check_suffix, new_figure, save_figure
from genointerp.panel.logo import plot_logo


def motif(motif: Motif, out: StrPath | None = None, **look: Unpack[Look]) -> Figure:
    """Draw the logo of a motif.

    Parameters
    ----------
    motif
        Motif as the command `motif` returns it.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.
    """
    check_suffix(out)
    repeated = f", {motif.n_repeated} repeats left out" if motif.n_repeated else ""
    title = f"{motif.name}: {motif.n_sites} loci{repeated}; dashed: 1 in 20 by chance"
    figure = new_figure(1.2 + 0.2 * len(motif.counts), 2.2, own_title=title, **look)
    null_bits = highest_null(motif)
    plot_logo(motif.heights, first=motif.first, null_bits=null_bits, ax=figure.subplots())
    return save_figure(figure, out)


def highest_null(motif: Motif) -> float | None:
    """Return the highest null among columns that have bases, in bits; None if none has."""
    null_bits = motif.information.null_bits
    known = null_bits[~np.isnan(null_bits)]
    return float(known.max()) if len(known) else None
