"""The configuration of a run, checked against ``workflows/config/config.schema.json``.

A resolved configuration names every file by its absolute path, so that it means the same wherever
it is read again; resolving it once more changes nothing. The one of a run directory names them
relative to that directory, so that it can be moved (`relative_to`).
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from genointerp.annotation.catalogue import shipped
from genointerp.annotation.finders.registry import installed_finders
from genointerp.association.config import AssociateConfig
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.locus import DossierConfig
from genointerp.core.arguments import SHIPPED
from genointerp.core.config import read_config, read_yaml
from genointerp.core.errors import ConfigError, SequenceError
from genointerp.core.nearest import suggested
from genointerp.genome.file import kind_of, read_bytes
from genointerp.sae.header import read_header
from genointerp.sae.shipped import dictionary_folder
from genointerp.training.config import TrainingConfig
from genointerp.workflow.folder import workflow_folder

ANNOTATORS = ("pyrodigal", "pyaragorn", "pybarrnap")
"""Finders that annotate a sequence without an annotation, if they are installed."""

FOLDERS = (
    "inputs",
    "sae",
    "random",
    "other_seed",
    "queries",
    "interventions",
    "circuits",
    "explanations",
    "comparisons",
    "figures",
    "dossiers",
    "report_tables",
    "logs",
    "benchmarks",
)
"""Folders of a run directory, in addition to those of the genomes."""

SETTINGS: dict[str, type] = {
    "associate": AssociateConfig,
    "rank": RankConfig,
    "dossier": DossierConfig,
}
"""Keys that name the configuration file of a command, with the type that it is read as."""

OF_MODELS = ("tuned", "control", "second", "second_control")
"""Keys of a comparison that name a model: a folder, with a slash, or a registered name."""

OF_FILES = ("features", "activations", "twin_a", "twin_b", "ceiling")
"""Keys of a comparison that name a file of features or of activations."""

OF_TRAINING = ("dictionary", "fit")
"""Keys that a run has only if it trains its dictionary."""

MODEL = "nano"
"""Name of the model where the configuration does not say."""

SAMPLE = 25_000
"""Bases of each strand on which the losses are measured where the configuration does not say."""


def read_run_config(path: Path) -> dict[str, Any]:
    """Read and resolve the configuration of a run.

    Raises
    ------
    ConfigError
        If the file is no YAML mapping, breaks the schema or names what does not exist.
    """
    path = Path(path)
    values = read_yaml(path)
    if not isinstance(values, dict):
        raise ConfigError(str(path), "a mapping of keys to values", type(values).__name__)
    return resolve_run_config(values, folder=path.parent, where=str(path))


def resolve_run_config(values: Mapping[str, Any], *, folder: Path, where: str) -> dict[str, Any]:
    """Check plain values, and turn shipped names and relative paths into absolute paths.

    Parameters
    ----------
    folder
        Folder to which relative paths refer: that of the configuration file.
    where
        Beginning of error messages, usually the name of the file.
    """
    check_run_config(values, where=where)
    config: dict[str, Any] = _defaults() | json.loads(json.dumps(values))
    config["model"] = {"name": MODEL} | config["model"]
    for name, genome in config["genomes"].items():
        _resolve_genome(genome, folder, f"{where}: genomes.{name}")
    for role, owner, key in _named_files(config):
        if not role.startswith("genomes."):
            inner = role.rpartition(".")[0] or "baselines"
            place = where if owner is config else f"{where}: {inner}"
            owner[key] = str(_resolve(owner[key], key, folder, place))
    _choose_genomes(config, where)
    if "sae" in config:
        config["sae"] = _resolve_dictionary(config["sae"], folder)
    beside = config.get("baselines", {})
    _resolve_model(config["model"], folder, f"{where}: model")
    for role, entry, key in compared(config):
        _resolve_compared(entry, key, folder, f"{where}: {role.rpartition('.')[0]}")
    _check_names(config, where)
    # a mistake in it is reported now, not when the activations have been computed
    for path in (config.get("dictionary"), beside.get("random_dictionary")):
        read_config(TrainingConfig, None if path is None else Path(path))
    for key, kind in SETTINGS.items():
        read_config(kind, Path(config[key]) if key in config else None)
    return config


def relative_to(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a resolved configuration with its paths relative to a folder, links followed."""
    folder = folder.resolve()

    def relative(path: str) -> str:
        found = Path(os.path.relpath(folder / path, folder)).as_posix()
        # no path may look like an option
        return f"./{found}" if found.startswith("-") else found

    found = with_files(config, lambda _, path: relative(path))
    model = found["model"]
    if "/" in model["name"] and (folder / model["name"]).is_dir():
        # a slash tells a folder from a registered name
        model["name"] = f"./{relative(model['name'])}"
    if "checkpoint" in model:
        model["checkpoint"] = relative(model["checkpoint"])
    if "sae" in found and not found["sae"].startswith(SHIPPED):
        found["sae"] = relative(found["sae"])
    for _, entry, key in compared(found):
        if key not in OF_MODELS:
            entry[key] = relative(entry[key])
        elif "/" in entry[key] and (folder / entry[key]).is_dir():
            entry[key] = f"./{relative(entry[key])}"
    return found


def named_files(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the paths of the files that a configuration names, by their roles.

    The role of a file of a genome is like ``genomes.NAME.sequence``, of another its key.
    """
    return {role: owner[key] for role, owner, key in _named_files(config)}


def with_files(config: Mapping[str, Any], change: Callable[[str, str], str]) -> dict[str, Any]:
    """Return a configuration with other paths: ``change`` is called with each role and path."""
    found: dict[str, Any] = json.loads(json.dumps(config))
    for role, owner, key in _named_files(found):
        owner[key] = change(role, owner[key])
    return found


def _named_files(config: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the role of each file, and where the configuration names it."""
    for name, genome in config["genomes"].items():
        for key in ("sequence", "annotation"):
            if key in genome:
                yield f"genomes.{name}.{key}", genome, key
    owners = [(config, key) for key in ("dictionary", "concepts", *SETTINGS)]
    for owner, key in [*owners, (config.get("baselines", {}), "random_dictionary")]:
        if key in owner:
            yield key, owner, key
    asked = [(f"interventions.{command}.{name}", it) for command, name, it in interventions(config)]
    asked += [(f"explanations.{name}", it) for name, it in config.get("explanations", {}).items()]
    for place, entry in asked:
        for key in ("canvas", "profiles", "vcf"):
            if key in entry:
                yield f"{place}.{key}", entry, key


def compared(config: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield the role of each model and file that is compared, its entry and its key.

    They may be larger than the run, which does not copy them.
    """
    for command, entries in config.get("comparisons", {}).items():
        for name, entry in entries.items():
            for key in (*OF_MODELS, *OF_FILES):
                if key in entry:
                    yield f"comparisons.{command}.{name}.{key}", entry, key


def interventions(config: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the command, the name and the entry of each intervention of a configuration."""
    for command, entries in config.get("interventions", {}).items():
        for name, entry in entries.items():
            yield command, name, entry


def check_run_config(values: Mapping[str, Any], *, where: str) -> None:
    """Check plain values against the schema.

    Raises
    ------
    ConfigError
        One line for the first violation; an unknown key comes with the nearest known one.
    """
    error = best_match(Draft202012Validator(run_schema()).iter_errors(values))
    if error is not None:
        raise _config_error(error, where)


def run_schema() -> dict[str, Any]:
    """Return the JSON schema of a configuration."""
    path = workflow_folder() / "config" / "config.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def _defaults() -> dict[str, Any]:
    """Return what every resolved configuration has, whether it was given or not."""
    keys = run_schema()["properties"]
    return {key: entry["default"] for key, entry in keys.items() if "default" in entry}


def _config_error(error: ValidationError, where: str) -> ConfigError:
    place = f"{where}: {'.'.join(map(str, error.absolute_path))}".removesuffix(": ")
    if error.validator == "additionalProperties":
        known = sorted(error.schema["properties"])
        unknown = next(key for key in error.instance if key not in known)
        return ConfigError(place, f"one of the keys {', '.join(known)}", suggested(unknown, known))
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return ConfigError(place, f"the key {missing!r}", f"{', '.join(error.instance) or 'none'}")
    expected = f"{error.validator} {error.validator_value}"
    return ConfigError(place, expected, json.dumps(error.instance, default=str)[:80])


def _resolve_genome(genome: dict[str, Any], folder: Path, where: str) -> None:
    source = genome["sequence"]
    genome["sequence"] = str(_resolve(source, "sequence", folder, where))
    if "annotation" in genome and "annotate_with" in genome:
        raise ConfigError(where, "an annotation or finders to annotate with", "both")
    if "annotation" in genome:
        genome["annotation"] = str(_resolve(genome["annotation"], "annotation", folder, where))
    elif source.startswith(SHIPPED):
        genome["annotation"] = str(_resolve(source, "annotation", folder, where))
    elif "annotate_with" not in genome:
        path = Path(genome["sequence"])
        if kind_of(read_bytes(path, error=SequenceError)) == "genbank":
            genome["annotation"] = str(path)
        else:
            genome["annotate_with"] = installed_finders(ANNOTATORS)


def _choose_genomes(config: dict[str, Any], where: str) -> None:
    """Choose what the configuration leaves open: genomes to train and to measure losses on."""
    genomes = list(config["genomes"])
    if "sae" in config:
        beside = config.get("baselines", {})
        both = [key for key in OF_TRAINING if key in config]
        both += [key for key in ("random", "random_dictionary", "other_seed") if beside.get(key)]
        if both:
            expected = "a dictionary that is there, or a training with its rivals"
            raise ConfigError(where, expected, f"sae and {', '.join(both)}")
    else:
        others = [name for name in genomes if name not in config["test"]]
        config.setdefault("fit", others or genomes)
    fidelity = config.setdefault("fidelity", {"sample": SAMPLE})
    trained_on = config.get("fit", ())
    others = [name for name in genomes if name not in trained_on]
    fidelity.setdefault("genome", (others or genomes)[0])


def _resolve_dictionary(source: str, folder: Path) -> str:
    """Return an absolute path, or the name of what is shipped, of a dictionary that can be read."""
    path = dictionary_folder(source)
    if not source.startswith(SHIPPED):
        path, source = (folder / path).resolve(), str((folder / path).resolve())
    read_header(path)
    return source


def _resolve_model(model: dict[str, Any], folder: Path, where: str) -> None:
    # a folder is written with a slash, so that a bare word is always a registered name
    if "/" in model["name"] and (folder / model["name"]).is_dir():
        path = (folder / model["name"]).resolve()
        model["name"] = str(_without_braces(path, f"{where}.name"))
    if "checkpoint" in model:
        path = (folder / model["checkpoint"]).resolve()
        if not path.exists():
            raise ConfigError(f"{where}.checkpoint", "an existing file or folder", str(path))
        model["checkpoint"] = str(_without_braces(path, f"{where}.checkpoint"))


def _resolve_compared(entry: dict[str, Any], key: str, folder: Path, where: str) -> None:
    if key not in OF_MODELS:
        entry[key] = str(_resolve(entry[key], key, folder, where))
    elif "/" in entry[key] and (folder / entry[key]).is_dir():
        path = (folder / entry[key]).resolve()
        entry[key] = str(_without_braces(path, f"{where}: {key}"))


def _resolve(source: str, role: str, folder: Path, where: str) -> Path:
    if source.startswith(SHIPPED):
        genome = shipped(source.removeprefix(SHIPPED))
        path = genome.annotation if role == "annotation" else genome.sequence
    else:
        path = (folder / source).resolve()
    if not path.is_file():
        raise ConfigError(f"{where}: {role}", "an existing file", str(path))
    return _without_braces(path, f"{where}: {role}")


def _without_braces(path: Path, where: str) -> Path:
    """Refuse paths with braces: Snakemake takes them for patterns and cannot escape them."""
    if "{" in str(path) or "}" in str(path):
        expected = "a path without braces, which Snakemake takes for wildcards"
        raise ConfigError(where, expected, str(path))
    return path


def _check_names(config: Mapping[str, Any], where: str) -> None:
    genomes = config["genomes"]
    for name in genomes:
        if name in FOLDERS:
            expected = f"a name that is no folder of a run ({', '.join(FOLDERS)})"
            raise ConfigError(f"{where}: genomes", expected, repr(name))
    named = [("fit", name) for name in config.get("fit", ())]
    named.append(("fidelity.genome", config["fidelity"]["genome"]))
    named += [(f"queries.{key}", query["genome"]) for key, query in config["queries"].items()]
    random = config.get("baselines", {}).get("random", {})
    named += [("baselines.random", name) for name in random]
    named += [
        (f"interventions.{command}.{name}", entry["genome"])
        for command, name, entry in interventions(config)
        if "genome" in entry
    ]
    named += [
        (f"explanations.{name}", entry["genome"]) for name, entry in config["explanations"].items()
    ]
    named += [
        (f"comparisons.{command}.{name}", entry[key])
        for command, entries in config["comparisons"].items()
        for name, entry in entries.items()
        for key in ("genome", "other_genome")
        if key in entry
    ]
    for place, name in named:
        if name not in genomes:
            found = suggested(name, genomes)
            raise ConfigError(f"{where}: {place}", f"one of {', '.join(genomes)}", found)
    for name in config["fit"] if random else ():
        if name not in random:
            place = f"{where}: baselines.random"
            raise ConfigError(place, f"regions of {name}, which is fit", ", ".join(random))


def is_annotated(config: Mapping[str, Any]) -> bool:
    """Return whether each genome of a resolved configuration has or will have an annotation."""
    genomes = config["genomes"].values()
    return all("annotation" in genome or genome["annotate_with"] for genome in genomes)
