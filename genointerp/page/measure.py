"""Measure the tables that a report shows and no earlier step wrote; they lie next to the page."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from genointerp.association.baseline.beside import read_beside
from genointerp.association.profile.curve import precision_recall
from genointerp.association.profile.metagene import metagene
from genointerp.association.summary import summarise_features
from genointerp.candidate.config import RankConfig
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.loci import LocusConfig
from genointerp.feature.motif import Motif, MotifConfig, find_motif
from genointerp.feature.specimen import Specimen
from genointerp.feature.top import TopConfig, strongest_loci
from genointerp.figure.measured import choose_pairs
from genointerp.page.run import Run
from genointerp.store.feature.store import STRANDS
from genointerp.store.table.schema.association import BESIDE, CURVES, METAGENE
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.schema.feature import (
    FEATURE_SUMMARY,
    MOTIF,
    READ_CONTIGS,
    RUN_FILES,
    TOP_LOCI,
)
from genointerp.store.table.table import conform, empty_table, write_table

N_LOCI = 10
"""Number of loci of each feature that has a section."""

FLANK = 10
"""Number of bases on either side of a locus in its sequence."""

_log = logging.getLogger(__name__)

SCHEMAS: dict[str, TableSchema] = {
    "features": FEATURE_SUMMARY,
    "curves": CURVES,
    "metagene": METAGENE,
    "beside": BESIDE,
    "contigs": READ_CONTIGS,
    "files": RUN_FILES,
}


@dataclass(frozen=True)
class Measurements:
    """Tables that were measured for one report.

    Parameters
    ----------
    features
        Summary of all features.
    curves, metagene
        Tables of the features that have a section, each with its best concept.
    loci, motifs
        Loci and motif of each of these features; a feature has no motif if none of its loci can be
        aligned.
    beside
        Best feature of each concept compared with the baselines, if the run measured any.
    contigs, files
        Contigs that the run read, and files that the report was written from.
    """

    features: pd.DataFrame
    curves: pd.DataFrame
    metagene: pd.DataFrame
    beside: pd.DataFrame
    contigs: pd.DataFrame
    files: pd.DataFrame
    loci: Mapping[int, pd.DataFrame]
    motifs: Mapping[int, Motif]


def measure_run(run: Run, features: Sequence[int]) -> Measurements:
    """Measure what the sections of ``features`` show, with curves and profiles on test."""
    stores = [specimen.features for specimen in run.specimens]
    summary = summarise_features(stores, run.associations)
    loud = {feature: _loud(summary, feature) for feature in features}
    pairs = choose_pairs(run.associations, features)
    profiles = [
        metagene(run.specimens, int(pair["feature"]), pair["concept"], config=run.split)
        for pair in pairs.to_dict("records")
    ]
    return Measurements(
        features=summary,
        curves=precision_recall(run.specimens, pairs, config=run.split),
        metagene=pd.concat(profiles or [empty_table(METAGENE)], ignore_index=True),
        beside=read_beside(run.best, run.path),
        contigs=_contigs(run.specimens),
        files=_files(run),
        loci={
            feature: strongest_loci(run.specimens, feature, TopConfig(N_LOCI, FLANK, one))
            for feature, one in loud.items()
        },
        motifs=_motifs(run.specimens, loud),
    )


def write_measurements(measured: Measurements, folder: Path) -> None:
    """Write each table as TSV, with the sha256 of all files that the report was written from.

    The folder is one output, so no table of an earlier report remains in it.
    """
    inputs = dict(zip(measured.files["file"], measured.files["sha256"], strict=True))
    provenance = Provenance(config={}, inputs=inputs)
    tables = {f"{name}.tsv": (getattr(measured, name), SCHEMAS[name]) for name in SCHEMAS}
    tables |= {loci_file(feature): (loci, TOP_LOCI) for feature, loci in measured.loci.items()}
    tables |= {
        motif_file(feature): (motif.table(), MOTIF) for feature, motif in measured.motifs.items()
    }
    with atomic_path(folder) as temporary:
        for name, (table, schema) in tables.items():
            write_table(table, temporary / name, schema, provenance)


def loci_file(feature: int) -> str:
    """Return the path of a feature's loci within the folder of tables."""
    return f"loci/feature_{feature}.tsv"


def motif_file(feature: int) -> str:
    """Return the path of a feature's motif within the folder of tables."""
    return f"motif/feature_{feature}.tsv"


def _loud(summary: pd.DataFrame, feature: int) -> LocusConfig:
    """Return the definition of a locus by `RankConfig`, which is also that of candidates."""
    config = RankConfig()
    top = float(summary["max_activation"].to_numpy(np.float64)[feature])
    return LocusConfig(config.merge_gap, min_activation=config.locus_share * top)


def _motifs(specimens: Sequence[Specimen], loud: Mapping[int, LocusConfig]) -> dict[int, Motif]:
    motifs = {}
    for feature, loci in loud.items():
        try:
            motifs[feature] = find_motif(specimens, feature, MotifConfig(loci=loci))
        except InputError as error:
            # a silent feature, or loci without flanks, cannot be aligned
            _log.warning("no motif of feature %d: %s", feature, error)
    return motifs


def _contigs(specimens: Sequence[Specimen]) -> pd.DataFrame:
    rows = [
        (
            specimen.name,
            contig.seqid,
            contig.length,
            int(contig.circular),
            *_read(specimen, contig.seqid),
        )
        for specimen in specimens
        for contig in specimen.features.header.contigs
    ]
    return conform(pd.DataFrame(rows, columns=READ_CONTIGS.names), READ_CONTIGS, where="contigs")


def _read(specimen: Specimen, seqid: str) -> list[int]:
    return [
        sum(part.length for part in specimen.features.coverage(strand) if part.seqid == seqid)
        for strand in STRANDS
    ]


def _files(run: Run) -> pd.DataFrame:
    rows = [(name, path.stat().st_size, sha256_file(path)) for name, path in run.files.items()]
    return conform(pd.DataFrame(rows, columns=RUN_FILES.names), RUN_FILES, where="files")
