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

from genointerp.activation.training_config import TrainingConfig
from genointerp.annotation.catalogue import shipped
from genointerp.association.config import AssociateConfig
from genointerp.candidate.config import RankConfig
from genointerp.candidate.locus_evidence import DossierConfig
from genointerp.core.config import read_config, read_yaml
from genointerp.core.errors import ConfigError
from genointerp.workflow.folder import workflow_folder

SHIPPED = "shipped:"

SETTINGS: dict[str, type] = {
    "associate": AssociateConfig,
    "rank": RankConfig,
    "dossier": DossierConfig,
}
"""Keys that name the configuration of a command, and what it is read as."""


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
        What relative paths are relative to: the folder of the configuration file.
    where
        Begins each error, usually the file's name.
    """
    check_run_config(values, where=where)
    config: dict[str, Any] = _defaults() | json.loads(json.dumps(values))
    for name, genome in config["genomes"].items():
        place = f"{where}: genomes.{name}"
        source = genome["sequence"]
        genome["sequence"] = str(_resolve(source, "sequence", folder, place))
        annotation = genome.get("annotation", source)
        genome["annotation"] = str(_resolve(annotation, "annotation", folder, place))
    for key in ("dictionary", "concepts", *SETTINGS):
        if key in config:
            config[key] = str(_resolve(config[key], key, folder, where))
    beside = config.get("baselines", {})
    if "random_dictionary" in beside:
        place = f"{where}: baselines"
        source = beside["random_dictionary"]
        beside["random_dictionary"] = str(_resolve(source, "random_dictionary", folder, place))
    model = config["model"]["name"]
    # a folder is written with a slash, so that a bare word is always a registered name
    if "/" in model and (folder / model).is_dir():
        config["model"]["name"] = str((folder / model).resolve())
    _check_names(config, where)
    # a slip in it is told now, not when the activations have been computed
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


def _resolve(source: str, role: str, folder: Path, where: str) -> Path:
    if source.startswith(SHIPPED):
        genome = shipped(source.removeprefix(SHIPPED))
        return genome.annotation if role == "annotation" else genome.sequence
    path = (folder / source).resolve()
    if not path.is_file():
        raise ConfigError(f"{where}: {role}", "an existing file", str(path))
    return path


def _check_names(config: Mapping[str, Any], where: str) -> None:
    genomes = config["genomes"]
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
