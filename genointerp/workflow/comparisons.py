"""The comparisons of a run: what is checked before it starts, and the twins that it makes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from genointerp.core.errors import ConfigError
from genointerp.sae.header import TRAIN_CONFIG
from genointerp.store.feature.run_folder import run_around

OTHER = {"match": "features", "similar": "activations"}
"""The file of the other model, by the commands that take twins."""


NOT_NEEDED = ", which is not needed where both are of one model and site"


def genomes_of_twin(config: Mapping[str, Any]) -> list[str]:
    """Return the genomes that a run reads with random weights for its comparisons, in its order.

    They are those that are compared with a twin that no file gives, and those on which the twin's
    dictionary is trained.
    """
    wanted = {
        entry["genome"]
        for _, entry in _with_twins(config)
        if entry.get("twin") and "twin_a" not in entry
    }
    if wanted:
        wanted |= set(config.get("fit", ()))
    return [name for name in config["genomes"] if name in wanted]


def twin_of_other(command: str, entry: Mapping[str, Any]) -> tuple[Path, str] | None:
    """Return the run whose twin is the one of the other model, and the name of its genome.

    Parameters
    ----------
    command
        One of `OTHER`.
    entry
        A comparison of the configuration.

    Returns
    -------
    tuple or None
        None where no twin is made: it is not asked for, a file gives it, or the file of the other
        model lies in no run that trained its dictionary.
    """
    if not entry.get("twin") or "twin_b" in entry:
        return None
    file = Path(entry[OTHER[command]])
    found = run_around(file)
    if found is None or not (found[0].sae / TRAIN_CONFIG).is_file():
        return None
    return file.parent.parent, found[1]


def check_comparisons(config: Mapping[str, Any], *, is_annotated: bool, where: str) -> list[str]:
    """Check the comparisons of a resolved configuration.

    Returns
    -------
    list
        Notes for the user before the first step: what will not be known for want of a twin.

    Raises
    ------
    ConfigError
        If genomes are compared that are not annotated, or a genome with itself or with none, or
        with two; or if a run that trains no dictionary is to make a twin.
    """
    for name, entry in config.get("comparisons", {}).get("across", {}).items():
        _check_across(entry, f"{where}: comparisons.across.{name}", is_annotated=is_annotated)
    notes = []
    for role, entry in _with_twins(config):
        if not entry.get("twin"):
            continue
        if "twin_a" not in entry and "fit" not in config:
            expected = "a run that trains its dictionary, as whose that of a twin is trained"
            raise ConfigError(f"{where}: {role}: twin", expected, "a dictionary that was there")
        command = role.split(".")[1]
        if "twin_b" not in entry and twin_of_other(command, entry) is None:
            notes.append(
                f"{role}: no twin of the other model is made, since {entry[OTHER[command]]} lies "
                "in no run that trained its dictionary; `genointerp twin` makes one (twin_b)"
                + (NOT_NEEDED if command == "match" else "")
            )
    return notes


def _with_twins(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for command in OTHER:
        for name, entry in config.get("comparisons", {}).get(command, {}).items():
            yield f"comparisons.{command}.{name}", entry


def _check_across(entry: Mapping[str, Any], where: str, *, is_annotated: bool) -> None:
    if not is_annotated:
        raise ConfigError(where, "annotated genomes", "none")
    asked = [key for key in ("other_genome", "features") if key in entry]
    if len(asked) != 1:
        found = " and ".join(asked) or "none"
        raise ConfigError(where, "one of other_genome and features", found)
    if entry.get("other_genome") == entry["genome"]:
        raise ConfigError(f"{where}: other_genome", "another genome", entry["genome"])
    if "features" in entry and run_around(entry["features"]) is None:
        expected = "features in the directory of a run, which has their sequence and annotation"
        raise ConfigError(f"{where}: features", expected, entry["features"])
