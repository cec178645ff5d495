"""Figures of features beside concepts, measured anew on the test side of the associations."""

from collections.abc import Sequence
from pathlib import Path

from genointerp.association.profile.curve import precision_recall
from genointerp.core.errors import InputError
from genointerp.figure.file import check_suffix, new_figure, save_figure
from genointerp.figure.measured import Measured, choose_pairs
from genointerp.plot.curve import plot_precision_recall


def draw_curves(
    measured: Measured,
    out: Path,
    *,
    feature_ids: Sequence[int | str] = (),
    concepts: Sequence[str] = (),
) -> None:
    """Draw precision against recall of the chosen pairs on test, and save the figure.

    Raises
    ------
    InputError
        If no pair is left.
    """
    check_suffix(out)
    features = [measured.stores[0].find_feature(feature) for feature in feature_ids]
    pairs = choose_pairs(measured.table, features, concepts)
    if pairs.empty:
        raise InputError("associations", "a pair with f1_fit above 0 to draw", "none")
    curves = precision_recall(measured.stores, measured.elements, pairs, config=measured.config)
    # in the order of the pairs, not of the features
    keys = ["feature", "concept", "orientation"]
    figure = new_figure(6.6, 3.8)
    plot_precision_recall(pairs[keys].merge(curves, on=keys), ax=figure.subplots())
    save_figure(figure, out)
