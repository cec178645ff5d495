"""Matching: against naive twins, with planted truth, and where there is nothing to match."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genointerp.comparison.matching.bases import common_panels
from genointerp.comparison.matching.candidates import Best, assign, is_mutual, take_greedily
from genointerp.comparison.matching.classes import composition_classes, one_class
from genointerp.comparison.matching.config import MatchConfig
from genointerp.comparison.matching.matching import Controls, match_features
from genointerp.comparison.matching.pairing import Groups, Pairing
from genointerp.comparison.matching.resample import drawn_correlations
from genointerp.core.errors import ConfigError, InputError, MismatchError
from genointerp.genome.genome import Contig, Genome
from genointerp.store.contigs import ContigInfo
from tests.plant import contigs_of, make_elements, make_store, silence
from tests.specimens import specimen
from tests.stores import dense_features, write_read

N_BP = 12_000
FEW = MatchConfig(min_bases=20, n_rotations=10, n_draws=40)


def runs_at_random(n_features, *, seed, n_runs=40, length=12, n_bp=N_BP):
    """Features that fire in runs at random places of both strands, by dense activations."""
    draw = np.random.default_rng(seed)
    dense = silence(n_bp, n_features)
    for track in dense.values():
        for feature in range(n_features):
            for start in draw.integers(0, n_bp - length, n_runs):
                track[start : start + length, feature] = draw.integers(8, 64, length) / 16
    return dense


def store_of(path, dense, sae, *, genome="g1", model="m", coverage=None):
    contigs = contigs_of(chr=len(dense["+"]))
    return make_store(
        path,
        dense,
        contigs,
        genome_sha256=genome,
        sae_sha256=sae,
        model_sha256=model,
        coverage=coverage,
    )


def matched(own, other, config=FEW, controls=None, **known):
    """The tables of both sides, by feature, and the summary."""
    found = match_features([specimen(own, **known)], [specimen(other)], controls, config)
    sides = [found.table[found.table["side"] == side].set_index("feature") for side in "ab"]
    return *sides, found.summary


def shares(summary, comparison, side="a"):
    rows = summary[(summary["comparison"] == comparison) & (summary["side"] == side)]
    return rows.set_index("decile")


@pytest.fixture
def holes(tmp_path):
    """Two readings of two contigs, each with bases that were not read in one or on one strand."""
    made = []
    for number, n_features in enumerate((5, 6)):
        dense = dense_features(n_features, seed=number, density=0.3)
        is_read = {strand: np.ones(160, bool) for strand in "+-"}
        is_read["+"][30 + 9 * number : 60] = is_read["-"][100 : 125 + number] = False
        for strand in "+-":
            dense[strand][~is_read[strand]] = 0
        sae = f"{number}" * 64
        store = write_read(tmp_path / f"{number}.h5", dense, is_read, sae_sha256=sae)
        made.append((store, dense, is_read))
    return made


def common(made):
    """Dense activations of both readings on the bases that both have read."""
    (_, one, read), (_, two, other_read) = made
    both = {strand: read[strand] & other_read[strand] for strand in "+-"}
    return [
        np.concatenate([dense[strand][both[strand]] for strand in "+-"]).astype(float)
        for dense in (one, two)
    ]


def test_r_is_that_of_dense_tracks_on_the_bases_that_both_have_read(holes):
    pairing = Pairing([holes[0][0]], [holes[1][0]])
    one, two = common(holes)
    assert pairing.n_cells == len(one)
    classes = one_class(pairing.panels)
    moments = classes.moments(pairing), classes.moments(pairing.swapped())
    sums = pairing.sums(pairing.load(1, 4))
    assert sums == pytest.approx(one[:, 1:4].T @ two, rel=1e-12)
    found = classes.correlation(sums, *moments, 1)
    expected = np.corrcoef(one.T, two.T)[1:4, 5:]
    assert found == pytest.approx(expected, abs=1e-12)


def test_a_rotation_rolls_the_other_reading_on_each_strand(holes):
    pairing = Pairing([holes[0][0]], [holes[1][0]])
    one, two = common(holes)
    n = [panel.n_cells for panel in pairing.panels]
    rolled = np.concatenate([np.roll(part, -17, axis=0) for part in np.split(two, [n[0]])])
    sums = pairing.sums(pairing.load(0, 5), [17, 17])
    assert sums == pytest.approx(one.T @ rolled, rel=1e-12)


def test_residual_r_is_that_of_tracks_less_their_means_by_the_last_five_bases(tmp_path):
    sequence = np.random.default_rng(0).choice(np.frombuffer(b"AC", np.uint8), 160)
    genome = Genome([Contig("chrA", sequence[:120], circular=True), Contig("chrB", sequence[120:])])
    contigs = ContigInfo.of(genome)
    dense = [dense_features(3, seed=seed, density=0.4, contigs=contigs) for seed in (0, 1)]
    stores = [
        make_store(
            tmp_path / f"{n}.h5", it, contigs, genome_sha256=genome.sha256, sae_sha256=f"{n}"
        )
        for n, it in enumerate(dense)
    ]
    elements = make_elements(
        ("CDS_phase0", "chrA", 3, 90, "+"),
        ("CDS_phase1", "chrA", 20, 60, "-"),
        ("CDS_phase2", "chrB", 0, 30, "-"),
    )
    pairing = Pairing([stores[0]], [stores[1]])
    known = specimen(stores[0], elements, sequence=genome)
    classes = composition_classes([known], pairing.panels)
    moments = classes.moments(pairing), classes.moments(pairing.swapped())
    found = classes.correlation(pairing.sums(pairing.load(0, 3)), *moments)
    left = [less_means(it, genome, elements) for it in dense]
    assert found == pytest.approx(np.corrcoef(left[0].T, left[1].T)[:3, 3:], abs=1e-9)


def less_means(dense, genome, elements):
    """Subtract the mean of each class, base by base, with the strands in reading order."""
    pairs = str.maketrans("ACGT", "TGCA")
    rows, values = [], []
    for strand in "+-":
        offset = 0
        for contig in genome.values():
            text = contig.sequence.tobytes().decode()
            if strand == "-":
                text = text[::-1].translate(pairs)
            for at in range(contig.length):
                base = at if strand == "+" else contig.length - 1 - at
                table = elements.table
                own = table[
                    (table["seqid"] == contig.name)
                    & (table["strand"] == strand)
                    & (table["start"] <= base)
                    & (table["end"] > base)
                ]
                phase = max(own["concept"], default="")
                rows.append((text[at - 4 : at + 1] if at >= 4 else "", phase))
                values.append(dense[strand][offset + base])
            offset += contig.length
    values = np.array(values, float)
    for one in set(rows):
        chosen = [row == one for row in rows]
        values[chosen] -= values[chosen].mean(axis=0)
    return values


def test_drawn_correlations_are_those_of_the_bases_of_the_drawn_blocks(tmp_path):
    n_bp = 40_000
    dense = [runs_at_random(3, seed=seed, n_bp=n_bp, n_runs=300) for seed in (0, 1)]
    stores = [store_of(tmp_path / f"{n}.h5", it, f"{n}") for n, it in enumerate(dense)]
    pairing, pairs = Pairing([stores[0]], [stores[1]]), np.array([[0, 2], [2, 1]])
    classes, groups = one_class(pairing.panels), Groups([stores[0]])
    moments = classes.moments(pairing), classes.moments(pairing.swapped())
    weights = np.array([[1, 2], [1, 0], [1, 1]])
    found = drawn_correlations(pairing, pairs, classes, moments, groups, weights)
    one, two = (np.concatenate([it["+"], it["-"]]).astype(float) for it in dense)
    expected = [np.corrcoef(one[:, a], two[:, b])[0, 1] for a, b in pairs]
    assert found[:, 0] == pytest.approx(expected, abs=1e-12)
    repeated = np.repeat(weights[:, 1], 16_384)[:n_bp]
    for number, (a, b) in enumerate(pairs):
        f, g = one[:, a] - one[:, a].mean(), two[:, b] - two[:, b].mean()
        w = np.tile(repeated, 2)
        r = (w * f * g).sum() / np.sqrt((w * f * f).sum() * (w * g * g).sum())
        assert found[number, 1] == pytest.approx(r, abs=1e-12)


def test_a_permuted_dictionary_is_matched_wholly_and_its_rotations_are_not(tmp_path):
    dense = runs_at_random(30, seed=0)
    order = np.random.default_rng(1).permutation(30)
    own = store_of(tmp_path / "a.h5", dense, "a")
    other = store_of(tmp_path / "b.h5", {s: 2 * it[:, order] for s, it in dense.items()}, "b")
    a, b, summary = matched(own, other)
    assert a["partner"].tolist() == np.argsort(order).tolist()
    assert b["partner"].tolist() == order.tolist()
    assert a["one_to_one"].tolist() == a["partner"].tolist()
    assert a["r"].to_numpy() == pytest.approx(1)
    # one block has no test
    assert a["r2_best"].isna().all()
    assert (a["q_value"] <= 0.05).all()
    assert a["is_matched"].all()
    assert b["is_matched"].all()
    assert shares(summary, "found").loc[0, "share"] == 1
    assert shares(summary, "rotation").loc[0, "share"] <= 0.005
    assert shares(summary, "rotation", "b").loc[0, "excess_low"] > 0.99


def test_independent_tracks_have_uniform_p_values(tmp_path):
    p = []
    for seed in range(4):
        dense = [runs_at_random(60, seed=2 * seed + k, n_runs=30 + 40 * k) for k in (0, 1)]
        stores = [store_of(tmp_path / f"{seed}{n}.h5", it, f"{n}") for n, it in enumerate(dense)]
        for side in matched(*stores)[:2]:
            p += side["p_value"].tolist()
    assert len(p) == 480
    # a share of .1 or .5 of 480 has a standard error of .014 or .023
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.045)
    assert np.mean(np.array(p) <= 0.5) == pytest.approx(0.5, abs=0.07)


def test_a_feature_that_was_split_is_found_in_its_parts(tmp_path):
    # 40,000 bases, so that there are blocks of fit and of test
    whole = runs_at_random(4, seed=0, n_bp=40_000, n_runs=200)
    third = np.arange(40_000) // 40 % 3
    split = {
        strand: np.concatenate(
            [track[:, :1] * (third == part)[:, None] for part in range(3)] + [track[:, 1:]], 1
        )
        for strand, track in whole.items()
    }
    own, other = store_of(tmp_path / "a.h5", whole, "a"), store_of(tmp_path / "b.h5", split, "b")
    a, b, _ = matched(own, other)
    assert a["n_parts"].tolist() == [3, 1, 1, 1]
    assert b["part_of"].tolist() == [0, 0, 0, -1, -1, -1]
    assert 0.5 < a.loc[0, "r"] < 0.7
    assert a.loc[0, "r2_best"] > 0.99
    assert b.loc[0, "r2_best"] < 0.6


def test_what_the_last_five_bases_explain_is_taken_out(tmp_path):
    draw = np.random.default_rng(0)
    genome = Genome([Contig("chr", draw.choice(np.frombuffer(b"AC", np.uint8), N_BP))])
    codes = (genome["chr"].sequence == ord("C")).astype(int)
    word = sum(codes[place : N_BP - 4 + place] << place for place in range(5))
    dense = [runs_at_random(3, seed=seed) for seed in (1, 2)]
    for k, it in enumerate(dense):
        # feature 0 detects a word of five bases, feature 1 does the same in both readings
        it["+"][4:, 0] = (word == 9) * draw.integers(28, 36, N_BP - 4) / 16
        it["-"][:, 0] = 0
        if k:
            for strand in "+-":
                it[strand][:, 1] = dense[0][strand][:, 1]
    stores = [
        make_store(
            tmp_path / f"{n}.h5",
            it,
            ContigInfo.of(genome),
            genome_sha256=genome.sha256,
            sae_sha256=f"{n}",
        )
        for n, it in enumerate(dense)
    ]
    a, _, summary = matched(*stores, sequence=genome)
    assert a.loc[0, "r"] > 0.95
    assert abs(a.loc[0, "residual_r"]) < 0.2
    assert a.loc[1, ["r", "residual_r"]].tolist() == pytest.approx([1, 1])
    assert a["is_matched"].tolist() == [1, 1, 0]
    assert a["is_residual_matched"].tolist() == [0, 1, 0]
    assert shares(summary, "found_residual").loc[0, "share"] == pytest.approx(1 / 3)


def test_short_rotations_by_multiples_of_3_keep_what_codon_phase_gives(tmp_path):
    draw = np.random.default_rng(0)
    dense = [silence(N_BP, 2) for _ in range(2)]
    for start in range(0, N_BP - 600, 1000):
        frame = start + draw.integers(3)
        for it in dense:
            codon = frame + 3 * np.flatnonzero(draw.random(200) < 0.7)
            it["+"][codon, 0] = 1
    for k, it in enumerate(dense):
        it["-"][:, 1] = runs_at_random(1, seed=k)["-"][:, 0]
    stores = [store_of(tmp_path / f"{n}.h5", it, f"{n}") for n, it in enumerate(dense)]
    a, _, _ = matched(*stores)
    r, null, null_3 = a.loc[0, ["r", "null_r", "null_r_3"]].tolist()
    assert r > 0.6
    assert null < 0.35
    assert null_3 > 0.5


def test_shares_stand_next_to_those_of_twins_and_of_the_ceiling(tmp_path):
    dense = runs_at_random(20, seed=0)
    twin = [runs_at_random(20, seed=seed) for seed in (5, 6)]
    half = {
        strand: np.concatenate([track[:, :10], twin[0][strand][:, 10:]], 1)
        for strand, track in dense.items()
    }
    own, other, seed = (
        store_of(tmp_path / f"{name}.h5", it, name)
        for name, it in (("a", dense), ("b", half), ("c", dense))
    )
    twin_a, twin_b = (
        store_of(tmp_path / f"t{n}.h5", it, f"t{n}", model="random") for n, it in enumerate(twin)
    )
    controls = Controls([twin_a], [twin_b], [seed])
    a, b, summary = matched(own, other, controls=controls)
    assert set(summary["comparison"]) == {
        "found", "twin", "twins", "ceiling", "rotation", "rotation_3"
    }  # fmt: skip
    found, null = shares(summary, "found"), shares(summary, "twin")
    assert found.loc[0, ["share", "of_ceiling"]].tolist() == [0.5, 0.5]
    assert null.loc[0, ["share", "excess", "excess_low"]].tolist() == [0, 0.5, 0.5]
    assert shares(summary, "ceiling").loc[0, "share"] == 1
    assert (a["twin_r"] < 0.3).all()
    # b has half of the features of the twin of a
    assert b["twin_r"].iloc[10:].to_numpy() == pytest.approx(1)
    assert shares(summary, "twin", "b").loc[0, "excess"] == pytest.approx(0)


def test_of_one_model_and_site_one_twin_is_that_of_both(tmp_path):
    dense, drawn = (runs_at_random(6, seed=seed) for seed in (0, 5))
    own, other = (store_of(tmp_path / f"{name}.h5", dense, name) for name in "ab")
    twin = store_of(tmp_path / "t.h5", drawn, "t", model="random")
    for controls in (Controls(twin_a=[twin]), Controls([twin], [twin])):
        summary = matched(own, other, controls=controls)[2]
        # a twin is not compared with itself
        assert "twins" not in set(summary["comparison"])
        assert [shares(summary, "twin", side).loc[0, "share"] for side in "ab"] == [0, 0]
    another = store_of(tmp_path / "c.h5", dense, "c", model="n")
    summary = matched(own, another, controls=Controls(twin_b=[twin]))[2]
    assert shares(summary, "twin", "b").empty


def test_features_that_hardly_fire_are_neither_matched_nor_matches(tmp_path):
    dense = runs_at_random(4, seed=0)
    for strand in "+-":
        dense[strand][:, 2] = 0
    dense["+"][:19, 2] = 1
    stores = [store_of(tmp_path / f"{n}.h5", dense, f"{n}") for n in range(2)]
    a, _, summary = matched(*stores)
    row = a.loc[2]
    assert row[["partner", "decile", "is_matched", "one_to_one"]].tolist() == [-1, 0, 0, -1]
    assert row[["r", "p_value", "q_value", "null_r_3", "r2_best"]].isna().all()
    assert shares(summary, "found").loc[0, "n_features"] == 3


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_best_candidates_are_those_of_a_sort(data):
    seed = data.draw(st.integers(0, 1000))
    table = np.random.default_rng(seed).integers(-3, 9, (4, 11)) / 8
    best = Best(4, 3, 1)
    for first in range(0, 11, 4):
        part = table[:, first : first + 4]
        best.add(0, first, part, 2 * part)
    order = np.argsort(-table, axis=1, kind="stable")[:, :3]
    assert best.other.tolist() == order.tolist()
    assert best.more[0].tolist() == (2 * np.take_along_axis(table, order, 1)).tolist()


def test_the_assignment_has_the_largest_sum_and_greedy_takes_the_largest_first():
    r = np.array([[0.9, 0.8], [0.8, 0.1], [0.0, 0.0]], np.float32)
    assert assign(r).partner.tolist() == [1, 0, -1]
    own, other = Best(3, 2), Best(2, 2)
    own.add(0, 0, r.astype(float))
    other.add(0, 0, r.T.astype(float))
    found = take_greedily(own, other)
    assert found.partner.tolist() == [0, 1, -1]
    assert found.back(2).partner.tolist() == [0, 1]
    assert is_mutual(own.top()[0], other.top()[0]).tolist() == [True, False, False]


def test_panels_hold_the_bases_that_both_have_read_once(holes):
    panels = common_panels([holes[0][0]], [holes[1][0]])
    for panel in panels:
        expected = holes[0][2][panel.strand] & holes[1][2][panel.strand]
        assert panel.rows().tolist() == np.flatnonzero(expected).tolist()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        pytest.param({"sae": "a"}, MismatchError, "another model than", id="twice"),
        pytest.param(
            {"genome": "g2"},
            MismatchError,
            "for features of two genomes, use `across`",
            id="genome",
        ),
        pytest.param(
            {"coverage": {"chr": [(0, 10, "-")]}}, InputError, "bases that were read", id="bases"
        ),
    ],
)
def test_readings_that_cannot_be_matched_are_refused(tmp_path, change, error, message):
    dense = runs_at_random(3, seed=0)
    own = store_of(tmp_path / "a.h5", dense, "a", coverage={"chr": [(0, 100, "+")]})
    other = store_of(tmp_path / "b.h5", dense, **{"sae": "b", **change})
    with pytest.raises(error, match=re.escape(message)):
        matched(own, other)


def test_bases_that_only_one_has_read_are_stated(tmp_path, caplog):
    dense = runs_at_random(3, seed=0)
    own = store_of(tmp_path / "a.h5", dense, "a")
    part = {"chr": [(0, N_BP // 2, "+"), (0, N_BP // 2, "-")]}
    other = store_of(tmp_path / "b.h5", dense, "b", coverage=part)
    matched(own, other)
    (record,) = caplog.records
    assert "a.h5: 50.0 % of the bases that were read there were read in both" in record.message


@pytest.mark.parametrize(
    ("role", "store", "message"),
    [
        pytest.param("twin_b", {"sae": "t", "model": "m"}, "another model than", id="own-weights"),
        pytest.param("ceiling", {"sae": "t", "model": "other"}, "model toy with", id="ceiling"),
        pytest.param("ceiling", {"sae": "a", "model": "m"}, "another model than", id="itself"),
    ],
)
def test_a_control_of_something_else_is_refused(tmp_path, role, store, message):
    dense = runs_at_random(3, seed=0)
    own, other = (store_of(tmp_path / f"{name}.h5", dense, name) for name in "ab")
    aside = store_of(tmp_path / "t.h5", dense, **store)
    with pytest.raises(MismatchError, match=message):
        matched(own, other, controls=Controls(**{role: [aside]}))


def test_all_comparisons_are_on_the_bases_that_all_have_read(tmp_path, caplog):
    dense = [runs_at_random(6, seed=seed) for seed in range(2)]
    own, other = (store_of(tmp_path / f"{name}.h5", dense[0], name) for name in "ab")
    part = {"chr": [(0, N_BP // 2, "+"), (0, N_BP // 2, "-")]}
    twin = store_of(tmp_path / "t.h5", dense[1], "t", model="random", coverage=part)
    a, _, summary = matched(own, other, controls=Controls(twin_b=[twin]))
    halves = [dense[0][strand][: N_BP // 2] > 0 for strand in "+-"]
    assert a["n_bases"].tolist() == sum(half.sum(axis=0) for half in halves).tolist()
    assert shares(summary, "twin").loc[0, "share"] == 0
    assert "a.h5: 50.0 % of the bases that were read there were read in all" in caplog.text


def test_a_number_out_of_its_range_is_refused():
    with pytest.raises(ConfigError, match="n_rotations: expected 5 or more, found 2"):
        MatchConfig(n_rotations=2)
