"""Ribosomal RNA genes of bacteria by pybarrnap (after Seemann's Barrnap)."""

import logging
from collections.abc import Iterator, Mapping

from genointerp.annotation.finders.finding import FindConfig, Finding, needed, strand_of


def find_ribosomal_rna(contigs: Mapping[str, str], config: FindConfig) -> Iterator[Finding]:
    """Yield rRNA genes."""
    with needed("pybarrnap"):
        from pybarrnap import Barrnap

    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

    # it logs each step, to the root too
    logging.getLogger("pybarrnap").propagate = False
    # its parser of hits splits names at blanks; numbers have none
    names = {f"contig{number}": seqid for number, seqid in enumerate(contigs)}
    records = [
        SeqRecord(Seq(contigs[seqid]), id=name, name=name, description="")
        for name, seqid in names.items()
    ]
    for record in Barrnap(records).run().seq_records:
        for gene in record.features:
            start, end = int(gene.location.start), int(gene.location.end)
            attributes = {
                "Name": gene.qualifiers["gene"][0],
                "product": gene.qualifiers["product"][0],
            }
            strand = strand_of(gene.location.strand)
            yield Finding(names[record.id], "rRNA", start, end, strand, attributes)
