"""The panel of the features of a crosscoder, by its artists, and the figure of them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import genointerp as gi
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.panel.latents import plot_norms
from genointerp.store.table.schema.latents import LATENTS
from genointerp.store.table.table import write_table


def latents(*tags, second="tuned"):
    n = len(tags)
    numbers = {c.name: np.zeros(n) for c in LATENTS.columns if c.status == "REQUIRED"}
    return pd.DataFrame(
        numbers
        | {
            "first": "base",
            "second": second,
            "feature": np.arange(n),
            "tag": list(tags),
            "n_fired": np.arange(n),
            "delta_norm": np.linspace(0.95, 0.05, n),
            "cosine": np.linspace(1, 0, n),
            "nu_error_first": 0.1,
            "nu_error_second": 9.0,
        }
    )


TWO = latents("exclusive_first", "dead", "shared", "rotated")


def test_each_tag_has_its_points_and_silent_features_have_none():
    ax = plot_norms(TWO, ax=Figure().subplots())
    drawn = {it.get_label(): it.get_offsets().tolist() for it in ax.collections}
    assert list(drawn) == ["shared (1)", "rotated (1)", "of the first alone (1)"]
    assert drawn["of the first alone (1)"] == [[0.95, 1.0]]
    assert drawn["rotated (1)"] == [[0.05, 0.0]]
    assert len({tuple(it.get_facecolor()[0]) for it in ax.collections}) == 3


def test_nu_is_that_of_the_model_in_which_a_feature_is_weaker():
    ax = plot_norms(TWO, "nu_error", ax=Figure().subplots())
    height = {it.get_label(): it.get_offsets()[0][1] for it in ax.collections}
    # 9 has no place on the axis
    assert height["of the first alone (1)"] == 0.1
    assert height["rotated (1)"] == 1.5


def test_figure_has_a_column_for_each_pair(tmp_path):
    path = tmp_path / "latents.tsv"
    both = pd.concat([TWO, latents("shared", second="control")], ignore_index=True)
    write_table(both, path, LATENTS, Provenance({}, {}))
    figure = gi.plot.latents(path, tmp_path / "latents.svg")
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == ["base and tuned", "base and control"]
    assert len(figure.axes) == 6
    assert (tmp_path / "latents.svg").exists()


def test_a_table_of_silent_features_is_refused(tmp_path):
    path = tmp_path / "latents.tsv"
    write_table(latents("dead", "rare"), path, LATENTS, Provenance({}, {}))
    with pytest.raises(
        InputError, match="features that fire often enough to be tagged, found none"
    ):
        gi.plot.latents(path)
