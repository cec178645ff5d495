"""The shipped workflow: linted, planned, and run end to end on 7 kb of each shipped genome."""

import gzip
import json
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml

from genointerp.annotation.catalogue import annotations_folder, shipped
from genointerp.command.start.run import run as run_workflow
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import parse_region
from genointerp.genome.read import read_genome, write_fasta
from genointerp.page.findings import finding_lines, read_findings
from genointerp.page.run import open_run
from genointerp.sae.shipped import dictionary_folder
from genointerp.workflow.folder import workflow_folder
from genointerp.workflow.headline import headline

FOLDER = workflow_folder()
CONFIG = FOLDER / ".test" / "config.yaml"
RULES = sorted((FOLDER / "rules").glob("*.smk"))
KEYS = [
    "input",
    "output",
    "log",
    "benchmark",
    "priority",
    "threads",
    "resources",
    "params",
    "shell",
]

CONCEPTS = ("tRNA", "rRNA", "rRNA_16S", "CDS", "CDS_phase0", "CDS_phase1", "CDS_phase2")

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


def snakemake(*arguments, directory, config=CONFIG):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(FOLDER / "Snakefile")]
    return subprocess.run(
        [*command, "--configfile", str(config), "--directory", str(directory), *arguments],
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
    assert {*KEYS} - {"params", "priority"} <= {*found}
    assert len(re.findall(r'^        "(?:\w+=\S+ )*genointerp ', body, re.M)) == 1


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
        *("config.yaml", "inputs", "inputs.json", "logs"),
    ]


def planned(directory, tmp_path, **keys):
    """The command line of each rule, by the file that it writes; keys change the configuration."""
    values = yaml.safe_load(CONFIG.read_text()) | keys
    if values["dictionary"] is not None:
        values["dictionary"] = str(CONFIG.parent / values["dictionary"])
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump({key: it for key, it in values.items() if it is not None}))
    result = snakemake("--dry-run", "-p", directory=directory, config=path)
    assert result.returncode == 0, result.stderr
    lines = re.findall(r"genointerp \w+ .*", result.stdout + result.stderr)
    outs = [
        re.search(r"--out (\S+)", line) or re.search(r"--baselines-out (\S+)", line)
        for line in lines
    ]
    return {out[1]: line for out, line in zip(outs, lines, strict=True)}


def options_of(line):
    """Options with their values, in order; the inputs without an option left out."""
    return re.findall(r"(--[\w-]+)[ =](\S+)", line)


@pytest.mark.slow
def test_whatever_ranks_is_told_the_same(tmp_path):
    for name in ("associate", "rank", "dossier"):
        (tmp_path / f"{name}.yaml").write_text("seed: 7\n")
    keys = {name: f"{name}.yaml" for name in ("associate", "rank", "dossier")}
    lines = planned(tmp_path / "out", tmp_path, **keys)
    first = options_of(lines["preselected.tsv"])
    for name in ("candidates.tsv", "backtest.tsv"):
        found = options_of(lines[name])
        assert [pair for pair in first if pair[0] != "--out"] == [
            pair for pair in found if pair in first
        ]
        assert ("--ablation", "ablation.tsv") in found
    assert {
        ("--sae", "sae"),
        ("--other-sae", "other_seed/sae"),
        ("--activations", "bsubtilis/activations.h5"),
        ("--config", "../rank.yaml"),
        ("--seed", "0"),
    } <= set(first)
    assert sum(name == "--trained-on" for name, _ in first) == 1
    random = ("random/sae", "random/ecoli/activations.h5", "random/ecoli/features.h5")
    names = ("--random-sae", "--random-activations", "--random-features")
    assert set(zip(names, random, strict=True)) <= set(options_of(lines["backtest.tsv"]))
    assert ("--predictions", "bsubtilis/predicted.gff3") in options_of(lines["candidates.tsv"])
    for name, key in (
        ("associations.parquet", "associate"),
        ("baselines.tsv", "associate"),
        ("dossiers", "dossier"),
    ):
        assert ("--config", f"../{key}.yaml") in options_of(lines[name])


@pytest.mark.slow
def test_without_rivals_finders_and_settings_a_ranking_is_told_of_none(tmp_path):
    lines = planned(tmp_path / "out", tmp_path, baselines=None, finders=[])
    told = {name for line in lines.values() for name, _ in options_of(line)}
    absent = {
        "--other-sae",
        "--random-features",
        "--random-sae",
        "--random-activations",
        "--predictions",
    }
    assert not told & absent
    ranked = (lines[name] for name in ("preselected.tsv", "candidates.tsv", "backtest.tsv"))
    assert all("--config" not in line and "--sae=sae" in line for line in ranked)


@pytest.mark.slow
def test_device_dtype_weights_and_windows_reach_every_command_that_takes_them(tmp_path):
    (tmp_path / "own.pt").touch()
    model = {"name": "evo2_7b", "device": "cuda", "dtype": "bfloat16", "checkpoint": "own.pt"}
    windows = {"length": 4096, "warmup": 512, "chunk": 1024, "batch": 8}
    lines = planned(tmp_path / "out", tmp_path, model=model, windows=windows)
    loads = {
        *{("--model", "evo2_7b"), ("--device", "cuda"), ("--dtype", "bfloat16")},
        ("--checkpoint", "../own.pt"),
    }
    reads = {("--window", "4096"), ("--warmup", "512"), ("--batch", "8")}
    expected = {
        "ecoli/activations.h5": loads | reads | {("--chunk", "1024")},
        "random/ecoli/activations.h5": loads | reads | {("--chunk", "1024")},
        # losses take one pass, for which a window that is read in chunks may be too long
        "fidelity.json": loads | {("--batch", "8")},
        "ablation.tsv": loads,
        "sae": {("--device", "cuda")},
        "other_seed/sae": {("--device", "cuda")},
        "ecoli/features.h5": {("--device", "cuda")},
        "other_seed/ecoli/features.h5": {("--device", "cuda")},
        "candidates.tsv": set(),
    }
    names = {name for name, _ in loads | reads} | {"--chunk"}
    for out, wanted in expected.items():
        found = set(options_of(lines[out]))
        assert {pair for pair in found if pair[0] in names} == wanted, out


@pytest.mark.slow
def test_names_that_mean_something_to_a_shell_or_to_an_option_reach_the_commands(tmp_path):
    folder = tmp_path / "a b'$HOME*\u00e9\"-x"
    folder.mkdir()
    seqid = "-x{y}"
    (folder / "-g.fa").write_text(f">{seqid}\n{'ACGT' * 50}\n>z\n{'ACGA' * 50}\n", encoding="utf-8")
    (folder / "a.gff3").write_text(f"##gff-version 3\n{seqid}\tx\ttRNA\t1\t9\t.\t+\t.\tID=a\n")
    genome = {"sequence": str(folder / "-g.fa"), "annotation": str(folder / "a.gff3")}
    region = f"{seqid}:1-50"
    lines = planned(
        tmp_path / "out",
        tmp_path,
        genomes={"g": genome | {"regions": [region, "z"]}},
        fit=["g"],
        test=[seqid],
        baselines=None,
        fidelity={"genome": "g", "regions": [region]},
        queries={"q": {"genome": "g", "region": region}},
    )
    words = {out: shlex.split(line.split(" &>")[0]) for out, line in lines.items()}
    assert words["g/activations.h5"][2] == f"../{folder.name}/-g.fa"
    assert f"--region={region}" in words["g/activations.h5"]
    assert f"--region={region}" in words["fidelity.json"]
    assert f"--test={seqid}" in words["associations.parquet"]
    assert words["queries/q.tsv"][-3:] == ["--", "g/features.h5", region]
    assert words["figures/region_q.png"][-3:] == ["--", "g/features.h5", region]


@pytest.mark.slow
def test_a_dictionary_that_is_there_leaves_out_the_training_and_is_named_in_the_summary(tmp_path):
    keys = {"sae": "shipped:nano", "fit": None, "dictionary": None, "baselines": {}}
    shutil.copytree(dictionary_folder("shipped:nano"), tmp_path / "out" / "sae")
    lines = planned(tmp_path / "out", tmp_path, **keys, backtest=False)
    assert not {"train", "backtest"} & {line.split()[1] for line in lines.values()}
    assert ("--sae", "sae") in options_of(lines["summary.json"])
    assert "--trained-on" not in lines["candidates.tsv"]


@pytest.mark.slow
def test_interventions_are_steps_of_a_run_with_its_model_dictionary_and_features(tmp_path):
    (tmp_path / "canvas.tsv").write_text(
        "seqid\tstart\tend\tstrand\tfeature\tmode\tvalue\nNC_000964.3\t10\t20\t+\t3\tset\t1\n"
    )
    region = "NC_000964.3:1-100"
    wanted = {
        "steer": {
            "one": {
                **{"genome": "bsubtilis", "canvas": "canvas.tsv"},
                **{"regions": [region, "NC_000964.3"], "doses": [0.5, 2]},
            }
        },
        "paint": {"two": {"genome": "ecoli", "region": region, "profile_from": "tRNA"}},
        "edit": {"three": {"feature": 8, "mode": "scale", "value": 2}},
    }
    lines = planned(tmp_path / "out", tmp_path, interventions=wanted)
    steer = shlex.split(lines["interventions/steer/one.tsv"].split(" &>")[0])
    assert steer[-2:] == [region, "NC_000964.3"]
    assert [word for word in steer if word.startswith("--dose")] == ["--dose=0.5", "--dose=2"]
    given = dict(options_of(lines["interventions/steer/one.tsv"]))
    assert given["--features"] == "bsubtilis/features.h5"
    assert (given["--sae"], given["--canvas"]) == ("sae", "../canvas.tsv")
    given = dict(options_of(lines["interventions/paint/two.tsv"]))
    assert (given["--features"], given["--profile-from"]) == ("ecoli/features.h5", "tRNA")
    assert "--canvas" not in given
    given = dict(options_of(lines["interventions/edit/three"]))
    assert [given[f"--{key}"] for key in ("feature", "mode", "value")] == ["8", "scale", "2"]
    # it is measured on the genome on which the losses are, and fitted on another
    assert "ecoli" in given["--genome"]
    assert "bsubtilis" in given["--test-genome"]


@pytest.mark.slow
def test_explanations_circuits_and_labels_are_steps_of_a_run_with_its_dictionary(tmp_path):
    (tmp_path / "some.vcf").write_text("##fileformat=VCFv4.2\nNC_000964.3\t1\t.\tA\tC\n")
    places = ["NC_000964.3:30,600", "NC_000964.3:40,001-40,009"]
    wanted = {
        "bases": {"genome": "bsubtilis", "at": places, "strand": "-"},
        "variants": {"genome": "bsubtilis", "vcf": "some.vcf"},
    }
    circuits = {"min_phi": 0.2, "grouping": "louvain"}
    keys = {"explanations": wanted, "circuits": circuits, "labels": True}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "hand_labels.tsv").write_text("")
    lines = planned(tmp_path / "out", tmp_path, **keys)
    own = options_of(lines["explanations/bases.tsv"])
    assert [value for name, value in own if name == "--at"] == places
    assert {("--sae", "sae"), ("--associations", "associations.parquet"), ("--strand", "-")} <= {
        *own
    }
    given = dict(options_of(lines["explanations/variants.tsv"]))
    assert given["--vcf"] == "../some.vcf"
    assert not {"--at", "--strand"} & {*given}
    given = dict(options_of(lines["circuits/edges.tsv"]))
    assert [given[f"--{key}"] for key in ("min-phi", "grouping")] == ["0.2", "louvain"]
    assert given["--families-out"] == "circuits/families.tsv"
    assert ("--associations", "associations.parquet") in options_of(lines["labels.tsv"])
    scored = options_of(lines["label_scores.tsv"])
    given = [value for name, value in scored if name == "--labels"]
    assert given == ["labels.tsv", "hand_labels.tsv"]


OF_OTHER_RUN = "other/g/features.h5"


def write_other_run(folder):
    """A run of one genome that trained its dictionary, as far as a plan looks at it."""
    for file in (OF_OTHER_RUN, "other/g.fa", "other/sae/train_config.yaml"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    config = {"genomes": {"g": {"sequence": "g.fa"}}}
    (folder / "other" / "config.yaml").write_text(yaml.safe_dump(config))


def check_twins(lines):
    """The twin of the run reads what is compared and what its dictionary is trained on."""
    line = lines["comparisons/twin"]
    assert line.split()[2] == "."
    assert {it for name, it in options_of(line) if name == "--genome"} == {"ecoli", "bsubtilis"}
    line = lines["comparisons/match/run/twin_b"]
    # two models of one network would have one twin, if both were drawn from one seed
    both = [lines[f"comparisons/{it}"] for it in ("twin", "match/run/twin_b")]
    assert [dict(options_of(it))["--seed"] for it in both] == ["0", "1"]
    assert line.split(" &>")[0].endswith("-- ../other")
    assert ("--genome", "g") in options_of(line)
    own = dict(options_of(lines["comparisons/match/run/matches.tsv"]))
    assert own["--twin-a"] == "comparisons/twin/bsubtilis.features.h5"
    assert own["--twin-b"] == "comparisons/match/run/twin_b/g.features.h5"


def check_across(lines):
    """Two genomes of the run, or one of it and one of another run, which knows its sequence."""
    line = lines["comparisons/across/own/across.tsv"]
    assert line.split(" -- ")[1].split()[:2] == ["bsubtilis/features.h5", "ecoli/features.h5"]
    assert "ecoli" in dict(options_of(line))["--annotations-b"]
    line = lines["comparisons/across/run/across.tsv"]
    assert line.split(" -- ")[1].split()[:2] == ["ecoli/features.h5", "../other/g/features.h5"]
    assert "--genome-b" not in line
    assert lines["figures/across_own.png"].split()[3] == "comparisons/across/own/across.tsv"


@pytest.mark.slow
def test_comparisons_are_steps_of_a_run_with_its_model_and_features(tmp_path):
    (tmp_path / "tuned").mkdir()
    (tmp_path / "other.h5").write_text("")
    wanted = {
        "diff": {
            "poisoned": {
                "genome": "bsubtilis",
                "tuned": "./tuned",
                "control": "small",
                "regions": ["NC_000964.3:1-9,000"],
            }
        },
        "match": {"other": {"genome": "bsubtilis", "features": "other.h5", "ceiling": "other.h5"}},
        "across": {
            "own": {"genome": "bsubtilis", "other_genome": "ecoli"},
            "run": {"genome": "ecoli", "features": OF_OTHER_RUN},
        },
        "similar": {
            "site": {
                **{"genome": "bsubtilis", "activations": "other.h5", "twin_b": "other.h5"},
                "every": 50,
            }
        },
    }
    wanted["match"]["run"] = {"genome": "bsubtilis", "features": OF_OTHER_RUN, "twin": True}
    write_other_run(tmp_path)
    lines = planned(tmp_path / "out", tmp_path, comparisons=wanted)
    check_twins(lines)
    check_across(lines)
    assert lines["figures/match_run.png"].split()[3] == "comparisons/match/run/matches.tsv"
    told = [value for name, value in options_of(lines["candidates.tsv"]) if name == "--matches"]
    assert told == [f"comparisons/match/{name}/matches.tsv" for name in ("other", "run")]
    assert "--matches" not in lines["preselected.tsv"] + lines["backtest.tsv"]
    line = lines["comparisons/diff/poisoned/divergence.tsv"]
    own = dict(options_of(line))
    assert (own["--control"], own["--region"]) == ("small", "NC_000964.3:1-9,000")
    assert (own["--sae"], own["--features-out"]) == ("sae", "comparisons/diff/poisoned/changed.tsv")
    assert own["--tracks-out"] == "comparisons/diff/poisoned/tracks"
    assert "bsubtilis" in own["--annotations"]
    assert line.split(" -- ")[1].split()[:2] == ["nano", "./../tuned"]
    line = lines["comparisons/match/other/matches.tsv"]
    own = dict(options_of(line))
    assert (own["--ceiling"], own["--associations-a"]) == ("../other.h5", "associations.parquet")
    assert "--twin-a" not in own
    assert line.split(" -- ")[1].split()[:2] == ["bsubtilis/features.h5", "../other.h5"]
    line = lines["comparisons/similar/site/similarity.tsv"]
    own = dict(options_of(line))
    assert (own["--twin-b"], own["--every"], own["--seed"]) == ("../other.h5", "50", "0")
    assert "bsubtilis" in own["--annotations"]
    assert not {"--twin-a", "--ceiling"} & set(own)
    assert line.split(" -- ")[1].split()[:2] == ["bsubtilis/activations.h5", "../other.h5"]


@pytest.mark.slow
def test_without_annotation_a_run_has_no_step_that_needs_one(tmp_path):
    (tmp_path / "g.fa").write_text(f">c\n{'ACGT' * 50}\n")
    keys = {
        "genomes": {"g": {"sequence": "g.fa", "annotate_with": []}},
        **{"fit": ["g"], "test": [], "finders": [], "baselines": {}},
        "fidelity": {"genome": "g", "regions": ["c:1-50"]},
        "queries": {"q": {"genome": "g", "region": "c:1-50"}},
    }
    lines = planned(tmp_path / "bare", tmp_path, **keys)
    assert {line.split()[1] for line in lines.values()} == {
        *{"harvest", "train", "encode", "evaluate", "query", "summarise", "report"}
    }
    assert "associations" not in lines["queries/q.tsv"]

    keys["genomes"]["g"]["annotate_with"] = ["pyrodigal"]
    lines = planned(tmp_path / "found", tmp_path, **keys)
    assert ("--find", "pyrodigal") in options_of(lines["g/annotation.gff3"])
    assert ("--annotations", "g/annotation.gff3") in options_of(lines["associations.parquet"])


def cut_out(name, region, folder):
    """Write a piece of a shipped genome with its annotation; return their places in a run."""
    source = shipped(name)
    whole = read_genome(source.sequence)
    place = parse_region(region, whole.lengths)
    start, end = place.start, place.end
    piece = whole[place.seqid].sequence[start:end]
    write_fasta(Genome([Contig(place.seqid, piece, circular=False)]), folder / f"{name}.fa")
    lines = ["##gff-version 3"]
    for line in gzip.decompress(source.annotation.read_bytes()).decode().splitlines():
        cells = line.split("\t")
        if len(cells) == 9 and start < int(cells[3]) and int(cells[4]) <= end:
            cells[3:5] = (str(int(cell) - start) for cell in cells[3:5])
            lines.append("\t".join(cells))
    (folder / f"{name}.gff3").write_text("\n".join([*lines, ""]))
    return {"sequence": f"{name}.fa", "annotation": f"{name}.gff3"}


@pytest.fixture
def config(tmp_path):
    """The test configuration with pieces of its genomes and a small model of random weights.

    It is quick, and means nothing.
    """
    import torch

    from genointerp.model.hyena.folder import save_model
    from genointerp.model.hyena.network import HyenaConfig, StripedHyena

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
    # few concepts: a probe is fitted for each
    shipped_concepts = yaml.safe_load((annotations_folder() / "concepts.yaml").read_text())
    few = {name: it for name, it in shipped_concepts.items() if name in CONCEPTS}
    (tmp_path / "few.yaml").write_text(yaml.safe_dump(few, sort_keys=False))
    values["concepts"] = "few.yaml"
    # the ribosomal RNAs of either genome, and a few genes
    values["genomes"] = {
        "ecoli": cut_out("ecoli_mg1655", "NC_000913.2:3,415,001-3,437,000", tmp_path)
        | {"regions": ["NC_000913.2:6,001-13,000"]},
        "bsubtilis": cut_out("bsubtilis_168", "NC_000964.3:1-24,000", tmp_path)
        | {"regions": ["NC_000964.3:9,001-16,000"]},
    }
    values["baselines"]["random"] = {
        "ecoli": ["NC_000913.2:8,001-13,000"],
        "bsubtilis": ["NC_000964.3:9,001-12,000"],
    }
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.mark.slow
def test_the_workflow_makes_a_run_directory_that_can_be_moved_and_repeats_nothing(config, tmp_path):
    out = tmp_path / "out"
    lines = []
    run_workflow(config, out, cores=2, show=lines.append)
    for name in MADE:
        assert (out / name).stat().st_size > 0, name
    assert any("steps done: ecoli/harvest: " in line for line in lines)
    assert not any("NaN" in line and "steps done" in line for line in lines)
    tables = [it for it in out.rglob("*.tsv") if "benchmarks" not in it.parts]
    assert all(it.with_name(f"{it.name}-metadata.json").is_file() for it in tables)
    assert list(out.glob("preselected*")) == []

    text = headline(out)
    assert "AUROC" in text
    assert "hidden one at a time" in text
    assert set(finding_lines(read_findings(open_run(out)))) <= {*text.split("\n")}
    assert str(out / "report.html") in text
    summary = json.loads((out / "summary.json").read_text())
    assert {"fvu", "l0", "dead_share"} <= set(summary["training"])
    assert {"bits_per_base", "loss_recovered"} <= set(summary["fidelity"])

    # the model is where it was, the genomes are in the run directory
    moved = out.rename(tmp_path / "moved")
    for path in tmp_path.glob("*.fa"):
        path.unlink()
    lines.clear()
    run_workflow(moved / "config.yaml", moved, cores=2, show=lines.append)
    assert lines == []
    assert open_run(moved).path == moved
    texts = ("config.yaml", "inputs.json", "summary.json", "report.html")
    assert all(str(tmp_path) not in (moved / name).read_text() for name in texts)
