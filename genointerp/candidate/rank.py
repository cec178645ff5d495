"""Candidates: features ranked by how little of what they detect is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.gather import evidence_of, gather_evidence
from genointerp.candidate.evidence.given import DIRECTIONS, Given
from genointerp.candidate.evidence.locus import loud_bases
from genointerp.candidate.evidence.missing import missing_shares
from genointerp.candidate.evidence.pattern import mark_boundaries
from genointerp.candidate.score import explain, name_missing, raise_flags, score_candidates
from genointerp.core.errors import MismatchError
from genointerp.core.progress import Progress, silent
from genointerp.feature.loci import top_loci
from genointerp.feature.specimen import Specimen, check_together
from genointerp.store.table.labels import LABEL
from genointerp.store.table.schema.candidate import CANDIDATES
from genointerp.store.table.schema.feature import LOCI
from genointerp.store.table.table import conform

LOCUS_COLUMNS = ["rank", "feature", "locus", "genome", *LOCI.names]


@dataclass(frozen=True, eq=False, repr=False)
class CandidateResult:
    """Ranked candidates, and the loci of the first of them.

    Parameters
    ----------
    table
        Candidates in their schema, best first: those without a demoting flag, then those with one,
        each group by score. Features that never fire are left out.
    loci
        The strongest loci of the first ``n_reported``: ``rank``, ``feature``, ``locus`` (from 1,
        strongest first), ``genome`` (number of the specimen), and the columns of the schema of
        loci.
    """

    table: pd.DataFrame
    loci: pd.DataFrame

    def __repr__(self) -> str:
        n_loci = f"{len(self.loci):,} loci of the first"
        return f"CandidateResult({len(self.table):,} candidates, {n_loci})"


def rank(
    specimens: Sequence[Specimen],
    associations: pd.DataFrame,
    config: RankConfig | None = None,
    *,
    given: Given | None = None,
    progress: Progress = silent,
) -> CandidateResult:
    """Rank every feature that fires as a candidate for something unknown.

    Parameters
    ----------
    specimens
        Genomes with the features of one dictionary, and with their sequences. Columns that need
        windows, outliers or predictions are NaN where these are unknown. Predictions need
        annotations too.
    associations
        Associations of the same dictionary, as `genointerp.association.associate` returns them.
    given
        Evidence that was measured elsewhere.

    Notes
    -----
    The columns are defined in `genointerp.candidate.evidence.gather`,
    `genointerp.candidate.evidence.directions` and `genointerp.candidate.score`. Its `CHECKS` lists
    those that may be undefined.

    Raises
    ------
    InputError
        If the sequence of a specimen is unknown.
    MismatchError
        If the specimens or the associations come from different dictionaries.
    """
    config = RankConfig() if config is None else config
    check_together(specimens)
    _check_associations(associations, specimens[0].features.n_features)
    evidence = gather(specimens, config, given=given, progress=progress)
    table = rank_evidence(evidence, associations, config)
    loci = find_strongest(specimens, table, config)
    if any(specimen.predictions is not None for specimen in specimens):
        missing = missing_shares(specimens, loci, config.overlap)
        table["annotation_missing"] = table["feature"].map(missing)
    return CandidateResult(table, loci)


def gather(
    specimens: Sequence[Specimen],
    config: RankConfig | None = None,
    *,
    given: Given | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Measure every feature that fires on the genomes, without any annotation.

    The parameters are those of `rank`. The result can be used for any number of calls of
    `rank_evidence`.

    Returns
    -------
    pandas.DataFrame
        The columns of `genointerp.candidate.evidence.gather.gather_evidence`; ``n_read``, the
        number of genomes; and the columns that ``given`` provides.
    """
    config = RankConfig() if config is None else config
    given = Given() if given is None else given
    check_together(specimens)
    if given.measured is not None:
        evidence = evidence_of(given.measured, config)
        directions = given.measured[["feature", *DIRECTIONS]].set_index("feature")
        table = evidence.assign(n_read=len(specimens)).join(directions, on="feature")
        return given.add_matches(given.add_ablation(table))
    evidence = gather_evidence(specimens, config, trained_on=given.trained_on, progress=progress)
    evidence = evidence.assign(n_read=len(specimens))
    n_features = specimens[0].features.n_features
    table = given.add_directions(evidence, n_features, seed=config.seed)
    return given.add_matches(given.add_ablation(table))


def rank_evidence(
    evidence: pd.DataFrame, associations: pd.DataFrame, config: RankConfig | None = None
) -> pd.DataFrame:
    """Score and order features from their evidence.

    Parameters
    ----------
    evidence
        Evidence as `gather` returns it.
    associations
        Associations of the same dictionary. Rows may be missing, such as those of a hidden concept;
        a feature without a row is explained by nothing.

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
    # labels come from elsewhere
    own = [name for name in CANDIDATES.names if name != LABEL]
    return conform(order_candidates(table)[own], CANDIDATES, where="candidates")


def order_candidates(table: pd.DataFrame) -> pd.DataFrame:
    """Return candidates in their order, with their ``rank``.

    Those without a demoting flag come first, then the higher score. Ties go to the less explained
    candidate, then to the one with more loci, then to the lower feature number.
    """
    keys = (table["feature"], -table["n_loci"], -table["unexplained"], -table["score"])
    order = np.lexsort((*keys, table["demoting"] != ""))
    return table.iloc[order].assign(rank=np.arange(1, len(table) + 1)).reset_index(drop=True)


def find_strongest(
    specimens: Sequence[Specimen], table: pd.DataFrame, config: RankConfig
) -> pd.DataFrame:
    """Return the strongest loci of the first candidates, as in ``CandidateResult.loci``."""
    found = [pd.DataFrame(columns=LOCUS_COLUMNS)]
    for number, feature in (
        table[["rank", "feature"]].head(config.n_reported).itertuples(index=False)
    ):
        loci = _strongest(specimens, int(feature), config)
        found.append(loci.assign(rank=number, feature=feature, locus=np.arange(1, len(loci) + 1)))
    return pd.concat(found[1:] or found, ignore_index=True)[LOCUS_COLUMNS]


def _check_associations(associations: pd.DataFrame, n_features: int) -> None:
    found = np.unique(associations["feature"].to_numpy(np.int64))
    if not np.array_equal(found, np.arange(n_features)):
        expected = f"features 0 to {n_features - 1}, all of them"
        what = f"{len(found)} up to {found[-1]}" if len(found) else "none"
        raise MismatchError("associations", expected, what)


def _strongest(specimens: Sequence[Specimen], feature: int, config: RankConfig) -> pd.DataFrame:
    loud = loud_bases(specimens, feature, config)
    tables = [
        top_loci(one.features, feature, n=config.loci_each, config=loud).assign(genome=number)
        for number, one in enumerate(specimens)
    ]
    loci = pd.concat(tables, ignore_index=True)
    order = np.argsort(-loci["max_activation"].to_numpy(), kind="stable")[: config.loci_each]
    return loci.iloc[order].reset_index(drop=True)
