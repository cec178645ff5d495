"""Tables of ``docs/label.md``: ``python -m scripts.label_tables measure FOLDER``, ``fill``.

FOLDER holds what these commands write there, for a run of the demo::

    genointerp label RUN --out FOLDER/labels.tsv
    genointerp score RUN --labels FOLDER/labels.tsv --out FOLDER/scores.tsv
    genointerp twin RUN --out TWIN

and ``random_labels.tsv`` and ``random_scores.tsv``, which the first two write for the features of
TWIN with the genomes, annotations and associations of RUN. Measuring summarises them in
``scripts/labels``. Filling writes them into the page.
"""

import argparse
import re
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.labelling.summary import summarise_labels
from genointerp.store.table.schema.label import LABEL_SCORES, LABELS
from genointerp.store.table.table import read_table

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "labels"
PAGE = ROOT / "docs" / "label.md"
N_SHOWN = 12


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("folder", nargs="?", type=Path, help="of labels and scores")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.folder is None:
        parser.error("measure needs a folder")
    KEPT.mkdir(exist_ok=True)
    for name, table in measure(arguments.folder).items():
        table.to_csv(KEPT / f"{name}.tsv", sep="\t", index=False, float_format="%.4g")


def measure(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the summary of the labels, their kinds, and the best of them on fit."""
    own, random = _joined(folder, ""), _joined(folder, "random_")
    summary = summarise_labels(own, random=random)
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
    return {"summary": summary, "kinds": kinds, "best": best}


def _joined(folder: Path, prefix: str) -> pd.DataFrame:
    labels = read_table(folder / f"{prefix}labels.tsv", LABELS)
    scores = read_table(folder / f"{prefix}scores.tsv", LABEL_SCORES)
    return scores.merge(labels[["feature", "kind"]], on="feature")


def _by_kind(table: pd.DataFrame) -> pd.DataFrame:
    gain = table["f1"] - table["f1_always_on"]
    grouped = table.assign(gain=gain).groupby("kind")
    counted = grouped.agg(n=("feature", "size"), f1=("f1", "mean"), gain=("gain", "mean"))
    return counted.reset_index()


def filled(page: str) -> str:
    """Return the page with its tables filled from the files."""
    for name, table in {"labels": _summary, "kinds": _kinds, "best": _best}.items():
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


def _read(name: str) -> list[dict[Any, Any]]:
    table = pd.read_csv(KEPT / f"{name}.tsv", sep="\t")
    return table.to_dict(orient="records")


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3f}"


def _lines(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
