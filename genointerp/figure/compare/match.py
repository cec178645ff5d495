"""Figure of the features of two dictionaries that are matched, next to the nulls."""

from pathlib import Path
from typing import Literal, Unpack

from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath
from genointerp.core.config import check_choice
from genointerp.core.errors import InputError
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.panel.matching import plot_best_correlations, plot_matched_shares
from genointerp.store.table.schema.matching import MATCH_SUMMARY, MATCHES
from genointerp.store.table.table import read_provenance, read_table

SideName = Literal["a", "b"]


def match(
    matches: StrPath,
    out: StrPath | None = None,
    *,
    side: SideName = "a",
    **look: Unpack[Look],
) -> Figure:
    """Draw the share of features that is matched by density, and their best correlations.

    Parameters
    ----------
    matches
        Table that `match` wrote, with its ``.summary`` next to it.
    side
        Dictionary whose features are drawn.
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
        If no feature was tested.
    """
    check_suffix(out)
    check_choice("side", side, SideName)
    path = Path(matches)
    table = read_table(path, MATCHES)
    summary = read_table(path.with_name(f"{path.stem}.summary{path.suffix}"), MATCH_SUMMARY)
    own = table[(table["side"] == side) & (table["decile"] > 0)]
    if own.empty:
        raise InputError(str(path), f"features of side {side} that were tested", "none")
    min_r = float(read_provenance(path, MATCHES)["config"]["min_r"])
    n_columns = 1 if is_narrow(look) else 2
    figure = new_figure(3.6 * n_columns, 2.9 * (3 - n_columns), follows="rows", **look)
    axes = figure.subplots(3 - n_columns, n_columns, squeeze=False).ravel()
    plot_matched_shares(summary[summary["side"] == side], ax=axes[0])
    plot_best_correlations(own, min_r=min_r, ax=axes[1])
    return save_figure(figure, out)
