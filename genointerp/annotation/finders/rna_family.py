"""RNA families by pyinfernal (Infernal; Nawrocki and Eddy 2013), with the user's models."""

from collections.abc import Iterator, Mapping

from genointerp.annotation.finders.finding import (
    FindConfig,
    Finding,
    given_file,
    needed,
    strand_of,
)


def find_rna_families(contigs: Mapping[str, str], config: FindConfig) -> Iterator[Finding]:
    """Yield the hits of each covariance model, named after it."""
    with needed("pyinfernal"):
        from pyhmmer.easel import Alphabet, TextSequence
        from pyinfernal import cmsearch
        from pyinfernal.cm import CMFile

    what = "covariance models for pyinfernal, such as Rfam.cm"
    path = given_file(config.covariance_models, "covariance_models", what)
    alphabet = Alphabet.rna()
    names = list(contigs)
    sequences = [
        TextSequence(name=str(number), sequence=contigs[seqid]).digitize(alphabet)
        for number, seqid in enumerate(names)
    ]
    # both strands are searched, and E-values are for as many bases
    size = 2 * sum(map(len, contigs.values()))
    options = {"alphabet": alphabet, "Z": size, "E": config.max_evalue}
    with CMFile(path) as models:
        for hits in cmsearch(models, sequences, cpus=1, **options):
            for hit in hits.reported:
                first, last = hit.alignment.target_from, hit.alignment.target_to
                attributes = {"Name": hits.query.name, "evalue": f"{hit.evalue:.2g}"}
                if hits.query.accession:
                    attributes["Dbxref"] = f"RFAM:{hits.query.accession}"
                start, end = min(first, last) - 1, max(first, last)
                strand = strand_of(last - first)
                yield Finding(names[int(hit.name)], "ncRNA", start, end, strand, attributes)
