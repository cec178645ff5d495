"""Features of the difference of two models: a dictionary of what one adds to the other's rows.

The baseline of a crosscoder: it sees what is different alone, and cannot say what both have. Its
own baseline are the principal components of the differences.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32, Float64, Int64
from scipy import sparse

from genointerp.comparison.common_text import consensus_end
from genointerp.comparison.divergence_tables import bases_before
from genointerp.comparison.latents_config import LatentsConfig
from genointerp.comparison.models import Role
from genointerp.comparison.rows import ModelRows, in_batches
from genointerp.core.progress import Progress, silent
from genointerp.genome.genome import Genome
from genointerp.sae.base import SparseAutoencoder
from genointerp.sae.compare import best_correlated
from genointerp.sae.metrics import RunningMoments, VarianceExplained, sparse_codes
from genointerp.sae.source import RowSource
from genointerp.sae.train import train_together

_TOP = 20
"""Largest activations of a feature whose contexts have a consensus."""
_CONTEXT = 24
"""Bases before these, that of the activation included."""


def learn_differences(
    read: ModelRows,
    other: Role,
    genome: Genome,
    *,
    config: LatentsConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Train a BatchTopK dictionary on the rows of a model less those of the base; measure it.

    Parameters
    ----------
    read
        Rows of the base and of the other model.
    config
        Its training, with ``n_features`` and ``k`` of the crosscoder.
    progress
        Called with (tokens read, in all).

    Returns
    -------
    DataFrame
        A row for each feature:
        `genointerp.store.table.schema.latents.DIFFERENCE_LATENTS`.

    Notes
    -----
    All is measured on the stretches that are held out. ``gain`` of a feature j is the share of the
    variance of the differences that only it explains there, ``sum((e + f_j d_j)^2 - e^2) /
    sum((x - mean)^2)`` with the error e. ``fvu_pca`` is the fraction of variance unexplained by the
    k components of the training rows that explain most of those; a dictionary that fires k features
    a token has as many numbers for it, chosen from more.
    """
    config = LatentsConfig() if config is None else config
    training = config.training
    sae = replace(training.sae, architecture="batch_topk", delta_coefficient=0.0, dedicated=())
    training = replace(training, sae=replace(sae, encode_from="all"))
    x = read.of(other) - read.of("base")
    if not x.any():
        progress(1, 1)
        return _nothing(other, config)
    source = RowSource(x, block=read.stretch)
    seeds = range(training.seed, training.seed + config.n_seeds)
    results = train_together(
        source,
        [replace(training, init_seed=seed) for seed in seeds],
        metadata={},
        progress=progress,
    )
    is_held_out = source.is_held_out(training.seed, training.eval_share)
    rows = np.flatnonzero(is_held_out)
    measured = [_measured(it.sae, x[rows]) for it in results]
    own = measured[0]
    table = own.table.assign(
        fvu=own.fvu,
        fvu_pca=fvu_of_components(x[~is_held_out], x[rows], training.sae.k),
        context=_contexts(own.codes, rows, read, genome),
    )
    if len(measured) > 1:
        match = best_correlated(own.codes, measured[1].codes)
        table = table.assign(repeat=match.other, repeat_r=match.value)
    table.insert(0, "second", str(other))
    return table


def _nothing(other: Role, config: LatentsConfig) -> pd.DataFrame:
    """Return the features of models that do not differ at the site: none fires."""
    n = config.training.sae.n_features
    numbers = dict.fromkeys(("density", "max_activation"), 0.0)
    unknown = dict.fromkeys(("gain", "fvu", "fvu_pca"), np.nan)
    row = {"second": str(other), "n_fired": 0, **numbers, **unknown, "context": ""}
    if config.n_seeds > 1:
        row |= {"repeat": -1, "repeat_r": 0.0}
    table = pd.DataFrame([row] * n)
    table.insert(1, "feature", np.arange(n))
    return table


class _Measured(NamedTuple):
    table: pd.DataFrame
    codes: sparse.csr_array
    fvu: float


def _measured(sae: SparseAutoencoder, x: Float32[np.ndarray, "row d"]) -> _Measured:
    """Measure a dictionary over held-out rows."""
    codes, explained = list[sparse.csr_array](), VarianceExplained(x.shape[1])
    directions = sae.W_dec.detach().double().cpu().numpy()
    gain = np.zeros(sae.n_features)
    with torch.no_grad():
        for rows in in_batches(iter([x])):
            found = sparse_codes(sae, torch.from_numpy(rows))
            x_hat = found @ directions + sae.b_dec.double().cpu().numpy()
            explained.update(rows, x_hat.astype(np.float32))
            # (e + f d)^2 - e^2 = 2 f e d + f^2 d^2
            along = (rows.astype(np.float64) - x_hat) @ directions.T
            gain += 2 * np.asarray(found.multiply(along).sum(0)).reshape(-1)
            gain += np.asarray(found.power(2).sum(0)).reshape(-1) * (directions**2).sum(1)
            codes.append(found)
    every = sparse.csr_array(sparse.vstack(codes))
    n_fired = np.diff(every.tocsc().indptr).astype(np.int64)
    total = explained.total
    table = pd.DataFrame(
        {
            "feature": np.arange(sae.n_features),
            "n_fired": n_fired,
            "density": n_fired / len(x),
            "max_activation": np.asarray(every.max(axis=0).todense()).reshape(-1),
            "gain": gain / total if total else np.full(sae.n_features, np.nan),
        }
    )
    return _Measured(table, every, explained.fvu)


def fvu_of_components(
    train: Float32[np.ndarray, "row d"], test: Float32[np.ndarray, "other d"], k: int
) -> float:
    """Return the fraction of variance of rows that k principal components of others leave."""
    mean = train.mean(0, dtype=np.float64)
    gram = np.zeros((train.shape[1], train.shape[1]))
    # in batches: in float64 all rows would take several times their own memory
    for rows in in_batches(iter([train])):
        centred = rows - mean
        gram += centred.T @ centred
    _, vectors = np.linalg.eigh(gram)
    top: Float64[np.ndarray, "d k"] = vectors[:, -min(k, vectors.shape[1]) :]
    left, moments = 0.0, RunningMoments(test.shape[1])
    for rows in in_batches(iter([test])):
        rest = rows - mean
        rest -= rest @ top @ top.T
        left += float((rest**2).sum())
        moments.update(rows)
    total = float(moments.deviation.sum())
    return left / total if total else float("nan")


def _contexts(
    codes: sparse.csr_array, rows: Int64[np.ndarray, " row"], read: ModelRows, genome: Genome
) -> list[str]:
    """Return the consensus of the bases before the largest activations of each feature."""
    columns, found = codes.tocsc(), list[str]()
    for feature in range(columns.shape[1]):
        part = slice(columns.indptr[feature], columns.indptr[feature + 1])
        value = columns.data[part]
        top = np.argsort(-value, kind="stable")[:_TOP]
        contexts = []
        for row in rows[columns.indices[part][top]]:
            place = read.place(int(row))
            own = genome.fetch(place).tobytes()
            contexts.append(bases_before(genome, place, _CONTEXT - 1).encode() + own)
        found.append(consensus_end(contexts, value[top].tolist()))
    return found


def differences_in_words(table: pd.DataFrame | None) -> list[str]:
    """Return a line for each model: what the dictionary and components of its difference say."""
    if table is None:
        return []
    lines = []
    for second, own in table.groupby("second", sort=False):
        first = own.iloc[0]
        n_alive = int((own["n_fired"] > 0).sum())
        if np.isnan(first["fvu"]):
            lines.append(f"difference of {second} from base: there is none at this site")
            continue
        lines.append(
            f"difference of {second} from base: {n_alive} of {len(own)} features fire, FVU "
            f"{first['fvu']:.3g}; of as many principal components as fire on a token "
            f"{first['fvu_pca']:.3g}"
        )
    return lines
