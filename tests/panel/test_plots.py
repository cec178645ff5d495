"""Figures are tested by their artists: limits, counts and labels, not pixels."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from genointerp.core.errors import InputError
from genointerp.genome.interval import GenomicInterval
from genointerp.panel.feature import (
    plot_activation_histogram,
    plot_aligned,
    plot_density_histogram,
    plot_profile,
)
from genointerp.panel.overlap import best_pairs, plot_overlap
from genointerp.panel.region import (
    MAX_COLUMNS,
    _lanes,
    plot_concepts,
    plot_feature_track,
    plot_genes,
    plot_sequence,
)
from genointerp.panel.style import (
    BASE_COLORS,
    BLUE,
    NOT_READ,
    plain_text,
    use_region_axis,
)
from genointerp.panel.training import part_handles, plot_training, training_parts

INTERVAL = GenomicInterval("chrI", 100, 1100)


@pytest.fixture
def ax():
    return Figure(figsize=(8, 3)).subplots()


def genes(*rows):
    return pd.DataFrame(rows, columns=["seqid", "start", "end", "strand", "type", "label"])


def labels(ax):
    return [text.get_text() for text in ax.texts]


def test_a_gene_points_in_reading_direction_and_lies_on_its_side(ax):
    plot_genes(
        genes(("chrI", 200, 500, "+", "CDS", "abc"), ("chrI", 600, 900, "-", "tRNA", "def")),
        INTERVAL,
        ax=ax,
    )
    plus, minus = (patch.get_xy() for patch in ax.patches)
    assert plus[:, 0].max() == 500.5
    assert (plus[:, 0] == 500.5).sum() == 1
    assert (minus[:, 0] == 600.5).sum() == 1
    assert plus[:, 1].min() > 0 > minus[:, 1].max()
    assert labels(ax) == ["abc", "def"]
    assert ax.get_xlim() == (100.5, 1100.5)


def test_genes_outside_the_region_or_on_another_contig_are_not_drawn(ax):
    plot_genes(
        genes(("chrI", 0, 100, "+", "CDS", "a"), ("chrII", 200, 300, "+", "CDS", "b")),
        INTERVAL,
        ax=ax,
    )
    assert len(ax.patches) == 0


def test_overlapping_labels_are_left_out(ax):
    rows = [("chrI", 200 + 10 * i, 205 + 10 * i, "+", "tRNA", "a long name") for i in range(20)]
    plot_genes(genes(*rows), INTERVAL, ax=ax)
    assert len(ax.patches) == 20
    ax.figure.draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in ax.texts), key=lambda box: box.x0)
    assert 1 <= len(boxes) < 20
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))


def test_dollar_signs_and_markup_in_a_label_are_drawn_as_they_are(ax):
    plot_genes(genes(("chrI", 200, 900, "+", "CDS", "$\\frac$<script>")), INTERVAL, ax=ax)
    ax.figure.draw_without_rendering()
    assert labels(ax) == [r"\$\frac\$<script>"]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=15))
def test_elements_of_a_lane_never_overlap(pairs):
    table = pd.DataFrame(
        sorted((start, start + length) for start, length in pairs), columns=["start", "end"]
    )
    lanes = _lanes(table)
    for lane in set(lanes):
        rows = table[[found == lane for found in lanes]]
        assert (rows["start"].to_numpy()[1:] >= rows["end"].to_numpy()[:-1]).all()


def test_each_concept_has_a_row_and_each_strand_half_of_it(ax):
    table = pd.DataFrame(
        [
            ("tRNA", "chrI", 200, 300, "+"),
            ("tRNA", "chrI", 400, 500, "-"),
            ("intergenic", "chrI", 500, 900, "."),
            ("rRNA", "chrI", 2000, 3000, "+"),
        ],
        columns=["concept", "seqid", "start", "end", "strand"],
    )
    plot_concepts(table, INTERVAL, ax=ax)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["tRNA", "intergenic"]
    plus, minus, both = (patch.get_bbox() for patch in ax.patches)
    assert plus.y1 <= minus.y0
    assert both.height > plus.height + minus.height - 1e-9


def test_a_track_is_drawn_upwards_for_plus_and_downwards_for_minus(ax):
    plus, minus = np.zeros(1000), np.zeros(1000)
    plus[10], minus[20] = 4.0, 2.0
    plot_feature_track(plus, minus, INTERVAL, label="f/7", ax=ax)
    up, down = (collection.get_datalim(ax.transData) for collection in ax.collections)
    assert (up.y0, up.y1) == (0, 4)
    assert (down.y0, down.y1) == (-2, 0)
    assert ax.get_ylabel() == "f/7"
    assert ax.get_xlim() == (100.5, 1100.5)


def test_bases_that_were_not_read_are_grey_and_no_silence(ax):
    plus, minus = np.zeros(1000), np.zeros(1000)
    plus[10], minus[10] = 4.0, 1.0
    plus[100:200], minus[990:] = np.nan, np.nan
    plot_feature_track(plus, minus, INTERVAL, ax=ax)
    up, down = ax.patches
    assert (up.get_x(), up.get_width(), up.get_y()) == (200.5, 100, 0)
    assert (down.get_x(), down.get_width(), down.get_y()) == (1090.5, 10, -1.05 * 4)
    assert {to_hex(one.get_facecolor()) for one in (up, down)} == {NOT_READ["facecolor"]}
    assert ax.get_ylim() == (-1.05 * 4, 1.05 * 4)
    drawn = np.concatenate([path.vertices[:, 0] for path in ax.collections[0].get_paths()])
    assert not ((drawn > 200.6) & (drawn < 300.4)).any()


def test_a_track_of_which_nothing_was_read_is_grey_throughout(ax):
    nothing = np.full(1000, np.nan)
    plot_feature_track(nothing, nothing, INTERVAL, ax=ax)
    assert [patch.get_width() for patch in ax.patches] == [1000, 1000]
    assert labels(ax) == []


def test_a_track_that_was_read_and_is_silent_says_so(ax):
    plot_feature_track(np.zeros(1000), np.zeros(1000), INTERVAL, ax=ax)
    assert (len(ax.patches), len(ax.collections)) == (0, 0)
    assert labels(ax) == ["does not fire here"]
    assert ax.get_yticks().tolist() == [0]


def test_a_long_track_shows_the_highest_base_of_each_column(ax):
    n = 2 * MAX_COLUMNS + 1
    plus, minus = np.zeros(n), np.zeros(n)
    plus[[6, 7, n - 1]] = 1.0, 3.0, 2.0
    minus[0:3] = np.nan
    plot_feature_track(plus, minus, GenomicInterval("c", 0, n), ax=ax)
    (drawn,) = ax.collections
    corners = drawn.get_paths()[0].vertices
    assert len(corners) < 2 * n
    assert corners[corners[:, 1] == 3, 0].min() == pytest.approx(6.5)
    assert corners[corners[:, 1] == 3, 0].max() == pytest.approx(9.5)


def test_a_track_of_another_length_is_refused(ax):
    with pytest.raises(InputError, match=r"chrI:101-1,100: expected 1000 values, found 3"):
        plot_feature_track(np.zeros(3), np.zeros(3), INTERVAL, ax=ax)


def test_bases_of_both_strands_stand_at_their_places(ax):
    plot_sequence("ACGTN", GenomicInterval("chrI", 10, 15), ax=ax)
    found = [(text.get_position(), text.get_text()) for text in ax.texts]
    assert found[:5] == [((11 + i, 0.5), letter) for i, letter in enumerate("ACGTN")]
    assert found[5:] == [((11 + i, -0.5), letter) for i, letter in enumerate("TGCAN")]
    assert ax.texts[0].get_color() == ax.texts[8].get_color() == BASE_COLORS["A"]
    assert len(set(BASE_COLORS.values())) == 4


def test_a_sequence_of_another_length_is_refused(ax):
    with pytest.raises(InputError, match="expected 1000 bases, found 4"):
        plot_sequence("ACGT", INTERVAL, ax=ax)


def test_ticks_of_a_region_are_one_based_with_the_unit_on_the_axis(ax):
    use_region_axis(ax, GenomicInterval("chrI", 0, 3000))
    ax.figure.draw_without_rendering()
    assert ax.get_xlabel() == "chrI (bp)"
    assert ax.xaxis.get_major_formatter()(1000, 0) == "1,000"
    assert ax.get_xlim()[0] == 0.5


def associations():
    rows = [
        (1, "tRNA", "sense", 0.9, 0.5),
        (1, "tRNA", "antisense", 0.2, 0.99),
        (1, "CDS", "sense", 0.1, 0.12),
        (2, "tRNA", "sense", 0.8, 0.95),
        (2, "CDS", "sense", 0.6, 0.7),
        (3, "rRNA", "sense", 0.0, 0.0),
    ]
    table = pd.DataFrame(rows, columns=["feature", "concept", "orientation", "f1_fit", "f1"])
    return table.assign(null_f1=0.3, q_value=0.01)


def test_pairs_are_chosen_on_fit_and_not_on_test():
    best = best_pairs(associations())
    assert best[["concept", "feature", "f1"]].to_numpy().tolist() == [
        ["CDS", 2, 0.7],
        ["tRNA", 1, 0.5],
    ]


def test_the_heat_map_writes_test_scores_and_marks_the_best(ax):
    plot_overlap(associations(), ax=ax)
    found = {text.get_position(): (text.get_text(), text.get_fontweight()) for text in ax.texts}
    assert found == {
        (0, 0): (".70", "bold"),
        (1, 0): (".95", "normal"),
        (0, 1): (".12", "normal"),
        (1, 1): (".50", "bold"),
        (0, 2): (".30", "normal"),
        (1, 2): (".30", "normal"),
    }
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["f/2", "f/1", "null F1"]


@pytest.mark.parametrize("worse", [{"null_f1": 0.5}, {"q_value": 0.06}, {"null_f1": np.nan}])
def test_the_best_feature_of_a_concept_is_in_brackets_if_it_is_not_above_its_null(ax, worse):
    table = associations()
    table.loc[table["feature"] == 1, list(worse)] = list(worse.values())
    plot_overlap(table, ax=ax)
    found = {text.get_position(): (text.get_text(), text.get_fontweight()) for text in ax.texts}
    assert found[1, 1] == ("(.50)", "normal")
    assert found[0, 0] == (".70", "bold")


def test_a_concept_that_test_does_not_hold_has_no_column(ax):
    extra = pd.DataFrame(
        [(9, "prophage", "both", 0.7, np.nan, np.nan, np.nan)], columns=list(associations().columns)
    )
    plot_overlap(pd.concat([associations(), extra]), ax=ax)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["CDS (sense)", "tRNA (sense)"]
    assert "f/9" not in [tick.get_text() for tick in ax.get_yticklabels()]


def test_a_heat_map_of_nothing_is_refused(ax):
    with pytest.raises(InputError, match="f1_fit above 0"):
        plot_overlap(associations().assign(f1_fit=0.0), ax=ax)


def test_the_histogram_counts_every_firing_base(ax):
    plot_activation_histogram(np.array([0.5, 1.0, 2.0]), np.array([2.0]), n_bins=4, ax=ax)
    assert "3 bp" in ax.get_legend().get_texts()[0].get_text()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("activation (model units)", "bases (bp)")


def test_a_feature_that_never_fires_still_has_its_figure(ax):
    plot_activation_histogram(np.zeros(0), np.zeros(0), ax=ax)
    plot_density_histogram(np.zeros(3), feature=1, ax=ax)
    assert ax.get_title() == "3 of 3 features never fire"
    plot_profile(np.zeros(3), np.zeros(3), bin_bp=50, ax=ax)
    assert ax.get_yticks().tolist() == [0]


def test_the_profile_spans_its_bins_in_bp(ax):
    plot_profile(np.ones(10), np.zeros(10), bin_bp=50, start=200, seqid="chrI", ax=ax)
    assert ax.get_xlim() == (200.5, 700.5)
    assert ax.get_xlabel() == "chrI (Mb)"
    assert "50 bp" in ax.get_ylabel()


def test_bins_of_a_profile_that_were_not_read_are_grey_and_explained(ax):
    plus, minus = np.ones(10), np.ones(10)
    plus[2:4] = np.nan
    plot_profile(plus, minus, bin_bp=50, start=200, seqid="chrI", ax=ax)
    (gap,) = [one for one in ax.patches if to_hex(one.get_facecolor()) == NOT_READ["facecolor"]]
    assert (gap.get_x(), gap.get_width(), gap.get_y()) == (300.5, 100, 0)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["not read"]


def test_strands_of_a_profile_must_have_as_many_bins(ax):
    with pytest.raises(InputError, match="expected 10 bins, found 9"):
        plot_profile(np.ones(10), np.ones(9), bin_bp=50, ax=ax)


def test_the_aligned_mean_says_how_many_loci_it_is_of(ax):
    plot_aligned(np.ones(5), np.arange(-2, 3), n_loci=17, ax=ax)
    assert ax.get_title() == "mean of 17 loci"
    assert ax.get_ylabel() == "mean activation (model units)"


def test_a_training_curve_leaves_out_undefined_steps(ax):
    metrics = pd.DataFrame({"step": [0, 1, 2], "fvu": [1.0, np.nan, 0.5]})
    plot_training(metrics, "fvu", ax=ax)
    assert ax.lines[0].get_xydata().tolist() == [[0, 1], [2, 0.5]]
    assert ax.get_ylabel() == "FVU"


def test_each_part_of_a_training_has_its_own_curve_and_its_line_in_the_legend(ax):
    metrics = pd.DataFrame(
        {
            "step": [100, 200, 300, 400, 500],
            "fvu": [0.5, 0.4, 0.9, 0.8, 0.7],
            "learning_rate": [2.0, 1.0, 2.0, 2.0, 2.0],
            "part": [0, 0, 1, 1, 1],
        }
    )
    plot_training(metrics, "fvu", ax=ax)
    curves = [line.get_xdata().tolist() for line in ax.lines if line.get_color() == BLUE]
    assert curves == [[100, 200], [300, 400, 500]]
    (shade,) = ax.patches
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == (200, 500)
    (falls,) = [line for line in ax.lines if line.get_linestyle() == ":"]
    assert set(falls.get_xdata()) == {100}
    parts = training_parts(metrics)
    said = [handle.get_label() for handle in part_handles(parts, ["slow", "the rest"])]
    assert said == ["part 1: slow", "part 2: the rest", "the learning rate begins to fall"]
    assert [one.get_label() for one in part_handles(parts)][:2] == ["part 1", "part 2"]


def test_a_training_of_one_part_is_one_curve(ax):
    metrics = pd.DataFrame({"step": [1, 2], "fvu": [0.5, 0.4]})
    plot_training(metrics, "fvu", ax=ax)
    assert (len(ax.lines), len(ax.patches)) == (1, 0)
    assert part_handles(training_parts(metrics)) == []


def test_a_share_is_drawn_from_zero_up(ax):
    plot_training(pd.DataFrame({"step": [0, 1], "dead_share": [0.0, 0.0]}), "dead_share", ax=ax)
    assert ax.get_ylim() == (0, 0.05)


def test_an_absent_metric_is_named(ax):
    with pytest.raises(InputError, match="expected a column 'l0', found step"):
        plot_training(pd.DataFrame({"step": [1]}), "l0", ax=ax)


def test_control_characters_of_an_annotation_are_seen_and_svg_can_hold_them():
    assert plain_text("a\x00b\x1b\x7f\x9fc\td\ne$") == ("a\ufffdb\ufffd\ufffd\ufffdc\ufffdd\ne\\$")
    assert plain_text("tRNA-\N{LATIN SMALL LETTER E WITH ACUTE}\xa0") == "tRNA-\xe9\xa0"
