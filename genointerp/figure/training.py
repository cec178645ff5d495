"""Figure of the training curves of a dictionary."""

from pathlib import Path
from typing import Unpack

import pandas as pd
from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath
from genointerp.core.errors import SchemaError
from genointerp.core.files import read_text
from genointerp.core.parsing import parse_json
from genointerp.core.run_directory import in_run
from genointerp.figure.file import Look, check_suffix, new_figure, save_figure
from genointerp.panel.training import LABELS, plot_training


def training(metrics: StrPath, out: StrPath | None = None, **look: Unpack[Look]) -> Figure:
    """Draw the training curves of a dictionary.

    Parameters
    ----------
    metrics
        Path of ``metrics.jsonl`` in the folder of the dictionary, or of a run directory.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.
    """
    check_suffix(out)
    path = in_run(metrics, "sae/metrics.jsonl")
    return save_figure(training_figure(read_metrics(path), where=str(path), **look), out)


def training_figure(metrics: pd.DataFrame, *, where: str, **look: Unpack[Look]) -> Figure:
    """Draw the training curves, with a panel for each known column of the metrics."""
    names = [name for name in LABELS if name in metrics and metrics[name].notna().any()]
    if not names:
        raise SchemaError(where, f"one of {', '.join(LABELS)}", ", ".join(map(str, metrics)))
    n_columns = min(len(names), 3)
    n_rows = -(-len(names) // n_columns)
    figure = new_figure(3.4 * n_columns, 2.4 * n_rows, **look)
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        plot_training(metrics, name, ax=ax)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    return figure


def read_metrics(path: Path) -> pd.DataFrame:
    """Read ``metrics.jsonl``, which holds a JSON object for each logged step.

    Raises
    ------
    SchemaError
        If a line is not a JSON object; the message names the first such line.
    """
    rows = []
    for number, line in enumerate(read_text(path, error=SchemaError).splitlines(), start=1):
        where = f"{path}: line {number}"
        row = parse_json(line, where=where, error=SchemaError)
        if not isinstance(row, dict):
            raise SchemaError(where, "a JSON object", line.strip()[:40])
        rows.append(row)
    if not rows:
        raise SchemaError(str(path), "at least one line", "an empty file")
    return pd.DataFrame(rows)
