"""Small sources of activations, made from a seed."""

import numpy as np

from genointerp.sae.source import RowSource


def array_source(rows, chunk=300):
    """Rows of an array in small chunks."""
    return RowSource(rows, chunk_rows=chunk)


def sparse_rows(n=3000, d_in=16, n_directions=24, seed=0, mean=3.0):
    """Sums of few directions about a mean far from zero."""
    generator = np.random.default_rng(seed)
    directions = generator.normal(size=(n_directions, d_in))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    on = generator.random((n, n_directions)) < 0.08
    rows = (on * generator.gamma(3, 1, on.shape)) @ directions
    rows += mean + 0.02 * generator.normal(size=rows.shape)
    return rows.astype(np.float32)
