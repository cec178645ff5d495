"""Genomes with their features and, where they are asked for, their bases and elements."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.read import read_annotation
from genointerp.core.errors import InputError
from genointerp.core.identity import Identity
from genointerp.core.provenance import sha256_file
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.letters import unknown_sequence
from genointerp.genome.read import read_genome
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.catalogue import CatalogueEntry, open_stores, read_catalogue
from genointerp.store.feature.store import FeatureStore


@dataclass(frozen=True)
class FeaturedGenome:
    """One genome under a dictionary.

    Parameters
    ----------
    name
        As answers call it.
    genome, annotations
        None where they are not known.
    annotation_file
        Where the annotations were read.
    """

    name: str
    store: FeatureStore
    genome: Genome | None = None
    annotations: AnnotationSet | None = None
    annotation_file: Path | None = None


@dataclass(frozen=True)
class GenomeFiles:
    """Features, and the files that belong to them where it is not a catalogue that names them.

    Parameters
    ----------
    features
        A features file, or a catalogue (YAML).
    sequence, annotation
        Of the one genome of a features file.
    """

    features: Path
    sequence: Path | None = None
    annotation: Path | None = None

    def __post_init__(self) -> None:
        names = list(read_catalogue(self.features).genomes)
        if len(names) > 1 and (self.sequence or self.annotation):
            given = str(self.sequence or self.annotation)
            raise InputError(str(self.features), "files of its genomes in the catalogue", given)

    @property
    def associations(self) -> Path | None:
        """The associations table that the catalogue names."""
        return read_catalogue(self.features).associations

    def open(
        self, *, bases: bool = False, elements: bool = False, required: bool = True
    ) -> tuple[FeaturedGenome, ...]:
        """Open every genome.

        Parameters
        ----------
        bases, elements
            Read the sequence, the annotation.
        required
            Refuse a genome without them; else they are None.

        Raises
        ------
        InputError
            If a file that is needed is not named.
        MismatchError
            If a sequence is not that of the features, or dictionaries differ.
        """
        catalogue = read_catalogue(self.features)
        found = []
        for name, store in open_stores(catalogue).items():
            entry = self._entry(catalogue.genomes[name])
            if required:
                _check_named(name, entry, bases=bases, elements=elements)
            genome = _read_bases(store, entry.sequence) if bases and entry.sequence else None
            path = entry.annotation if elements else None
            known = read_annotation(path, genome or blank_genome(store)) if path else None
            found.append(FeaturedGenome(name, store, genome, known, path))
        return tuple(found)

    def _entry(self, entry: CatalogueEntry) -> CatalogueEntry:
        return CatalogueEntry(
            entry.features,
            entry.sequence if self.sequence is None else self.sequence,
            entry.annotation if self.annotation is None else self.annotation,
        )


def blank_genome(store: FeatureStore) -> Genome:
    """Return contigs of the right names, lengths and topologies whose bases are all N.

    An annotation can be checked against it.
    """
    return Genome(_blank(contig) for contig in store.header.contigs)


def total_inputs(genomes: Sequence[FeaturedGenome]) -> dict[str, str]:
    """Return the sha256 of every features file, sequence and annotation, for provenance."""
    inputs = {f"features-{item.name}": item.store.sha256 for item in genomes}
    bases = {f"genome-{item.name}": item.genome.sha256 for item in genomes if item.genome}
    elements = {
        f"annotation-{item.name}": sha256_file(item.annotation_file)
        for item in genomes
        if item.annotation_file
    }
    return {**inputs, **bases, **elements}


def _blank(contig: ContigInfo) -> Contig:
    return Contig(contig.seqid, unknown_sequence(contig.length), contig.circular)


def _read_bases(store: FeatureStore, path: Path) -> Genome:
    genome = read_genome(path)
    store.identity.check(Identity(str(path), genome_sha256=genome.sha256), "genome")
    return genome


def _check_named(name: str, entry: CatalogueEntry, *, bases: bool, elements: bool) -> None:
    if bases and entry.sequence is None:
        raise InputError(f"genome {name}", "its sequence (FASTA or GenBank)", "none")
    if elements and entry.annotation is None:
        raise InputError(f"genome {name}", "its annotation (GFF3 or GenBank)", "none")
