"""Tables of ``docs/steering.md``: ``python -m scripts.painting_tables measure RUN`` and ``fill``.

RUN is a run of the demo. Measuring writes a table for each part to ``scripts/paintings``; what is
there already is not measured again, so that it can be stopped and begun again. Filling writes them
into the page.
"""

import argparse
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.command.intervene.paint import paint
from genointerp.command.intervene.steer import steer

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "paintings"
PAGE = ROOT / "docs" / "steering.md"
CODONS = ROOT / "docs" / "steering" / "writing.tsv"
GENE = ROOT / "docs" / "steering" / "gene.tsv"
N_DESIGNS = 128
"""Of the canvas at each dose; a fourth as many of what is beside it."""
CODING = "NC_000964.3:1,000,201-1,000,410"
AROUND_GENE = "NC_000964.3:4,500-8,000"
TRNA = "NC_000964.3:1,000,201-1,000,277"
CLOVER_LEAF = "(((((((..((((.........)))).(((((.......))))).....(((((.......))))))))))))...."
"""The clover leaf of a tRNA of 77 bases with a variable loop of five."""

_CODONS = {"context": 210, "prompt": "shuffled"}
_INTERGENIC = {"prompt": "intergenic"}
_ALONE = {"controls": False, "n_designs": N_DESIGNS}
_BESIDE = {"n_designs": N_DESIGNS // 4}
_TRNA = {"context": 256, "temperature": 0.3, "n_random": 1} | _BESIDE
PARTS: Mapping[str, Mapping[str, Any]] = {
    "gene": {},
    "codons_dose_0.5_1": _CODONS | _ALONE | {"doses": [0.5, 1.0]},
    "codons_dose_2_4": _CODONS | _ALONE | {"doses": [2.0, 4.0]},
    "codons_intergenic_0.5_1": _CODONS | _ALONE | _INTERGENIC | {"doses": [0.5, 1.0]},
    "codons_intergenic_2_4": _CODONS | _ALONE | _INTERGENIC | {"doses": [2.0, 4.0]},
    "codons_controls": _CODONS | _BESIDE | {"doses": [2.0]},
    "trna": _TRNA,
    "trna_paired": _TRNA | {"controls": False, "structure": CLOVER_LEAF},
}
"""Settings of each part: ``gene`` steers, and those that begin with ``trna`` paint a profile."""


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("run", nargs="?", type=Path, help="run of the demo, to measure on")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this one; repeatable")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.run is None:
        parser.error("measure needs a run")
    for part in arguments.part or PARTS:
        measure(part, arguments.run)


def measure(part: str, run: Path) -> None:
    """Steer, or paint designs, and keep the table or their summary, unless it is there."""
    path = KEPT / f"{part}.tsv"
    if path.exists():
        return
    is_trna = part.startswith("trna")
    region, canvas = (TRNA, None) if is_trna else (CODING, CODONS)
    profile = "tRNA" if is_trna else None
    with tempfile.TemporaryDirectory() as folder:
        out, config = Path(folder) / "out.tsv", dict(PARTS[part])
        if part == "gene":
            found = steer(run, out, GENE, region=AROUND_GENE, config=config)
        else:
            found = paint(run, out, region, canvas, profile_from=profile, config=config)
    path.parent.mkdir(exist_ok=True)
    found.to_csv(path, sep="\t", index=False, float_format="%.5g")


def filled(page: str) -> str:
    """Return the page with its tables filled from the files."""
    for name, table in (("gene", gene), ("codons", codons), ("trna", trna)):
        pattern = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = pattern.sub(lambda match, table=table: match[1] + table() + match[2], page)
    return page


def gene() -> str:
    """Return the rows of the steering of a gene, inside the strokes."""
    columns: dict[str, Callable[[pd.Series], str]] = {
        "condition": lambda row: row["condition"],
        "change of log p inside, nats per base": lambda row: f"{row['delta_log_p']:+.4f}",
        "KL inside": lambda row: f"{row['kl']:.4f}",
    }
    return _rows("gene", columns)


def codons() -> str:
    """Return the rows of the paintings of codon positions."""
    columns: dict[str, Callable[[pd.Series], str]] = {
        "prompts": lambda row: row["prompts"],
        "condition": lambda row: row["condition"],
        "designs": lambda row: f"{row['n_designs']:.0f}",
        "dose": lambda row: f"{row['dose']:g}",
        "stops in frame, observed / expected (95 %)": lambda row: (
            f"{row['stops_0']:.2f} ({row['stops_0_low']:.2f}-{row['stops_0_high']:.2f})"
        ),
        "one base further": lambda row: f"{row['stops_1']:.2f}",
        "genes in frame": lambda row: f"{row['coding_0']:.2f}",
        "in the other two": lambda row: f"{row['coding_1']:.2f}, {row['coding_2']:.2f}",
        "other strand": lambda row: f"{row['coding_other']:.2f}",
        "diversity": lambda row: f"{row['diversity']:.2f}",
        "GC": lambda row: f"{row['gc']:.2f}",
        "nats": lambda row: f"{-row['log_p']:.2f}",
        "features moved": lambda row: f"{row['features_moved']:.0f}",
        "KL behind": lambda row: _or_dash(row["kl_behind"], ".5f"),
    }
    return _rows("codons", columns)


def trna() -> str:
    """Return the rows of the paintings of a profile."""
    columns: dict[str, Callable[[pd.Series], str]] = {
        "pairs": lambda row: "required" if "paired" in row["part"] else "free",
        "condition": lambda row: row["condition"],
        "T loop": lambda row: f"{row['t_loop']:.2f}",
        "D loop": lambda row: f"{row['d_loop']:.2f}",
        "CCA": lambda row: f"{row['cca']:.2f}",
        "acceptor pairs of 7": lambda row: f"{row['acceptor_pairs']:.1f}",
        "pyaragorn takes": lambda row: (
            f"{row['trna'] * row['n_designs']:.0f} of {row['n_designs']:.0f}"
        ),
        "copies": lambda row: f"{row['copies']:.2f}",
        "diversity": lambda row: f"{row['diversity']:.2f}",
        "nats": lambda row: f"{-row['log_p']:.2f}",
    }
    return _rows("trna", columns)


def _rows(kind: str, columns: Mapping[str, Callable[[pd.Series], str]]) -> str:
    rows = [[show(row) for show in columns.values()] for row in _kept(kind)]
    lines = [list(columns), ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _kept(kind: str) -> list[pd.Series]:
    """Return the rows of all parts of a kind, those that two parts have of as many designs once."""
    rows: dict[tuple[Any, ...], pd.Series] = {}
    for part, settings in PARTS.items():
        path = KEPT / f"{part}.tsv"
        if not part.startswith(kind) or not path.exists():
            continue
        prompts = settings.get("prompt", "own")
        for _, row in pd.read_csv(path, sep="\t", keep_default_na=True).iterrows():
            # of what steers only what is inside the strokes is shown
            if row.get("place", "inside") != "inside":
                continue
            same = row[["condition", "dose", *(["n_designs"] if "n_designs" in row else [])]]
            key = (prompts, settings.get("structure", ""), *same)
            rows.setdefault(key, pd.concat([row, pd.Series({"part": part, "prompts": prompts})]))
    return list(rows.values())


def _or_dash(value: float, form: str) -> str:
    return "-" if pd.isna(value) else format(value, form)


if __name__ == "__main__":
    main()
