"""Figure of one feature: how strongly, how often, in what shape and where it fires."""

from typing import Unpack

from matplotlib.figure import Figure

from genointerp.core.arguments import FeatureName, StrPath
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.figure.file import Look, check_suffix, is_narrow, new_figure, save_figure
from genointerp.figure.source.profile import aligned_profile, binned_profiles, feature_density
from genointerp.panel.feature import (
    plot_activation_histogram,
    plot_aligned,
    plot_density_histogram,
    plot_profile,
)


def feature(
    features: OneOrMoreFeatures,
    feature: FeatureName,
    out: StrPath | None = None,
    *,
    genome: StrPath | None = None,
    **look: Unpack[Look],
) -> Figure:
    """Draw one feature: histogram of activations, density, mean shape, and profile along contigs.

    Parameters
    ----------
    features
        Features of one genome: a features file, a catalogue, a run directory, or one of these as
        an open object.
    feature
        Index or name of the feature.
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
    number = store.find_feature(feature)
    plus, minus = (store.feature(number, strand) for strand in ("+", "-"))
    profiles = binned_profiles(store, plus, minus)
    n_rows = max(len(profiles), 1)
    title = " ".join([f"feature f/{number}", *store.names_of(number)])
    n_columns = 1 if is_narrow(look) else 3
    heights = [3.0] * (3 // n_columns) + [1.5] * n_rows
    figure = new_figure(11.0 * n_columns / 3, sum(heights), own_title=title, **look)
    grid = figure.add_gridspec(len(heights), n_columns, height_ratios=heights)
    axes = [figure.add_subplot(grid[divmod(index, n_columns)]) for index in range(3)]
    plot_activation_histogram(plus.value.astype(float), minus.value.astype(float), ax=axes[0])
    plot_density_histogram(feature_density(store), feature=number, ax=axes[1])
    mean = aligned_profile(store, plus, minus)
    plot_aligned(mean.mean, mean.offset, n_loci=mean.n_loci, ax=axes[2])
    for row, profile in enumerate(profiles, start=3 // n_columns):
        ax = figure.add_subplot(grid[row, :])
        bins, start = profile.bin_bp, profile.start
        seqid = profile.seqid
        plot_profile(profile.plus, profile.minus, bin_bp=bins, start=start, seqid=seqid, ax=ax)
    return save_figure(figure, out)
