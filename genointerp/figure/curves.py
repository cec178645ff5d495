"""Figure of precision against recall of features and concepts."""

from collections.abc import Iterable
from typing import Unpack

from matplotlib.figure import Figure

from genointerp.association.inputs import AnyConcepts
from genointerp.association.profile.curve import precision_recall
from genointerp.core.arguments import FeatureName, OneOrMorePaths, StrPath, as_features, as_texts
from genointerp.core.errors import InputError
from genointerp.feature.specimen_files import OneOrMoreFeatures
from genointerp.figure.file import Look, check_suffix, new_figure, save_figure
from genointerp.figure.measured import choose_pairs, read_measured
from genointerp.panel.curve import plot_precision_recall


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

    Parameters
    ----------
    features, annotations, associations, genome, concepts
        See `genointerp.figure.measured.read_measured`.
    feature
        Features by index or name; if empty, the best feature of each concept.
    concept
        Names of concepts to draw; if empty, all.
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
    pairs = choose_pairs(measured.table, numbers, as_texts(concept))
    if pairs.empty:
        raise InputError("associations", "a pair with f1_fit above 0 to draw", "none")
    found = precision_recall(measured.specimens, pairs, config=measured.config)
    # in the order of the pairs, not in that of the features
    keys = ["feature", "concept", "orientation"]
    figure = new_figure(6.6, 3.8, **look)
    plot_precision_recall(pairs[keys].merge(found, on=keys), ax=figure.subplots())
    return save_figure(figure, out)
