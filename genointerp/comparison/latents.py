"""Whose the features of a crosscoder of two models are: both, one alone, or turned."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32, Float64
from scipy import sparse

from genointerp.sae.architecture.batch_topk_crosscoder import BatchTopKCrosscoder
from genointerp.sae.compare import SAME_CORRELATION, SAME_COSINE, best_correlated
from genointerp.sae.latent_scaling import LatentScaling, RunningScaling
from genointerp.sae.metrics import sparse_codes

Tag = Literal[
    "exclusive_first",
    "exclusive_second",
    "shared",
    "scaled",
    "rotated",
    "rare",
    "dead",
    "unclear",
]

FEW = 20
"""Fewest firings of a feature that is tagged: with fewer, its ratios rest on a handful of rows."""
ONE_SIDED = 0.1
"""Farthest delta_norm from 0 or 1 of a feature of one model alone (diffing-toolkit)."""
EVEN = 0.1
"""Farthest delta_norm from .5 of a feature that is as strong in both models (diffing-toolkit)."""
MOST_NU_ERROR = 0.2
"""Most nu_error of a feature of one model alone (Minder et al. 2025, arXiv:2504.02922)."""
MOST_NU_RECONSTRUCTION = 0.5
"""Most nu_reconstruction of such a feature (same paper)."""
HALF = 0.25
"""Farthest delta_norm from .5 of a rotated feature: its weaker direction has half the norm of the
stronger; below that the direction is mostly noise (a choice of this package, like `FEW`)."""


class Tagged(NamedTuple):
    """Features of a crosscoder with their tags, and their activations over the same rows.

    Parameters
    ----------
    table
        A row for each feature: `genointerp.store.table.schema.latents.LATENTS` without the roles of
        the models.
    codes
        Activations, a row for each token.
    """

    table: pd.DataFrame
    codes: sparse.csr_array


def tag_latents(
    sae: BatchTopKCrosscoder, batches: Iterable[Float32[np.ndarray, "_ d_row"]]
) -> Tagged:
    """Measure and tag every feature of a crosscoder of two models over raw rows.

    Raises
    ------
    ConfigError
        If the dictionary is not of two sites of equal width.

    Notes
    -----
    ``delta_norm = ((|d_1| - |d_2|) / max(|d_1|, |d_2|) + 1) / 2`` for the directions at the same
    root mean square of both models. A feature is of one model alone if delta_norm says so *and*
    both nu of latent scaling: the norm alone takes what was shrunk for missing, and nu alone takes
    what is weak for missing.
    """
    running, codes = RunningScaling(sae), []
    for rows in batches:
        running.update(rows)
        codes.append(sparse_codes(sae, torch.from_numpy(rows)))
    found = running.result()
    norm, cosine = delta_norms(sae), cosines(sae)
    table = pd.DataFrame(
        {
            "feature": np.arange(sae.n_features),
            "tag": tags(norm, cosine, found),
            "delta_norm": norm,
            "cosine": cosine,
            "nu_error_first": found.nu_error[:, 0],
            "nu_reconstruction_first": found.nu_reconstruction[:, 0],
            "nu_error_second": found.nu_error[:, 1],
            "nu_reconstruction_second": found.nu_reconstruction[:, 1],
            "n_fired": found.n_fired,
            "density": found.density,
            "max_activation": found.largest,
        }
    )
    return Tagged(table, sparse.csr_array(sparse.vstack(codes)))


def delta_norms(sae: BatchTopKCrosscoder) -> Float64[np.ndarray, " n_features"]:
    """Return 0 for a feature of the second model alone, .5 if equal, 1 for one of the first."""
    first, second = sae.site_norms().double().cpu().numpy().T
    relative: Float64[np.ndarray, " n_features"] = (first - second) / np.maximum(first, second)
    return (relative + 1) / 2


def cosines(sae: BatchTopKCrosscoder) -> Float64[np.ndarray, " n_features"]:
    """Return the cosine of the directions of each feature in the two models; NaN if one is 0."""
    first, second = (part.double().cpu().numpy() for part in sae.site_directions())
    size = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    dot = np.einsum("fd,fd->f", first, second)
    cosine: Float64[np.ndarray, " n_features"] = np.divide(
        dot, size, out=np.full_like(size, np.nan), where=size > 0
    )
    return cosine


def tags(
    delta_norm: Float64[np.ndarray, " n_features"],
    cosine: Float64[np.ndarray, " n_features"],
    scaling: LatentScaling,
) -> list[Tag]:
    """Return the tag of each feature, by the constants of this module."""
    return [
        _tag(
            int(scaling.n_fired[feature]),
            float(delta_norm[feature]),
            float(cosine[feature]),
            scaling.nu_error[feature],
            scaling.nu_reconstruction[feature],
        )
        for feature in range(len(delta_norm))
    ]


def _tag(
    n_fired: int,
    delta_norm: float,
    cosine: float,
    nu_error: Float64[np.ndarray, " 2"],
    nu_reconstruction: Float64[np.ndarray, " 2"],
) -> Tag:
    if n_fired < FEW:
        return "rare" if n_fired else "dead"
    absent = (nu_error < MOST_NU_ERROR) & (nu_reconstruction < MOST_NU_RECONSTRUCTION)
    if delta_norm > 1 - ONE_SIDED:
        return "exclusive_first" if absent[0] else "unclear"
    if delta_norm < ONE_SIDED:
        return "exclusive_second" if absent[1] else "unclear"
    if cosine < SAME_COSINE:
        return "rotated" if abs(delta_norm - 0.5) <= HALF else "unclear"
    return "shared" if abs(delta_norm - 0.5) <= EVEN else "scaled"


def with_repeats(own: Tagged, other: Tagged) -> pd.DataFrame:
    """Return the table of features with the feature of another seed that fires most alike.

    Both must be of the same rows. A tag is repeated (:func:`is_repeated`) if that feature has it
    too, and correlates well enough.
    """
    match = best_correlated(own.codes, other.codes)
    tag = other.table["tag"].to_numpy()
    known = match.other >= 0
    return own.table.assign(
        repeat=match.other,
        repeat_r=match.value,
        repeat_tag=np.where(known, tag[np.where(known, match.other, 0)], ""),
    )


def is_repeated(table: pd.DataFrame) -> pd.Series:
    """Say of each feature whether another seed has one that fires with it and has its tag."""
    alike = table["repeat_r"] >= SAME_CORRELATION
    return alike & (table["repeat_tag"] == table["tag"])
