"""Configurations of a run: what is shipped fits the schema, what does not fit is one line."""

import json
import os
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from genointerp.core.errors import ConfigError, SchemaError
from genointerp.sae.shipped import dictionary_folder
from genointerp.workflow import config as module
from genointerp.workflow.config import (
    check_run_config,
    is_annotated,
    read_run_config,
    resolve_run_config,
)
from genointerp.workflow.folder import workflow_folder

FOLDER = workflow_folder()
SHIPPED = [*sorted((FOLDER / "config").glob("*.yaml")), FOLDER / ".test" / "config.yaml"]
RUNS = [path for path in SHIPPED if not path.name.startswith("dictionary")]


@pytest.fixture
def config(tmp_path):
    """A valid configuration, as plain values, and the files it names."""
    (tmp_path / "a.fa").write_text(">chr1\nACGT\n")
    (tmp_path / "a.gff3").write_text("##gff-version 3\n")
    return {
        "genomes": {"a": {"sequence": "a.fa", "annotation": "a.gff3"}},
        "model": {"name": "m", "site": "s"},
        "fit": ["a"],
        "fidelity": {"genome": "a", "regions": ["chr1:1-4"]},
    }


def written(config, folder):
    path = folder / "run.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_a_shipped_configuration_fits_the_schema(path):
    check_run_config(yaml.safe_load(path.read_text()), where=path.name)


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_the_files_that_a_shipped_configuration_names_exist(path):
    resolved = read_run_config(path)
    for genome in resolved["genomes"].values():
        assert Path(genome["sequence"]).is_file()
        assert Path(genome["annotation"]).is_file()


def test_the_schema_is_a_schema_and_lets_no_unknown_key_through():
    schema = json.loads((FOLDER / "config" / "config.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert all("additionalProperties" in part for part in objects(schema))


def objects(schema):
    """Yield each part of a schema that describes a mapping."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)


def test_paths_are_relative_to_the_configuration_and_become_absolute(config, tmp_path):
    resolved = read_run_config(written(config, tmp_path))
    assert resolved["genomes"]["a"]["sequence"] == str((tmp_path / "a.fa").resolve())
    assert resolved["genomes"]["a"]["annotation"] == str((tmp_path / "a.gff3").resolve())


def test_settings_of_a_command_are_a_file_beside_the_configuration(config, tmp_path):
    for name in ("associate", "rank", "dossier"):
        (tmp_path / f"{name}.yaml").write_text("seed: 3\n")
        config[name] = f"{name}.yaml"
    resolved = read_run_config(written(config, tmp_path))
    for name in ("associate", "rank", "dossier"):
        assert resolved[name] == str((tmp_path / f"{name}.yaml").resolve())


@pytest.mark.parametrize("name", ["associate", "rank", "dossier"])
def test_a_slip_in_the_settings_of_a_command_is_told_before_the_run(config, tmp_path, name):
    (tmp_path / "own.yaml").write_text("sede: 3\n")
    with pytest.raises(ConfigError, match=r"own\.yaml: .*did you mean 'seed'"):
        read_run_config(written(config | {name: "own.yaml"}, tmp_path))
    with pytest.raises(ConfigError, match=rf"{name}: expected an existing file, found .*no\.yaml"):
        read_run_config(written(config | {name: "no.yaml"}, tmp_path))


def test_resolving_twice_changes_nothing(config, tmp_path):
    once = read_run_config(written(config, tmp_path))
    assert resolve_run_config(once, folder=Path("elsewhere"), where="again") == once


def test_what_is_left_out_has_the_default_of_the_schema(config, tmp_path):
    resolved = read_run_config(written(config, tmp_path))
    assert (resolved["seed"], resolved["test"], resolved["queries"]) == (0, [], {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"sede": 1}, r"run.yaml: expected one of .*, found 'sede' .*'seed'", id="key"),
        pytest.param(
            {"genomes": {"a": {"sequence": "a.fa", "region": ["chr1"]}}},
            r"run.yaml: genomes.a: expected .*, found 'region' \(did you mean 'regions'\?\)",
            id="nested-key",
        ),
        pytest.param({"seed": -1}, r"run.yaml: seed: expected minimum 0, found -1", id="range"),
        pytest.param({"fit": "a"}, r"run.yaml: fit: expected type array, found \"a\"", id="type"),
        pytest.param({"fit": ["b"]}, r"run.yaml: fit: expected one of a, found 'b'", id="name"),
        pytest.param(
            {"baselines": {"random_dictionary": "b.yaml"}},
            r"run.yaml: baselines: random_dictionary: expected an existing file, found .*b.yaml",
            id="random-dictionary",
        ),
        pytest.param(
            {"baselines": {"random": {"b": ["chr1:1-4"]}}},
            r"run.yaml: baselines.random: expected one of a, found 'b'",
            id="random-genome",
        ),
        pytest.param(
            {
                "genomes": {"a": {"sequence": "a.fa"}, "c": {"sequence": "a.fa"}},
                "baselines": {"random": {"c": ["chr1:1-4"]}},
            },
            r"run.yaml: baselines.random: expected regions of a, which is fit, found c",
            id="random-fit",
        ),
        pytest.param(
            {"interventions": {"steer": {"q": {"genome": "a", "canvas": "c.tsv"}}}},
            r"run.yaml: interventions.steer.q: canvas: expected an existing file, found .*c.tsv",
            id="canvas",
        ),
        pytest.param(
            {"interventions": {"edit": {"q": {"feature": 1, "methd": "distil"}}}},
            r"run.yaml: interventions.edit.q: .*found 'methd' \(did you mean 'method'\?\)",
            id="intervention-key",
        ),
        pytest.param(
            {"interventions": {"paint": {"q": {"genome": "b", "region": "chr1"}}}},
            r"run.yaml: interventions.paint.q: expected one of a, found 'b'",
            id="intervention-genome",
        ),
        pytest.param(
            {"comparisons": {"diff": {"q": {"genome": "b", "tuned": "small"}}}},
            r"run.yaml: comparisons.diff.q: expected one of a, found 'b'",
            id="comparison-genome",
        ),
        pytest.param(
            {"comparisons": {"match": {"q": {"genome": "a", "features": "f.h5"}}}},
            r"run.yaml: comparisons.match.q: features: expected an existing file, found .*f.h5",
            id="comparison-features",
        ),
        pytest.param(
            {"comparisons": {"similar": {"q": {"genome": "a", "activations": "f.h5"}}}},
            r"run.yaml: comparisons.similar.q: activations: expected an existing .*, found .*f.h5",
            id="comparison-activations",
        ),
        pytest.param(
            {"comparisons": {"across": {"q": {"genome": "a", "other_genome": "b"}}}},
            r"run.yaml: comparisons.across.q: expected one of a, found 'b'",
            id="across-genome",
        ),
        pytest.param(
            {"comparisons": {"match": {"q": {"genome": "a", "features": "a.fa", "twin": 1}}}},
            r"run.yaml: comparisons.match.q.twin: expected type boolean, found 1",
            id="twin",
        ),
        pytest.param(
            {"explanations": {"q": {"genome": "b", "at": ["chr1:1"]}}},
            r"run.yaml: explanations.q: expected one of a, found 'b'",
            id="explanation-genome",
        ),
        pytest.param(
            {"explanations": {"q": {"genome": "a", "vcf": "v.vcf"}}},
            r"run.yaml: explanations.q: vcf: expected an existing file, found .*v.vcf",
            id="explanation-vcf",
        ),
        pytest.param(
            {"genomes": {"a": {"sequence": "b.fa"}}},
            r"run.yaml: genomes.a: sequence: expected an existing file, found .*b.fa",
            id="file",
        ),
        pytest.param(
            {"genomes": {"a": {"sequence": "shipped:yeti"}}},
            r"expected one of .*ecoli_mg1655.*, found 'yeti'",
            id="shipped",
        ),
    ],
)
def test_a_wrong_configuration_is_told_in_one_line(config, tmp_path, change, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_run_config(written(config | change, tmp_path))
    assert "\n" not in str(caught.value)


def test_a_genome_that_is_named_twice_is_told(config, tmp_path):
    path = written(config, tmp_path)
    text = path.read_text()
    path.write_text(text.replace("genomes:\n", "genomes:\n  a: {sequence: b.fa}\n"))
    with pytest.raises(
        ConfigError, match=r"run.yaml: line \d+: expected each key once, .*'a' twice"
    ):
        read_run_config(path)


@pytest.mark.parametrize("name", ["sae", "random", "queries", "logs", "report_tables"])
def test_a_genome_may_not_be_called_as_a_folder_of_the_run(config, tmp_path, name):
    config["genomes"][name] = config["genomes"]["a"]
    with pytest.raises(ConfigError, match=f"genomes: expected a name that is no folder.*'{name}'"):
        read_run_config(written(config, tmp_path))


@pytest.mark.parametrize("name", ["my{x}", "my{", "{}", "a {b c}"])
def test_braces_in_a_path_are_named_before_the_run(config, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    for file in ("a.fa", "a.gff3"):
        (tmp_path / file).rename(folder / file)
    with pytest.raises(ConfigError, match=r"genomes\.a: sequence: expected .*braces.*a\.fa$"):
        read_run_config(written(config, folder))


def test_braces_in_the_path_of_a_model_or_of_settings_are_named_too(config, tmp_path):
    (tmp_path / "{m}").mkdir()
    (tmp_path / "{d}.yaml").write_text("{}")
    (tmp_path / "{w}.pt").touch()
    for change, place in (
        ({"model": {"name": "./{m}"}}, "model.name"),
        ({"model": {"name": "m", "checkpoint": "{w}.pt"}}, "model.checkpoint"),
        ({"dictionary": "{d}.yaml"}, "dictionary"),
    ):
        with pytest.raises(ConfigError, match=rf"{place}: expected a path without braces"):
            read_run_config(written(config | change, tmp_path))


def test_a_checkpoint_is_relative_to_the_configuration_and_must_exist(config, tmp_path):
    config["model"]["checkpoint"] = "w.pt"
    with pytest.raises(ConfigError, match=r"model\.checkpoint: expected an existing file or"):
        read_run_config(written(config, tmp_path))
    (tmp_path / "w.pt").touch()
    assert read_run_config(written(config, tmp_path))["model"]["checkpoint"] == str(
        (tmp_path / "w.pt").resolve()
    )


def test_a_sequence_without_annotation_is_annotated_by_what_is_installed(
    config, tmp_path, monkeypatch
):
    del config["genomes"]["a"]["annotation"]
    monkeypatch.setattr(module, "installed_finders", lambda names: [*names][:1])
    resolved = read_run_config(written(config, tmp_path))
    assert resolved["genomes"]["a"] == {
        "sequence": str((tmp_path / "a.fa").resolve()),
        "annotate_with": ["pyrodigal"],
    }
    assert is_annotated(resolved)
    monkeypatch.setattr(module, "installed_finders", lambda names: [])
    assert not is_annotated(read_run_config(written(config, tmp_path)))
    assert resolve_run_config(resolved, folder=Path("elsewhere"), where="again") == resolved


def test_a_genbank_file_is_its_own_annotation(config, tmp_path):
    record = Path(__file__).parents[1] / "data" / "phix174.gbk"
    config["genomes"]["a"] = {"sequence": str(record)}
    assert read_run_config(written(config, tmp_path))["genomes"]["a"]["annotation"] == str(record)
    config["genomes"]["a"] = {"sequence": "a.fa", "annotation": "a.gff3", "annotate_with": []}
    with pytest.raises(ConfigError, match="an annotation or finders to annotate with, found both"):
        read_run_config(written(config, tmp_path))


def test_a_missing_key_is_named(config, tmp_path):
    del config["genomes"]
    with pytest.raises(ConfigError, match=r"run.yaml: expected the key 'genomes'"):
        read_run_config(written(config, tmp_path))


def test_a_genome_is_all_that_a_configuration_must_name(config, tmp_path):
    found = read_run_config(written({"genomes": config["genomes"]}, tmp_path))
    assert found["model"] == {"name": "nano"}
    assert found["fit"] == ["a"]
    assert found["fidelity"] == {"genome": "a", "sample": 25_000}
    assert found["backtest"] is True
    assert resolve_run_config(found, folder=tmp_path, where="again") == found


def test_training_and_its_losses_are_of_different_genomes_where_one_is_held_out(config, tmp_path):
    (tmp_path / "b.fa").write_text(">chr2\nACGT\n")
    genomes = {"b": {"sequence": "b.fa", "annotation": "a.gff3"}, **config["genomes"]}
    found = read_run_config(written({"genomes": genomes, "test": ["b"]}, tmp_path))
    assert (found["fit"], found["fidelity"]["genome"]) == (["a"], "b")


def test_a_dictionary_that_is_there_takes_the_place_of_a_training(config, tmp_path):
    del config["fit"]
    found = read_run_config(written(config | {"sae": "shipped:nano"}, tmp_path))
    assert found["sae"] == "shipped:nano"
    assert "fit" not in found
    config["sae"] = os.path.relpath(dictionary_folder("shipped:nano"), tmp_path)
    found = read_run_config(written(config, tmp_path))
    assert found["sae"] == str(dictionary_folder("shipped:nano"))
    assert resolve_run_config(found, folder=Path("elsewhere"), where="again") == found


@pytest.mark.parametrize(
    ("others", "found"),
    [
        ({"fit": ["a"]}, "sae and fit"),
        ({"baselines": {"other_seed": True}}, "sae and other_seed"),
    ],
)
def test_a_dictionary_and_a_training_exclude_each_other(config, tmp_path, others, found):
    del config["fit"]
    with pytest.raises(ConfigError, match=f"a training with its rivals, found {found}"):
        read_run_config(written(config | {"sae": "shipped:nano"} | others, tmp_path))


def test_a_folder_without_a_dictionary_is_refused(config, tmp_path):
    del config["fit"]
    with pytest.raises(SchemaError, match=r"cfg.json: expected the configuration of a dictionary"):
        read_run_config(written(config | {"sae": "none"}, tmp_path))


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    (tmp_path / "run.yaml").write_text("- a\n")
    with pytest.raises(ConfigError, match=r"expected a mapping of keys to values, found list"):
        read_run_config(tmp_path / "run.yaml")


def test_a_file_that_is_no_yaml_is_told_in_one_line(tmp_path):
    (tmp_path / "run.yaml").write_text("a: [1\nb: }")
    with pytest.raises(ConfigError, match="expected YAML") as caught:
        read_run_config(tmp_path / "run.yaml")
    assert "\n" not in str(caught.value)
