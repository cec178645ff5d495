"""The tables of ``docs/across.md``.

``python -m scripts.across_tables measure RUN`` matches the features of the demo's run in *E. coli*
with those in *B. subtilis*, over orthologous genes, and measures in the one how well features that
the other chose tell concepts. ``measure RUN GENBANK FOLDER`` does the latter in 750 kb of
*S. pyogenes* M1, which is not shipped (its source is in ``scripts/corpus/manifest.yaml``), with the
model and the dictionary of the run; its annotation has no gene names, and so no orthologues. FOLDER
keeps what takes long. Tables go to ``scripts/acrosses``; ``fill`` writes them into the page.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from genointerp.command.build.encode import encode
from genointerp.command.build.harvest import harvest
from genointerp.command.compare.across import across
from genointerp.command.find.associate import associate
from genointerp.core.arguments import ASSOCIATIONS_FILE
from genointerp.genome.read import read_genome
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.associations import read_associations

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "acrosses"
PAGE = ROOT / "docs" / "across.md"
CHOSEN_IN = "ecoli"
OTHERS: Mapping[str, str] = {"bsubtilis": "B. subtilis", "spyogenes": "S. pyogenes"}
"""Genomes that the first is compared with, by the names of their files."""
N_BP = 750_000
"""Bases that are read of a genome that the demo does not have, as many as of *B. subtilis*."""
N_CONCEPTS = 12
"""Concepts in the table, those with the highest F1 in the genome that chose."""


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("run", nargs="?", type=Path, help="run of the demo")
    parser.add_argument("genbank", nargs="?", type=Path, help="S. pyogenes M1, as GenBank")
    parser.add_argument("folder", nargs="?", type=Path, help="where its features are kept")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.run is None:
        parser.error("measure needs a run")
    KEPT.mkdir(exist_ok=True)
    if arguments.genbank is None:
        _measure_own(arguments.run)
    elif arguments.folder is None:
        parser.error("measure of another genome needs a folder")
    else:
        _measure_other(arguments.run, arguments.genbank, arguments.folder)


def _measure_own(run: Path) -> None:
    found = across(run, run, genome_a=CHOSEN_IN, genome_b="bsubtilis")
    _keep(found.summary, "bsubtilis")
    folder = RunFolder.open(run)
    known = read_associations(folder.associations, FeatureStore(folder.genomes[CHOSEN_IN].features))
    _keep(best_by_concept(known), "bsubtilis.concepts")


def _measure_other(run: Path, genbank: Path, folder: Path) -> None:
    own = RunFolder.open(run)
    activations, features = folder / "activations.h5", folder / "features.h5"
    folder.mkdir(exist_ok=True)
    if not features.is_file():
        (seqid, *_) = read_genome(genbank)
        model, region = str(own.model["name"]), f"{seqid}:1-{N_BP}"
        harvest(genbank, activations, model, region=region, window=2048, warmup=256)
        encode(activations, own.sae, features)
    chosen_in = own.genomes[CHOSEN_IN]
    table = associate(
        [chosen_in.features, features],
        folder / ASSOCIATIONS_FILE,
        genome=[chosen_in.sequence, genbank],
        annotations=[chosen_in.annotation, genbank],
        test=str(features),
    )
    _keep(best_by_concept(table), "spyogenes.concepts")


def best_by_concept(associations: pd.DataFrame) -> pd.DataFrame:
    """Return how well the feature that fit chose for each concept tells it on either side.

    Returns
    -------
    pandas.DataFrame
        A row for each concept in its best orientation: ``f1_fit`` of the chosen feature, its ``f1``
        on test, ``null_f1`` of rotations on test, and ``best_f1``, the highest F1 on test of any
        feature in this orientation at its own threshold from fit, with that feature.
    """
    tested = associations[associations["q_value"].notna()]
    rows = []
    for concept, fitted in tested.groupby("concept", sort=True):
        chosen = fitted.loc[fitted["f1_fit"].idxmax()]
        same = associations["concept"] == concept
        own = associations[same & (associations["orientation"] == chosen["orientation"])]
        best = own.loc[own["f1"].idxmax()]
        columns = ["feature", "orientation", "f1_fit", "f1", "null_f1"]
        row = {"concept": concept, **chosen[columns].to_dict()}
        rows.append(row | {"best_feature": best["feature"], "best_f1": best["f1"]})
    return pd.DataFrame(rows).sort_values("f1_fit", ascending=False, kind="stable")


def _keep(table: pd.DataFrame, name: str) -> None:
    table.to_csv(KEPT / f"{name}.tsv", sep="\t", index=False, float_format="%.4f")


def filled(page: str) -> str:
    """Return the page with its tables filled from the files."""
    for name, lines in (("across", _shares()), ("across concepts", _concepts())):
        pattern = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = "\n".join(lines) + "\n"
        page = pattern.sub(lambda match, text=text: match[1] + text + match[2], page)
    return page


def _shares() -> list[str]:
    head = ["features of", "compared", "features", "orthologues", "share"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    names = {"a": "E. coli in B. subtilis", "b": "B. subtilis in E. coli"}
    for row in pd.read_csv(KEPT / "bsubtilis.tsv", sep="\t").to_dict(orient="records"):
        share = f"{row['share']:.3f}"
        if pd.notna(row["share_low"]):
            share += f" ({row['share_low']:.3f} to {row['share_high']:.3f})"
        counts = f"{row['n_features']} | {row['n_genes']}"
        lines.append(f"| {names[row['side']]} | {row['comparison']} | {counts} | {share} |")
    return lines


def _concepts() -> list[str]:
    head = ["concept", "feature", "E. coli (fit)"]
    for other in OTHERS.values():
        head += [other, f"null in {other}", f"best there in {other}"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    tables = {
        name: pd.read_csv(KEPT / f"{name}.concepts.tsv", sep="\t").set_index("concept")
        for name in OTHERS
    }
    first = tables["bsubtilis"]
    for concept in first.index[:N_CONCEPTS]:
        chosen = first.loc[concept]
        cells = [f"{concept} ({chosen['orientation']})", f"f/{chosen['feature']}"]
        cells.append(f"{chosen['f1_fit']:.3f}")
        for table in tables.values():
            row = table.loc[concept] if concept in table.index else None
            values = [] if row is None else [row[it] for it in ("f1", "null_f1")]
            cells += [f"{it:.3f}" for it in values] or [""] * 2
            cells.append("" if row is None else f"{row['best_f1']:.3f} (f/{row['best_feature']})")
        lines.append("| " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    main()
