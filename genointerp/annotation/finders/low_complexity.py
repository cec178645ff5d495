"""Low-complexity sequence by pydustmasker (symmetric DUST; Morgulis et al. 2006)."""

from collections.abc import Iterator, Mapping

from genointerp.annotation.finders.finding import FindConfig, Finding, needed

_FEWEST = 4


def find_low_complexity(contigs: Mapping[str, str], config: FindConfig) -> Iterator[Finding]:
    """Yield stretches of low complexity, with DUST's window of 64 and threshold of 20."""
    with needed("pydustmasker"):
        from pydustmasker import DustMasker

    for seqid, bases in contigs.items():
        if len(bases) >= _FEWEST:
            for start, end in DustMasker(bases).intervals:
                yield Finding(seqid, "low_complexity_region", start, end, ".")
