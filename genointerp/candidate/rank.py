"""Candidates: features ranked by how far they are from everything known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.backdrop import make_backdrop
from genointerp.candidate.evidence.gather import evidence_of, gather_evidence
from genointerp.candidate.evidence.given import DIRECTIONS, Given
from genointerp.candidate.evidence.pattern import mark_boundaries
from genointerp.candidate.score import explain, name_missing, raise_flags, score_candidates
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.identity import Identity
from genointerp.core.progress import Progress, silent
from genointerp.feature.loci import LocusConfig, top_loci
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schemas import CANDIDATES, LOCI
from genointerp.store.table.table import conform

LOCUS_COLUMNS = ["rank", "feature", "locus", "genome", *LOCI.names]


@dataclass(frozen=True, eq=False)
class CandidateResult:
    """Ranked candidates and where the first of them are.

    Parameters
    ----------
    table
        In the schema of candidates, best first: those without a flag that demotes before those
        with one, and by score within. Features that never fire are left out.
    loci
        The strongest loci of the first ``n_reported``: ``rank``, ``feature``, ``locus`` (from 1,
        strongest first), ``genome`` (number of the store), and the columns of the schema of loci.
    """

    table: pd.DataFrame
    loci: pd.DataFrame


def rank(
    stores: Sequence[FeatureStore],
    associations: pd.DataFrame,
    genomes: Sequence[Genome],
    config: RankConfig | None = None,
    *,
    windows: Sequence[Sequence[GenomicInterval]] | None = None,
    given: Given | None = None,
    progress: Progress = silent,
) -> CandidateResult:
    """Rank every feature that fires as a candidate for something unknown.

    Parameters
    ----------
    stores
        Features of one dictionary, a store for each genome.
    associations
        Of the same dictionary, as `genointerp.association.associate` returns them.
    genomes
        The genomes of the stores, in any order.
    windows
        Windows of each store as ``ActivationStore.windows``; ``window_bias`` is NaN without.

    given
        What is measured elsewhere.

    Notes
    -----
    The columns are defined in `genointerp.candidate.evidence.gather`,
    `genointerp.candidate.evidence.directions` and `genointerp.candidate.score`, of which
    `CHECKS` says what may be undefined.

    Raises
    ------
    MismatchError
        If the stores are of several dictionaries, the associations of another, or a store's
        genome is not given.
    """
    config = RankConfig() if config is None else config
    _check_stores(stores, windows)
    _check_associations(associations, stores[0].n_features)
    evidence = gather(stores, genomes, config, windows=windows, given=given, progress=progress)
    table = rank_evidence(evidence, associations, config)
    loci = find_strongest(stores, table, config)
    if given is not None and given.searched is not None:
        missing = given.searched.annotation_missing(loci, config.overlap)
        table["annotation_missing"] = table["feature"].map(missing)
    return CandidateResult(table, loci)


def gather(
    stores: Sequence[FeatureStore],
    genomes: Sequence[Genome],
    config: RankConfig | None = None,
    *,
    windows: Sequence[Sequence[GenomicInterval]] | None = None,
    given: Given | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Measure what every feature that fires does upon the genomes; no annotation is looked at.

    Parameters are those of `rank`. The result is good for any number of calls of `rank_evidence`.

    Returns
    -------
    pandas.DataFrame
        The columns of `genointerp.candidate.evidence.gather.gather_evidence`; ``n_read``, the
        number of genomes; and what ``given`` tells.
    """
    config = RankConfig() if config is None else config
    given = Given() if given is None else given
    _check_stores(stores, windows)
    if given.measured is not None:
        evidence = evidence_of(given.measured, config)
        told = given.measured[["feature", *DIRECTIONS]].set_index("feature")
        return given.add_ablation(evidence.assign(n_read=len(stores)).join(told, on="feature"))
    ordered = [genome_of(store, genomes) for store in stores]
    backdrops = [
        make_backdrop(store, genome, None if windows is None else windows[index], config)
        for index, (store, genome) in enumerate(zip(stores, ordered, strict=True))
    ]
    evidence = gather_evidence(
        stores,
        backdrops,
        config,
        trained_on=given.trained_on,
        outliers=given.outliers,
        progress=progress,
    ).assign(n_read=len(stores))
    table = given.add_directions(evidence, stores[0].n_features, seed=config.seed)
    return given.add_ablation(table)


def rank_evidence(
    evidence: pd.DataFrame, associations: pd.DataFrame, config: RankConfig | None = None
) -> pd.DataFrame:
    """Score and order features of which the evidence was gathered.

    Parameters
    ----------
    evidence
        As `gather` returns it.
    associations
        Of the same dictionary; rows may be left out, such as those of a concept that is hidden. A
        feature without a row is explained by nothing.

    Returns
    -------
    pandas.DataFrame
        In the schema of candidates, best first.
    """
    config = RankConfig() if config is None else config
    table = evidence.join(explain(associations, config), on="feature")
    table["unexplained"] = table["unexplained"].fillna(1.0)
    table["best_concept"] = table["best_concept"].fillna("")
    table = table.assign(annotation_missing=np.nan)
    table["pattern"] = mark_boundaries(table, boundary=config.boundary)
    table["flags"] = raise_flags(table, config)
    table["demoting"] = raise_flags(table, config, only_demoting=True)
    table["checks_missing"] = name_missing(table)
    table["score"] = score_candidates(table, config)
    return conform(order_candidates(table)[CANDIDATES.names], CANDIDATES, where="candidates")


def order_candidates(table: pd.DataFrame) -> pd.DataFrame:
    """Return candidates in their order, with their ``rank``.

    Those without a flag that demotes come first, then by score; of equal scores the less explained,
    then that of more loci, then the lower number.
    """
    keys = (table["feature"], -table["n_loci"], -table["unexplained"], -table["score"])
    order = np.lexsort((*keys, table["demoting"] != ""))
    return table.iloc[order].assign(rank=np.arange(1, len(table) + 1)).reset_index(drop=True)


def find_strongest(
    stores: Sequence[FeatureStore], table: pd.DataFrame, config: RankConfig
) -> pd.DataFrame:
    """Return the strongest loci of the first candidates, as `CandidateResult` has them."""
    found = [pd.DataFrame(columns=LOCUS_COLUMNS)]
    for number, feature in (
        table[["rank", "feature"]].head(config.n_reported).itertuples(index=False)
    ):
        loci = _strongest(stores, int(feature), config)
        found.append(loci.assign(rank=number, feature=feature, locus=np.arange(1, len(loci) + 1)))
    return pd.concat(found[1:] or found, ignore_index=True)[LOCUS_COLUMNS]


def genome_of(store: FeatureStore, genomes: Sequence[Genome]) -> Genome:
    """Return the genome that features were computed on.

    Raises
    ------
    MismatchError
        If it is none of them.
    """
    given = [Identity(next(iter(it), "none"), genome_sha256=it.sha256) for it in genomes]
    return genomes[store.identity.find(given, "genome")]


def _check_stores(
    stores: Sequence[FeatureStore], windows: Sequence[Sequence[GenomicInterval]] | None
) -> None:
    if not stores:
        raise InputError("features", "at least one file", "none")
    for store in stores:
        stores[0].identity.check(store.identity, "dictionary")
    if windows is not None and len(windows) != len(stores):
        raise InputError("activations", f"one for each of {len(stores)} stores", str(len(windows)))


def _check_associations(associations: pd.DataFrame, n_features: int) -> None:
    found = np.unique(associations["feature"].to_numpy(np.int64))
    if not np.array_equal(found, np.arange(n_features)):
        expected = f"features 0 to {n_features - 1}, all of them"
        what = f"{len(found)} up to {found[-1]}" if len(found) else "none"
        raise MismatchError("associations", expected, what)


def _strongest(stores: Sequence[FeatureStore], feature: int, config: RankConfig) -> pd.DataFrame:
    maximum = max(
        float(store.feature(feature, strand).value.max(initial=0.0))
        for store in stores
        for strand in store.strands
    )
    loud = LocusConfig(config.merge_gap, min_activation=config.locus_share * maximum)
    tables = [
        top_loci(store, feature, n=config.loci_each, config=loud).assign(genome=number)
        for number, store in enumerate(stores)
    ]
    loci = pd.concat(tables, ignore_index=True)
    order = np.argsort(-loci["max_activation"].to_numpy(), kind="stable")[: config.loci_each]
    return loci.iloc[order].reset_index(drop=True)
