"""A genome from NCBI, laid down like the shipped ones."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from genointerp.annotation.genbank import convert_records
from genointerp.annotation.gff3.file import write_gff3
from genointerp.core.arguments import StrPath
from genointerp.core.config import read_yaml
from genointerp.core.errors import ConfigError
from genointerp.core.files import atomic_path, check_replaceable
from genointerp.core.provenance import sha256_file
from genointerp.genome.fetch import FetchConfig, fetch_genbank
from genointerp.genome.genome import Genome
from genointerp.genome.read import record_contig, write_fasta


@dataclass(frozen=True)
class FetchedGenome:
    """What `fetch` wrote.

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


def fetch(
    accession: str,
    out: StrPath,
    *,
    config: FetchConfig | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> FetchedGenome:
    """Download one record and write ``sequence.fa.gz``, ``annotation.gff3.gz`` and their indexes.

    The folder ``out`` appears only when all of it is there; ``source.yaml`` says where it came
    from.

    Raises
    ------
    SequenceError
        If the server does not give the whole record of this accession.
    AnnotationError
        If a feature of the record lies outside it.
    StorageError
        If the files cannot be written, or ``out`` holds something else. It is reported before the
        download, unless it is another state of the same record.
    """
    out = Path(out)
    check_replaceable(out, same=_is_fetched(out, accession))
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


def _is_fetched(out: Path, accession: str) -> bool:
    """Say whether a folder holds this record, in whatever version where none is named."""
    try:
        source = read_yaml(out / "source.yaml")
    except ConfigError:
        return False
    found = source.get("accession") if isinstance(source, dict) else None
    return isinstance(found, str) and accession in (found, found.partition(".")[0])
