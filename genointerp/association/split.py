"""Divide genomes into fit, where choices are made, and test, where results are measured.

The split is by clades, by whole sequences or by long blocks, and never by base: neighbouring bases
are not independent evidence, and close relatives hardly are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from genointerp.association.config import AssociateConfig
from genointerp.core.errors import InputError, UnknownNameError
from genointerp.core.nearest import suggested
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.store import FeatureStore

Stretches = tuple[GenomicInterval, ...]

SideName = Literal["fit", "test"]
SIDE_NAMES: tuple[SideName, SideName] = ("fit", "test")

LEAST_SHARE = 0.25
"""Smallest share of the bases that each side must have when the size of blocks is chosen."""

LEAST_STRETCHES = 2
"""Fewest stretches of each side, so that no side comes from one part of a genome only."""


class Split(NamedTuple):
    """The stretches of one genome on either side, sorted, in forward coordinates."""

    fit: Stretches
    test: Stretches


class Divisible(NamedTuple):
    """What must be known about a genome to divide it.

    Parameters
    ----------
    contigs
        All contigs, in the order of the genome.
    sha256
        sha256 of the genome.
    read
        Stretches that were or will be read, on one strand.
    """

    contigs: Sequence[ContigInfo]
    sha256: str
    read: Stretches

    @classmethod
    def of_store(cls, store: FeatureStore) -> "Divisible":
        """Describe the genome of a features file."""
        read = store.coverage("+") or store.coverage("-")
        return cls(store.header.contigs, store.header.genome_sha256, read)

    @classmethod
    def of_genome(cls, genome: Genome, regions: Sequence[GenomicInterval] = ()) -> "Divisible":
        """Describe a genome of which some regions will be read, or all of it if none are given."""
        whole = (GenomicInterval(name, 0, length) for name, length in genome.lengths.items())
        return cls(ContigInfo.of(genome), genome.sha256, tuple(regions or whole))


def split_stores(stores: Sequence[FeatureStore], config: AssociateConfig) -> list[Split]:
    """Divide the genomes of features files; see `split_genomes`."""
    return split_genomes([Divisible.of_store(store) for store in stores], config)


def fit_blocks(genomes: Sequence[Divisible], config: AssociateConfig) -> AssociateConfig:
    """Return a configuration with blocks that the genomes have room for.

    It is returned unchanged if sequences, genomes or clades are named for test.

    Raises
    ------
    InputError
        If the bases that are read cannot be divided by any blocks.

    Notes
    -----
    Blocks, and the bases dropped between them, are halved until each side has `LEAST_STRETCHES`
    stretches that are read and `LEAST_SHARE` of the bases of both sides.
    """
    if config.test or config.test_genomes or config.clades:
        return config
    block = config.block_bp
    while block > 0:
        gap = config.gap_bp * block // config.block_bp
        fitted = replace(config, block_bp=block, gap_bp=gap)
        sides = sides_read(genomes, fitted)
        if all(_has_room(side, sides) for side in sides):
            return fitted
        block //= 2
    n_bases = sum(part.length for genome in genomes for part in genome.read)
    expected = "genomes with enough bases for blocks of fit and of test"
    raise InputError("test", expected, f"{n_bases} bases that are read")


def sides_read(genomes: Sequence[Divisible], config: AssociateConfig) -> Split:
    """Return the stretches of each side that are read, over all genomes.

    The errors are those of `split_genomes`.
    """
    splits = split_genomes(genomes, config)
    fit, test = (
        tuple(
            part
            for genome, split in zip(genomes, splits, strict=True)
            for part in _read_of(genome, getattr(split, side))
        )
        for side in Split._fields
    )
    return Split(fit, test)


def split_genomes(genomes: Sequence[Divisible], config: AssociateConfig) -> list[Split]:
    """Divide the contigs of each genome into fit and test.

    Raises
    ------
    UnknownNameError
        If ``config`` names a sequence or genome that is not among these, or a clade that no
        sequence belongs to.
    InputError
        If nothing is left for fit, a sequence has no clade although others have one, or a clade is
        on both sides.
    """
    known = [contig.seqid for genome in genomes for contig in genome.contigs]
    _check_known("test", config.test, known, "sequences")
    _check_known("test_genomes", config.test_genomes, [it.sha256 for it in genomes], "genomes")
    test = _test_of_clades(known, config) if config.clades else frozenset(config.test)
    chosen = [
        frozenset(contig.seqid for contig in genome.contigs)
        if genome.sha256 in config.test_genomes
        else test
        for genome in genomes
    ]
    if all(
        contig.seqid in named
        for genome, named in zip(genomes, chosen, strict=True)
        for contig in genome.contigs
    ):
        raise InputError("test", "at least one sequence left for fit", _all_named(known))
    by_blocks = not any(chosen)
    return [
        _blocks_of(genome.contigs, config) if by_blocks else _whole_contigs(genome.contigs, named)
        for genome, named in zip(genomes, chosen, strict=True)
    ]


def _read_of(genome: Divisible, stretches: Stretches) -> Iterator[GenomicInterval]:
    read: dict[str, list[GenomicInterval]] = {}
    for region in genome.read:
        read.setdefault(region.seqid, []).append(region)
    for stretch in stretches:
        for region in read.get(stretch.seqid, ()):
            part = stretch.intersection(region)
            if part is not None:
                yield part


def _has_room(side: Stretches, sides: Split) -> bool:
    n_both = sum(part.length for each in sides for part in each)
    n_bases = sum(part.length for part in side)
    return len(side) >= LEAST_STRETCHES and n_bases >= LEAST_SHARE * n_both


def _all_named(known: Sequence[str]) -> str:
    if len(set(known)) == len(known):
        return "every sequence named"
    return "every sequence named, since genomes share their names (name a genome instead)"


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
            raise UnknownNameError(where, f"one of the {kind} {shown}", suggested(name, known))


def _whole_contigs(contigs: Sequence[ContigInfo], test: frozenset[str]) -> Split:
    whole = [GenomicInterval(contig.seqid, 0, contig.length) for contig in contigs]
    fit = tuple(interval for interval in whole if interval.seqid not in test)
    return Split(fit, tuple(interval for interval in whole if interval.seqid in test))


def _blocks_of(contigs: Sequence[ContigInfo], config: AssociateConfig) -> Split:
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
