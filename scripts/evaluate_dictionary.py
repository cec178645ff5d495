"""Measure how well single features tell concepts, next to baselines; or sweep over settings.

Everything is chosen on the genomes of ``fit`` and measured on those of ``test``: which feature,
neuron or component, its sign and its threshold. Without ``--sweep``, one dictionary is measured
next to the baselines of `genointerp.association.baseline.measure`, which include a dictionary that
is trained in the same way on the same network with random weights. With ``--sweep``, many
dictionaries are trained, and the one with the highest mean F1 over the aims **on fit** is chosen;
its results on test are reported, and nothing is chosen by them.
"""

import argparse
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch

from genointerp.association.associate import associate
from genointerp.association.baseline.measure import Rivals, measure_baselines
from genointerp.association.config import AssociateConfig
from genointerp.association.summary import best_per_concept, own_orientations
from genointerp.core.config import read_config, to_mapping
from genointerp.core.files import atomic_path
from genointerp.model.protocol import DnaModel
from genointerp.model.registry import load_model
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.store.activation.store import ActivationStore
from genointerp.training.config import TrainingConfig
from genointerp.training.trial import (
    CONCEPTS,
    Ground,
    ReadGround,
    Trial,
    parse_slow_part,
    read_ground,
    try_dictionary,
)
from genointerp.workflow.config import read_run_config

log = logging.getLogger(__name__)

CONFIG = Path(__file__).parent / "configs" / "site.yaml"
AIMS = {"rRNA": 0.9, "tRNA": 0.8, "CDS": 0.85, "codon phase": 0.8}
PHASES = ("CDS_phase0", "CDS_phase1", "CDS_phase2")
"""Concepts of which the best on fit counts for the aim of the codon phase."""

TITLES = {
    "feature": "best feature",
    "neuron": "best neuron",
    "component": "best component",
    "independent_component": "best independent component",
    "mean_difference": "difference of means",
    "probe": "linear probe",
    "kmer_gc_phase": "k-mers, GC and codon phase",
    "untrained_feature": "best feature, random weights",
}
"""Detectors of a record, in the order of the columns of its table."""

_KINDS = {
    "component": "principal_component",
    "probe": "linear_probe",
    "untrained_feature": "random_weights",
}
"""Names, in the table of baselines, of detectors that have another name in a record."""

SETTING = (
    "ARCHITECTURE:N_FEATURES:K:TOKENS[+STEP:HALF:N_FEATURES:K...], with each slow part after a "
    "plus; any number of settings, or a list of the script's own if there are none"
)
SWEEP = (
    "batch_topk:512:16:500000",
    "batch_topk:512:8:500000",
    "batch_topk:512:32:500000",
    "batch_topk:128:16:500000",
    "batch_topk:2048:16:500000",
    "topk:512:16:500000",
    "batch_topk:384:16:500000+1:30:64:4+3:10:64:4",
    "batch_topk:384:16:500000+1:30:32:2+3:10:32:3",
    "batch_topk:384:16:500000+1:30:128:4+3:10:64:4",
    "batch_topk:384:16:500000+3:10:128:8",
    "batch_topk:384:16:500000+3:10:64:4+1:30:64:4",
    "batch_topk:384:8:500000+1:30:64:4+3:10:64:4",
    "batch_topk:384:16:500000+1:100:32:2+1:10:64:4+3:10:64:4",
)
"""Settings to try if none are named: dictionaries without and with slow parts."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Activations of one site on all genomes, and how these are divided into fit and test."""

    grounds: list[ReadGround]
    split: AssociateConfig
    work: Path

    @property
    def fit_store(self) -> ActivationStore:
        """Activations on which dictionaries and probes are trained."""
        return self._store(is_test=False)

    @property
    def test_store(self) -> ActivationStore:
        """Activations on which scores are measured."""
        return self._store(is_test=True)

    def _store(self, *, is_test: bool) -> ActivationStore:
        return next(
            store
            for ground, store in self.grounds
            if (set(ground.seqids) <= set(self.split.test)) == is_test
        )


def main() -> None:
    """Parse the arguments, measure and write."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    log.setLevel(logging.INFO)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="registered name or folder; by default that of the run")
    parser.add_argument("--config", type=Path, default=CONFIG, help="configuration of a run")
    parser.add_argument("--site", help="by default that of the run, or of the model")
    parser.add_argument("--sweep", nargs="*", metavar="SETTING", help=SETTING)
    parser.add_argument("--work", type=Path, help="folder in which to keep the activations")
    parser.add_argument("--out", type=Path, required=True, help="JSON file; its table goes to .md")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    run = read_run_config(arguments.config)
    model = load_model(arguments.model or run["model"]["name"])
    site = arguments.site or run["model"].get("site") or model.spec.default_site
    dictionary = Path(run["dictionary"]) if "dictionary" in run else None
    config = read_config(TrainingConfig, dictionary)
    with TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        grounds = [read_ground(name, values) for name, values in run["genomes"].items()]
        record: dict[str, Any] = {
            "model": model.spec.name,
            "model_sha256": model.spec.sha256,
            "site": site,
            "regions": {name: own.get("regions") for name, own in run["genomes"].items()},
            "test": run["test"],
            "windows": run["windows"],
        }
        scene = make_scene(model, site, grounds, run, work)
        if arguments.sweep is None:
            twin = load_model(arguments.model or run["model"]["name"], random_weights=0)
            random = make_scene(twin, site, grounds, run, work)
            record |= compare(scene, random, config)
        else:
            record |= sweep(scene, config, arguments.sweep or list(SWEEP))
    table = sweep_table if arguments.sweep is not None else comparison_table
    write(record, table, arguments.out)


def make_scene(
    model: DnaModel, site: str, grounds: list[Ground], run: dict[str, Any], work: Path
) -> Scene:
    """Read the genomes of a run at one site."""
    windows = HarvestConfig().with_windows(
        run["windows"].get("length"), run["windows"].get("warmup")
    )
    read = []
    for ground in grounds:
        out = work / f"{model.spec.sha256[:8]}.{ground.name}.{site}.one.h5"
        store = harvest(
            model, ground.genome, site=site, out=out, config=windows, regions=ground.regions
        )
        read.append(ReadGround(ground, store))
        log.info("read %s with %s", ground.name, model.spec.name)
    split = AssociateConfig(test=tuple(run["test"]), n_shifts=1, top_per_concept=0)
    return Scene(read, split, work)


def compare(scene: Scene, random: Scene, config: TrainingConfig) -> dict[str, Any]:
    """Measure one dictionary and its baselines."""
    trial, associations = train_and_associate(scene, scene.work / "trained", config)
    random_trial, _ = train_and_associate(random, scene.work / "random", config)
    rivals = Rivals(random=[specimen.features for specimen in random_trial.specimens])
    table = measure_baselines(trial.specimens, associations, rivals, split=scene.split)
    features = best_rows(associations)
    detectors = {"feature": features}
    for name in TITLES:
        if name != "feature":
            detectors[name] = _rows(table[table["detector"] == _KINDS.get(name, name)])
    return {
        "trial": to_mapping(config),
        "dictionary": _quality(trial),
        "untrained_dictionary": _quality(random_trial),
        "concepts": list(CONCEPTS),
        "detectors": detectors,
        "aims": aims_of(features),
    }


def sweep(scene: Scene, config: TrainingConfig, settings: list[str]) -> dict[str, Any]:
    """Train a dictionary for each setting, and choose one on fit."""
    lines = []
    for setting in settings:
        trial, features = best_features(scene, parse_setting(setting, config))
        aims = aims_of(features)
        line = {
            "setting": setting,
            **_quality(trial),
            "mean_f1_fit": round(float(np.mean([aim["f1_fit"] for aim in aims])), 4),
            "mean_f1": round(float(np.mean([aim["f1"] for aim in aims])), 4),
            "aims": aims,
            "features": features,
        }
        log.info("%s", {key: value for key, value in line.items() if key != "features"})
        lines.append(line)
    chosen = max(lines, key=lambda line: line["mean_f1_fit"])["setting"]
    rule = "highest mean F1 over the aims on fit"
    return {"trial": to_mapping(config), "rule": rule, "chosen": chosen, "sweep": lines}


def parse_setting(setting: str, config: TrainingConfig) -> TrainingConfig:
    """Parse the settings of a trial, ARCHITECTURE:N_FEATURES:K:TOKENS[+SLOW PART...].

    Examples
    --------
    >>> parse_setting("batch_topk:64:8:5000+3:10:32:4", TrainingConfig()).slow_parts
    (SlowPart(step=3, half=10, n_features=32, k=4),)
    """
    shape, *slow = setting.split("+")
    architecture, n_features, k, tokens = shape.split(":")
    sae = replace(config.sae, architecture=architecture, n_features=int(n_features), k=int(k))
    parts = tuple(parse_slow_part(text) for text in slow)
    return replace(config, sae=sae, n_tokens=int(tokens), slow_parts=parts)


def train_and_associate(
    scene: Scene, folder: Path, config: TrainingConfig
) -> tuple[Trial, pd.DataFrame]:
    """Train a dictionary on fit, and associate its features with every concept."""
    folder.mkdir(parents=True, exist_ok=True)
    trial = try_dictionary(scene.fit_store, scene.grounds, folder, config)
    return trial, associate(trial.specimens, config=scene.split, matched=False)


def best_features(scene: Scene, config: TrainingConfig) -> tuple[Trial, list[dict[str, Any]]]:
    """Train a dictionary on fit, and return its best feature for each concept."""
    trial, associations = train_and_associate(scene, scene.work, config)
    return trial, best_rows(associations)


def best_rows(associations: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the best feature of each concept, in sense orientation if the concept has one."""
    best = _own(best_per_concept(associations))
    columns = ("f1_fit", "precision", "recall", "recall_element", "f1", "auroc")
    return [
        {
            "feature": int(best.loc[concept, "feature"]),
            "always_on": round(float(best.loc[concept, "f1_always_on"]), 4),
            **{key: round(float(best.loc[concept, key]), 4) for key in columns},
        }
        for concept in CONCEPTS
    ]


def aims_of(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the F1 reached for each aim; that of the codon phase is the best phase on fit."""
    found = dict(zip(CONCEPTS, features, strict=True))
    phase = max(PHASES, key=lambda concept: found[concept]["f1_fit"])
    rows = []
    for aim, wanted in AIMS.items():
        concept = phase if aim == "codon phase" else aim
        row = {key: found[concept][key] for key in ("f1_fit", "f1", "always_on")}
        rows.append({"aim": aim, "concept": concept, "wanted": wanted, **row})
    return rows


def comparison_table(record: dict[str, Any]) -> list[str]:
    """Return the lines of a Markdown table with a row for each concept."""
    titles = {name: title for name, title in TITLES.items() if name in record["detectors"]}
    lines = [
        "| concept | aim | " + " | ".join(titles.values()) + " | always on |",
        "|" + "---|" * (len(titles) + 3),
    ]
    aims = {row["concept"]: row["wanted"] for row in record["aims"]}
    for number, concept in enumerate(record["concepts"]):
        found = [record["detectors"][name][number] for name in titles]
        cells = [f"{row['f1']:.3f} ({row['auroc']:.3f})" for row in found]
        wanted = f"{aims[concept]:.2f}" if concept in aims else ""
        always = f"{found[0]['always_on']:.3f}"
        lines.append(f"| {concept} | {wanted} | {' | '.join(cells)} | {always} |")
    return ["F1 by base (AUROC) on test.", "", *lines]


def sweep_table(record: dict[str, Any]) -> list[str]:
    """Return the lines of a Markdown table with a row for each setting."""
    lines = [
        "| setting | FVU | L0 | dead | " + " | ".join(AIMS) + " | mean on fit | mean |",
        "|" + "---|" * (6 + len(AIMS)),
    ]
    for line in record["sweep"]:
        cells = [f"{aim['f1_fit']:.3f} / {aim['f1']:.3f}" for aim in line["aims"]]
        shown = f"**{line['setting']}**" if line["setting"] == record["chosen"] else line["setting"]
        quality = f"{line['fvu']:.3f} | {line['l0']:.1f} | {line['dead_share']:.2f}"
        means = f"{line['mean_f1_fit']:.3f} | {line['mean_f1']:.3f}"
        lines.append(f"| {shown} | {quality} | {' | '.join(cells)} | {means} |")
    return ["F1 by base of the best feature, fit / test.", "", *lines]


def write(record: dict[str, Any], table: Callable[[dict[str, Any]], list[str]], out: Path) -> None:
    """Write the record as JSON, and its table next to it."""
    with atomic_path(out) as path:
        path.write_text(json.dumps(record, indent=2) + "\n")
    with atomic_path(out.with_suffix(".md")) as path:
        path.write_text("\n".join([*table(record), ""]))


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    own = _own(table)
    columns = ("threshold", "f1_fit", "precision", "recall", "f1", "auroc")
    return [
        {
            "which": str(own.loc[concept, "which"]),
            "sign": int(own.loc[concept, "sign"]),
            **{key: round(float(own.loc[concept, key]), 4) for key in columns},
        }
        for concept in CONCEPTS
    ]


def _own(table: pd.DataFrame) -> pd.DataFrame:
    own = own_orientations(table)
    return own[own["orientation"] != "antisense"].set_index("concept")


def _quality(trial: Trial) -> dict[str, float]:
    log = trial.log
    return {
        "fvu": round(log.fvu, 4),
        "l0": round(log.l0, 2),
        "dead_share": round(log.dead_share, 4),
    }


if __name__ == "__main__":
    main()
