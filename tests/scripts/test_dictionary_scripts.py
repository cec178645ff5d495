"""The scripts that choose the default site and the default dictionary, on genomes of 6 kb."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml

from genointerp.model.hyena.folder import save_model
from genointerp.model.hyena.network import HyenaConfig, StripedHyena, initialise
from genointerp.model.registry import load_model
from genointerp.sae.config import SaeConfig
from genointerp.training.config import SlowPart, TrainingConfig
from genointerp.workflow.config import read_run_config
from scripts import choose_site, evaluate_dictionary

LENGTH = 6000
GENES = [("tRNA", 300, 376, "+"), ("rRNA", 900, 1400, "-"), ("CDS", 2001, 3000, "+"),
         ("CDS", 3501, 4400, "-")]  # fmt: skip
TRIAL = TrainingConfig(
    sae=SaeConfig(n_features=16, k=4), n_tokens=8_000, batch_tokens=512, eval_rows=512
)
IN_PARTS = replace(TRIAL, slow_parts=(SlowPart(3, 10, 8, 2),))


@pytest.fixture(scope="module")
def run_config(tmp_path_factory):
    """A run on two random genomes with planted annotations and an untrained network."""
    folder = tmp_path_factory.mktemp("run")
    genomes = {}
    for seed, name in enumerate(("fitted", "tested")):
        bases = np.random.default_rng(seed).choice(list("ACGT"), LENGTH)
        (folder / f"{name}.fa").write_text(f">{name}\n{''.join(bases)}\n")
        rows = ["##gff-version 3"]
        for number, (kind, first, last, strand) in enumerate(GENES):
            phase = "0" if kind == "CDS" else "."
            row = (name, "x", kind, first, last, ".", strand, phase, f"ID={kind}{number}")
            rows.append("\t".join(map(str, row)))
        (folder / f"{name}.gff3").write_text("\n".join(rows) + "\n")
        genomes[name] = {
            "sequence": f"{name}.fa",
            "annotation": f"{name}.gff3",
            "regions": [f"{name}:1-5,000"],
        }
    config = HyenaConfig(
        vocab_size=8, d_model=16, d_mlp=32, mixers=("SE", "ATT"), n_heads=2, n_filter_groups=4
    )
    network = StripedHyena(config)
    initialise(network, torch.Generator().manual_seed(0))
    save_model(network, folder / "weights", name="toy", context=512, default_site="blocks.1")
    values = {
        "genomes": genomes,
        "model": {"name": "./weights"},
        "windows": {"length": 256, "warmup": 32},
        "fit": ["fitted"],
        "test": ["tested"],
        "fidelity": {"genome": "tested", "regions": ["tested:1-100"]},
    }
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def test_a_site_is_chosen_by_its_features_on_fit(run_config, tmp_path):
    weights = str(run_config.parent / "weights")
    record = choose_site.choose_site(weights, run_config, TRIAL, tmp_path)
    assert set(record["sites"]) == {"blocks.0", "blocks.1"}
    for site, rows in record["sites"].items():
        mean = np.mean([row["f1_fit"] for row in rows])
        assert record["mean_f1_fit"][site] == pytest.approx(mean, abs=1e-4)
    means = record["mean_f1_fit"]
    assert record["default_site"] == max(reversed(means), key=means.get)
    table = choose_site.markdown(record).splitlines()
    assert sum(line.startswith(("| blocks.", "| **blocks.")) for line in table) == 2
    json.dumps(record)


def test_one_pass_over_all_sites_gives_what_a_harvest_of_each_gives(run_config, tmp_path):
    run = read_run_config(run_config)
    model = load_model(run["model"]["name"])
    ground = evaluate_dictionary.read_ground("fitted", run["genomes"]["fitted"])
    windows = evaluate_dictionary.HarvestConfig().with_windows(256, 32)
    together = choose_site.harvest_sites(model, ground, tmp_path, windows)
    for site, store in together.items():
        alone = evaluate_dictionary.harvest(
            model,
            ground.genome,
            site=site,
            out=tmp_path / f"{site}.h5",
            config=windows,
            regions=ground.regions,
        )
        assert alone.windows == store.windows
        np.testing.assert_array_equal(alone.rows(0, alone.n_tokens), store.rows(0, store.n_tokens))


def test_a_dictionary_is_measured_beside_its_rivals(run_config, tmp_path):
    scene, random = scenes(run_config, tmp_path)
    record = evaluate_dictionary.compare(scene, random, IN_PARTS)
    assert list(record["detectors"]) == list(evaluate_dictionary.TITLES)
    trna = record["detectors"]["feature"][0]
    base = 77 / 10_000
    assert trna["always_on"] == pytest.approx(2 * base / (1 + base), abs=1e-4)
    assert [aim["aim"] for aim in record["aims"]] == list(evaluate_dictionary.AIMS)
    lines = evaluate_dictionary.comparison_table(record)
    assert sum(line.startswith("| tRNA |") for line in lines) == 1


def test_a_sweep_chooses_its_line_by_fit(run_config, tmp_path):
    scene, _ = scenes(run_config, tmp_path)
    settings = ["topk:8:2:20000", "batch_topk:16:4:10000+3:10:8:2"]
    record = evaluate_dictionary.sweep(scene, TRIAL, settings)
    best = max(record["sweep"], key=lambda line: line["mean_f1_fit"])
    assert record["chosen"] == best["setting"]
    assert len(evaluate_dictionary.sweep_table(record)) == 4 + len(settings)


def scenes(run_config, folder):
    run = read_run_config(run_config)
    name = run["model"]["name"]
    grounds = [
        evaluate_dictionary.read_ground(name, values) for name, values in run["genomes"].items()
    ]
    return [
        evaluate_dictionary.make_scene(each, "blocks.1", grounds, run, folder)
        for each in (load_model(name), load_model(name, random_weights=0))
    ]
