"""Find specimens from features files, catalogues, run directories or open objects."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import pandas as pd

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.read import read_annotation
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_paths, is_run
from genointerp.core.errors import InputError
from genointerp.core.files import check_is_file
from genointerp.core.identity import Identity
from genointerp.core.nearest import suggested, unknown
from genointerp.core.provenance import sha256_file
from genointerp.feature.specimen import Specimen, blank_genome, check_together
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.catalogue import SUFFIXES, CatalogueEntry, read_catalogue
from genointerp.store.feature.run_folder import RunFolder, run_around
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.associations import read_associations
from genointerp.store.table.families import read_families
from genointerp.store.table.labels import LabelFiles


@runtime_checkable
class OpenedRun(Protocol):
    """A run directory whose genomes are open."""

    @property
    def path(self) -> Path:
        """Path of the run directory."""

    @property
    def specimens(self) -> tuple[Specimen, ...]:
        """Open genomes of the run."""


AnyFeatures = StrPath | Specimen | OpenedRun
"""What stands for features: the path of a features file, of a catalogue (.yaml) or of a run
directory; an open `FeatureStore`; a `Specimen`; or the `Run` that `genointerp.open_run` returns."""

OneOrMoreFeatures = AnyFeatures | Iterable[AnyFeatures]

Part = Literal["sequence", "annotation"]
"""Parts of a genome that are read only on request."""


class Source(NamedTuple):
    """One genome: what is already open, and the files that the rest is read from.

    Parameters
    ----------
    specimen
        Features of the genome, and whatever else is open.
    sequence, annotation
        Files that are read on request instead of what is open; None if unknown.
    """

    specimen: Specimen
    sequence: Path | None = None
    annotation: Path | None = None


@dataclass(frozen=True, eq=False)
class SpecimenFiles:
    """Genomes by their features, with files that belong to them and are not read yet.

    Parameters
    ----------
    sources
        Genomes, in the order of results.
    associations, concepts
        Table of associations and definition of the concepts that a catalogue or a run names; None
        if there is none.
    families
        Members of the families of features in a run; None if there are none.
    labels
        Labels of the features that are given, or that a run has; None if neither.
    sequences
        Sequence files, each of which belongs to one of the genomes.
    activations
        Activation stores, one per genome, or none.
    """

    sources: tuple[Source, ...]
    associations: Path | None = None
    concepts: Path | None = None
    families: Path | None = None
    labels: LabelFiles | None = None
    sequences: tuple[Path, ...] = ()
    activations: tuple[Path, ...] = ()

    @property
    def features(self) -> list[FeatureStore]:
        """Features store of each genome."""
        return [source.specimen.features for source in self.sources]

    def open(self, *needed: Part, if_known: tuple[Part, ...] = ()) -> tuple[Specimen, ...]:
        """Open all genomes.

        Parameters
        ----------
        needed
            Parts to read, which must be known for every genome.
        if_known
            Parts to read for those genomes for which they are known.

        Raises
        ------
        InputError
            If a needed part is unknown, or if some of the genomes have activations and others not.
        MismatchError
            If a sequence belongs to none of the genomes.
        """
        wanted = {*needed, *if_known}
        # also where none is needed: one of another genome is a slip
        given = _read_sequences(self.sequences, self.features)
        origins = _open_activations(self.activations, self.features)
        found = [_opened(source, given, origins, wanted) for source in self.sources]
        for part in needed:
            for specimen in found:
                specimen.needs(part)
        return tuple(found)

    def having(self, contig: str) -> "SpecimenFiles":
        """Return the genomes that have a contig.

        Raises
        ------
        UnknownNameError
            If there are none.
        """
        found = [one for one in self.sources if contig in one.specimen.features.lengths]
        if not found:
            known = dict.fromkeys(seqid for store in self.features for seqid in store.lengths)
            raise unknown("contig", contig, known)
        return replace(self, sources=tuple(found))

    def one(self) -> "SpecimenFiles":
        """Return the same files, after checking that they belong to a single genome.

        Raises
        ------
        InputError
            If there are several genomes; the message names them.
        """
        if len(self.sources) > 1:
            names = ", ".join(source.specimen.name for source in self.sources)
            raise InputError("genome", f"the name of one of {names}", "none")
        return self

    def needs_associations(self, given: StrPath | None = None) -> Path:
        """Return the given path of associations, else that which a catalogue or a run names.

        Raises
        ------
        InputError
            If there is none.
        """
        path = self.associations if given is None else Path(given)
        if path is None:
            raise InputError("associations", "the table of these features", "none")
        return path

    def read_associations(self, given: StrPath | None = None) -> pd.DataFrame | None:
        """Read the given associations, else those that a catalogue or a run names, else None."""
        path = self.associations if given is None else given
        return None if path is None else read_associations(path, self.features[0])

    def read_families(self) -> pd.DataFrame | None:
        """Read the family of each feature from the circuits of a run; None if it has none."""
        return None if self.families is None else read_families(self.families, self.features[0])

    def read_labels(self) -> pd.DataFrame | None:
        """Read the labels of the features, the leading one first; None if there are none."""
        return None if self.labels is None else self.labels.read(self.features[0])

    @property
    def label_files(self) -> tuple[Path, ...]:
        """The tables of labels that are there."""
        return () if self.labels is None else self.labels.present

    def label_inputs(self) -> dict[str, str]:
        """Return the sha256 of every table of labels, for provenance."""
        paths = enumerate(self.label_files)
        return {f"labels-{number}": sha256_file(path) for number, path in paths}


def find_specimens(
    features: OneOrMoreFeatures,
    *,
    genome: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    predictions: OneOrMorePaths = (),
    activations: OneOrMorePaths = (),
    labels: OneOrMorePaths = (),
) -> SpecimenFiles:
    """Find the genomes of features, and the files that belong to each.

    Parameters
    ----------
    features
        One or several things that stand for features.
    genome
        Sequence files in any order; some genomes may have none. The name of a genome of a catalogue
        or a run may be given instead of a path, and then only the named genomes are found.
    annotations, predictions
        One file per genome, in the same order, or none at all.
    activations
        One store per genome, in any order, or none at all.
    labels
        Tables of labels, by which features may be named too; a run has its own.

    Raises
    ------
    InputError
        If there are no features, or the number of annotations, predictions or activations is wrong.
    MismatchError
        If a file belongs to none of the genomes, or the features come from different dictionaries.
    """
    groups = list(_groups(features))
    sources = [source for group in groups for source in group.sources]
    named = {source.specimen.name for group in groups if group.is_named for source in group.sources}
    paths = as_paths(genome)
    chosen = {str(path) for path in paths} & named
    strange = [path for path in paths if str(path) not in chosen and not path.is_file()]
    if named and strange:
        expected = f"a file, or one of {', '.join(sorted(named))}"
        raise InputError("genome", expected, suggested(str(strange[0]), named))
    if chosen:
        sources = [source for source in sources if source.specimen.name in chosen]
    check_together([source.specimen for source in sources])
    known_labels = _labels_of(as_paths(labels), groups)
    known = _in_order("annotations", annotations, len(sources))
    seen = _in_order("predictions", predictions, len(sources))
    return SpecimenFiles(
        sources=tuple(
            _with_files(source, annotation, predicted, known_labels)
            for source, annotation, predicted in zip(sources, known, seen, strict=True)
        ),
        associations=_the_one(group.associations for group in groups),
        concepts=_the_one(group.concepts for group in groups),
        families=_the_one(group.families for group in groups),
        labels=known_labels,
        sequences=tuple(path for path in paths if str(path) not in chosen),
        activations=as_paths(activations),
    )


def one_with_sequence(features: StrPath, genome: StrPath | None = None) -> Specimen:
    """Open one genome by its features, with its sequence.

    Parameters
    ----------
    features
        A features file, a catalogue or a run directory.
    genome
        Its sequence, or the name of one of several. Where None, a run measures the genome that its
        configuration says, and a features file in a run directory has the sequence of the run.

    Raises
    ------
    InputError
        If the sequence is not known, or which of several genomes is meant.
    MismatchError
        If the sequence is of another genome.
    """
    if genome is None and is_run(features):
        genome = RunFolder.open(features).measured
    if genome is None and (found := run_around(features)) is not None:
        run, name = found
        genome = run.genomes[name].sequence
    (specimen,) = find_specimens(features, genome=genome or ()).one().open("sequence")
    return specimen


def labels_around(sae: StrPath) -> dict[str, Sequence[int]]:
    """Return the features of each label of the run whose dictionary it is; none if of no run.

    Parameters
    ----------
    sae
        Folder of a dictionary.
    """
    folder = Path(sae).resolve().parent
    if not is_run(folder):
        return {}
    run = RunFolder.open(folder)
    features = next(iter(run.genomes.values())).features
    return dict(LabelFiles(run.labels).features(FeatureStore(features)))


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


def name_files(features: Sequence[Path]) -> list[str]:
    """Name features files uniquely: by their stems, their folders or their numbers."""
    stems = [Path(path).stem for path in features]
    folders = [Path(path).resolve().parent.name for path in features]
    numbers = [str(number) for number in range(1, len(stems) + 1)]
    return next(names for names in (stems, folders, numbers) if len(set(names)) == len(names))


class _Group(NamedTuple):
    """The genomes that one thing stands for, and whether they have names of their own."""

    sources: Sequence[Source]
    is_named: bool = True
    associations: Path | None = None
    concepts: Path | None = None
    families: Path | None = None
    labels: tuple[Path, ...] = ()


def _groups(features: OneOrMoreFeatures) -> Iterator[_Group]:
    if isinstance(features, str | os.PathLike | Specimen | OpenedRun):
        items: list[AnyFeatures] = [features]
    else:
        items = list(features)
    names = iter(name_files([path for one in items if (path := _path_alone(one)) is not None]))
    for one in items:
        if isinstance(one, Specimen):
            yield _Group([Source(one)])
        elif isinstance(one, OpenedRun):
            yield _of_run(RunFolder.open(one.path))._replace(
                sources=[Source(specimen) for specimen in one.specimens]
            )
        elif _path_alone(one) is not None:
            store = one if isinstance(one, FeatureStore) else FeatureStore(one)
            yield _Group([Source(Specimen(next(names), store))], is_named=False)
        elif Path(one).is_dir():
            folder = RunFolder.open(one)
            yield _of_run(folder)._replace(sources=_sources(folder.genomes))
        else:
            catalogue = read_catalogue(Path(one))
            yield _Group(_sources(catalogue.genomes), associations=catalogue.associations)


def _path_alone(one: AnyFeatures) -> Path | None:
    """Return the path of a bare features file; None for anything else."""
    if not isinstance(one, str | os.PathLike):
        return None
    path = Path(one)
    return None if path.suffix in SUFFIXES or path.is_dir() else path


def _of_run(folder: RunFolder) -> _Group:
    # a run that is not finished has none
    associations = folder.associations if folder.associations.is_file() else None
    return _Group(
        [],
        associations=associations,
        concepts=folder.concepts,
        families=folder.families,
        labels=folder.labels,
    )


def _sources(entries: Mapping[str, CatalogueEntry]) -> list[Source]:
    return [
        Source(Specimen(name, FeatureStore(it.features)), it.sequence, it.annotation)
        for name, it in entries.items()
    ]


def _the_one(paths: Iterable[Path | None]) -> Path | None:
    """Return the only path; None if there are none or several."""
    found = {path for path in paths if path is not None}
    return found.pop() if len(found) == 1 else None


def _in_order(what: str, paths: OneOrMorePaths, n: int) -> Sequence[Path | None]:
    """Return a path for each genome, or None for each if no paths are given."""
    given = as_paths(paths)
    if len(given) not in (0, n):
        raise InputError(what, f"{n} {what}, one per features file, or none", str(len(given)))
    return given or [None] * n


def _labels_of(given: Sequence[Path], groups: Sequence[_Group]) -> LabelFiles | None:
    """Return the labels that are given, which must be there, else those of the only run."""
    for path in given:
        check_is_file(path, error=InputError)
    found = {group.labels for group in groups if group.labels}
    if not given and len(found) != 1:
        return None
    return LabelFiles(given or found.pop())


def _with_files(
    source: Source, annotation: Path | None, predicted: Path | None, labels: LabelFiles | None
) -> Source:
    specimen = source.specimen
    if labels is not None:
        specimen = replace(specimen, features=specimen.features.labelled(labels))
    if predicted is not None:
        specimen = replace(specimen, predictions=_read(predicted, specimen))
    return source._replace(specimen=specimen, annotation=annotation or source.annotation)


def _opened(
    source: Source,
    given: Mapping[str, Genome],
    origins: Mapping[str, ActivationStore],
    wanted: Collection[Part],
) -> Specimen:
    specimen = source.specimen
    if specimen.genome_sha256 in origins:
        origin = origins[specimen.genome_sha256]
        specimen = replace(specimen, activations=origin, windows=origin.windows)
    sequence = given.get(specimen.genome_sha256, specimen.sequence)
    if "sequence" in wanted and sequence is None and source.sequence is not None:
        sequence = read_genome(source.sequence)
    specimen = replace(specimen, sequence=sequence)
    if "annotation" not in wanted or source.annotation is None:
        return specimen
    known = _read(source.annotation, specimen)
    return replace(specimen, annotation=known, annotation_file=source.annotation, elements=None)


def _read(path: Path, specimen: Specimen) -> AnnotationSet:
    """Read an annotation and check it against the sequence, or else against the contigs alone."""
    return read_annotation(path, specimen.sequence or blank_genome(specimen.features))


def _read_sequences(paths: Sequence[Path], stores: Sequence[FeatureStore]) -> dict[str, Genome]:
    """Return sequences by the sha256 of their genomes, each of which must have a features file."""
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
    """Return activations by the sha256 of their genomes: none, or one per features file."""
    found: dict[str, ActivationStore] = {}
    for own in map(ActivationStore, paths):
        twin = found.setdefault(own.header.genome_sha256, own)
        if twin is not own:
            twin.identity.check_differs(own.identity, "genome")
    missing = [store for store in stores if store.header.genome_sha256 not in found]
    if found and (missing or len(found) > len(stores)):
        expected = f"{len(stores)} activations, one per features file, or none"
        actual = f"none for {missing[0].path}" if missing else str(len(found))
        raise InputError("activations", expected, actual)
    return found
