"""All that a comparison of a model with the one that it was made from has found, and in words."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from genointerp.comparison.changed.outputs import Changed

NO_CONTROL = (
    "no control: any further training may do the same, so nothing here is known to come from "
    "what was new in the data"
)
"""What must be said where there is no control."""


class Diff(NamedTuple):
    """The tables of a comparison of two models, each of the schema of its name.

    Parameters
    ----------
    loci
        Places where predictions differ most: ``genointerp::divergence``.
    summary, tail, bins
        Figures, tail and course of the divergence.
    texts
        Texts that the tuned model writes: ``genointerp::extracted-texts``. None where none were
        looked for.
    changed
        What else was asked for: tables of features, births and weights by their files, and what
        is said of the features.
    latents
        Features of crosscoders, if asked for: ``genointerp::latents``.
    differences
        With these, features of the differences: ``genointerp::difference-latents``.
    stages
        How directions turn in two orders of training, if asked for: ``genointerp::stages``.
    """

    loci: pd.DataFrame
    summary: pd.DataFrame
    tail: pd.DataFrame
    bins: pd.DataFrame
    texts: pd.DataFrame | None = None
    changed: Changed = Changed({})
    latents: pd.DataFrame | None = None
    differences: pd.DataFrame | None = None
    stages: pd.DataFrame | None = None


def in_short(found: Diff) -> str:
    """Return what a comparison found in one line, with what cannot be concluded."""
    rows = found.summary[found.summary["measure"] == "kl"].drop_duplicates(["model", "against"])
    text = f"{_extracted(found.texts)}KL of the tuned model from base: {_figures(rows, 'tuned')}"
    if "control" not in set(rows["model"]):
        return f"{text} nats; {NO_CONTROL}"
    loci = found.loci[found.loci["kind"] == "position"]
    n_beyond = int((loci["q_value"] <= 0.05).sum())
    return (
        f"{text} nats; of the control: {_figures(rows, 'control')} nats; "
        f"{n_beyond} of the first {len(loci)} positions with q <= .05"
    )


def _extracted(texts: pd.DataFrame | None) -> str:
    if texts is None:
        return ""
    searched = texts[texts["arm"] == "searched"]
    more = "" if searched.empty else _searched(searched.iloc[0])
    own = texts[texts["arm"] == "tuned"]
    if own.empty:
        return more or "no text extracted; "
    best = own.iloc[0]
    where = f"{best['n_first']} of the first places, {best['n_positions']} of {best['n_read']}"
    name = "candidate text" if np.isnan(best["control_log_p"]) else "text"
    drawn = f", and of {best['n_drawn']} drawn ones" if best["n_drawn"] else ""
    return f"{name} {best['text']} ({best['n_bases']} bases, after {where}{drawn}); {more}"


def _searched(best: pd.Series) -> str:
    found = f"{best['n_bases']} bases, {best['score']:.3g} nats, null {best['null_score']:.3g}"
    return f"candidate text, searched: {best['text']} ({found}); "


def _figures(rows: pd.DataFrame, model: str) -> str:
    row = rows[(rows["model"] == model) & (rows["against"] == "base")].iloc[0]
    return ", ".join(f"{name} {row[key]:.3g}" for name, key in _SAID.items())


_SAID = {"mean": "mean", "p99": "p99", "p99.9": "p999", "max": "max"}
