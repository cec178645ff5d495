"""The score of a candidate and its flags: stated functions of the columns beside them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from genointerp.association.scores import precision_gain
from genointerp.association.summary import count_covered
from genointerp.candidate.config import RankConfig
from genointerp.feature.query import best_concepts

_MANY_LOCI = 32

Condition = Callable[[pd.DataFrame, RankConfig], pd.Series]


class Flag(NamedTuple):
    """A reason to doubt a candidate; ``rule`` says when it is raised, in words."""

    name: str
    rule: str
    reason: str
    condition: Condition


FLAGS: tuple[Flag, ...] = (
    Flag(
        "explained",
        "unexplained < 1 - explained (0.5)",
        "a known concept accounts for where it fires",
        lambda t, c: t["unexplained"] < 1 - c.explained,
    ),
    Flag(
        "attracted",
        "log2_enrichment >= attracted (3) for a concept with q <= max_q",
        "a weak or split detector of that concept: its bases are 8 times as common where it fires",
        lambda t, c: t["attraction"] >= c.attracted,
    ),
    Flag(
        "dense",
        "density >= dense (0.1)",
        "fires on so many bases that it names nothing",
        lambda t, c: t["density"] >= c.dense,
    ),
    Flag(
        "few_loci",
        "n_loci < few_loci (5)",
        "too few loci to be a kind of thing",
        lambda t, c: t["n_loci"] < c.few_loci,
    ),
    Flag(
        "single_genome",
        "n_genomes = 1, of several read",
        "may be a peculiarity of one genome, or a memory of it",
        lambda t, c: (t["n_genomes"] == 1) & (t["n_read"] > 1),
    ),
    Flag(
        "gc_shortcut",
        "|gc_auroc - 0.5| >= gc_shortcut (0.25)",
        "local GC content alone tells where it fires",
        lambda t, c: (t["gc_auroc"] - 0.5).abs() >= c.gc_shortcut,
    ),
    Flag(
        "codon_phase",
        "periodicity >= periodic (0.3), at a multiple of 3 bp",
        "a detector of reading frame",
        lambda t, c: (t["periodicity"] >= c.periodic) & (t["period"] % 3 == 0),
    ),
    Flag(
        "periodic",
        "periodicity >= periodic (0.3), at another period",
        "fires in step with a repeat, not with an element",
        lambda t, c: (t["periodicity"] >= c.periodic) & (t["period"] % 3 != 0),
    ),
    Flag(
        "low_complexity",
        "at least low_complexity (0.5) of its firing bases in tandem repeats of units <= 12 bp",
        "simple sequence, known without a model",
        lambda t, c: t["tandem_share"] >= c.low_complexity,
    ),
    Flag(
        "one_strand",
        "|strand_asymmetry| >= one_strand (0.9)",
        "nearly all on one reading strand, where genes lie on both: an artefact of reading",
        lambda t, c: t["strand_asymmetry"].abs() >= c.one_strand,
    ),
    Flag(
        "window_start",
        "window_bias >= window_start (3)",
        "fires where a window begins, so at the lack of context",
        lambda t, c: t["window_bias"] >= c.window_start,
    ),
)
"""All flags in the order in which they are written. A comparison with NaN raises none."""


def score_candidates(table: pd.DataFrame, config: RankConfig) -> Float64[np.ndarray, " candidate"]:
    """Return the score of each candidate, 0 to 1; higher is better.

    Notes
    -----
    ``unexplained * (1 - 2 |gc_auroc - 1/2|) * min(1, log2(1 + n_loci) / log2(33))
    * max(0, 1 - density / dense)``: far from every concept and from GC content, recurrent (32
    loci give full marks), and sparse. An undefined ``gc_auroc`` counts as 1/2.
    """
    gc = table["gc_auroc"].fillna(0.5).to_numpy(np.float64)
    loci = table["n_loci"].to_numpy(np.float64)
    recurrent = np.minimum(1.0, np.log2(1 + loci) / np.log2(1 + _MANY_LOCI))
    sparse = np.maximum(0.0, 1 - table["density"].to_numpy(np.float64) / config.dense)
    unexplained = table["unexplained"].to_numpy(np.float64)
    return np.asarray(unexplained * (1 - 2 * np.abs(gc - 0.5)) * recurrent * sparse)


def raise_flags(table: pd.DataFrame, config: RankConfig) -> list[str]:
    """Return the names of the flags of each row, separated by commas."""
    raised = [(flag.name, flag.condition(table, config).to_numpy(np.bool_)) for flag in FLAGS]
    return [",".join(name for name, is_on in raised if is_on[row]) for row in range(len(table))]


def explain(associations: pd.DataFrame, config: RankConfig) -> pd.DataFrame:
    """Say for each feature what known concepts leave unexplained.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``feature``: ``unexplained``, ``attraction`` (the largest ``log2_enrichment``
        among associations with ``q_value <= max_q``; NaN where none), and ``best_concept`` with
        ``best_f1`` as `genointerp.feature.query.best_concepts` says; empty and NaN where it
        detects none.

    Notes
    -----
    ``unexplained = 1 - max(0, max (precision - b) / (1 - b))`` over the associations with
    ``q_value <= max_q``, with the concept's base rate b on test: 0 for a feature that fires only
    within one concept, 1 for one that no concept attracts beyond chance.
    """
    n_concept = associations["n_concept_bp"].to_numpy(np.int64)
    base = n_concept / max(count_covered(associations), 1)
    gain = precision_gain(associations["precision"].to_numpy(np.float64), base)
    counted = _at_most(associations["q_value"], config.max_q) & ~np.isnan(gain)
    gains = pd.Series(np.where(counted, np.maximum(gain, 0.0), 0.0))
    features = associations["feature"].to_numpy(np.int64)
    unexplained = 1 - gains.groupby(features).max()
    attraction = associations["log2_enrichment"].reset_index(drop=True).where(counted)
    columns = {
        "unexplained": unexplained,
        "attraction": attraction.groupby(features).max(),
    }
    best = best_concepts(associations).set_index("feature")[["best_concept", "best_f1"]]
    table = pd.DataFrame(columns).join(best)
    table["best_concept"] = table["best_concept"].astype(object).fillna("")
    return table


def _at_most(values: pd.Series, limit: float) -> Bool[np.ndarray, " row"]:
    return np.asarray(values.to_numpy(np.float64) <= limit, dtype=np.bool_)
