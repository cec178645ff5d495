"""Figure of the recall of hidden classes."""

from typing import Unpack

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.panel.backtest import plot_recall
from genointerp.panel.style import FONT_SIZE

_COLUMNS = 3


def backtest(features: pd.DataFrame, out: StrPath | None = None, **look: Unpack[Look]) -> Figure:
    """Draw the recall of each class that at least one feature of the trained dictionary tells.

    Parameters
    ----------
    features
        Table of the features of a backtest, in its schema.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.
    """
    check_suffix(out)
    trained = features[features["dictionary"] == "trained"]
    names = list(dict.fromkeys(trained["class"]))
    n_columns = 1 if is_narrow(look) else max(min(len(names), _COLUMNS), 1)
    n_rows = max(-(-len(names) // n_columns), 1)
    figure = new_figure(3.1 * n_columns + 0.2, 2.4 * n_rows + 0.5, **look)
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        plot_recall(features[features["class"] == name], ax=ax)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    if names:
        shown: dict[str, Artist] = {}
        for ax in axes[: len(names)]:
            handles, labels = ax.get_legend_handles_labels()
            shown |= dict(zip(labels, handles, strict=True))
        figure.legend(
            list(shown.values()),
            list(shown),
            loc="outside lower center",
            ncols=min(len(shown), 1 + n_columns),
            fontsize=FONT_SIZE,
            frameon=False,
        )
    else:
        axes[0].text(0.5, 0.5, "no feature tells a class", ha="center", fontsize=FONT_SIZE + 2)
    return save_figure(figure, out)
