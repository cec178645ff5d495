"""Figure of the densities of all features."""

from typing import Unpack

from matplotlib.figure import Figure

from genointerp.core.arguments import FeatureName, StrPath
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.figure.file import Look, check_suffix, new_figure, save_figure
from genointerp.figure.source.profile import feature_density
from genointerp.panel.feature import plot_density_histogram


def density(
    features: OneOrMoreFeatures,
    out: StrPath | None = None,
    *,
    feature: FeatureName | None = None,
    genome: StrPath | None = None,
    **look: Unpack[Look],
) -> Figure:
    """Draw a histogram of the densities of features: the share of bases read on which they fire.

    Parameters
    ----------
    features
        Features of one genome: a features file, a catalogue, a run directory, or one of these as
        an open object.
    feature
        Feature to mark, by index or name.
    genome
        Name of the genome, if a catalogue or a run names several.
    look
        Resolution, width and title: see `genointerp.figure.file.Look`.

    Returns
    -------
    matplotlib.figure.Figure
        The figure, which is also written to ``out`` in the format of its suffix (.png, .pdf,
        .svg) unless ``out`` is None.
    """
    check_suffix(out)
    (specimen,) = find_specimens(features, genome=genome or ()).one().open()
    store = specimen.features
    marked = None if feature is None else store.find_feature(feature)
    figure = new_figure(5.0, 3.2, **look)
    plot_density_histogram(feature_density(store), feature=marked, ax=figure.subplots())
    return save_figure(figure, out)
