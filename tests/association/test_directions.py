import numpy as np
import pytest

from genointerp.association.baseline.dense import DenseRows
from genointerp.association.baseline.directions import (
    independent_axes,
    mean_differences,
    measure_moments,
    principal_axes,
)
from genointerp.core.errors import InputError


def measured(x, truth, size=77):
    cell = np.arange(len(x))
    blocks = (DenseRows(cell[i : i + size], x[i : i + size]) for i in range(0, len(x), size))
    return measure_moments(blocks, truth.__getitem__)


@pytest.fixture
def rows():
    """Correlated rows whose mean is far larger than their spread."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(1000, 5)) @ generator.normal(size=(5, 5)) + 300
    truth = generator.random((1000, 3)) < [0.5, 0.02, 0.0]
    return x.astype(np.float32), truth


def test_moments_are_those_of_two_passes(rows):
    x, truth = rows
    moments = measured(x, truth)
    wide = x.astype(np.float64)
    assert moments.n == 1000
    np.testing.assert_allclose(moments.mean, wide.mean(0), rtol=1e-6)
    np.testing.assert_allclose(moments.covariance, np.cov(wide.T, bias=True), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(moments.positive_mean[0], wide[truth[:, 0]].mean(0), rtol=1e-6)
    np.testing.assert_allclose(moments.positive_mean[1], wide[truth[:, 1]].mean(0), rtol=1e-6)
    assert np.isnan(moments.positive_mean[2]).all()


def test_moments_of_nothing_are_refused():
    with pytest.raises(InputError, match="at least one row on fit"):
        measure_moments([], np.zeros((2, 1), np.bool_).__getitem__)


def test_principal_components_are_those_of_a_singular_value_decomposition(rows):
    x, truth = rows
    values = principal_axes(measured(x, truth)).values(x)
    centred = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    for column in range(5):
        twin = left[:, column] * size[column]
        twin *= np.sign(twin @ values[:, column])
        np.testing.assert_allclose(values[:, column], twin, atol=2e-3)


def test_the_difference_of_means_is_that_of_two_means_and_is_0_half_way(rows):
    x, truth = rows
    projection = mean_differences(measured(x, truth))
    inside, outside = x[truth[:, 0]].mean(0), x[~truth[:, 0]].mean(0)
    np.testing.assert_allclose(projection.weight[:, 0], inside - outside, atol=1e-3)
    ends = projection.values(np.stack([inside, outside, (inside + outside) / 2]))[:, 0]
    assert ends[0] == pytest.approx(-ends[1], rel=0.02)
    assert ends[0] > 0
    assert abs(ends[2]) < 0.02 * ends[0]


def test_a_label_without_rows_has_no_direction(rows):
    x, truth = rows
    assert (mean_differences(measured(x, truth)).values(x)[:, 2] == 0).all()


def test_independent_components_find_the_sources_of_a_mixture():
    generator = np.random.default_rng(0)
    sources = np.column_stack(
        [
            generator.laplace(size=4000),
            generator.uniform(-1, 1, 4000),
            generator.random(4000) < 0.05,
        ]
    )
    mixing = np.array([[1.0, 0.6, 0.3], [-0.5, 1.0, 2.0], [0.2, -0.8, 1.0]])
    x = (sources @ mixing + 50).astype(np.float32)
    moments = measured(x, np.zeros((4000, 1), np.bool_))
    found = independent_axes(x, moments, n_components=3, n_iterations=200).values(x)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(found.std(0), 1, atol=1e-2)
    together = np.abs(np.corrcoef(sources.T, found.T)[:3, 3:])
    assert (together.max(axis=1) > 0.99).all()
    # no principal component is a source
    axes = principal_axes(moments).values(x)
    assert (np.abs(np.corrcoef(sources.T, axes.T)[:3, 3:]).max(axis=1) < 0.99).any()


def test_a_dimension_without_variance_gives_no_independent_component():
    x = np.random.default_rng(0).laplace(size=(500, 4)).astype(np.float32)
    x[:, 3] = x[:, 0] + x[:, 1]
    moments = measured(x, np.zeros((500, 1), np.bool_))
    found = independent_axes(x, moments, n_components=4, n_iterations=20)
    assert found.weight.shape == (4, 3)
    assert np.isfinite(found.weight).all()


def test_the_same_seed_gives_the_same_components():
    x = np.random.default_rng(0).laplace(size=(300, 3)).astype(np.float32)
    moments = measured(x, np.zeros((300, 1), np.bool_))
    first, again = (independent_axes(x, moments, n_components=3, n_iterations=5) for _ in range(2))
    assert (first.weight == again.weight).all()
