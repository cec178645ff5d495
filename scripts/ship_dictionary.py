"""Turn the dictionary of a finished run into the folder that ships, with its card."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.association.baseline.beside import read_beside
from genointerp.core.config import read_yaml
from genointerp.sae.header import read_header
from genointerp.store.table.schema.association import BEST_PER_CONCEPT
from genointerp.store.table.table import read_table
from genointerp.workflow.headline import BESIDE_COLUMNS
from scripts.publish_demo import markdown

FILES = (
    *("cfg.json", "sae_weights.safetensors", "scale.json"),
    *("train_config.yaml", "log.json", "density.json"),
)
CARD = "CARD.md"


def main() -> None:
    """Parse the arguments, copy the dictionary and write its card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="run directory of `genointerp demo`")
    parser.add_argument("--out", type=Path, default=Path("genointerp/sae/weights/nano"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(arguments.run / "sae" / name, arguments.out / name)
    (arguments.out / CARD).write_text(card(arguments.run), encoding="utf-8")


def card(run: Path) -> str:
    """Return the card of a run's dictionary; every number is a cell of a file of the run."""
    header, config = read_header(run / "sae"), read_yaml(run / "config.yaml")
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    best = read_table(run / "best_per_concept.tsv", BEST_PER_CONCEPT)
    read = ", ".join(
        f"{name} ({', '.join(config['genomes'][name].get('regions', ['whole']))})"
        for name in config["fit"]
    )
    held_out = config["fidelity"]["genome"]
    return "\n\n".join(
        [
            f"# The dictionary `shipped:{header.model}`",
            f"Written by `python -m scripts.ship_dictionary {run.name}` from the files of a run of"
            " `genointerp demo`.",
            f"{header.n_features} features ({header.config.architecture}, k {header.config.k}) of"
            f" the model `{header.model}` at `{header.site}`, trained on both strands of {read},"
            f" seed {config['seed']}; settings in `train_config.yaml`. sha256 of the weights"
            f" `{header.sha256[:12]}`, of the model's `{header.model_sha256[:12]}`. MIT.",
            "## Figures",
            markdown(pd.DataFrame(_figures(summary, held_out), columns=["figure", "value", "of"])),
            "## Concepts",
            f"F1 on {held_out} of the best feature of each concept, chosen on"
            f" {', '.join(config['fit'])}, and of the best detector of each kind that needs no"
            " dictionary (`best_per_concept.tsv`, `baselines.tsv`; see docs/baselines.md).",
            markdown(read_beside(best, run)[list(BESIDE_COLUMNS)].rename(columns=BESIDE_COLUMNS)),
            "## Limits",
            "It has read one genome. On a genome of another kind it explains less of what the"
            " model computes: look at the FVU of your run, and train one of your own"
            " (`genointerp start --train`) where it is much above the figures here.\n",
        ]
    )


def _figures(summary: dict[str, Any], held_out: str) -> list[tuple[str, object, str]]:
    training, fidelity = summary["training"], summary["fidelity"]
    own = "held-out blocks of the training (`log.json`)"
    other = f"{held_out}, {fidelity['n_tokens']:,} tokens of both strands (`summary.json`)"
    sample = f"{held_out}, {fidelity['n_bases']:,} bases in windows spread evenly (`summary.json`)"
    names = {"FVU": "fvu", "L0": "l0", "share of features that never fire": "dead_share"}
    return [
        *((name, training[key], own) for name, key in names.items()),
        *((name, fidelity[key], other) for name, key in names.items()),
        ("loss recovered, against mean ablation", fidelity["loss_recovered"], sample),
        ("tokens trained on", f"{training['n_tokens']:,}", "`log.json`"),
    ]


if __name__ == "__main__":
    main()
