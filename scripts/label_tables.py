"""Tables of ``docs/label.md``: ``python -m scripts.label_tables measure FOLDER``, or another.

FOLDER holds what these commands write there, for a run of the demo::

    genointerp label RUN --out FOLDER/labels.tsv
    genointerp score RUN --labels FOLDER/labels.tsv --out FOLDER/scores.tsv
    genointerp twin RUN --out TWIN

and ``random_labels.tsv`` and ``random_scores.tsv``, which the first two write for the features of
TWIN with the genomes, annotations and associations of RUN. Labels of a language model in the first
table are compared with those of statistics. Measuring summarises them in ``scripts/labels``.
``cost FOLDER`` reads ``evidence.jsonl``, which ``label --evidence-out`` writes there, and estimates
what a language model would cost. Filling writes all of it into the page.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genointerp.annotation.concepts import load_concepts
from genointerp.core.seed import rng
from genointerp.labelling.ask import request_of
from genointerp.labelling.endpoint.budget import Budget
from genointerp.labelling.endpoint.config import EndpointConfig
from genointerp.labelling.endpoint.exchange import Capabilities, n_bytes_of, payload_of
from genointerp.labelling.endpoint.ledger import Spent
from genointerp.labelling.evidence import Evidence
from genointerp.labelling.patterns import MotifEvidence
from genointerp.labelling.summary import summarise_labels
from genointerp.store.table.schema.label import LABEL_SCORES, LABELS
from genointerp.store.table.table import read_table

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "labels"
PAGE = ROOT / "docs" / "label.md"
N_SHOWN = 12
COSTED = (384, 32_768)
EXAMPLE = EndpointConfig("http://127.0.0.1:8080/v1", "any", price_in=1.0, price_out=4.0)
"""Prices to calculate with, of no model in particular."""


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "cost", "fill"))
    parser.add_argument("folder", nargs="?", type=Path, help="of labels and scores")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.folder is None:
        parser.error(f"{arguments.what} needs a folder")
    KEPT.mkdir(exist_ok=True)
    found = {"measure": measure, "cost": cost}[arguments.what](arguments.folder)
    for name, table in found.items():
        table.to_csv(KEPT / f"{name}.tsv", sep="\t", index=False, float_format="%.4g")


def measure(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the summary of the labels, their kinds, the best on fit, and what a model adds."""
    every, random = _joined(folder, ""), _joined(folder, "random_")
    summary = summarise_labels(every, random=random)
    own = every[every["source"] == "statistics"]
    kinds = pd.concat(
        [
            _by_kind(own).assign(features="nano"),
            _by_kind(random).assign(features="random weights"),
        ]
    )
    # chosen on fit, shown on test
    order = own.sort_values(["f1_fit", "feature"], ascending=[False, True], kind="stable")
    best = order.groupby("kind").head(N_SHOWN // 2).head(N_SHOWN)
    columns = ["feature", "label", "kind", "f1_fit", "f1", "f1_low", "f1_high"]
    best = best[[*columns, "f1_always_on", "null_f1", "shuffled_f1", "auroc"]]
    return {"summary": summary, "kinds": kinds, "best": best, "model": compared(every)}


def compared(table: pd.DataFrame, n_draws: int = 1000) -> pd.DataFrame:
    """Return by how much labels of a model score higher than those of statistics, over features.

    A label that names no bases scores 0. The interval is over features, drawn with replacement; no
    row if no model has labelled.
    """
    f1 = table.assign(f1=table["f1"].fillna(0)).pivot(index="feature", columns="source")["f1"]
    if "model" not in f1:
        return pd.DataFrame(columns=["n_features", "difference", "low", "high"])
    both = f1[["model", "statistics"]].dropna()
    gain = (both["model"] - both["statistics"]).to_numpy()
    drawn = rng(0, "labels of a model").integers(len(gain), size=(n_draws, len(gain)))
    low, high = np.quantile(gain[drawn].mean(axis=1), [0.025, 0.975])
    row = {"n_features": len(gain), "difference": gain.mean(), "low": low, "high": high}
    return pd.DataFrame([row])


def cost(folder: Path) -> dict[str, pd.DataFrame]:
    """Return what labels by a language model would cost, from evidence that was written."""
    concepts = list(load_concepts())
    lines = (folder / "evidence.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    can = Capabilities("json_schema", logprobs=True)
    n_bytes = []
    for values in map(json.loads, lines):
        evidence = Evidence(**{**values, "motif": MotifEvidence(**values["motif"])})
        n_bytes.append(n_bytes_of(payload_of(request_of(evidence, concepts), EXAMPLE, can)))
    rows = []
    for n in COSTED:
        amount, _ = Budget(EXAMPLE, Spent()).estimate(round(n * float(np.mean(n_bytes))), n)
        row = {"n_features": n, "tokens_in": amount.tokens_in, "tokens_out": amount.tokens_out}
        rows.append({**row, "cost": EXAMPLE.cost(amount.tokens_in, amount.tokens_out)})
    table = pd.DataFrame(rows)
    return {"cost": table.assign(n_bytes=float(np.mean(n_bytes)), n_measured=len(n_bytes))}


def _joined(folder: Path, prefix: str) -> pd.DataFrame:
    labels = read_table(folder / f"{prefix}labels.tsv", LABELS)
    scores = read_table(folder / f"{prefix}scores.tsv", LABEL_SCORES)
    return scores.merge(labels[["feature", "source", "kind"]], on=["feature", "source"])


def _by_kind(table: pd.DataFrame) -> pd.DataFrame:
    gain = table["f1"] - table["f1_always_on"]
    grouped = table.assign(gain=gain).groupby("kind")
    counted = grouped.agg(n=("feature", "size"), f1=("f1", "mean"), gain=("gain", "mean"))
    return counted.reset_index()


def filled(page: str) -> str:
    """Return the page with its tables filled from the files."""
    for name, table in _TABLES.items():
        pattern = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = table()
        page = pattern.sub(lambda match, text=text: f"{match[1]}{text}{match[2]}", page)
    return page


def _summary() -> str:
    rows = [
        [
            row["labels"],
            f"{row['n_named']} of {row['n_features']}",
            f"{row['n_executable']}",
            f"{row['n_above']}" if row["n_above"] else "",
            f"{row['f1']:.3f} ({row['f1_low']:.3f} to {row['f1_high']:.3f})",
            f"{row['auroc']:.3f} ({row['auroc_low']:.3f} to {row['auroc_high']:.3f})",
            _number(row["gain"]),
        ]
        for row in _read("summary")
    ]
    return _lines(["labels", "named", "with bases", "q <= .05", "F1", "AUROC", "gain"], rows)


def _kinds() -> str:
    rows = [
        [
            row["features"],
            row["kind"],
            f"{row['n']}",
            *(_number(row[name]) for name in ("f1", "gain")),
        ]
        for row in _read("kinds")
    ]
    return _lines(["features of", "kind", "features", "mean F1", "mean gain"], rows)


def _best() -> str:
    rows = [
        [
            f"{row['feature']}",
            row["label"],
            f"{row['f1_fit']:.2f}",
            f"{row['f1']:.2f} ({row['f1_low']:.2f} to {row['f1_high']:.2f})",
            *(_number(row[name]) for name in ("f1_always_on", "null_f1", "shuffled_f1", "auroc")),
        ]
        for row in _read("best")
    ]
    head = ["feature", "label", "F1 on fit", "F1 on test", "always on", "null", "other labels"]
    return _lines([*head, "AUROC"], rows)


def _cost() -> str:
    rows = [
        [
            f"{row['n_features']:,}",
            *(f"{row[name] / 1e6:,.1f}" for name in ("tokens_in", "tokens_out")),
            f"{row['cost']:,.1f}",
        ]
        for row in _read("cost")
    ]
    head = ["features", "million tokens in", "million tokens out, at most"]
    return _lines([*head, f"cost at {EXAMPLE.price_in:g} and {EXAMPLE.price_out:g}"], rows)


def _model() -> str:
    return f"{verdict(_read('model'))}\n"


def verdict(rows: list[dict[Any, Any]]) -> str:
    """Return what the page says of labels by a language model."""
    if not rows:
        return (
            "No language model has labelled the demo, so nothing is claimed of one here: what"
            " statistics reach is what it would have to beat."
        )
    (row,) = rows
    by = f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
    said = f"Over {row['n_features']} features F1 on test differs by {by} from that of statistics"
    if row["low"] > 0:
        return f"{said}: the language model adds something."
    return f"{said}: **the language model is not worth its cost here.**"


def _read(name: str) -> list[dict[Any, Any]]:
    table = pd.read_csv(KEPT / f"{name}.tsv", sep="\t")
    return table.to_dict(orient="records")


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3f}"


def _lines(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


_TABLES = {"labels": _summary, "kinds": _kinds, "best": _best, "cost": _cost, "model": _model}


if __name__ == "__main__":
    main()
