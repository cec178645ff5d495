"""A run directory as the workflow leaves it: which files of a run are whose, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from genointerp.core.arguments import (
    ASSOCIATIONS_FILE,
    CONFIG,
    OneOrMorePaths,
    StrPath,
    as_paths,
    is_run,
)
from genointerp.core.errors import InputError, SchemaError, UnknownNameError
from genointerp.core.files import read_text
from genointerp.core.nearest import suggested
from genointerp.core.parsing import parse_json, parse_yaml
from genointerp.store.feature.catalogue import CatalogueEntry


@dataclass(frozen=True)
class RunGenome(CatalogueEntry):
    """The files of one genome of a run, which always names its sequence."""

    sequence: Path

    @property
    def activations(self) -> Path:
        """The activations that the features were made from."""
        return self.features.with_name("activations.h5")


@dataclass(frozen=True)
class RunFolder:
    """The files of a run directory, none of which is opened but its configuration.

    Parameters
    ----------
    path
        The directory.
    config
        The resolved configuration.
    """

    path: Path
    config: Mapping[str, Any]

    @classmethod
    def open(cls, path: StrPath) -> "RunFolder":
        """Read the configuration of a run.

        Raises
        ------
        InputError
            If there is no such directory.
        SchemaError
            If it is no directory of a run, or its configuration is damaged or names no genome.
        """
        path = Path(path)
        if not path.is_dir():
            raise InputError(str(path), "the directory of a run", "none")
        config = read_mapping(path / CONFIG)
        where, genomes = f"{path / CONFIG}: genomes", config.get("genomes") or {}
        if not genomes:
            raise SchemaError(where, "one at least", "none")
        if not isinstance(genomes, dict) or not all(isinstance(name, str) for name in genomes):
            raise SchemaError(where, "a mapping of names to genomes", repr(genomes))
        for name, entry in genomes.items():
            if not isinstance(entry, dict) or not isinstance(entry.get("sequence"), str):
                raise SchemaError(f"{where}.{name}", "the key 'sequence'", repr(entry))
        return cls(path, config)

    @cached_property
    def genomes(self) -> Mapping[str, RunGenome]:
        """The files of each genome, by its name."""
        return {
            name: RunGenome(
                features=self.path / name / "features.h5",
                sequence=self.path / str(entry["sequence"]),
                annotation=self._annotation(name, entry),
            )
            for name, entry in self.config["genomes"].items()
        }

    @property
    def is_annotated(self) -> bool:
        """Whether every genome has an annotation, without which there are no associations."""
        return all(entry.annotation is not None for entry in self.genomes.values())

    @property
    def associations(self) -> Path:
        """The associations, which are there where every genome is annotated."""
        return self.path / ASSOCIATIONS_FILE

    @property
    def families(self) -> Path | None:
        """The members of the families of features; None if the run has no circuits."""
        path = self.path / "circuits" / "members.tsv"
        return path if path.is_file() else None

    @property
    def hand_labels(self) -> Path:
        """The labels by hand, which may not be there."""
        return self.path / "hand_labels.tsv"

    @property
    def labels(self) -> tuple[Path, ...]:
        """The tables of labels, by hand and of the run's own step, which may not be there."""
        return (self.hand_labels, self.path / "labels.tsv")

    @property
    def sae(self) -> Path:
        """The folder of the dictionary."""
        return self.path / "sae"

    @property
    def fit(self) -> tuple[str, ...]:
        """The genomes that the dictionary was trained on; all where it was there before the run."""
        return tuple(self.config.get("fit") or self.genomes)

    @property
    def model(self) -> Mapping[str, Any]:
        """What the model is loaded by: its name, and options of ``load_model`` but the device."""
        found = dict(self.config.get("model") or {})
        return {key: found[key] for key in ("name", "dtype", "checkpoint") if key in found}

    @property
    def measured(self) -> str:
        """The genome on which the dictionary is measured in the model."""
        return str((self.config.get("fidelity") or {}).get("genome", next(iter(self.genomes))))

    @property
    def concepts(self) -> Path | None:
        """The definition of the concepts; None where it is the shipped one."""
        found = self.config.get("concepts")
        return self.path / str(found) if found else None

    def _annotation(self, name: str, entry: Mapping[str, Any]) -> Path | None:
        """Return the annotation of a genome; None where the run went on without one."""
        if "annotation" in entry:
            return self.path / str(entry["annotation"])
        if "annotate_with" not in entry:
            return self.path / str(entry["sequence"])
        return self.path / name / "annotation.gff3" if entry["annotate_with"] else None


def run_around(features: StrPath) -> tuple[RunFolder, str] | None:
    """Return the run in which a features file lies, and the name of its genome; None if in none.

    A folder around it whose ``config.yaml`` is of something else is no run.
    """
    folder = Path(features).resolve().parent
    if not is_run(folder.parent):
        return None
    try:
        run = RunFolder.open(folder.parent)
    except SchemaError:
        return None
    return (run, folder.name) if folder.name in run.genomes else None


def activation_files(
    paths: OneOrMorePaths, genome: str | None = None, *, of_one: bool = False
) -> list[Path]:
    """Return files of activations, where run directories stand for those of their genomes.

    Parameters
    ----------
    genome
        Name of a genome of a run; None for all that its dictionary was trained on.
    of_one
        Whether a run with several genomes is refused, unless one is named.

    Raises
    ------
    InputError
        If there are several genomes.
    UnknownNameError
        If a run has no such genome.
    """
    found: list[Path] = []
    for path in as_paths(paths):
        if not is_run(path):
            found.append(path)
            continue
        run = RunFolder.open(path)
        known = ", ".join(run.genomes)
        if genome is not None and genome not in run.genomes:
            raise UnknownNameError("genome", f"one of {known}", suggested(genome, run.genomes))
        if genome is None and of_one and len(run.genomes) > 1:
            raise InputError("genome", f"the name of one of {known}", "none")
        names = (*run.genomes,) if of_one else run.fit
        found += [run.genomes[name].activations for name in ([genome] if genome else names)]
    return found


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a JSON or YAML file of a run, which is a mapping.

    Raises
    ------
    SchemaError
        If there is no such file, or it is no mapping.
    """
    if not path.is_file():
        raise SchemaError(str(path), "a file of every run", "no file")
    parse = parse_json if path.suffix == ".json" else parse_yaml
    values = parse(read_text(path, error=SchemaError), where=str(path), error=SchemaError)
    if not isinstance(values, dict):
        raise SchemaError(str(path), "a mapping of keys to values", type(values).__name__)
    return values
