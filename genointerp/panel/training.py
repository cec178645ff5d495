"""Training curves of a dictionary."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter

from genointerp.core.errors import InputError
from genointerp.panel.style import BLUE, FONT_SIZE, current_axes, hide_frame

LABELS = {
    "loss": "loss",
    "fvu": "FVU",
    "l0": "L0 (features per base)",
    "dead_share": "dead features (share)",
    "aux_loss": "auxiliary loss",
    "learning_rate": "learning rate",
}
"""What each known column of the metrics means; others are labelled with their name."""


def plot_training(
    metrics: pd.DataFrame, column: str, *, x: str = "step", ax: Axes | None = None
) -> Axes:
    """Draw one column of the training metrics.

    Parameters
    ----------
    metrics
        A row for each logged step; rows where the column is undefined are left out.
    x
        Column of the horizontal axis.

    Raises
    ------
    InputError
        If the table lacks one of the columns.
    """
    for name in (column, x):
        if name not in metrics:
            raise InputError("metrics", f"a column {name!r}", ", ".join(map(str, metrics)))
    ax = current_axes(ax)
    shown = metrics[[x, column]].dropna()
    marker = "." if len(shown) < 30 else ""
    ax.plot(shown[x], shown[column], color=BLUE, linewidth=1, marker=marker)
    if column.endswith("_share"):
        ax.set_ylim(0, max(0.05, 1.05 * float(shown[column].max())))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.set_xlabel("training step" if x == "step" else x.replace("_", " "), fontsize=FONT_SIZE + 1)
    ax.set_ylabel(LABELS.get(column, column.replace("_", " ")), fontsize=FONT_SIZE + 1)
    ax.tick_params(labelsize=FONT_SIZE)
    hide_frame(ax, keep=("left", "bottom"))
    return ax
