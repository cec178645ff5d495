"""What a feature is called on the page, and the section of labels.

A feature is called by a concept only where its F1 exceeds the null.
"""

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from genointerp.association.summary import MAX_Q, is_above_null
from genointerp.page.run import LABEL_SCORES_FILE, LABEL_SUMMARY_FILE, Run
from genointerp.page.table import Links, PageTable, format_value, page_table
from genointerp.panel.style import visible_text
from genointerp.store.table.labels import leading_rows
from genointerp.store.table.schema.feature import FEATURE_SUMMARY
from genointerp.store.table.schema.label import (
    LABEL_KINDS,
    LABEL_SCORES,
    LABEL_SUMMARY,
    UNEXPLAINED,
)

LABEL_KINDS_FILE = "label_kinds.tsv"
"""Table of the kinds of labels next to a report, if the run has labels."""

SECTION = "labels"

N_EXTREME = 20
"""Number of labels that are shown as the best and as the worst."""

N_UNEXPLAINED = 50
"""Number of features without an explanation that are shown."""


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


def label_section(
    run: Run, features: pd.DataFrame, kinds: pd.DataFrame | None, links: Links, folder: str
) -> dict[str, list[PageTable]]:
    """Return the tables of the section of labels by its name; nothing if the run has no labels.

    Parameters
    ----------
    features, kinds
        Summary of every feature, and the number of features by the kind of their label.
    folder
        Folder of these two tables, as the page names it.
    """
    if run.labels is None or kinds is None:
        return {}
    by_kind = page_table(
        kinds,
        title="Kinds",
        source=f"{folder}/{LABEL_KINDS_FILE}",
        links=links,
        schema=LABEL_KINDS,
        note="How many features are said to be what. Where a feature has several labels, that of a "
        "person counts, then that of a language model. What fires nowhere on fit has none.",
    )
    scored = list(_scored(run, links))
    return {
        SECTION: [*scored[:1], by_kind, *scored[1:], _unexplained(run, features, links, folder)]
    }


def _scored(run: Run, links: Links) -> Iterator[PageTable]:
    if run.label_scores is None or run.label_summary is None:
        return
    yield page_table(
        run.label_summary,
        title="Scores next to controls",
        source=LABEL_SUMMARY_FILE,
        links=links,
        schema=LABEL_SUMMARY,
        note="Means on test, of bases that no labeller saw. Labels that hold no better than those "
        "of other features, or than a detector that always fires, say nothing.",
    )
    known = run.label_scores[run.label_scores["f1"].notna()]
    gain = known["f1"] - known["f1_always_on"]
    ranked = known.iloc[gain.argsort(kind="stable").to_numpy()[::-1]]
    for title, table, said in (
        ("Labels that hold best", ranked.head(N_EXTREME), "largest"),
        ("Labels that hold worst", ranked.tail(N_EXTREME)[::-1], "smallest"),
    ):
        yield page_table(
            table,
            title=title,
            source=LABEL_SCORES_FILE,
            links=links,
            schema=LABEL_SCORES,
            note=f"Those with the {said} F1 on test less that of a detector that always fires.",
        )


def _unexplained(run: Run, features: pd.DataFrame, links: Links, folder: str) -> PageTable:
    labels = pd.DataFrame() if run.labels is None else leading_rows(run.labels)
    numbers = labels.loc[labels["label"] == UNEXPLAINED, "feature"]
    table = features[features["feature"].isin(numbers)]
    return page_table(
        table.sort_values("density", ascending=False, kind="stable"),
        title="What no label explains",
        source=f"{folder}/features.tsv",
        links=links,
        schema=FEATURE_SUMMARY,
        limit=N_UNEXPLAINED,
        note="Features that are unexplained, those that fire most often first. Among them are "
        "those that nobody knows yet: see the candidates.",
    )
