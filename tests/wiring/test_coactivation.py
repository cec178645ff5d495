"""Co-activation by lag: against naive twins, with planted truth, and where there is none."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest

from genointerp.association.null.rotated import scores_of_rotations, standardised
from genointerp.core.errors import ConfigError, InputError
from genointerp.wiring.axis import lay_axis
from genointerp.wiring.coactivation import measure_coactivation, period_of
from genointerp.wiring.config import LAGS, CircuitConfig
from genointerp.wiring.count import StrandCount
from genointerp.wiring.null import PooledNull, draw_rotations
from tests.plant import contigs_of, make_store, silence
from tests.specimens import specimens
from tests.stores import CONTIGS, dense_features, write_read

SHORT = (0, 1, 2, 5, 12, 30)


def correlation(x, y):
    """The correlation of two tracks of 0 and 1; 0 where one of them is constant."""
    x, y = np.array(x, float), np.array(y, float)
    spread = x.std() * y.std()
    return 0.0 if spread == 0 else float(((x - x.mean()) * (y - y.mean())).mean() / spread)


def naive_phi(holes, strand, pair, lag, *, is_opposite=False):
    """Loop over the bases of each contig in reading order, and step ``lag`` bases on."""
    (store, dense, is_read), (a, b) = holes, pair
    other = {"+": "-", "-": "+"}[strand] if is_opposite else strand
    step = 1 if strand == "+" else -1
    x, y = [], []
    for contig in store.header.contigs:
        offset = store.offsets[contig.seqid]
        for base in range(contig.length):
            target = base + step * lag
            if contig.circular:
                target %= contig.length
            if not 0 <= target < contig.length:
                continue
            if is_read[strand][offset + base] and is_read[other][offset + target]:
                x.append(dense[strand][offset + base, a] > 0)
                y.append(dense[other][offset + target, b] > 0)
    return correlation(x, y)


@pytest.fixture
def holes(tmp_path):
    """A circular and a linear contig, with bases that were not read on one strand or on both."""
    dense = dense_features(4, density=0.3)
    is_read = {strand: np.ones(160, bool) for strand in "+-"}
    is_read["+"][30:41] = is_read["-"][35:80] = is_read["+"][150:] = False
    for strand in "+-":
        dense[strand][~is_read[strand]] = 0
    return write_read(tmp_path / "f.h5", dense, is_read), dense, is_read


@pytest.mark.parametrize("strand", ["+", "-"])
@pytest.mark.parametrize(
    ("lags", "is_opposite"), [(SHORT, False), ((-12, -3, 0, 1, 12), True)], ids=["same", "opposite"]
)
def test_phi_is_that_of_a_loop_over_bases_of_which_both_were_read(holes, strand, lags, is_opposite):
    axis = lay_axis([holes[0]], strand, lags)
    rotations = draw_rotations(axis.n_cells, 10, beyond=30, seed=0)
    count = StrandCount(axis, np.array(lags), rotations, is_opposite=is_opposite)
    found = count.at_lags(0, 4)
    for a, b in [(0, 1), (2, 2), (3, 0)]:
        phi = count.phi_at_lags(found, np.array([a]), np.array([b]))[0]
        for number, lag in enumerate(lags):
            expected = naive_phi(holes, strand, (a, b), lag, is_opposite=is_opposite)
            assert phi[number] == pytest.approx(expected, abs=1e-12)


def test_a_pair_under_rotation_is_that_of_one_rolled_track(holes):
    store, dense, is_read = holes
    axis = lay_axis([store], "+", (0, 5))
    rotations = np.array([50, 97])
    count = StrandCount(axis, np.array([0, 5]), rotations, is_opposite=False)
    tracks = np.zeros((4, axis.n_cells), bool)
    for feature in range(4):
        tracks[feature, axis.hits(feature, feature + 1)[0]] = True
    own = count.firing.is_own
    assert own.sum() == is_read["+"].sum()
    assert tracks[1].sum() == (dense["+"][:, 1] > 0).sum()
    found = count.rotated((0, 1))
    for number, rotation in enumerate(rotations):
        both = own & np.roll(own, -rotation)
        expected = correlation(tracks[0][both], np.roll(tracks[1], -rotation)[both])
        assert found[number] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("strand", "start"), [("+", 42), ("-", 108)])
def test_cells_are_found_again_in_the_genome(holes, strand, start):
    store, _, _ = holes
    axis = lay_axis([store], strand, (0, 5))
    piece = next(it for it in axis.pieces if it.is_own and it.start <= start < it.stop)
    row = start - piece.start if strand == "+" else piece.stop - 1 - start
    genome, interval = axis.interval(piece.cell + row, piece.cell + row + 3)
    assert (genome, interval.seqid, interval.strand) == (0, "chrA", strand)
    assert (interval.start, interval.end) == ((42, 45) if strand == "+" else (106, 109))


def planted(n_bp=24_000, seed=0):
    """0 -> 1 at lag 3; a cycle 2, 3, 4 of period 3 in genes; 5 causes 6 at 2 and 7 at 5; noise."""
    draw = np.random.default_rng(seed)
    dense = silence(n_bp, 12)
    for strand in "+-":
        track = np.zeros((n_bp + 300, 12), np.float32)
        first = np.flatnonzero(draw.random(n_bp) < 0.03)
        track[first, 0] = track[first + 3, 1] = 1
        for start in draw.integers(n_bp // 20, size=20) + np.arange(20) * n_bp // 20:
            for phase in range(3):
                track[start + phase : start + 300 : 3, 2 + phase] = 1
        cause = np.flatnonzero(draw.random(n_bp) < 0.03)
        track[cause, 5] = track[cause + 2, 6] = track[cause + 5, 7] = 1
        for feature in range(8, 12):
            track[:, feature] = np.resize(stretches(n_bp, draw), n_bp + 300)
        noise = draw.random(track.shape) < 0.005
        track = np.where(noise, 1, track)[:n_bp]
        dense[strand] = (track if strand == "+" else track[::-1]).astype(np.float32)
    return dense


def stretches(n_bp, draw, mean=20):
    """A track of alternating stretches, as features of genes have them."""
    lengths = draw.geometric(1 / np.tile([mean, 9 * mean], n_bp // mean))
    return np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)[:n_bp].astype(np.float32)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    path = tmp_path_factory.mktemp("planted") / "f.h5"
    store = make_store(path, planted(), contigs_of(c=24_000))
    return measure_coactivation(specimens([store]), CircuitConfig(n_rotations=100))


def edges_of(table):
    columns = ["feature_a", "feature_b", "lag"]
    return {tuple(row) for row in table[columns].itertuples(index=False)}


def test_planted_edges_come_out_with_their_lags_and_no_others(found):
    same = found.edges[found.edges["relation"] == "same"]
    cycle = {(2, 3, 1), (3, 4, 1), (4, 2, 1), (3, 2, 2), (4, 3, 2), (2, 4, 2)}
    assert edges_of(same) == {(0, 1, 3), (5, 6, 2), (5, 7, 5), (6, 7, 3)} | cycle
    in_cycle = same["feature_a"].isin([2, 3, 4])
    assert (same.loc[in_cycle, "period"] == 3).all()
    assert same.loc[~in_cycle, "period"].isna().all()
    assert (same["phi_0"] < same["null_phi"]).all()
    assert (same["q_value"] <= 0.05).all()


def test_how_many_firings_are_held_at_once_changes_nothing(tmp_path, found, monkeypatch):
    monkeypatch.setattr("genointerp.wiring.coactivation.BLOCK_HITS", 1)
    store = make_store(tmp_path / "f.h5", planted(), contigs_of(c=24_000))
    again = measure_coactivation(specimens([store]), CircuitConfig(n_rotations=100))
    pd.testing.assert_frame_equal(again.edges, found.edges)
    pd.testing.assert_frame_equal(again.lags, found.lags)


def test_both_strands_are_read_in_their_own_direction(found):
    edge = found.edges.set_index(["feature_a", "feature_b"]).loc[(0, 1)]
    assert edge["phi_plus"] == pytest.approx(0.85, abs=0.07)
    assert edge["phi_minus"] == pytest.approx(0.85, abs=0.07)
    assert edge["phi"] == max(edge["phi_plus"], edge["phi_minus"])


def test_every_lag_of_a_pair_with_an_edge_is_listed(found):
    curve = found.lags.query("feature_a == 0 and feature_b == 1 and strand == '+'")
    assert curve["lag"].tolist() == list(LAGS)
    assert curve["lag"].iloc[int(curve["phi"].argmax())] == 3
    assert (curve.loc[curve["lag"] != 3, "phi"] < 0.1).all()


def test_a_feature_and_its_mirror_are_an_edge_between_strands(tmp_path):
    draw = np.random.default_rng(1)
    dense = silence(12_000, 3)
    at = np.flatnonzero(draw.random(12_000) < 0.04)
    dense["+"][at, 0] = 1
    # b is read on - two bases upstream of a, in the direction of +
    dense["-"][np.maximum(at - 2, 0), 1] = 1
    store = make_store(tmp_path / "f.h5", dense, contigs_of(c=12_000))
    edges = measure_coactivation(specimens([store]), CircuitConfig(n_rotations=400)).edges
    (row,) = edges.to_dict("records")
    assert (row["feature_a"], row["feature_b"], row["relation"]) == (0, 1, "opposite")
    assert (row["strand"], row["lag"]) == ("+", -2)
    assert row["phi_plus"] > 0.95
    assert row["phi_minus"] == 0


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_p_values_of_independent_tracks_of_stretches_are_uniform(tmp_path, seed):
    draw = np.random.default_rng(seed)
    track = np.stack([stretches(20_000, draw) for _ in range(8)], axis=1)
    store = make_store(tmp_path / "f.h5", {"+": track, "-": track}, contigs_of(c=20_000))
    axis = lay_axis([store], "+", LAGS)
    lags = np.array(LAGS)
    count, fresh = (
        StrandCount(
            axis, lags, draw_rotations(axis.n_cells, n, beyond=1024, seed=own), is_opposite=False
        )
        for n, own in ((30, 0), (20, 1))
    )
    pool = count.pool(np.arange(8), np.ones(8, bool), min_bases=1)
    found = []
    # at a rotation that is none of the null's, what two tracks share is chance
    for a, b in itertools.permutations(range(8), 2):
        score = standardised(
            fresh.rotated((a, b))[:, None], count.rotated((a, b))[:, None, None], 1 / count.n_pairs
        )
        kind = count.kinds(np.array([a]), np.array([b]))
        found.append(pool.p_values(np.repeat(kind, len(score)), score))
    assert np.mean(np.concatenate(found) <= 0.05) == pytest.approx(0.05, abs=0.02)


def test_independent_tracks_of_stretches_have_no_edges(tmp_path, caplog):
    draw = np.random.default_rng(0)
    dense = {
        strand: np.stack([stretches(20_000, draw) for _ in range(8)], axis=1) for strand in "+-"
    }
    store = make_store(tmp_path / "f.h5", dense, contigs_of(c=20_000))
    found = measure_coactivation(specimens([store]), CircuitConfig(n_rotations=20))
    assert found.edges.empty
    assert found.lags.empty
    assert not caplog.records


def test_few_pairs_of_independent_tracks_are_significant_whatever_their_phi(tmp_path):
    draw = np.random.default_rng(0)
    dense = {
        strand: np.stack([stretches(15_000, draw) for _ in range(6)], axis=1) for strand in "+-"
    }
    store = make_store(tmp_path / "f.h5", dense, contigs_of(c=15_000))
    config = CircuitConfig(n_rotations=40, min_phi=0.0, min_bases=1, max_q=1.0)
    found = measure_coactivation(specimens([store]), config)
    assert len(found.edges) > 40
    assert (found.lags["p_value"] <= 0.05).mean() == pytest.approx(0.05, abs=0.04)
    assert (found.edges["q_value"] > 0.05).all()


def test_a_strand_that_was_not_read_has_no_edges_and_no_null(tmp_path):
    dense = planted()
    whole = [(0, 24_000, "+")]
    store = make_store(tmp_path / "f.h5", dense, contigs_of(c=24_000), coverage={"c": whole})
    edges = measure_coactivation(specimens([store]), CircuitConfig(n_rotations=100)).edges
    assert {(0, 1, 3), (5, 6, 2), (2, 3, 1)} <= edges_of(edges)
    assert set(edges["strand"]) == {"+"}
    assert (edges["phi_minus"] == 0).all()
    # half of the 2 x 12 x 11 x 100 rotated pairs, of either class
    assert edges["n_null"].max() < 12 * 11 * 100 + 1


def test_a_null_that_is_too_small_is_said_to_be(tmp_path, caplog):
    dense = silence(5_000, 2)
    at = np.flatnonzero(np.random.default_rng(0).random(4_990) < 0.1)
    dense["+"][at, 0] = dense["+"][at + 3, 1] = 1
    store = make_store(tmp_path / "f.h5", dense, contigs_of(c=5_000))
    found = measure_coactivation(specimens([store]), CircuitConfig(n_rotations=10))
    assert found.edges.empty
    (said,) = [it.getMessage() for it in caplog.records if "same strand" in it.getMessage()]
    enough = int(re.search(r"n_rotations of (\d+)", said)[1])
    # a p of 1 over 41 in 80 tests, whose q of 1.95 becomes 1; 1 over 1,601 is needed
    assert enough == 400
    found = measure_coactivation(specimens([store]), CircuitConfig(n_rotations=enough))
    assert edges_of(found.edges) == {(0, 1, 3)}


def test_what_would_be_enough_does_not_count_a_strand_without_a_null(tmp_path, caplog):
    # more than 100 joint firings are expected on +, and none on -: two classes of pairs
    dense = silence(5_000, 2)
    at = np.flatnonzero(np.random.default_rng(0).random(4_990) < 0.2)
    dense["+"][at, 0] = dense["+"][at + 3, 1] = 1
    whole = [(0, 5_000, "+")]
    store = make_store(tmp_path / "f.h5", dense, contigs_of(c=5_000), coverage={"c": whole})
    measure_coactivation(specimens([store]), CircuitConfig(n_rotations=400))
    (said,) = [it.getMessage() for it in caplog.records if "same strand" in it.getMessage()]
    enough = int(re.search(r"n_rotations of (\d+)", said)[1])
    # a p of 1 over 801 in 80 tests, not the p of 1 of the strand that was not read
    assert enough == 800


def test_rotations_are_scored_against_the_others_of_their_pair():
    null = np.random.default_rng(0).normal(size=(12, 3))
    found = scores_of_rotations(null, 1e-9)
    for k in range(12):
        expected = standardised(null[k], np.delete(null, k, axis=0), 1e-9)
        assert found[k] == pytest.approx(expected)


def test_pooled_p_values_are_shares_of_rotated_pairs():
    pool = PooledNull()
    pool.add(np.array([0, 0]), np.array([[1.0, 2.0], [-3.0, 10.0]]))
    found = pool.p_values(np.array([0]), np.array([[5.0, 100.0, -9.0]]))
    # one of 4 is as high as 5, none as 100, all as -9
    assert found[0] == pytest.approx([2 / 5, 1 / 5, 1.0])


@pytest.mark.parametrize(
    ("curve", "period"),
    [
        ([0, 0.5, 0, 0, 0.4, 0, 0, 0.4, 0], 3.0),
        ([0, 0.5, 0.45, 0.46, 0.4, 0.2, 0], np.nan),
        ([0.9, 0.8, 0.7, 0.6, 0.5], np.nan),
    ],
    ids=["three", "ripple", "slope"],
)
def test_the_period_is_the_distance_of_clear_peaks(curve, period):
    assert period_of(np.array(curve, dtype=np.float64)) == pytest.approx(period, nan_ok=True)


def test_a_short_circular_contig_is_laid_as_a_linear_one(tmp_path):
    store = write_read(tmp_path / "f.h5", dense_features(2), {s: np.ones(160, bool) for s in "+-"})
    assert all(piece.is_own for piece in lay_axis([store], "+", (0, 200)).pieces)
    assert not all(piece.is_own for piece in lay_axis([store], "+", (0, 20)).pieces)
    assert CONTIGS[0].circular


def test_too_few_bases_are_refused():
    with pytest.raises(InputError, match=r"features: expected more than 2,058 bases that were"):
        draw_rotations(500, 10, beyond=1024, seed=0)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("min_phi", 2.0, "min_phi: expected 0 to 1, found 2.0"),
        ("n_rotations", 3, "n_rotations: expected 10 or more, found 3"),
    ],
)
def test_settings_out_of_range_are_refused(name, value, message):
    with pytest.raises(ConfigError, match=message):
        CircuitConfig(**{name: value})
