"""Figure of the scores of features against concepts."""

from typing import Literal, Unpack

from matplotlib.figure import Figure

from genointerp.core.arguments import ASSOCIATIONS_FILE, StrPath, in_run
from genointerp.core.errors import InputError
from genointerp.figure.file import Look, check_suffix, new_figure, save_figure, write_caption
from genointerp.panel.overlap import CAPTION, SCORE_NAMES, Score, plot_overlap, shown_pairs
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.table import read_table


def overlap(
    associations: StrPath,
    out: StrPath | None = None,
    *,
    score: Score | Literal["all"] = "all",
    **look: Unpack[Look],
) -> Figure:
    """Draw the test scores of the best features with every concept.

    Parameters
    ----------
    associations
        Path of a table of associations, or of a run directory.
    score
        Score to draw; ``all`` draws one heat map per score.
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
        If no feature has an ``f1_fit`` above 0.
    """
    check_suffix(out)
    associations = in_run(associations, ASSOCIATIONS_FILE)
    table = read_table(associations, ASSOCIATIONS)
    best = shown_pairs(table)
    if best.empty:
        raise InputError(str(associations), "a feature with f1_fit above 0", "none")
    scores: list[Score] = list(SCORE_NAMES) if score == "all" else [score]
    n_columns, n_scores = len(best), len(scores)
    n_features = best["feature"].nunique()
    # F1 has a row more, for its null
    n_rows = [n_features + (one == "f1") for one in scores]
    figure = new_figure(
        2.5 + 0.42 * n_columns, 2.1 + 0.3 * n_scores + 0.22 * sum(n_rows), follows="rows", **look
    )
    axes = figure.subplots(n_scores, 1, sharex=True, squeeze=False, height_ratios=n_rows)[:, 0]
    for ax, one in zip(axes, scores, strict=True):
        plot_overlap(table, score=one, ax=ax)
        ax.label_outer()
    write_caption(figure, CAPTION)
    return save_figure(figure, out)
