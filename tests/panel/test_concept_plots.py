"""Curves, profiles and heat maps of features beside concepts, by their artists."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from genointerp.core.errors import InputError
from genointerp.panel.curve import MAX_OF_COLOR, plot_precision_recall
from genointerp.panel.metagene import plot_metagene
from genointerp.panel.overlap import plot_overlap
from genointerp.panel.style import type_color


@pytest.fixture
def ax():
    return Figure(figsize=(6, 4)).subplots()


def curves(n_pairs=2):
    rows = []
    for feature in range(n_pairs):
        for threshold, chosen in ((1.0, 0), (2.0, 1), (3.0, 0)):
            recall = 0.9 - 0.2 * threshold
            rows.append((feature, "a$b", "sense", threshold, chosen, 0.2 * threshold, recall, 0.25))
    names = ["feature", "concept", "orientation", "threshold", "chosen"]
    return pd.DataFrame(rows, columns=[*names, "precision", "recall", "base_rate"])


def of_curve(ax, label):
    return next(line for line in ax.lines if line.get_label() == label)


def test_a_curve_has_its_points_and_a_dot_at_the_chosen_threshold(ax):
    plot_precision_recall(curves(), ax=ax)
    line = of_curve(ax, r"f/1 a\$b (sense)")
    np.testing.assert_allclose(line.get_xdata(), [0.7, 0.5, 0.3])
    np.testing.assert_allclose(line.get_ydata(), [0.2, 0.4, 0.6])
    # the mark is at the second of its points, where precision is .4
    assert line.get_markevery() == [1]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        r"f/0 a\$b (sense)",
        r"f/1 a\$b (sense)",
        "marks: chosen on fit",
        "base rate (at the right edge)",
    ]


def test_the_base_rate_stands_right_of_the_curve(ax):
    plot_precision_recall(curves(1), ax=ax)
    marks = [line for line in ax.lines if list(line.get_xdata()) == [1.0, 1.04]]
    assert [list(mark.get_ydata()) for mark in marks] == [[0.25, 0.25]]


def test_lines_of_equal_f1_lie_where_their_f1_is(ax):
    plot_precision_recall(curves(0), ax=ax)
    assert [text.get_text() for text in ax.texts] == ["F1 0.2", "F1 0.4", "F1 0.6", "F1 0.8"]
    for line, level in zip(ax.lines, (0.2, 0.4, 0.6, 0.8), strict=True):
        recall, precision = line.get_data()
        np.testing.assert_allclose(2 * recall * precision / (recall + precision), level)


def test_no_two_curves_look_alike_and_too_many_are_refused(ax):
    plot_precision_recall(curves(MAX_OF_COLOR), ax=ax)
    drawn = [line for line in ax.lines if str(line.get_label()).startswith("f/")]
    looks = {(line.get_color(), str(line._dash_pattern), line.get_marker()) for line in drawn}
    assert len(looks) == MAX_OF_COLOR
    with pytest.raises(InputError, match="curves: expected at most 49 of one colour, found more"):
        plot_precision_recall(curves(MAX_OF_COLOR + 1), ax=ax)


@pytest.mark.parametrize("concept", ["CDS_phase1", "tRNA", "my_concept"])
def test_a_curve_has_the_colour_of_its_concept(ax, concept):
    plot_precision_recall(curves(1).assign(concept=concept), ax=ax)
    assert of_curve(ax, f"f/0 {concept} (sense)").get_color() == type_color(concept)


def profile():
    rows = []
    for orientation, mean in (("sense", 2.0), ("antisense", 1.0)):
        for anchor in ("start", "end"):
            rows += [(orientation, anchor, d, 1200 - abs(d), mean, 0.5) for d in range(-3, 4)]
    names = ["orientation", "anchor", "offset", "n_elements", "mean_activation", "sem"]
    return pd.DataFrame(rows, columns=names).assign(feature=7, concept="tRNA", background=0.25)


@pytest.mark.parametrize(("anchor", "inside"), [("start", (-0.5, 3)), ("end", (-3, 0.5))])
def test_a_metagene_shows_each_orientation_with_its_elements_and_its_inside(ax, anchor, inside):
    plot_metagene(profile(), anchor, ax=ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["sense (n = 1,200)", "antisense (n = 1,200)", "all bases"]
    sense, antisense, background = ax.lines
    assert set(sense.get_ydata()) == {2.0}
    assert set(antisense.get_ydata()) == {1.0}
    assert set(background.get_ydata()) == {0.25}
    (shade,) = ax.patches
    box = shade.get_bbox() if hasattr(shade, "get_bbox") else shade.get_extents()
    assert (box.x0, box.x1) == inside
    assert ax.get_xlim() == (-3, 3)
    names = {"start": "first base", "end": "last base"}
    assert ax.get_xlabel() == f"distance from the {names[anchor]} of tRNA (bp)"
    band = ax.collections[0].get_paths()[0].get_extents()
    np.testing.assert_allclose((band.y0, band.y1), (2 - 1.96 * 0.5, 2 + 1.96 * 0.5))


@pytest.mark.parametrize("is_shared", [True, False], ids=["shared", "apart"])
def test_neither_end_of_a_metagene_is_cut_off(is_shared):
    start, end = (profile().query("anchor == @anchor") for anchor in ("start", "end"))
    higher = pd.concat([start, end.assign(mean_activation=50 * end["mean_activation"] + 50)])
    axes = Figure().subplots(1, 2, sharey=is_shared)
    for one, anchor in zip(axes, ("start", "end"), strict=True):
        plot_metagene(higher, anchor, ax=one)
    top = (higher["mean_activation"] + 1.96 * higher["sem"].fillna(0)).max()
    for one in axes:
        assert one.get_ylim() == (0, pytest.approx(1.05 * top))


def test_a_profile_without_the_anchor_is_refused(ax):
    with pytest.raises(InputError, match="anchor: expected one of start, end, found 'middle'"):
        plot_metagene(profile(), "middle", ax=ax)


def associations():
    rows = [
        (1, "tRNA", "sense", 0.9, 0.5, 0.4, 0.65),
        (1, "CDS", "sense", 0.1, 0.12, 0.9, 0.06),
        (2, "tRNA", "sense", 0.8, 0.95, 1.0, 0.9),
        (2, "CDS", "sense", 0.6, 0.7, np.nan, 0.6),
    ]
    names = ["feature", "concept", "orientation", "f1_fit", "f1", "precision", "recall"]
    return pd.DataFrame(rows, columns=names).assign(null_f1=0.1, q_value=0.01)


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        ("precision", {(1, 0): "1", (0, 1): ".90", (1, 1): ".40"}),
        ("recall", {(0, 0): ".60", (1, 0): ".90", (0, 1): ".06", (1, 1): ".65"}),
    ],
)
def test_each_score_has_its_heat_map_with_the_same_rows(ax, score, expected):
    plot_overlap(associations(), score=score, ax=ax)
    assert {text.get_position(): text.get_text() for text in ax.texts} == expected
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["f/2", "f/1"]
    bars = [one for one in ax.figure.axes if one is not ax]
    assert [bar.get_ylabel() for bar in bars] == [f"{score} on test"]
