"""Score and flags of a candidate, as stated functions of its columns."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from genointerp.association.null.significance import benjamini_hochberg
from genointerp.association.summary import count_covered
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.coherence import coherent_share
from genointerp.candidate.flags import FLAGS
from genointerp.core.metric import precision_gain
from genointerp.feature.query import best_concepts

_MANY_LOCI = 32

CHECKS: dict[str, str] = {
    "ablation": "loss_effect",
    "stability": "stability",
    "splitting": "split_cosine",
    "windows": "window_bias",
    "norms": "outlier_share",
    "training genomes": "seen_share",
    "strands": "strand_asymmetry",
    "k-mers": "kmer_auroc",
    "GC content": "gc_auroc",
}
"""Checks that may be missing, each with the column that is NaN in that case."""


def score_candidates(table: pd.DataFrame, config: RankConfig) -> Float64[np.ndarray, " candidate"]:
    """Return the score of each candidate, 0 to 1; higher is better.

    Notes
    -----
    ``unexplained * recurrent * max(coherent * (1 - k / 2), motif_share * (1 - k)) * (1 - g) / 2^d``

    - recurrent: ``min(1, log2(1 + n_loci) / log2(33))``, 1 from 32 loci on;
    - coherent: `genointerp.candidate.evidence.coherence.coherent_share`, the lower bound of
      ``coherence``: how well its own firing around its loci tells them from silent bases;
    - ``k = max(0, 2 kmer_auroc - 1)``: six letters cannot make up a long element, so they reduce
      the coherent term by half at most; they may account for all of a motif;
    - ``g = 2 |gc_auroc - 1/2|``: local GC content is itself coherent;
    - d: the number of its doubts among `COUNTED`, which are those that no other factor measures.

    Ties (such as a score of 0, where nothing is coherent and no motif was found) go to the less
    explained candidate, then to the one with more loci, then to the lower feature number.

    A feature has evidence in its favour if it is coherent or has a motif. Rarity is no evidence,
    and density costs nothing. A check that was not measured raises no doubt; an undefined
    ``gc_auroc`` or ``kmer_auroc`` counts as the mean over the features that have one, and as 0 if
    none has; an undefined ``coherence`` or ``motif_share`` is no evidence. The form of the score
    was chosen on regions, a genome and a site that differ from those of the demo.
    """
    loci = table["n_loci"].to_numpy(np.float64)
    recurrent = np.minimum(1.0, np.log2(1 + loci) / np.log2(1 + _MANY_LOCI))
    gc = _filled(2 * (table["gc_auroc"] - 0.5).abs())
    kmer = _filled((2 * table["kmer_auroc"] - 1).clip(lower=0))
    coherent = coherent_share(table["coherence"].to_numpy(np.float64), loci)
    motif = table["motif_share"].fillna(0.0).to_numpy(np.float64)
    structured = np.maximum(coherent * (1 - kmer / 2), motif * (1 - kmer))
    raised = {flag.name: flag.is_raised(table, config) for flag in FLAGS}
    doubts = sum(
        np.any([raised[name] for name in names], axis=0).astype(np.float64) for names in COUNTED
    )
    unexplained = table["unexplained"].to_numpy(np.float64)
    return np.asarray(unexplained * recurrent * structured * (1 - gc) / 2.0**doubts)


COUNTED = (("single_genome", "memorised"), ("one_family",), ("unstable",))
"""Doubts that halve the score. Those of one entry say the same thing and count once.

``attracted`` is already measured by ``unexplained``; ``split`` means that another feature says the
same. ``unused`` is reported but does not count: with few windows, the effect of one feature is
smaller than the differences among its matched directions, so the flag is also raised for features
that the model may use.
"""


def raise_flags(
    table: pd.DataFrame, config: RankConfig, *, only_demoting: bool = False
) -> list[str]:
    """Return the names of the flags raised in each row, separated by commas."""
    raised = [
        (flag.name, flag.is_raised(table, config))
        for flag in FLAGS
        if flag.demotes or not only_demoting
    ]
    return [",".join(name for name, is_on in raised if is_on[row]) for row in range(len(table))]


def name_missing(table: pd.DataFrame) -> list[str]:
    """Return the names of the checks that each row lacks, separated by commas."""
    missing = [(name, table[column].isna().to_numpy()) for name, column in CHECKS.items()]
    return [",".join(name for name, is_on in missing if is_on[row]) for row in range(len(table))]


def _filled(values: pd.Series) -> Float64[np.ndarray, " candidate"]:
    known = values.to_numpy(np.float64)
    mean = float(np.nanmean(known)) if not np.isnan(known).all() else 0.0
    return np.where(np.isnan(known), mean, known)


def explain(associations: pd.DataFrame, config: RankConfig) -> pd.DataFrame:
    """Compute for each feature the share that known concepts leave unexplained.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``feature``: ``unexplained``, ``attraction`` (the largest ``log2_enrichment``
        among associations with ``q_value <= max_q``; NaN if there is none), ``boundary_share`` (the
        largest with ``boundary_p <= boundary_chance``; NaN if there is none), and ``best_concept``
        with ``best_f1`` as defined by `genointerp.feature.query.best_concepts`; empty and NaN for a
        feature that detects no concept.

    Notes
    -----
    ``unexplained = 1 - max(0, max (p - b) / (1 - b))``, where p is a precision on test and b the
    share of the known bases among all bases read on test. It is 0 for a feature that fires only
    within what is known, and 1 for one that nothing known attracts beyond chance. A concept that
    holds 87 % of all bases thus explains nothing by its size alone. The maximum is taken over

    - the union of the labels that fit chose for the feature, where ``union_q <= max_q``; p is the
      share of its loud bases that lie in any of these labels
      (`genointerp.association.count.union`);
    - single labels with ``q_value <= max_q``; p is the larger of the precision at the threshold
      with the best F1 and that from half of the maximum on. A feature that is loud in one concept
      only is explained by it, even if it also fires weakly elsewhere.

    A concept or a union that holds a share of ``everywhere`` or more of all bases explains nothing.
    Neither does a concept of ``absences``, alone or in a union, since an unknown element lies in
    `intergenic`. A union counts only if the table has a row for each of its labels. Older tables
    have no unions.
    """
    n_concept = associations["n_concept_bp"].to_numpy(np.int64)
    base = n_concept / max(count_covered(associations), 1)
    # firing within nearly all bases says nothing
    base = np.where(base < config.everywhere, base, np.nan)
    gain = precision_gain(associations["precision"].to_numpy(np.float64), base)
    if "precision_strong" in associations:
        strong = associations["precision_strong"].to_numpy(np.float64)
        gain = np.fmax(gain, precision_gain(strong, base))
    is_known = ~associations["concept"].isin(config.absences).to_numpy(np.bool_)
    counted = _at_most(associations["q_value"], config.max_q) & ~np.isnan(gain) & is_known
    gains = pd.Series(np.where(counted, np.maximum(gain, 0.0), 0.0))
    features = associations["feature"].to_numpy(np.int64)
    together = _union_gains(associations, config).reindex(np.unique(features), fill_value=0.0)
    unexplained = 1 - np.maximum(gains.groupby(features).max(), together)
    attraction = associations["log2_enrichment"].reset_index(drop=True).where(counted)
    columns = {
        "unexplained": unexplained,
        "attraction": attraction.groupby(features).max(),
        "boundary_share": _boundary_share(associations, config).groupby(features).max(),
    }
    best = best_concepts(associations).set_index("feature")[["best_concept", "best_f1"]]
    table = pd.DataFrame(columns).join(best)
    table["best_concept"] = table["best_concept"].astype(object).fillna("")
    return table


def _union_gains(associations: pd.DataFrame, config: RankConfig) -> pd.Series:
    """Return for each feature how much of it the union of its labels explains."""
    if "union_q" not in associations:
        return pd.Series(dtype=np.float64)
    counted = _at_most(associations["union_q"], config.max_q)
    rows = associations[counted & ~associations["concept"].isin(config.absences).to_numpy(np.bool_)]
    by_feature = rows.groupby("feature")
    found = by_feature[["union_labels", "union_precision", "union_base"]].first()
    is_whole = found["union_labels"] == by_feature.size()
    whole = found[is_whole & (found["union_base"] < config.everywhere)]
    gain = precision_gain(
        *(whole[name].to_numpy(np.float64) for name in ("union_precision", "union_base"))
    )
    return pd.Series(np.maximum(np.nan_to_num(gain), 0.0), whole.index)


def _boundary_share(associations: pd.DataFrame, config: RankConfig) -> pd.Series:
    """Return the share of loci near ends of each concept; NaN where it may be due to chance."""
    if "boundary_share" not in associations:
        return pd.Series(np.nan, range(len(associations)))
    chance = benjamini_hochberg(associations["boundary_p"].to_numpy(np.float64))
    known = chance <= config.boundary_chance
    return associations["boundary_share"].reset_index(drop=True).where(known)


def _at_most(values: pd.Series, limit: float) -> Bool[np.ndarray, " row"]:
    return np.asarray(values.to_numpy(np.float64) <= limit, dtype=np.bool_)
