"""CRISPR arrays by diced (after MinCED, and CRT by Bland et al. 2007)."""

from collections.abc import Iterator, Mapping

from genointerp.annotation.finders.finding import FindConfig, Finding, needed


def find_crispr(contigs: Mapping[str, str], config: FindConfig) -> Iterator[Finding]:
    """Yield arrays, repeats and spacers together; they have no strand."""
    with needed("diced"):
        import diced

    for seqid, bases in contigs.items():
        for array in diced.scan(bases):
            attributes = {"n_repeats": str(len(array.repeats))}
            yield Finding(seqid, "CRISPR", array.start, array.end, ".", attributes)
