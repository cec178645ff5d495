"""Two readings compared: the best of each feature, and the share that is matched, as blocks vary.

A feature is *matched* if it and its best are each other's best, with an r of at least ``min_r``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from genointerp.comparison.matching.candidates import Best, is_mutual
from genointerp.comparison.matching.classes import Classes, Moments, one_class
from genointerp.comparison.matching.config import MatchConfig
from genointerp.comparison.matching.pairing import Groups, Pairing
from genointerp.comparison.matching.resample import draw_weights, drawn_correlations
from genointerp.core.progress import Progress, silent

DECILES = 10

_SLACK = 0.2
# pairs whose r is this far below the least may reach it in a draw; those farther below do not


@dataclass(frozen=True)
class Partners:
    """The best of each feature of both readings under one correlation; -1 and r = 0 if none.

    Parameters
    ----------
    partner, r
        By reading, and then by feature.
    """

    partner: tuple[Int64[np.ndarray, " own"], Int64[np.ndarray, " other"]]
    r: tuple[Float64[np.ndarray, " own"], Float64[np.ndarray, " other"]]

    @classmethod
    def of(cls, own: Best, other: Best) -> "Partners":
        """Return the first of the best candidates."""
        (a, r_a), (b, r_b) = own.top(), other.top()
        return cls((a, b), (r_a, r_b))

    def is_mutual(self, side: int) -> Bool[np.ndarray, " feature"]:
        """Return which features of a reading are the best of their best."""
        return is_mutual(self.partner[side], self.partner[1 - side])

    def is_matched(self, side: int, min_r: float) -> Bool[np.ndarray, " feature"]:
        """Return which features of a reading are matched."""
        return np.asarray(self.is_mutual(side) & (self.r[side] >= min_r))

    def pairs(self, min_r: float) -> Int64[np.ndarray, "pair 2"]:
        """Return the matched pairs."""
        own = np.flatnonzero(self.is_matched(0, min_r))
        return np.column_stack([own, self.partner[0][own]])


@dataclass(frozen=True)
class Side:
    """The features of one reading: which are tested, and how dense they are.

    Parameters
    ----------
    n_hits
        Number of cells on which each feature fires.
    is_tested
        Whether that is enough.
    decile
        Tenth of the tested features that a feature is in, by rising density, from 1; 0 if it is not
        tested.
    """

    n_hits: Int64[np.ndarray, " feature"]
    is_tested: Bool[np.ndarray, " feature"]
    decile: Int64[np.ndarray, " feature"]

    @classmethod
    def of(cls, n_hits: Int64[np.ndarray, " feature"], min_bases: int) -> "Side":
        """Return which features are tested."""
        is_tested = n_hits >= min_bases
        decile = np.zeros(len(n_hits), dtype=np.int64)
        order = np.flatnonzero(is_tested)
        order = order[np.argsort(n_hits[order], kind="stable")]
        for number, part in enumerate(np.array_split(order, DECILES), start=1):
            decile[part] = number
        return cls(n_hits, is_tested, decile)

    def members(self, decile: int) -> Bool[np.ndarray, " feature"]:
        """Return the tested features of a tenth; 0 means all of them."""
        return self.is_tested if decile == 0 else self.decile == decile

    def share(
        self, is_matched: Bool[np.ndarray, "feature ..."], decile: int
    ) -> Float64[np.ndarray, "..."]:
        """Return the share of the tested features of a tenth that are matched; NaN if none are."""
        own = is_matched[self.members(decile)]
        return np.asarray(own.mean(axis=0) if len(own) else np.full(own.shape[1:], np.nan))


@dataclass(frozen=True)
class Under:
    """One correlation, as it is, and in draws of blocks.

    Parameters
    ----------
    classes
        Whose means are taken out.
    moments
        Of both readings.
    partners
        The best of each feature.
    pairs, drawn
        Pairs that may be matched in a draw, and their r in each.
    """

    classes: Classes
    moments: tuple[Moments, Moments]
    partners: Partners
    pairs: Int64[np.ndarray, "pair 2"]
    drawn: Float64[np.ndarray, "pair draw"]

    def drawn_shares(
        self, side: Side, number: int, min_r: float
    ) -> Float64[np.ndarray, "part draw"]:
        """Return in each draw the share that is matched, of all features and of each tenth."""
        is_matched = np.zeros((len(side.n_hits), self.drawn.shape[1]), dtype=np.bool_)
        is_matched[self.pairs[:, number]] = self.drawn >= min_r
        return np.stack([side.share(is_matched, decile) for decile in range(DECILES + 1)])

    def shares(self, side: Side, number: int, min_r: float) -> Float64[np.ndarray, " part"]:
        """Return the share that is matched, of all features and of each tenth."""
        is_matched = self.partners.is_matched(number, min_r)
        return np.stack([side.share(is_matched, decile) for decile in range(DECILES + 1)])


@dataclass(frozen=True)
class Compared:
    """Two readings compared, as they are and with the composition taken out.

    Parameters
    ----------
    sides
        The features of the own reading, and of the other.
    plain, residual
        Pearson's r, and that of what the means of the classes leave; None without classes.
    """

    sides: tuple[Side, Side]
    plain: Under
    residual: Under | None


class Comparison:
    """Two readings of the same bases, ready to be compared.

    Parameters
    ----------
    pairing
        The readings.
    composition
        Classes whose means are taken out besides; None if they are not known.
    """

    def __init__(self, pairing: Pairing, composition: Classes | None, config: MatchConfig) -> None:
        self.pairing, self.config = pairing, config
        self.classes = [one_class(pairing.panels)]
        if composition is not None:
            self.classes.append(composition)
        back = pairing.swapped()
        self.moments = [(one.moments(pairing), one.moments(back)) for one in self.classes]
        own, other = (Side.of(it.n_hits, config.min_bases) for it in self.moments[0])
        self.sides = own, other

    def correlations(
        self, sums: Float64[np.ndarray, "feature other"], first: int
    ) -> list[Float64[np.ndarray, "feature other"]]:
        """Return r under each of the classes; 0 where a feature is not tested."""
        return [
            self.masked(classes.correlation(sums, *moments, first), first)
            for classes, moments in zip(self.classes, self.moments, strict=True)
        ]

    def masked(
        self, r: Float64[np.ndarray, "feature other"], first: int
    ) -> Float64[np.ndarray, "feature other"]:
        """Return r, with 0 where a feature is not tested."""
        own, other = self.sides
        r[~own.is_tested[first : first + len(r)]] = 0.0
        r[:, ~other.is_tested] = 0.0
        return r

    def compared(self, partners: Sequence[Partners]) -> Compared:
        """Return the result, given the best of each feature under each of the classes."""
        groups = Groups(self.pairing.own)
        weights = draw_weights(groups.n, self.config.n_draws, seed=self.config.seed)
        found = []
        for classes, moments, best in zip(self.classes, self.moments, partners, strict=True):
            pairs = best.pairs(max(self.config.min_r - _SLACK, 0.0))
            drawn = drawn_correlations(self.pairing, pairs, classes, moments, groups, weights)
            found.append(Under(classes, moments, best, pairs, drawn))
        return Compared(self.sides, found[0], found[1] if len(found) > 1 else None)


def compare_plainly(
    pairing: Pairing,
    composition: Classes | None,
    config: MatchConfig,
    progress: Progress = silent,
) -> Compared:
    """Compare two readings, without rotations: as is done with twins and with another seed."""
    comparison = Comparison(pairing, composition, config)
    both = [(Best(pairing.n_own, 1), Best(pairing.n_other, 1)) for _ in comparison.classes]
    for first, stop in pairing.blocks():
        sums = pairing.sums(pairing.load(first, stop))
        for (own, other), r in zip(both, comparison.correlations(sums, first), strict=True):
            own.add(first, 0, r)
            other.add(0, first, r.T)
        progress(stop, pairing.n_own)
    return comparison.compared([Partners.of(*one) for one in both])
