"""A contig as a circle and a dictionary as a map, by their artists."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from genointerp.core.errors import InputError
from genointerp.panel.circle import MAX_RINGS, Ring, plot_circle
from genointerp.panel.dictionary import plot_dictionary
from genointerp.panel.style import NOT_READ, STRAND_COLORS, type_color


@pytest.fixture
def polar():
    return Figure(figsize=(6, 6)).add_subplot(projection="polar")


def elements(*rows):
    return pd.DataFrame(rows, columns=["start", "end", "strand", "type"])


def ring(label="f/1", n=10, **changes):
    plus, minus = np.zeros(n), np.zeros(n)
    plus[2], minus[5] = 4.0, 2.0
    values = {"plus": plus, "minus": minus, **changes}
    for name in ("plus_is_read", "minus_is_read"):
        values.setdefault(name, np.ones(n, dtype=bool))
    return Ring(label, 100, **values)


def polygons(ax):
    return [
        [path.vertices for path in one.get_paths()]
        for one in ax.collections
        if isinstance(one, PolyCollection)
    ]


def span(vertices):
    return vertices[:, 0].min(), vertices[:, 0].max(), vertices[:, 1].min(), vertices[:, 1].max()


def test_an_element_lies_at_its_angle_and_the_strands_in_two_rings(polar):
    table = elements((0, 250, "+", "CDS"), (500, 750, "-", "tRNA"))
    plot_circle(table, [], length=1000, seqid="c$", ax=polar)
    plus, minus = polygons(polar)[0]
    assert span(plus)[:2] == pytest.approx((0, np.pi / 2))
    assert span(minus)[:2] == pytest.approx((np.pi, 3 * np.pi / 2))
    assert span(plus)[2] > span(minus)[3]
    assert polar.texts[0].get_text() == "c\\$\n1,000 bp"
    assert [text.get_text() for text in polar.get_legend().get_texts()] == [
        "outwards: read on +",
        "inwards: read on \N{MINUS SIGN}",
        "CDS",
        "tRNA",
        "not read",
    ]


def test_rare_elements_are_drawn_over_common_ones(polar):
    table = elements((10, 20, "+", "tRNA"), (0, 500, "+", "CDS"), (500, 900, "+", "CDS"))
    plot_circle(table, [], length=1000, ax=polar)
    colors = [to_hex(color) for color in polar.collections[0].get_facecolors()]
    assert colors[-1] == type_color("tRNA")
    assert colors.count(type_color("tRNA")) == 1


def test_types_of_one_family_share_a_line_of_the_legend(polar):
    table = elements(
        (0, 10, "+", "rRNA_16S"), (20, 30, "+", "rRNA"), (40, 50, "+", "rRNA"), (60, 70, ".", "odd")
    )
    plot_circle(table, [], length=1000, ax=polar)
    legend = polar.get_legend()
    assert [text.get_text() for text in legend.get_texts()][2:] == ["rRNA", "other", "not read"]
    assert to_hex(legend.get_patches()[2].get_facecolor()) == type_color("rRNA_23S")
    assert to_hex(legend.get_patches()[-1].get_facecolor()) == NOT_READ["facecolor"]


def test_a_ring_points_outwards_for_plus_and_inwards_for_minus(polar):
    plot_circle(elements(), [ring()], length=1000, ax=polar)
    _, unread, bars = polygons(polar)
    assert unread == []
    plus, minus = bars
    assert span(plus)[:2] == pytest.approx((2 * np.pi * 0.2, 2 * np.pi * 0.3))
    assert span(minus)[:2] == pytest.approx((2 * np.pi * 0.5, 2 * np.pi * 0.6))
    assert span(plus)[2] == pytest.approx(span(minus)[3])
    colors = [to_hex(color) for color in polar.collections[2].get_facecolors()]
    assert colors == [STRAND_COLORS["+"], STRAND_COLORS["-"]]
    heights = [span(bar)[3] - span(bar)[2] for bar in bars]
    assert heights[0] == pytest.approx(2 * heights[1])


def test_bins_that_were_not_read_are_marked(polar):
    is_read = np.ones(10, dtype=bool)
    is_read[4:7] = is_read[9] = False
    plot_circle(elements(), [ring(minus_is_read=is_read)], length=950, ax=polar)
    unread, bars = polygons(polar)[1:]
    spans = [span(one)[:2] for one in unread]
    expected = [(400 / 950, 700 / 950), (900 / 950, 1.0)]
    np.testing.assert_allclose(spans, 2 * np.pi * np.array(expected))
    # inwards of the middle of the ring, from which the bar of plus points outwards
    assert {span(one)[3] for one in unread} == {span(bars[0])[2]}


def test_rings_do_not_touch(polar):
    rings = [ring(label=f"f/{index}") for index in range(MAX_RINGS)]
    plot_circle(elements(), rings, length=1000, ax=polar)
    tracks = polygons(polar)[2::2]
    assert len(tracks) == MAX_RINGS
    bounds = [
        (min(span(bar)[2] for bar in track), max(span(bar)[3] for bar in track)) for track in tracks
    ]
    assert all(inner[1] < outer[0] for outer, inner in pairwise(bounds))
    with pytest.raises(InputError, match=f"rings: expected at most {MAX_RINGS}"):
        plot_circle(elements(), [*rings, ring()], length=1000, ax=polar)


def test_a_linear_contig_leaves_a_gap_at_the_top(polar):
    plot_circle(elements((0, 1000, "+", "CDS")), [], length=1000, circular=False, ax=polar)
    assert span(polygons(polar)[0][0])[1] == pytest.approx(0.97 * 2 * np.pi)


def test_a_circle_upon_square_axes_is_refused():
    with pytest.raises(InputError, match="ax: expected polar axes, found rectilinear"):
        plot_circle(elements(), [], length=1000, ax=Figure().subplots())


def points(concepts):
    n = len(concepts)
    return pd.DataFrame(
        {"feature": range(n), "x": np.arange(n) / 1.0, "y": np.zeros(n), "concept": concepts}
    )


def test_each_concept_of_a_map_has_its_own_look_and_its_count():
    names = [f"c{index:02}" for index in range(8)] + ["CDS", "CDS_phase0", "tRNA", "rRNA"]
    ax = Figure().subplots()
    plot_dictionary(points(["", "", *names, "c05"]), axis_names=("PC 1", "PC 2"), ax=ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[:3] == ["no concept (2)", "c05 (2)", "CDS (1)"]
    looks = {
        (to_hex(one.get_facecolor()[0]), one.get_paths()[0].vertices.tobytes())
        for one in ax.collections
    }
    assert len(looks) == 13
    colors = {one.get_label(): to_hex(one.get_facecolor()[0]) for one in ax.collections}
    assert colors["CDS (1)"] == colors["CDS_phase0 (1)"] == type_color("CDS") != colors["tRNA (1)"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("PC 1", "PC 2")
    assert sum(len(one.get_offsets()) for one in ax.collections) == 15


def test_a_map_where_every_feature_tells_something_has_no_rest_to_draw():
    ax = Figure().subplots()
    plot_dictionary(points(["a", "b"]), axis_names=("x", "y"), ax=ax)
    assert len(ax.collections[0].get_offsets()) == 0
