"""Tables of ``docs/circuits.md``: ``python -m scripts.circuit_tables measure RUN`` and ``fill``.

RUN is a run of the demo. Measuring writes the tables of `circuit` on its genome of test to
``scripts/circuits``, without those that are long; filling writes the page.
"""

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from genointerp.command.explain.circuit import circuit
from genointerp.store.table.schema.circuit import (
    CIRCUIT_FAMILIES,
    COACTIVATION,
    SUCCESSIONS,
)
from genointerp.store.table.table import read_table

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "circuits"
PAGE = ROOT / "docs" / "circuits.md"
GENOME = "bsubtilis"
CODONS = [(127, 86), (86, 82), (82, 127)]
"""The features of codon positions 0, 1 and 2, and the next position of each."""
SHOWN = 8


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("run", nargs="?", type=Path, help="run of the demo, to measure on")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.run is None:
        parser.error("measure needs a run")
    KEPT.mkdir(exist_ok=True)
    circuit(
        arguments.run,
        KEPT / "circuit.tsv",
        genome=GENOME,
        families_out=KEPT / "families.tsv",
        successions_out=KEPT / "successions.tsv",
    )


def filled(page: str) -> str:
    """Return the page with its tables filled from the files."""
    for name, table in (
        ("codons", codons),
        ("strands", strands),
        ("mirrors", mirrors),
        ("families", families),
        ("successions", successions),
        ("named", named_successions),
    ):
        pattern = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = pattern.sub(lambda match, table=table: match[1] + table() + match[2], page)
    return page


def codons() -> str:
    """Return the rows of the cycle of codon positions."""
    edges = read_table(KEPT / "circuit.tsv", COACTIVATION)
    own = edges[edges["relation"] == "same"].set_index(["feature_a", "feature_b"])
    return _rows(
        [own.loc[pair] for pair in CODONS],
        {
            "from": lambda row: str(row.name[0]),
            "to": lambda row: str(row.name[1]),
            **_MEASURES,
            "period": lambda row: f"{row['period']:.0f}",
        },
    )


def strands() -> str:
    """Return on which strand edges between features on one strand are stated."""
    edges = read_table(KEPT / "circuit.tsv", COACTIVATION)
    own = edges.loc[edges["relation"] == "same", "strand"]
    columns: dict[str, Callable[[pd.Series], str]] = {
        "edges on one strand": lambda row: f"{row.sum()}",
        "stated on +": lambda row: f"{row['+']}",
        "stated on -": lambda row: f"{row['-']}",
    }
    return _rows([own.value_counts()], columns)


def mirrors() -> str:
    """Return the pairs between strands with the highest phi."""
    edges = read_table(KEPT / "circuit.tsv", COACTIVATION)
    own = edges[edges["relation"] == "opposite"].head(SHOWN)
    return _rows(
        [row for _, row in own.iterrows()],
        {
            "feature": lambda row: f"{row['feature_a']:.0f}",
            "on the other strand": lambda row: f"{row['feature_b']:.0f}",
            **_MEASURES,
        },
    )


def families() -> str:
    """Return the families."""
    table = read_table(KEPT / "families.tsv", CIRCUIT_FAMILIES)
    return _rows(
        [row for _, row in table.iterrows()],
        {
            "members": lambda row: row["members"],
            "kind": lambda row: row["kind"],
            "period": lambda row: "-" if pd.isna(row["period"]) else f"{row['period']:.0f}",
            "name": lambda row: row["name"] or "-",
            "phi, mean": lambda row: f"{row['phi']:.2f}",
            "bases": lambda row: f"{row['n_bases']:,}",
        },
    )


def successions() -> str:
    """Return the successions of the largest excess among those of 100 stretches or more."""
    return _successions(_of_many_stretches())


def named_successions() -> str:
    """Return those of them whose features are called by different concepts."""
    table = _of_many_stretches()
    is_named = (table["concept_a"] != "") & (table["concept_b"] != "")
    is_other = table["concept_a"].map(_element) != table["concept_b"].map(_element)
    return _successions(table[is_named & is_other])


def _of_many_stretches() -> pd.DataFrame:
    table = read_table(KEPT / "successions.tsv", SUCCESSIONS)
    return table[table["n_b"] >= 100]


def _element(concept: str) -> str:
    """Return the element of a concept, of which there are parts such as ``CDS_phase0``."""
    return concept.partition("_")[0]


def _successions(table: pd.DataFrame) -> str:
    return _rows(
        [row for _, row in table.head(SHOWN).iterrows()],
        {
            "first": lambda row: _named(row, "a"),
            "then": lambda row: _named(row, "b"),
            "share of its stretches": lambda row: f"{row['share']:.2f}",
            "95 % of rotations": lambda row: f"{row['null_share']:.2f}",
            "median distance": lambda row: f"{row['distance']:.0f}",
            "stretches": lambda row: f"{row['n_b']:,.0f}",
        },
    )


def _named(row: pd.Series, side: str) -> str:
    feature, concept = row[f"feature_{side}"], row[f"concept_{side}"]
    return f"{feature} {concept} ({row[f'orientation_{side}']})" if concept else f"{feature}"


_MEASURES: Mapping[str, Callable[[pd.Series], str]] = {
    "lag": lambda row: f"{row['lag']:+.0f}",
    "phi": lambda row: f"{row['phi']:.2f}",
    "at lag 0": lambda row: f"{row['phi_0']:.2f}",
    "95 % of rotations": lambda row: f"{row['null_phi']:.3f}",
    "on + / on -": lambda row: f"{row['phi_plus']:.2f} / {row['phi_minus']:.2f}",
}


def _rows(rows: list[pd.Series], columns: Mapping[str, Callable[[pd.Series], str]]) -> str:
    lines = [list(columns), ["---"] * len(columns)]
    lines += [[show(row) for show in columns.values()] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
