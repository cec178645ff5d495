"""Whether a feature keeps to the genomes that its dictionary was trained on."""

import numpy as np
from jaxtyping import Bool, Int64
from scipy.stats import binom


def seen_share(
    n_loci: Int64[np.ndarray, " genome"],
    n_read: Int64[np.ndarray, " genome"],
    is_seen: Bool[np.ndarray, " genome"],
) -> float:
    """Return how far the loci of a feature keep to the genomes of the training.

    Notes
    -----
    ``s / (s + u)``: s the loci by (base, strand) pair read in the genomes of the training, u that
    in the others; 1/2 where it fires alike in both, however much of each was read. 0 where none of
    the former was read; NaN where none of the latter was, or it has no locus.
    """
    seen, unseen = (
        int(n_loci[of].sum()) / max(int(n_read[of].sum()), 1) for of in (is_seen, ~is_seen)
    )
    if not n_read[~is_seen].sum() or not seen + unseen:
        return float("nan")
    return seen / (seen + unseen)


def seen_chance(
    n_loci: Int64[np.ndarray, " genome"],
    n_read: Int64[np.ndarray, " genome"],
    is_seen: Bool[np.ndarray, " genome"],
) -> float:
    """Return the chance of as many loci in the genomes of the training, or more.

    Notes
    -----
    That of so many throws which fall on any (base, strand) pair that was read alike. Loci that lie
    together are no throws of their own, so that the chance is rather larger than this. NaN where
    `seen_share` is.
    """
    if not n_read[~is_seen].sum() or not n_loci.sum():
        return float("nan")
    share = float(n_read[is_seen].sum() / n_read.sum())
    return float(binom.sf(n_loci[is_seen].sum() - 1, n_loci.sum(), share))
