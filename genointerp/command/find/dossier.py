"""Dossiers as files: what stands behind the command `dossier`.

The JSON of a dossier is specified in ``docs/schema/tables.md``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.candidate.config import RankConfig
from genointerp.candidate.dossier.dossier import Dossier, make_dossiers
from genointerp.candidate.dossier.file import as_mapping
from genointerp.candidate.evidence.locus import DossierConfig
from genointerp.core.config import from_mapping, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path, check_replaceable
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.decoder import read_own_directions
from genointerp.feature.locus_files import candidate_locus, fasta_lines, gff3_lines, write_lines
from genointerp.feature.motif import write_meme
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import find_specimens, total_inputs
from genointerp.store.table.identity import SAE, check_features
from genointerp.store.table.schema.candidate import CANDIDATES, LOCUS_EVIDENCE
from genointerp.store.table.table import (
    empty_table,
    is_table_of,
    read_provenance,
    read_table,
    write_table,
)

EVIDENCE = "locus_evidence.tsv"


@dataclass(frozen=True)
class DossierFiles:
    """What dossiers are written from; annotations and predictions are in the order of the features.

    Parameters
    ----------
    candidates
        As `genointerp.command.find.rank.rank` writes it.
    predictions
        What finders saw in each genome (GFF3), such as ``genointerp annotate --find`` writes; or
        none.
    sae
        Folder of the dictionary, for neighbours by direction.
    """

    candidates: Path
    features: Sequence[Path]
    genomes: Sequence[Path]
    annotations: Sequence[Path]
    predictions: Sequence[Path] = ()
    sae: Path | None = None

    def __post_init__(self) -> None:
        n = len(self.features)
        for name in ("genomes", "annotations", "predictions"):
            found = len(getattr(self, name))
            if found != n and not (name == "predictions" and found == 0):
                raise InputError(name, f"one for each of {n} features files", str(found))


def dossier(files: DossierFiles, out: Path, config: DossierConfig | None = None) -> list[Dossier]:
    """Write the dossiers of the first candidates into a folder, which is one output.

    ``feature_N.json``, ``.gff3``, ``.fasta`` (loci with flanks) and ``.meme`` of each candidate,
    and the evidence at all loci as one table, ``locus_evidence.tsv``.

    Raises
    ------
    InputError
        If files are missing.
    MismatchError
        If they do not belong together.
    StorageError
        If something else stands at ``out``.
    """
    config = DossierConfig() if config is None else config
    candidates = read_table(files.candidates, CANDIDATES)
    told = read_provenance(files.candidates, CANDIDATES)["config"]
    ranked: RankConfig = from_mapping(RankConfig, told, where=f"{files.candidates}: config")
    specimens = find_specimens(
        files.features,
        genome=files.genomes,
        annotations=files.annotations,
        predictions=files.predictions,
    ).open(if_known=("sequence", "annotation"))
    stores = [specimen.features for specimen in specimens]
    check_features(files.candidates, CANDIDATES, stores)
    decoder = None if files.sae is None else read_own_directions(files.sae, stores[0])
    record = Provenance(to_mapping(config), _inputs(files, specimens))
    check_replaceable(out, same=is_table_of(Path(out) / EVIDENCE, LOCUS_EVIDENCE, record))
    dossiers = make_dossiers(candidates, specimens, ranked, config, decoder=decoder)
    with atomic_path(out) as folder:
        folder.mkdir()
        loci = [dossier.loci for dossier in dossiers]
        evidence = pd.concat(loci or [empty_table(LOCUS_EVIDENCE)], ignore_index=True)
        write_table(evidence, folder / EVIDENCE, LOCUS_EVIDENCE, record)
        for dossier in dossiers:
            _write(dossier, specimens, folder, record, flank=ranked.flank)
    return dossiers


def _inputs(files: DossierFiles, specimens: Sequence[Specimen]) -> Mapping[str, str]:
    inputs = {"candidates": sha256_file(files.candidates), **total_inputs(specimens)}
    inputs |= {
        f"prediction-{specimen.name}": sha256_file(path)
        for specimen, path in zip(specimens, files.predictions, strict=False)
    }
    if files.sae is not None:
        inputs[SAE] = specimens[0].features.header.sae_sha256
    return inputs


def _write(
    dossier: Dossier,
    specimens: Sequence[Specimen],
    folder: Path,
    record: Provenance,
    *,
    flank: int,
) -> None:
    path = folder / f"feature_{dossier.feature}.json"
    text = json.dumps(as_mapping(dossier, record), indent=2, allow_nan=False)
    path.write_text(f"{text}\n", encoding="utf-8")
    by_name = {specimen.name: specimen.needs("sequence") for specimen in specimens}
    rows = dossier.loci.to_dict("records")
    lengths = {row["seqid"]: by_name[row["genome"]][row["seqid"]].length for row in rows}
    loci = [candidate_locus(row, _notes(row)) for row in rows]
    write_lines(path.with_suffix(".gff3"), gff3_lines(loci, lengths, [record.as_json()]))
    bases = (
        line
        for row, locus in zip(rows, loci, strict=True)
        for line in fasta_lines([locus], by_name[row["genome"]], flank)
    )
    write_lines(path.with_suffix(".fasta"), bases)
    if dossier.motif is not None:
        write_meme(dossier.motif, path.with_suffix(".meme"), record)


def _notes(row: Mapping[Any, Any]) -> dict[str, str]:
    told = {name: row[name] for name in ("status", "element", "found_by")}
    return {name: value for name, value in told.items() if value}
