import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from genointerp.core.errors import InputError
from genointerp.figure.backtest import backtest as draw_backtest
from genointerp.panel.backtest import plot_recall


def features_of(name, ranks, *, dictionary="trained", n_live=200):
    ranks = np.array(ranks)
    return pd.DataFrame(
        {
            "class": name,
            "dictionary": dictionary,
            "feature": np.arange(len(ranks)),
            "f1_fit": np.linspace(0.2, 0.8, len(ranks)),
            "n_live": n_live,
            "rank": ranks,
            "density_rank": ranks + 20,
        }
    )


def line_of(ax, label):
    return next(line for line in ax.get_lines() if line.get_label() == label)


def test_recall_rises_at_the_rank_of_each_feature():
    ax = Figure().subplots()
    assert plot_recall(features_of("tRNA", [30, 3, 10, 4]), ax=ax) is ax
    line = line_of(ax, "ranking, class hidden")
    assert line.get_xdata().tolist() == [1, 3, 4, 10, 30, 200]
    assert line.get_ydata().tolist() == [0, 0.25, 0.5, 0.75, 1, 1]
    # the last of the table has the highest f1_fit
    best = line_of(ax, "best feature")
    assert (best.get_xdata()[0], best.get_ydata()[0]) == (4, 0.5)
    assert ax.get_title() == "tRNA: 4 of 200 features"
    assert ax.get_xlim() == (1, 200)


def test_the_random_dictionary_has_its_own_line():
    both = pd.concat(
        [features_of("x", [1, 2]), features_of("x", [9], dictionary="random", n_live=50)]
    )
    ax = plot_recall(both, ax=Figure().subplots())
    line = line_of(ax, "ranking, random weights")
    assert line.get_xdata().tolist() == [1, 9, 50]


def test_features_of_two_classes_are_refused():
    both = pd.concat([features_of("x", [1]), features_of("y", [2])])
    with pytest.raises(InputError, match="expected features of one class"):
        plot_recall(both, ax=Figure().subplots())


@pytest.mark.parametrize("n_classes", [0, 1, 4])
def test_a_figure_has_a_panel_for_each_class(tmp_path, n_classes):
    parts = [features_of(f"class{i}", [3, 5 + i]) for i in range(n_classes)]
    table = pd.concat(parts) if parts else features_of("x", [1]).head(0)
    draw_backtest(table, tmp_path / "f.svg")
    text = (tmp_path / "f.svg").read_text()
    assert text.count("of 200 features") == n_classes
    assert ("no feature tells a class" in text) == (n_classes == 0)
