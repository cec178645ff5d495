"""Match the features of two dictionaries on the bases that both have read."""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Int64

from genointerp.comparison.matching.bases import common_panels
from genointerp.comparison.matching.candidates import (
    MOST_ASSIGNED,
    Best,
    OneToOne,
    assign,
    count_parts,
    take_greedily,
)
from genointerp.comparison.matching.classes import Classes, composition_classes, one_class
from genointerp.comparison.matching.compared import (
    Compared,
    Comparison,
    Partners,
    compare_plainly,
)
from genointerp.comparison.matching.config import MatchConfig
from genointerp.comparison.matching.ensemble import Halves, explained_by_best
from genointerp.comparison.matching.null import QUANTILE, Rotations, draw_rotations, significance
from genointerp.comparison.matching.pairing import Pairing
from genointerp.comparison.matching.summary import SIDES, summarise
from genointerp.core.errors import MismatchError
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, piece, silent
from genointerp.feature.specimen import Specimen, check_distinct
from genointerp.store.feature.store import STRANDS, FeatureStore
from genointerp.store.table.schema.matching import MATCH_SUMMARY, MATCHES
from genointerp.store.table.table import conform

_log = logging.getLogger(__name__)


class Matches(NamedTuple):
    """Matches of two dictionaries.

    Parameters
    ----------
    table
        Schema ``MATCHES``: a row for each feature of either dictionary.
    summary
        Schema ``MATCH_SUMMARY``: the shares that are matched, next to their nulls.
    """

    table: pd.DataFrame
    summary: pd.DataFrame


class Controls(NamedTuple):
    """Further readings of the same genomes, as far as there are any.

    Parameters
    ----------
    twin_a, twin_b
        A model of the same network as that of a or b with random weights, read with a dictionary
        that was trained on it. Where a and b are of one model and site, one twin is that of both.
    ceiling
        The model of a, read with a dictionary of another seed.
    """

    twin_a: Sequence[FeatureStore] = ()
    twin_b: Sequence[FeatureStore] = ()
    ceiling: Sequence[FeatureStore] = ()


def match_features(
    a: Sequence[Specimen],
    b: Sequence[Specimen],
    controls: Controls | None = None,
    config: MatchConfig | None = None,
    progress: Progress = silent,
) -> Matches:
    """Match the features of two dictionaries that have read the same genomes.

    Parameters
    ----------
    a, b
        Genomes with the features of one dictionary each. The last five bases are taken out where
        either has the sequences of all genomes, and codon phase where that has the elements too.
    controls
        Readings that the share of matched features is compared with.

    Raises
    ------
    InputError
        If no base was read in both.
    MismatchError
        If the genomes differ, or both are of the same dictionary on the same model and site; if a
        twin has the weights of its model or another site, or the ceiling another model or site
        than a.

    Notes
    -----
    r is Pearson's over the bases that all have read, controls too, on both strands, whatever the
    tokens. A feature is *matched* if it and its best are each other's best, with an r of at least
    ``min_r``.
    """
    config, controls = config or MatchConfig(), controls or Controls()
    check_distinct(a)
    check_distinct(b)
    own = [specimen.features for specimen in a]
    other = in_order(own, [specimen.features for specimen in b])
    check_differ(own[0], other[0])
    controls = _of_both(controls, own[0], other[0])
    named = [("twin_a", controls.twin_a), ("twin_b", controls.twin_b)]
    aside = {name: in_order(own, it) for name, it in [*named, ("ceiling", controls.ceiling)] if it}
    _check_controls(own, other, aside)
    pairing = Pairing(own, other, common_panels(own, other, *aside.values()))
    _say_what_is_common(pairing, aside)
    known = _with_sequence(a, [*b])
    composition = None if known is None else composition_classes(known, pairing.panels)
    has_twins = {"twin_a", "twin_b"} <= {*aside} and not _is_one(aside["twin_a"], aside["twin_b"])
    n_steps = 1 + len(aside) + has_twins
    measured = _Measurement(pairing, composition, config)
    measured.run(piece(progress, 0, n_steps))
    against: dict[str, Compared] = {}
    sides: dict[str, tuple[list[FeatureStore], list[FeatureStore]]] = {}
    if "twin_b" in aside:
        sides["twin_of_b"] = own, aside["twin_b"]
    if "twin_a" in aside:
        sides["twin_of_a"] = aside["twin_a"], other
    if has_twins:
        sides["twins"] = aside["twin_a"], aside["twin_b"]
    if "ceiling" in aside:
        sides["ceiling"] = own, aside["ceiling"]
    for number, (name, (one, two)) in enumerate(sides.items(), start=1):
        pair = Pairing(one, two, pairing.panels)
        against[name] = compare_plainly(pair, composition, config, piece(progress, number, n_steps))
    table = pd.concat(
        [measured.table(side, _twin_r(against, side)) for side in range(2)], ignore_index=True
    )
    summary = summarise(measured.compared, measured.rotated_partners(), against, config)
    return Matches(
        conform(table, MATCHES, where="matches"),
        conform(summary, MATCH_SUMMARY, where="summary of matches"),
    )


def in_order(own: Sequence[FeatureStore], other: Sequence[FeatureStore]) -> list[FeatureStore]:
    """Return the stores of others in the order of the genomes of ``own``.

    Raises
    ------
    MismatchError
        If the genomes are not the same.
    """
    known = [store.identity for store in own]
    if not {store.header.genome_sha256 for store in own} & {
        store.header.genome_sha256 for store in other
    }:
        expected = f"the genome of {own[0].path} (for features of two genomes, use `across`)"
        raise MismatchError(str(other[0].path), expected, "another genome")
    places = [store.identity.find(known, "genome") for store in other]
    back = [store.identity for store in other]
    found = [other[store.identity.find(back, "genome")] for store in own]
    if len(places) != len(own):
        raise MismatchError(
            str(other[0].path), f"{len(own)} genomes, each once", f"{len(places)} features files"
        )
    return found


def check_differ(own: FeatureStore, other: FeatureStore) -> None:
    """Refuse features of one model, site and dictionary twice.

    Raises
    ------
    MismatchError
        If all of them are the same.
    """
    both = own.header, other.header
    if both[0].sae_sha256 == both[1].sae_sha256 and both[0].site == both[1].site:
        known: Identity = own.identity
        known.check_differs(other.identity, "model")


def _of_both(controls: Controls, own: FeatureStore, other: FeatureStore) -> Controls:
    """Return the controls; of one model at one site, the twin of a is that of b and vice versa."""
    if not _is_one_model(own, other):
        return controls
    return controls._replace(
        twin_a=controls.twin_a or controls.twin_b, twin_b=controls.twin_b or controls.twin_a
    )


def _is_one_model(own: FeatureStore, other: FeatureStore) -> bool:
    a, b = own.header, other.header
    return a.model_sha256 != "" and (a.model_sha256, a.site) == (b.model_sha256, b.site)


def _is_one(a: Sequence[FeatureStore], b: Sequence[FeatureStore]) -> bool:
    return {store.sha256 for store in a} == {store.sha256 for store in b}


def _check_controls(
    own: Sequence[FeatureStore],
    other: Sequence[FeatureStore],
    aside: Mapping[str, Sequence[FeatureStore]],
) -> None:
    """Refuse twins and ceilings that are of something else than what they stand for."""
    for name, model, opposite in (("twin_a", own, other), ("twin_b", other, own)):
        if name in aside:
            twin = aside[name][0]
            model[0].identity.check(twin.identity, "site")
            model[0].identity.check_differs(twin.identity, "model")
            check_differ(opposite[0], twin)
    if {"twin_a", "twin_b"} <= {*aside}:
        twins = aside["twin_a"], aside["twin_b"]
        if not (_is_one(*twins) and _is_one_model(own[0], other[0])):
            check_differ(twins[0][0], twins[1][0])
    if "ceiling" in aside:
        own[0].identity.check(aside["ceiling"][0].identity, "model", "site")
        check_differ(own[0], aside["ceiling"][0])


def _say_what_is_common(pairing: Pairing, aside: Mapping[str, Sequence[FeatureStore]]) -> None:
    for stores in (pairing.own, pairing.other, *aside.values()):
        n_read = sum(one.length for store in stores for s in STRANDS for one in store.coverage(s))
        if pairing.n_cells < n_read:
            share = 100 * pairing.n_cells / n_read
            _log.warning(
                "%s: %.1f %% of the bases that were read there were read in %s",
                stores[0].path,
                share,
                "all" if aside else "both",
            )


def _with_sequence(a: Sequence[Specimen], b: Sequence[Specimen]) -> list[Specimen] | None:
    """Return the genomes in the order of a, from the side that knows their sequences; or None."""
    first = [specimen.features for specimen in a]
    for side in (a, b):
        if all(specimen.sequence is not None for specimen in side):
            stores = in_order(first, [specimen.features for specimen in side])
            return [next(one for one in side if one.features is store) for store in stores]
    return None


def _twin_r(against: dict[str, Compared], side: int) -> Float64[np.ndarray, " feature"] | None:
    """Return the best r of the features of a side in the twin of the other one; None if unknown."""
    name = ("twin_of_b", "twin_of_a")[side]
    return against[name].plain.partners.r[side] if name in against else None


def _add_both(
    best: Sequence[Best],
    first: int,
    value: Float64[np.ndarray, "feature other"],
    *more: Float64[np.ndarray, "feature other"],
) -> None:
    """Add the correlations of features from ``first`` on to the candidates of both readings."""
    best[0].add(first, 0, value, *more)
    best[1].add(0, first, value.T, *(one.T for one in more))


class _Measurement:
    """The two readings themselves: candidates, rotations, and what the best explain together."""

    def __init__(self, pairing: Pairing, composition: Classes | None, config: MatchConfig) -> None:
        self.pairing, self.config = pairing, config
        self.comparison = Comparison(pairing, composition, config)
        sizes = pairing.n_own, pairing.n_other
        n_more = len(self.comparison.classes) - 1
        self.plain = [Best(n, config.n_best, n_more) for n in sizes]
        self.residual = [Best(n, 1) for n in sizes]
        self.on_fit = [Best(n, config.n_best, 2) for n in sizes]
        self.rotations = draw_rotations(pairing, config.n_rotations, seed=config.seed)
        self.rotated = {
            kind: [[Best(n, 1) for n in sizes] for _ in range(config.n_rotations)]
            for kind in Rotations._fields
        }
        self.r: Float32[np.ndarray, "own other"] | None = None
        if pairing.n_own * pairing.n_other <= MOST_ASSIGNED:
            self.r = np.zeros(sizes, dtype=np.float32)

    def run(self, progress: Progress) -> None:
        """Count all pairs, block by block."""
        pairing, comparison = self.pairing, self.comparison
        fit = one_class(pairing.panels, is_fit_only=True)
        of_fit = fit.moments(pairing), fit.moments(pairing.swapped())
        for first, stop in pairing.blocks():
            block = pairing.load(first, stop)
            sums, sums_of_fit = pairing.sums(block), pairing.sums(pairing.of_fit(block))
            r, *residual = comparison.correlations(sums, first)
            if self.r is not None:
                self.r[first:stop] = r
            _add_both(self.plain, first, r, *residual)
            for one in residual:
                _add_both(self.residual, first, one)
            r_fit = comparison.masked(fit.correlation(sums_of_fit, *of_fit, first), first)
            _add_both(self.on_fit, first, r_fit, sums, sums_of_fit)
            for kind, rotations in self.rotations._asdict().items():
                for best, shifts in zip(self.rotated[kind], rotations.tolist(), strict=True):
                    r = comparison.correlations(pairing.sums(block, shifts), first)[0]
                    _add_both(best, first, r)
            progress(stop, pairing.n_own)
        partners = [Partners.of(*self.plain)]
        if len(comparison.classes) > 1:
            partners.append(Partners.of(*self.residual))
        self.compared = comparison.compared(partners)
        every = self.compared.plain.moments
        halves = [Halves(one, half) for one, half in zip(every, of_fit, strict=True)]
        both = self.compared.plain.classes, fit
        self.r2 = [
            explained_by_best(pairing, self.on_fit[0], halves[0], halves[1], both),
            explained_by_best(pairing.swapped(), self.on_fit[1], halves[1], halves[0], both),
        ]
        one_to_one = take_greedily(*self.plain) if self.r is None else assign(self.r)
        self.one_to_one = one_to_one, one_to_one.back(pairing.n_other)

    def table(self, side: int, twin_r: Float64[np.ndarray, " feature"] | None) -> pd.DataFrame:
        """Return the rows of the features of one side, in their order."""
        config, own = self.config, self.compared.sides[side]
        best, partners = self.plain[side], self.compared.plain.partners
        partner, r = partners.partner[side], partners.r[side]
        is_tested, n = own.is_tested, len(own.n_hits)
        null = self._null("far", side)
        found = significance(r, null, is_tested, self.pairing.n_cells)
        near = np.quantile(self._null("near", side), QUANTILE, axis=0)
        n_parts = self._n_parts(side)
        of_partner = self._n_parts(1 - side)[np.maximum(partner, 0)]
        is_part = (partner >= 0) & (r >= config.split_r) & (of_partner > 1)
        one: OneToOne = self.one_to_one[side]
        nothing = np.full(n, np.nan)
        table = {
            "side": SIDES[side],
            "feature": np.arange(n),
            "n_bases": own.n_hits,
            "density": own.n_hits / self.pairing.n_cells,
            "decile": own.decile,
            "partner": partner,
            "r": np.where(is_tested, r, np.nan),
            "is_mutual": partners.is_mutual(side).astype(np.int64),
            "is_matched": partners.is_matched(side, config.min_r).astype(np.int64),
            "one_to_one": one.partner,
            "one_to_one_r": np.where(one.partner >= 0, one.r, np.nan),
            "n_parts": n_parts,
            "part_of": np.where(is_part, partner, -1),
            "r2_best": np.where(is_tested, self.r2[side], np.nan),
            "null_r": found.high,
            "p_value": found.p,
            "q_value": found.q,
            "null_r_3": np.where(is_tested, near, np.nan),
            "residual_r": nothing,
            "residual_partner": np.full(n, -1),
            "residual_partner_r": nothing,
            "is_residual_matched": np.zeros(n, dtype=np.int64),
            "twin_r": nothing if twin_r is None else np.where(is_tested, twin_r, np.nan),
        }
        if self.compared.residual is not None:
            left = self.compared.residual.partners
            table["residual_r"] = np.where(partner >= 0, best.more[0, :, 0], np.nan)
            table["residual_partner"] = left.partner[side]
            table["residual_partner_r"] = np.where(is_tested, left.r[side], np.nan)
            table["is_residual_matched"] = left.is_matched(side, config.min_r).astype(np.int64)
        return pd.DataFrame(table)

    def _n_parts(self, side: int) -> Int64[np.ndarray, " feature"]:
        partners = self.compared.plain.partners
        other = 1 - side
        return count_parts(
            partners.partner[other],
            partners.r[other],
            len(partners.partner[side]),
            min_r=self.config.split_r,
        )

    def _null(self, kind: str, side: int) -> Float64[np.ndarray, "rotation feature"]:
        return np.stack([best[side].top()[1] for best in self.rotated[kind]])

    def rotated_partners(self) -> dict[str, list[Partners]]:
        """Return the best of each feature under each rotation, by kind of rotation."""
        return {kind: [Partners.of(*it) for it in both] for kind, both in self.rotated.items()}
