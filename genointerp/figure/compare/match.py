"""Figure of the features of two dictionaries or genomes that are matched, next to the nulls."""

from pathlib import Path
from typing import Literal, Unpack

from matplotlib.figure import Figure

from genointerp.core.arguments import StrPath
from genointerp.core.config import check_choice
from genointerp.core.errors import InputError
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.panel.matching import (
    plot_best_correlations,
    plot_matched_shares,
    plot_shares_across,
)
from genointerp.store.table.schema.matching import ACROSS, ACROSS_SUMMARY, MATCH_SUMMARY, MATCHES
from genointerp.store.table.summarised import summary_of
from genointerp.store.table.table import read_provenance, read_table, schema_of_table

SideName = Literal["a", "b"]


def match(
    matches: StrPath,
    out: StrPath | None = None,
    *,
    side: SideName = "a",
    **look: Unpack[Look],
) -> Figure:
    """Draw the share of features that is matched, and their best correlations, next to nulls.

    Of `match`, shares are by tenth of density. Of `across`, there is one for each comparison.

    Parameters
    ----------
    matches
        Table that `match` or `across` wrote, with its ``.summary`` next to it.
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
    is_across = schema_of_table(path) is ACROSS
    schema, of_summary = (ACROSS, ACROSS_SUMMARY) if is_across else (MATCHES, MATCH_SUMMARY)
    table = read_table(path, schema)
    summary = read_table(summary_of(path), of_summary)
    tested = table["is_tested" if is_across else "decile"] > 0
    own, summary = table[(table["side"] == side) & tested], summary[summary["side"] == side]
    if own.empty:
        raise InputError(str(path), f"features of side {side} that were tested", "none")
    min_r = float(read_provenance(path, schema)["config"]["min_r"])
    n_columns = 1 if is_narrow(look) else 2
    figure = new_figure(3.6 * n_columns, 2.9 * (3 - n_columns), follows="rows", **look)
    axes = figure.subplots(3 - n_columns, n_columns, squeeze=False).ravel()
    (plot_shares_across if is_across else plot_matched_shares)(summary, ax=axes[0])
    plot_best_correlations(own, min_r=min_r, over="genes" if is_across else "bases", ax=axes[1])
    return save_figure(figure, out)
