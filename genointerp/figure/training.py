"""Figure of the training curves of a dictionary."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Unpack

import pandas as pd
from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath, in_run
from genointerp.core.errors import SchemaError
from genointerp.core.files import read_json_object, read_text
from genointerp.core.parsing import parse_json
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.panel.style import FONT_SIZE
from genointerp.panel.training import LABELS, part_handles, plot_training, training_parts

_CHARACTERS = 55
"""Of the legend below a panel."""


def training(metrics: StrPath, out: StrPath | None = None, **look: Unpack[Look]) -> Figure:
    """Draw the training curves of a dictionary.

    Parameters
    ----------
    metrics
        Path of ``metrics.jsonl`` in the folder of the dictionary, or of a run directory. Parts of
        the training are marked; ``cfg.json`` next to it says what they are.
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
    parts = read_parts(path.parent)
    figure = training_figure(read_metrics(path), where=str(path), parts=parts, **look)
    return save_figure(figure, out)


def training_figure(
    metrics: pd.DataFrame, *, where: str, parts: Sequence[str] = (), **look: Unpack[Look]
) -> Figure:
    """Draw the training curves, with a panel for each known column of the metrics.

    Parameters
    ----------
    parts
        What each part of the training is, as `read_parts` returns it.
    """
    names = [name for name in LABELS if name in metrics and metrics[name].notna().any()]
    if not names:
        raise SchemaError(where, f"one of {', '.join(LABELS)}", ", ".join(map(str, metrics)))
    n_columns = 1 if is_narrow(look) else min(len(names), 3)
    n_rows = -(-len(names) // n_columns)
    # about seventeen characters fit an inch of the legend
    lines = [
        fill(part, 17 * int(look.get("width", 3.4 * n_columns * 25.4) / 25.4)) for part in parts
    ]
    handles = part_handles(training_parts(metrics), lines)
    n_lines = len(handles) + sum(line.count("\n") for line in lines)
    figure = new_figure(3.4 * n_columns, 2.4 * n_rows + 0.17 * n_lines, **look)
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax, name in zip(axes, names, strict=False):
        plot_training(metrics, name, ax=ax)
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    if handles:
        figure.legend(handles=handles, loc="outside lower left", fontsize=FONT_SIZE, frameon=False)
    return figure


def read_parts(sae: Path) -> list[str]:
    """Return what ``cfg.json`` of a dictionary says of its parts; empty if it has one."""
    path = sae / "cfg.json"
    if not path.is_file():
        return []
    metadata = read_json_object(path, error=SchemaError).get("metadata", {})
    return str(metadata.get("parts", "")).split("; ") if metadata.get("parts") else []


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
