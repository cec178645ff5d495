"""What bases at which a feature fires have in common: a motif, words, a period, a GC content."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64, UInt8
from scipy.stats import binom

from genointerp.association.count.tracks import RowTrack
from genointerp.core.metric import auroc_of_counts, chance_information, information_content
from genointerp.genome.letters import BASES, IUPAC, UNKNOWN
from genointerp.labelling.backdrop import word_text
from genointerp.labelling.gc_content import GC_WINDOW

MOST_LAG = 60
"""Largest lag at which a period is looked for, in bp."""

MAX_P = 0.01
"""Largest p of a period, before it is divided by the number of lags."""

N_WORDS = 8
"""Number of words that are listed."""

_CHI2_95 = 7.8147
_LEAST_BITS = 0.25
_LEAST_SHARE = 0.75


@dataclass(frozen=True)
class MotifEvidence:
    """Bases before the peaks of the strongest loci, copies counted once.

    Parameters
    ----------
    consensus
        IUPAC letters from the first to the last column that tells more than chance; empty if none.
    offset
        bp from its last base to the peak, in reading direction.
    bits
        Information of these columns together.
    n_loci
        Number of loci that were aligned.
    """

    consensus: str
    offset: int
    bits: float
    n_loci: int


def gc_range(gc: Float64[np.ndarray, " base"]) -> tuple[float, float]:
    """Return the 5th and the 95th percentile of GC contents, outwards in steps of one base."""
    low, high = np.quantile(gc, [0.05, 0.95]) * GC_WINDOW
    return float(np.floor(low + 1e-9) / GC_WINDOW), float(np.ceil(high - 1e-9) / GC_WINDOW)


def word_auroc(
    firing: Int64[np.ndarray, "half word"], background: Int64[np.ndarray, "half word"]
) -> float:
    """Return how well the last five bases tell where a feature fires.

    Words are scored by the share of their bases on which it fires in one half of the blocks, and
    the AUROC is measured in the other; the mean of both ways. NaN if it fires in one half only.
    """
    found = []
    for half in (0, 1):
        score = (firing[half] + 0.5) / (background[half] + 1.0)
        other = 1 - half
        silent = background[other] - firing[other]
        found.append(auroc_of_counts(firing[other], silent, score=score))
    return float(np.mean(found))


def find_period(tracks: Sequence[RowTrack]) -> tuple[int, float]:
    """Return the lag at which a feature fires again more often than at the lags beside it.

    The ratio is of bases that fire again at the lag to the mean of those at the lags before and
    after, with one added to both. Lag 0 and ratio 1 if no lag up to `MOST_LAG` has a p of `MAX_P`
    divided by their number, where p is binomial: a third of the bases of the three lags by chance,
    taken as independent. The ratio is the largest; the lag is the smallest divisor of that with the
    largest ratio that passes too.
    """
    counts = np.zeros(MOST_LAG + 2, np.float64)
    for track in tracks:
        for step in range(1, min(MOST_LAG + 2, len(track.row))):
            gap = track.row[step:] - track.row[:-step]
            near = gap[gap <= MOST_LAG + 1]
            if not len(near):
                break
            counts += np.bincount(near, minlength=MOST_LAG + 2)
    lag = np.arange(2, MOST_LAG + 1)
    beside = counts[lag - 1] + counts[lag + 1]
    p = binom.sf(counts[lag] - 1, counts[lag] + beside, 1 / 3)
    ratio = (counts[lag] + 1) / (beside / 2 + 1)
    passing = p <= MAX_P / len(lag)
    if not passing.any():
        return 0, 1.0
    best = int(lag[np.argmax(np.where(passing, ratio, 0))])
    # a multiple of a period is one as well
    period = next(one for one in lag[passing].tolist() if best % one == 0)
    return int(period), float(ratio[passing].max())


def find_motif(
    aligned: UInt8[np.ndarray, "locus offset"],
    background: Float64[np.ndarray, "4"],
    min_loci: int,
) -> MotifEvidence:
    """Return the consensus of aligned bases, of which the last column is the peak."""
    n_loci, length = aligned.shape
    empty = MotifEvidence("", 0, 0.0, n_loci)
    if n_loci < min_loci:
        return empty
    counts = np.stack(
        [np.bincount(aligned[:, i], minlength=UNKNOWN + 1)[:UNKNOWN] for i in range(length)]
    ).astype(np.int64)
    bits = information_content(counts, background)
    least = np.maximum(chance_information(counts.sum(axis=1), _CHI2_95), _LEAST_BITS)
    told = np.flatnonzero(bits >= least)
    if not len(told):
        return empty
    first, last = int(told[0]), int(told[-1])
    letters = [
        _letter(counts[i]) if i in set(told.tolist()) else "N" for i in range(first, last + 1)
    ]
    return MotifEvidence("".join(letters), length - 1 - last, float(bits[told].sum()), n_loci)


def _letter(counts: Int64[np.ndarray, "4"]) -> str:
    """Return the shortest IUPAC letter whose bases make up `_LEAST_SHARE` of a column."""
    order = np.argsort(-counts, kind="stable")
    total, kept = max(int(counts.sum()), 1), []
    for base in order.tolist():
        kept.append(BASES[base])
        if counts[order[: len(kept)]].sum() >= _LEAST_SHARE * total:
            break
    wanted = "".join(sorted(kept))
    return next(letter for letter, allowed in IUPAC.items() if "".join(sorted(allowed)) == wanted)


def words_used(
    firing: Int64[np.ndarray, "half word"], background: Int64[np.ndarray, "half word"]
) -> tuple[dict[str, Any], ...]:
    """Return the `N_WORDS` words that most often end where a feature fires.

    ``share`` is of the bases on which it fires; ``times_expected`` is that relative to the share of
    the word among all bases of fit.
    """
    own, every = firing.sum(axis=0), background.sum(axis=0)
    order = np.argsort(-own, kind="stable")[:N_WORDS].tolist()
    rate = own.sum() / max(every.sum(), 1)
    return tuple(
        {
            "word": word_text(number),
            "share": float(own[number] / own.sum()),
            "times_expected": float(own[number] / max(every[number] * rate, 1e-12)),
        }
        for number in order
        if own[number]
    )
