"""From an annotation file to the table of the elements of each concept."""

from pathlib import Path

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.read import read_genome
from genointerp.store.table_schemas import ELEMENTS
from genointerp.store.tables import write_table


def annotate_file(
    annotation: Path, genome: Path, out: Path, *, concepts: Path | None = None
) -> ConceptElements:
    """Find the elements of each concept, write their table in the schema ``ELEMENTS``.

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
    elements = define_elements(read_annotation(annotation, bases), bases, load_concepts(concepts))
    inputs = {
        "annotation": sha256_file(annotation),
        "genome": bases.sha256,
        "concepts": sha256_file(concepts),
    }
    write_table(elements.table, out, ELEMENTS, Provenance({}, inputs))
    return elements
