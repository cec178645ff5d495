"""From files to figures: what the plot commands call, each writing one figure."""

from pathlib import Path
from typing import Literal

from genointerp.core.errors import InputError
from genointerp.figure.file import check_suffix, new_figure, save_figure
from genointerp.plot.overlap import SCORE_NAMES, Score, plot_overlap, shown_pairs
from genointerp.store.table.schemas import ASSOCIATIONS
from genointerp.store.table.table import read_table


def draw_overlap(associations: Path, out: Path, *, score: Score | Literal["all"] = "all") -> None:
    """Draw features against concepts, a heat map for one or each test score; save the figure."""
    check_suffix(out)
    table = read_table(associations, ASSOCIATIONS)
    best = shown_pairs(table)
    if best.empty:
        raise InputError(str(associations), "a feature with f1_fit above 0", "none")
    scores: list[Score] = list(SCORE_NAMES) if score == "all" else [score]
    n_rows, n_columns, n_scores = best["feature"].nunique(), len(best), len(scores)
    figure = new_figure(2.5 + 0.42 * n_columns, 1.9 + (0.3 + 0.22 * n_rows) * n_scores)
    axes = figure.subplots(n_scores, 1, sharex=True, squeeze=False)[:, 0]
    for ax, one in zip(axes, scores, strict=True):
        plot_overlap(table, score=one, ax=ax)
        ax.label_outer()
    save_figure(figure, out)
