"""Labels of one source, next to controls: what they reach on average."""

import numpy as np
import pandas as pd

from genointerp.association.summary import MAX_Q
from genointerp.labelling.averages import mean_interval, mean_known
from genointerp.labelling.config import ScoreConfig
from genointerp.labelling.label import KINDS
from genointerp.store.table.labels import SOURCES, leading_rows, with_scores
from genointerp.store.table.schema.label import LABEL_KINDS, LABEL_SUMMARY, UNEXPLAINED
from genointerp.store.table.table import conform

SHUFFLED = "{source}, of other features"
ALWAYS_ON = "{source}, always on"
RANDOM = "statistics, random features"
"""Names of the controls in the summary."""

_MEANS = ("f1", "f1_always_on", "shuffled_f1")


def summarise_labels(
    scores: pd.DataFrame, random: pd.DataFrame | None = None, config: ScoreConfig | None = None
) -> pd.DataFrame:
    """Return one row for each source and for each of its controls, in the schema LABEL_SUMMARY.

    Parameters
    ----------
    scores
        In the schema ``LABEL_SCORES``.
    random
        The same of statistical labels of features that should mean nothing: random directions, or
        a model with random weights.

    Notes
    -----
    Means are over executable labels that name a base of test. Labels of other features and the
    detector that always fires are scored on the same features. The interval is the percentile
    interval over features, drawn with replacement; features are not independent of one another, so
    it is too narrow rather than too wide.
    """
    config = ScoreConfig() if config is None else config
    rows = []
    for source in [it for it in SOURCES if (scores["source"] == it).any()]:
        own = scores[scores["source"] == source]
        rows.append(_row(source, own, "f1", "auroc", config))
        others = SHUFFLED.format(source=source)
        rows.append(_row(others, own, "shuffled_f1", "shuffled_auroc", config))
        always = own.assign(always_auroc=np.where(own["auroc"].notna(), 0.5, np.nan))
        rows.append(
            _row(ALWAYS_ON.format(source=source), always, "f1_always_on", "always_auroc", config)
        )
    if random is not None:
        rows.append(_row(RANDOM, random, "f1", "auroc", config))
    return conform(pd.DataFrame(rows, columns=LABEL_SUMMARY.names), LABEL_SUMMARY, where="summary")


def count_kinds(labels: pd.DataFrame, scores: pd.DataFrame | None, n_features: int) -> pd.DataFrame:
    """Return how many features have a leading label of each kind, in the schema LABEL_KINDS.

    Parameters
    ----------
    labels
        From `genointerp.store.table.labels.read_labels`.
    scores
        In the schema ``LABEL_SCORES``; None if they were not scored.
    n_features
        Size of the dictionary.
    """
    joined = leading_rows(labels)
    if scores is None:
        joined = joined.assign(**dict.fromkeys(_MEANS, np.nan))
    else:
        joined = with_scores(joined, scores, _MEANS)
    rows = []
    for kind in (*KINDS, "none"):
        own = joined[joined["kind"] == kind]
        scored = own[own["f1"].notna()]
        n_own = n_features - len(joined) if kind == "none" else len(own)
        means = {name: mean_known(scored[name].to_numpy(np.float64)) for name in _MEANS}
        counts = {"n_features": n_own, "n_executable": len(scored)}
        rows.append({"kind": kind, "share": n_own / n_features, **counts, **means})
    return conform(pd.DataFrame(rows), LABEL_KINDS, where="kinds of labels")


def _row(
    name: str, table: pd.DataFrame, f1: str, auroc: str, config: ScoreConfig
) -> dict[str, object]:
    known = table[table["f1"].notna()]
    gain = (known[f1] - known["f1_always_on"]).to_numpy(np.float64)
    row: dict[str, object] = {
        "labels": name,
        "n_features": len(table),
        "n_named": int((table["label"] != UNEXPLAINED).sum()),
        "n_executable": len(known),
        "n_above": int((known["q_value"] <= MAX_Q).sum()) if f1 == "f1" else 0,
        # labels of other features name other numbers of bases
        "gain": float("nan") if f1 == "shuffled_f1" else mean_known(gain),
    }
    for column, measured in (("f1", f1), ("auroc", auroc)):
        values = known[measured].to_numpy(np.float64)
        values = values[~np.isnan(values)]
        low, high = mean_interval(
            values, n_draws=config.n_draws, seed=config.seed, purpose="label summary"
        )
        row |= {column: mean_known(values), f"{column}_low": low, f"{column}_high": high}
    return row
