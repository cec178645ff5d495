"""Figure of the quality of a dictionary, from the numbers that `evaluate` wrote."""

import math
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath
from genointerp.core.errors import SchemaError
from genointerp.core.files import read_json_object
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.panel.quality import plot_cosines, plot_densities, plot_losses, plot_stability
from genointerp.panel.style import FONT_SIZE


def quality(evaluation: StrPath, out: StrPath | None = None, **look: Unpack[Look]) -> Figure:
    """Draw losses, densities, directions and, if there are any, comparisons with dictionaries.

    Parameters
    ----------
    evaluation
        JSON file written by `genointerp evaluate`.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.

    Raises
    ------
    SchemaError
        If the file lacks a number.
    """
    check_suffix(out)
    values = read_json_object(Path(evaluation), error=SchemaError)
    try:
        own = values["dictionary"]
        others = own["against"]
        n_columns = 1 if is_narrow(look) else 2
        height = 2.6 * (4 // n_columns) + 0.4 * len(others)
        figure = new_figure(3.5 * n_columns, height, **look)
        axes = figure.subplots(4 // n_columns, n_columns).ravel()
        plot_losses(values, ax=axes[0])
        plot_densities(
            *_histogram(own["density_histogram"]), n_features=own["n_features"], ax=axes[1]
        )
        plot_cosines(*_histogram(own["decoder_cosine"]), ax=axes[2])
        _fill_last(axes[3], values, others)
    except KeyError as error:
        raise SchemaError(str(evaluation), f"a key {error}", "none") from error
    return save_figure(figure, out)


def _fill_last(ax: Axes, values: dict[str, Any], others: list[dict[str, Any]]) -> None:
    if others:
        shares = [
            {key: math.nan if it is None else it for key, it in other["stability"].items()}
            for other in others
        ]
        plot_stability([other["name"] for other in others], shares, ax=ax)
        return
    ax.set_axis_off()
    names = {
        "fvu": "FVU",
        "l0": "L0",
        "loss_recovered": "loss recovered",
        "kl": "KL (nats a token)",
    }
    lines = [
        f"{label}  {values[name]:.4g}" for name, label in names.items() if values[name] is not None
    ]
    ax.text(0, 1, "\n".join(lines), va="top", fontsize=FONT_SIZE + 3, transform=ax.transAxes)


def _histogram(values: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(values["edges"], dtype=np.float64), np.array(values["count"], dtype=np.int64)
