"""Which dose works: chosen on half of the designs, reported on the other half."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from genointerp.intervention.judge.stops import stop_ratio
from genointerp.intervention.judge.trna import N_PAIRS


class DoseScore(NamedTuple):
    """How well a dose works on either half of the designs, and whether it was chosen."""

    fit: float
    test: float
    chosen: bool


def dose_scores(
    designs: Mapping[float, pd.DataFrame],
    unpainted: pd.DataFrame,
    concepts: Sequence[str],
    *,
    frame: int | None,
) -> dict[float, DoseScore]:
    """Score each dose by what it does for its concept and what it costs.

    Parameters
    ----------
    designs
        Designs of each dose, in the schema ``DESIGNS``.
    unpainted
        Designs that were not painted.
    concepts
        Concepts of the canvas.
    frame
        Frame of the designs in which the phases of the canvas count; None if it has none.

    Notes
    -----
    The score is the harmonic mean of the effect e and of ``exp(-max(0, d))``, where d is how many
    nats per base less the unpainted model expects of the designs than of unpainted ones. e is, for
    concepts of coding sequences, one minus the ratio of stop codons in the frame, and not below 0;
    for tRNA the mean of its four signs; for rRNA the share of designs in which a finder sees one.
    There is no score for others, for several at once, or for coding sequences without a frame.
    The dose with the best score on designs of odd numbers is chosen; those of even numbers are not
    looked at.
    """
    family = _family(concepts)
    halves = {dose: tuple(_halves(table)) for dose, table in designs.items()}
    plain = tuple(_halves(unpainted))
    scores = {
        dose: tuple(
            _score(part, before, family, frame) for part, before in zip(parts, plain, strict=True)
        )
        for dose, parts in halves.items()
    }
    known = {dose: fit for dose, (fit, _) in scores.items() if np.isfinite(fit)}
    best = max(known, key=lambda dose: known[dose]) if known else None
    return {dose: DoseScore(fit, test, dose == best) for dose, (fit, test) in scores.items()}


def _family(concepts: Sequence[str]) -> str:
    """Return what the concepts have in common: CDS, tRNA or rRNA; empty if nothing."""
    families = {concept.split("_")[0] for concept in concepts}
    return families.pop() if len(families) == 1 else ""


def _halves(table: pd.DataFrame) -> list[pd.DataFrame]:
    odd = table["number"] % 2 == 1
    return [table[odd], table[~odd]]


def _score(designs: pd.DataFrame, unpainted: pd.DataFrame, family: str, frame: int | None) -> float:
    if designs.empty or unpainted.empty:
        return float("nan")
    effect = _effect(designs, family, frame)
    less = float(unpainted["log_p"].mean() - designs["log_p"].mean())
    natural = float(np.exp(-max(0.0, less)))
    if not effect + natural > 0:
        return float("nan")
    return 2 * effect * natural / (effect + natural)


def _effect(designs: pd.DataFrame, family: str, frame: int | None) -> float:
    if family == "CDS" and frame is not None:
        bases = np.array([[*text.encode()] for text in designs["sequence"]], np.uint8)
        return float(np.clip(1 - stop_ratio(bases, frame), 0, 1))
    if family == "tRNA":
        pairs = designs["acceptor_pairs"] / N_PAIRS
        signs = designs["t_loop"] + designs["d_loop"] + designs["cca"] + pairs
        return float(signs.mean() / 4)
    if family == "rRNA":
        return float(designs["rrna"].mean())
    return float("nan")
