"""Labels in the form of Neuronpedia's explanations: an object of JSON for each label.

The keys are those of the exports (https://docs.neuronpedia.org/api-and-data/exports, files
``explanations/batch-N.jsonl.gz``): ``modelId``, ``layer``, ``index``, ``description``,
``typeName``, ``explanationModelName``. A feature as the API returns it has a list of them,
``explanations``.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.core.errors import MismatchError, SchemaError
from genointerp.core.parsing import parse_json
from genointerp.core.text import clean_field, is_count, one_line
from genointerp.genome.file import read_content
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.label import LABELS, MOST_LETTERS, MOST_WORDS

SUFFIXES = (".jsonl", ".jsonl.gz")
"""Endings of the names of such files."""

STATISTICS = "genointerp statistics"
"""What stands as the model that explained, of a label of statistics."""

_log = logging.getLogger(__name__)


def is_explanations(path: Path) -> bool:
    """Say whether a file is one of explanations, by its name."""
    return path.name.endswith(SUFFIXES)


def explanation_lines(labels: pd.DataFrame, store: FeatureStore) -> Iterator[str]:
    """Yield a line of JSON for each row of a table in the schema ``LABELS``."""
    own = {"modelId": store.header.model, "layer": store.header.site}
    for row in labels.to_dict("records"):
        by = STATISTICS if row["source"] == "statistics" else row["author"]
        record = {
            **own,
            "index": str(row["feature"]),
            "description": row["label"],
            "typeName": row["prompt"] or None,
            "explanationModelName": None if row["source"] == "person" else by,
            "authorName": row["author"] if row["source"] == "person" else None,
            "createdAt": row["date"] or None,
        }
        yield json.dumps(record, ensure_ascii=False)


def read_explanations(path: Path, store: FeatureStore) -> pd.DataFrame:
    """Read explanations as labels, in the schema ``LABELS``; none of them is executable.

    The source is *model* where ``explanationModelName`` says one, *statistics* where that is
    `STATISTICS`, else *person*. A text of more
    words or letters than a label may have is cut, and all of it stands in ``explanation``. Of
    several explanations of one feature and source the first is kept, and an empty one is left out;
    the log says how many.

    Parameters
    ----------
    path
        Lines of JSON, a list, or a feature as the API returns it; it may be compressed by gzip.
    store
        Features that the labels are of.

    Raises
    ------
    MismatchError
        If an explanation is of another model or another site (``layer``), or of a feature that the
        dictionary does not have.
    SchemaError
        If the file is missing or damaged, or an explanation lacks a key.
    """
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    n_read = 0
    for where, record in _records(path):
        n_read += 1
        row = _row(record, store, where)
        if row["label"]:
            rows.setdefault((row["feature"], row["source"]), row)
    if len(rows) < n_read:
        _log.info(
            "%s: %d of %d explanations are empty, or not the first of their feature and source",
            *(path, n_read - len(rows), n_read),
        )
    return pd.DataFrame([*rows.values()], columns=LABELS.names)


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    text = read_content(path, error=SchemaError).text.decode("utf-8", "replace")
    lines = [(f"{path}: line {n}", it) for n, it in enumerate(text.split("\n"), 1) if it.strip()]
    if text.lstrip().startswith("[") or lines[0][1].strip() == "{":
        lines = [(str(path), text)]
    for where, line in lines:
        found = parse_json(line, where=where, error=SchemaError)
        for one in found if isinstance(found, list) else [found]:
            if not isinstance(one, dict):
                raise SchemaError(where, "an object of JSON", type(one).__name__)
            inner = one.get("explanations")
            of = {key: one.get(key) for key in ("modelId", "layer", "index")}
            for record in inner if isinstance(inner, list) else [one]:
                if not isinstance(record, dict):
                    raise SchemaError(where, "an object of JSON", type(record).__name__)
                yield where, {**of, **record}


def _row(record: Mapping[str, Any], store: FeatureStore, where: str) -> dict[str, Any]:
    for key, expected in (("modelId", store.header.model), ("layer", store.header.site)):
        if record.get(key) != expected:
            raise MismatchError(f"{where}: {key}", expected, repr(record.get(key)))
    index, text = str(record.get("index")), record.get("description")
    if not is_count(index) or int(index) >= store.n_features:
        expected = f"a feature from 0 to {store.n_features - 1}"
        raise MismatchError(f"{where}: index", expected, repr(record.get("index")))
    if not isinstance(text, str | None):
        raise SchemaError(f"{where}: description", "a text", type(text).__name__)
    whole = _text(text)
    label = " ".join(whole.split()[:MOST_WORDS])[:MOST_LETTERS].strip()
    model = _text(record.get("explanationModelName"))
    source, author = "model", model
    if model == STATISTICS:
        source, author = "statistics", ""
    elif not model:
        source, author = "person", _text(record.get("authorName")) or "Neuronpedia"
    blank = {"string": "", "int64": 0, "float64": float("nan")}
    return {
        **{column.name: blank[column.kind] for column in LABELS.columns},
        "feature": int(index),
        "label": label,
        "kind": "unclear",
        "explanation": whole if whole != label else "",
        "confidence": 1,
        "source": source,
        "author": author,
        "date": _day(_text(record.get("createdAt"))),
        "prompt": _text(record.get("typeName")),
    }


def _text(value: object) -> str:
    """Return a text as one field; empty where there is none."""
    return one_line(" ".join(clean_field(value).split())) if isinstance(value, str) else ""


def _day(text: str) -> str:
    """Return the day of a time as ``YYYY-MM-DD``; empty where it is none."""
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return ""
