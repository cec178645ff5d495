"""Candidates as files: the table, and their loci as GFF3 and FASTA next to it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from genointerp.candidate.config import RankConfig, read_rank_config
from genointerp.candidate.evidence.given import GivenFiles
from genointerp.candidate.inputs import RankFiles
from genointerp.candidate.rank import CandidateResult
from genointerp.candidate.rank import rank as rank_features
from genointerp.core.arguments import OneOrMorePaths, StrPath, as_path, as_paths
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import together
from genointerp.core.progress import Progress, progress_bar
from genointerp.core.provenance import Provenance
from genointerp.feature.locus_files import candidate_locus, fasta_lines, gff3_lines, write_lines
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens
from genointerp.store.table.labels import with_labels
from genointerp.store.table.schema.candidate import CANDIDATES
from genointerp.store.table.table import check_table_path, write_table


def rank(
    features: OneOrMoreFeatures,
    out: StrPath | None = None,
    *,
    associations: StrPath | pd.DataFrame | None = None,
    genome: OneOrMorePaths = (),
    activations: OneOrMorePaths = (),
    ablation: StrPath | None = None,
    sae: StrPath | None = None,
    other_sae: OneOrMorePaths = (),
    trained_on: OneOrMorePaths = (),
    matches: OneOrMorePaths = (),
    measured: StrPath | None = None,
    annotations: OneOrMorePaths = (),
    predictions: OneOrMorePaths = (),
    labels: OneOrMorePaths = (),
    config: RankConfig | Mapping[str, Any] | StrPath | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> CandidateResult:
    """Rank the features as candidates for something that no known concept explains.

    Parameters
    ----------
    features
        Features files, a catalogue, a run directory, or one of these that is open.
    out
        The candidates are written there too, as .tsv, .csv, .parquet or .json; their loci go to
        .gff3 and .fasta of the same name.
    associations
        Measured on these features: a table, or what `associate` returned, if nothing is written. A
        catalogue and a run name their own.
    genome
        FASTA or GenBank of each genome, in any order, unless a catalogue or a run names them.
    activations
        What the features were made of, for where windows begin and tokens of unusual norm.
    ablation
        Table of `ablate`.
    sae, other_sae
        Folder of the dictionary, and those of dictionaries of other seeds.
    trained_on
        Genomes that the dictionary was trained on.
    matches
        Tables of `match` with other dictionaries: which of its features others find too is stated
        next to the score, and changes no rank.
    measured
        Candidates of the same files, whose measurements are used again.
    annotations, predictions
        What is annotated in each genome, and what finders saw in it (GFF3), in the order of the
        features: they tell loci that the annotation lacks.
    labels
        Tables of labels, which are stated next to the score and change no rank; a run has its own.
    config
        A mapping such as ``{"dense": .05}``, or YAML.
    seed
        Random seed of the bases and directions that are drawn; replaces that of ``config``.

    Returns
    -------
    CandidateResult
        ``table`` has a row for each candidate, the best first; ``loci`` has their strongest loci.

    Raises
    ------
    InputError
        If the associations or a sequence are not known, or a file is missing or damaged; if there
        are predictions without annotations, or the other way round; if candidates are to be written
        of associations that are no file.
    MismatchError
        If the files do not belong together.

    Examples
    --------
    >>> import genointerp as gi
    >>> found = gi.rank("results/demo")  # doctest: +SKIP
    >>> found.table[["rank", "feature", "flags"]]  # doctest: +SKIP
    """
    settings = read_rank_config(config, seed=seed)
    if out is not None:
        check_table_path(Path(out))
    if out is not None and isinstance(associations, pd.DataFrame):
        expected = "the file of a table, since candidates are written"
        raise InputError("associations", expected, "a DataFrame")
    files = find_specimens(
        features,
        genome=genome,
        annotations=annotations,
        predictions=predictions,
        activations=activations,
        labels=labels,
    )
    if as_paths(annotations) and not as_paths(predictions):
        expected = f"one for each of {len(files.sources)} features files"
        raise InputError("predictions", f"{expected}, since annotations were given", "0")
    ranked = RankFiles(
        files,
        associations
        if isinstance(associations, pd.DataFrame)
        else files.needs_associations(associations),
        GivenFiles(
            as_path(ablation),
            as_path(sae),
            as_paths(other_sae),
            as_paths(trained_on),
            as_paths(matches),
        ),
        as_paths(predictions),
        as_path(measured),
    )
    found = ranked.open(settings)
    with progress_bar("rank (features)", progress) as report:
        result = rank_features(
            found.specimens, found.associations, settings, given=found.given, progress=report
        )
    result = replace(result, table=with_labels(result.table, files.read_labels()))
    if out is not None:
        record = Provenance(to_mapping(settings), {**found.sha256, **files.label_inputs()})
        write_candidates(result, found.specimens, Path(out), record, flank=settings.flank)
    return result


def write_candidates(
    result: CandidateResult,
    specimens: Sequence[Specimen],
    out: Path,
    provenance: Provenance,
    *,
    flank: int = 50,
) -> None:
    """Write the table to ``out``, and the loci to ``.gff3`` and ``.fasta`` of the same stem.

    Parameters
    ----------
    flank
        Bases added on either side of a locus in the FASTA file, in lower case, as far as the
        contig goes. The sequence is that of the strand on which the feature was read.
    """
    with together():
        _write_together(result, specimens, Path(out), provenance, flank)


def _write_together(
    result: CandidateResult,
    specimens: Sequence[Specimen],
    out: Path,
    provenance: Provenance,
    flank: int,
) -> None:
    write_table(result.table, out, CANDIDATES, provenance)
    rows = result.loci.to_dict(orient="records")
    loci = [candidate_locus(row) for row in rows]
    sequences = [specimen.needs("sequence") for specimen in specimens]
    lengths = {row["seqid"]: sequences[row["genome"]][row["seqid"]].length for row in rows}
    bases = (
        line
        for row, locus in zip(rows, loci, strict=True)
        for line in fasta_lines([locus], sequences[row["genome"]], flank)
    )
    write_lines(out.with_suffix(".gff3"), gff3_lines(loci, lengths, [provenance.as_json()]))
    write_lines(out.with_suffix(".fasta"), bases)
