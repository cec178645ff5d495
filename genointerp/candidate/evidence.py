"""What each feature does upon the genomes, without regard to any annotation."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from genointerp.association.counts import RowTrack, stream_rows
from genointerp.candidate.backdrop import Backdrop
from genointerp.candidate.config import RankConfig
from genointerp.core.progress import Progress, silent
from genointerp.core.seed import rng
from genointerp.feature.loci import group_rows
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.store.features import STRANDS, FeatureStore

_SAMPLED = 1024


class Period(NamedTuple):
    """Strength of the best period, 0 to 1, and the period in bp (0 where there is none)."""

    strength: float
    bp: int


class Loci(NamedTuple):
    """Loci of one track as global rows, half-open, and the largest activation in each."""

    start: Int64[np.ndarray, " locus"]
    end: Int64[np.ndarray, " locus"]
    maximum: Float64[np.ndarray, " locus"]


def gather_evidence(
    stores: Sequence[FeatureStore],
    backdrops: Sequence[Backdrop],
    config: RankConfig,
    *,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Describe every feature that fires anywhere, a row for each.

    Returns
    -------
    pandas.DataFrame
        Over all covered bases of all genomes, both strands:

        ``density``
            Share of covered (base, strand) pairs on which it fires.
        ``n_loci``
            Stretches of bases with ``locus_share`` of its maximum or more, gaps of up to
            ``merge_gap`` closed, on each strand for itself.
        ``gc_auroc``
            Chance that a firing base has a higher local GC content than a silent one, ties half;
            NaN where it fires everywhere.
        ``periodicity``, ``period``
            See `find_period`.
        ``tandem_share``
            Share of its firing bases within tandem repeats.
        ``strand_asymmetry``
            ``(p - m) / (p + m)`` of its densities on ``+`` and on ``-``; NaN unless both were
            read.
        ``window_bias``
            Share of its firing bases in the heads of windows over the share of bases that lie
            there: 1 without bias; NaN where windows are unknown.
        ``n_genomes``
            Genomes that hold a locus.
        ``top_region``
            The locus with its largest activation, the first of equals; 1-based, closed.
    """
    n_features = stores[0].n_features
    memory = [np.zeros(store.n_rows + config.max_period + 2, dtype=np.bool_) for store in stores]
    rows = []
    for feature, tracks in stream_rows(stores, range(n_features)):
        if any(len(track.row) for track in tracks):
            shape = _shape(feature, tracks, memory, config)
            place = _place(stores, tracks, config)
            rows.append({"feature": feature, **_shares(tracks, backdrops), **shape, **place})
        progress(feature + 1, n_features)
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = [
    "feature",
    "density",
    "gc_auroc",
    "tandem_share",
    "strand_asymmetry",
    "window_bias",
    "periodicity",
    "period",
    "n_loci",
    "n_genomes",
    "top_region",
]


def find_loci(
    track: RowTrack, offsets: Int64[np.ndarray, " contig"], *, at_least: float, merge_gap: int
) -> Loci:
    """Join bases whose activation is ``at_least`` so high; loci do not cross contigs.

    Parameters
    ----------
    offsets
        First row of each contig.
    """
    loud = track.value >= at_least
    row, value = track.row[loud], track.value[loud].astype(np.float64)
    first, last = group_rows(row, offsets, merge_gap=merge_gap)
    highest = np.maximum.reduceat(value, first) if len(first) else np.zeros(0)
    return Loci(row[first], row[last] + 1, highest)


def find_period(recurrence: Float64[np.ndarray, " lag"]) -> Period:
    """Find the period with which a feature fires.

    Parameters
    ----------
    recurrence
        For each lag k from 0, the share of firing bases whose k-th next base fires too.

    Notes
    -----
    The strength of period p is ``r(p) - (r(p-1) + r(p+1)) / 2``: 1 for a feature that fires on
    every p-th base, about 0 for one that fires on whole elements, on isolated bases or at random.
    The shortest period that reaches nine tenths of the strongest is given, so that multiples do
    not win.
    """
    if len(recurrence) < 4:
        return Period(0.0, 0)
    strength = recurrence[2:-1] - (recurrence[1:-2] + recurrence[3:]) / 2
    highest = float(strength.max())
    if highest <= 0:
        return Period(0.0, 0)
    return Period(highest, int(np.argmax(strength >= 0.9 * highest)) + 2)


def histogram_auroc(
    positive: Int64[np.ndarray, " value"], negative: Int64[np.ndarray, " value"]
) -> float:
    """Chance that a positive has the higher value than a negative, from counts of each value.

    Ties count half; NaN where either is empty.
    """
    if not positive.sum() or not negative.sum():
        return float("nan")
    below = np.cumsum(negative) - negative
    wins = float(positive.astype(np.float64) @ (below + negative / 2))
    return wins / (float(positive.sum()) * float(negative.sum()))


def _shares(tracks: Sequence[RowTrack], backdrops: Sequence[Backdrop]) -> dict[str, float]:
    n_gc = len(backdrops[0].covered_gc)
    gc = np.zeros(n_gc, dtype=np.int64)
    firing = dict.fromkeys(STRANDS, 0)
    tandem = head = 0
    for track in tracks:
        backdrop = backdrops[track.genome]
        firing[track.strand] += len(track.row)
        gc += np.bincount(backdrop.gc[track.row], minlength=n_gc)
        tandem += int(np.count_nonzero(backdrop.tandem[track.row]))
        if backdrop.head is not None:
            head += int(np.count_nonzero(backdrop.head[track.strand][track.row]))
    covered = {s: sum(backdrop.n_covered[s] for backdrop in backdrops) for s in STRANDS}
    n_firing, n_covered = sum(firing.values()), sum(covered.values())
    covered_gc = np.sum([backdrop.covered_gc for backdrop in backdrops], axis=0)
    is_known = all(backdrop.head is not None for backdrop in backdrops)
    n_head = sum(backdrop.n_head for backdrop in backdrops)
    expected = n_firing * n_head / n_covered
    return {
        "density": n_firing / n_covered,
        "gc_auroc": histogram_auroc(gc, covered_gc - gc),
        "tandem_share": tandem / n_firing,
        "strand_asymmetry": _asymmetry(firing["+"], firing["-"], covered["+"], covered["-"]),
        "window_bias": head / expected if is_known and expected > 0 else float("nan"),
    }


def _asymmetry(plus: int, minus: int, covered_plus: int, covered_minus: int) -> float:
    if not covered_plus or not covered_minus:
        return float("nan")
    p, m = plus / covered_plus, minus / covered_minus
    return (p - m) / (p + m)


def _shape(
    feature: int,
    tracks: Sequence[RowTrack],
    memory: Sequence[Bool[np.ndarray, " _row"]],
    config: RankConfig,
) -> dict[str, float | int]:
    lags = np.arange(config.max_period + 2)
    draw = rng(config.seed, f"periodicity/{feature}")
    found, n = np.zeros(len(lags)), 0
    for track in tracks:
        row = track.row
        if not len(row):
            continue
        fires = memory[track.genome]
        fires[row] = True
        # a random sample: an evenly spaced one would have a period of its own
        sample = row if len(row) <= _SAMPLED else draw.choice(row, _SAMPLED, replace=False)
        found += np.count_nonzero(fires[sample[:, None] + lags], axis=0)
        n += len(sample)
        fires[row] = False
    period = find_period(found / max(n, 1))
    return {"periodicity": period.strength, "period": period.bp}


def _place(
    stores: Sequence[FeatureStore], tracks: Sequence[RowTrack], config: RankConfig
) -> dict[str, object]:
    maximum = max(float(track.value.max(initial=0.0)) for track in tracks)
    at_least = config.locus_share * maximum
    n_loci, genomes = 0, set()
    top: tuple[float, str] = (-1.0, "")
    for track in tracks:
        store = stores[track.genome]
        offsets = np.array(list(store.offsets.values()), dtype=np.int64)
        loci = find_loci(track, offsets, at_least=at_least, merge_gap=config.merge_gap)
        n_loci += len(loci.start)
        if not len(loci.start):
            continue
        genomes.add(track.genome)
        best = int(np.argmax(loci.maximum))
        if loci.maximum[best] > top[0]:
            region = _region(store, int(loci.start[best]), int(loci.end[best]))
            top = (float(loci.maximum[best]), region)
    return {"n_loci": n_loci, "n_genomes": len(genomes), "top_region": top[1]}


def _region(store: FeatureStore, start: int, end: int) -> str:
    names, offsets = list(store.offsets), np.array(list(store.offsets.values()), dtype=np.int64)
    index = int(np.searchsorted(offsets, start, side="right")) - 1
    offset = int(offsets[index])
    return format_region(GenomicInterval(names[index], start - offset, end - offset))
