"""From an annotation file, or a bare sequence, to elements: what stands behind `annotate`."""

from collections.abc import Sequence
from pathlib import Path

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.check import tell_unused
from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.find import find_file
from genointerp.annotation.finders.finding import FindConfig
from genointerp.annotation.read import read_annotation_file
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.read import read_genome
from genointerp.store.table_schemas import ELEMENTS
from genointerp.store.tables import write_table


def annotate_or_find(
    source: Path,
    out: Path,
    *,
    genome: Path | None = None,
    concepts: Path | None = None,
    find: Sequence[str] = (),
    config: FindConfig | None = None,
) -> dict[str, int]:
    """Write the elements of ``source``, and return how many there are of each kind.

    Parameters
    ----------
    source
        An annotation, or with ``find`` a sequence.
    genome
        The sequence of an annotation.
    concepts
        As `annotate_file`.
    find, config
        Finders to run instead, as `genointerp.annotation.find.find_file`.

    Returns
    -------
    dict
        Elements of each concept, or of each finder that ran.

    Raises
    ------
    InputError
        If a file that is needed is not given, or one is given that means nothing here.
    """
    if find:
        if genome is not None or concepts is not None:
            raise InputError("find", "a sequence alone", "a genome or concepts beside it")
        return find_file(source, find, out, config).counts
    if genome is None:
        raise InputError(str(source), "its genome (FASTA or GenBank), or finders to run", "none")
    return annotate_file(source, genome, out, concepts=concepts).counts()


def annotate_file(
    annotation: Path, genome: Path, out: Path, *, concepts: Path | None = None
) -> ConceptElements:
    """Find the elements of each concept, write their table in the schema ``ELEMENTS``.

    The log says which types of the annotation no concept reads, and which are read as another.
    Annotation and genome are each read once, and may be pipes.

    Parameters
    ----------
    concepts
        Definition of the concepts; the shipped one where None.

    Raises
    ------
    AnnotationError
        If the annotation is malformed or does not fit the genome.
    ConfigError
        If a concept is not well defined.
    """
    bases = read_genome(genome)
    concepts = annotations_folder() / "concepts.yaml" if concepts is None else Path(concepts)
    known = read_annotation_file(annotation, bases)
    elements = define_elements(known.annotations, bases, load_concepts(concepts))
    tell_unused(known.annotations, elements, where=str(annotation))
    inputs = {
        "annotation": known.sha256,
        "genome": bases.sha256,
        "concepts": sha256_file(concepts),
    }
    write_table(elements.table, out, ELEMENTS, Provenance({}, inputs))
    return elements
