"""What is measured of a feature on fit: all that a labeller sees, statistics or language model.

Numbers come first, and none of them is of test. Names and products of elements are other people's
text and are marked as such: the field ``quoted``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64, UInt8
from scipy.stats import binom

from genointerp.association.count.tracks import RowTrack, stream_rows
from genointerp.association.summary import own_orientations
from genointerp.core.metric import auroc_of_counts, chance_information, information_content
from genointerp.core.progress import Progress, silent
from genointerp.feature.nearest import element_name
from genointerp.feature.specimen import Specimen
from genointerp.genome.letters import BASES, IUPAC, UNKNOWN
from genointerp.labelling.backdrop import FitBackdrop, count_words, gc_share, word_text
from genointerp.labelling.config import LabelConfig
from genointerp.labelling.executable import GC_WINDOW
from genointerp.labelling.fit_loci import FitBases, FitLocus, find_fit_loci, keep_fit, read_around
from genointerp.store.contigs import contig_offsets
from genointerp.store.feature.store import ReadStrand

MOST_LAG = 60
"""Largest lag at which a period is looked for, in bp."""

MAX_P = 0.01
"""Largest p of a period, before it is divided by the number of lags."""

N_WORDS, N_NEIGHBOURS, N_MISSES = 8, 5, 5

_NEAR = 50
_CHI2_95 = 7.8147
_LEAST_BITS = 0.25
_LEAST_SHARE = 0.75
_CONCEPT_NUMBERS = (
    "f1_fit", "precision", "recall", "null_f1", "q_value", "start_offset", "end_offset",
    "boundary_share", "boundary_p", "codon_phase", "phase_share",
)  # fmt: skip


@dataclass(frozen=True)
class MotifEvidence:
    """Bases before the peaks of the strongest loci, copies counted once.

    Parameters
    ----------
    consensus
        IUPAC letters from the first to the last column that tells more than chance; empty if none.
    offset
        bp from its last base to the peak, in reading direction.
    bits
        Information of these columns together.
    n_loci
        Number of loci that were aligned.
    """

    consensus: str
    offset: int
    bits: float
    n_loci: int


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
        kept = keep_fit(tracks, backdrop.universe)
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
    aligned = _aligned(bases, specimens, backdrop, config)
    motif = find_motif(aligned, _composition(backdrop), config.min_motif_loci)
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
        words=_words(words, backdrop.words),
        loci=tuple(_locus(locus, bases, specimens, backdrop, config) for locus in shown),
        near_misses=_near_misses(bases, aligned, specimens, backdrop),
        neighbours=_neighbours(feature, shown, specimens),
    )


def _numbers(
    bases: FitBases, words: Int64[np.ndarray, "half word"], backdrop: FitBackdrop
) -> dict[str, float]:
    runs = bases.run_lengths
    by_strand = {
        strand: sum(len(it.row) for it in bases.tracks if it.strand == strand) for strand in "+-"
    }
    gc = np.concatenate(
        [gc_share(backdrop.codes[it.genome], it.row, it.strand) for it in bases.tracks]
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


def gc_range(gc: Float64[np.ndarray, " base"]) -> tuple[float, float]:
    """Return the 5th and the 95th percentile of GC contents, outwards in steps of one base."""
    low, high = np.quantile(gc, [0.05, 0.95]) * GC_WINDOW
    return float(np.floor(low + 1e-9) / GC_WINDOW), float(np.ceil(high - 1e-9) / GC_WINDOW)


def word_auroc(
    firing: Int64[np.ndarray, "half word"], background: Int64[np.ndarray, "half word"]
) -> float:
    """Return how well the last five bases tell where a feature fires.

    Words are scored by the share of their bases on which it fires in one half of the blocks, and
    the AUROC is measured in the other; the mean of both ways. NaN if it fires in one half only.
    """
    found = []
    for half in (0, 1):
        score = (firing[half] + 0.5) / (background[half] + 1.0)
        other = 1 - half
        silent = background[other] - firing[other]
        found.append(auroc_of_counts(firing[other], silent, score=score))
    return float(np.mean(found))


def find_period(tracks: Sequence[RowTrack]) -> tuple[int, float]:
    """Return the lag at which a feature fires again more often than at the lags beside it.

    The ratio is of bases that fire again at the lag to the mean of those at the lags before and
    after, with one added to both. Lag 0 and ratio 1 if no lag up to `MOST_LAG` has a p of `MAX_P`
    divided by their number, where p is binomial: a third of the bases of the three lags by chance,
    taken as independent. The ratio is the largest; the lag is the smallest divisor of that with the
    largest ratio that passes too.
    """
    counts = np.zeros(MOST_LAG + 2, np.float64)
    for track in tracks:
        for step in range(1, min(MOST_LAG + 2, len(track.row))):
            gap = track.row[step:] - track.row[:-step]
            near = gap[gap <= MOST_LAG + 1]
            if not len(near):
                break
            counts += np.bincount(near, minlength=MOST_LAG + 2)
    lag = np.arange(2, MOST_LAG + 1)
    beside = counts[lag - 1] + counts[lag + 1]
    p = binom.sf(counts[lag] - 1, counts[lag] + beside, 1 / 3)
    ratio = (counts[lag] + 1) / (beside / 2 + 1)
    passing = p <= MAX_P / len(lag)
    if not passing.any():
        return 0, 1.0
    best = int(lag[np.argmax(np.where(passing, ratio, 0))])
    # a multiple of a period is one as well
    period = next(one for one in lag[passing].tolist() if best % one == 0)
    return int(period), float(ratio[passing].max())


def find_motif(
    aligned: UInt8[np.ndarray, "locus offset"],
    background: Float64[np.ndarray, "4"],
    min_loci: int,
) -> MotifEvidence:
    """Return the consensus of aligned bases, of which the last column is the peak."""
    n_loci, length = aligned.shape
    empty = MotifEvidence("", 0, 0.0, n_loci)
    if n_loci < min_loci:
        return empty
    counts = np.stack(
        [np.bincount(aligned[:, i], minlength=UNKNOWN + 1)[:UNKNOWN] for i in range(length)]
    ).astype(np.int64)
    bits = information_content(counts, background)
    least = np.maximum(chance_information(counts.sum(axis=1), _CHI2_95), _LEAST_BITS)
    told = np.flatnonzero(bits >= least)
    if not len(told):
        return empty
    first, last = int(told[0]), int(told[-1])
    letters = [
        _letter(counts[i]) if i in set(told.tolist()) else "N" for i in range(first, last + 1)
    ]
    return MotifEvidence("".join(letters), length - 1 - last, float(bits[told].sum()), n_loci)


def _letter(counts: Int64[np.ndarray, "4"]) -> str:
    """Return the shortest IUPAC letter whose bases make up `_LEAST_SHARE` of a column."""
    order = np.argsort(-counts, kind="stable")
    total, kept = max(int(counts.sum()), 1), []
    for base in order.tolist():
        kept.append(BASES[base])
        if counts[order[: len(kept)]].sum() >= _LEAST_SHARE * total:
            break
    wanted = "".join(sorted(kept))
    return next(letter for letter, allowed in IUPAC.items() if "".join(sorted(allowed)) == wanted)


def _composition(backdrop: FitBackdrop) -> Float64[np.ndarray, "4"]:
    last = backdrop.words.sum(axis=0).reshape(-1, UNKNOWN + 1).sum(axis=0)[:UNKNOWN]
    return np.asarray(last / max(last.sum(), 1), dtype=np.float64)


def _aligned(
    bases: FitBases, specimens: Sequence[Specimen], backdrop: FitBackdrop, config: LabelConfig
) -> UInt8[np.ndarray, "locus offset"]:
    """Return the bases before the peaks of the strongest loci; copies of a sequence count once."""
    rows = [
        read_around(
            backdrop.codes[locus.genome],
            np.array([_row_of(specimens[locus.genome], locus)]),
            _strand(locus),
            before=config.motif_length - 1,
            after=0,
        )[0]
        for locus in bases.strongest[: config.n_motif]
    ]
    distinct = list({row.tobytes(): row for row in rows}.values())
    return np.stack(distinct) if distinct else np.zeros((0, config.motif_length), np.uint8)


def _concept(row: Mapping[Any, Any]) -> dict[str, Any]:
    numbers = {name: float(row[name]) for name in _CONCEPT_NUMBERS if name in row}
    named = {"f1": numbers.pop("f1_fit"), **numbers}
    return {"concept": row["concept"], "orientation": row["orientation"], **named}


def _locus(
    locus: FitLocus,
    bases: FitBases,
    specimens: Sequence[Specimen],
    backdrop: FitBackdrop,
    config: LabelConfig,
) -> dict[str, Any]:
    specimen = specimens[locus.genome]
    row = np.array([_row_of(specimen, locus)])
    strand = _strand(locus)
    before = read_around(
        backdrop.codes[locus.genome], row, strand, before=config.motif_length - 1, after=8
    )[0]
    largest = bases.strongest[0].maximum
    shown = {
        "seqid": locus.interval.seqid,
        "start": locus.interval.start,
        "end": locus.interval.end,
        "strand": locus.interval.strand,
        "peak": locus.peak,
        "decile": max(1, int(np.ceil(10 * locus.maximum / largest))),
        "bases": "".join("ACGTN"[code] for code in before),
    }
    return {**shown, **nearest_element(specimen, locus.interval, locus.peak)}


def nearest_element(specimen: Specimen, interval: Any, peak: int) -> dict[str, Any]:  # noqa: ANN401
    """Return what is annotated at or near a locus; empty without an annotation.

    ``from_start`` and ``from_end`` are bp from the element's first and last base to the peak, in
    the element's direction. Texts of the annotation are under ``quoted``.
    """
    if specimen.annotation is None:
        return {}
    near = specimen.nearest.find(interval)
    if near is None:
        return {}
    parts = near.element.parts
    forward = parts[0].strand != "-"
    first = parts[0].start if forward else parts[0].end - 1
    last = parts[-1].end - 1 if forward else parts[-1].start
    sign = 1 if forward else -1
    return {
        "type": near.element.type,
        "orientation": near.orientation,
        "distance": near.distance,
        "from_start": sign * (peak - first),
        "from_end": sign * (peak - last),
        "quoted": {
            "name": element_name(near.element),
            "product": near.element.attribute("product"),
        },
    }


def _near_misses(
    bases: FitBases,
    aligned: UInt8[np.ndarray, "locus offset"],
    specimens: Sequence[Specimen],
    backdrop: FitBackdrop,
) -> tuple[dict[str, Any], ...]:
    """Return drawn bases that follow the most similar sequence, and where it is silent."""
    if not len(aligned):
        return ()
    counts = np.stack(
        [np.bincount(column, minlength=UNKNOWN + 1)[:UNKNOWN] for column in aligned.T]
    )
    share = (counts + 1) / (counts.sum(axis=1, keepdims=True) + UNKNOWN)
    odds = np.log2(share / _composition(backdrop))
    odds = np.concatenate([odds, np.zeros((len(odds), 1))], axis=1)
    drawn = backdrop.sampled
    score = odds[np.arange(len(odds))[None, :], drawn.codes].sum(axis=1)
    found: list[dict[str, Any]] = []
    for index in np.argsort(-score, kind="stable").tolist():
        if len(found) == N_MISSES or score[index] <= 0:
            break
        genome, row = int(drawn.genome[index]), int(drawn.row[index])
        strand: ReadStrand = "-" if drawn.strand[index] else "+"
        if _fires_near(bases.tracks, genome, strand, row):
            continue
        letters = "".join("ACGTN"[code] for code in drawn.codes[index])
        place = _place(specimens[genome], row)
        found.append({**place, "strand": strand, "bases": letters, "bits": float(score[index])})
    return tuple(found)


def _fires_near(tracks: Sequence[RowTrack], genome: int, strand: ReadStrand, row: int) -> bool:
    for track in tracks:
        if (track.genome, track.strand) == (genome, strand):
            low, high = np.searchsorted(track.row, [row - _NEAR, row + _NEAR + 1])
            return bool(high > low)
    return False


def _neighbours(
    feature: int, loci: Sequence[FitLocus], specimens: Sequence[Specimen]
) -> tuple[dict[str, Any], ...]:
    store = specimens[0].features
    n_at = np.zeros(store.n_features)
    for locus in loci:
        specimen = specimens[locus.genome]
        row = _row_of(specimen, locus)
        n_at[specimen.features.rows(row, row + 1, _strand(locus)).feature] += 1
    n_at[feature] = 0
    order = np.argsort(-n_at, kind="stable")[:N_NEIGHBOURS]
    return tuple(
        {"feature": int(other), "share_of_loci": float(n_at[other] / len(loci))}
        for other in order.tolist()
        if n_at[other]
    )


def _words(
    firing: Int64[np.ndarray, "half word"], background: Int64[np.ndarray, "half word"]
) -> tuple[dict[str, Any], ...]:
    own, every = firing.sum(axis=0), background.sum(axis=0)
    order = np.argsort(-own, kind="stable")[:N_WORDS].tolist()
    rate = own.sum() / max(every.sum(), 1)
    return tuple(
        {
            "word": word_text(number),
            "share": float(own[number] / own.sum()),
            "times_expected": float(own[number] / max(every[number] * rate, 1e-12)),
        }
        for number in order
        if own[number]
    )


def _row_of(specimen: Specimen, locus: FitLocus) -> int:
    offsets = contig_offsets(specimen.features.header.contigs)
    return int(offsets[locus.interval.seqid]) + locus.peak


def _place(specimen: Specimen, row: int) -> dict[str, Any]:
    offsets = contig_offsets(specimen.features.header.contigs)
    seqid = max((name for name in offsets if offsets[name] <= row), key=lambda it: offsets[it])
    return {"seqid": seqid, "at": row - int(offsets[seqid])}


def _strand(locus: FitLocus) -> ReadStrand:
    return "-" if locus.interval.strand == "-" else "+"


def _plain(value: Any) -> Any:  # noqa: ANN401 - objects of JSON
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return None if np.isnan(value) else float(f"{value:.4g}")
    return value
