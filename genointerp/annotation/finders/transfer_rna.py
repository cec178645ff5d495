"""Transfer RNA and tmRNA genes by pyaragorn (ARAGORN; Laslett and Canback 2004)."""

from collections.abc import Iterator, Mapping

from genointerp.annotation.finders.finding import FindConfig, Finding, needed, strand_of


def find_transfer_rna(contigs: Mapping[str, str], config: FindConfig) -> Iterator[Finding]:
    """Yield tRNA and tmRNA genes."""
    with needed("pyaragorn"):
        import pyaragorn

    finder = pyaragorn.RNAFinder(config.translation_table, linear=True)
    for seqid, bases in contigs.items():
        for gene in finder.find_rna(bases.encode()):
            attributes = {"score": f"{gene.energy:.2f}"}
            if gene.type == "tRNA":
                attributes["product"] = f"tRNA-{gene.amino_acid}"
                attributes["anticodon"] = gene.anticodon
            strand = strand_of(gene.strand)
            yield Finding(seqid, gene.type, gene.begin - 1, gene.end, strand, attributes)
