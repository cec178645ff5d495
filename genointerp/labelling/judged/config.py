"""Configuration of the scores that a language model judges. The defaults live only here."""

from dataclasses import dataclass

from genointerp.core.errors import ConfigError


@dataclass(frozen=True)
class JudgeConfig:
    """How many features, places and questions a language model is asked about.

    Parameters
    ----------
    n_judged
        Features that are judged, the same number of each kind of label as far as there are.
    n_controlled
        Of these, features whose controls are judged as well.
    n_loci
        Most loci that are shown of a feature, and most places where it is silent.
    n_least
        Fewest of either; a feature with fewer has no score, and nothing is asked of it.
    n_cards
        Cards of one question of detection, and pairs of one of fuzzing.
    n_rounds
        Most questions about an intruder.
    n_draws
        Number of times that elements are drawn for an interval.

    Raises
    ------
    ConfigError
        If a number is below 1.
    """

    n_judged: int = 300
    n_controlled: int = 50
    n_loci: int = 50
    n_least: int = 10
    n_cards: int = 5
    n_rounds: int = 20
    n_draws: int = 1000

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            if getattr(self, name) < 1:
                raise ConfigError(f"judged: {name}", "1 or more", str(getattr(self, name)))
