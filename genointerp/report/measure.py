"""The tables that a report shows and that no step before it wrote; they lie beside the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genointerp.association.curve import precision_recall
from genointerp.association.metagene import metagene
from genointerp.association.summary import summarise_features
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.report.browser import BrowsedGenome
from genointerp.report.concept_figures import choose_pairs
from genointerp.report.elements import gene_table
from genointerp.report.loci import strongest_loci
from genointerp.report.run import Run
from genointerp.store.features import STRANDS
from genointerp.store.tables import (
    CURVES,
    FEATURE_LOCI,
    FEATURE_SUMMARY,
    METAGENE,
    READ_CONTIGS,
    RUN_FILES,
    TableSchema,
    conform,
    empty_table,
    write_table,
)

N_LOCI = 10
"""Loci of each feature that has a section."""

SCHEMAS: dict[str, TableSchema] = {
    "features": FEATURE_SUMMARY,
    "loci": FEATURE_LOCI,
    "curves": CURVES,
    "metagene": METAGENE,
    "contigs": READ_CONTIGS,
    "files": RUN_FILES,
}


@dataclass(frozen=True)
class Measurements:
    """What was measured for one report.

    Parameters
    ----------
    features
        All features.
    loci, curves, metagene
        Of the features that have a section: their strongest loci, and each with its best concept.
    contigs, files
        What the run read, and what the report was written from.
    """

    features: pd.DataFrame
    loci: pd.DataFrame
    curves: pd.DataFrame
    metagene: pd.DataFrame
    contigs: pd.DataFrame
    files: pd.DataFrame


def measure_run(run: Run, features: Sequence[int]) -> Measurements:
    """Measure what the sections of ``features`` show; curves and profiles on the test side."""
    stores = [item.store for item in run.genomes]
    genes = [gene_table(item.annotations) for item in run.genomes]
    pairs = choose_pairs(run.associations, features)
    profiles = [
        metagene(stores, run.elements, int(pair["feature"]), pair["concept"], config=run.split)
        for pair in pairs.to_dict("records")
    ]
    loci = [strongest_loci(run.genomes, genes, feature, n=N_LOCI) for feature in features]
    return Measurements(
        features=summarise_features(stores, run.associations),
        loci=pd.concat(loci or [empty_table(FEATURE_LOCI)], ignore_index=True),
        curves=precision_recall(stores, run.elements, pairs, config=run.split),
        metagene=pd.concat(profiles or [empty_table(METAGENE)], ignore_index=True),
        contigs=_contigs(run.genomes),
        files=_files(run),
    )


def write_measurements(measured: Measurements, folder: Path) -> None:
    """Write each table as TSV, with the sha256 of all that the report was written from."""
    inputs = dict(zip(measured.files["file"], measured.files["sha256"], strict=True))
    provenance = Provenance(config={}, inputs=inputs)
    for name, schema in SCHEMAS.items():
        write_table(getattr(measured, name), folder / f"{name}.tsv", schema, provenance)


def _contigs(genomes: Sequence[BrowsedGenome]) -> pd.DataFrame:
    rows = [
        (item.name, contig.seqid, contig.length, int(contig.circular), *_read(item, contig.seqid))
        for item in genomes
        for contig in item.store.header.contigs
    ]
    return conform(pd.DataFrame(rows, columns=READ_CONTIGS.names), READ_CONTIGS, where="contigs")


def _read(item: BrowsedGenome, seqid: str) -> list[int]:
    return [
        sum(part.length for part in item.store.coverage(strand) if part.seqid == seqid)
        for strand in STRANDS
    ]


def _files(run: Run) -> pd.DataFrame:
    rows = [(name, path.stat().st_size, sha256_file(path)) for name, path in run.files.items()]
    return conform(pd.DataFrame(rows, columns=RUN_FILES.names), RUN_FILES, where="files")
