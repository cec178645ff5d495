"""Figure of an explanation: bases, features by token, and what they add up to."""

from pathlib import Path
from typing import NamedTuple, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError
from genointerp.core.nearest import nearest
from genointerp.figure.file import (
    Look,
    check_suffix,
    lay_out,
    new_figure,
    save_figure,
    write_caption,
)
from genointerp.panel.explanation import (
    plot_importance,
    plot_nodes,
    plot_replacements,
    plot_sums,
    use_offset_axis,
)
from genointerp.panel.style import FONT_SIZE
from genointerp.store.feature.store import ReadStrand
from genointerp.store.table.schema.explanation import EXPLAINED, EXPLANATION
from genointerp.store.table.schema.mutagenesis import EXPLAINING_BASES
from genointerp.store.table.summarised import summary_of
from genointerp.store.table.table import read_table

N_FEATURES = 12
"""Number of features with a row of their own."""
WIDTH = 64
"""Tokens that are drawn at most, if there is no table of bases that says how many."""
N_KNOWN = 5
"""Questions that an error lists, if it is about one that the table does not have."""


def explain(
    explanation: StrPath,
    out: StrPath | None = None,
    *,
    bases: StrPath | None = None,
    question: str | None = None,
    strand: ReadStrand | None = None,
    n_features: int = N_FEATURES,
    **look: Unpack[Look],
) -> Figure:
    """Draw what stands behind one prediction: bases upstream, features by token, and their sums.

    Parameters
    ----------
    explanation
        Table of nodes that `explain` wrote.
    bases
        Table that `mutate` wrote for the same question; None draws no bases.
    question, strand
        Which question of the table, and which reading strand; by default the first.
    n_features
        Features with a row of their own: those of the largest sums over the listed nodes.
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
        If a table has no such question.
    """
    check_suffix(out)
    nodes = _of_question(read_table(explanation, EXPLANATION), question, strand, str(explanation))
    name, on = str(nodes["question"].iloc[0]), str(nodes["strand"].iloc[0])
    replaced = None
    if bases is not None:
        table = read_table(bases, EXPLAINING_BASES)
        replaced = _of_question(table, name, on, str(bases))
    # what is predicted is no token of its own: the last one that is drawn decides it
    first, last = max(-WIDTH, int(nodes["offset"].min())), int(nodes["offset"].max())
    if replaced is not None:
        first, last = int(replaced["offset"].min()), max(last, int(replaced["offset"].max()))
    shown = _sums(nodes, n_features)
    n_rows = len(shown.sums)
    heights = [*([1.2, 0.6] if replaced is not None else []), 0.16 * n_rows + 0.25]
    own_title = f"{name}, read on {on}"
    figure = new_figure(9.0, sum(heights) + 0.9, follows="rows", own_title=own_title, **look)
    axes = figure.subplots(
        len(heights), 2, height_ratios=heights, width_ratios=[4, 1], squeeze=False
    )
    if replaced is not None:
        plot_importance(replaced, ax=axes[0, 0])
        _bar(figure, plot_replacements(replaced, ax=axes[1, 0]), axes[1, 0], "effect (nats)")
        for ax in axes[:2, 1]:
            ax.set_axis_off()
    image = plot_nodes(nodes, shown.features, shown.names, first=first, last=last, ax=axes[-1, 0])
    plot_sums(shown.sums, change=shown.change, ax=axes[-1, 1])
    axes[-1, 1].set_xlabel("sum (nats)", fontsize=FONT_SIZE + 1)
    _bar(figure, image, axes[-1, 0], "attribution (nats)")
    write_caption(figure, _caption(explanation, nodes))
    # how many ticks fit depends on the room that the names leave
    lay_out(figure)
    for ax in axes[:, 0]:
        use_offset_axis(ax, first, last, labelled=ax is axes[-1, 0])
    return save_figure(figure, out)


class _Sums(NamedTuple):
    """The rows of the figure: features with what they are called, and all sums."""

    features: list[int]
    names: dict[int, str]
    sums: list[float]
    change: float


def _sums(nodes: pd.DataFrame, n_features: int) -> _Sums:
    of_feature = nodes[nodes["kind"] == "feature"]
    by_feature = of_feature.groupby("feature")["attribution"].sum()
    order = by_feature.abs().sort_values(ascending=False, kind="stable").index
    shown = [int(feature) for feature in order[:n_features]]
    called = {
        int(row["feature"]): str(row["name"] or row["concept"])
        for row in of_feature.to_dict("records")
    }
    names = {feature: f"f/{feature} {called[feature]}".strip() for feature in shown}
    change = float(nodes["attribution"].sum())
    sums = [float(by_feature[feature]) for feature in shown]
    errors = nodes["kind"].isin(["error", "other errors"])
    error = float(nodes.loc[errors, "attribution"].sum())
    return _Sums(shown, names, [*sums, error, change - error - sum(sums)], change)


def _of_question(
    table: pd.DataFrame, question: str | None, strand: str | None, where: str
) -> pd.DataFrame:
    """Return the rows of one question and strand; by default of the first."""
    found = table if question is None else table[table["question"] == question]
    found = found if strand is None else found[found["strand"] == strand]
    if found.empty:
        asked = " ".join(part for part in (question, strand) if part) or "any"
        raise InputError(where, f"rows of the question {asked}", _known(table, question or ""))
    first = found.iloc[0]
    same = (found["question"] == first["question"]) & (found["strand"] == first["strand"])
    rows: pd.DataFrame = found[same]
    return rows.reset_index(drop=True)


def _known(table: pd.DataFrame, question: str) -> str:
    """Return the questions of a table; of many those that may have been meant, or the first."""
    every = list(dict.fromkeys(table["question"]))
    if len(every) <= N_KNOWN:
        return ", ".join(every) or "none"
    shown = nearest(question, every) or every[:N_KNOWN]
    return f"{', '.join(shown)} and {len(every) - len(shown):,} more"


def _caption(explanation: StrPath, nodes: pd.DataFrame) -> str:
    """Say what the number is, if the table of sums is next to that of the nodes."""
    path = Path(explanation)
    path = summary_of(path)
    if not path.is_file():
        return ""
    first = nodes.iloc[0]
    table = read_table(path, EXPLAINED)
    row = _of_question(table, str(first["question"]), str(first["strand"]), str(path)).iloc[0]
    p = "" if np.isnan(row["log_p"]) else f"; p = {np.exp(row['log_p']):.2f}"
    parts = f"features {row['features']:+.2f}, errors {row['errors']:+.2f}, gap {row['gap']:.1g}"
    change = f"{row['change']:+.2f} from its baseline {row['baseline_value']:+.2f}"
    return f"{row['measure']} {row['value']:+.2f}{p}; {change}: {parts}"


def _bar(figure: Figure, image: AxesImage, ax: Axes, label: str) -> None:
    bar = figure.colorbar(image, ax=ax, fraction=0.05, pad=0.01, aspect=8, extend="both")
    bar.set_label(label, fontsize=FONT_SIZE)
    bar.ax.tick_params(labelsize=FONT_SIZE)
