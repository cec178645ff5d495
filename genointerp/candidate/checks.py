"""Every check that a candidate went through, in words: what it is not, and why."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

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
