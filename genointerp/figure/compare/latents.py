"""Figure of the features of crosscoders of two models: whose they are, next to a control."""

from typing import Unpack

from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError
from genointerp.figure.file import Look, check_suffix, new_figure, save_figure
from genointerp.panel.latents import TAGS, Against, plot_norms
from genointerp.panel.style import FONT_SIZE
from genointerp.store.table.schema.latents import LATENTS
from genointerp.store.table.table import read_table

_ROWS: tuple[Against, ...] = ("cosine", "nu_error", "nu_reconstruction")


def latents(table: StrPath, out: StrPath | None = None, **look: Unpack[Look]) -> Figure:
    """Draw the relative norm of each feature against its cosine and nu, a column for each pair.

    Parameters
    ----------
    table
        Table that `diff` wrote with ``latents_out``.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.

    Raises
    ------
    InputError
        If no feature fires often enough to be drawn.
    """
    check_suffix(out)
    found = read_table(table, LATENTS)
    drawn = found[found["tag"].isin(TAGS)]
    if drawn.empty:
        raise InputError(str(table), "features that fire often enough to be tagged", "none")
    pairs = list(drawn.groupby(["first", "second"], sort=False))
    figure = new_figure(3.3 * len(pairs), 2.3 * len(_ROWS), **look)
    axes = figure.subplots(len(_ROWS), len(pairs), squeeze=False, sharex=True)
    for column, ((first, second), own) in enumerate(pairs):
        for row, against in enumerate(_ROWS):
            ax = plot_norms(own, against, ax=axes[row][column])
            if row < len(_ROWS) - 1:
                ax.set_xlabel("")
        top = axes[0][column]
        top.set_title(f"{first} and {second}", fontsize=FONT_SIZE + 1)
        top.legend(fontsize=FONT_SIZE - 1, frameon=False, loc="lower left")
    return save_figure(figure, out)
