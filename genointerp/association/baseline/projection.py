"""Detectors that read activations: neurons, components, differences of means, linear probes."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from genointerp.association.baseline.config import BaselineConfig
from genointerp.association.baseline.dense import (
    DenseRows,
    DenseSide,
    activation_blocks,
    folds,
    thinning,
)
from genointerp.association.baseline.dense_counts import (
    DenseScore,
    SignedColumn,
    choose_columns,
    score_values,
)
from genointerp.association.baseline.directions import (
    Moments,
    Projection,
    independent_axes,
    mean_differences,
    measure_moments,
    principal_axes,
)
from genointerp.association.baseline.linear_probe import fit_probe
from genointerp.store.activation.store import ActivationStore


class Projections(NamedTuple):
    """Detectors of several kinds; each kind has one for each label.

    Parameters
    ----------
    kinds
        Detectors by the name of their kind; the sign of a column is part of its weights.
    chosen
        Column and sign for each label, for the kinds that are chosen from many columns.
    """

    kinds: dict[str, Projection]
    chosen: dict[str, list[SignedColumn]]


class _Sample(NamedTuple):
    """Activations of every n-th base of fit."""

    cell: Int64[np.ndarray, " row"]
    x: Float32[np.ndarray, "row d_in"]


def fit_projections(
    activations: Sequence[ActivationStore], fit: DenseSide, config: BaselineConfig
) -> Projections:
    """Choose or fit one detector of each kind for each label, on fit."""
    d_in = activations[0].d_in
    sample, moments = _read_fit(activations, fit, config.rows_of(d_in))
    components = independent_axes(
        sample.x[:: thinning(len(sample.x), config.ica_rows)],
        moments,
        n_components=config.n_independent,
        n_iterations=config.n_iterations,
        seed=config.seed,
    )
    kinds, chosen = {}, {}
    for name, axes in {
        "neuron": Projection(np.eye(d_in, dtype=np.float32), np.zeros(d_in, np.float32)),
        "principal_component": principal_axes(moments),
        "independent_component": components,
    }.items():
        chosen[name] = choose_columns(axes.values(sample.x), sample.cell, fit)
        column = np.array([one.column for one in chosen[name]], dtype=np.int64)
        sign = np.array([one.sign for one in chosen[name]], dtype=np.float32)
        kinds[name] = Projection(axes.weight[:, column] * sign, axes.bias[column] * sign)
    kinds["mean_difference"] = mean_differences(moments)
    probe = fit_probe(
        sample.x,
        fit.truth(sample.cell),
        folds(sample.cell, fit),
        max_rows=config.probe_rows,
        seed=config.seed,
    )
    kinds["linear_probe"] = Projection(probe.weight, probe.bias)
    return Projections(kinds, chosen)


def score_projections(
    projections: Projections,
    activations: Sequence[ActivationStore],
    fit: DenseSide,
    test: DenseSide,
) -> dict[str, list[DenseScore]]:
    """Score the detectors of all kinds, reading each side only once."""
    kinds, n_labels = projections.kinds, len(fit.labels.names)
    joined = Projection(
        np.concatenate([each.weight for each in kinds.values()], axis=1),
        np.concatenate([each.bias for each in kinds.values()]),
    )

    def values_on(side: DenseSide) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for cell, x in activation_blocks(activations, side.universe):
            yield cell, joined.values(x)

    label = np.tile(np.arange(n_labels), len(kinds))
    found = score_values(values_on, label, fit, test)
    return {
        name: found[number * n_labels : (number + 1) * n_labels]
        for number, name in enumerate(kinds)
    }


def _read_fit(
    activations: Sequence[ActivationStore], fit: DenseSide, limit: int
) -> tuple[_Sample, Moments]:
    """Read fit once; return the moments of all its bases, and every n-th base."""
    stride = thinning(fit.universe.n_cells, limit)
    cells, rows = [np.zeros(0, np.int64)], []

    def blocks() -> Iterator[DenseRows]:
        for block in activation_blocks(activations, fit.universe):
            kept = block.cell % stride == 0
            cells.append(block.cell[kept])
            rows.append(block.x[kept])
            yield block

    moments = measure_moments(blocks(), fit.truth)
    return _Sample(np.concatenate(cells), np.concatenate(rows)), moments
