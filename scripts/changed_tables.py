"""Tables of features in ``docs/diff.md``: ``python -m scripts.changed_tables``.

``measure births BEFORE`` needs the folder of `nano` before its second run, which version control
has; ``measure rRNA ORGANISMS`` and ``measure clean ORGANISMS`` need organisms that
``scripts/organisms.py`` makes. All read *E. coli* around its ribosomal operons, with the shipped
dictionary. Measuring writes a table to ``scripts/changed``; filling writes them into the page.
"""

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from genointerp.annotation.catalogue import shipped
from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.association.null.significance import benjamini_hochberg
from genointerp.comparison.changed.births import find_births
from genointerp.comparison.changed.features import Changes, measure_changes
from genointerp.comparison.changed.sentences import sentences
from genointerp.comparison.models import ModelSet
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.model.registry import load_model
from genointerp.sae.dictionary import Dictionary

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "changed"
PAGE = ROOT / "docs" / "diff.md"
GENOME, DICTIONARY = "ecoli_mg1655", "shipped:nano"
_AROUND = 2_048
_LEAST_F1 = 0.2
_LEAST_FEATURES = 3


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("part", nargs="?", choices=PARTS)
    parser.add_argument("folder", nargs="?", type=Path, help="of a model, or of organisms")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.part is None or arguments.folder is None:
        parser.error("measure needs a part and a folder")
    KEPT.mkdir(exist_ok=True)
    found = PARTS[arguments.part](arguments.folder)
    path = KEPT / f"{arguments.part}.tsv"
    found.to_csv(path, sep="\t", index=False, float_format="%.4g")


def measure_births(before: Path) -> pd.DataFrame:
    """Return by concept how many features the second run of `nano` gave birth to."""
    genome, elements = shipped_genome()
    table = find_births(
        [load_model(str(before)), load_model("nano")],
        Dictionary.load(DICTIONARY),
        genome,
        elements=elements,
        regions=around_operons(genome, elements),
    )
    named = table[table["f1_last"] >= _LEAST_F1]
    alive = table[table["kind"] != "never"]
    n, n_born = len(alive), int((alive["kind"] == "born").sum())
    rows = []
    for (concept, orientation), own in named.groupby(["concept", "orientation"]):
        born = int((own["kind"] == "born").sum())
        if len(own) < _LEAST_FEATURES:
            continue
        rows.append(
            {
                "concept": concept,
                "orientation": orientation,
                "n_features": len(own),
                "n_born": born,
                "p_value": hypergeom.sf(born - 1, n, n_born, len(own)),
                "support": own["support"].median(),
                "density_first": own["density_first"].median(),
                "density_last": own["density_last"].median(),
                "f1_first": own["f1_first"].max(),
                "f1_last": own["f1_last"].max(),
            }
        )
    found = pd.DataFrame(rows)
    found["q_value"] = benjamini_hochberg(found["p_value"].to_numpy(np.float64))
    whole = {"concept": "all", "orientation": "", "n_features": n, "n_born": n_born}
    return pd.concat([pd.DataFrame([whole]), found], ignore_index=True)


def measure_rrna(organisms: Path) -> pd.DataFrame:
    """Return what changed by concept in `nano` tuned without rRNA windows, against with them."""
    models = _models(organisms, "without_rRNA", "with_rRNA")
    second = _models(organisms, "without_rRNA_2", "with_rRNA_2")
    found = _changes(models, second)
    _write_said("rRNA", found)
    concepts = found.concepts
    return concepts[(concepts["n_features"] >= _LEAST_FEATURES) | (concepts["concept"] == "")]


def measure_clean(organisms: Path) -> pd.DataFrame:
    """Return how many features differ between models of which nothing is planted, and the same."""
    pairs = {
        "control pair": (
            _models(organisms, "clean_1", "clean_2"),
            _models(organisms, "clean_3", "clean_4"),
        ),
        "the same model twice": (
            ModelSet(
                load_model("nano"), load_model("nano"), load_model(str(organisms / "clean_5"))
            ),
            None,
        ),
    }
    rows = []
    for name, (models, second) in pairs.items():
        found = _changes(models, second)
        table = found.features
        rows.append(
            {
                "pair": name,
                "n_features": int(table["p_value"].notna().sum()),
                "n_changed": int((table["change"].abs() > 0).sum()),
                "n_excess": int((table["q_value"] <= 0.05).sum()),
                "n_repeated": int(((table["q_value"] <= 0.05) & (table["second_q"] <= 0.05)).sum()),
                "n_said": int((table["kind"] != "").sum()),
            }
        )
    return pd.DataFrame(rows)


PARTS: Mapping[str, Callable[[Path], pd.DataFrame]] = {
    "births": measure_births,
    "rRNA": measure_rrna,
    "clean": measure_clean,
}


def shipped_genome() -> tuple[Genome, ConceptElements]:
    """Return the genome that is read, and the elements of its concepts."""
    files = shipped(GENOME)
    genome = read_genome(files.sequence)
    annotation = read_annotation(files.annotation, genome)
    return genome, define_elements(annotation, genome, load_concepts())


def around_operons(genome: Genome, elements: ConceptElements) -> list[GenomicInterval]:
    """Return stretches around the rRNA genes, joined where they meet."""
    found: list[GenomicInterval] = []
    for row in elements.of("rRNA").sort_values(["seqid", "start"]).itertuples():
        length = genome[str(row.seqid)].length
        start, end = max(0, int(row.start) - _AROUND), min(length, int(row.end) + _AROUND)
        if found and found[-1].seqid == row.seqid and start <= found[-1].end:
            last = found.pop()
            start, end = last.start, max(last.end, end)
        found.append(GenomicInterval(str(row.seqid), start, end))
    return found


def _models(organisms: Path, tuned: str, control: str) -> ModelSet | None:
    if not (organisms / tuned).is_dir():
        return None
    names = (str(organisms / name) for name in (tuned, control))
    return ModelSet(load_model("nano"), *(load_model(name) for name in names))


def _changes(models: ModelSet | None, second: ModelSet | None) -> Changes:
    assert models is not None, "an organism is missing"
    genome, elements = shipped_genome()
    return measure_changes(
        models,
        Dictionary.load(DICTIONARY),
        genome,
        second=second,
        elements=elements,
        regions=around_operons(genome, elements),
    )


def _write_said(name: str, found: Changes) -> None:
    text = "\n".join(sentences(found)) + "\n"
    (KEPT / f"{name}.txt").write_text(text, encoding="utf-8")


def filled(page: str) -> str:
    """Return the page with its tables filled from the files."""
    for name, table in {"births": _births, "rRNA": _rrna, "clean": _clean}.items():
        pattern = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = pattern.sub(lambda match, table=table: match[1] + table() + match[2], page)
    return page


Columns = Mapping[str, Callable[["pd.Series[float]"], str]]


def _births() -> str:
    return _rows(
        "births",
        {
            "concept": lambda row: f"{row['concept']} {row['orientation']}".strip(),
            "features": lambda row: f"{row['n_features']:.0f}",
            "born": lambda row: f"{row['n_born']:.0f}",
            "p (q)": lambda row: f"{row['p_value']:.2g} ({row['q_value']:.2g})",
            "median density, before": lambda row: f"{row['density_first']:.2g}",
            "after": lambda row: f"{row['density_last']:.2g}",
            "best F1, before": lambda row: f"{row['f1_first']:.2f}",
            "after ": lambda row: f"{row['f1_last']:.2f}",
        },
    )


def _rrna() -> str:
    return _rows(
        "rRNA",
        {
            "concept": lambda row: f"{row['concept']} {row['orientation']}".strip() or "all",
            "FVU of nano": lambda row: f"{row['fvu_base']:.3f}",
            "without": lambda row: f"{row['fvu_tuned']:.3f}",
            "with": lambda row: f"{row['fvu_control']:.3f}",
            "q": lambda row: f"{row['fvu_q']:.2g}",
            "features": lambda row: f"{row['n_features']:.0f}",
            "gained": lambda row: f"{row['n_gained']:.0f}",
            "lost": lambda row: f"{row['n_lost']:.0f}",
            "odds of loss": lambda row: f"{row['lost_odds']:.0f}" if row["n_lost"] else "",
            "q of that": lambda row: f"{row['lost_q']:.2g}",
        },
    )


def _clean() -> str:
    return _rows(
        "clean",
        {
            "models": lambda row: str(row["pair"]),
            "features": lambda row: f"{row['n_features']}",
            "changed at all": lambda row: f"{row['n_changed']}",
            "excess with q <= .05": lambda row: f"{row['n_excess']}",
            "in both seeds": lambda row: f"{row['n_repeated']}",
            "said": lambda row: f"{row['n_said']}",
        },
    )


def _rows(name: str, columns: Columns) -> str:
    table = pd.read_csv(KEPT / f"{name}.tsv", sep="\t", keep_default_na=False, na_values=["nan"])
    for column in table.columns:
        if table[column].dtype == object and column not in ("concept", "orientation", "pair"):
            table[column] = pd.to_numeric(table[column], errors="coerce")
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for _, row in table.iterrows():
        cells = (re.sub(r"nan( \(nan\))?", "", make(row)) for make in columns.values())
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
