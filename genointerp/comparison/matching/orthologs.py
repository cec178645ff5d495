"""Genes that two genomes have in common, and what features do in them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from genointerp.annotation.annotation_set import Element
from genointerp.annotation.terms import rrna_size
from genointerp.association.count.tracks import stream_rows
from genointerp.core.progress import Progress, silent
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import UNKNOWN, base_codes, reverse_complement_codes
from genointerp.store.contigs import contig_offsets
from genointerp.store.feature.store import STRANDS, FeatureStore

LEAST_READ = 0.8
"""Least share of a gene that must have been read on its strand."""

_NAME = re.compile(r"(?!y)[a-z]{3}[a-z0-9]{0,3}")
_PLACES = 3
_RNA = ("tRNA", "rRNA", "rRNA_5S", "rRNA_16S", "rRNA_23S", "tmRNA")


class Gene(NamedTuple):
    """A gene that was read.

    Parameters
    ----------
    key
        What its orthologue has too: type, and name or product.
    genome
        Index of the specimen.
    parts
        Its bases, each part with the strand of the gene.
    """

    key: tuple[str, str]
    genome: int
    parts: tuple[GenomicInterval, ...]

    @property
    def length(self) -> int:
        """Number of bases."""
        return sum(part.length for part in self.parts)


def find_genes(specimens: Sequence[Specimen]) -> dict[tuple[str, str], list[Gene]]:
    """Return the genes that were read, by what their orthologues share.

    A coding sequence has its gene name if that is one of the usual form, such as *dnaA*, and only
    if no other in its genome has it; else its EC number, if it is complete and no other without a
    name has it. Names with *y* are provisional ones, which each genome gives by itself, and do not
    count. Ribosomal RNAs go by size and transfer RNAs by product, and may be several.
    """
    found: dict[tuple[str, str], list[Gene]] = {}
    for genome, specimen in enumerate(specimens):
        own: dict[tuple[str, str], list[Gene]] = {}
        for element in specimen.needs("annotation"):
            key = _key(element)
            if key is not None:
                parts = tuple(
                    GenomicInterval(it.seqid, it.start, it.end, it.strand) for it in element.parts
                )
                own.setdefault(key, []).append(Gene(key, genome, parts))
        for key, genes in own.items():
            if key[0] != "CDS" or len(genes) == 1:
                read = [gene for gene in genes if _is_read(specimen.features, gene.parts)]
                found.setdefault(key, []).extend(read)
    return {key: genes for key, genes in found.items() if genes}


def _key(element: Element) -> tuple[str, str] | None:
    if element.type == "CDS":
        name = element.attribute("gene").lower()
        if _NAME.fullmatch(name):
            return "CDS", name
        number = element.attribute("EC_number") or element.attribute("ec_number")
        return ("CDS", number) if re.fullmatch(r"\d+(\.\d+){3}", number) else None
    if element.type not in _RNA or element.parts[0].strand == ".":
        return None
    if element.type.startswith("rRNA"):
        size = rrna_size(element)
        return ("rRNA", size) if size else None
    product = element.attribute("product").lower()
    return (element.type, product) if product else None


def _is_read(store: FeatureStore, parts: Sequence[GenomicInterval]) -> bool:
    n_read = sum(
        store.n_read(part, strand) for part in parts for strand in STRANDS if strand == part.strand
    )
    length = sum(part.length for part in parts)
    return length > 0 and n_read >= LEAST_READ * length


def gene_means(
    specimens: Sequence[Specimen],
    genes: Sequence[Sequence[Gene]],
    *,
    progress: Progress = silent,
) -> Float64[np.ndarray, "feature gene"]:
    """Return the mean activation of each feature over the bases of genes, on their own strand.

    Parameters
    ----------
    genes
        For each column the genes whose bases are averaged: several copies of an RNA, or one. A base
        that two genes share counts for the first.
    """
    stores = [specimen.features for specimen in specimens]
    column = {
        (genome, strand): np.full(store.n_rows, -1, np.int32)
        for genome, store in enumerate(stores)
        for strand in STRANDS
    }
    length = np.zeros(len(genes))
    for number, copies in enumerate(genes):
        for gene in copies:
            offsets = contig_offsets(stores[gene.genome].header.contigs)
            for part in gene.parts:
                own = column[gene.genome, "-" if part.strand == "-" else "+"]
                shift = int(offsets[part.seqid])
                rows = own[shift + part.start : shift + part.end]
                rows[rows < 0] = number
            length[number] += gene.length
    means = np.zeros((stores[0].n_features, len(genes)))
    wanted = list(range(stores[0].n_features))
    for feature, tracks in stream_rows(stores, wanted):
        for track in tracks:
            number = column[track.genome, track.strand][track.row]
            inside = number >= 0
            weights = track.value[inside].astype(np.float64)
            means[feature] += np.bincount(number[inside], weights, minlength=len(genes))
        progress(feature + 1, len(wanted))
    return means / np.maximum(length, 1)


def composition(
    specimens: Sequence[Specimen], genes: Sequence[Sequence[Gene]]
) -> Float64[np.ndarray, "gene column"]:
    """Return what the genes are made of: 12 shares of bases by place in the codon, and log length.

    The place is counted from the first base of a gene, modulo 3, of RNAs too. Copies have their
    mean length.
    """
    shares = np.zeros((len(genes), _PLACES * UNKNOWN))
    for number, copies in enumerate(genes):
        for gene in copies:
            shares[number] += _bases_by_place(specimens[gene.genome], gene)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1)
    length = np.log([np.mean([gene.length for gene in copies]) for copies in genes])
    return np.column_stack([shares, length])


def gc_of(design: Float64[np.ndarray, "gene column"]) -> Float64[np.ndarray, " gene"]:
    """Return the GC content of genes from their `composition`."""
    shares = design[:, : _PLACES * UNKNOWN].reshape(len(design), _PLACES, UNKNOWN).sum(axis=1)
    return np.asarray(shares[:, 1] + shares[:, 2], dtype=np.float64)


def _bases_by_place(specimen: Specimen, gene: Gene) -> Int64[np.ndarray, " column"]:
    sequence = specimen.needs("sequence")
    parts = []
    for part in gene.parts:
        codes = base_codes(sequence[part.seqid].sequence[part.start : part.end])
        parts.append(reverse_complement_codes(codes) if part.strand == "-" else codes)
    codes = np.concatenate(parts).astype(np.int64)
    place = np.arange(len(codes)) % _PLACES
    known = codes < UNKNOWN
    column = place[known] * UNKNOWN + codes[known]
    return np.bincount(column, minlength=_PLACES * UNKNOWN).astype(np.int64)
