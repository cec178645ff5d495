"""Figure of how predictions change under a canvas, by distance and base by base."""

from typing import Unpack

from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.panel.painting import plot_base_changes, plot_divergence
from genointerp.panel.style import FONT_SIZE
from genointerp.store.table.schema.intervention import STEERED_BASES, STEERING
from genointerp.store.table.table import read_table


def steer(
    steering: StrPath,
    out: StrPath | None = None,
    *,
    bases: StrPath | None = None,
    **look: Unpack[Look],
) -> Figure:
    """Draw how far a canvas and its controls move predictions, and the change of each base.

    Parameters
    ----------
    steering
        Table that `steer` wrote; its first dose is drawn.
    bases
        Table that it wrote as ``bases_out``, of one contig and one strand; without it there is no
        panel of bases.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.
    """
    check_suffix(out)
    table = read_table(steering, STEERING)
    n_rows = 1 if bases is None else 2
    figure = new_figure(5.5, 2.4 * n_rows + 0.4, **look)
    axes = figure.subplots(n_rows, 1, squeeze=False).ravel()
    if bases is not None:
        plot_base_changes(read_table(bases, STEERED_BASES), ax=axes[0])
    plot_divergence(table, ax=axes[-1])
    handles, labels = axes[-1].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=2 if is_narrow(look) else 4,
        fontsize=FONT_SIZE,
        frameon=False,
    )
    return save_figure(figure, out)
