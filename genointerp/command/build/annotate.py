"""From an annotation file, or a bare sequence, to elements: what stands behind `annotate`."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.check import tell_unused
from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.find import Prediction, find_elements
from genointerp.annotation.finders.finding import FindConfig
from genointerp.annotation.finders.registry import FINDERS
from genointerp.annotation.gff3.file import write_gff3
from genointerp.annotation.read import read_annotation_file
from genointerp.core.arguments import StrPath, as_path, as_texts
from genointerp.core.config import read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import check_writable
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.read import read_genome
from genointerp.store.table.schema.feature import ELEMENTS
from genointerp.store.table.table import write_table


def annotate(
    source: StrPath,
    out: StrPath,
    *,
    genome: StrPath | None = None,
    concepts: StrPath | None = None,
    find: str | Iterable[str] = (),
    config: FindConfig | Mapping[str, Any] | StrPath | None = None,
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
        Finders to run instead, as `genointerp.command.build.annotate.find_file`.

    Returns
    -------
    dict
        Elements of each concept, or of each finder that ran.

    Raises
    ------
    InputError
        If a file that is needed is not given, or one is given that means nothing here.
    """
    source, out, tools = Path(source), Path(out), as_texts(find)
    if tools:
        if genome is not None or concepts is not None:
            raise InputError("find", "a sequence alone", "a genome or concepts too")
        return find_file(source, tools, out, read_config(FindConfig, config)).counts
    if genome is None:
        raise InputError(str(source), "its genome (FASTA or GenBank), or finders to run", "none")
    return annotate_file(source, Path(genome), out, concepts=as_path(concepts)).counts()


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


_SUFFIXES = (".gff3", ".gff3.gz")


_FILES = ("covariance_models", "protein_profiles", "motifs")


def find_file(
    genome: Path, tools: Sequence[str], out: Path, config: FindConfig | None = None
) -> Prediction:
    """Run some finders on a genome's file and write GFF3, which `read_gff3` reads back.

    Raises
    ------
    InputError
        As `find_elements`, or if ``out`` is not named as GFF3.
    """
    config = FindConfig() if config is None else config
    out = Path(out)
    if not out.name.endswith(_SUFFIXES):
        raise InputError(str(out), f"a name that ends in {' or '.join(_SUFFIXES)}", repr(out.name))
    check_writable(out)
    bases = read_genome(genome)
    prediction = find_elements(bases, tools, config)
    values = to_mapping(config)
    files = {name: values.pop(name) for name in _FILES}
    inputs = {name: sha256_file(Path(path)) for name, path in files.items() if path is not None}
    versions = {name: version(FINDERS[name].package) for name in prediction.counts}
    record = Provenance({**values, "tools": versions}, {"genome": bases.sha256, **inputs})
    write_gff3(prediction.annotations, out, comments=[f" {record.as_json()}"])
    return prediction
