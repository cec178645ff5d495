"""The directions of a dictionary in two dimensions."""

import sys

import numpy as np
import pytest

from genointerp.core.errors import InputError
from genointerp.feature.projection import project


def test_principal_components_keep_the_longest_axes():
    rows = np.zeros((4, 3))
    rows[:, 1] = [3, -3, 0, 0]
    rows[:, 2] = [0, 0, -1, 1]
    found = project(rows)
    np.testing.assert_allclose(np.abs(found.points[:, 0]), [3, 3, 0, 0], atol=1e-9)
    np.testing.assert_allclose(np.abs(found.points[:, 1]), [0, 0, 1, 1], atol=1e-9)
    assert found.axis_names == ("PC 1 (90.0% of variance)", "PC 2 (10.0% of variance)")


def test_principal_components_do_not_depend_on_where_the_mean_lies_or_on_a_mirror():
    rows = np.random.default_rng(0).normal(size=(20, 5))
    first = project(rows).points
    np.testing.assert_allclose(project(rows + 7.0).points, first, atol=1e-9)
    np.testing.assert_allclose(project(rows[:, ::-1]).points, first, atol=1e-9)
    assert (first[np.abs(first).argmax(axis=0), [0, 1]] > 0).all()


def test_distances_in_the_plane_are_never_longer_than_in_the_dictionary():
    rows = np.random.default_rng(1).normal(size=(15, 6))
    flat = project(rows).points
    for a in range(15):
        for b in range(a):
            assert np.linalg.norm(flat[a] - flat[b]) <= np.linalg.norm(rows[a] - rows[b]) + 1e-9


def test_too_small_a_dictionary_is_refused():
    with pytest.raises(InputError, match=r"3 features of 2 dimensions or more, found shape \(2, 5"):
        project(np.ones((2, 5)))


@pytest.mark.slow
def test_umap_is_the_same_for_the_same_seed():
    pytest.importorskip("umap", reason="umap-learn is not installed")
    rows = np.random.default_rng(2).normal(size=(40, 6))
    first = project(rows, "umap", seed=1)
    assert first.points.shape == (40, 2)
    assert first.axis_names == ("UMAP 1", "UMAP 2")
    np.testing.assert_array_equal(project(rows, "umap", seed=1).points, first.points)


def test_umap_without_its_package_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InputError, match="expected pca, or umap-learn installed"):
        project(np.ones((5, 5)), "umap")
