"""Figure of an attribution graph."""

from typing import Unpack

from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath
from genointerp.figure.file import Look, check_suffix, new_figure, save_figure
from genointerp.panel.graph import edge_legend, plot_graph
from genointerp.panel.style import FONT_SIZE
from genointerp.store.graph.file import read_graph


def graph(
    graph: StrPath,
    out: StrPath | None = None,
    *,
    n_tokens: int = 60,
    n_edges: int = 40,
    **look: Unpack[Look],
) -> Figure:
    """Draw the attribution graph of a prediction.

    Parameters
    ----------
    graph
        Graph that `trace` or `explain` wrote.
    n_tokens
        Tokens to draw, the last ones up to the prediction.
    n_edges
        Edges to draw of each level, the strongest ones.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.
    """
    check_suffix(out)
    read = read_graph(graph)
    figure = new_figure(9.0, 1.3 * (len(read.sites) + 2) + 0.6, **look)
    ax = figure.subplots()
    plot_graph(read, n_tokens=n_tokens, n_edges=n_edges, ax=ax)
    figure.legend(
        handles=[*ax.get_legend_handles_labels()[0], *edge_legend()],
        loc="outside lower center",
        ncols=6,
        fontsize=FONT_SIZE,
        frameon=False,
    )
    return save_figure(figure, out)
