"""Candidates as files: the table, and their loci as GFF3 and FASTA beside it."""

from collections.abc import Sequence
from pathlib import Path

from genointerp.candidate.config import RankConfig
from genointerp.candidate.inputs import RankFiles
from genointerp.candidate.rank import CandidateResult
from genointerp.candidate.rank import rank as rank_features
from genointerp.core.config import to_mapping
from genointerp.core.files import together
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance
from genointerp.feature.locus_files import candidate_locus, fasta_lines, gff3_lines, write_lines
from genointerp.feature.specimen import Specimen
from genointerp.store.table.schema.candidate import CANDIDATES
from genointerp.store.table.table import check_table_path, write_table


def rank(
    files: RankFiles,
    out: Path,
    *,
    config: RankConfig | None = None,
    progress: Progress = silent,
) -> CandidateResult:
    """Rank the features of files, write the candidates beside ``out`` and return them.

    Errors are those of `genointerp.candidate.inputs.RankFiles.open`.
    """
    config = RankConfig() if config is None else config
    check_table_path(out)
    found = files.open(config)
    result = rank_features(
        found.specimens, found.associations, config, given=found.given, progress=progress
    )
    record = Provenance(to_mapping(config), found.sha256)
    write_candidates(result, found.specimens, out, record, flank=config.flank)
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
