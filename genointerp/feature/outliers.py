"""Tokens of unusual norm, on which no dictionary is trained and features mean little."""

import numpy as np
from jaxtyping import Bool

from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand

_CHUNK = 65_536

Outliers = dict[ReadStrand, Bool[np.ndarray, " _row"]]


def outlier_bases(store: FeatureStore, activations: ActivationStore, *, n_sd: float) -> Outliers:
    """Return for each strand and global row whether its token is an outlier.

    Notes
    -----
    A token is an outlier if the norm of its activation exceeds the mean of all tokens of the file
    by more than ``n_sd`` standard deviations. A base read by several windows is an outlier if it is
    one in any of them.
    """
    chunks = [
        (start, min(start + _CHUNK, activations.n_tokens))
        for start in range(0, activations.n_tokens, _CHUNK)
    ]
    norm = np.concatenate(
        [np.linalg.norm(activations.rows(*chunk), axis=1).astype(np.float64) for chunk in chunks]
        or [np.zeros(0)]
    )
    found: Outliers = {strand: np.zeros(store.n_rows, dtype=np.bool_) for strand in STRANDS}
    if not len(norm):
        return found
    # rounding may put the mean of equal numbers below them
    is_beyond = norm > norm.mean() * (1 + 1e-6) + n_sd * norm.std()
    for start, stop in chunks:
        own = np.flatnonzero(is_beyond[start:stop])
        if len(own):
            bases = activations.token_bases(start, stop)
            number = np.searchsorted(activations.window_offset, start + own, side="right") - 1
            rows = zip(
                number.tolist(), bases.start[own].tolist(), bases.end[own].tolist(), strict=True
            )
            for index, first, last in rows:
                window = activations.windows[index]
                offset = store.offsets[window.seqid]
                found["-" if window.strand == "-" else "+"][offset + first : offset + last] = True
    return found
