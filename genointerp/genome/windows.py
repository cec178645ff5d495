"""Windows: the stretches that a model reads in one pass.

A causal model knows nothing at the first base of its input, so each window begins with a warm-up
that is read and discarded. The kept bases of all windows tile every contig exactly once per strand.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import UInt8

from genointerp.core.errors import ConfigError, CoordinateError
from genointerp.genome.genome import Contig, Genome, reverse_complement
from genointerp.genome.interval import GenomicInterval, Strand, format_region


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
    """

    kept: GenomicInterval
    warmup: int


def tile_windows(
    genome: Genome,
    *,
    length: int,
    warmup: int,
    strands: Sequence[Strand] = ("+", "-"),
    regions: Sequence[GenomicInterval] = (),
) -> list[Window]:
    """Cut a genome, or regions of it, into windows.

    Parameters
    ----------
    length
        Bases of a full window, warm-up included.
    warmup
        Bases discarded at the head of each window. On a circular contig they wrap around the
        origin.
    regions
        Only these intervals; the whole of every contig where empty. They must not overlap.
        Their strand is not looked at.

    Raises
    ------
    ConfigError
        If ``length`` does not exceed ``warmup``.
    CoordinateError
        If a region is not inside a contig of the genome, or two regions overlap.
    """
    if not 0 <= warmup < length:
        raise ConfigError("warmup", f"0 <= warmup < length={length}", str(warmup))
    _check_regions(regions, genome)
    regions = regions or [
        GenomicInterval(name, 0, contig.length) for name, contig in genome.items()
    ]
    step = length - warmup
    windows = []
    for region in regions:
        contig = genome[region.seqid]
        for strand in strands:
            for offset in range(0, region.length, step):
                kept = _kept(region, offset, step, strand)
                windows.append(Window(kept, _available(contig, kept, warmup)))
    return windows


def window_sequence(genome: Genome, window: Window) -> UInt8[np.ndarray, " bp"]:
    """Return warm-up and kept bases as the model reads them, 5' to 3' on the window's strand."""
    kept, contig = window.kept, genome[window.kept.seqid]
    if kept.strand == "-":
        bases = _wrapped(contig, kept.start, kept.end + window.warmup)
        return reverse_complement(bases)
    return _wrapped(contig, kept.start - window.warmup, kept.end)


def _check_regions(regions: Sequence[GenomicInterval], genome: Genome) -> None:
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


def _kept(region: GenomicInterval, offset: int, step: int, strand: Strand) -> GenomicInterval:
    if strand == "-":
        end = region.end - offset
        return GenomicInterval(region.seqid, max(region.start, end - step), end, "-")
    start = region.start + offset
    return GenomicInterval(region.seqid, start, min(region.end, start + step), strand)


def _available(contig: Contig, kept: GenomicInterval, warmup: int) -> int:
    if contig.circular:
        return min(warmup, contig.length - kept.length)
    before = contig.length - kept.end if kept.strand == "-" else kept.start
    return min(warmup, before)


def _wrapped(contig: Contig, start: int, end: int) -> UInt8[np.ndarray, " bp"]:
    if start >= 0 and end <= contig.length:
        return contig.sequence[start:end]
    return contig.sequence[np.arange(start, end) % contig.length]
