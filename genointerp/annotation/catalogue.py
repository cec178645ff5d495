"""The genomes and the concepts file that are shipped with the package, in ``annotations/``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genointerp.core.config import read_yaml
from genointerp.core.errors import SchemaError, StorageError
from genointerp.core.nearest import unknown
from genointerp.core.version import PACKAGE_FOLDER

FILES = ("sequence.fa.gz", "annotation.gff3.gz", "source.yaml")


@dataclass(frozen=True, repr=False)
class ShippedGenome:
    """Paths and origin of one shipped genome.

    Parameters
    ----------
    name
        Name of its folder, such as ``ecoli_mg1655``.
    source
        What ``source.yaml`` says: accession, organism, origin, licence, checksums, traps.
    """

    name: str
    sequence: Path
    annotation: Path
    source: dict[str, Any]

    @property
    def accession(self) -> str:
        """Accession and version of the sequence."""
        return str(self.source["accession"])

    def __repr__(self) -> str:
        return f"ShippedGenome({self.name}: {self.source['organism']}, {self.accession})"


def annotations_folder() -> Path:
    """Return the folder of shipped data: inside the package if installed, else in the repository.

    Raises
    ------
    StorageError
        If neither is there.
    """
    for folder in (
        PACKAGE_FOLDER / "_data" / "annotations",
        PACKAGE_FOLDER.parent / "annotations",
    ):
        if (folder / "concepts.yaml").is_file():
            return folder
    raise StorageError(
        f"{PACKAGE_FOLDER}: expected the shipped annotations, found none; install again"
    )


def catalogue() -> dict[str, ShippedGenome]:
    """Return the shipped genomes by name, sorted.

    Raises
    ------
    SchemaError
        If a file of a genome is missing.
    """
    folders = sorted(path.parent for path in annotations_folder().glob("*/source.yaml"))
    return {folder.name: _read(folder) for folder in folders}


def shipped(name: str) -> ShippedGenome:
    """Return one shipped genome by its name or its accession.

    Raises
    ------
    UnknownNameError
        The message lists the shipped genomes.
    """
    genomes = catalogue()
    for genome in genomes.values():
        if name in (genome.name, genome.accession):
            return genome
    raise unknown("genome", name, genomes)


def _read(folder: Path) -> ShippedGenome:
    sequence, annotation, source = (folder / name for name in FILES)
    for path in (sequence, annotation):
        if not path.is_file():
            raise SchemaError(str(folder), f"a file {path.name}", "none")
    return ShippedGenome(folder.name, sequence, annotation, read_yaml(source))
