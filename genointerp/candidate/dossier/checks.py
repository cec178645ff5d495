"""Every check that a candidate went through, in words: what it is not, and why."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binom

from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.locus import DossierConfig, annotation_missing
from genointerp.candidate.flags import FLAGS, Flag

Outcome = Literal["ruled out", "not ruled out", "not examined"]

_NOTHING_THERE = frozenset({"attraction"})
"""Columns that are undefined where there is nothing: no concept attracts the feature."""

UNDEFINED: dict[str, str] = {
    "gc_auroc": "it fires wherever was read",
    "kmer_auroc": "it fires on too few bases to learn from one half and tell on the other",
    "strand_asymmetry": "one strand alone was read",
    **dict.fromkeys(
        ("window_bias", "window_bias_16"),
        "where windows begin was not told, or no such base was read",
    ),
    "outlier_share": "the activations were not given",
    **dict.fromkeys(
        ("seen_share", "seen_p"),
        "no genome outside the training was read, or nobody told which those are",
    ),
    **dict.fromkeys(("stability", "stability_null"), "no dictionary of another seed was compared"),
    "split_cosine": "the directions of the dictionary were not given",
    **dict.fromkeys(
        ("loss_effect", "loss_effect_p"),
        "it was not ablated, or fires in no window of the ablation",
    ),
}
"""Why a column of candidates is undefined, for those that may be and that rules name."""


class Check(NamedTuple):
    """One check.

    Parameters
    ----------
    check
        Name of the flag.
    outcome
        ``not ruled out`` where the rule raised it; ``not examined`` where it did not and says
        nothing; ``ruled out`` otherwise.
    reason
        Why it was not examined; empty where it was.
    claim
        What the candidate would be if the rule raised it.
    rule
        When it is raised, with the thresholds that the ranking had.
    values, thresholds
        Of the columns and of the keys of the configuration that the rule is about; None: undefined.
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
        Of the table of candidates.
    evidence
        Its loci, in the schema ``LOCUS_EVIDENCE``.
    ranked, config
        Where the thresholds are.
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
    """Return why a flag that was not raised was not examined either; empty where it was."""
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
            "genes that finders see and that the annotation lacks",
            "share of its loci with a predicted gene and no annotated element",
            missing,
            {"max_missing": config.max_missing},
            "no finder was run",
        ),
        _locus_check(
            "masked",
            "low-complexity sequence, known without a model",
            "mean share of its loci that DUST masks",
            share,
            {"max_masked": config.max_masked},
            "no finder of low complexity was run",
        ),
    ]


class CommonestType(NamedTuple):
    """The type of element in which more loci lie than chance puts there, and that chance."""

    type: str
    n_loci: int
    chance: float


def commonest_type(evidence: pd.DataFrame) -> CommonestType | None:
    """Return the type of annotated element that tells the loci of one candidate best.

    None where no locus lies in an element.

    Notes
    -----
    Of n loci k lie in elements of a type that holds a share p of the bases read (the largest over
    genomes): the chance is that of k or more in n throws with p, times the number of types found
    (Bonferroni), 1 at most. Copies of one element count as often as they are there.
    """
    inside = evidence[(evidence["status"] == "annotated") & (evidence["distance"] == 0)]
    groups = inside.groupby("element_type", sort=True)["type_share"]
    types = [
        CommonestType(
            str(type),
            len(share),
            min(1.0, groups.ngroups * float(binom.sf(len(share) - 1, len(evidence), share.max()))),
        )
        for type, share in groups
    ]
    return min(types, key=lambda one: one.chance, default=None)


def _one_kind(evidence: pd.DataFrame, config: DossierConfig) -> Check:
    commonest = commonest_type(evidence)
    found = ""
    if commonest is not None:
        found = f" (here {commonest.n_loci} of {len(evidence)} in {commonest.type})"
    # where no locus lies in any element, none is told; where there is no locus, nothing is known
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
    """Return a check of a share of the loci, None where it is undefined."""
    ((key, least),) = limit.items()
    outcome, reason = _outcome(
        is_raised=value is not None and value >= least, why_not=why_not if value is None else ""
    )
    rule = f"{measured} >= {key} ({least:g})"
    return Check(name, outcome, reason, claim, rule, {name: value}, limit)


def _outcome(*, is_raised: bool, why_not: str) -> tuple[Outcome, str]:
    """Return the outcome of a check, and the reason if it was not examined."""
    if is_raised:
        return "not ruled out", ""
    return ("not examined", why_not) if why_not else ("ruled out", "")


def _number(value: object) -> float | int | None:
    """Return a cell as a plain number, None where it is undefined or text."""
    if isinstance(value, int | np.integer):
        return int(value)
    if not isinstance(value, float | np.floating) or np.isnan(value):
        return None
    return float(value)
