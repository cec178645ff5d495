"""Candidates as files: the table, and their loci as GFF3 and FASTA beside it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pandas as pd

from genointerp.candidate.config import RankConfig
from genointerp.candidate.given import GivenFiles
from genointerp.candidate.rank import CandidateResult, rank
from genointerp.core.config import to_mapping
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path
from genointerp.core.progress import Progress, silent
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.store.activations import ActivationStore
from genointerp.store.features import FeatureStore
from genointerp.store.table_schemas import ASSOCIATIONS, CANDIDATES
from genointerp.store.tables import check_table_path, read_table, write_table

_LINE = 80


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
        Bases added on either side of a locus in the FASTA file, as far as the contig goes. The
        sequence is that of the strand on which the feature was read.
    """
    out = Path(out)
    write_table(result.table, out, CANDIDATES, provenance)
    with atomic_path(out.with_suffix(".gff3")) as temporary:
        rows = _gff3(result.loci, genomes)
        head = [next(rows), f"# {provenance.as_json()}"]
        temporary.write_text("\n".join([*head, *rows]) + "\n")
    with atomic_path(out.with_suffix(".fasta")) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in _fasta(result.loci, genomes, flank)))


class _Locus(NamedTuple):
    rank: int
    name: str
    feature: int
    place: GenomicInterval
    maximum: float
    mean: float


def _records(loci: pd.DataFrame) -> Iterator[_Locus]:
    for row in loci.to_dict(orient="records"):
        place = GenomicInterval(row["seqid"], int(row["start"]), int(row["end"]), row["strand"])
        name = f"feature_{row['feature']}_locus_{row['locus']}"
        numbers = float(row["max_activation"]), float(row["mean_activation"])
        yield _Locus(int(row["rank"]), name, int(row["feature"]), place, *numbers)


def _gff3(loci: pd.DataFrame, genomes: Sequence[Genome]) -> Iterator[str]:
    yield "##gff-version 3"
    for seqid in dict.fromkeys(loci["seqid"]):
        yield f"##sequence-region {_escaped(seqid)} 1 {_genome_with(seqid, genomes)[seqid].length}"
    for locus in _records(loci):
        place = locus.place
        attributes = (
            f"ID={locus.name};Name=f/{locus.feature};"
            f"candidate_rank={locus.rank};mean_activation={locus.mean:.6g}"
        )
        yield (
            f"{_escaped(place.seqid)}\tgenointerp\tsequence_feature\t{place.start + 1}\t"
            f"{place.end}\t{locus.maximum:.6g}\t{place.strand}\t.\t{attributes}"
        )


def _fasta(loci: pd.DataFrame, genomes: Sequence[Genome], flank: int) -> Iterator[str]:
    for locus in _records(loci):
        place = locus.place
        genome = _genome_with(place.seqid, genomes)
        start = max(0, place.start - flank)
        end = min(genome[place.seqid].length, place.end + flank)
        bases = genome.fetch(GenomicInterval(place.seqid, start, end, place.strand))
        yield (
            f">{locus.name} {place.seqid}:{start + 1}-{end}({place.strand}) rank={locus.rank} "
            f"locus={place.start + 1}-{place.end} max_activation={locus.maximum:.6g}"
        )
        text = bases.tobytes().decode()
        yield from (text[first : first + _LINE] for first in range(0, len(text), _LINE))


def _genome_with(seqid: str, genomes: Sequence[Genome]) -> Genome:
    for genome in genomes:
        if seqid in genome:
            return genome
    raise InputError("genomes", f"one with {seqid}", "none")


def _escaped(seqid: str) -> str:
    return quote(seqid, safe=".:^*$@!+_?-|")
