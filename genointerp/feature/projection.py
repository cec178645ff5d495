"""Project the directions of a dictionary to two dimensions. Torch-free, like all plotting."""

from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Float
from scipy.linalg import eigh

from genointerp.core.errors import InputError
from genointerp.core.seed import rng

Method = Literal["pca", "umap"]


class Projection(NamedTuple):
    """Position of each feature, and names of the two axes."""

    points: Float[np.ndarray, "n_features 2"]
    axis_names: tuple[str, str]


def project(
    rows: Float[np.ndarray, "n_features d_in"], method: Method = "pca", *, seed: int = 0
) -> Projection:
    """Project directions to two dimensions.

    Parameters
    ----------
    method
        ``umap`` needs the package umap-learn.
    seed
        Random seed of UMAP; principal components need none.

    Raises
    ------
    InputError
        If the method is unknown or not installed, or there are fewer than three features or two
        dimensions.

    Notes
    -----
    Principal components are those of the centred directions. The sign of each is chosen such that
    the feature farthest from 0 is positive. UMAP (McInnes et al. 2018) uses the angle between
    directions.
    """
    if method not in get_args(Method):
        raise InputError("method", f"one of {', '.join(get_args(Method))}", repr(method))
    if rows.shape[0] < 3 or rows.shape[1] < 2:
        raise InputError("dictionary", "3 features of 2 dimensions or more", f"shape {rows.shape}")
    return _pca(rows) if method == "pca" else _umap(rows, seed)


def _pca(rows: Float[np.ndarray, "n_features d_in"]) -> Projection:
    centred = rows - rows.mean(axis=0)
    scatter, d_in = centred.T @ centred, rows.shape[1]
    # only two axes of a small square matrix; a decomposition of all rows could take minutes
    variance, axes = eigh(scatter, subset_by_index=(d_in - 2, d_in - 1))
    points = centred @ axes[:, ::-1]
    farthest = np.take_along_axis(points, np.abs(points).argmax(axis=0)[None, :], axis=0)
    points = points * np.where(farthest < 0, -1.0, 1.0)
    share = variance[::-1] / max(float(np.trace(scatter)), np.finfo(np.float64).tiny)
    names = (f"PC {index + 1} ({one:.1%} of variance)" for index, one in enumerate(share.tolist()))
    first, second = names
    return Projection(points, (first, second))


def _umap(rows: Float[np.ndarray, "n_features d_in"], seed: int) -> Projection:
    try:
        from umap import UMAP
    except ImportError as error:
        raise InputError("method", "pca, or umap-learn installed", "'umap' without it") from error
    state = int(rng(seed, "umap").integers(2**31))
    reducer = UMAP(metric="cosine", random_state=state, n_jobs=1)
    points = np.asarray(reducer.fit_transform(rows), dtype=np.float64)
    return Projection(points, ("UMAP 1", "UMAP 2"))
