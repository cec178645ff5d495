"""From files to figures: what the plot commands call, each writing one figure."""

from pathlib import Path

from genointerp.figure.file import check_suffix, new_figure, save_figure
from genointerp.figure.profile import feature_density
from genointerp.plot.feature import (
    plot_density_histogram,
)
from genointerp.store.feature.store import FeatureStore


def draw_density(features: Path, out: Path, *, feature: int | str | None = None) -> None:
    """Draw the densities of all features, one of them marked, and save the figure."""
    check_suffix(out)
    store = FeatureStore(features)
    marked = None if feature is None else store.find_feature(feature)
    figure = new_figure(5.0, 3.2)
    plot_density_histogram(feature_density(store), feature=marked, ax=figure.subplots())
    save_figure(figure, out)
