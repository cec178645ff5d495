"""Choose the site of a model to read, by probes and the features of small dictionaries.

Everything is chosen on the fit genome: probes, their penalties, thresholds, features, and the site
itself. The rule was stated in advance: **the site with the highest mean F1, on the fit genome, of
the best feature of each concept**; of equal sites, the last. Results on the test genome are
reported next to it, and nothing is chosen by them.
"""

import argparse
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch

from genointerp.association.associate import associate
from genointerp.association.baseline.dense import DenseSide, activation_blocks, dense_sides, folds
from genointerp.association.baseline.dense_counts import score_values
from genointerp.association.baseline.linear_probe import fit_probe
from genointerp.association.config import AssociateConfig
from genointerp.association.summary import best_per_concept, own_orientations
from genointerp.core.config import to_mapping
from genointerp.core.files import atomic_path
from genointerp.model.registry import load_model
from genointerp.reading.harvest import HarvestConfig
from genointerp.sae.config import SaeConfig
from genointerp.training.config import TrainingConfig
from genointerp.training.trial import (
    CONCEPTS,
    Ground,
    ReadGround,
    harvest_sites,
    parse_slow_part,
    read_ground,
    try_dictionary,
)
from genointerp.workflow.config import read_run_config

log = logging.getLogger(__name__)

CONFIG = Path(__file__).parent / "configs" / "site.yaml"
SLOW_PART = "STEP:HALF:N_FEATURES:K"


def main() -> None:
    """Parse the arguments, measure every site and write the table."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="nano", help="registered name, or a folder of weights")
    parser.add_argument("--config", type=Path, default=CONFIG, help="genomes, regions, windows")
    parser.add_argument("--site", action="append", help="repeatable; all if not given")
    parser.add_argument("--architecture", default="topk")
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--k", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--slow-part", action="append", default=[], metavar=SLOW_PART)
    parser.add_argument("--work", type=Path, help="folder in which to keep the activations")
    parser.add_argument("--out", type=Path, required=True, help="JSON file; its table goes to .md")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sae = SaeConfig(arguments.architecture, arguments.features, arguments.k)
    slow = tuple(parse_slow_part(text) for text in arguments.slow_part)
    training = TrainingConfig(sae=sae, n_tokens=arguments.tokens, slow_parts=slow)
    with TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        sites = arguments.site or []
        record = choose_site(arguments.model, arguments.config, training, work, only=sites)
    with atomic_path(arguments.out) as path:
        path.write_text(json.dumps(record, indent=2) + "\n")
    with atomic_path(arguments.out.with_suffix(".md")) as path:
        path.write_text(markdown(record))


def choose_site(
    name: str, path: Path, config: TrainingConfig, work: Path, *, only: Sequence[str] = ()
) -> dict[str, Any]:
    """Measure every site of a model, or only some, and choose one."""
    run = read_run_config(path)
    model = load_model(name)
    grounds = [read_ground(key, values) for key, values in run["genomes"].items()]
    windows = HarvestConfig().with_windows(**_windows(run["windows"]))
    read = []
    for ground in grounds:
        read.append((ground, harvest_sites(model, ground, work, windows)))
        log.info("read %s", ground.name)
    split = AssociateConfig(test=tuple(run["test"]), n_shifts=1, top_per_concept=0)
    sites = {}
    for site in only or model.spec.sites:
        own = [ReadGround(ground, stores[site]) for ground, stores in read]
        sites[site] = measure_site(own, split, config, work)
        log.info("%s: %s", site, sites[site])
    mean = {site: float(np.mean([row["f1_fit"] for row in sites[site]])) for site in sites}
    return {
        "model": model.spec.name,
        "model_sha256": model.spec.sha256,
        "genomes": {
            ground.name: {"regions": run["genomes"][ground.name].get("regions", "all")}
            for ground in grounds
        },
        "test": run["test"],
        "windows": {"length": windows.window, "warmup": windows.warmup},
        "trial": to_mapping(config),
        "rule": "highest mean F1 of the best feature over the concepts on fit; of equals the last",
        "mean_f1_fit": {site: round(value, 4) for site, value in mean.items()},
        "default_site": max(reversed(mean), key=lambda site: round(mean[site], 4)),
        "sites": sites,
    }


def measure_site(
    grounds: list[ReadGround],
    split: AssociateConfig,
    config: TrainingConfig,
    work: Path,
) -> list[dict[str, Any]]:
    """Return a row for each concept, with the best feature and the probe at one site."""
    fit_store = next(store for ground, store in grounds if not _is_test(ground, split))
    specimens = try_dictionary(fit_store, grounds, work, config).specimens
    associations = associate(specimens, config=split, matched=False)
    best = _own_orientation(best_per_concept(associations))
    fit, test = dense_sides(specimens, split)
    stores = [store for _, store in grounds]
    labels = np.array([fit.label(concept) for concept in CONCEPTS], dtype=np.int64)
    cells, blocks = zip(*activation_blocks(stores, fit.universe), strict=True)
    cell = np.concatenate(cells)
    probe = fit_probe(np.concatenate(blocks), fit.truth(cell)[:, labels], folds(cell, fit))

    def values_on(side: DenseSide) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for cell, x in activation_blocks(stores, side.universe):
            yield cell, probe.log_odds(x)

    scores = score_values(values_on, labels, fit, test)
    rows = []
    for column, (concept, score) in enumerate(zip(CONCEPTS, scores, strict=True)):
        feature = best.loc[concept]
        rows.append(
            {
                "concept": concept,
                "always_on": round(float(feature["f1_always_on"]), 4),
                "feature": int(feature["feature"]),
                "f1_fit": round(float(feature["f1_fit"]), 4),
                "f1": round(float(feature["f1"]), 4),
                "auroc": round(float(feature["auroc"]), 4),
                "probe_penalty": float(probe.penalty[column]),
                "probe_f1_fit": round(score.f1_fit, 4),
                "probe_f1": round(score.f1, 4),
                "probe_auroc": round(score.auroc, 4),
            }
        )
    return rows


def markdown(record: dict[str, Any]) -> str:
    """Return the table of probes and features, with a row for each site."""
    concepts = [row["concept"] for row in next(iter(record["sites"].values()))]
    lines = [
        f"Probe AUROC / probe F1 / F1 of the best feature, {', '.join(record['test'])}.",
        "",
        "| site | " + " | ".join(concepts) + " | mean F1 on fit | on test |",
        "|" + "---|" * (len(concepts) + 3),
    ]
    for site, rows in record["sites"].items():
        cells = [f"{r['probe_auroc']:.3f} / {r['probe_f1']:.2f} / {r['f1']:.2f}" for r in rows]
        shown = f"**{site}**" if site == record["default_site"] else site
        means = f"{record['mean_f1_fit'][site]:.3f} | {np.mean([row['f1'] for row in rows]):.3f}"
        lines.append(f"| {shown} | {' | '.join(cells)} | {means} |")
    always = [f"{row['always_on']:.2f}" for row in next(iter(record["sites"].values()))]
    lines.append(f"| always on | {' | '.join(always)} | | |")
    return "\n".join([*lines, ""])


def _own_orientation(best: pd.DataFrame) -> pd.DataFrame:
    own = own_orientations(best)
    return own[own["orientation"] != "antisense"].set_index("concept")


def _is_test(ground: Ground, split: AssociateConfig) -> bool:
    return set(ground.seqids) <= set(split.test)


def _windows(values: dict[str, int]) -> dict[str, int | None]:
    return {"window": values.get("length"), "warmup": values.get("warmup")}


if __name__ == "__main__":
    main()
