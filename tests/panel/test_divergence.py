"""Panels of a divergence, by their artists, and the figure of them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import genointerp as gi
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.panel.divergence import plot_divergence_course, plot_divergence_tail
from genointerp.store.table.schema.divergence import DIVERGENCE, DIVERGENCE_BINS, DIVERGENCE_TAIL
from genointerp.store.table.table import conform, empty_table, write_table

BINS = conform(
    pd.DataFrame(
        [
            ("c", 0, 1000, "+", 2.0, 0.5, 1.5),
            ("c", 1000, 1500, "+", np.nan, np.nan, np.nan),
            ("c", 0, 1000, "-", 3.0, 0.25, 2.75),
            ("d", 0, 100, "-", 1.0, 0.25, 0.75),
        ],
        columns=DIVERGENCE_BINS.names,
    ),
    DIVERGENCE_BINS,
    where="bins",
)
TAIL = conform(
    pd.DataFrame(
        [
            ("tuned", "base", 0.5, 0.1),
            ("tuned", "base", 0.01, 2.0),
            ("tuned", "base", 1.0, 0.0),
            ("control", "base", 0.01, 0.5),
        ],
        columns=DIVERGENCE_TAIL.names,
    ),
    DIVERGENCE_TAIL,
    where="tail",
)


def test_a_course_goes_up_on_plus_and_down_on_minus_and_the_control_lies_over_it():
    ax = plot_divergence_course(BINS, "c", ax=Figure().subplots())
    tuned, control = ax.containers
    assert [bar.get_height() for bar in tuned][::2] == [2.0, -3.0]
    assert [bar.get_height() for bar in control][::2] == [0.5, -0.25]
    assert [(bar.get_x(), bar.get_width()) for bar in tuned] == [(1, 1000), (1001, 500), (1, 1000)]
    assert ax.get_xlabel() == "c (bp)"


def test_a_tail_is_a_line_for_each_pair_without_what_has_no_logarithm():
    ax = plot_divergence_tail(TAIL, ax=Figure().subplots())
    assert [line.get_label() for line in ax.lines] == ["tuned against base", "control against base"]
    assert ax.lines[0].get_xdata().tolist() == [0.1, 2.0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


@pytest.fixture
def table(tmp_path):
    loci = empty_table(DIVERGENCE)
    named = {"d": (loci, DIVERGENCE), "d.bins": (BINS, DIVERGENCE_BINS)}
    named["d.tail"] = (TAIL, DIVERGENCE_TAIL)
    for name, (frame, schema) in named.items():
        write_table(frame, tmp_path / f"{name}.tsv", schema, Provenance({}, {}))
    return tmp_path / "d.tsv"


def test_the_figure_shows_the_contig_of_the_largest_divergence(table, tmp_path):
    found = gi.plot.divergence(table, tmp_path / "d.svg")
    assert found.axes[0].get_xlabel() == "c (bp)"
    assert (tmp_path / "d.svg").is_file()
    assert gi.plot.divergence(table, seqid="d").axes[0].get_xlabel() == "d (bp)"
    with pytest.raises(InputError, match="seqid: expected one of c, d, found e"):
        gi.plot.divergence(table, seqid="e")
