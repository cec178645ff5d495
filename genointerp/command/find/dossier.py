"""All that is known of each of the first candidates.

The JSON of a dossier is specified in ``docs/schema/tables.md``.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.candidate.config import RankConfig
from genointerp.candidate.dossier.dossier import Dossier, make_dossiers
from genointerp.candidate.dossier.file import as_mapping
from genointerp.candidate.evidence.locus import DossierConfig
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_paths, in_run
from genointerp.core.config import from_mapping, read_config, to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path, check_replaceable
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.decoder import read_own_directions
from genointerp.feature.locus_files import candidate_locus, fasta_lines, gff3_lines, write_lines
from genointerp.feature.motif import write_meme
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens, total_inputs
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


def dossier(
    candidates: StrPath,
    out: StrPath | None = None,
    *,
    features: OneOrMoreFeatures | None = None,
    genome: OneOrMorePaths = (),
    annotations: OneOrMorePaths = (),
    predictions: OneOrMorePaths = (),
    sae: StrPath | None = None,
    config: DossierConfig | Mapping[str, Any] | StrPath | None = None,
) -> list[Dossier]:
    """Gather all that is known of each of the first candidates.

    Parameters
    ----------
    candidates
        As `rank` writes them; or a run directory, which has them.
    out
        The dossiers are written into this folder too, which is one output: ``feature_N.json``,
        ``.gff3``, ``.fasta`` (loci with flanks) and ``.meme`` of each candidate, and the evidence
        at all loci as one table, ``locus_evidence.tsv``.
    features
        What was ranked: features files, a catalogue, a run directory, or one of these that is open.
        None where the candidates are those of a run directory.
    genome
        FASTA or GenBank of each genome, in any order, unless a catalogue or a run names them.
    annotations
        GFF3 or GenBank of each genome, in the order of the features, unless a catalogue or a run
        names them.
    predictions
        What finders saw in each genome (GFF3), such as ``genointerp annotate --find`` writes, in
        the order of the features.
    sae
        Folder of the dictionary, for neighbours by direction.
    config
        A mapping such as ``{"n_shuffles": 0}``, or YAML.

    Raises
    ------
    InputError
        If the features, a sequence or an annotation are not known.
    MismatchError
        If files do not belong together.
    StorageError
        If something else stands at ``out``.

    Examples
    --------
    >>> import genointerp as gi
    >>> dossiers = gi.dossier("results/demo")  # doctest: +SKIP
    """
    settings = read_config(DossierConfig, config)
    table, asked = in_run(candidates, "candidates.tsv"), as_paths(predictions)
    if features is None and table == Path(candidates):
        raise InputError("features", "those of the candidates", "none")
    ranked_table = read_table(table, CANDIDATES)
    told = read_provenance(table, CANDIDATES)["config"]
    ranked: RankConfig = from_mapping(RankConfig, told, where=f"{table}: config")
    specimens = find_specimens(
        candidates if features is None else features,
        genome=genome,
        annotations=annotations,
        predictions=asked,
    ).open("sequence", "annotation")
    stores = [specimen.features for specimen in specimens]
    check_features(table, CANDIDATES, stores)
    decoder = None if sae is None else read_own_directions(Path(sae), stores[0])
    inputs = {"candidates": sha256_file(table), **_inputs(specimens, asked)}
    if sae is not None:
        inputs[SAE] = stores[0].header.sae_sha256
    record = Provenance(to_mapping(settings), inputs)
    if out is not None:
        same = is_table_of(Path(out) / EVIDENCE, LOCUS_EVIDENCE, record)
        check_replaceable(Path(out), same=same)
    dossiers = make_dossiers(ranked_table, specimens, ranked, settings, decoder=decoder)
    if out is not None:
        _write_all(dossiers, specimens, Path(out), record, flank=ranked.flank)
    return dossiers


def _inputs(specimens: Sequence[Specimen], predictions: Sequence[Path]) -> Mapping[str, str]:
    predicted = {
        f"prediction-{specimen.name}": sha256_file(path)
        for specimen, path in zip(specimens, predictions, strict=False)
    }
    return {**total_inputs(specimens), **predicted}


def _write_all(
    dossiers: Sequence[Dossier],
    specimens: Sequence[Specimen],
    out: Path,
    record: Provenance,
    *,
    flank: int,
) -> None:
    with atomic_path(out) as folder:
        folder.mkdir()
        loci = [dossier.loci for dossier in dossiers]
        evidence = pd.concat(loci or [empty_table(LOCUS_EVIDENCE)], ignore_index=True)
        write_table(evidence, folder / EVIDENCE, LOCUS_EVIDENCE, record)
        for dossier in dossiers:
            _write(dossier, specimens, folder, record, flank=flank)


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
