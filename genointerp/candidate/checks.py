"""Every check that a candidate went through, in words: what it is not, and why."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binom

from genointerp.candidate.config import RankConfig
from genointerp.candidate.locus_evidence import DossierConfig, annotation_missing
from genointerp.candidate.score import FLAGS

Outcome = Literal["ruled out", "not ruled out", "not examined"]

_NO_MEASURES = frozenset({"rank", "feature", "score"})
_WORD = re.compile(r"[a-z]\w*")


class Check(NamedTuple):
    """One check.

    Parameters
    ----------
    check
        Name of the flag.
    outcome
        ``ruled out`` where the rule did not raise it, ``not examined`` where a value is undefined.
    claim
        What the candidate would be if the rule raised it.
    rule
        When it is raised.
    values, thresholds
        Of the columns and of the keys of the configuration that the rule names; None: undefined.
    """

    check: str
    outcome: Outcome
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
    checks = []
    keys = asdict(ranked)
    for flag in FLAGS:
        words = dict.fromkeys(_WORD.findall(flag.rule))
        values = {word: _number(row[word]) for word in words if _is_measured(word, row)}
        thresholds = {word: float(keys[word]) for word in words if word in keys}
        outcome = _outcome(is_raised=flag.name in raised, values=values)
        checks.append(Check(flag.name, outcome, flag.reason, flag.rule, values, thresholds))
    return [*checks, *_locus_checks(evidence, config)]


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
            config.max_missing,
            "max_missing",
        ),
        _locus_check(
            "masked",
            "low-complexity sequence, known without a model",
            "mean share of its loci that DUST masks",
            share,
            config.max_masked,
            "max_masked",
        ),
    ]


class Kind(NamedTuple):
    """The type of element in which more loci lie than chance puts there, and that chance."""

    type: str
    n_loci: int
    chance: float


def commonest_kind(evidence: pd.DataFrame) -> Kind | None:
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
    kinds = [
        Kind(
            str(type),
            len(share),
            min(1.0, groups.ngroups * float(binom.sf(len(share) - 1, len(evidence), share.max()))),
        )
        for type, share in groups
    ]
    return min(kinds, key=lambda kind: kind.chance, default=None)


def _one_kind(evidence: pd.DataFrame, config: DossierConfig) -> Check:
    kind = commonest_kind(evidence)
    found = "" if kind is None else f" (here {kind.n_loci} of {len(evidence)} in {kind.type})"
    # where no locus lies in any element, none is told; where there is no locus, nothing is known
    nothing = None if evidence.empty else 1.0
    chance = nothing if kind is None else kind.chance
    values = {"one_kind": chance}
    return Check(
        "one_kind",
        _outcome(is_raised=chance is not None and chance <= config.max_chance, values=values),
        f"a detector of one known kind of element, at its strongest loci{found}",
        "chance that as many of its loci lie in elements of one type <= max_chance "
        f"({config.max_chance:g})",
        values,
        {"max_chance": config.max_chance},
    )


def _locus_check(
    name: str, claim: str, measured: str, value: float | None, limit: float, key: str
) -> Check:
    outcome = _outcome(is_raised=value is not None and value >= limit, values={name: value})
    return Check(
        name, outcome, claim, f"{measured} >= {key} ({limit:g})", {name: value}, {key: limit}
    )


def _outcome(*, is_raised: bool, values: Mapping[str, float | int | None]) -> Outcome:
    if is_raised:
        return "not ruled out"
    return "not examined" if None in values.values() else "ruled out"


def _is_measured(word: str, row: Mapping[str, Any]) -> bool:
    return word in row and word not in _NO_MEASURES and not isinstance(row[word], str)


def _number(value: object) -> float | int | None:
    """Return a cell as a plain number, None where it is undefined or text."""
    if isinstance(value, int | np.integer):
        return int(value)
    if not isinstance(value, float | np.floating) or np.isnan(value):
        return None
    return float(value)
