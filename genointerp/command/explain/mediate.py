"""`mediate`: whether features work together, or through one another."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.higher import (
    ALL,
    HigherConcept,
    choose_higher,
    define_higher,
    load_higher,
)
from genointerp.annotation.read import read_annotation
from genointerp.association.inputs import read_split
from genointerp.core.arguments import StrPath, as_path, as_texts, is_run
from genointerp.core.config import read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import claiming
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.decoder import own_dictionary
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import find_specimens, one_with_sequence, total_inputs
from genointerp.genome.genome import Genome
from genointerp.reading.model_choice import AnyModel, RecordedModel, loaded_or_recorded
from genointerp.sae.dictionary import Dictionary
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.associations import read_associations
from genointerp.store.table.identity import table_identity
from genointerp.store.table.schema.circuit import CIRCUIT_FAMILIES
from genointerp.store.table.schema.edge import MEDIATION
from genointerp.store.table.table import check_table_path, is_table_of, read_table, write_table
from genointerp.wiring.bench import MediationConfig
from genointerp.wiring.group import Group
from genointerp.wiring.higher import HigherGroup, find_marks, measure_higher
from genointerp.wiring.mediation import measure_groups
from genointerp.wiring.stack import Stack

_log = logging.getLogger(__name__)


def mediate(
    features: StrPath,
    out: StrPath,
    group: str | Iterable[str] = (),
    model: AnyModel | RecordedModel | None = None,
    *,
    genome: StrPath | None = None,
    sae: StrPath | None = None,
    below: StrPath | None = None,
    families: StrPath | None = None,
    concept: str | None = None,
    higher: str | Iterable[str] = (),
    higher_concepts: StrPath | None = None,
    annotations: StrPath | None = None,
    concepts: StrPath | None = None,
    config: MediationConfig | Mapping[str, Any] | StrPath | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Test whether groups of features work together; write and return the table.

    See :func:`genointerp.wiring.mediation.measure_groups`, and of higher concepts
    :func:`genointerp.wiring.higher.measure_higher`.

    Parameters
    ----------
    features
        Features of the (upper) dictionary: a features file, a catalogue or a run directory.
    out
        .tsv, .csv, .parquet or .json.
    group
        Groups, such as ``127,86,82``, or ``below:97,127`` with a feature of the dictionary below.
    model
        A name, or a model that is loaded; where None, the one that the features were made with.
    genome
        FASTA or GenBank, unless a catalogue or a run names it; or the name of one of their genomes.
    sae
        Folder of the dictionary; where None, as `genointerp.feature.decoder.own_dictionary`.
    below
        Folder of a dictionary of a site below.
    families
        Table of families of the dictionary, which `circuit` wrote; each is a group, too.
    concept
        Concept on whose bases the loss is counted; where None, it is counted around the bases on
        which the last feature of a group fires.
    higher
        Higher concepts, such as ``gene_start``, or ``all`` that the genome has: the features that
        mark their parts best by the associations, which a catalogue or a run has to name, are taken
        out, of all parts together and of each, after the groups.
    higher_concepts
        YAML that defines the higher concepts; where None, the shipped one.
    annotations, concepts
        Annotation of the genome in which features are taken out, and the definition of the
        concepts; a catalogue and a run name their own. Marks of higher concepts are found with the
        annotations that these name.
    config
        Windows and matched groups: a mapping such as ``{"n_windows": 4}``, or YAML.

    Raises
    ------
    InputError
        If there is no group, or the genome, a dictionary, the model or the concept is not known; or
        if a higher concept is asked for without associations.
    MismatchError
        If genome, dictionaries, model and features do not belong together.

    Examples
    --------
    >>> import genointerp as gi
    >>> table = gi.mediate("results/demo", "mediation.tsv", "127,86,82")  # doctest: +SKIP
    """
    config, out = read_config(MediationConfig, config), Path(out)
    check_table_path(out)
    texts, tables = as_texts(group), []
    definitions = choose_higher(as_texts(higher), load_higher(higher_concepts))
    is_all = ALL in as_texts(higher)
    _check_asked(texts, families, concept, definitions, higher_concepts)
    specimen = one_with_sequence(features, genome)
    store, contigs = specimen.features, specimen.needs("sequence")
    folders = [own_dictionary(store, sae), *([] if below is None else [below])]
    dictionaries = [Dictionary.load(folder) for folder in folders]
    stack = Stack.of(loaded_or_recorded(model, features), dictionaries)
    stack.check_highest(dictionaries[0])
    groups = _groups(texts, families, store, len(folders), concept or "")
    inputs = {
        "genome": contigs.sha256,
        "model": stack.model.spec.sha256,
        "features": store.sha256,
        **{f"sae-{it.header.site}": it.header.sha256 for it in stack.dictionaries},
    }
    if families is not None:
        inputs["families"] = sha256_file(Path(families))
    elements, own, places = None, None, None
    specimens: Sequence[Specimen] = ()
    if concept is not None or definitions:
        truth, own = _truth(features, genome, as_path(annotations), as_path(concepts))
        inputs["annotations"] = sha256_file(truth)
        inputs["concepts"] = sha256_file(own or annotations_folder() / "concepts.yaml")
        elements = _elements(truth, own, contigs)
    if elements is not None and definitions:
        specimens, known = _specimens(features)
        inputs |= known
        definitions, places = _present(definitions, elements, contigs, leave_out=is_all)
    settings = to_mapping(config) | {"groups": list(texts), "concept": concept}
    settings |= {"higher": {name: to_mapping(one) for name, one in definitions.items()}}
    provenance = Provenance(settings, inputs)
    with claiming(out, same=is_table_of(out, MEDIATION, provenance)):
        marks = (
            []
            if places is None
            else _marks(features, specimens, definitions, own, config, progress, leave_out=is_all)
        )
        target = (stack, contigs, store)
        if groups:
            tables.append(_measured_groups(*target, groups, elements, config, progress))
        if places is not None:
            tables.append(_measured_higher(*target, marks, places, config, progress))
        table = pd.concat(tables, ignore_index=True)
        write_table(table, out, MEDIATION, provenance)
    return table


def _measured_groups(
    stack: Stack,
    genome: Genome,
    store: FeatureStore,
    groups: Sequence[Group],
    elements: ConceptElements | None,
    config: MediationConfig,
    progress: Progress | None,
) -> pd.DataFrame:
    with progress_bar("mediate (groups)", progress) as report:
        return measure_groups(
            stack, genome, store, groups, elements=elements, config=config, progress=report
        )


def _measured_higher(
    stack: Stack,
    genome: Genome,
    store: FeatureStore,
    marks: Sequence[HigherGroup],
    places: ConceptElements,
    config: MediationConfig,
    progress: Progress | None,
) -> pd.DataFrame:
    with progress_bar("mediate (higher concepts)", progress) as report:
        return measure_higher(
            stack, genome, store, marks, elements=places, config=config, progress=report
        )


def _check_asked(
    texts: Sequence[str],
    families: StrPath | None,
    concept: str | None,
    definitions: Mapping[str, HigherConcept],
    higher_concepts: StrPath | None,
) -> None:
    """Refuse a call without groups, and options that would do nothing."""
    has_groups = bool(texts) or families is not None
    if higher_concepts is not None and not definitions:
        expected = "the names of those to take out (higher)"
        raise InputError("higher-concepts", expected, "none")
    if not has_groups and not definitions:
        raise InputError("group", "one group of features or more, or a higher concept", "none")
    if concept is not None and not has_groups:
        raise InputError("concept", "a group whose loss is counted on it", "none")


def _specimens(features: StrPath) -> tuple[Sequence[Specimen], dict[str, str]]:
    """Open all genomes of the associations; return the sha256 of what they are, too."""
    files = find_specimens(features)
    if files.associations is None:
        expected = "a run or a catalogue that names them, for higher concepts"
        raise InputError("associations", expected, str(features))
    specimens = files.open("sequence", "annotation")
    associations = {"associations": sha256_file(files.associations)}
    return specimens, associations | total_inputs(specimens)


def _groups(
    texts: Sequence[str],
    families: StrPath | None,
    store: FeatureStore,
    n_levels: int,
    concept: str,
) -> list[Group]:
    """Return the groups that were written, and those that families of the dictionary are."""
    written = list(texts)
    if families is not None:
        store.identity.check(table_identity(families, CIRCUIT_FAMILIES), "dictionary")
        written += _families(families)
    return [Group.parse(text, n_levels, concept=concept) for text in written]


def _present(
    higher: Mapping[str, HigherConcept],
    elements: ConceptElements,
    genome: Genome,
    *,
    leave_out: bool,
) -> tuple[dict[str, HigherConcept], ConceptElements]:
    """Return the higher concepts of which the genome has a stretch, and these."""
    places = define_higher(higher, elements, genome)
    lacking = [name for name in higher if places.of(name).empty]
    found = {name: one for name, one in higher.items() if name not in lacking}
    if lacking and (not leave_out or not found):
        expected = "a stretch of it in the genome"
        raise InputError(f"higher concept {lacking[0]}", expected, "none")
    for name in lacking:
        _log.warning("higher concept %s: the genome has no stretch of it", name)
    return found, places


def _marks(
    features: StrPath,
    specimens: Sequence[Specimen],
    higher: Mapping[str, HigherConcept],
    concepts: Path | None,
    config: MediationConfig,
    progress: Progress | None,
    *,
    leave_out: bool,
) -> list[HigherGroup]:
    """Find the features of the parts of higher concepts, by all genomes of the associations."""
    path = find_specimens(features).needs_associations()
    own = load_concepts(concepts)
    with progress_bar("mediate (features)", progress) as report:
        return find_marks(
            higher,
            [one.with_concepts(own) for one in specimens],
            read_associations(path, specimens[0].features),
            split=read_split(path),
            n=config.n_marks,
            leave_out=leave_out,
            progress=report,
        )


def _families(path: StrPath) -> list[str]:
    """Return the members of each family of two features or more."""
    table = read_table(path, CIRCUIT_FAMILIES)
    members = table.loc[table["n_features"] > 1, "members"].tolist()
    if not members:
        raise InputError(str(path), "a family of two features or more", "none")
    return members


def _truth(
    features: StrPath, genome: StrPath | None, annotations: Path | None, concepts: Path | None
) -> tuple[Path, Path | None]:
    """Return the annotation and the concepts that were given, or else named for the genome."""
    if genome is None and is_run(features):
        genome = RunFolder.open(features).measured
    files = find_specimens(features, genome=genome or ()).one()
    (source,) = files.sources
    annotations, concepts = annotations or source.annotation, concepts or files.concepts
    if annotations is None:
        raise InputError("annotations", "the annotation of the genome for a concept", "none")
    return annotations, concepts


def _elements(annotations: Path, concepts: Path | None, genome: Genome) -> ConceptElements:
    annotation = read_annotation(annotations, genome)
    return define_elements(annotation, genome, load_concepts(concepts))
