"""Figure of the mean activation of a feature around the elements of a concept."""

from matplotlib.figure import Figure

from genointerp.association.inputs import AnyConcepts
from genointerp.association.profile.metagene import ANCHORS, FLANK
from genointerp.association.profile.metagene import metagene as mean_around
from genointerp.core.arguments import FeatureName, OneOrMorePaths, StrPath
from genointerp.feature.specimen_files import OneOrMoreFeatures
from genointerp.figure.file import check_suffix, new_figure, save_figure
from genointerp.figure.measured import read_measured
from genointerp.panel.metagene import plot_metagene
from genointerp.panel.style import FONT_SIZE, plain_text


def metagene(
    features: OneOrMoreFeatures,
    out: StrPath | None = None,
    *,
    annotations: OneOrMorePaths = (),
    associations: StrPath | None = None,
    feature: FeatureName,
    concept: str,
    genome: OneOrMorePaths = (),
    concepts: AnyConcepts = None,
    flank: int = FLANK,
) -> Figure:
    """Draw the mean activation around the starts and ends of a concept's elements on test.

    Parameters
    ----------
    features, annotations, associations, genome, concepts
        See `genointerp.figure.measured.read_measured`.
    feature
        Index or name of the feature.
    flank
        Number of bases drawn on either side.

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
    figure = new_figure(9.0, 3.0)
    axes = figure.subplots(1, len(ANCHORS), sharey=True)
    for ax, anchor in zip(axes, ANCHORS, strict=True):
        plot_metagene(profile, anchor, ax=ax)
    axes[1].set_ylabel("")
    axes[1].get_legend().set_visible(False)
    names = " ".join([f"f/{number}", *store.names_of(number)])
    figure.suptitle(plain_text(f"{names} around {concept}"), fontsize=FONT_SIZE + 3)
    return save_figure(figure, out)
