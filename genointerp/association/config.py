"""Configuration of the association; the defaults live here only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genointerp.core.config import read_config
from genointerp.core.errors import ConfigError


@dataclass(frozen=True)
class AssociateConfig:
    """How features are compared with concepts.

    Parameters
    ----------
    test
        Seqids of the test side; all others are fit. Where empty, each contig is cut into blocks
        of ``block_bp``: even blocks are fit, odd blocks are test.
    block_bp, gap_bp
        Length of a block, and the bases dropped on either side of each boundary between blocks,
        in bp.
    n_thresholds
        Thresholds tried for each pair: the fractions ``0, 1/n, ... (n-1)/n`` of the feature's
        maximum on fit.
    n_shifts
        Circular shifts of the annotation that make the null distribution.
    top_per_concept
        Features tested for each concept and orientation, beside each feature's own best concept.
    seed
        Of the shifts.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    test: tuple[str, ...] = ()
    block_bp: int = 200_000
    gap_bp: int = 10_000
    n_thresholds: int = 16
    n_shifts: int = 999
    top_per_concept: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("block_bp", "n_thresholds", "n_shifts"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "a number of at least 1", str(getattr(self, name)))
        if self.n_thresholds > 256:
            raise ConfigError("n_thresholds", "at most 256", str(self.n_thresholds))
        if self.top_per_concept < 0:
            raise ConfigError("top_per_concept", "0 or more", str(self.top_per_concept))
        if not 0 <= 2 * self.gap_bp < self.block_bp:
            raise ConfigError("gap_bp", f"0 <= gap_bp < {self.block_bp} / 2", str(self.gap_bp))


def read_associate_config(
    path: Path | None, *, test: Sequence[str] = (), seed: int | None = None
) -> AssociateConfig:
    """Read a configuration, the defaults where ``path`` is None; what else is given overrides it.

    Raises
    ------
    ConfigError
        If the file has an unknown key or a wrong value.
    """
    config = read_config(AssociateConfig, path)
    config = replace(config, test=tuple(test)) if test else config
    return config if seed is None else replace(config, seed=seed)
