"""A model that reads the sequence alone: k-mers, GC and codon phase."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import vstack

from genointerp.association.baseline.config import BaselineConfig
from genointerp.association.baseline.dense import DenseSide, folds, thinning
from genointerp.association.baseline.dense_counts import DenseScore, score_values
from genointerp.association.baseline.linear_probe import LinearProbe, fit_probe
from genointerp.association.baseline.sequence_design import sequence_blocks
from genointerp.genome.genome import Genome


def score_sequence(
    genomes: Sequence[Genome], fit: DenseSide, test: DenseSide, config: BaselineConfig
) -> list[DenseScore]:
    """Fit a regression on the sequence for each label on fit, and score it on test.

    Its columns are those of :mod:`genointerp.association.baseline.sequence_design`.
    """
    probe = fit_sequence(genomes, fit, config)

    def values_on(side: DenseSide) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for cell, rows in sequence_blocks(genomes, side.universe):
            yield cell, probe.log_odds(rows.columns) + rows.count_values(probe.count_weight)

    return score_values(values_on, np.arange(len(fit.labels.names)), fit, test)


def fit_sequence(genomes: Sequence[Genome], fit: DenseSide, config: BaselineConfig) -> LinearProbe:
    """Fit a regression on the sequence for each label, on every n-th base of fit."""
    stride = thinning(fit.universe.n_cells, config.choice_rows)
    cells, columns, counts = [], [], []
    for cell, rows in sequence_blocks(genomes, fit.universe):
        kept = np.flatnonzero(cell % stride == 0)
        cells.append(cell[kept])
        columns.append(rows.columns[kept])
        counts.append(rows.counts(kept))
    cell = np.concatenate(cells)
    return fit_probe(
        np.concatenate(columns),
        fit.truth(cell),
        folds(cell, fit),
        counts=vstack(counts, format="csr"),
        max_rows=config.probe_rows,
        seed=config.seed,
    )
