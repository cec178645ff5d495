"""Fit and test: where thresholds and pairs are chosen, and where the numbers come from.

The split is by whole sequences or by long blocks, never by base: neighbouring bases are no
independent evidence.
"""

from collections.abc import Sequence
from typing import NamedTuple

from genointerp.association.config import AssociateConfig
from genointerp.core.errors import InputError, UnknownNameError
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo

Stretches = tuple[GenomicInterval, ...]


class Split(NamedTuple):
    """The stretches of one genome on either side, sorted, in forward coordinates."""

    fit: Stretches
    test: Stretches


def split_genomes(genomes: Sequence[Sequence[ContigInfo]], config: AssociateConfig) -> list[Split]:
    """Divide the contigs of each genome into fit and test.

    Raises
    ------
    UnknownNameError
        If ``config.test`` names a sequence that no genome has.
    InputError
        If every sequence is named, so that nothing is left to choose upon.
    """
    known = [contig.seqid for contigs in genomes for contig in contigs]
    for seqid in config.test:
        if seqid not in known:
            shown = ", ".join(known[:5]) + (" ..." if len(known) > 5 else "")
            raise UnknownNameError("test", f"one of the sequences {shown}", repr(seqid))
    if set(known) <= set(config.test):
        raise InputError("test", "at least one sequence left for fit", "every sequence named")
    return [_split_genome(contigs, config) for contigs in genomes]


def _split_genome(contigs: Sequence[ContigInfo], config: AssociateConfig) -> Split:
    if config.test:
        whole = [GenomicInterval(contig.seqid, 0, contig.length) for contig in contigs]
        fit = tuple(interval for interval in whole if interval.seqid not in config.test)
        return Split(fit, tuple(interval for interval in whole if interval.seqid in config.test))
    blocks = [block for contig in contigs for block in _blocks(contig, config)]
    return Split(
        fit=tuple(interval for number, interval in blocks if number % 2 == 0),
        test=tuple(interval for number, interval in blocks if number % 2 == 1),
    )


def _blocks(contig: ContigInfo, config: AssociateConfig) -> list[tuple[int, GenomicInterval]]:
    blocks = []
    for number, start in enumerate(range(0, contig.length, config.block_bp)):
        end = min(start + config.block_bp, contig.length)
        # the origin of a circular contig joins its last block to its first
        head = start + config.gap_bp if start > 0 or contig.circular else start
        tail = end - config.gap_bp if end < contig.length or contig.circular else end
        if head < tail:
            blocks.append((number, GenomicInterval(contig.seqid, head, tail)))
    return blocks
