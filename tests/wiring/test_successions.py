"""Features whose stretches follow those of another one."""

import numpy as np
import pandas as pd
import pytest

from genointerp.wiring.config import CircuitConfig
from genointerp.wiring.families import Label
from genointerp.wiring.successions import find_successions
from tests.plant import contigs_of, make_store, silence
from tests.specimens import specimens


def genes(n_bp=120_000, seed=0):
    """0 ends 30 to 90 bases upstream of 1 in most cases; 2 and 3 are placed anywhere."""
    draw = np.random.default_rng(seed)
    dense = silence(n_bp, 4)
    for strand in "+-":
        track = np.zeros((n_bp, 4), np.float32)
        for start in range(2_000, n_bp - 2_000, 3_000):
            at = start + int(draw.integers(1_000))
            track[at : at + 40, 1] = 1
            if draw.random() < 0.8:
                before = at - int(draw.integers(30, 91))
                track[before - 20 : before, 0] = 1
            for feature in (2, 3):
                at = int(draw.integers(n_bp - 100))
                track[at : at + 50 : 5, feature] = 1
        dense[strand] = track if strand == "+" else track[::-1].copy()
    return dense


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    store = make_store(tmp_path_factory.mktemp("s") / "f.h5", genes(), contigs_of(c=120_000))
    labels = {1: Label("start_codon", "sense")}
    return find_successions(specimens([store]), CircuitConfig(n_rotations=50), labels=labels)


def test_the_planted_succession_comes_out_alone(table):
    (row,) = table.to_dict("records")
    assert (row["feature_a"], row["feature_b"]) == (0, 1)
    assert row["n_b"] == 78
    assert row["share"] == row["n_followed"] / row["n_b"] == pytest.approx(0.8, abs=0.15)
    assert 30 <= row["distance"] <= 90
    assert row["share"] > 2 * row["null_share"] > 0
    assert row["q_value"] <= 0.05


def test_the_share_is_that_of_a_loop_over_beginnings(table):
    dense, n_followed = genes(), 0
    for strand in "+-":
        track = dense[strand] if strand == "+" else dense[strand][::-1]
        fires = track[:, :2] > 0
        begins = np.flatnonzero(fires[1:, 1] & ~fires[:-1, 1]) + 1
        ends = np.flatnonzero(~fires[1:, 0] & fires[:-1, 0]) + 1
        n_followed += sum(bool(((at - ends >= 20) & (at - ends <= 500)).any()) for at in begins)
    assert table["n_followed"].tolist() == [n_followed]


def test_both_features_have_the_concepts_that_they_are_called_by(table):
    (row,) = table.to_dict("records")
    assert (row["concept_a"], row["orientation_a"]) == ("", "")
    assert (row["concept_b"], row["orientation_b"]) == ("start_codon", "sense")


def test_the_numbers_are_those_of_features_one_by_one(table, tmp_path, monkeypatch):
    monkeypatch.setattr("genointerp.wiring.successions._AFTER", 1)
    store = make_store(tmp_path / "f.h5", genes(), contigs_of(c=120_000))
    alone = find_successions(specimens([store]), CircuitConfig(n_rotations=50))
    numbers = table.columns[:12]
    pd.testing.assert_frame_equal(alone[numbers], table[numbers], check_exact=True)


def test_a_stretch_with_short_gaps_is_one(table):
    assert set(table["n_a"]) == {int(sum(starts(genes()[strand][:, 0]) for strand in "+-"))}


def rare(n_bp, draw):
    """A track of stretches of 20 bases, one in 800 to 2,400."""
    track = np.zeros(n_bp, np.float32)
    for at in np.cumsum(draw.integers(800, 2_400, size=n_bp // 800)):
        track[at : at + 20] = 1
    return track[:n_bp]


@pytest.mark.parametrize(
    "coverage",
    [
        [(0, 120_000, "+"), (0, 120_000, "-")],
        [(0, 30_000, "+"), (30_000, 120_000, "-")],
        [(0, 50_000, "+"), (70_000, 120_000, "+"), (0, 120_000, "-")],
    ],
    ids=["whole", "strands apart", "gap"],
)
def test_independent_features_do_not_follow_one_another(tmp_path, coverage):
    draw = np.random.default_rng(0)
    dense = {strand: np.stack([rare(120_000, draw) for _ in range(6)], 1) for strand in "+-"}
    store = make_store(tmp_path / "f.h5", dense, contigs_of(c=120_000), coverage={"c": coverage})
    table = find_successions(specimens([store]), CircuitConfig(max_q=1.0, min_share=0.0))
    assert len(table) == 30
    assert (table["p_value"] <= 0.05).mean() < 0.15
    assert (table["q_value"] > 0.05).all()
    assert table["share"].mean() == pytest.approx(table["expected_share"].mean(), abs=0.05)


def starts(track):
    fires = track > 0
    return int((fires[1:] & ~fires[:-1]).sum())
