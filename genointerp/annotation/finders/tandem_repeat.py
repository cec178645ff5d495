"""Tandem repeats by pytrf (Du et al. 2024)."""

from collections.abc import Iterator, Mapping

from genointerp.annotation.finders.finding import FindConfig, Finding, needed

_LONGEST_UNIT, _FEWEST_UNITS, _SHORTEST = 100, 3, 12


def find_tandem_repeats(contigs: Mapping[str, str], config: FindConfig) -> Iterator[Finding]:
    """Yield exact repeats of units of 1 to 100 bp: three units and 12 bp or more."""
    with needed("pytrf"):
        from pytrf import GTRFinder

    for seqid, bases in contigs.items():
        found = GTRFinder(
            "contig",
            bases,
            min_motif=1,
            max_motif=_LONGEST_UNIT,
            min_repeat=_FEWEST_UNITS,
            min_length=_SHORTEST,
        )
        for repeat in found:
            attributes = {"unit": repeat.motif, "n_units": str(repeat.repeat)}
            yield Finding(seqid, "tandem_repeat", repeat.start - 1, repeat.end, ".", attributes)
