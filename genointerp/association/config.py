"""Configuration of the association. The defaults live only here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from genointerp.core.arguments import StrPath
from genointerp.core.config import read_config
from genointerp.core.errors import ConfigError
from genointerp.feature.loci import LOUD_SHARE, MERGE_GAP


@dataclass(frozen=True)
class AssociateConfig:
    """How features are compared with concepts.

    Parameters
    ----------
    test
        Seqids of the sequences on the test side; all others are fit. If neither these nor
        ``test_genomes`` are given, each contig is cut into blocks of ``block_bp`` bases: even
        blocks are fit, odd blocks are test.
    test_genomes
        sha256 of genomes that are on the test side with all their sequences. Needed where genomes
        have sequences of the same name, which ``test`` cannot tell apart.
    clades
        Clade of each sequence, by seqid. If given, each sequence must have one, and no clade may
        have sequences on both sides, since relatives give away each other's answers.
    test_clades
        Clades on the test side; all others are fit. An alternative to ``test``.
    block_bp, gap_bp
        Length of a block, and number of bases dropped on either side of each boundary between
        blocks, in bp. Both are halved until the genomes have room for blocks of both sides; see
        `genointerp.association.split.fit_blocks`.
    n_thresholds
        Number n of thresholds tried for each pair: the fractions ``0, 1/n, ... (n-1)/n`` of the
        feature's maximum on fit.
    n_shifts
        Number of circular shifts of the annotation that make up the null distribution, and of draws
        that make up that of the matched background.
    n_matched
        Number of matched stretches that each stretch of an element is exchanged with.
    gc_caliper
        Largest difference between the GC contents of a matched stretch and of the element's
        stretch.
    top_per_concept
        Number of features tested for each concept and orientation, in addition to each feature's
        own best concept.
    locus_share, merge_gap
        Definition of the loci whose peaks are compared with the ends of elements: bases with at
        least this share of the feature's maximum, joined if at most this many other bases lie
        between them. The ranking finds boundaries only if it uses the same values.
    seed
        Random seed of the shifts and of the matched background.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    test: tuple[str, ...] = ()
    clades: dict[str, str] = field(default_factory=dict)
    test_clades: tuple[str, ...] = ()
    block_bp: int = 200_000
    gap_bp: int = 10_000
    n_thresholds: int = 16
    n_shifts: int = 999
    n_matched: int = 19
    gc_caliper: float = 0.05
    top_per_concept: int = 20
    locus_share: float = LOUD_SHARE
    merge_gap: int = MERGE_GAP
    seed: int = 0
    test_genomes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._check_numbers()
        if (self.test or self.test_genomes) and self.test_clades:
            raise ConfigError("test_clades", "either test or test_clades", "both")
        if self.test_clades and not self.clades:
            raise ConfigError("clades", "the clade of each sequence, for test_clades", "none")
        if not 0 <= 2 * self.gap_bp < self.block_bp:
            raise ConfigError("gap_bp", f"0 <= gap_bp < {self.block_bp} / 2", str(self.gap_bp))

    def _check_numbers(self) -> None:
        for name in ("block_bp", "n_thresholds", "n_shifts"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "a number of at least 1", str(getattr(self, name)))
        if self.n_thresholds > 256:
            raise ConfigError("n_thresholds", "at most 256", str(self.n_thresholds))
        if not 1 <= self.n_matched <= 255:
            raise ConfigError("n_matched", "1 to 255", str(self.n_matched))
        if not 0 <= self.gc_caliper <= 1:
            raise ConfigError("gc_caliper", "a share, 0 to 1", str(self.gc_caliper))
        for name in ("top_per_concept", "merge_gap"):
            if getattr(self, name) < 0:
                raise ConfigError(name, "0 or more", str(getattr(self, name)))
        if not 0 <= self.locus_share < 1:
            raise ConfigError("locus_share", "0 <= locus_share < 1", str(self.locus_share))


def read_associate_config(
    given: AssociateConfig | Mapping[str, Any] | StrPath | None,
    *,
    test: Sequence[str] = (),
    seed: int | None = None,
) -> AssociateConfig:
    """Read a configuration; None gives the defaults, and the other arguments override its values.

    Raises
    ------
    ConfigError
        If the file has an unknown key or a wrong value.
    """
    config = read_config(AssociateConfig, given)
    config = replace(config, test=tuple(test)) if test else config
    return config if seed is None else replace(config, seed=seed)
