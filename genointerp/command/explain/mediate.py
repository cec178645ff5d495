"""`mediate`: whether features work together, or through one another."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.higher import (
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
from genointerp.feature.specimen_files import find_specimens, one_with_sequence
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
        Higher concepts, such as ``gene_start``, or ``all``: the features that mark their parts best
        by the associations that a catalogue or a run names are taken out, of all parts together and
        of each, after the groups.
    higher_concepts
        YAML that defines the higher concepts; where None, the shipped one.
    annotations, concepts
        Annotation of the genome, and the definition of the concepts; a catalogue and a run name
        their own.
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
    if not texts and families is None and not definitions:
        raise InputError("group", "one group of features or more, or a higher concept", "none")
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
    if definitions:
        inputs["associations"] = sha256_file(find_specimens(features).needs_associations())
    elements = None
    if concept is not None or definitions:
        truth, own = _truth(features, genome, as_path(annotations), as_path(concepts))
        inputs["annotations"] = sha256_file(truth)
        elements = _elements(truth, own, contigs)
    settings = to_mapping(config) | {"groups": list(texts), "concept": concept}
    settings |= {"higher": {name: to_mapping(one) for name, one in definitions.items()}}
    provenance = Provenance(settings, inputs)
    with claiming(out, same=is_table_of(out, MEDIATION, provenance)):
        if groups:
            with progress_bar("mediate (groups)", progress) as report:
                tables = [
                    measure_groups(
                        stack,
                        contigs,
                        store,
                        groups,
                        elements=elements,
                        config=config,
                        progress=report,
                    )
                ]
        if elements is not None and definitions:
            marks = _marks(features, as_path(concepts), definitions, config, progress)
            places = define_higher(definitions, elements, contigs)
            with progress_bar("mediate (higher concepts)", progress) as report:
                table = measure_higher(
                    stack, contigs, store, marks, places, config=config, progress=report
                )
            tables.append(table)
        table = pd.concat(tables, ignore_index=True)
        write_table(table, out, MEDIATION, provenance)
    return table


def _groups(
    texts: Sequence[str],
    families: StrPath | None,
    store: FeatureStore,
    n_levels: int,
    concept: str,
) -> list[Group]:
    """Return the groups that were written, and those that families of the dictionary are."""
    said = list(texts)
    if families is not None:
        store.identity.check(table_identity(families, CIRCUIT_FAMILIES), "dictionary")
        said += _families(families)
    return [Group.parse(text, n_levels, concept=concept) for text in said]


def _marks(
    features: StrPath,
    concepts: Path | None,
    higher: Mapping[str, HigherConcept],
    config: MediationConfig,
    progress: Progress | None,
) -> list[HigherGroup]:
    """Find the features of the parts of higher concepts, by all genomes of the associations."""
    files = find_specimens(features)
    path = files.needs_associations()
    associations = read_associations(path, files.features[0])
    own = load_concepts(concepts or files.concepts)
    specimens = [one.with_concepts(own) for one in files.open("sequence", "annotation")]
    split = read_split(path)
    with progress_bar("mediate (features)", progress) as report:
        return find_marks(higher, specimens, associations, split, config.n_marks, report)


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
