import numpy as np
import pytest

from genointerp.comparison.similarity.config import SimilarConfig
from genointerp.comparison.similarity.measures import (
    PENALTIES,
    debiased_cka,
    jackknife,
    mutual_neighbours,
    nearest,
    residual,
    ridge_errors,
    svcca,
)
from genointerp.comparison.similarity.similar import Known, Others, compare_activations
from genointerp.core.errors import ConfigError, InputError, MismatchError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo
from tests.stores import activation_header, write_activations

LENGTH = 40_000
CONTIGS = (ContigInfo("c", LENGTH, circular=False),)
CONFIG = SimilarConfig(every=100, n_bases=600, n_rotations=4, n_near=2, n_neighbours=5)


def draw(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def naive_hsic(k, other):
    """Song et al. 2012, equation 5, by loops over matrices with empty diagonals."""
    n = len(k)
    k, other = k.copy(), other.copy()
    np.fill_diagonal(k, 0)
    np.fill_diagonal(other, 0)
    trace = sum(k[i, j] * other[j, i] for i in range(n) for j in range(n))
    both = k.sum() * other.sum() / ((n - 1) * (n - 2))
    mixed = sum((k[i] * other[:, j]).sum() for i in range(n) for j in range(n))
    # 1' K L 1 is the sum of all entries of K L
    assert mixed == pytest.approx((k @ other).sum())
    return (trace + both - 2 * mixed / (n - 2)) / (n * (n - 3))


def test_cka_is_that_of_whole_kernels():
    x, y = draw(30, 5), draw(30, 4, 1)
    y[:, :2] += x[:, :2]
    k, other = x @ x.T, y @ y.T
    expected = naive_hsic(k, other) / np.sqrt(naive_hsic(k, k) * naive_hsic(other, other))
    assert debiased_cka(x, y) == pytest.approx(expected, abs=1e-10)
    assert debiased_cka(x + 7, y - 3) == pytest.approx(expected, abs=1e-10)


def test_cka_of_independent_sets_is_none_where_the_biased_one_is_large():
    x, y = draw(100, 80), draw(100, 80, 1)
    assert (
        abs(np.mean([debiased_cka(draw(100, 80, i), draw(100, 80, 50 + i)) for i in range(10)]))
        < 0.02
    )
    x, y = x - x.mean(0), y - y.mean(0)
    biased = np.square(x.T @ y).sum() / np.sqrt(np.square(x.T @ x).sum() * np.square(y.T @ y).sum())
    assert biased > 0.4


def test_what_is_turned_and_scaled_is_alike():
    x = draw(400, 6)
    turn = np.linalg.qr(draw(6, 6, 3))[0]
    assert debiased_cka(x, 3 * x @ turn + 2) == pytest.approx(1)
    assert svcca(x, x @ draw(6, 6, 4), variance=1.0) == pytest.approx(1)
    every = np.ones(400, bool)
    assert mutual_neighbours(nearest(x, 5), nearest(3 * x @ turn, 5), every, 5) == 1


def test_svcca_is_the_mean_canonical_correlation():
    x = draw(500, 3)
    y = np.column_stack([x[:, 0], draw(500, 1, 9)[:, 0]])
    # the first correlation is 1; the other is the multiple correlation of what is left
    centred = x - x.mean(0)
    other = y[:, 1] - y[:, 1].mean()
    q = np.linalg.qr(centred)[0]
    first = centred[:, 0] / np.linalg.norm(centred[:, 0])
    rest = other - first * (first @ other)
    second = np.linalg.norm(q.T @ rest) / np.linalg.norm(rest)
    assert svcca(x, y, variance=1.0) == pytest.approx((1 + second) / 2, abs=1e-6)
    # one direction of three holds most of the variance
    assert svcca(x * [100, 1, 1], y, variance=0.9) > 0.99


def test_neighbours_against_a_loop():
    x, y = draw(60, 4), draw(60, 4, 1)
    kept = np.random.default_rng(2).random(60) < 0.7
    shares = []
    for i in np.flatnonzero(kept):
        lists = []
        for one in (x, y):
            unit = one - one.mean(0)
            unit /= np.linalg.norm(unit, axis=1, keepdims=True)
            order = [j for j in np.argsort(-(unit @ unit[i]), kind="stable") if j != i and kept[j]]
            lists.append(set(order[:3]))
        shares.append(len(lists[0] & lists[1]) / 3)
    found = mutual_neighbours(nearest(x, 40), nearest(y, 40), kept, 3)
    assert found == pytest.approx(np.mean(shares))


def test_ridge_against_normal_equations_and_its_penalty_is_of_fit_alone():
    x, block = draw(400, 5), np.arange(400) // 20
    y = x @ draw(5, 3, 1) + draw(400, 3, 2)
    found = ridge_errors(x, y, block)
    fit = block % 2 == 0
    a, b = x[fit] - x[fit].mean(0), y[fit] - y[fit].mean(0)
    unit = np.square(a).sum() / 5
    rows = np.vstack([a, np.sqrt(found.penalty * unit) * np.eye(5)])
    weight = np.linalg.lstsq(rows, np.vstack([b, np.zeros((5, 3))]), rcond=None)[0]
    left = y[~fit] - y[fit].mean(0) - (x[~fit] - x[fit].mean(0)) @ weight
    r2 = 1 - np.square(left).sum() / np.square(y[~fit] - y[fit].mean(0)).sum()
    assert found.r2(np.ones(200, bool)) == pytest.approx(r2)
    assert 0.5 < r2 < 0.95
    corrupted = x.copy(), y.copy()
    corrupted[0][~fit], corrupted[1][~fit] = draw(200, 5, 5), 1e3 * draw(200, 3, 6)
    assert ridge_errors(*corrupted, block).penalty == found.penalty
    noise = ridge_errors(draw(400, 100, 7), y, block)
    assert noise.penalty == max(PENALTIES)
    assert noise.r2(np.ones(200, bool)) < 0.05


def test_residual_takes_out_what_a_design_says():
    block = np.arange(600) // 20
    design = (np.random.default_rng(0).integers(0, 4, 600)[:, None] == np.arange(4)).astype(float)
    own = draw(600, 3, 1)
    left = residual(design @ draw(4, 3, 2) * 5 + own, design, block)
    assert np.corrcoef(left[:, 0], own[:, 0])[0, 1] > 0.98


def test_what_is_taken_out_of_fit_is_the_same_whatever_test_holds():
    block = np.arange(600) // 20
    x, design = draw(600, 3), draw(600, 4, 1)
    fit = block % 2 == 0
    known = residual(x, design, block)[fit]
    x[~fit], design[~fit] = 100 * draw(300, 3, 2), draw(300, 4, 3)
    assert np.array_equal(residual(x, design, block)[fit], known)


def test_jackknife_of_a_mean_is_its_standard_error():
    values = draw(20, 1)[:, 0]
    without = [np.delete(values, i).mean() for i in range(20)]
    low, high = jackknife(values.mean(), without)
    assert (high - low) / 2 == pytest.approx(2.093 * values.std(ddof=1) / np.sqrt(20))


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Model b is a rotated, with a column of noise; the twin shares only the last base."""
    folder = tmp_path_factory.mktemp("similar")
    rng = np.random.default_rng(3)
    genome = Genome([Contig("c", rng.choice(np.frombuffer(b"ACGT", np.uint8), LENGTH))])
    windows = [
        GenomicInterval("c", s, s + 10_000, t) for t in "+-" for s in range(0, LENGTH, 10_000)
    ]
    n = 2 * LENGTH
    x = rng.normal(size=(n, 4)).astype(np.float32)
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    y = np.column_stack([x @ turn, 0.1 * rng.normal(size=n)]).astype(np.float32)
    forward = genome["c"].sequence
    order = [np.arange(w.start, w.end)[:: 1 if w.strand == "+" else -1] for w in windows]
    paired = dict(zip(b"ACGT", b"TGCA", strict=True))
    letters = np.concatenate(
        [
            forward[o] if w.strand == "+" else np.array([paired[c] for c in forward[o]])
            for o, w in zip(order, windows, strict=True)
        ]
    )
    last = (letters[:, None] == np.frombuffer(b"ACGT", np.uint8)).astype(np.float32)
    twin = np.concatenate([3 * last, rng.normal(size=(n, 1))], axis=1).astype(np.float32)

    def write(name, values, model, site="blocks.1", **more):
        header = activation_header(
            values.shape[1],
            contigs=CONTIGS,
            genome_sha256=genome.sha256,
            model=model,
            model_sha256=model,
            site=site,
            **more,
        )
        return write_activations(folder / name, values, windows=windows, header=header)

    base = np.concatenate([x + 0.0, 2 * last], axis=1).astype(np.float32)
    return {
        "genome": genome,
        "a": write("a.h5", x, "a"),
        "b": write("b.h5", y, "b"),
        "lettered": write("l.h5", base, "c"),
        "twin": write("t.h5", twin, "t"),
    }


def value(table, measure, comparison, column="value"):
    found = table[(table["measure"] == measure) & (table["comparison"] == comparison)]
    assert len(found) == 1
    return found[column].item()


def test_models_that_compute_the_same_are_alike_and_rotations_are_not(stores):
    table = compare_activations([stores["a"]], [stores["b"]], config=CONFIG)
    assert value(table, "cka", "found") > 0.98
    assert value(table, "r2_a_from_b", "found") > 0.99
    assert value(table, "neighbours", "found") > 0.8
    for comparison in ("rotation", "rotation_3"):
        assert abs(value(table, "cka", comparison)) < 0.05
        assert value(table, "r2_a_from_b", comparison) < 0.05
    assert value(table, "cka", "found", "low") <= value(table, "cka", "found")
    assert value(table, "cka", "found", "n_bases") == 600


def test_what_the_last_bases_give_is_taken_out_and_a_twin_has_it(stores):
    known = [Known(stores["genome"])]
    pair = [stores["lettered"]], [stores["twin"]]
    table = compare_activations(*pair, known=known, config=CONFIG)
    assert value(table, "r2_b_from_a", "found") > 0.5
    assert abs(value(table, "r2_b_from_a", "residual")) < 0.1
    assert value(table, "cka", "residual") < 0.1 < value(table, "cka", "found")
    others = Others(twin_b=[stores["twin"]])
    table = compare_activations([stores["lettered"]], [stores["b"]], others, config=CONFIG)
    excess = value(table, "r2_b_from_a", "twin_of_b", "excess")
    assert excess == pytest.approx(
        value(table, "r2_b_from_a", "found") - value(table, "r2_b_from_a", "twin_of_b")
    )
    low, high = (value(table, "r2_b_from_a", "twin_of_b", f"excess_{it}") for it in ("low", "high"))
    assert low < excess < high


def test_what_cannot_be_compared_is_refused_in_one_line(stores):
    with pytest.raises(MismatchError, match="another model"):
        compare_activations([stores["a"]], [stores["a"]], config=CONFIG)
    with pytest.raises(InputError, match="200 bases or more"):
        compare_activations([stores["a"]], [stores["b"]], config=CONFIG.changed(every=1000))
    others = Others(twin_a=[stores["a"]])
    with pytest.raises(MismatchError, match="another model"):
        compare_activations([stores["a"]], [stores["b"]], others, config=CONFIG)
    with pytest.raises(ConfigError, match="n_bases"):
        SimilarConfig(n_bases=10)
