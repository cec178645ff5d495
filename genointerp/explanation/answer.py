"""The tables of answers, and what they say in a line. Torch-free."""

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from genointerp.store.graph.graph import AttributionGraph


class Answer(NamedTuple):
    """The nodes and the sums of questions.

    ``nodes`` is in the schema ``EXPLANATION``, ``summary`` in the schema ``EXPLAINED``: a row for
    each question and strand. ``graphs`` has the graph of each that has nodes, if they were wanted.
    """

    nodes: pd.DataFrame
    summary: pd.DataFrame
    graphs: tuple[AttributionGraph, ...] = ()


def in_short(summary: pd.DataFrame) -> str:
    """Say in one line what was explained: one question in full, several by their number."""
    questions = summary["question"].nunique()
    if questions == 1:
        parts = [_said(row) for row in summary.to_dict("records")]
        agree = {1: "; the strands agree", 0: "; the strands disagree", -1: ""}
        said = agree[int(summary["strands_agree"].iloc[0])]
        return f"{summary['question'].iloc[0]}: {'; '.join(parts)}{said}"
    rows = summary["steps"] > 0
    told = {
        "not decomposed": summary.loc[~rows, "question"].nunique(),
        "whose strands disagree": summary.loc[summary["strands_agree"] == 0, "question"].nunique(),
        "with too large a gap": summary.loc[
            rows & (summary["complete"] == 0), "question"
        ].nunique(),
    }
    others = "".join(f", {n:,} {what}" for what, n in told.items() if n)
    return f"{questions:,} questions{others}"


def _said(row: Mapping[Hashable, Any]) -> str:
    what = f"{row['strand']} {row['measure']} {row['value']:+.3g}, change {row['change']:+.3g}"
    if not row["steps"]:
        return f"{what}, not decomposed"
    short = "" if row["complete"] else ", which is too much"
    parts = f"features {row['features']:+.3g}, errors {row['errors']:+.3g}"
    return f"{what} = {parts} (gap {row['gap']:.2g}{short})"
