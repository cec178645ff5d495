"""Protein-coding genes by pyrodigal (Prodigal; Hyatt et al. 2010)."""

from collections.abc import Iterator, Mapping
from typing import Any

from genointerp.annotation.finders.finding import FindConfig, Finding, needed, strand_of
from genointerp.core.errors import InputError

_FEWEST_TO_TRAIN = 100_000
"""Genomes with fewer bases are too short for Prodigal to learn a model of their own."""


def find_coding(contigs: Mapping[str, str], config: FindConfig) -> Iterator[Finding]:
    """Yield CDS; the model is learnt on all contigs together.

    Genomes below 100,000 bases are searched with Prodigal's models of metagenomes of the same
    genetic code. No gene runs across 50 unknown bases or more.
    """
    with needed("pyrodigal"):
        import pyrodigal

    sequences = [bases.encode() for bases in contigs.values()]
    if sum(map(len, sequences)) >= _FEWEST_TO_TRAIN:
        finder = pyrodigal.GeneFinder(mask=True)
        finder.train(*sequences, translation_table=config.translation_table)
    else:
        bins = [
            one
            for one in pyrodigal.METAGENOMIC_BINS
            if one.training_info.translation_table == config.translation_table
        ]
        if not bins:
            expected = f"a genome of {_FEWEST_TO_TRAIN} bp or more for this genetic code"
            raise InputError("translation_table", expected, str(config.translation_table))
        models = pyrodigal.MetagenomicBins(bins)
        finder = pyrodigal.GeneFinder(meta=True, metagenomic_bins=models, mask=True)
    for seqid, sequence in zip(contigs, sequences, strict=True):
        for gene in finder.find_genes(sequence):
            attributes = {"score": f"{gene.score:.2f}", "transl_table": str(gene.translation_table)}
            attributes |= _open_ends(gene)
            strand = strand_of(gene.strand)
            yield Finding(seqid, "CDS", gene.begin - 1, gene.end, strand, attributes)


def _open_ends(gene: Any) -> dict[str, str]:  # noqa: ANN401
    """Mark, as NCBI does, that a gene continues beyond the end of its contig."""
    ranges = {}
    if gene.partial_begin:
        ranges["start_range"] = f".,{gene.begin}"
    if gene.partial_end:
        ranges["end_range"] = f"{gene.end},."
    return {"partial": "true", **ranges} if ranges else {}
