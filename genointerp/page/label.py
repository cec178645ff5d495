"""What a feature is called on the page: by a concept only where its F1 exceeds the null."""

from collections.abc import Hashable, Mapping
from typing import Any

from genointerp.association.summary import MAX_Q, is_above_null
from genointerp.page.table import format_value
from genointerp.panel.style import visible_text


def concept_label(row: Mapping[Hashable, Any]) -> str:
    """Return the concept that a row of the table of features is called by; empty if none."""
    if not row["best_concept"] or not is_above_null(row):
        return ""
    return f"{row['best_concept']} ({row['orientation']})"


def track_label(row: Mapping[Hashable, Any]) -> str:
    """Return the label of a feature's track: its concept with the F1; empty if it has none."""
    label = concept_label(row)
    return f"{label}, F1 {row['f1']:.2f}" if label else ""


def family_label(row: Mapping[Hashable, Any]) -> str:
    """Return the family of a row of the table of features, with its members; empty if none."""
    return visible_text(f"{row['circuit']}, {row['members']}") if row["circuit"] else ""


def describe(row: Mapping[Hashable, Any]) -> str:
    """Return one sentence on the best concept of a feature, with what its F1 is compared with."""
    if not row["best_concept"]:
        return "detects no concept on fit"
    names = ("f1", "null_f1", "f1_always_on", "q_value")
    f1, null, always, q = (format_value(row[name]) for name in names)
    scores = f"F1 {f1 or 'undefined'}, null {null or 'not tested'}, always-on {always}"
    said = f"{row['best_concept']} ({row['orientation']}): {scores}, q {q or 'undefined'}"
    nearest = f"no concept above its null with q <= {MAX_Q}; the nearest is {said}"
    return said if concept_label(row) else nearest
