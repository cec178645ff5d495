"""Annotations from whatever file holds them."""

from pathlib import Path

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.genbank import read_genbank_annotation
from genointerp.annotation.gff3 import read_gff3
from genointerp.core.errors import AnnotationError
from genointerp.genome.file import excerpt, kind_of, read_bytes
from genointerp.genome.genome import Genome


def read_annotation(path: Path, genome: Genome) -> AnnotationSet:
    """Read GFF3 or GenBank, told apart by content, and check it against the genome.

    Raises
    ------
    AnnotationError
        If the file is of another kind, malformed, or not of this genome.
    """
    content = read_bytes(path, error=AnnotationError)
    kind = kind_of(content)
    if kind == "gff3":
        return read_gff3(path, genome)
    if kind == "genbank":
        return read_genbank_annotation(path, genome)
    raise AnnotationError(str(path), "GFF3 or GenBank", excerpt(content))
