"""Whether a feature keeps to the genomes that its dictionary was trained on."""

import numpy as np
from jaxtyping import Bool, Int64

from genointerp.core.binomial import chance_of_at_least


def seen_share(
    n_loci: Int64[np.ndarray, " genome"],
    n_read: Int64[np.ndarray, " genome"],
    is_seen: Bool[np.ndarray, " genome"],
) -> float:
    """Return to what degree the loci of a feature keep to the genomes of training.

    Notes
    -----
    ``s / (s + u)``, where s is the number of loci per (base, strand) pair read in the genomes of
    training, and u that in the other genomes. It is 1/2 if the feature fires equally often in both,
    independent of how much of each was read; 0 if no genome of training was read; NaN if no other
    genome was read or there is no locus.
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
    """Return the chance of as many or more loci in the genomes of training.

    Notes
    -----
    Each locus is taken as an independent draw that falls on any (base, strand) pair read with equal
    probability. Loci that lie close together are not independent, so the true chance is somewhat
    larger. NaN if `seen_share` is.
    """
    if not n_read[~is_seen].sum() or not n_loci.sum():
        return float("nan")
    share = float(n_read[is_seen].sum() / n_read.sum())
    return chance_of_at_least(int(n_loci[is_seen].sum()), int(n_loci.sum()), share)
