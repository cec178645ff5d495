"""Configuration of the baselines. The defaults live only here."""

from dataclasses import dataclass

from genointerp.core.errors import ConfigError

CHOICE_BYTES = 512 << 20
"""Most bytes of activations of fit that are held in memory at once."""


@dataclass(frozen=True)
class BaselineConfig:
    """How detectors without a dictionary are fitted.

    Parameters
    ----------
    choice_rows
        Number of bases of fit, evenly spread, on which columns are chosen and directions are
        fitted; fewer if their activations would take more than 512 MiB.
    probe_rows
        Number of these bases that regressions are fitted on, in addition to those of rare labels.
    ica_rows, n_independent, n_iterations
        Numbers of bases, of leading principal components and of rounds in the search for
        independent components.
    seed
        Random seed of the draws of bases, and of the rotation that the search begins with.

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
        """Return the number of bases of fit that are held, for activations of this width."""
        return min(self.choice_rows, max(1, CHOICE_BYTES // (4 * d_in)))
