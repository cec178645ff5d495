"""A run directory as the workflow leaves it: which files of a run are whose, and where."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from genointerp.core.arguments import StrPath
from genointerp.core.errors import InputError, SchemaError
from genointerp.core.files import read_text
from genointerp.core.parsing import parse_json, parse_yaml
from genointerp.store.feature.catalogue import CatalogueEntry

CONFIG = "config.yaml"
"""The resolved configuration of a run."""


@dataclass(frozen=True)
class RunGenome(CatalogueEntry):
    """The files of one genome of a run, which always names its sequence."""

    sequence: Path


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
        return self.path / "associations.parquet"

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


def in_run(path: StrPath, name: str) -> Path:
    """Return a path; where it is a run directory, that of the file or folder of this name in it."""
    path = Path(path)
    return path / name if (path / CONFIG).is_file() else path


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
