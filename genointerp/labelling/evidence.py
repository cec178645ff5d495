"""What is measured of a feature on fit: all that a labeller sees, statistics or language model.

Numbers come first, and none of them is of test. Names and products of elements are other people's
text and are marked as such: the field ``quoted``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int64

from genointerp.association.count.tracks import stream_rows
from genointerp.association.summary import own_orientations
from genointerp.core.progress import Progress, silent
from genointerp.feature.specimen import Specimen
from genointerp.labelling.backdrop import FitBackdrop, composition, count_words
from genointerp.labelling.config import LabelConfig
from genointerp.labelling.examples import (
    align_bases,
    find_near_misses,
    find_neighbours,
    show_locus,
)
from genointerp.labelling.fit_loci import FitBases, find_fit_loci, keep_side
from genointerp.labelling.gc_content import gc_share
from genointerp.labelling.patterns import (
    MotifEvidence,
    find_motif,
    find_period,
    gc_range,
    word_auroc,
    words_used,
)

_CONCEPT_NUMBERS = (
    "f1_fit", "precision", "recall", "null_f1", "q_value", "start_offset", "end_offset",
    "boundary_share", "boundary_p", "codon_phase", "phase_share",
)  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """Evidence of one feature on fit.

    Parameters
    ----------
    feature
        Index in the dictionary.
    numbers
        ``density`` (share of read bases), ``n_firing``, ``n_loci``, median and 90th percentile of
        the length of a locus in bp, ``strand_asymmetry``, ``gc`` and ``gc_background`` (means of
        the share of G and C before it fires and before any base), ``gc_from`` and ``gc_to`` (the
        5th and 95th percentile of the former, in steps of a base) and ``gc_within`` (the share of
        bases before which it lies between these), ``word_auroc`` (how well the last five bases
        tell where it fires, counted on
        one half of the blocks and measured on the other), ``period`` and ``period_ratio``.
    concepts
        Best concepts by F1 on fit.
    motif
        Bases before its peaks.
    words
        Words of five bases that end where it fires, and how much more often than elsewhere.
    loci
        Loci with the nearest annotated element, which is ``quoted``.
    near_misses
        Bases after a similar sequence at which it is silent.
    neighbours
        Features that fire at the peaks of its loci; those that fire everywhere do so too.
    """

    feature: int
    numbers: Mapping[str, float]
    concepts: tuple[Mapping[str, Any], ...]
    motif: MotifEvidence
    words: tuple[Mapping[str, Any], ...]
    loci: tuple[Mapping[str, Any], ...]
    near_misses: tuple[Mapping[str, Any], ...]
    neighbours: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """Return the evidence as objects of JSON, numbers first; None for what is undefined."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def gather_evidence(
    specimens: Sequence[Specimen],
    on_fit: pd.DataFrame,
    backdrop: FitBackdrop,
    config: LabelConfig,
    *,
    features: Sequence[int] | None = None,
    progress: Progress = silent,
) -> dict[int, Evidence]:
    """Gather the evidence of features that fire on fit.

    Parameters
    ----------
    specimens
        Genomes with their sequences and annotations.
    on_fit
        Associations that were measured on fit.
    features
        Which; None for all.
    """
    stores = [specimen.features for specimen in specimens]
    wanted = list(range(stores[0].n_features)) if features is None else sorted(features)
    own = own_orientations(on_fit)
    best = dict(list(own[own["f1_fit"] > 0].groupby("feature")))
    found = {}
    for done, (feature, tracks) in enumerate(stream_rows(stores, wanted), start=1):
        kept = keep_side(tracks, backdrop.universe)
        if any(len(track.row) for track in kept):
            n_top = (config.n_loci + 1) // 2
            bases = find_fit_loci(
                specimens,
                kept,
                n_strongest=max(config.n_motif, n_top),
                n_top=n_top,
                n_spread=config.n_loci - n_top,
            )
            rows = best.get(feature, own.iloc[:0])
            found[feature] = _evidence(feature, bases, rows, specimens, backdrop, config)
        progress(done, len(wanted))
    return found


def _evidence(
    feature: int,
    bases: FitBases,
    concepts: pd.DataFrame,
    specimens: Sequence[Specimen],
    backdrop: FitBackdrop,
    config: LabelConfig,
) -> Evidence:
    aligned = align_bases(bases, specimens, backdrop, config)
    motif = find_motif(aligned, composition(backdrop), config.min_motif_loci)
    shown = [*bases.strongest[: (config.n_loci + 1) // 2], *bases.spread]
    words = sum(
        (count_words(backdrop.codes[it.genome], it.row, it.strand) for it in bases.tracks),
        np.zeros_like(backdrop.words),
    )
    chosen = concepts.sort_values(["f1_fit", "concept"], ascending=[False, True], kind="stable")
    return Evidence(
        feature=feature,
        numbers=_numbers(bases, words, backdrop),
        concepts=tuple(_concept(row) for row in chosen.head(config.n_concepts).to_dict("records")),
        motif=motif,
        words=words_used(words, backdrop.words),
        loci=tuple(show_locus(locus, bases, specimens, backdrop, config) for locus in shown),
        near_misses=find_near_misses(bases, aligned, specimens, backdrop),
        neighbours=find_neighbours(feature, shown, specimens),
    )


def _numbers(
    bases: FitBases, words: Int64[np.ndarray, "half word"], backdrop: FitBackdrop
) -> dict[str, float]:
    runs = bases.run_lengths
    by_strand = {
        strand: sum(len(it.row) for it in bases.tracks if it.strand == strand) for strand in "+-"
    }
    gc = np.concatenate(
        [gc_share(backdrop.n_gc[it.genome], it.row, it.strand) for it in bases.tracks]
    )
    low, high = gc_range(gc)
    period, ratio = find_period(bases.tracks)
    return {
        "density": bases.n_firing / backdrop.universe.n_covered,
        "n_firing": bases.n_firing,
        "n_loci": bases.n_loci,
        "run_median": float(np.median(runs)),
        "run_p90": float(np.quantile(runs, 0.9)),
        "strand_asymmetry": (by_strand["+"] - by_strand["-"]) / bases.n_firing,
        "gc": float(gc.mean()),
        "gc_background": float(backdrop.gc.mean()),
        "gc_from": low,
        "gc_to": high,
        "gc_within": float(np.mean((backdrop.gc >= low) & (backdrop.gc <= high))),
        "word_auroc": word_auroc(words, backdrop.words),
        "period": period,
        "period_ratio": ratio,
    }


def _concept(row: Mapping[Any, Any]) -> dict[str, Any]:
    numbers = {name: float(row[name]) for name in _CONCEPT_NUMBERS if name in row}
    named = {"f1": numbers.pop("f1_fit"), **numbers}
    return {"concept": row["concept"], "orientation": row["orientation"], **named}


def _plain(value: Any) -> Any:  # noqa: ANN401 - objects of JSON
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return None if np.isnan(value) else float(f"{value:.4g}")
    return value
