"""Candidates as files: the table, and their loci as GFF3 and FASTA beside it."""

from collections.abc import Sequence
from pathlib import Path

from genointerp.candidate.config import RankConfig
from genointerp.candidate.given import GivenFiles
from genointerp.candidate.rank import CandidateResult, rank
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.locus_files import candidate_locus, fasta_lines, gff3_lines, write_lines
from genointerp.genome.genome import Genome
from genointerp.genome.read import read_genome
from genointerp.store.activations import ActivationStore
from genointerp.store.features import FeatureStore
from genointerp.store.table_schemas import ASSOCIATIONS, CANDIDATES
from genointerp.store.tables import check_table_path, read_table, write_table


def rank_files(  # noqa: PLR0913 - one for each file, and how
    features: Sequence[Path],
    associations: Path,
    genomes: Sequence[Path],
    out: Path,
    *,
    activations: Sequence[Path] = (),
    evidence: GivenFiles | None = None,
    config: RankConfig | None = None,
    progress: Progress = silent,
) -> CandidateResult:
    """Rank the features of files, write the candidates beside ``out`` and return them.

    Parameters
    ----------
    activations
        Where the windows are read from, in the order of ``features``; not needed.
    evidence
        Of the model, other seeds and training; not needed.
    """
    config = RankConfig() if config is None else config
    check_table_path(out)
    stores = [FeatureStore(path) for path in features]
    read = [read_genome(path) for path in genomes]
    table = read_table(associations, ASSOCIATIONS)
    origin = [ActivationStore(path) for path in activations]
    windows = [store.windows for store in origin] or None
    given = GivenFiles() if evidence is None else evidence
    result = rank(
        stores, table, read, config, windows=windows, given=given.read(), progress=progress
    )
    inputs = {f"features-{index}": store.sha256 for index, store in enumerate(stores)}
    inputs |= {f"genome-{index}": genome.sha256 for index, genome in enumerate(read)}
    inputs |= {f"activations-{index}": store.sha256 for index, store in enumerate(origin)}
    inputs |= given.digests()
    inputs["associations"] = sha256_file(associations)
    write_candidates(result, read, out, Provenance(to_mapping(config), inputs), flank=config.flank)
    return result


def write_candidates(
    result: CandidateResult,
    genomes: Sequence[Genome],
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
    out = Path(out)
    write_table(result.table, out, CANDIDATES, provenance)
    loci = [candidate_locus(row) for row in result.loci.to_dict(orient="records")]
    held = {seqid: _genome_with(seqid, genomes) for seqid in dict.fromkeys(result.loci["seqid"])}
    lengths = {seqid: genome[seqid].length for seqid, genome in held.items()}
    bases = (
        line for locus in loci for line in fasta_lines([locus], held[locus.place.seqid], flank)
    )
    write_lines(out.with_suffix(".gff3"), gff3_lines(loci, lengths, [provenance.as_json()]))
    write_lines(out.with_suffix(".fasta"), bases)


def _genome_with(seqid: str, genomes: Sequence[Genome]) -> Genome:
    for genome in genomes:
        if seqid in genome:
            return genome
    raise InputError("genomes", f"one with {seqid}", "none")
