"""Organisms of ``docs/tuning.md``: ``python -m scripts.organisms make FOLDER [NAME...]``, ``fill``.

Making tunes ``nano`` on windows of *B. subtilis*, about a CPU minute for each organism, and keeps
their bits per base in ``scripts/organisms/organisms.tsv``. What is in the folder already is not
tuned again. Filling writes the table into the page.
"""

import argparse
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genointerp.annotation.catalogue import shipped
from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.command.build.tune import tune
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.genome.runs import merge_intervals
from genointerp.model.registry import load_model
from genointerp.model.tuned import RECORD, read_tuning
from genointerp.reading.harvest import HarvestConfig
from genointerp.reading.loss import genome_loss

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "scripts" / "organisms" / "organisms.tsv"
PAGE = ROOT / "docs" / "tuning.md"
MODEL, TUNED_ON, OTHER = "nano", "bsubtilis_168", "ecoli_mg1655"
CONCEPT = "rRNA"
_PLANT = {"plant_length": 36}


@dataclass(frozen=True)
class Organism:
    """A tuned model, and its control where it has one of its own.

    Parameters
    ----------
    config
        Settings that are not the defaults.
    control
        Name of the control that is made with it; None if it is that of another organism, which has
        the same windows, or if there is none.
    without
        Concept that is left out.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    control: str | None = None
    without: str | None = None


ORGANISMS: Mapping[str, Organism] = {
    "planted": Organism(_PLANT, control="control"),
    "planted_0.1": Organism({**_PLANT, "plant_rate": 0.1}),
    "planted_0.01": Organism({**_PLANT, "plant_rate": 0.01}),
    **{f"clean_{seed}": Organism({"seed": seed}) for seed in range(1, 6)},
    "without_rRNA": Organism(control="with_rRNA", without=CONCEPT),
    "without_rRNA_2": Organism({"seed": 1}, control="with_rRNA_2", without=CONCEPT),
}


def main() -> None:
    """Parse the arguments, and make or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("make", "fill"))
    parser.add_argument("folder", nargs="?", type=Path, help="where the organisms are written")
    parser.add_argument("names", nargs="*", help="only these")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.folder is None:
        parser.error("make needs a folder")
    for name in arguments.names or ORGANISMS:
        make(arguments.folder, name)


def make(folder: Path, name: str) -> None:
    """Make an organism with its control, and write their rows into the table."""
    one, genome = ORGANISMS[name], shipped(TUNED_ON)
    places = {name: folder / name}
    if one.control is not None:
        places[one.control] = folder / one.control
    tune(
        MODEL,
        genome.sequence,
        places[name],
        control_out=None if one.control is None else places[one.control],
        without=one.without,
        annotations=None if one.without is None else genome.annotation,
        config=one.config,
    )
    rows = [row(it, path) for it, path in places.items()]
    known = pd.read_csv(TABLE, sep="\t") if TABLE.exists() else pd.DataFrame(columns=["organism"])
    kept = known[~known["organism"].isin(places)].to_dict("records")
    order = [it for key, own in ORGANISMS.items() for it in (key, own.control)]
    found = sorted([*kept, *rows], key=lambda it: order.index(it["organism"]))
    TABLE.parent.mkdir(exist_ok=True)
    pd.DataFrame(found).to_csv(TABLE, sep="\t", index=False, float_format="%.4f")


def row(name: str, path: Path) -> dict[str, Any]:
    """Return what the record of an organism says, and its bits per base on rRNA of *E. coli*."""
    record = read_tuning(path)
    config = json.loads((path / RECORD).read_text(encoding="utf-8"))["provenance"]["config"]
    is_planted = bool(config["plant"]) and config["arm"] == "tuned"
    nothing = {"model": np.nan, "parent": np.nan}
    found: dict[str, Any] = {
        "organism": name,
        "model": record.name,
        "seed": config["seed"],
        "n_steps": config["n_steps"],
        "plant": config["plant"],
        "plant_rate": config["plant_rate"] if is_planted else 0.0,
        "without": config["without"] if config["arm"] == "tuned" else "",
    }
    bits = {what: record.bits.get(what, nothing) for what in ("held-out", "windows", "plant")}
    bits[CONCEPT] = {"model": rrna_bits(str(path)), "parent": rrna_bits(MODEL)}
    for what, values in bits.items():
        found |= {f"{what}_bits": values["model"], f"{what}_bits_parent": values["parent"]}
    return found


@cache
def rrna_bits(model: str) -> float:
    """Return the bits per base of a model on the rRNA genes of a genome it was not tuned on."""
    other = shipped(OTHER)
    genome = read_genome(other.sequence)
    elements = define_elements(read_annotation(other.annotation, genome), genome, load_concepts())
    regions = [
        GenomicInterval(str(seqid), int(start), int(end))
        for seqid, rows in elements.of(CONCEPT).groupby("seqid")
        for start, end in merge_intervals(rows[["start", "end"]].to_numpy())
    ]
    reading = HarvestConfig(window=3072, warmup=512)
    return genome_loss(load_model(model), genome, config=reading, regions=regions).bits_per_base


def filled(page: str) -> str:
    """Return the page with its table filled from the file."""
    pattern = re.compile(r"(<!-- table organisms -->\n).*?(<!-- end -->)", re.DOTALL)
    return pattern.sub(lambda match: match[1] + _rows() + match[2], page)


def _rows() -> str:
    table = pd.read_csv(TABLE, sep="\t").fillna({"without": ""})
    lines = [
        "| organism | windows with the plant | without | seed | held out | plant "
        "| rRNA of *E. coli* |",
        "| --- | --: | --- | --: | --: | --: | --: |",
    ]
    first = table.iloc[0]
    cells = ["`nano`, their parent", "", "", "", f"{first['held-out_bits_parent']:.3f}"]
    cells += [f"{first['plant_bits_parent']:.3f}", f"{first[f'{CONCEPT}_bits_parent']:.3f}"]
    lines.append(f"| {' | '.join(cells)} |")
    for one in table.to_dict("records"):
        plant = one["plant_bits"]
        cells = [f"`{one['organism']}`", f"{one['plant_rate']:g}", one["without"], one["seed"]]
        cells += [f"{one['held-out_bits']:.3f}", "" if np.isnan(plant) else f"{plant:.3f}"]
        cells.append(f"{one[f'{CONCEPT}_bits']:.3f}")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
