"""From files to specimens: of a catalogue, or of files that are given in lists."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.read import read_annotation
from genointerp.core.arguments import OneOrMorePaths, as_paths
from genointerp.core.errors import InputError
from genointerp.core.identity import Identity
from genointerp.core.provenance import sha256_file
from genointerp.feature.specimen import EXPECTED, Specimen, blank_genome, check_together
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.catalogue import CatalogueEntry, read_catalogue
from genointerp.store.feature.store import FeatureStore


@dataclass(frozen=True)
class SpecimenFiles:
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
        self, *, sequence: bool = False, annotation: bool = False, required: bool = True
    ) -> tuple[Specimen, ...]:
        """Open every genome.

        Parameters
        ----------
        sequence, annotation
            Whether these are read.
        required
            Refuse a genome without them; else they are None.

        Raises
        ------
        InputError
            If a file that is needed is not named.
        MismatchError
            If a sequence is not that of the features, or dictionaries differ.
        """
        entries = {
            name: self._entry(entry)
            for name, entry in read_catalogue(self.features).genomes.items()
        }
        bare = [Specimen(name, FeatureStore(it.features)) for name, it in entries.items()]
        check_together(bare)
        found = []
        for specimen, (name, entry) in zip(bare, entries.items(), strict=True):
            if required:
                _check_named(name, entry, sequence=sequence, annotation=annotation)
            genome = read_genome(entry.sequence) if sequence and entry.sequence else None
            path = entry.annotation if annotation else None
            known = _read(path, specimen.features, genome)
            found.append(replace(specimen, sequence=genome, annotation=known, annotation_file=path))
        return tuple(found)

    def _entry(self, entry: CatalogueEntry) -> CatalogueEntry:
        return CatalogueEntry(
            entry.features,
            entry.sequence if self.sequence is None else self.sequence,
            entry.annotation if self.annotation is None else self.annotation,
        )


def open_specimens(
    features: OneOrMorePaths,
    *,
    sequences: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    predictions: OneOrMorePaths = (),
    activations: OneOrMorePaths = (),
) -> tuple[Specimen, ...]:
    """Open the features of several genomes, in this order, and what is known of each.

    Parameters
    ----------
    sequences
        In any order; a genome may lack its own.
    annotations, predictions
        One for each features file, in the same order, or none.
    activations
        One for each features file, in any order, or none.

    Raises
    ------
    InputError
        If there are no features, or fewer or more of the others than may be.
    MismatchError
        If a file is of none of the genomes, or the features are of several dictionaries.
    """
    stores = [FeatureStore(path) for path in as_paths(features)]
    given = {"annotations": as_paths(annotations), "predictions": as_paths(predictions)}
    for what, paths in given.items():
        if len(paths) not in (0, len(stores)):
            expected = f"one for each of {len(stores)} features files"
            raise InputError(what, expected, str(len(paths)))
    names = name_files([store.path for store in stores])
    bare = list(map(Specimen, names, stores))
    check_together(bare)
    genomes = _read_sequences(as_paths(sequences), stores)
    origins = _open_activations(as_paths(activations), stores)
    found = []
    for number, specimen in enumerate(bare):
        sequence = genomes.get(specimen.genome_sha256)
        origin = origins.get(specimen.genome_sha256)
        known, predicted = (paths[number] if paths else None for paths in given.values())
        found.append(
            replace(
                specimen,
                sequence=sequence,
                annotation=_read(known, specimen.features, sequence),
                annotation_file=known,
                activations=origin,
                windows=None if origin is None else origin.windows,
                predictions=_read(predicted, specimen.features, sequence),
            )
        )
    return tuple(found)


def total_inputs(specimens: Sequence[Specimen]) -> dict[str, str]:
    """Return the sha256 of every features file, sequence and annotation, for provenance."""
    inputs = {f"features-{item.name}": item.features.sha256 for item in specimens}
    bases = {f"genome-{item.name}": item.genome_sha256 for item in specimens if item.sequence}
    elements = {
        f"annotation-{item.name}": sha256_file(item.annotation_file)
        for item in specimens
        if item.annotation_file
    }
    return {**inputs, **bases, **elements}


def _read(path: Path | None, store: FeatureStore, sequence: Genome | None) -> AnnotationSet | None:
    """Read an annotation, checked against the sequence or else against the contigs alone."""
    return None if path is None else read_annotation(path, sequence or blank_genome(store))


def name_files(features: Sequence[Path]) -> list[str]:
    """Return what tells features files apart: their stems, their folders or their numbers."""
    stems = [Path(path).stem for path in features]
    folders = [Path(path).resolve().parent.name for path in features]
    numbers = [str(number) for number in range(1, len(stems) + 1)]
    return next(names for names in (stems, folders, numbers) if len(set(names)) == len(names))


def _read_sequences(paths: Sequence[Path], stores: Sequence[FeatureStore]) -> dict[str, Genome]:
    """Return sequences by the sha256 of their genomes, each being that of a features file."""
    known = [store.identity for store in stores]
    found = {}
    for path in paths:
        genome = read_genome(path)
        Identity(str(path), genome_sha256=genome.sha256).find(known, "genome")
        found[genome.sha256] = genome
    return found


def _open_activations(
    paths: Sequence[Path], stores: Sequence[FeatureStore]
) -> dict[str, ActivationStore]:
    """Return activations by the sha256 of their genomes: none, or those of every features file."""
    found: dict[str, ActivationStore] = {}
    for own in map(ActivationStore, paths):
        twin = found.setdefault(own.header.genome_sha256, own)
        if twin is not own:
            twin.identity.check_differs(own.identity, "genome")
    missing = [store for store in stores if store.header.genome_sha256 not in found]
    if found and (missing or len(found) > len(stores)):
        expected = f"one for each of {len(stores)} features files"
        told = f"none for {missing[0].path}" if missing else str(len(found))
        raise InputError("activations", expected, told)
    return found


def _check_named(name: str, entry: CatalogueEntry, *, sequence: bool, annotation: bool) -> None:
    for what, is_needed in {"sequence": sequence, "annotation": annotation}.items():
        if is_needed and getattr(entry, what) is None:
            raise InputError(f"specimen {name}", EXPECTED[what], "none")
