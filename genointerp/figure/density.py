"""The densities of all features."""

from matplotlib.figure import Figure

from genointerp.core.arguments import FeatureName, StrPath
from genointerp.figure.file import check_suffix, new_figure, save_figure
from genointerp.figure.profile import feature_density
from genointerp.panel.feature import plot_density_histogram
from genointerp.store.feature.store import FeatureStore


def density(
    features: StrPath, out: StrPath | None = None, *, feature: FeatureName | None = None
) -> Figure:
    """Draw how many features have which density: the share of the bases read on which they fire.

    Parameters
    ----------
    feature
        One to mark, by index or name.

    Returns
    -------
    matplotlib.figure.Figure
        Written to ``out`` as its suffix says (.png, .pdf, .svg), unless that is None.
    """
    check_suffix(out)
    store = FeatureStore(features)
    marked = None if feature is None else store.find_feature(feature)
    figure = new_figure(5.0, 3.2)
    plot_density_histogram(feature_density(store), feature=marked, ax=figure.subplots())
    return save_figure(figure, out)
