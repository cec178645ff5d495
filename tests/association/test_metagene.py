"""Metagene profiles against a loop over elements."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.association.config import AssociateConfig
from genointerp.association.profile.metagene import metagene
from genointerp.core.errors import InputError, UnknownNameError
from genointerp.store.contigs import ContigInfo
from genointerp.store.table.schema.association import METAGENE
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.specimens import specimen

CONTIGS = contigs_of(fit=40, test=60)
ELEMENTS = make_elements(
    ("tRNA", "fit", 5, 15, "+"),
    ("tRNA", "test", 10, 20, "+"),
    ("tRNA", "test", 30, 40, "-"),
    ("tRNA", "test", 57, 60, "+"),
    ("gap", "test", 45, 60, "."),
    unstranded=("gap",),
)


def pick(table, orientation, anchor):
    found = table[(table["orientation"] == orientation) & (table["anchor"] == anchor)]
    return found.set_index("offset")


def test_a_signal_at_each_start_in_reading_direction_is_a_peak_at_its_offset(tmp_path):
    dense = silence(100, 1)
    dense["+"][40 + 12, 0] = 4.0  # the third base of the element at 10 to 20
    dense["-"][40 + 37, 0] = 4.0  # the third base of the one at 30 to 40, read backwards
    store = make_store(tmp_path / "f.h5", dense, CONTIGS)
    config = AssociateConfig(test=("test",))
    table = metagene([specimen(store, ELEMENTS)], 0, "tRNA", config=config, flank=5)
    assert list(table.columns) == METAGENE.names
    sense = pick(table, "sense", "start")
    assert sense.index.tolist() == list(range(-5, 6))
    assert sense["n_elements"].loc[2] == 3
    assert sense["mean_activation"].loc[2] == pytest.approx(8 / 3)
    # two of 4 and one of 0: variance 16 / 3, standard error sqrt(16 / 9)
    assert sense["sem"].loc[2] == pytest.approx(4 / 3)
    assert sense["mean_activation"].drop(2).eq(0).all()
    # the element at the end of the contig has no base three further on
    assert sense["n_elements"].loc[3] == 2
    assert pick(table, "antisense", "start")["mean_activation"].eq(0).all()
    assert table["background"].tolist() == pytest.approx([8 / 120] * len(table))


@given(st.data())
def test_a_profile_is_the_mean_of_a_loop_over_elements(tmp_path_factory, data):
    generator = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    circular = data.draw(st.booleans())
    contigs = (ContigInfo("test", 60, circular=circular),)
    coverage = {"test": [(0, 50, "+"), (50, 60, "+"), (7, 60, "-")]}
    dense = {strand: generator.integers(0, 3, (60, 1)).astype(np.float32) for strand in "+-"}
    places = [(10, 20, "+"), (30, 40, "-"), (0, 4, "-"), (57, 60, "+")]
    elements = make_elements(*(("tRNA", "test", *place) for place in places))
    path = tmp_path_factory.mktemp("s") / "f.h5"
    store = make_store(path, dense, contigs, coverage=coverage)
    table = metagene([specimen(store, elements)], 0, "tRNA", flank=9)
    for orientation in ("sense", "antisense"):
        for anchor in ("start", "end"):
            for offset, row in pick(table, orientation, anchor).iterrows():
                values = []
                for start, end, strand in places:
                    step = 1 if strand == "+" else -1
                    first, last = (start, end - 1) if strand == "+" else (end - 1, start)
                    base = (first if anchor == "start" else last) + step * offset
                    base = base % 60 if circular else base
                    other = "-" if strand == "+" else "+"
                    read = strand if orientation == "sense" else other
                    if 0 <= base < 60 and (read == "+" or base >= 7):
                        values.append(float(dense[read][base, 0]))
                assert row["n_elements"] == len(values)
                if len(values) > 1:
                    assert row["mean_activation"] == pytest.approx(np.mean(values))
                    expected = np.std(values, ddof=1) / np.sqrt(len(values))
                    assert row["sem"] == pytest.approx(expected)


def test_only_the_outer_ends_of_a_joined_element_count(tmp_path):
    elements = make_elements(("CDS", "test", 10, 20, "-"), ("CDS", "test", 30, 40, "-"))
    # one element of two parts: read backwards it begins at 39 and ends at 10
    elements.table.loc[:, "element"] = 0
    elements.table.loc[:, "part"] = [1, 0]
    dense = silence(60, 1)
    dense["-"][39, 0], dense["-"][10, 0] = 1.0, 2.0
    store = make_store(tmp_path / "f.h5", dense, contigs_of(test=60))
    table = metagene([specimen(store, elements)], 0, "CDS", flank=3)
    assert pick(table, "sense", "start")["mean_activation"].loc[0] == 1.0
    assert pick(table, "sense", "end")["mean_activation"].loc[0] == 2.0
    assert set(table["n_elements"]) == {1}


def test_a_concept_without_strand_is_read_on_both(tmp_path):
    dense = silence(100, 1)
    dense["+"][40 + 45, 0] = 1.0
    store = make_store(tmp_path / "f.h5", dense, CONTIGS)
    table = metagene([specimen(store, ELEMENTS)], 0, "gap", flank=2)
    both = pick(table, "both", "start")
    assert (both["n_elements"].loc[0], both["mean_activation"].loc[0]) == (1, 0.5)


def test_the_two_readings_of_an_element_count_once(tmp_path):
    dense = silence(60, 1)
    # the first reads 1 and 3, the second 4 and, where - was not read, nothing: 2 and 4
    dense["+"][[10, 30], 0], dense["-"][[10, 30], 0] = (1.0, 4.0), (3.0, 0.0)
    coverage = {"test": [(0, 60, "+"), (0, 25, "-")]}
    store = make_store(tmp_path / "f.h5", dense, contigs_of(test=60), coverage=coverage)
    places = [("gap", "test", 10, 20, "."), ("gap", "test", 30, 40, ".")]
    elements = make_elements(*places, unstranded=("gap",))
    row = pick(metagene([specimen(store, elements)], 0, "gap", flank=0), "both", "start").loc[0]
    # standard deviation sqrt(2) over sqrt(2)
    assert row[["n_elements", "mean_activation", "sem"]].tolist() == pytest.approx([2, 3, 1])


def test_an_unknown_concept_and_a_negative_flank_are_refused(tmp_path):
    store = make_store(tmp_path / "f.h5", silence(100, 1), CONTIGS)
    with pytest.raises(UnknownNameError, match=r"concept: expected one of tRNA, gap"):
        metagene([specimen(store, ELEMENTS)], 0, "rRNA")
    with pytest.raises(InputError, match="flank: expected 0 or more bp, found -1"):
        metagene([specimen(store, ELEMENTS)], 0, "tRNA", flank=-1)
