"""Figure of what designs become by dose, next to controls."""

from collections.abc import Sequence
from typing import Unpack

import pandas as pd
from matplotlib.figure import Figure

from genointerp.core.arguments import OneOrMorePaths, StrPath, as_paths
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.panel.painting import plot_dose_response
from genointerp.panel.style import FONT_SIZE
from genointerp.store.table.schema.intervention import PAINTING
from genointerp.store.table.table import has_metadata, read_table, read_written


def paint(
    summary: OneOrMorePaths,
    out: StrPath | None = None,
    *,
    measure: Sequence[str] = (),
    **look: Unpack[Look],
) -> Figure:
    """Draw measures of designs by dose, with the controls beside the canvas.

    Parameters
    ----------
    summary
        A ``.summary`` table of `paint`, or several of one place: of two rows of one condition and
        dose the first counts.
    measure
        A panel for each: columns of the table (`genointerp.panel.painting.MEASURES`). Where empty,
        ``stops_k`` and ``coding_k`` of the frame k of the canvas, or of frame 0 if it has none.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.
    """
    check_suffix(out)
    tables = [
        read_table(path, PAINTING) if has_metadata(path) else read_written(path, PAINTING)
        for path in as_paths(summary)
    ]
    table = pd.concat(tables, ignore_index=True).drop_duplicates(["condition", "dose"])
    frame = max(0, int(table["frame"].fillna(-1).max())) if "frame" in table else 0
    measure = tuple(measure) or (f"stops_{frame}", f"coding_{frame}")
    n = len(measure)
    shape = (n, 1) if is_narrow(look) else (1, n)
    figure = new_figure(3.2 * shape[1], 2.8 * shape[0] + 0.6, **look)
    axes = figure.subplots(*shape, squeeze=False).ravel()
    for ax, name in zip(axes, measure, strict=True):
        plot_dose_response(table, name, ax=ax)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=2 if is_narrow(look) else 2 * n,
        fontsize=FONT_SIZE,
        frameon=False,
    )
    return save_figure(figure, out)
