import numpy as np
from matplotlib.figure import Figure

from genointerp.panel.quality import plot_cosines, plot_densities, plot_losses, plot_stability
from genointerp.sae.metrics import cosine_histogram, density_histogram


def axes():
    return Figure().subplots()


def test_losses_are_bars_in_order_with_their_values():
    losses = {"loss_zero_ablated": 1.4, "loss_clean": 1.2, "loss_spliced": 1.25, "kl": 3.0}
    ax = plot_losses(losses, ax=axes())
    assert [bar.get_height() for bar in ax.patches] == [1.2, 1.25, 1.4]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["as it is", "spliced", "zero"]
    assert ax.get_ylabel() == "loss (nats per base)"


def test_features_that_never_fire_are_in_the_title_and_in_no_bin():
    histogram = density_histogram(np.array([0.0, 1e-3, 2e-3, 0.5]))
    ax = plot_densities(*histogram, n_features=4, ax=axes())
    assert ax.get_title() == "1 of 4 features never fire"
    assert sum(ax.patches[0].get_data().values) == 3
    assert ax.get_xscale() == "log"


def test_negative_cosines_are_shown_where_there_are_any():
    ax = plot_cosines(*cosine_histogram(np.array([0.2, 0.9])), ax=axes())
    assert ax.get_xlim() == (0, 1)
    ax = plot_cosines(*cosine_histogram(np.array([-0.42, 0.9])), ax=axes())
    np.testing.assert_allclose(ax.get_xlim(), (-0.45, 1))


def test_stability_has_two_bars_for_each_dictionary():
    shares = [{"share_same_direction": 0.5, "share_same_activation": 0.25}] * 3
    ax = plot_stability(["a", "b", "c"], shares, ax=axes())
    assert sorted(bar.get_width() for bar in ax.patches) == [0.25] * 3 + [0.5] * 3
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a", "b", "c"]
    # the first on top
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
