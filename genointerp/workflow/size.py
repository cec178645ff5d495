"""What a run reads of genomes, chosen by their size; docs/start.md says the same in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genointerp.core.errors import InputError
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.genome.windows import spread_stretches

MOST_BASES = 5_000_000
"""Bases that a run reads of all its genomes together; each genome has an equal share."""

STRETCH = 100_000
"""Bases of one of the stretches that stand for a genome with more."""

WINDOW, WARMUP = 2048, 256
"""As the shipped dictionary was trained."""

LEAST_BASES = 2_000
"""Fewer bases are too few to choose a threshold on one half and to measure on the other."""

FOR_CONTROLS = 1_000_000
"""Bases up to which a run measures baselines and hides known classes, too."""


@dataclass(frozen=True)
class Choice:
    """What a run reads, and what it measures of it.

    Parameters
    ----------
    regions
        Of each genome, by its name; a genome that is read whole has none.
    n_bases
        Bases that are read of all genomes together, on each strand.
    """

    regions: Mapping[str, tuple[str, ...]]
    n_bases: int

    @property
    def has_controls(self) -> bool:
        """Whether baselines and the backtest are affordable."""
        return self.n_bases <= FOR_CONTROLS

    def settings(self) -> dict[str, Any]:
        """Return the keys of a configuration that follow from the size alone."""
        windows = {"length": WINDOW, "warmup": WARMUP}
        if self.has_controls:
            return {"windows": windows, "baselines": {}}
        return {"windows": windows, "backtest": False}


def choose(genomes: Mapping[str, Genome]) -> Choice:
    """Choose what a run of some genomes reads.

    Raises
    ------
    InputError
        If a genome has fewer than `LEAST_BASES` known bases.
    """
    share = MOST_BASES // len(genomes)
    regions: dict[str, tuple[str, ...]] = {}
    n_bases = 0
    for name, genome in genomes.items():
        total = sum(genome.lengths.values())
        if total < LEAST_BASES:
            expected = f"{LEAST_BASES:,} bases or more, to choose on some and to measure on others"
            raise InputError(name, expected, f"{total:,}")
        if total > share:
            whole = [GenomicInterval(seqid, 0, length) for seqid, length in genome.lengths.items()]
            parts = spread_stretches(whole, n_bases=share, length=STRETCH)
            regions[name] = tuple(map(format_region, parts))
        n_bases += min(total, share)
    return Choice(regions, n_bases)
