"""From the files of the command line to a table of associations."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from genointerp.annotation.catalogue import annotations_folder
from genointerp.annotation.concepts import ConceptElements, define_elements, load_concepts
from genointerp.annotation.read import read_annotation
from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.core.config import from_mapping, to_mapping
from genointerp.core.errors import InputError, MismatchError
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import read_genome
from genointerp.store.associations import SAE
from genointerp.store.features import FeatureStore
from genointerp.store.table_schemas import ASSOCIATIONS
from genointerp.store.tables import check_table_path, read_provenance, write_table


def associate_files(
    features: Sequence[Path],
    annotations: Sequence[Path],
    out: Path,
    *,
    genomes: Sequence[Path] = (),
    concepts: Path | None = None,
    config: AssociateConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Associate features files with annotation files, write the table and return it.

    Parameters
    ----------
    features, annotations
        In the same order of genomes.
    genomes
        Sequences, in any order; each must be the genome of one of the features. Not needed, but
        an annotation that holds the bases too, as GenBank does, is checked against them only.
    concepts
        Definition of the concepts; the shipped one where None.

    Raises
    ------
    InputError
        If there is not one annotation for each features file.
    MismatchError
        If a sequence is of none of the features.
    """
    config = AssociateConfig() if config is None else config
    check_table_path(out)
    stores = [FeatureStore(path) for path in features]
    concepts = annotations_folder() / "concepts.yaml" if concepts is None else concepts
    elements = read_elements(stores, annotations, genomes=genomes, concepts=concepts)
    table = associate(stores, elements, config=config, progress=progress)
    inputs = {f"features-{i}": store.sha256 for i, store in enumerate(stores)}
    inputs |= {f"annotations-{i}": sha256_file(path) for i, path in enumerate(annotations)}
    inputs["concepts"] = sha256_file(concepts)
    inputs[SAE] = stores[0].header.sae_sha256
    write_table(table, out, ASSOCIATIONS, Provenance(to_mapping(config), inputs))
    return table


def read_elements(
    stores: Sequence[FeatureStore],
    annotations: Sequence[Path],
    *,
    genomes: Sequence[Path] = (),
    concepts: Path | None = None,
) -> list[ConceptElements]:
    """Return the elements of the concepts upon the genome of each store.

    Parameters and errors are those of `associate_files`.
    """
    if len(stores) != len(annotations):
        expected = f"one annotation for each of {len(stores)} features files"
        raise InputError("annotations", expected, str(len(annotations)))
    known = {store.header.genome_sha256: _without_sequence(store) for store in stores}
    for path in genomes:
        sequences = read_genome(path)
        if sequences.sha256 not in known:
            raise MismatchError(str(path), "the genome of a features file", "another")
        known[sequences.sha256] = sequences
    definitions = load_concepts(concepts)
    elements = []
    for store, path in zip(stores, annotations, strict=True):
        genome = known[store.header.genome_sha256]
        elements.append(define_elements(read_annotation(path, genome), genome, definitions))
    return elements


def read_split(associations: Path) -> AssociateConfig:
    """Return the configuration that a table of associations was made with: its fit and test.

    Raises
    ------
    SchemaError
        If the table does not say.
    """
    provenance = read_provenance(associations, ASSOCIATIONS)
    where = f"{associations}: provenance"
    config: AssociateConfig = from_mapping(
        AssociateConfig, provenance.get("config", {}), where=where
    )
    return config


def _without_sequence(store: FeatureStore) -> Genome:
    """Return the contigs of a store as a genome of N: elements need lengths and topology only."""
    return Genome(
        Contig(contig.seqid, np.full(contig.length, ord("N"), np.uint8), contig.circular)
        for contig in store.header.contigs
    )
