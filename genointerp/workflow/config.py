"""The configuration of a run, checked against ``workflows/config/config.schema.json``.

A resolved configuration names every file by its absolute path, so that it means the same wherever
it is read again; resolving it once more changes nothing.
"""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from genointerp.annotation.catalogue import shipped
from genointerp.annotation.finders.registry import installed_finders
from genointerp.association.config import AssociateConfig
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.locus import DossierConfig
from genointerp.core.config import read_config, read_yaml
from genointerp.core.errors import ConfigError, SequenceError
from genointerp.genome.file import kind_of, read_bytes
from genointerp.training.config import TrainingConfig
from genointerp.workflow.folder import workflow_folder

SHIPPED = "shipped:"

ANNOTATORS = ("pyrodigal", "pyaragorn", "pybarrnap")
"""Finders that annotate a sequence without an annotation, if they are installed."""

FOLDERS = (
    "sae",
    "random",
    "other_seed",
    "queries",
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
    for name, genome in config["genomes"].items():
        _resolve_genome(genome, folder, f"{where}: genomes.{name}")
    for key in ("dictionary", "concepts", *SETTINGS):
        if key in config:
            config[key] = str(_resolve(config[key], key, folder, where))
    beside = config.get("baselines", {})
    if "random_dictionary" in beside:
        place = f"{where}: baselines"
        source = beside["random_dictionary"]
        beside["random_dictionary"] = str(_resolve(source, "random_dictionary", folder, place))
    _resolve_model(config["model"], folder, f"{where}: model")
    _check_names(config, where)
    # a mistake in it is reported now, not when the activations have been computed
    for path in (config.get("dictionary"), beside.get("random_dictionary")):
        read_config(TrainingConfig, None if path is None else Path(path))
    for key, kind in SETTINGS.items():
        read_config(kind, Path(config[key]) if key in config else None)
    return config


def check_run_config(values: Mapping[str, Any], *, where: str) -> None:
    """Check plain values against the schema.

    Raises
    ------
    ConfigError
        One line for the first violation; an unknown key comes with the nearest known one.
    """
    error = best_match(Draft202012Validator(_schema()).iter_errors(values))
    if error is not None:
        raise _config_error(error, where)


def _schema() -> dict[str, Any]:
    path = workflow_folder() / "config" / "config.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def _defaults() -> dict[str, Any]:
    keys = _schema()["properties"]
    return {key: entry["default"] for key, entry in keys.items() if "default" in entry}


def _config_error(error: ValidationError, where: str) -> ConfigError:
    place = f"{where}: {'.'.join(map(str, error.absolute_path))}".removesuffix(": ")
    if error.validator == "additionalProperties":
        known = sorted(error.schema["properties"])
        unknown = next(key for key in error.instance if key not in known)
        near = difflib.get_close_matches(str(unknown), known, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        return ConfigError(place, f"one of the keys {', '.join(known)}", f"{unknown!r}{hint}")
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
    named = [("fit", name) for name in config["fit"]]
    named.append(("fidelity.genome", config["fidelity"]["genome"]))
    named += [(f"queries.{key}", query["genome"]) for key, query in config["queries"].items()]
    random = config.get("baselines", {}).get("random", {})
    named += [("baselines.random", name) for name in random]
    for place, name in named:
        if name not in genomes:
            raise ConfigError(f"{where}: {place}", f"one of {', '.join(genomes)}", repr(name))
    for name in config["fit"] if random else ():
        if name not in random:
            place = f"{where}: baselines.random"
            raise ConfigError(place, f"regions of {name}, which is fit", ", ".join(random))


def is_annotated(config: Mapping[str, Any]) -> bool:
    """Return whether each genome of a resolved configuration has or will have an annotation."""
    genomes = config["genomes"].values()
    return all("annotation" in genome or genome["annotate_with"] for genome in genomes)
