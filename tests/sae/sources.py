"""Small sources of activations, made from a seed."""

from dataclasses import dataclass

import numpy as np


@dataclass
class ArraySource:
    """Rows of an array, shuffled anew for each epoch."""

    rows: np.ndarray
    chunk: int = 300

    @property
    def d_in(self):
        return self.rows.shape[1]

    @property
    def n_rows(self):
        return len(self.rows)

    def chunks(self, seed, epoch):
        order = np.random.default_rng([seed, epoch]).permutation(len(self.rows))
        for start in range(0, len(order), self.chunk):
            yield self.rows[order[start : start + self.chunk]]


def sparse_rows(n=3000, d_in=16, n_directions=24, seed=0, mean=3.0):
    """Sums of few directions about a mean far from zero."""
    generator = np.random.default_rng(seed)
    directions = generator.normal(size=(n_directions, d_in))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    on = generator.random((n, n_directions)) < 0.08
    rows = (on * generator.gamma(3, 1, on.shape)) @ directions
    rows += mean + 0.02 * generator.normal(size=rows.shape)
    return rows.astype(np.float32)
