"""Catalogues: small YAML files that name several genomes encoded with one dictionary.

The format is specified in ``docs/schema/feature-catalogue-v1.md``.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from genointerp.core.config import from_mapping, read_yaml
from genointerp.core.errors import SchemaError

FORMAT = "genointerp::feature-catalogue"
VERSION = 1

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class CatalogueEntry:
    """Paths of the files of one genome."""

    features: Path
    """Features file."""
    sequence: Path | None = None
    """FASTA or GenBank file; needed where bases are asked for."""
    annotation: Path | None = None
    """GFF3 or GenBank file; needed where elements are asked for."""


@dataclass(frozen=True)
class FeatureCatalogue:
    """Contents of a catalogue, with paths made relative to the working directory."""

    format: str
    """``genointerp::feature-catalogue``."""
    version: int
    """1."""
    genomes: dict[str, CatalogueEntry]
    """The genomes by name, in the order in which answers name them."""
    associations: Path | None = None
    """Associations table of the dictionary, for the best concept of each feature."""


def read_catalogue(path: Path) -> FeatureCatalogue:
    """Read a catalogue.

    Raises
    ------
    ConfigError
        If a key is unknown or missing, or a value is of the wrong type.
    SchemaError
        If the file is of another format or version, or names no genome.
    """
    path = Path(path)
    found: FeatureCatalogue = from_mapping(FeatureCatalogue, read_yaml(path), where=str(path))
    if (found.format, found.version) != (FORMAT, VERSION):
        expected = f"{FORMAT} version {VERSION}"
        raise SchemaError(str(path), expected, f"{found.format} version {found.version}")
    if not found.genomes:
        raise SchemaError(f"{path}: genomes", "at least one genome", "none")
    genomes = {name: _beside(path, entry) for name, entry in found.genomes.items()}
    associations = None if found.associations is None else path.parent / found.associations
    return replace(found, genomes=genomes, associations=associations)


def _beside(path: Path, entry: CatalogueEntry) -> CatalogueEntry:
    sequence, annotation = (
        None if one is None else path.parent / one for one in (entry.sequence, entry.annotation)
    )
    return CatalogueEntry(path.parent / entry.features, sequence, annotation)
