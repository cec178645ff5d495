"""What all judges say of the designs of one condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, UInt8

from genointerp.core.seed import rng
from genointerp.intervention.judge.finders import Found
from genointerp.intervention.judge.sequences import Texts, divergence, diversity, word_shares
from genointerp.intervention.judge.stops import stop_codons, stop_ratio, stop_ratio_interval
from genointerp.intervention.judge.trna import trna_signs

COPY = 31
"""Length from which a run that stands elsewhere makes a design a copy."""
_FAR = 3.0
"""Standard errors from which a feature counts as moved."""
_N_DRAWS = 1000
_MEANS = (
    *("log_p_painted", "log_p", "log_p_behind", "gc", "identity"),
    *("coding_0", "coding_1", "coding_2", "coding_other", "trna", "rrna"),
    *("t_loop", "d_loop", "cca", "acceptor_pairs"),
)


@dataclass(frozen=True, eq=False)
class Judged:
    """Designs of one condition, in the schema ``DESIGNS``, and what the unpainted model reads.

    ``amounts`` is the mean amount of each feature over the bases of each design.
    """

    table: pd.DataFrame
    amounts: Float32[np.ndarray, "design n_features"]

    @property
    def bases(self) -> UInt8[np.ndarray, "design bp"]:
        """The designs as letters."""
        return np.array([[*text.encode()] for text in self.table["sequence"]], np.uint8)


def judged(
    texts: Sequence[str], before: Sequence[UInt8[np.ndarray, " _"]], known: Texts
) -> dict[str, Any]:
    """Return the columns of designs that say what is in each.

    Parameters
    ----------
    before
        The bases that were read before each design.
    known
        Genomes in which copies are sought.
    """
    bases = np.array([[*text.encode()] for text in texts], np.uint8)
    found, signs = Found(texts), [trna_signs(text) for text in texts]
    return {
        "gc": np.isin(bases, [*b"GC"]).mean(1),
        **{f"n_stops_{frame}": stop_codons(bases, frame).sum(1) for frame in range(3)},
        **{f"coding_{frame}": found.coding(frame) for frame in range(3)},
        "coding_other": found.coding(None),
        "trna": found.has("pyaragorn"),
        "rrna": found.has("pybarrnap"),
        "t_loop": [int(it.t_loop) for it in signs],
        "d_loop": [int(it.d_loop) for it in signs],
        "cca": [int(it.cca) for it in signs],
        "acceptor_pairs": [it.acceptor_pairs for it in signs],
        "copied_before": [
            Texts([one]).longest_copy(own) for one, own in zip(before, bases, strict=True)
        ],
        "copied_known": [known.longest_copy(own) for own in bases],
    }


def summary_of(
    own: Judged, unpainted: Judged, painted: Sequence[int], *, seed: int
) -> dict[str, Any]:
    """Return the means over the designs of a condition, and its side effects.

    Parameters
    ----------
    unpainted
        Designs of the same numbers that were not painted.
    painted
        Features that were painted, which do not count as moved.
    """
    table, bases = own.table, own.bases
    low, high = stop_ratio_interval(bases, 0, seed=seed)
    coding = _interval(table["coding_0"].to_numpy(np.float64), seed)
    copies = table[["copied_before", "copied_known"]].max(axis=1) >= COPY
    return {
        "n_designs": len(table),
        **{name: float(table[name].mean()) for name in _MEANS},
        "diversity": diversity(bases),
        **{f"stops_{frame}": stop_ratio(bases, frame) for frame in range(3)},
        "stops_0_low": low,
        "stops_0_high": high,
        "coding_0_low": coding[0],
        "coding_0_high": coding[1],
        "copies": float(copies.mean()),
        "words": divergence(word_shares(bases), word_shares(unpainted.bases)),
        "features_moved": n_moved(own.amounts, unpainted.amounts, painted),
    }


def n_moved(
    own: Float32[np.ndarray, "design n_features"],
    unpainted: Float32[np.ndarray, "design n_features"],
    painted: Sequence[int],
) -> float:
    """Return how many features that were not painted have other amounts in designs than before.

    Notes
    -----
    Over pairs of designs of one number, z is the mean of the difference over its standard error; a
    feature counts if z exceeds 3 in size. It is undefined for less than two pairs, and grows
    with their number: only numbers of as many designs can be compared.
    """
    change = own.astype(np.float64) - unpainted
    if len(change) < 2:
        return float("nan")
    error = change.std(0, ddof=1) / np.sqrt(len(change))
    moved = np.abs(change.mean(0)) > _FAR * error
    moved[list(painted)] = False
    return float(moved.sum())


def _interval(values: Float64[np.ndarray, " design"], seed: int) -> tuple[float, float]:
    """Return the 95 % interval of a mean, from designs drawn again with replacement."""
    draws = rng(seed, "designs drawn again").integers(len(values), size=(_N_DRAWS, len(values)))
    low, high = np.quantile(values[draws].mean(1), [0.025, 0.975])
    return float(low), float(high)
