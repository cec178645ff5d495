"""Windows: the stretches that a model reads in one pass.

A causal model knows nothing at the first base of its input, so each window begins with a warm-up
that is read and discarded; a masked model, which reads both ways, is given a halo behind the kept
bases too. The kept bases of all windows tile every contig exactly once per strand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import UInt8

from genointerp.core.errors import ConfigError, CoordinateError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval, Strand, format_region
from genointerp.genome.letters import reverse_complement


@dataclass(frozen=True, slots=True)
class Window:
    """One pass of the model.

    Parameters
    ----------
    kept
        Bases whose activations are kept, in forward coordinates, with the strand that is read.
    warmup
        Bases read before them, upstream on that strand; fewer than asked for at the end of a
        linear contig.
    cooldown
        Bases read after them, downstream on that strand; fewer at the end of a linear contig.
    """

    kept: GenomicInterval
    warmup: int
    cooldown: int = 0

    @property
    def length(self) -> int:
        """Number of bases read."""
        return self.warmup + self.kept.length + self.cooldown


def tile_windows(
    genome: Genome,
    *,
    length: int,
    warmup: int,
    halo: int = 0,
    grid: int = 1,
    strands: Sequence[Strand] = ("+", "-"),
    regions: Sequence[GenomicInterval] = (),
) -> list[Window]:
    """Cut a genome, or regions of it, into windows.

    Parameters
    ----------
    length
        Bases of a full window, warm-up and halo included.
    warmup
        Bases discarded at the head of each window. On a circular contig they wrap around the
        origin.
    halo
        Bases discarded at the tail of each window. On a circular contig they wrap around the
        origin.
    grid
        Length of the words of a model that reads k-mers. A window then begins a whole number of
        words from the end of its contig at which the strand begins, and so do its kept bases but
        where a region begins: words are the same in every window. The lengths asked for are cut
        down to what that allows, except that a region that begins inside a word is read from the
        beginning of that word.
    regions
        Only these intervals; the whole of every contig where empty. They must not overlap.
        Their strand is ignored.

    Raises
    ------
    ConfigError
        If ``length`` does not exceed ``warmup`` and ``halo`` by a word at least.
    CoordinateError
        If a region is not inside a contig of the genome, or two regions overlap.
    """
    step = (length - warmup - halo) // grid * grid
    if warmup < 0 or halo < 0 or step < 1:
        expected = f"0 <= warmup < length={length}"
        if halo or grid > 1:
            expected = f"warmup and halo={halo} that leave {grid} bases or more of length={length}"
        raise ConfigError("warmup", expected, str(warmup))
    check_regions(regions, genome)
    regions = regions or [
        GenomicInterval(name, 0, contig.length) for name, contig in genome.items()
    ]
    return [
        _surrounded(genome[region.seqid], kept, warmup, halo, grid)
        for region in regions
        for strand in strands
        for kept in _tiles(genome[region.seqid], region, step, strand, grid)
    ]


def spread_stretches(
    regions: Sequence[GenomicInterval], *, n_bases: int, length: int
) -> list[GenomicInterval]:
    """Return stretches spread evenly over regions, as a sample of them.

    Parameters
    ----------
    regions
        Disjoint, in any order; laid end to end, they are cut into as many equal shares as there
        are stretches, and a stretch lies in the middle of each.
    n_bases
        Bases of all stretches together. The regions themselves are returned if they have no more.
    length
        Of a stretch, at most; one that meets the end of a region goes on in the next.

    Examples
    --------
    >>> regions = [GenomicInterval("a", 0, 70), GenomicInterval("b", 0, 30)]
    >>> found = spread_stretches(regions, n_bases=40, length=20)
    >>> [(one.seqid, one.start, one.end) for one in found]
    [('a', 15, 35), ('a', 65, 70), ('b', 0, 15)]
    """
    ends = np.cumsum([region.length for region in regions])
    total = int(ends[-1]) if len(ends) else 0
    n = -(-n_bases // length)
    if n_bases >= total:
        return list(regions)
    sizes = [n_bases * (i + 1) // n - n_bases * i // n for i in range(n)]
    firsts = [(2 * i + 1) * total // (2 * n) - size // 2 for i, size in enumerate(sizes)]
    # where hardly a base is left out, rounding would let neighbours share one
    for i in range(1, n):
        firsts[i] = max(firsts[i], firsts[i - 1] + sizes[i - 1])
    room = total
    for i in reversed(range(n)):
        firsts[i] = min(firsts[i], room - sizes[i])
        room = firsts[i]
    return [
        GenomicInterval(region.seqid, start, end)
        for first, size in zip(firsts, sizes, strict=True)
        for region, last in zip(regions, ends.tolist(), strict=True)
        for start in [region.start + max(first - (last - region.length), 0)]
        for end in [region.start + min(first + size - (last - region.length), region.length)]
        if start < end
    ]


def window_sequence(genome: Genome, window: Window) -> UInt8[np.ndarray, " bp"]:
    """Return all bases of a window as the model reads them, 5' to 3' on its strand."""
    kept, contig = window.kept, genome[window.kept.seqid]
    if kept.strand == "-":
        bases = _wrapped(contig, kept.start - window.cooldown, kept.end + window.warmup)
        return reverse_complement(bases)
    return _wrapped(contig, kept.start - window.warmup, kept.end + window.cooldown)


def check_regions(regions: Sequence[GenomicInterval], genome: Genome) -> None:
    """Refuse regions that lie outside a genome or overlap.

    Raises
    ------
    CoordinateError
        The message names the first of them.
    """
    ordered = sorted(regions)
    for region in ordered:
        if region.seqid not in genome:
            raise CoordinateError(region.seqid, f"one of {', '.join(genome)}", region.seqid)
        if region.end > genome[region.seqid].length:
            expected = f"end <= {genome[region.seqid].length}"
            raise CoordinateError(region.seqid, expected, f"end={region.end}")
    for left, right in pairwise(ordered):
        if left.intersection(right) is not None:
            found = f"{format_region(left)} and {format_region(right)}"
            raise CoordinateError("regions", "intervals that do not overlap", found)


def _tiles(
    contig: Contig, region: GenomicInterval, step: int, strand: Strand, grid: int
) -> Iterator[GenomicInterval]:
    """Yield the kept bases of each window in reading order; all but the first begin a word."""
    phase = _upstream(contig, region, strand) % grid
    edges = [0, *range(step - phase, region.length, step), region.length]
    for first, last in pairwise(edges if region.length else []):
        if strand == "-":
            yield GenomicInterval(region.seqid, region.end - last, region.end - first, "-")
        else:
            yield GenomicInterval(region.seqid, region.start + first, region.start + last, strand)


def _surrounded(contig: Contig, kept: GenomicInterval, warmup: int, halo: int, grid: int) -> Window:
    """Add what is read before and after; no base of a circular contig is read twice."""
    upstream = _upstream(contig, kept, kept.strand)
    free = contig.length - kept.length
    if contig.circular and free < warmup + halo:
        warmup = free * warmup // (warmup + halo)
    elif not contig.circular:
        warmup = min(warmup, upstream)
    warmup -= (warmup - upstream) % grid
    if warmup < 0:
        warmup = upstream % grid
    downstream = free - warmup if contig.circular else free - upstream
    cooldown = min(halo, downstream)
    beyond = (warmup + kept.length + cooldown) % grid
    # the last word is whole, too, where there is a halo to cut it from
    return Window(kept, warmup, cooldown - beyond if beyond <= cooldown else cooldown)


def _upstream(contig: Contig, interval: GenomicInterval, strand: Strand) -> int:
    """Bases between the end of the contig at which a strand begins and an interval."""
    return contig.length - interval.end if strand == "-" else interval.start


def _wrapped(contig: Contig, start: int, end: int) -> UInt8[np.ndarray, " bp"]:
    if start >= 0 and end <= contig.length:
        return contig.sequence[start:end]
    return contig.sequence[np.arange(start, end) % contig.length]
