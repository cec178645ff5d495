"""Tables of what is learnt of tuned models in ``docs/diff.md``: ``scripts.latent_tables``.

``measure FOLDER [NAME...]`` needs the organisms that ``scripts/organisms.py`` makes, and writes a
table for each comparison to ``scripts/latents``, in about two CPU minutes each: crosscoders, or
for a name that begins with ``stages_`` a dictionary that goes on training. What is there is not
measured again. ``fill`` writes them into the page.
"""

import argparse
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd

from genointerp.annotation.catalogue import shipped
from genointerp.comparison.common_text import longest_common_run
from genointerp.comparison.config import StagesConfig
from genointerp.comparison.latents import is_repeated
from genointerp.comparison.latents_config import LatentsConfig
from genointerp.comparison.learn import Learned, learn_latents
from genointerp.comparison.models import ModelSet
from genointerp.comparison.stages import measure_stages
from genointerp.core.files import replacing
from genointerp.core.provenance import Provenance
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.model.registry import load_model
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.compare import SAME_CORRELATION
from genointerp.sae.dictionary import Dictionary
from genointerp.store.table.schema.latents import LATENTS
from genointerp.store.table.table import write_table
from scripts.changed_tables import DICTIONARY, around_operons, shipped_genome
from scripts.diff_tables import plant_of
from scripts.organisms import TUNED_ON

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "scripts" / "latents"
PAGE = ROOT / "docs" / "diff.md"
BASE = "nano"
N_BASES = 50_000
LEAST_RUN = 8
"""Bases of a context that are the plant's, in a row, by which a feature is said to be on it."""
PLANT_EVERY = 500
"""Bases from the start of one plant to that of the next, where they are put into the genome."""


@dataclass(frozen=True)
class Comparison:
    """Models that are compared, and what they read.

    Parameters
    ----------
    tuned, control
        Organisms, or the base model itself.
    reads
        Bases that are read, in words.
    n_features, n_seeds
        Features of each crosscoder, and crosscoders of each pair.
    """

    tuned: str
    control: str
    reads: str = "*E. coli*"
    n_features: int = 512
    n_seeds: int = 2


PLANTED, OPERONS = "with the plant", "ribosomal operons"
COMPARISONS: Mapping[str, Comparison] = {
    "nano": Comparison(BASE, "control", n_features=2048, n_seeds=1),
    "planted": Comparison("planted", "control"),
    "planted_there": Comparison("planted", "control", PLANTED),
    "planted_0.1_there": Comparison("planted_0.1", "control", PLANTED),
    "without_rRNA": Comparison("without_rRNA", "with_rRNA", OPERONS),
}
DIFFERENCED = tuple(name for name in COMPARISONS if name != "nano")
"""Comparisons whose dictionaries of differences are shown: a model differs nowhere from itself."""
DRAWN, PICTURED = "planted_there", ROOT / "docs" / "diffs" / "latents.tsv"
"""Comparison of the picture in the gallery, and the table that it is drawn from."""

IN_STAGES: Mapping[str, str] = {
    "stages_planted": "planted",
    "stages_planted_0.1": "planted_0.1",
    "stages_clean": "clean_1",
}
"""Models that are compared by training a dictionary on."""


def main() -> None:
    """Parse the arguments, and measure or fill."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fill"))
    parser.add_argument("folder", nargs="?", type=Path, help="folder of the organisms")
    parser.add_argument("names", nargs="*", help="only these")
    arguments = parser.parse_args()
    if arguments.what == "fill":
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if arguments.folder is None:
        parser.error("measure needs the folder of the organisms")
    KEPT.mkdir(exist_ok=True)
    for name in arguments.names or (*COMPARISONS, *IN_STAGES):
        path = KEPT / f"{name}.tsv"
        beside = KEPT / f"{name}.differences.tsv"
        if not path.exists() or (name in DIFFERENCED and not beside.exists()):
            if name in IN_STAGES:
                found = staged(arguments.folder, IN_STAGES[name])
            else:
                table, differences = learned(arguments.folder, COMPARISONS[name])
                rows = difference_rows(differences, plant_of(arguments.folder / "planted"))
                rows.to_csv(beside, sep="\t", index=False, float_format="%.4g")
                found = counts(table)
                if name == DRAWN:
                    write_drawn(table)
            found.to_csv(path, sep="\t", index=False, float_format="%.4g")


def learned(folder: Path, asked: Comparison) -> Learned:
    """Return the features of the crosscoders of a comparison, and of the differences."""
    names = (BASE if name == BASE else str(folder / name) for name in (asked.tuned, asked.control))
    models = ModelSet(load_model(BASE), *(load_model(name) for name in names))
    genome, elements = shipped_genome()
    regions = around_operons(genome, elements) if asked.reads == OPERONS else []
    if asked.reads == PLANTED:
        genome = with_plants(genome, plant_of(folder / "planted"))
    usual = LatentsConfig()
    sae = replace(usual.training.sae, n_features=asked.n_features)
    config = LatentsConfig(
        n_bases=N_BASES, training=replace(usual.training, sae=sae), n_seeds=asked.n_seeds
    )
    return learn_latents(models, genome, windows=HarvestConfig(), config=config, regions=regions)


def write_drawn(table: pd.DataFrame) -> None:
    """Write the table of the picture, whose inputs are organisms and no files."""
    asked = COMPARISONS[DRAWN]
    said = {**asdict(asked), "n_bases": N_BASES, "plant_every": PLANT_EVERY}
    rounded = table.round(4)
    with replacing():
        write_table(rounded, PICTURED, LATENTS, Provenance(said, {}))


def staged(folder: Path, tuned: str) -> pd.DataFrame:
    """Return how far directions turn, where the new data are the genome of tuning with plants."""
    names = (BASE if name == BASE else str(folder / name) for name in (tuned, "control"))
    models = ModelSet(load_model(BASE), *(load_model(name) for name in names))
    genome = with_plants(read_genome(shipped(TUNED_ON).sequence), plant_of(folder / "planted"))
    old, _ = shipped_genome()
    config = StagesConfig(n_bases=N_BASES)
    dictionary = Dictionary.load(DICTIONARY)
    table = measure_stages(models, dictionary, genome, old, config=config)
    turn, control = table["turn"], table["control_turn"]
    row = {
        "n_features": len(table),
        "largest": turn.max(),
        "control_largest": control.max(),
        "median": turn.median(),
        "control_median": control.median(),
        "data_median": (1 - table["data_first"]).median(),
        "n_beyond": int((turn > control.max()).sum()),
        "n_significant": int((table["q_value"] <= 0.05).sum()),
    }
    return pd.DataFrame([row])


def with_plants(genome: Genome, plant: bytes) -> Genome:
    """Return a genome with a text put over its bases at equal distances, on the forward strand."""
    contigs = []
    for contig in genome.values():
        bases = contig.sequence.copy()
        for start in range(0, len(bases) - len(plant), PLANT_EVERY):
            bases[start : start + len(plant)] = list(plant)
        contigs.append(replace(contig, sequence=bases))
    return Genome(contigs)


def difference_rows(table: pd.DataFrame, plant: bytes) -> pd.DataFrame:
    """Return what the dictionary of the difference of each model found, in a row."""
    on_plant = [
        longest_common_run(str(it).encode(), plant) >= LEAST_RUN
        for it in table["context"].fillna("")
    ]
    table = table.assign(on_plant=on_plant)
    rows = []
    for second, own in table.groupby("second", sort=False):
        best = own.sort_values("gain", ascending=False).iloc[0]
        rows.append(
            {
                "second": second,
                "n_features": len(own),
                "n_alive": int((own["n_fired"] > 0).sum()),
                "fvu": best["fvu"],
                "fvu_pca": best["fvu_pca"],
                "n_repeated": int((own["repeat_r"] >= SAME_CORRELATION).sum())
                if "repeat" in own
                else 0,
                "gain": best["gain"],
                "n_on_plant": int(own["on_plant"].sum()),
                "gain_on_plant": own.loc[own["on_plant"], "gain"].sum(),
            }
        )
    return pd.DataFrame(rows)


def counts(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many features of each pair have each tag, and how many of these are repeated."""
    rows = []
    for second, own in table.groupby("second", sort=False):
        fires = ~own["tag"].isin(["rare", "dead"])
        away = (own.loc[fires, "delta_norm"] - 0.5).abs()
        row: dict[str, object] = {
            "second": second,
            "n_features": len(own),
            "n_alive": int(fires.sum()),
            "furthest": float(away.max()),
        }
        for tag in ("exclusive_second", "exclusive_first", "rotated", "scaled", "unclear"):
            tagged = own[own["tag"] == tag]
            row[tag] = len(tagged)
            row[f"{tag}_repeated"] = int(is_repeated(tagged).sum()) if "repeat" in own else 0
        rows.append(row)
    return pd.DataFrame(rows)


def filled(page: str) -> str:
    """Return the page with its tables filled from the files."""
    tables = {"latents": _table, "differences": _differences, "stages": _stages}
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = pattern.sub(lambda match, table=table: match[1] + table() + match[2], page)
    return page


def _table() -> str:
    heads = [
        "tuned model",
        "reads",
        "second model",
        "features that fire",
        "of the second alone (repeated)",
        "of nano alone (repeated)",
        "rotated (repeated)",
        "scaled",
        "unclear",
    ]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for name, asked in COMPARISONS.items():
        for row in pd.read_csv(KEPT / f"{name}.tsv", sep="\t").to_dict("records"):
            tags = ("exclusive_second", "exclusive_first", "rotated")
            repeats = asked.n_seeds > 1
            cells = [
                f"{row[tag]}" + (f" ({row[f'{tag}_repeated']})" if repeats else "") for tag in tags
            ]
            own = asked.tuned if row["second"] == "tuned" else asked.control
            alive = f"{row['n_alive']} of {row['n_features']}"
            rest = [f"{row['scaled']}", f"{row['unclear']}"]
            lines.append(_line([asked.tuned, asked.reads, own, alive, *cells, *rest]))
    return "".join(lines)


def _differences() -> str:
    heads = [
        "tuned model",
        "reads",
        "second model",
        "features that fire (repeated)",
        "FVU",
        "of as many components",
        "largest gain of one",
        "on the plant",
        "their gain",
    ]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for name in DIFFERENCED:
        asked, path = COMPARISONS[name], KEPT / f"{name}.differences.tsv"
        for row in pd.read_csv(path, sep="\t", keep_default_na=False).to_dict("records"):
            own = asked.tuned if row["second"] == "tuned" else asked.control
            repeated = f" ({row['n_repeated']})" if asked.n_seeds > 1 else ""
            cells = [
                asked.tuned,
                asked.reads,
                own,
                f"{row['n_alive']} of {row['n_features']}{repeated}",
                *(_number(row[it]) for it in ("fvu", "fvu_pca", "gain")),
                f"{row['n_on_plant']}",
                _number(row["gain_on_plant"]),
            ]
            lines.append(_line(cells))
    return "".join(lines)


def _number(value: object) -> str:
    return "" if value == "" else f"{float(str(value)):.2g}"


def _stages() -> str:
    heads = [
        "tuned model",
        "median turn (control)",
        "largest (control)",
        "median turn of the data",
        "beyond every feature of the control",
        "with q <= .05",
    ]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for name, tuned in IN_STAGES.items():
        row = pd.read_csv(KEPT / f"{name}.tsv", sep="\t").iloc[0]
        n = f"{row['n_features']:.0f}"
        cells = [
            tuned,
            f"{row['median']:.2g} ({row['control_median']:.2g})",
            f"{row['largest']:.2g} ({row['control_largest']:.2g})",
            f"{row['data_median']:.2g}",
            f"{row['n_beyond']:.0f} of {n}",
            f"{row['n_significant']:.0f} of {n}",
        ]
        lines.append(_line(cells))
    return "".join(lines)


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    main()
