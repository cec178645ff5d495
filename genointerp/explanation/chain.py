"""From base to feature to number: through which features the effect of a base passes."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Float64

from genointerp.core.errors import ConfigError
from genointerp.core.progress import Progress, silent
from genointerp.explanation.attribution import AttributionConfig, attribute
from genointerp.explanation.mutagenesis import (
    Mutagenesis,
    Mutant,
    base_ids,
    bases_table,
    mutated_ids,
)
from genointerp.model.protocol import DnaModel
from genointerp.sae.dictionary import Dictionary
from genointerp.store.table.schema.mutagenesis import CHAIN
from genointerp.store.table.table import conform, empty_table


@dataclass(frozen=True)
class ChainConfig:
    """Which bases are followed, and through how many features.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    n_bases: int = 6
    """Bases that are followed: those with the largest absolute mean effects."""
    n_features: int = 8
    """Features of each that get a row of their own."""

    def __post_init__(self) -> None:
        for name in ("n_bases", "n_features"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "at least 1", str(getattr(self, name)))


def chain(
    model: DnaModel,
    dictionary: Dictionary,
    mutagenesis: Mutagenesis,
    config: ChainConfig | None = None,
    *,
    contig_length: int,
    attribution: AttributionConfig | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Split the effects of the most important bases by the features that they change.

    Parameters
    ----------
    contig_length
        Length of the contig of the question, around which coordinates wrap.
    attribution
        Steps of the integrals; the baseline is always the passage with the base replaced.
    progress
        Called with (bases done, bases in all).

    Notes
    -----
    Replacing a base changes the amounts ``f_ti`` of features and the error ``e_t`` at the tokens
    from there on. The number is attributed to these changes by integrated gradients from the
    activations of the passage as it is to those of the mutant (:func:`attribute`). Over tokens and
    the three replacements, sums and means of these attributions are the contributions, which add
    up to the mean effect of the base, up to the gap of the integrals. What the error carries is a
    row of its own.

    Raises
    ------
    InputError
        If what is explained is a feature that is not above the site of the dictionary.
    MismatchError
        If the dictionary is not of the model.
    """
    config = ChainConfig() if config is None else config
    settings = replace(attribution or AttributionConfig(), baseline="counterfactual")
    strength = np.nan_to_num(np.abs(mutagenesis.mean_effect))
    largest = (-strength).argsort(kind="stable")[: config.n_bases]
    chosen = np.sort(largest[strength[largest] > 0])
    places, tables = bases_table(mutagenesis, contig_length), []
    for done, base in enumerate(chosen.tolist(), 1):
        found = _split(model, dictionary, mutagenesis, base, settings)
        place = places.loc[base, ["question", "seqid", "start", "end", "strand", "offset", "base"]]
        rows = _rows(found, config.n_features)
        tables.append(rows.assign(**place.to_dict()))
        progress(done, len(chosen))
    table = pd.concat(tables) if tables else empty_table(CHAIN)
    return conform(table, CHAIN, where="chain")


@dataclass(frozen=True)
class _Split:
    """The mean effect of replacing a base, by what it passes through."""

    effect: float
    change: Float64[np.ndarray, " n_features"]
    features: Float64[np.ndarray, " n_features"]
    error: float
    gap: float


def _split(
    model: DnaModel,
    dictionary: Dictionary,
    mutagenesis: Mutagenesis,
    base: int,
    config: AttributionConfig,
) -> _Split:
    question, ids = mutagenesis.question, base_ids(model)
    token, n = int(mutagenesis.token[base]), dictionary.header.n_features
    change, features, error, gap = np.zeros(n), np.zeros(n), 0.0, 0.0
    made = np.flatnonzero(mutagenesis.alternatives[base])
    for b in made.tolist():
        mutant = Mutant(base, b, token, int(ids[b]))
        other = mutated_ids(question.read.spans.ids, [mutant])[0].numpy()
        found = attribute(model, dictionary, replace(question, counterfactual=other), config)
        # an attribution is of the passage against the mutant; the effect is the reverse
        features -= found.features.sum(0, dtype=np.float64)
        error -= float(found.errors.sum(dtype=np.float64))
        change += (found.baseline_amounts - found.amounts).sum(0, dtype=np.float64)
        total = -float(found.features.sum(dtype=np.float64) + found.errors.sum(dtype=np.float64))
        gap = max(gap, abs(total - mutagenesis.effect[base, b]))
    effect = float(mutagenesis.mean_effect[base])
    return _Split(effect, change / len(made), features / len(made), error / len(made), gap)


def _rows(found: _Split, n_features: int) -> pd.DataFrame:
    order = (-np.abs(found.features)).argsort(kind="stable")
    shown = order[: min(n_features, int((found.features != 0).sum()))]
    others = np.setdiff1d(order, shown)
    nodes = [*map(str, shown.tolist()), "other", "error"]
    contribution = [*found.features[shown], found.features[others].sum(), found.error]
    change = [*found.change[shown], np.nan, np.nan]
    columns = {"node": nodes, "change": change, "contribution": contribution}
    return pd.DataFrame(columns).assign(effect=found.effect, gap=found.gap)
