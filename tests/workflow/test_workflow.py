"""The shipped workflow: linted, planned, and run end to end on 12 kb of each shipped genome."""

import json
import re
import subprocess
import sys

import pytest
import yaml

from genointerp.workflow.folder import workflow_folder
from genointerp.workflow.headline import headline
from genointerp.workflow.run import run_workflow

FOLDER = workflow_folder()
CONFIG = FOLDER / ".test" / "config.yaml"
RULES = sorted((FOLDER / "rules").glob("*.smk"))
KEYS = ["input", "output", "log", "benchmark", "threads", "resources", "params", "shell"]

MADE = [
    *["config.yaml", "summary.json", "report.html", "fidelity.json", "best_per_concept.tsv"],
    *["candidates.tsv", "candidates.gff3", "candidates.fasta", "dossiers/locus_evidence.tsv"],
    "ablation.tsv",
    "ecoli/predicted.gff3",
    *["backtest.tsv", "backtest_features.tsv", "figures/backtest.png"],
    *["associations.parquet", "associations.tsv", "baselines.tsv"],
    *["ecoli/activations.h5", "bsubtilis/features.h5", "sae/cfg.json", "queries/rRNA_16S.tsv"],
    *["figures/overlap.png", "figures/region_rRNA_16S.png", "benchmarks/ecoli/harvest.tsv"],
]


def snakemake(*arguments, directory):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(FOLDER / "Snakefile")]
    return subprocess.run(
        [*command, "--configfile", str(CONFIG), "--directory", str(directory), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def rules():
    for path in RULES:
        for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", path.read_text(), re.M):
            yield pytest.param(body, id=name)


@pytest.mark.parametrize("body", list(rules()))
def test_a_rule_has_a_docstring_and_its_parts_in_order(body):
    assert body.startswith('    """')
    found = re.findall(r"^    (\w+):", body, re.M)
    assert found == [key for key in KEYS if key in found]
    assert {*KEYS} - {"params"} <= {*found}
    assert body.count('"genointerp ') == 1


def test_what_rules_share_stays_short():
    assert len((FOLDER / "rules" / "common.smk").read_text().splitlines()) < 100


@pytest.mark.slow
def test_lint_has_nothing_to_say_but_of_containers(tmp_path):
    result = snakemake("--lint", directory=tmp_path)
    lints = set(re.findall(r"^    \* (.*)$", result.stderr, re.M))
    assert lints == {"Specify a conda environment or container for each rule.:"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["demo", "full"])
def test_a_shipped_configuration_can_be_planned(tmp_path, name):
    out = tmp_path / "out"
    run_workflow(FOLDER / "config" / f"{name}.yaml", out, cores=1, extra=["--dry-run", "--quiet"])
    assert sorted(path.name for path in out.iterdir() if path.name[0] != ".") == [
        "config.yaml",
        "logs",
    ]


@pytest.fixture
def config(tmp_path):
    """The test configuration with a small model of random weights: quick, and means nothing."""
    import torch

    from genointerp.model.folder import save_model
    from genointerp.model.hyena import HyenaConfig, StripedHyena

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = StripedHyena(
            HyenaConfig(
                vocab_size=5,
                d_model=32,
                d_mlp=64,
                mixers=("SE", "ATT"),
                n_heads=2,
                n_filter_groups=4,
            )
        )
    save_model(network, tmp_path / "model", name="random", context=2048, default_site="blocks.1")
    values = yaml.safe_load(CONFIG.read_text())
    values["model"] = {"name": "./model"}
    values["dictionary"] = str(CONFIG.parent / values["dictionary"])
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.mark.slow
def test_the_workflow_makes_a_run_directory_and_a_second_run_repeats_nothing(config, tmp_path):
    out = tmp_path / "out"
    lines = []
    run_workflow(config, out, cores=2, show=lines.append)
    for name in MADE:
        assert (out / name).stat().st_size > 0, name
    assert any(line.startswith("ecoli/harvest: ") for line in lines)

    text = headline(out)
    assert "AUROC" in text
    assert "hidden one at a time" in text
    assert str(out / "report.html") in text
    summary = json.loads((out / "summary.json").read_text())
    assert {"fvu", "l0", "dead_share"} <= set(summary["training"])
    assert {"bits_per_base", "loss_recovered"} <= set(summary["fidelity"])

    lines.clear()
    run_workflow(config, out, cores=2, show=lines.append)
    assert lines == []
