"""Read an annotation from a file of any supported format."""

from pathlib import Path
from typing import NamedTuple

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.genbank import convert_records
from genointerp.annotation.gff3.file import parse_gff3
from genointerp.core.arguments import StrPath
from genointerp.core.errors import AnnotationError
from genointerp.genome.file import excerpt, kind_of, read_content
from genointerp.genome.genbank import parse_genbank
from genointerp.genome.genome import Genome


class AnnotationFile(NamedTuple):
    """An annotation and the sha256 of the file that held it."""

    annotations: AnnotationSet
    sha256: str


def read_annotation(path: StrPath, genome: Genome) -> AnnotationSet:
    """Read GFF3 or GenBank, recognised by its content, and check it against the genome.

    Raises
    ------
    AnnotationError
        If the file is of another kind, malformed, or not of this genome.
    """
    return read_annotation_file(path, genome).annotations


def read_annotation_file(path: StrPath, genome: Genome) -> AnnotationFile:
    """Read an annotation as `read_annotation` does; the file, which may be a pipe, is read once."""
    path = Path(path)
    content = read_content(path, error=AnnotationError)
    kind = kind_of(content.text)
    if kind == "gff3":
        return AnnotationFile(parse_gff3(content.text, path, genome), content.sha256)
    if kind == "genbank":
        records = parse_genbank(content.text, path, error=AnnotationError)
        return AnnotationFile(convert_records(records, genome, where=str(path)), content.sha256)
    raise AnnotationError(str(path), "GFF3 or GenBank", excerpt(content.text))
