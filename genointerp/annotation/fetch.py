"""A genome from NCBI, laid down like the shipped ones."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from genointerp.annotation.genbank import convert_records
from genointerp.annotation.gff3 import write_gff3
from genointerp.core.errors import StorageError
from genointerp.core.files import atomic_path
from genointerp.core.provenance import sha256_file
from genointerp.genome.fetch import FetchConfig, fetch_genbank
from genointerp.genome.genome import Genome
from genointerp.genome.read import record_contig, write_fasta


@dataclass(frozen=True)
class FetchedGenome:
    """What `fetch_genome` wrote.

    Parameters
    ----------
    name
        Accession and version of the record.
    n_elements
        Elements in the annotation.
    """

    name: str
    length: int
    n_elements: int
    sequence: Path
    annotation: Path


def fetch_genome(
    accession: str,
    out: Path,
    *,
    config: FetchConfig | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> FetchedGenome:
    """Download one record and write ``sequence.fa.gz``, ``annotation.gff3.gz`` and their indexes.

    The folder ``out`` appears only when all of it is there; ``source.yaml`` says where it came
    from. What stood at ``out`` before is replaced whole.

    Raises
    ------
    SequenceError
        If the server does not give the whole record of this accession.
    AnnotationError
        If a feature of the record lies outside it.
    StorageError
        If the files cannot be written, or ``out`` holds something that was not fetched.
    """
    out = Path(out)
    _check_replaceable(out)
    fetched = fetch_genbank(accession, config=config, sleep=sleep)
    contig = record_contig(fetched.record, where=fetched.url)
    genome = Genome([contig], where=fetched.url)
    annotations = convert_records([fetched.record], genome, where=fetched.url)
    names = ("sequence.fa.gz", "annotation.gff3.gz")
    with atomic_path(out) as folder:
        write_fasta(genome, folder / names[0])
        write_gff3(annotations, folder / names[1])
        source = {
            "accession": contig.name,
            "organism": str(fetched.record.annotations.get("organism", "")),
            "length": contig.length,
            "topology": "circular" if contig.circular else "linear",
            "genome_sha256": genome.sha256,
            "origin": {"url": fetched.url},
            "sha256": {name: sha256_file(folder / name) for name in names},
            "elements": annotations.counts(),
        }
        text = yaml.safe_dump(source, sort_keys=False, width=96)
        (folder / "source.yaml").write_text(text, encoding="utf-8")
    return FetchedGenome(
        contig.name, contig.length, len(annotations), out / names[0], out / names[1]
    )


def _check_replaceable(out: Path) -> None:
    if not out.exists() or (out / "source.yaml").is_file():
        return
    if not out.is_dir() or any(out.iterdir()):
        found = "other files" if out.is_dir() else "a file"
        message = f"{out}: expected a new folder, or one that fetch made, found {found}"
        raise StorageError(message)
