"""Co-activation by lag: which features fire a fixed number of bases after which others.

Only the firing counts, not its strength. Each strand is read in its own direction and counted by
itself, since a gene, and with it most of what fires, lies on one of them.
"""

import logging
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from genointerp.association.null.rotated import standardised
from genointerp.association.null.significance import stepped_up
from genointerp.association.threads import MAX_THREADS, spread
from genointerp.core.progress import Progress, piece, silent
from genointerp.core.seed import rng
from genointerp.feature.specimen import Specimen
from genointerp.store.feature.store import STRANDS, FeatureStore
from genointerp.store.table.schema.circuit import COACTIVATION, COACTIVATION_LAGS
from genointerp.store.table.table import conform
from genointerp.wiring.axis import lay_axis
from genointerp.wiring.config import LAGS, MIRROR_LAGS, NEAR, CircuitConfig
from genointerp.wiring.count import BLOCK_COUNTS, BLOCK_HITS, StrandCount
from genointerp.wiring.null import QUANTILE, PooledNull, draw_rotations

_log = logging.getLogger(__name__)

Relation = Literal["same", "opposite"]

PROMINENCE = 0.1
"""How far phi must fall between two peaks of a curve for both to count towards its period."""

NEARLY = 0.9
"""Share of the highest peak from which on a peak at a shorter lag is taken in its place."""


class Coactivation(NamedTuple):
    """Edges, and the curves that they are the peaks of.

    Parameters
    ----------
    edges
        Schema ``COACTIVATION``.
    lags
        Schema ``COACTIVATION_LAGS``: every lag of the pairs that have an edge.
    """

    edges: pd.DataFrame
    lags: pd.DataFrame


class _Pairs(NamedTuple):
    """Ordered pairs of features that are as high as an edge at some lag of some strand."""

    a: Int64[np.ndarray, " pair"]
    b: Int64[np.ndarray, " pair"]
    phi: Float64[np.ndarray, "pair strand lag"]
    n_joint: Int64[np.ndarray, "pair strand lag"]


class _Tests(NamedTuple):
    """What the null says of each pair; ``high`` is the `QUANTILE` of phi under rotation."""

    high: Float64[np.ndarray, "pair strand"]
    p: Float64[np.ndarray, "pair strand lag"]
    q: Float64[np.ndarray, "pair strand lag"]
    n_null: Int64[np.ndarray, "pair strand"]


def measure_coactivation(
    specimens: Sequence[Specimen],
    config: CircuitConfig | None = None,
    progress: Progress = silent,
) -> Coactivation:
    """Measure which features fire together at which lags.

    Parameters
    ----------
    specimens
        Genomes with the features of one dictionary, all of which are counted together.

    Raises
    ------
    InputError
        If too few bases were read to rotate a track.

    Notes
    -----
    ``phi(a, b, lag)`` is the correlation (`mcc`) of "a fires on base t" with "b fires on base
    t + lag" when one strand is read, over all t of which both bases were read; lags count along
    that strand. Pairs on opposite strands are the same with b read on the other strand, lags still
    counted along the strand of a.

    An edge is a peak of phi over the lags of an ordered pair on one strand, with phi of at least
    ``min_phi``, joint firings of at least ``min_bases`` and q of at most ``max_q``. Of several
    peaks the shortest lag counts that has `NEARLY` the highest phi, and of the two strands the one
    with the higher phi there. An edge at lag 0 is stated once, from the lower feature to the higher
    one, and so is a pair on opposite strands.

    Each phi is standardised by the rotations of its pair, and p is pooled (`PooledNull`). q is
    corrected (Benjamini and Hochberg) over all ordered pairs of tested features, both strands and
    all lags; those on one strand and those on opposite strands each for themselves. A test without
    the effect or the joint firings counts as p = 1, which can only make the q of the others larger.
    """
    config = config or CircuitConfig()
    stores = [specimen.features for specimen in specimens]
    tables = []
    relations: tuple[Relation, Relation] = ("same", "opposite")
    for number, relation in enumerate(relations):
        report = piece(progress, number, len(relations))
        tables.append(_Measurement(stores, relation, config).tables(report))
    edges, curves = (pd.concat(both, ignore_index=True) for both in zip(*tables, strict=True))
    return Coactivation(
        conform(edges, COACTIVATION, where="edges"),
        conform(curves, COACTIVATION_LAGS, where="lags"),
    )


class _Measurement:
    """All pairs that are read on one strand, or all that are read on opposite ones."""

    def __init__(
        self, stores: Sequence[FeatureStore], relation: Relation, config: CircuitConfig
    ) -> None:
        self.relation, self.config = relation, config
        self.n_features = stores[0].n_features
        lags = LAGS if relation == "same" else MIRROR_LAGS
        self.lags = np.array(lags, dtype=np.int64)
        self.counts = []
        for strand in STRANDS:
            axis = lay_axis(stores, strand, lags)
            rotations = draw_rotations(
                axis.n_cells, config.n_rotations, beyond=max(LAGS), seed=config.seed
            )
            is_opposite = relation == "opposite"
            self.counts.append(StrandCount(axis, self.lags, rotations, is_opposite=is_opposite))
        self.n_firing = sum(
            (store.n_firing(strand) for store in stores for strand in STRANDS),
            np.zeros(self.n_features, dtype=np.int64),
        )
        self.is_tested = self.n_firing >= config.min_bases

    def tables(self, progress: Progress) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the edges, and all lags of their pairs."""
        pairs = self._find_pairs(progress)
        tests = self._test(pairs)
        is_edge = self._peaks(pairs) & (tests.q <= self.config.max_q)
        is_edge &= (pairs.phi >= self.config.min_phi) & (pairs.n_joint >= self.config.min_bases)
        is_twin = pairs.a > pairs.b
        if self.relation == "opposite":
            # phi(a, b, lag) on one strand is phi(b, a, lag) on the other one
            is_edge[is_twin] = False
        else:
            is_edge[..., self.lags == 0] &= ~is_twin[:, None, None]
        kept = np.flatnonzero(is_edge.any(axis=(1, 2)))
        strand, lag = _best(is_edge[kept], pairs.phi[kept], self.lags)
        return self._edges(pairs, tests, kept, strand, lag), self._curves(pairs, tests, kept)

    def _find_pairs(self, progress: Progress) -> _Pairs:
        n = self.n_features
        blocks = self._blocks()
        found = spread(self._block, blocks, lambda done: progress(blocks[done - 1][1], n))
        return _Pairs(*(np.concatenate(column) for column in zip(*found, strict=True)))

    def _blocks(self) -> list[tuple[int, int]]:
        """Return consecutive features whose counts, and firings, a thread holds at once."""
        n = self.n_features
        size = max(1, min(BLOCK_COUNTS // (n * len(self.lags)), -(-n // MAX_THREADS)))
        blocks: list[tuple[int, int]] = []
        first, n_hits = 0, 0
        for feature, n_own in enumerate(self.n_firing.tolist()):
            if feature > first and (feature - first == size or n_hits + n_own > BLOCK_HITS):
                blocks.append((first, feature))
                first, n_hits = feature, 0
            n_hits += n_own
        return [*blocks, (first, n)]

    def _block(self, block: tuple[int, int]) -> _Pairs:
        """Count the pairs whose first feature is in a block."""
        both = [count.at_lags(*block) for count in self.counts]
        source = np.arange(*block)
        is_pair = self.is_tested[source][:, None] & self.is_tested
        if self.relation == "same":
            is_pair[np.arange(len(source)), source] = False
        for_both = np.maximum(*(one.n.max(axis=1) for one in both))
        s, b = np.nonzero(is_pair & (for_both >= self.config.min_bases))
        phi = np.stack(
            [count.phi_at_lags(one, s, b) for count, one in zip(self.counts, both, strict=True)],
            axis=1,
        )
        n_joint = np.stack([one.n[s, :, b] for one in both], axis=1).astype(np.int64)
        is_high = (n_joint >= self.config.min_bases) & (phi >= self.config.min_phi)
        kept = is_high.any(axis=(1, 2))
        return _Pairs(source[s[kept]], b[kept], phi[kept], n_joint[kept])

    def _test(self, pairs: _Pairs) -> _Tests:
        config, n = self.config, int(self.is_tested.sum())
        drawn = rng(config.seed, "circuit/pooled").choice(
            np.flatnonzero(self.is_tested), min(config.n_pooled, n), replace=False
        )
        pool = PooledNull()
        for count in self.counts:
            pool.merge(count.pool(drawn, self.is_tested, min_bases=config.min_bases))
        high, p = np.zeros(pairs.phi.shape[:2]), np.ones(pairs.phi.shape)
        n_null = np.zeros(pairs.phi.shape[:2], dtype=np.int64)
        for strand, count in enumerate(self.counts):
            both = list(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True))
            if not both:
                continue
            # rotation by pair
            null = np.array(spread(count.rotated, both)).T
            score = standardised(
                np.moveaxis(pairs.phi[:, strand], 1, 0), null[:, None], 1 / count.n_pairs
            ).T
            kind = count.kinds(pairs.a, pairs.b)
            high[:, strand] = np.quantile(null, QUANTILE, axis=0)
            p[:, strand] = pool.p_values(kind, score)
            n_null[:, strand] = pool.n_rotated[kind]
        p[pairs.n_joint < config.min_bases] = 1.0
        n_tests = (n * n if self.relation == "opposite" else n * (n - 1)) * 2 * len(self.lags)
        unclipped = stepped_up(p.ravel(), n_tests=n_tests).reshape(p.shape)
        _log.info(
            "%s strand: %d features tested in %d tests; the null has %d rotated pairs of %d "
            "rotations on each strand",
            self.relation,
            n,
            n_tests,
            int(pool.n_rotated.sum()),
            len(self.counts[0].rotations),
        )
        is_peak = self._peaks(pairs) & (pairs.phi >= config.min_phi)
        self._warn_of_too_small_a_null(is_peak, p, unclipped, n_null)
        return _Tests(high, p, np.minimum(unclipped, 1.0), n_null)

    def _warn_of_too_small_a_null(
        self,
        is_peak: Bool[np.ndarray, "pair strand lag"],
        p: Float64[np.ndarray, "pair strand lag"],
        unclipped: Float64[np.ndarray, "pair strand lag"],
        n_null: Int64[np.ndarray, "pair strand"],
    ) -> None:
        """Warn where more rotations could tell what the null cannot."""
        n_null = n_null[..., None]
        # without rotated pairs, as on a strand that was not read, p is 1 whatever their number
        is_top = is_peak & (n_null > 0) & (p <= 1 / (1 + n_null))
        is_top &= unclipped > self.config.max_q
        if is_top.any():
            # p is 1 / (1 + n_null) and n_null grows with the rotations; a q that became 1 would not
            # say how many are missing
            own = np.broadcast_to(n_null, p.shape)[is_top]
            times = (unclipped[is_top] * (1 + own) / self.config.max_q - 1) / own
            enough = self.config.n_rotations * float(times.max())
            _log.warning(
                "%s strand: %d pairs score above all rotated pairs and yet have a q above %g; "
                "n_rotations of %d would be enough for them",
                self.relation,
                int(is_top.any(axis=(1, 2)).sum()),
                self.config.max_q,
                int(np.ceil(enough)),
            )

    def _peaks(self, pairs: _Pairs) -> Bool[np.ndarray, "pair strand lag"]:
        """Return the lags at which no neighbouring lag is higher, in either direction."""
        phi = pairs.phi
        edge = np.full((*phi.shape[:2], 1), -np.inf)
        before = np.concatenate([edge, phi[..., :-1]], axis=-1)
        after = np.concatenate([phi[..., 1:], edge], axis=-1)
        if self.relation == "same" and len(phi):
            # before lag 0 comes lag 1 of the other direction
            number = pairs.a * self.n_features + pairs.b
            reverse = pairs.b * self.n_features + pairs.a
            order = np.argsort(number)
            place = order[np.minimum(np.searchsorted(number[order], reverse), len(order) - 1)]
            known = number[place] == reverse
            before[known, :, 0] = phi[place[known], :, 1]
        return np.asarray((phi >= before) & (phi >= after))

    def _edges(
        self,
        pairs: _Pairs,
        tests: _Tests,
        kept: Int64[np.ndarray, " edge"],
        strand: Int64[np.ndarray, " edge"],
        lag: Int64[np.ndarray, " edge"],
    ) -> pd.DataFrame:
        at = kept, strand, lag
        is_near = np.abs(self.lags) <= NEAR
        table = pd.DataFrame(
            {
                "feature_a": pairs.a[kept],
                "feature_b": pairs.b[kept],
                "relation": self.relation,
                "strand": np.array(STRANDS)[strand],
                "lag": self.lags[lag],
                "phi": pairs.phi[at],
                "phi_0": pairs.phi[kept, strand, int(np.flatnonzero(self.lags == 0)[0])],
                "null_phi": tests.high[kept, strand],
                "p_value": tests.p[at],
                "q_value": tests.q[at],
                "n_null": tests.n_null[kept, strand],
                "n_joint": pairs.n_joint[at],
                "phi_plus": pairs.phi[kept, 0, lag],
                "phi_minus": pairs.phi[kept, 1, lag],
                "period": [period_of(phi[is_near]) for phi in pairs.phi[kept, strand]],
            }
        )
        return table.sort_values(
            ["phi", "feature_a", "feature_b"], ascending=[False, True, True], kind="stable"
        )

    def _curves(
        self, pairs: _Pairs, tests: _Tests, kept: Int64[np.ndarray, " edge"]
    ) -> pd.DataFrame:
        n, n_lags = len(kept), len(self.lags)
        pair = np.repeat(kept, len(STRANDS) * n_lags)
        return pd.DataFrame(
            {
                "feature_a": pairs.a[pair],
                "feature_b": pairs.b[pair],
                "relation": self.relation,
                "strand": np.tile(np.repeat(STRANDS, n_lags), n),
                "lag": np.tile(self.lags, n * len(STRANDS)),
                "phi": pairs.phi[kept].ravel(),
                "null_phi": np.repeat(tests.high[kept].ravel(), n_lags),
                "p_value": tests.p[kept].ravel(),
                "q_value": tests.q[kept].ravel(),
                "n_joint": pairs.n_joint[kept].ravel(),
            }
        )


def _best(
    is_edge: Bool[np.ndarray, "pair strand lag"],
    phi: Float64[np.ndarray, "pair strand lag"],
    lags: Int64[np.ndarray, " lag"],
) -> tuple[Int64[np.ndarray, " pair"], Int64[np.ndarray, " pair"]]:
    """Return the strand and the number of the lag of the edge of each pair."""
    own = np.where(is_edge, phi, -np.inf)
    strand = own.max(axis=2, initial=-np.inf).argmax(axis=1)
    own = own[np.arange(len(phi)), strand]
    nearest = np.argsort(np.abs(lags), kind="stable")
    is_high = own >= NEARLY * own.max(axis=1, initial=0.0)[:, None]
    # argmax of a mask is its first True
    return strand.astype(np.int64), nearest[is_high[:, nearest].argmax(axis=1)]


def period_of(phi: Float64[np.ndarray, " lag"]) -> float:
    """Return the distance of the peaks of a curve over consecutive lags; NaN with fewer than two.

    Notes
    -----
    The median distance of neighbouring peaks. A peak is higher than both neighbours, and between
    two peaks phi falls at least `PROMINENCE` below the lower one.

    Examples
    --------
    >>> period_of(np.array([0.0, 0.5, 0.1, 0.0, 0.4, 0.1, 0.0, 0.4, 0.0]))
    3.0
    """
    peaks: list[int] = []
    for lag in range(1, len(phi) - 1):
        if not (phi[lag] > phi[lag - 1] and phi[lag] > phi[lag + 1]):
            continue
        if peaks and phi[peaks[-1] : lag].min() > min(phi[peaks[-1]], phi[lag]) - PROMINENCE:
            if phi[lag] > phi[peaks[-1]]:
                peaks[-1] = lag
            continue
        peaks.append(lag)
    return float(np.median(np.diff(peaks))) if len(peaks) > 1 else float("nan")
