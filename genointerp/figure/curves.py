"""Figure of precision against recall of features and concepts."""

import logging
from collections.abc import Iterable
from typing import Unpack

from matplotlib.figure import Figure

from genointerp.association.inputs import AnyConcepts
from genointerp.association.profile.curve import precision_recall
from genointerp.association.summary import is_above_null
from genointerp.core.arguments import FeatureName, OneOrMorePaths, StrPath, as_features, as_texts
from genointerp.core.errors import InputError
from genointerp.feature.specimen_files import OneOrMoreFeatures
from genointerp.figure.file import (
    Look,
    check_suffix,
    is_narrow,
    new_figure,
    save_figure,
    write_caption,
)
from genointerp.figure.source.measured import choose_pairs, left_out, read_measured
from genointerp.panel.curve import plot_precision_recall

_log = logging.getLogger(__name__)


def curves(
    features: OneOrMoreFeatures,
    out: StrPath | None = None,
    *,
    annotations: OneOrMorePaths = (),
    associations: StrPath | None = None,
    genome: OneOrMorePaths = (),
    concepts: AnyConcepts = None,
    feature: FeatureName | Iterable[FeatureName] = (),
    concept: str | Iterable[str] = (),
    **look: Unpack[Look],
) -> Figure:
    """Draw precision against recall at every threshold, on the test side of the associations.

    What is not drawn, and why, is written below the curves and to the log.

    Parameters
    ----------
    features, annotations, associations, genome, concepts
        See `genointerp.figure.source.measured.read_measured`.
    feature
        Features by index or name; if empty, the best feature of each concept.
    concept
        Names of concepts to draw; if empty, those whose best feature is above its null.
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
        If there is no pair to draw.
    """
    check_suffix(out)
    measured = read_measured(
        features,
        annotations=annotations,
        associations=associations,
        genome=genome,
        concepts=concepts,
    )
    store = measured.specimens[0].features
    numbers = [store.find_feature(one) for one in as_features(feature)]
    names = as_texts(concept)
    pairs = choose_pairs(measured.table, numbers, names)
    not_drawn = left_out(measured.table, numbers, names)
    if pairs.empty:
        reasons = "; ".join(["none", *not_drawn])
        raise InputError("associations", "a pair to draw", reasons)
    found = precision_recall(measured.specimens, pairs, config=measured.config)
    # in the order of the pairs, not in that of the features
    keys = ["feature", "concept", "orientation"]
    below = pairs[~is_above_null(pairs)]
    drawn = [f"f/{row['feature']} {row['concept']}" for row in below.to_dict("records")]
    notes = [f"not drawn - {line}" for line in not_drawn]
    notes += [f"drawn, but not above its null: {', '.join(drawn)}"] if drawn else []
    # the legend has a line for each pair, and is below where there is no room beside the curves
    lines = 0.17 * (len(pairs) + 2)
    height = 3.0 + lines if is_narrow(look) else max(3.3, lines)
    figure = new_figure(6.6, height + 0.15 * len(notes) + 0.3, follows="rows", **look)
    for note in notes:
        _log.info("%s", note)
    if notes:
        write_caption(figure, "\n".join(notes))
    plot_precision_recall(
        pairs[keys].merge(found, on=keys),
        legend="below" if is_narrow(look) else "right",
        ax=figure.subplots(),
    )
    return save_figure(figure, out)
