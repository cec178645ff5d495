"""Match features of two genomes: there are no common bases, but there are orthologous genes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64
from scipy.stats import rankdata

from genointerp.association.null.rotated import scores_of_rotations, standardised
from genointerp.association.null.significance import benjamini_hochberg
from genointerp.comparison.matching.candidates import is_mutual
from genointerp.comparison.matching.null import QUANTILE
from genointerp.comparison.matching.orthologs import (
    Gene,
    composition,
    find_genes,
    gc_of,
    gene_means,
)
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.progress import Progress, piece, silent
from genointerp.core.seed import rng
from genointerp.feature.specimen import Specimen, check_distinct
from genointerp.store.table.schema.matching import ACROSS, ACROSS_SUMMARY
from genointerp.store.table.table import conform

LEAST_GENES = 30
"""Fewest orthologues that a correlation is measured over."""

N_CLASSES = 3
"""Classes of length, and of GC content in each, within which pairs are shuffled."""

_SIDES = ("a", "b")
_RIDGE = 1e-2


@dataclass(frozen=True)
class AcrossConfig:
    """How features are matched across genomes.

    Parameters
    ----------
    min_r
        Smallest rank correlation of two features that are each other's best and count as matched.
    min_genes
        Smallest number of orthologues in which a feature fires to be matched, or to be a match.
    n_shuffles
        Times that the pairs of orthologues are shuffled for the null.
    n_draws
        Times that orthologues are drawn for the intervals.
    seed
        Random seed.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    min_r: float = 0.7
    min_genes: int = 20
    n_shuffles: int = 50
    n_draws: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.min_r <= 1:
            raise ConfigError("min_r", "0 to 1", str(self.min_r))
        for name, least in (("min_genes", 1), ("n_shuffles", 5), ("n_draws", 20)):
            if getattr(self, name) < least:
                raise ConfigError(name, f"{least} or more", str(getattr(self, name)))

    def changed(self, **values: float | int | None) -> "AcrossConfig":
        """Return a configuration with other values; None keeps what there is."""
        given: dict[str, Any] = {name: it for name, it in values.items() if it is not None}
        return replace(self, **given)


class Across(NamedTuple):
    """Matches of features across genomes: a row for each feature of either side, and shares."""

    table: pd.DataFrame
    summary: pd.DataFrame


class _Side(NamedTuple):
    """The features of one side on the orthologues, as ranks, centred and of unit length."""

    unit: Float64[np.ndarray, "feature gene"]
    residual: Float64[np.ndarray, "feature gene"]
    gc: Float64[np.ndarray, " gene"]
    n_genes: Int64[np.ndarray, " feature"]
    is_tested: Bool[np.ndarray, " feature"]


def match_across(
    a: Sequence[Specimen],
    b: Sequence[Specimen],
    config: AcrossConfig | None = None,
    progress: Progress = silent,
) -> Across:
    """Match the features of two readings by what they do in orthologous genes.

    Parameters
    ----------
    a, b
        Genomes with features, sequences and annotations. Models and dictionaries may differ, or be
        the same.

    Raises
    ------
    InputError
        If fewer than `LEAST_GENES` orthologues were read in both.

    Notes
    -----
    The activation of a feature in a gene is its mean over the gene's bases, on the gene's strand;
    copies of an RNA are averaged. r is Spearman's over the orthologues. A feature is *matched* if
    it and its best are each other's best with an r of ``min_r``. The null shuffles the pairs among
    genes of one type and, of coding sequences, one third by length and by GC; the best r is
    compared with the best r of each shuffle, so that the best of many is compared with the best of
    as many. The residual is what the shares of bases at the three places of the codon and the
    length do not predict, by a ridge regression over the genes of its own genome.
    """
    config = AcrossConfig() if config is None else config
    check_distinct(a)
    check_distinct(b)
    known = find_genes(a), find_genes(b)
    keys = sorted(set(known[0]) & set(known[1]))
    if len(keys) < LEAST_GENES:
        expected = f"{LEAST_GENES} orthologous genes or more that were read in both"
        raise InputError("annotations", expected, str(len(keys)))
    genes = [[own[key] for key in keys] for own in known]
    sides = [
        _side(specimens, own, config, piece(progress, number, 2))
        for number, (specimens, own) in enumerate(zip((a, b), genes, strict=True))
    ]
    is_same = a[0].features.header.sae_sha256 == b[0].features.header.sae_sha256
    return _matched(sides, _classes(genes[0], sides[0].gc), config, is_same=is_same)


def _side(
    specimens: Sequence[Specimen],
    genes: Sequence[Sequence[Gene]],
    config: AcrossConfig,
    progress: Progress,
) -> _Side:
    means = gene_means(specimens, genes, progress=progress)
    n_genes = np.count_nonzero(means > 0, axis=1)
    ranks = rankdata(means, axis=1)
    design = composition(specimens, genes)
    return _Side(
        _unit(ranks),
        _unit(ranks - _predicted(design, ranks)),
        gc_of(design),
        n_genes,
        np.asarray(n_genes >= config.min_genes, dtype=np.bool_),
    )


def _unit(rows: Float64[np.ndarray, "feature gene"]) -> Float64[np.ndarray, "feature gene"]:
    centred = rows - rows.mean(axis=1, keepdims=True)
    size = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = np.divide(centred, size, out=np.zeros_like(centred), where=size > 0)
    return np.asarray(unit, dtype=np.float64)


def _predicted(
    design: Float64[np.ndarray, "gene column"], rows: Float64[np.ndarray, "feature gene"]
) -> Float64[np.ndarray, "feature gene"]:
    """Return the ridge regression of each row on standardised columns."""
    spread = design.std(axis=0)
    x = (design - design.mean(axis=0)) / np.where(spread > 0, spread, 1)
    middle = rows.mean(axis=1, keepdims=True)
    gram = x.T @ x + _RIDGE * len(x) * np.eye(x.shape[1])
    return np.asarray(middle + (x @ np.linalg.solve(gram, x.T @ (rows - middle).T)).T)


def _classes(
    genes: Sequence[Sequence[Gene]], gc: Float64[np.ndarray, " gene"]
) -> Int64[np.ndarray, " gene"]:
    """Return the class of each gene: its type and, of coding sequences, third by length and by GC.

    GC is that of the first side, in thirds within each third by length.
    """
    kinds = sorted({own[0].key[0] for own in genes})
    kind = np.array([kinds.index(own[0].key[0]) for own in genes])
    length = np.array([sum(gene.length for gene in own) / len(own) for own in genes])
    coding = np.flatnonzero([own[0].key[0] == "CDS" for own in genes])
    third = np.zeros(len(genes), np.int64)
    third[coding] = _thirds(length[coding])
    by_gc = np.zeros(len(genes), np.int64)
    for one in range(N_CLASSES):
        own = coding[third[coding] == one]
        by_gc[own] = _thirds(gc[own])
    return ((kind * N_CLASSES + third) * N_CLASSES + by_gc).astype(np.int64)


def _thirds(values: Float64[np.ndarray, " value"]) -> Int64[np.ndarray, " value"]:
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return (order * N_CLASSES // max(len(values), 1)).astype(np.int64)


def _shuffled(classes: Int64[np.ndarray, " gene"], draw: np.random.Generator) -> np.ndarray:
    order = np.arange(len(classes))
    for one in np.unique(classes).tolist():
        own = np.flatnonzero(classes == one)
        order[own] = draw.permutation(own)
    return order


def _matched(
    sides: Sequence[_Side],
    classes: Int64[np.ndarray, " gene"],
    config: AcrossConfig,
    *,
    is_same: bool,
) -> Across:
    r = _correlations(sides[0].unit, sides[1].unit, sides)
    left = _correlations(sides[0].residual, sides[1].residual, sides)
    draw = rng(config.seed, "orthologues")
    shuffled = [
        [_Reduced.of(sides, order, number, config) for number in range(2)]
        for order in (_shuffled(classes, draw) for _ in range(config.n_shuffles))
    ]
    frames, rows = [], []
    for number, (name, own) in enumerate(zip(_SIDES, sides, strict=True)):
        turned, turned_left = (one if number == 0 else one.T for one in (r, left))
        null = [one[number] for one in shuffled]
        of_null = np.stack([one.largest for one in null])
        table = _table(name, turned, turned_left, of_null, own, config)
        if is_same:
            table = table.assign(
                own_r=np.where(own.is_tested, np.diagonal(turned), np.nan),
                own_rank=_own_rank(turned, own.is_tested),
                own_residual_rank=_own_rank(turned_left, own.is_tested),
            )
        frames.append(table)
        rows += _summary(name, table, [one.matched for one in null], (sides, number), config)
        if is_same:
            rows += _itself(rows[-1], table, null)
    return Across(
        conform(pd.concat(frames, ignore_index=True), ACROSS, where="matches across genomes"),
        conform(pd.DataFrame(rows), ACROSS_SUMMARY, where="summary of matches across genomes"),
    )


class _Reduced(NamedTuple):
    """What is kept of one shuffle, for one side: matrices of all pairs are not.

    Parameters
    ----------
    largest
        The largest r of each feature.
    matched
        Share of the tested features that are matched.
    itself, itself_residual
        Share that is its own best partner, also without composition; NaN of two dictionaries of
        different sizes.
    """

    largest: Float64[np.ndarray, " feature"]
    matched: float
    itself: float
    itself_residual: float

    @classmethod
    def of(
        cls, sides: Sequence[_Side], order: np.ndarray, number: int, config: AcrossConfig
    ) -> "_Reduced":
        """Correlate the shuffled pairs, and reduce what is found."""
        own, firsts = sides[number], []
        r = _correlations(sides[0].unit, sides[1].unit[:, order], sides)
        left = _correlations(sides[0].residual, sides[1].residual[:, order], sides)
        for one in (r, left):
            turned = one if number == 0 else one.T
            is_square = turned.shape[0] == turned.shape[1]
            rank = _own_rank(turned, own.is_tested) if is_square else np.zeros(0)
            firsts.append(float((rank[own.is_tested] == 1).mean()) if len(rank) else np.nan)
        largest = (r if number == 0 else r.T).max(axis=1)
        return cls(largest, _share_matched(r, number, own, config), *firsts)


def _correlations(
    own: Float64[np.ndarray, "feature gene"],
    other: Float64[np.ndarray, "other gene"],
    sides: Sequence[_Side],
) -> Float64[np.ndarray, "feature other"]:
    """Return r of all pairs; 0 where a feature fires in too few genes."""
    r = own @ other.T
    r[~sides[0].is_tested] = 0
    r[:, ~sides[1].is_tested] = 0
    return np.asarray(r, dtype=np.float64)


class _Best(NamedTuple):
    partner: Int64[np.ndarray, " feature"]
    r: Float64[np.ndarray, " feature"]
    mutual: Bool[np.ndarray, " feature"]


def _best(r: Float64[np.ndarray, "feature other"]) -> _Best:
    forth, back = (np.where(one.max(axis=1) > 0, one.argmax(axis=1), -1) for one in (r, r.T))
    value = np.where(forth >= 0, r.max(axis=1), 0.0)
    return _Best(forth.astype(np.int64), value, is_mutual(forth, back))


def _table(
    name: str,
    r: Float64[np.ndarray, "feature other"],
    left: Float64[np.ndarray, "feature other"],
    null: Float64[np.ndarray, "shuffle feature"],
    own: _Side,
    config: AcrossConfig,
) -> pd.DataFrame:
    best, rest, tested = _best(r), _best(left), own.is_tested
    n_genes = own.unit.shape[1]
    high, p = np.full((2, len(r)), np.nan)
    if tested.any():
        pool = np.sort(scores_of_rotations(null[:, tested], 1 / n_genes).ravel())
        score = standardised(best.r[tested], null[:, tested], 1 / n_genes)
        n_as_good = len(pool) - np.searchsorted(pool, score, side="left")
        p[tested] = (1 + n_as_good) / (1 + len(pool))
        high[tested] = np.quantile(null[:, tested], QUANTILE, axis=0)
    matched = best.mutual & (best.r >= config.min_r)
    kept = rest.mutual & (rest.r >= config.min_r)
    return pd.DataFrame(
        {
            "side": name,
            "feature": np.arange(len(r)),
            "n_genes": own.n_genes,
            "is_tested": tested.astype(np.int64),
            "partner": best.partner,
            "r": np.where(tested, best.r, np.nan),
            "is_mutual": best.mutual.astype(np.int64),
            "is_matched": matched.astype(np.int64),
            "null_r": high,
            "p_value": p,
            "q_value": benjamini_hochberg(p),
            "residual_partner": rest.partner,
            "residual_r": np.where(tested, rest.r, np.nan),
            "is_residual_matched": kept.astype(np.int64),
            "own_r": np.nan,
            "own_rank": 0,
            "own_residual_rank": 0,
        }
    )


def _own_rank(
    r: Float64[np.ndarray, "feature other"], tested: Bool[np.ndarray, " feature"]
) -> Int64[np.ndarray, " feature"]:
    """Return the rank of r of each feature with itself among all of the other side; 0 untested."""
    rank = 1 + np.count_nonzero(r > np.diagonal(r)[:, None], axis=1)
    return np.where(tested & (np.diagonal(r) > 0), rank, 0).astype(np.int64)


def _itself(
    row: dict[str, object], table: pd.DataFrame, null: Sequence[_Reduced]
) -> list[dict[str, object]]:
    """Return the shares that are their own partners, with and without composition, and the null."""
    tested = table[table["is_tested"] > 0]
    first, left = tested["own_rank"] == 1, tested["own_residual_rank"] == 1
    found = {
        "itself": [float(first.mean())],
        "itself, shuffled": [one.itself for one in null],
        "itself, residual": [float(left.mean())],
        "itself, residual shuffled": [one.itself_residual for one in null],
        "itself, both": [float((first & left).mean())],
    }
    rows = []
    for name, shares in found.items():
        low, high = np.quantile(shares, [0.025, 0.975]) if len(shares) > 1 else (np.nan, np.nan)
        own = {"comparison": name, "share": float(np.mean(shares))}
        rows.append(row | own | {"share_low": float(low), "share_high": float(high)})
    return rows


def _share_matched(
    r: Float64[np.ndarray, "feature other"], number: int, own: _Side, config: AcrossConfig
) -> float:
    best = _best(r if number == 0 else r.T)
    matched = best.mutual & (best.r >= config.min_r)
    return float(matched[own.is_tested].mean()) if own.is_tested.any() else float("nan")


def _summary(
    name: str,
    table: pd.DataFrame,
    null: Sequence[float],
    pairs: tuple[Sequence[_Side], int],
    config: AcrossConfig,
) -> list[dict[str, object]]:
    tested = table[table["is_tested"] > 0]
    n = len(tested)
    low, high = _drawn(table, pairs, config)
    n_genes = pairs[0][0].unit.shape[1]
    row = {"side": name, "n_features": n, "n_genes": n_genes}
    nothing = {"share_low": np.nan, "share_high": np.nan}
    rows: list[dict[str, object]] = [
        row
        | {"comparison": "found", "share": tested["is_matched"].mean()}
        | {"share_low": low, "share_high": high},
        row
        | {"comparison": "shuffled", "share": float(np.mean(null))}
        | dict(zip(nothing, np.quantile(null, [0.025, 0.975]).tolist(), strict=True)),
        row | {"comparison": "residual", "share": tested["is_residual_matched"].mean()} | nothing,
    ]
    return rows


def _drawn(
    table: pd.DataFrame,
    pairs: tuple[Sequence[_Side], int],
    config: AcrossConfig,
) -> tuple[float, float]:
    """Return the interval of the share that is matched, over draws of orthologues.

    The mutual pairs stay as they are, and their r varies.
    """
    sides, number = pairs
    own, other = sides[number].unit, sides[1 - number].unit
    mutual = table[(table["is_tested"] > 0) & (table["is_mutual"] > 0)]
    n_tested = int((table["is_tested"] > 0).sum())
    n_genes = own.shape[1]
    weight = rng(config.seed, "draws of orthologues").multinomial(
        n_genes, np.full(n_genes, 1 / n_genes), config.n_draws
    )
    x = own[mutual["feature"].to_numpy(np.int64)]
    y = other[mutual["partner"].to_numpy(np.int64)]
    total = {name: (it @ weight.T) / n_genes for name, it in _products(x, y).items()}
    cross = total["xy"] - total["x"] * total["y"]
    spread = np.sqrt(
        np.maximum((total["xx"] - total["x"] ** 2) * (total["yy"] - total["y"] ** 2), 0)
    )
    r = np.divide(cross, spread, out=np.zeros_like(cross), where=spread > 0)
    share = np.count_nonzero(r >= config.min_r, axis=0) / max(n_tested, 1)
    low, high = np.quantile(share, [0.025, 0.975])
    return float(low), float(high)


def _products(
    x: Float64[np.ndarray, "pair gene"], y: Float64[np.ndarray, "pair gene"]
) -> dict[str, Float64[np.ndarray, "pair gene"]]:
    return {"x": x, "y": y, "xx": x * x, "yy": y * y, "xy": x * y}
