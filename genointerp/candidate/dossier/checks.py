"""All checks that a candidate went through, in words: what it is not, and why."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.locus import DossierConfig, annotation_missing
from genointerp.candidate.flags import FLAGS, Flag
from genointerp.core.binomial import chance_of_at_least

Outcome = Literal["ruled out", "not ruled out", "not examined"]

_NOTHING_THERE = frozenset({"attraction"})
"""Columns that are undefined if there is nothing to measure: no concept attracts the feature."""

UNDEFINED: dict[str, str] = {
    "gc_auroc": "it fires on all bases that were read",
    "kmer_auroc": "it fires on too few bases to learn from one half and to predict the other",
    "strand_asymmetry": "only one strand was read",
    **dict.fromkeys(
        ("window_bias", "window_bias_16"),
        "it is not known where windows begin, or no base of their heads was read",
    ),
    "outlier_share": "the activations were not given",
    **dict.fromkeys(
        ("seen_share", "seen_p"),
        "no genome outside the training was read, or it is not known which those are",
    ),
    **dict.fromkeys(("stability", "stability_null"), "no dictionary of another seed was compared"),
    "split_cosine": "the directions of the dictionary were not given",
    **dict.fromkeys(
        ("loss_effect", "loss_effect_p"),
        "it was not ablated, or fires in no window of the ablation",
    ),
}
"""Why a column of candidates is undefined, for the columns that rules use and that may be so."""


class Check(NamedTuple):
    """One check of a candidate.

    Parameters
    ----------
    check
        Name of the flag.
    outcome
        ``not ruled out`` if the rule raised the flag; ``not examined`` if it did not and could not
        say anything; ``ruled out`` otherwise.
    reason
        Why it was not examined; empty if it was.
    claim
        What the candidate would be if the flag were raised.
    rule
        When the flag is raised, with the thresholds of the ranking.
    values, thresholds
        Values of the columns and of the configuration keys that the rule uses; None where
        undefined.
    """

    check: str
    outcome: Outcome
    reason: str
    claim: str
    rule: str
    values: Mapping[str, float | int | None]
    thresholds: Mapping[str, float]


def check_candidate(
    row: Mapping[str, Any], evidence: pd.DataFrame, ranked: RankConfig, config: DossierConfig
) -> list[Check]:
    """Return the checks of one candidate: the flags of the ranking, then those of its loci.

    Parameters
    ----------
    row
        Row of the table of candidates.
    evidence
        Loci of the candidate, in the schema ``LOCUS_EVIDENCE``.
    ranked, config
        Configurations of the ranking and of the dossier, which hold the thresholds.
    """
    raised = set(str(row["flags"]).split(","))
    checks = [_flag_check(flag, row, ranked, is_raised=flag.name in raised) for flag in FLAGS]
    return [*checks, *_locus_checks(evidence, config)]


def _flag_check(
    flag: Flag, row: Mapping[str, Any], ranked: RankConfig, *, is_raised: bool
) -> Check:
    values = {name: _number(row.get(name)) for name in flag.columns}
    outcome, reason = _outcome(is_raised=is_raised, why_not=_why_not(flag, row, values, ranked))
    thresholds = {key: float(getattr(ranked, key)) for key in flag.thresholds}
    sentences = flag.reason_of(ranked), flag.rule_of(ranked)
    return Check(flag.name, outcome, reason, *sentences, values, thresholds)


def _why_not(
    flag: Flag,
    row: Mapping[str, Any],
    values: Mapping[str, float | int | None],
    ranked: RankConfig,
) -> str:
    """Return why a flag that was not raised was not examined either; empty if it was examined."""
    for name, value in values.items():
        if name not in row:
            return f"the table of candidates has no column {name}"
        if value is None and name not in _NOTHING_THERE:
            return UNDEFINED.get(name, f"{name} was not measured")
    if flag.blind is not None and flag.blind.where.holds(pd.DataFrame([row]), ranked).any():
        return flag.blind.reason
    return ""


def _locus_checks(evidence: pd.DataFrame, config: DossierConfig) -> list[Check]:
    missing = None if evidence.empty else _number(annotation_missing(evidence).iloc[0])
    masked = evidence["low_complexity"].dropna()
    share = float(masked.mean()) if len(masked) else None
    return [
        _one_kind(evidence, config),
        _locus_check(
            "annotation_missing",
            "genes that finders predict and the annotation lacks",
            "share of its loci with a predicted gene and no annotated element",
            missing,
            {"max_missing": config.max_missing},
            "no finder was run",
        ),
        _locus_check(
            "masked",
            "low-complexity sequence, which can be found without a model",
            "mean share of its loci that DUST masks",
            share,
            {"max_masked": config.max_masked},
            "no finder of low complexity was run",
        ),
    ]


class CommonestType(NamedTuple):
    """Type of element that most exceeds chance in the number of loci it holds, with that chance."""

    type: str
    n_loci: int
    chance: float


def commonest_type(evidence: pd.DataFrame) -> CommonestType | None:
    """Return the type of annotated element that best describes the loci of one candidate.

    None if no locus lies in an element.

    Notes
    -----
    Of n loci k lie in elements of a type that holds a share p of the bases read (the largest over
    genomes): the chance is that of k or more successes in n draws with probability p, times the
    number of types found (Bonferroni), at most 1. Each copy of an element counts.
    """
    inside = evidence[(evidence["status"] == "annotated") & (evidence["distance"] == 0)]
    groups = inside.groupby("element_type", sort=True)["type_share"]
    types = [
        CommonestType(
            str(type),
            len(share),
            min(1.0, groups.ngroups * chance_of_at_least(len(share), len(evidence), share.max())),
        )
        for type, share in groups
    ]
    return min(types, key=lambda one: one.chance, default=None)


def _one_kind(evidence: pd.DataFrame, config: DossierConfig) -> Check:
    commonest = commonest_type(evidence)
    found = ""
    if commonest is not None:
        found = f" (here {commonest.n_loci} of {len(evidence)} in {commonest.type})"
    # a chance of 1 if no locus lies in any element; undefined if there is no locus
    nothing = None if evidence.empty else 1.0
    chance = nothing if commonest is None else commonest.chance
    outcome, reason = _outcome(
        is_raised=chance is not None and chance <= config.max_chance,
        why_not="it has no locus" if chance is None else "",
    )
    return Check(
        "one_kind",
        outcome,
        reason,
        f"a detector of one known kind of element, at its strongest loci{found}",
        "chance that as many of its loci lie in elements of one type <= max_chance "
        f"({config.max_chance:g})",
        {"one_kind": chance},
        {"max_chance": config.max_chance},
    )


def _locus_check(
    name: str,
    claim: str,
    measured: str,
    value: float | None,
    limit: Mapping[str, float],
    why_not: str,
) -> Check:
    """Return a check of a share of the loci; the share is None where it is undefined."""
    ((key, least),) = limit.items()
    outcome, reason = _outcome(
        is_raised=value is not None and value >= least, why_not=why_not if value is None else ""
    )
    rule = f"{measured} >= {key} ({least:g})"
    return Check(name, outcome, reason, claim, rule, {name: value}, limit)


def _outcome(*, is_raised: bool, why_not: str) -> tuple[Outcome, str]:
    """Return the outcome of a check, and the reason if the check was not examined."""
    if is_raised:
        return "not ruled out", ""
    return ("not examined", why_not) if why_not else ("ruled out", "")


def _number(value: object) -> float | int | None:
    """Return a cell as a plain number; None if it is undefined or text."""
    if isinstance(value, int | np.integer):
        return int(value)
    if not isinstance(value, float | np.floating) or np.isnan(value):
        return None
    return float(value)
