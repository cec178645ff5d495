"""Resolve the files of the command line into the inputs of an association."""

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.check import tell_unused
from genointerp.annotation.concepts import Concept, load_concepts
from genointerp.association.config import AssociateConfig
from genointerp.association.split import Divisible, fit_blocks, sides_read
from genointerp.core.arguments import StrPath
from genointerp.core.config import from_mapping
from genointerp.core.errors import InputError
from genointerp.core.provenance import sha256_file
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import SpecimenFiles
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.table import read_provenance

_log = logging.getLogger(__name__)

AnyConcepts = StrPath | Mapping[str, Concept] | None
"""The definition of the concepts: a YAML file, what `load_concepts` returns, or None."""


def resolve_split(stores: Sequence[FeatureStore], config: AssociateConfig) -> AssociateConfig:
    """Return a configuration that states which sequences of these files are on which side.

    A genome that ``test`` names moves to ``test_genomes``, and blocks are adapted to what was read
    (`genointerp.association.split.fit_blocks`). The log reports this.

    Parameters
    ----------
    config
        Its ``test`` may name a features file by its path, by its name without suffix, or by the
        name of its folder, as long as the name fits only one file. The name of a sequence means the
        sequence, unless several files have a sequence of that name and it is the only sequence of
        the file with that name.

    Raises
    ------
    InputError
        If a name fits several files, or if what was read cannot be divided.
    """
    by_name = _genomes_by_name(stores)
    known = Counter(contig.seqid for store in stores for contig in store.header.contigs)
    alone = {
        store.header.genome_sha256: store.header.contigs[0].seqid
        for store in stores
        if len(store.header.contigs) == 1
    }
    seqids, genomes = [], list(config.test_genomes)
    for name in config.test:
        found = by_name.get(name, set())
        is_alone = {alone.get(genome) for genome in found} == {name}
        if not found or known[name] == 1 or (known[name] and not is_alone):
            seqids.append(name)
        elif len(found) > 1:
            kinds = f"{name}: {len(found)} features files"
            raise InputError("test", "the name of one sequence or one genome", kinds)
        else:
            genomes += found
    divisible = [Divisible.of_store(store) for store in stores]
    named = replace(config, test=tuple(seqids), test_genomes=tuple(dict.fromkeys(genomes)))
    fitted = fit_blocks(divisible, named)
    if fitted.block_bp != config.block_bp:
        fit, test = sides_read(divisible, fitted)
        _log.info("%s", describe_blocks(fitted, fit, test))
    return fitted


def describe_blocks(
    config: AssociateConfig, fit: Sequence[GenomicInterval], test: Sequence[GenomicInterval]
) -> str:
    """Describe in one line the blocks of a split and how much was read on either side."""
    n_fit, n_test = (sum(part.length for part in side) for side in (fit, test))
    return (
        f"fit and test are alternate blocks of {config.block_bp:,} bases, without {config.gap_bp:,}"
        f" at each of their ends: {n_fit:,} bases read on fit, {n_test:,} on test"
    )


def sides_path(associations: Path) -> Path:
    """Return the path of the comparison of the sides, which lies next to the associations."""
    return associations.with_name(f"{associations.stem}.sides.tsv")


def read_elements(
    files: SpecimenFiles, concepts: AnyConcepts = None
) -> tuple[list[Specimen], dict[str, str]]:
    """Open specimens with the elements of the concepts; return the sha256 of the definition too.

    The log names rows of an annotation that no concept uses as probably meant.

    Parameters
    ----------
    concepts
        Definition of the concepts. With None every specimen keeps the elements that it has; if one
        has none, the definition that the files name is used, or else the shipped one.

    Returns
    -------
    tuple
        The specimens, with their sequences if these are known; and the sha256 by its role. It is
        that of a file where the elements are of what the file defines, else of the definition; and
        missing where the specimens have elements of different definitions.

    Raises
    ------
    InputError
        If the annotation of a specimen is unknown.
    """
    opened = files.open(if_known=("sequence", "annotation"))
    if concepts is None and all(specimen.elements is not None for specimen in opened):
        return list(opened), _digest_of_elements(opened, files)
    if isinstance(concepts, Mapping):
        definitions = dict(concepts)
        sha256 = _digest(definitions)
    else:
        path = _definition(files) if concepts is None else Path(concepts)
        definitions, sha256 = load_concepts(path), sha256_file(path)
    found = [specimen.with_concepts(definitions) for specimen in opened]
    for specimen in found:
        where = str(specimen.annotation_file or specimen.name)
        tell_unused(specimen.needs("annotation"), specimen.needs("elements"), where=where)
    return found, {"concepts": sha256}


def _definition(files: SpecimenFiles) -> Path:
    return files.concepts or annotations_folder() / "concepts.yaml"


def _digest(definitions: Mapping[str, Concept]) -> str:
    text = json.dumps({name: asdict(one) for name, one in definitions.items()})
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of_elements(opened: Sequence[Specimen], files: SpecimenFiles) -> dict[str, str]:
    """Return the sha256 of the definition of elements that were there, by its role."""
    first, *others = (dict(specimen.needs("elements").concepts) for specimen in opened)
    if any(other != first for other in others):
        return {}
    path = _definition(files)
    is_of_file = dict(load_concepts(path)) == first
    return {"concepts": sha256_file(path) if is_of_file else _digest(first)}


def read_split(associations: Path) -> AssociateConfig:
    """Return the configuration, with its fit and test, that a table of associations was made with.

    Raises
    ------
    SchemaError
        If the table does not hold it.
    """
    provenance = read_provenance(associations, ASSOCIATIONS)
    where = f"{associations}: provenance"
    config: AssociateConfig = from_mapping(
        AssociateConfig, provenance.get("config", {}), where=where
    )
    return config


def _genomes_by_name(stores: Sequence[FeatureStore]) -> dict[str, set[str]]:
    """Return the sha256 of the genomes that the name of a path, a file or a folder may mean."""
    found: dict[str, set[str]] = {}
    for store in stores:
        path = Path(store.path)
        for name in {str(path), str(path.resolve()), path.stem, path.resolve().parent.name}:
            found.setdefault(name, set()).add(store.header.genome_sha256)
    return found
