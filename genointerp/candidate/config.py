"""Configuration of the ranking. The defaults live only here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from genointerp.core.arguments import StrPath
from genointerp.core.config import read_config
from genointerp.core.errors import ConfigError
from genointerp.feature.loci import LOUD_SHARE, MERGE_GAP


@dataclass(frozen=True)
class RankConfig:
    """How candidates are described, flagged and written.

    Parameters
    ----------
    locus_share
        A locus consists of bases whose activation is at least this share of the feature's maximum.
    merge_gap
        Bases are joined into one locus if at most this many other bases lie between them.
    flank
        Number of bases that the FASTA file adds on either side of a locus.
    n_reported
        Number of candidates whose loci are written, from rank 1 on.
    loci_each
        Number of strongest loci written for each candidate, over all genomes.
    overlap
        An element, annotated or predicted, accounts for a locus if the two share at least this part
        of the shorter one.
    gc_window
        Width in bases of the window around a base in which its local GC content is measured; at
        most 255. The base itself is included.
    max_period
        Longest period that is searched for, in bp.
    window_head
        Number of bases at the start of a window that count as its head.
    outlier_sd
        A token is an outlier if its norm exceeds the mean of its file by more than this many
        standard deviations.
    everywhere
        A concept that holds at least this share of all bases explains nothing.
    absences
        Concepts that say that nothing is annotated. They explain nothing, since what is unknown
        lies in them.
    max_q
        Associations with a q-value above this explain nothing.
    dense, few_loci, gc_shortcut, window_start, explained, attracted, one_strand, periodic,
    low_complexity
        Thresholds of the flags; see `genointerp.candidate.flags.FLAGS`.
    kmer_shortcut, edge, one_family, unstable, split, memorised, memorised_chance, unused,
    outlier_tokens
        More thresholds of the flags.
    boundary, boundary_chance
        A pattern is a boundary if at least this share of its loci lies near the ends of one
        concept's elements, and the q-value of that share is at most ``boundary_chance``.
    element_length, motif_bits
        Median length of a locus in bp from which a pattern is element-long, and information in bits
        from which it is a motif; see `genointerp.candidate.evidence.pattern.classify`.
    seed
        Random seed of the bases that are drawn for periodicity and coherence, and of the null of
        stability.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    locus_share: float = LOUD_SHARE
    merge_gap: int = MERGE_GAP
    flank: int = 50
    n_reported: int = 50
    loci_each: int = 20
    overlap: float = 0.5
    gc_window: int = 101
    max_period: int = 60
    window_head: int = 64
    outlier_sd: float = 4.0
    max_q: float = 0.05
    everywhere: float = 0.9
    absences: tuple[str, ...] = ("intergenic",)
    dense: float = 0.1
    few_loci: int = 5
    gc_shortcut: float = 0.25
    window_start: float = 3.0
    explained: float = 0.5
    attracted: float = 3.0
    one_strand: float = 0.9
    periodic: float = 0.3
    low_complexity: float = 0.5
    unused: float = 0.05
    kmer_shortcut: float = 0.9
    edge: float = 0.5
    one_family: int = 3
    unstable: float = 0.7
    split: float = 0.7
    memorised: float = 0.95
    memorised_chance: float = 0.05
    outlier_tokens: float = 0.5
    boundary: float = 0.5
    boundary_chance: float = 1e-3
    element_length: float = 50.0
    motif_bits: float = 8.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("merge_gap", "flank", "n_reported", "loci_each"):
            if getattr(self, name) < 0:
                raise ConfigError(name, "0 or more", str(getattr(self, name)))
        if not 0 <= self.locus_share < 1:
            raise ConfigError("locus_share", "0 <= locus_share < 1", str(self.locus_share))
        if not 0 < self.overlap <= 1:
            raise ConfigError("overlap", "a share above 0, 1 at most", str(self.overlap))
        if not 1 <= self.gc_window <= 255:
            raise ConfigError("gc_window", "1 to 255 bases", str(self.gc_window))
        if self.max_period < 2 or self.window_head < 1:
            raise ConfigError("max_period", "2 or more, and window_head 1 or more", "less")
        if self.dense <= 0:
            raise ConfigError("dense", "a share above 0", str(self.dense))
        self._check_shares()

    def _check_shares(self) -> None:
        for name in ("unused", "memorised_chance", "boundary_chance", "boundary", "outlier_tokens"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(name, "a share, 0 to 1", str(getattr(self, name)))
        if self.outlier_sd < 0:
            raise ConfigError("outlier_sd", "0 or more", str(self.outlier_sd))


def read_rank_config(
    given: RankConfig | Mapping[str, Any] | StrPath | None, *, seed: int | None = None
) -> RankConfig:
    """Read a configuration; None gives the defaults, and ``seed`` overrides its seed.

    Raises
    ------
    ConfigError
        If the file has an unknown key or a wrong value.
    """
    config = read_config(RankConfig, given)
    return config if seed is None else replace(config, seed=seed)
