"""Fill the tables over several seeds in the pages: ``python -m scripts.seeds_table``.

The figures are those in ``scripts/seeds``, which ``scripts/measure_seeds.py`` writes.
"""

import re
from pathlib import Path

import pandas as pd

from scripts.backtest_spread import spread

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "seeds"
PAGE = ROOT / "docs" / "backtest.md"
README = ROOT / "README.md"
HEADLINE = ("tRNA", "rRNA", "CDS", "CDS_phase0", "CDS_phase1", "CDS_phase2")
"""Concepts in the table of the README, which is that of the first genome."""
NAMES = {
    "bsubtilis": "B. subtilis 168",
    "spyogenes": "S. pyogenes M1",
    "cdiphtheriae": "C. diphtheriae NCTC 11397, elements predicted by gene finders",
}
BESIDE = ("neuron_or_component", "sequence_alone", "probe", "always_on")


def main() -> None:
    """Rewrite the pages."""
    for path in (PAGE, README):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


def filled(page: str) -> str:
    """Return a page with its tables filled from the files."""
    for name, table in {"backtests": backtests, "seeds": concepts, "headline": headline}.items():
        pattern = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if pattern.search(page):
            text = table()
            page = pattern.sub(lambda match, text=text: match[1] + text + match[2], page)
    return page


def backtests() -> str:
    """Return the backtests of each genome over all seeds, for classes that a feature tells."""
    every = pd.read_csv(KEPT / "backtest.tsv", sep="\t", keep_default_na=False, na_values=[""])
    parts = []
    for genome, rows in every.groupby("genome", sort=False):
        told = rows.groupby("class")["n_class_features"].transform("max") > 0
        tables = [table for _, table in rows[told].groupby("seed")]
        parts += [f"**{NAMES[str(genome)]}**", "", spread(tables), ""]
    return "\n".join([*parts, ""])


def concepts() -> str:
    """Return the F1 of the best feature of each concept over all seeds, next to the baselines."""
    every = pd.read_csv(KEPT / "concepts.tsv", sep="\t", keep_default_na=False, na_values=[""])
    parts = []
    for genome, rows in every.groupby("genome", sort=False):
        parts += [f"**{NAMES[str(genome)]}**", "", *_beside(rows), ""]
    return "\n".join([*parts, ""])


def headline() -> str:
    """Return the rows of the table in the README: the first genome and the headline concepts."""
    every = pd.read_csv(KEPT / "concepts.tsv", sep="\t", keep_default_na=False, na_values=[""])
    first = every[every["genome"] == next(iter(NAMES))]
    rows = pd.concat([first[first["concept"] == name] for name in HEADLINE])
    return "\n".join([*_beside(rows), ""])


def _beside(rows: pd.DataFrame) -> list[str]:
    n_seeds = rows["seed"].nunique()
    heads = [f"best feature, {n_seeds} seeds", *(name.replace("_", " ") for name in BESIDE)]
    lines = [
        f"| concept | {' | '.join(heads)} | feature ahead of all |",
        f"| --- | {'--: | ' * len(heads)}--: |",
    ]
    for concept, own in rows.groupby("concept", sort=False):
        ahead = int((own["f1"] > own[list(BESIDE)].max(axis=1)).sum())
        cells = [_spread(own["f1"]), *(_spread(own[name]) for name in BESIDE)]
        lines.append(f"| {concept} | {' | '.join(cells)} | {ahead} of {len(own)} |")
    return lines


def _spread(values: pd.Series) -> str:
    known = values.dropna()
    if known.empty:
        return ""
    if known.nunique() == 1:
        return f"{known.iloc[0]:.2f}"
    return f"{known.median():.2f} ({known.min():.2f} to {known.max():.2f})"


if __name__ == "__main__":
    main()
