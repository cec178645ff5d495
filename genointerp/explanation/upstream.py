"""Which bases upstream stand behind predictions, or behind a feature: questions as tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from genointerp.core.errors import ConfigError, InputError
from genointerp.core.progress import Progress, silent
from genointerp.explanation.attribution import AttributionConfig
from genointerp.explanation.chain import ChainConfig, chain
from genointerp.explanation.mutagenesis import MutagenesisConfig, bases_table, mutate
from genointerp.explanation.reader import Reader
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.model.gradient import check_precision
from genointerp.reading.fidelity import check_dictionary
from genointerp.reading.question import Question, ask_bases, ask_feature
from genointerp.reading.target import Measure
from genointerp.sae.dictionary import Dictionary
from genointerp.store.table.schema.mutagenesis import CHAIN, EXPLAINING_BASES
from genointerp.store.table.table import empty_table


@dataclass(frozen=True)
class UpstreamConfig(MutagenesisConfig):
    """What is read and replaced, and how many effects are followed through features.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    context: int = 512
    """Bases read before those that are asked for."""
    measure: Measure = "contrast"
    """How a prediction becomes a number."""
    n_bases: int = 6
    """Bases whose effects are followed through features, if that is wanted."""
    n_features: int = 8
    """Features of each of them that get a row of their own."""
    steps: int = 20
    """Points of a path at which gradients are taken; doubled as needed."""

    def __post_init__(self) -> None:
        super().__post_init__()
        ChainConfig(self.n_bases, self.n_features)
        for name in ("context", "steps"):
            if getattr(self, name) < 1:
                raise ConfigError(name, "at least 1", str(getattr(self, name)))


class Upstream(NamedTuple):
    """What the bases before some questions do.

    ``bases`` is in the schema ``EXPLAINING_BASES``, ``chain`` in the schema ``CHAIN``; the latter
    is None if it was not wanted. ``correlations`` has, for each question, that of first-order and
    exact effects; NaN where they are not known.
    """

    bases: pd.DataFrame
    chain: pd.DataFrame | None
    correlations: tuple[float, ...]


def explain_upstream(
    reader: Reader,
    places: Sequence[GenomicInterval],
    strands: Sequence[Strand],
    *,
    feature: int | None = None,
    chains: bool = False,
    config: UpstreamConfig | None = None,
    progress: Progress = silent,
) -> Upstream:
    """Replace the bases before some places, for the prediction of what is there or for a feature.

    Parameters
    ----------
    places
        Bases or stretches that are predicted; the bases at which the feature is read.
    feature
        A feature of the dictionary of the reader, whose pre-activation is explained in place of the
        prediction.
    chains
        Whether to follow the largest effects through the features of the dictionary.
    progress
        Called with (questions done, questions in all).

    Raises
    ------
    InputError
        As `ask_bases`, `ask_feature`, `mutate` and `chain`; if a dictionary is needed, and none is
        known.
    """
    config = UpstreamConfig() if config is None else config
    dictionary = reader.dictionary
    if dictionary is not None:
        check_dictionary(dictionary, reader.model)
    elif chains or feature is not None:
        raise InputError("sae", "a dictionary, whose features are asked for", "none")
    if chains and feature is not None:
        expected = "a prediction: between a base and a feature lies no other of its dictionary"
        raise InputError("chain", expected, f"feature {feature}")
    if chains:
        check_precision(reader.model.spec)
    asked = [replace(place, strand=strand) for place in places for strand in strands]
    bases, links, correlations = [], [], []
    # all are asked before the first is answered, as one of them may be refused
    questions = [_question(reader, place, dictionary, feature, config) for place in asked]
    for done, (place, question) in enumerate(zip(asked, questions, strict=True), 1):
        length = reader.genome[place.seqid].length
        found = mutate(reader.model, question, config)
        bases.append(bases_table(found, length))
        correlations.append(found.gradient_correlation)
        if chains and dictionary is not None:
            links.append(
                chain(
                    reader.model,
                    dictionary,
                    found,
                    ChainConfig(config.n_bases, config.n_features),
                    contig_length=length,
                    attribution=AttributionConfig(
                        steps=config.steps,
                        most_steps=max(config.steps, AttributionConfig.most_steps),
                    ),
                )
            )
        progress(done, len(asked))
    table = pd.concat(bases, ignore_index=True) if bases else empty_table(EXPLAINING_BASES)
    linked = pd.concat(links, ignore_index=True) if links else empty_table(CHAIN)
    return Upstream(table, linked if chains else None, tuple(correlations))


def in_short(found: Upstream) -> str:
    """Say in one line which base matters most to the first question, and of others how many."""
    table = found.bases
    if table.empty:
        return "nothing to explain"
    questions = table[["question", "strand"]].drop_duplicates()
    first = table[
        (table["question"] == table["question"].iloc[0])
        & (table["strand"] == table["strand"].iloc[0])
    ]
    strongest = first.loc[first["mean_effect"].abs().fillna(-1).idxmax()]
    n_others, r = len(questions) - 1, found.correlations[0]
    others = f"; and {n_others} more" if n_others else ""
    gradients = "" if np.isnan(r) else f"; gradients agree with r = {r:.2f}"
    return (
        f"{strongest['question']} on {strongest['strand']}: {strongest['base']} at "
        f"{strongest['offset']} matters most, {strongest['mean_effect']:+.3g} if replaced"
        f"{gradients}{others}"
    )


def _question(
    reader: Reader,
    place: GenomicInterval,
    dictionary: Dictionary | None,
    feature: int | None,
    config: UpstreamConfig,
) -> Question:
    model, genome, context = reader.model, reader.genome, config.context
    if dictionary is None or feature is None:
        return ask_bases(model, genome, place, context=context, measure=config.measure)
    return ask_feature(model, genome, place, dictionary, feature, context=context)
