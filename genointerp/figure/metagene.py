"""Figure of the mean activation of a feature around the elements of a concept."""

from typing import Unpack

from matplotlib.figure import Figure

from genointerp.association.inputs import AnyConcepts
from genointerp.association.profile.metagene import ANCHORS, FLANK
from genointerp.association.profile.metagene import metagene as mean_around
from genointerp.core.arguments import FeatureName, OneOrMorePaths, StrPath
from genointerp.feature.specimen_files import OneOrMoreFeatures
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.figure.source.measured import read_measured
from genointerp.panel.metagene import plot_metagene


def metagene(
    features: OneOrMoreFeatures,
    feature: FeatureName,
    out: StrPath | None = None,
    *,
    concept: str,
    annotations: OneOrMorePaths = (),
    associations: StrPath | None = None,
    genome: OneOrMorePaths = (),
    concepts: AnyConcepts = None,
    flank: int = FLANK,
    **look: Unpack[Look],
) -> Figure:
    """Draw the mean activation around the starts and ends of a concept's elements on test.

    Parameters
    ----------
    features, annotations, associations, genome, concepts
        See `genointerp.figure.source.measured.read_measured`.
    feature
        Index or name of the feature.
    flank
        Number of bases drawn on either side.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.
    """
    check_suffix(out)
    measured = read_measured(
        features,
        annotations=annotations,
        associations=associations,
        genome=genome,
        concepts=concepts,
    )
    specimens, store = measured.specimens, measured.specimens[0].features
    number = store.find_feature(feature)
    profile = mean_around(specimens, number, concept, config=measured.config, flank=flank)
    names = " ".join([f"f/{number}", *store.names_of(number)])
    below = is_narrow(look)
    size, shape = ((4.5, 5.0), (2, 1)) if below else ((9.0, 3.0), (1, 2))
    figure = new_figure(*size, own_title=f"{names} around {concept}", **look)
    axes = figure.subplots(*shape, sharey=True)
    for ax, anchor in zip(axes, ANCHORS, strict=True):
        plot_metagene(profile, anchor, ax=ax)
    if not below:
        axes[1].set_ylabel("")
    axes[1].get_legend().set_visible(False)
    return save_figure(figure, out)
