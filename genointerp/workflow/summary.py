"""The headline figures of a run, and the best feature of each concept, as files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genointerp.association.summary import best_per_concept, own_orientations
from genointerp.core.errors import SchemaError
from genointerp.core.files import atomic_path, read_text
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.store.table_schemas import ASSOCIATIONS, BEST_PER_CONCEPT
from genointerp.store.tables import read_table, write_table


def write_summary(
    associations: Path, *, training: Path, fidelity: Path, out: Path, best: Path, text: Path
) -> None:
    """Write ``summary.json``, the table of the best feature of each concept, and all as text.

    Parameters
    ----------
    training
        ``log.json`` of the dictionary.
    fidelity
        What `genointerp evaluate` wrote.
    text
        TSV of all associations, for those who do not read Parquet.

    Raises
    ------
    SchemaError
        If an input is not of its kind.
    """
    inputs = {"associations": associations, "training": training, "fidelity": fidelity}
    provenance = Provenance({}, {role: sha256_file(path) for role, path in inputs.items()})
    everything = read_table(associations, ASSOCIATIONS)
    table = best_per_concept(everything)
    leading = one_per_concept(table)
    measured = _read_json(fidelity, "loss_recovered")
    losses = {name: it for name, it in measured.items() if not isinstance(it, dict)}
    summary = {
        "training": _read_json(training, "fvu"),
        "fidelity": losses,
        "best_f1": dict(zip(leading["concept"], map(_number, leading["f1"]), strict=True)),
        "provenance": json.loads(provenance.as_json()),
    }
    write_table(everything, text, ASSOCIATIONS, provenance)
    write_table(table, best, BEST_PER_CONCEPT, provenance)
    with atomic_path(out) as temporary:
        temporary.write_text(json.dumps(summary, indent=2) + "\n")


def one_per_concept(best: pd.DataFrame) -> pd.DataFrame:
    """Return the orientation of each concept with the highest ``f1_fit``; highest test F1 first.

    Of a concept with a strand that is sense or antisense (`own_orientations`).
    """
    leading = (
        own_orientations(best)
        .sort_values("f1_fit", ascending=False, kind="stable")
        .drop_duplicates("concept")
    )
    return leading.sort_values("f1", ascending=False, kind="stable").reset_index(drop=True)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _read_json(path: Path, key: str) -> dict[str, Any]:
    try:
        values = json.loads(read_text(path, error=SchemaError))
    except json.JSONDecodeError as error:
        raise SchemaError(str(path), "JSON", str(error)) from error
    if not isinstance(values, dict) or key not in values:
        found = ", ".join(values) if isinstance(values, dict) else type(values).__name__
        raise SchemaError(str(path), f"a JSON object with the key {key!r}", found or "no key")
    return values
