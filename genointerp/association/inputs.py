"""Resolve the files of the command line into the inputs of an association."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from genointerp.annotation.check import tell_unused
from genointerp.annotation.concepts import load_concepts
from genointerp.association.config import AssociateConfig
from genointerp.association.split import Divisible, fit_blocks, sides_read
from genointerp.core.config import from_mapping
from genointerp.core.errors import InputError
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.table import read_provenance

_log = logging.getLogger(__name__)


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


def read_elements(specimens: Sequence[Specimen], concepts: Path | None) -> list[Specimen]:
    """Add to specimens the elements that their annotations give to the concepts of a file.

    The log names rows of an annotation that no concept uses as probably meant.

    Parameters
    ----------
    concepts
        File that defines the concepts; None is the shipped file.

    Raises
    ------
    InputError
        If the annotation of a specimen is unknown.
    """
    definitions = load_concepts(concepts)
    found = [specimen.with_concepts(definitions) for specimen in specimens]
    for specimen in found:
        where = str(specimen.annotation_file or specimen.name)
        tell_unused(specimen.needs("annotation"), specimen.needs("elements"), where=where)
    return found


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
