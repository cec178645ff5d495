"""Class of the pattern in which a feature fires along the sequence, by a stated rule."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float64

from genointerp.core.metric import chance_information, information_content
from genointerp.genome.letters import count_columns

Pattern = Literal[
    "window artefact", "periodic", "element-long", "diffuse", "boundary", "motif", "point"
]

_CHI2_99 = 11.34
"""99th percentile of chi-squared with 3 degrees of freedom."""


class Shape(NamedTuple):
    """Measurements that decide the class of a pattern.

    Parameters
    ----------
    window_bias, periodicity, density
        Columns of the candidates; NaN if unknown.
    locus_length
        Median length of its loci in bp.
    motif_bits
        `motif_information` of its strongest loci; NaN if there are too few.
    """

    window_bias: float
    periodicity: float
    density: float
    locus_length: float
    motif_bits: float


def classify(
    shape: Shape,
    *,
    window_start: float,
    periodic: float,
    dense: float,
    element_length: float,
    motif_bits: float,
) -> Pattern:
    """Classify a pattern by the first rule that holds; no rule holds for NaN.

    The class comes from the loci alone. Whether they keep to boundaries depends on an annotation;
    see `mark_boundaries`.

    Notes
    -----
    ``window artefact``: window_bias >= window_start; ``periodic``: periodicity >= periodic;
    ``element-long``: median locus_length >= element_length; ``diffuse``: density >= dense;
    ``motif``: motif_bits >= the threshold of this name; ``point``: all others.
    """
    if shape.window_bias >= window_start:
        return "window artefact"
    if shape.periodicity >= periodic:
        return "periodic"
    if shape.locus_length >= element_length:
        return "element-long"
    if shape.density >= dense:
        return "diffuse"
    return "motif" if shape.motif_bits >= motif_bits else "point"


def mark_boundaries(table: pd.DataFrame, *, boundary: float) -> pd.Series:
    """Return the patterns of candidates, with ``boundary`` where loci keep to ends of elements.

    Parameters
    ----------
    table
        Columns ``pattern``, from the loci alone, and ``boundary_share``.
    boundary
        Share of loci near ends from which a motif or a point becomes a ``boundary``.
    """
    is_small = table["pattern"].isin(["motif", "point"])
    return table["pattern"].mask(is_small & (table["boundary_share"] >= boundary), "boundary")


def motif_information(
    sequences: Sequence[bytes], background: Float64[np.ndarray, " letter"], *, fewest: int = 10
) -> float:
    """Sum the information over the columns of aligned sequences that exceed chance.

    Notes
    -----
    Copies of one sequence count once. NaN if there are fewer than ``fewest`` different sequences. A
    column counts if its information (`genointerp.core.metric.information_content`) exceeds that of
    99 % of columns drawn from the background.
    """
    distinct = sorted(set(sequences))
    if len(distinct) < fewest:
        return float("nan")
    counts = count_columns(np.frombuffer(b"".join(distinct), np.uint8).reshape(len(distinct), -1))
    bits = information_content(counts, background)
    return float(bits[bits > chance_information(counts.sum(axis=1), _CHI2_99)].sum())


def motif_share(bits: float, n_loci: int, n_places: int) -> float:
    """Return the share, 0 to 1, of the information needed to find the loci that their motif holds.

    Parameters
    ----------
    bits, n_loci
        Information in bits of the aligned loci, and their number.
    n_places
        Number of (base, strand) pairs that were read.

    Notes
    -----
    ``bits / log2(n_places / n_loci)``, at most 1. This is R_sequence over R_frequency of Schneider
    et al. (1986), which are about equal for sites that are recognised by their letters alone. NaN
    if ``bits`` is.
    """
    needed = np.log2(n_places / n_loci)
    if np.isnan(bits) or needed <= 0:
        return float("nan")
    return float(min(1.0, max(0.0, bits / needed)))
