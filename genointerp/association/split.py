"""Fit and test: where thresholds and pairs are chosen, and where the numbers come from.

The split is by clades, by whole sequences or by long blocks, never by base: neighbouring bases
are no independent evidence, and near relatives hardly any.
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
        If ``config`` names a sequence that no genome has, or a clade that no sequence is of.
    InputError
        If nothing is left to choose upon, a sequence has no clade where others have, or a clade
        is on both sides.
    """
    known = [contig.seqid for contigs in genomes for contig in contigs]
    _check_known("test", config.test, known, "sequences")
    test = frozenset(config.test)
    if config.clades:
        test = _test_of_clades(known, config)
    if set(known) <= test:
        raise InputError("test", "at least one sequence left for fit", "every sequence named")
    return [_split_genome(contigs, test, config) for contigs in genomes]


def _test_of_clades(known: Sequence[str], config: AssociateConfig) -> frozenset[str]:
    clades = config.clades
    _check_known("clades", list(clades), known, "sequences")
    for seqid in known:
        if seqid not in clades:
            raise InputError("clades", "the clade of each sequence", f"none for {seqid}")
    _check_known("test_clades", config.test_clades, sorted(set(clades.values())), "clades")
    if not config.test and not config.test_clades:
        expected = "the clades or the sequences of test, where clades are given"
        raise InputError("test_clades", expected, "none")
    if config.test_clades:
        return frozenset(seqid for seqid in known if clades[seqid] in config.test_clades)
    test = frozenset(config.test)
    divided = {clades[seqid] for seqid in test} & {clades[seqid] for seqid in set(known) - test}
    if divided:
        found = f"{min(divided)!r} on both"
        raise InputError("test", "each clade on one side", found)
    return test


def _check_known(where: str, names: Sequence[str], known: Sequence[str], kind: str) -> None:
    for name in names:
        if name not in known:
            shown = ", ".join(known[:5]) + (" ..." if len(known) > 5 else "")
            raise UnknownNameError(where, f"one of the {kind} {shown}", repr(name))


def _split_genome(
    contigs: Sequence[ContigInfo], test: frozenset[str], config: AssociateConfig
) -> Split:
    if test:
        whole = [GenomicInterval(contig.seqid, 0, contig.length) for contig in contigs]
        fit = tuple(interval for interval in whole if interval.seqid not in test)
        return Split(fit, tuple(interval for interval in whole if interval.seqid in test))
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
