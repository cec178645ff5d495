"""One genome as it is used: its features, and whatever else is known about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from jaxtyping import UInt8

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.concepts import Concept, ConceptElements, define_elements
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.identity import Identity
from genointerp.core.notebook import facts_table
from genointerp.feature.nearest import NearestElement
from genointerp.feature.outliers import Outliers
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import unknown_sequence
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import FeatureStore

EXPECTED: Mapping[str, str] = {
    "sequence": "its sequence (FASTA or GenBank)",
    "annotation": "its annotation (GFF3 or GenBank)",
    "elements": "the elements of the concepts, which its annotation gives",
    "activations": "the activations that its features were made of",
    "windows": "the windows that the model read, which its activations give",
    "predictions": "what finders predict in it (GFF3)",
    "outliers": "its tokens of unusual norm, which its activations give",
}
"""Descriptions of what a specimen may lack, for error messages."""


@dataclass(frozen=True, eq=False, repr=False)
class Specimen:
    """One genome as it is used: its features, and whatever else is known about it.

    Only the features are always present; everything else is None until it is known. A function
    calls `needs` for what it cannot do without. Several genomes are passed as one sequence of
    specimens, and results keep its order.

    Parameters
    ----------
    name
        Name of the genome in results and errors; unique among the specimens of one call.
    features
        Features of the genome under a dictionary.
    sequence
        Bases of the genome.
    annotation, annotation_file
        Annotation of the genome, and the file that it was read from.
    elements
        Elements of the concepts, which `with_concepts` defines.
    activations
        Activations that the features were computed from.
    windows
        The kept bases of each window that the model read, each with its reading strand.
    predictions
        Elements that finders predict, as an annotation that nobody has confirmed.
    outliers
        Bases whose tokens have an unusual norm.

    Raises
    ------
    MismatchError
        If the sequence, the activations or the elements belong to another genome than the features.
    """

    name: str
    features: FeatureStore
    sequence: Genome | None = None
    annotation: AnnotationSet | None = None
    annotation_file: Path | None = None
    elements: ConceptElements | None = None
    activations: ActivationStore | None = None
    windows: Sequence[GenomicInterval] | None = None
    predictions: AnnotationSet | None = None
    outliers: Outliers | None = None

    def __post_init__(self) -> None:
        own = self.features.identity
        if self.sequence is not None:
            where = f"specimen {self.name}: sequence"
            own.check(Identity(where, genome_sha256=self.sequence.sha256), "genome")
        if self.activations is not None:
            own.check(self.activations.identity, "genome", "model", "site")
        if self.elements is not None:
            _check_places(self.elements, self.features)

    @property
    def genome_sha256(self) -> str:
        """The sha256 of the genome, as recorded in its features."""
        return self.features.header.genome_sha256

    @overload
    def needs(self, what: Literal["sequence"]) -> Genome: ...
    @overload
    def needs(self, what: Literal["annotation", "predictions"]) -> AnnotationSet: ...
    @overload
    def needs(self, what: Literal["elements"]) -> ConceptElements: ...
    @overload
    def needs(self, what: Literal["activations"]) -> ActivationStore: ...
    @overload
    def needs(self, what: Literal["windows"]) -> Sequence[GenomicInterval]: ...
    @overload
    def needs(self, what: Literal["outliers"]) -> Outliers: ...
    def needs(self, what: str) -> Any:
        """Return an attribute that may be unknown, and refuse if it is.

        Raises
        ------
        InputError
            If the attribute is None.
        """
        found = getattr(self, what)
        if found is None:
            raise InputError(f"specimen {self.name}", EXPECTED[what], "none")
        return found

    @cached_property
    def nearest(self) -> NearestElement:
        """Finder of the nearest elements of the annotation; making it takes longer than asking."""
        return NearestElement(self.needs("annotation"), self.features.circular)

    def letters(self) -> UInt8[np.ndarray, " row"]:
        """Return the bases of all contigs laid end to end: one for each row of the features."""
        return np.concatenate([contig.sequence for contig in self.needs("sequence").values()])

    def with_concepts(self, concepts: Mapping[str, Concept]) -> "Specimen":
        """Return the specimen with the elements that its annotation gives to concepts.

        Without a sequence, they are defined from the lengths and topologies of the contigs.
        """
        genome = self.sequence or blank_genome(self.features)
        elements = define_elements(self.needs("annotation"), genome, concepts)
        return replace(self, elements=elements)

    def __repr__(self) -> str:
        header = self.features.header
        n_bp, n_contigs = self.features.n_rows, len(header.contigs)
        known = [what for what in EXPECTED if getattr(self, what) is not None]
        size = f"{n_bp:,} bp in {n_contigs} contig{'s' * (n_contigs > 1)}"
        of = f"{header.n_features:,} features of {header.model} {header.site}"
        return f"<Specimen {self.name}: {', '.join([size, of, *known])}>"

    def _repr_html_(self) -> str:
        header = self.features.header
        facts = {
            "genome": f"{len(header.contigs)} contigs, {self.features.n_rows:,} bp",
            "features": f"{header.n_features:,} of {header.model} at {header.site}",
            "known": ", ".join(what for what in EXPECTED if getattr(self, what) is not None),
        }
        return facts_table(f"Specimen {self.name}", facts)


def check_together(specimens: Sequence[Specimen]) -> None:
    """Check that specimens can be analysed together.

    Raises
    ------
    InputError
        If there are none, or two have the same name.
    MismatchError
        If their features come from different dictionaries.
    """
    if not specimens:
        raise InputError("features", "at least one file", "none")
    names: set[str] = set()
    for specimen in specimens:
        if specimen.name in names:
            raise InputError(f"specimen {specimen.name}", "a unique name", "it twice")
        names.add(specimen.name)
        own, first = specimen.features.identity, specimens[0].features.identity
        first.check(own, "dictionary", "model", "site")


def check_distinct(specimens: Sequence[Specimen]) -> None:
    """Check that specimens can be counted together: `check_together`, and no genome twice.

    Raises
    ------
    MismatchError
        If two specimens are of the same genome, whose bases would count twice.
    """
    check_together(specimens)
    for number, specimen in enumerate(specimens):
        for other in specimens[:number]:
            other.features.identity.check_differs(specimen.features.identity, "genome")


def under_others(specimens: Sequence[Specimen], others: Sequence[FeatureStore]) -> list[Specimen]:
    """Return specimens with other features of the same genomes, in the order of these features.

    What belongs to the former features (activations, windows, outliers) is left out.

    Raises
    ------
    MismatchError
        If one of the other features belongs to none of the genomes.
    """
    known = [specimen.features.identity for specimen in specimens]
    return [
        replace(
            specimens[other.identity.find(known, "genome")],
            features=other,
            activations=None,
            windows=None,
            outliers=None,
        )
        for other in others
    ]


def blank_genome(store: FeatureStore) -> Genome:
    """Return a genome of all N, with the names, lengths and topologies of a store's contigs.

    An annotation can be checked against it.
    """
    return Genome(
        Contig(contig.seqid, unknown_sequence(contig.length), contig.circular)
        for contig in store.header.contigs
    )


def _check_places(elements: ConceptElements, store: FeatureStore) -> None:
    lengths = store.lengths
    for seqid, end in elements.table.groupby("seqid")["end"].max().items():
        where = f"annotation of {store.path}"
        if seqid not in lengths:
            known = ", ".join(list(lengths)[:5])
            raise MismatchError(where, f"elements on {known}", f"elements on {seqid}")
        if end > lengths[str(seqid)]:
            expected = f"elements within {lengths[str(seqid)]} bp of {seqid}"
            raise MismatchError(where, expected, f"one whose last base is {end}")
