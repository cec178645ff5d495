"""Compare the best feature of each concept with detectors that need no dictionary."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genointerp.association.summary import MAX_Q, one_per_concept
from genointerp.store.table.schema.association import BASELINES, BESIDE
from genointerp.store.table.table import conform, read_table

SOURCE = "baselines.tsv"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "neuron_or_component": ("neuron", "principal_component", "independent_component"),
    "sequence_alone": ("kmer_gc_phase",),
    "probe": ("linear_probe",),
}
"""Detectors of each column; among several, the one with the highest F1 on fit is shown."""

MARGIN = 0.01
"""A feature shows more than a detector if its F1 is higher by at least this much."""

NOT_MEASURED = (
    "Baselines were not measured in this run, so it is not known whether a feature shows more "
    "than a neuron, a component, the sequence alone or a probe. `genointerp associate "
    "--baselines-out` and the key `baselines` of a run measure them."
)
"""Text shown if there is no table of baselines."""

EXPLAINED = (
    "F1 on test of the best feature of each concept, and of the best detector of each kind that "
    "needs no dictionary. All were chosen on fit. The sequence alone is a model of k-mers, GC and "
    "codon phase; a probe is trained with the annotation of fit. A feature shows more than a "
    "detector if its "
    f"F1 is higher by {MARGIN} at least."
)
"""Explanation of the table for first-time readers."""

_WORDS = {
    "neuron_or_component": "a neuron or component",
    "sequence_alone": "the sequence alone",
    "probe": "a probe",
    "always_on": "firing everywhere",
}


def read_beside(best: pd.DataFrame, run_dir: Path) -> pd.DataFrame:
    """Return `beside_baselines` for a run directory; its table of baselines may be missing."""
    path = run_dir / SOURCE
    return beside_baselines(best, read_table(path, BASELINES) if path.is_file() else None)


def beside_baselines(best: pd.DataFrame, baselines: pd.DataFrame | None) -> pd.DataFrame:
    """Compare concepts that occur on test, one row each, highest F1 first, as ``BESIDE``.

    Parameters
    ----------
    best
        Table in the schema ``BEST_PER_CONCEPT``. For each concept, the orientation with the highest
        F1 on fit is shown.
    baselines
        Table in the schema ``BASELINES``; None if they were not measured.
    """
    leading = one_per_concept(best)
    leading = leading[leading["f1"].notna()]
    measured = _by_label(baselines)
    rows = [_row(row, measured) for row in leading.to_dict("records")]
    return conform(pd.DataFrame(rows, columns=BESIDE.names), BESIDE, where="beside baselines")


def is_measured(table: pd.DataFrame) -> bool:
    """Return whether any detector other than the features was measured."""
    return bool(table[list(COLUMNS)].notna().to_numpy().any())


def _by_label(baselines: pd.DataFrame | None) -> dict[tuple[str, str], pd.DataFrame]:
    if baselines is None:
        return {}
    groups = baselines.groupby(["concept", "orientation"], sort=False)
    return {(str(concept), str(side)): rows for (concept, side), rows in groups}


def _row(
    best: Mapping[Any, Any], measured: Mapping[tuple[str, str], pd.DataFrame]
) -> dict[str, object]:
    own = measured.get((best["concept"], best["orientation"]))
    found = {name: _chosen(own, detectors) for name, detectors in COLUMNS.items()}
    values = {name: value for name, (value, _) in found.items()}
    values["always_on"] = float(best["f1_always_on"])
    return {
        "concept": best["concept"],
        "orientation": best["orientation"],
        "feature": best["feature"],
        "f1": best["f1"],
        **values,
        "which": found["neuron_or_component"][1],
        "q_value": best["q_value"],
        "shows": _sentence(float(best["f1"]), float(best["q_value"]), values),
    }


def _chosen(own: pd.DataFrame | None, detectors: Sequence[str]) -> tuple[float, str]:
    """Return the F1 on test of the detector that fit prefers, and its name."""
    if own is None:
        return float("nan"), ""
    known = own[own["detector"].isin(detectors) & own["f1_fit"].notna()]
    if known.empty:
        return float("nan"), ""
    row = known.sort_values("f1_fit", ascending=False, kind="stable").iloc[0]
    return float(row["f1"]), f"{row['detector']} {row['which']}".replace("_", " ").strip()


def _sentence(f1: float, q_value: float, values: Mapping[str, float]) -> str:
    if not q_value <= MAX_Q:
        reason = "not tested" if np.isnan(q_value) else f"q = {q_value:.2g}"
        return f"No more than chance may give ({reason})."
    unknown = [_WORDS[name] for name, value in values.items() if np.isnan(value)]
    known = {name: value for name, value in values.items() if not np.isnan(value)}
    less = [_WORDS[name] for name, value in known.items() if f1 - value >= MARGIN]
    others = [
        f"{_WORDS[name]} ({value:.2f})" for name, value in known.items() if f1 - value < MARGIN
    ]
    if not others:
        text = f"Shows more than {_joined(less, 'and')}"
    elif not less:
        text = f"Shows no more than {_joined(others, 'or')}"
    else:
        text = f"Shows more than {_joined(less, 'and')}, but not more than {_joined(others, 'or')}"
    missing = f"; not measured: {', '.join(unknown)}" if unknown else ""
    return f"{text}{missing}."


def _joined(words: Sequence[str], conjunction: str) -> str:
    *before, last = words
    return f"{', '.join(before)} {conjunction} {last}" if before else last
