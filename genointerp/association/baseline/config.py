"""Configuration of what features are measured beside; the defaults live here only."""

from dataclasses import dataclass

from genointerp.core.errors import ConfigError

CHOICE_BYTES = 512 << 20
"""Activations of the bases of fit that are held at once."""


@dataclass(frozen=True)
class BaselineConfig:
    """How detectors without a dictionary are fitted.

    Parameters
    ----------
    choice_rows
        Bases of fit, evenly spread, on which columns are chosen and directions fitted; fewer where
        their activations would take more than 512 MiB.
    probe_rows
        Of these, the bases that regressions are fitted on, apart from those of rare labels.
    ica_rows, n_independent, n_iterations
        Bases, leading principal components and rounds of the search for independent components.
    seed
        Of the draws of bases, and of the rotation that the search begins with.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    choice_rows: int = 200_000
    probe_rows: int = 20_000
    ica_rows: int = 30_000
    n_independent: int = 128
    n_iterations: int = 60
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("choice_rows", "probe_rows", "ica_rows", "n_independent", "n_iterations"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "a number of at least 1", str(getattr(self, name)))

    def rows_of(self, d_in: int) -> int:
        """Return the bases of fit that are held, for activations of this width."""
        return min(self.choice_rows, max(1, CHOICE_BYTES // (4 * d_in)))
