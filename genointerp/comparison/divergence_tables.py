"""Tables of a divergence: its tail, the places where it is largest, and its course."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Float64

from genointerp.association.null.significance import benjamini_hochberg
from genointerp.comparison.config import LociConfig
from genointerp.comparison.divergence import (
    BETWEEN,
    CHANGE,
    CONTROL,
    MEASURES,
    Divergence,
    DivergenceTrack,
    Pair,
)
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval, Strand
from genointerp.store.table.schema.divergence import (
    DIVERGENCE,
    DIVERGENCE_BINS,
    DIVERGENCE_SUMMARY,
    DIVERGENCE_TAIL,
)
from genointerp.store.table.table import conform

_QUANTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
_PER_DECADE = 8


class DivergenceTables(NamedTuple):
    """The tables of a divergence, each of the schema in ``store/table/schema/divergence.py``."""

    loci: pd.DataFrame
    summary: pd.DataFrame
    tail: pd.DataFrame
    bins: pd.DataFrame


def tabulate(found: Divergence, genome: Genome, config: LociConfig) -> DivergenceTables:
    """Return all tables of a divergence."""
    return DivergenceTables(
        locus_table(found, genome, config),
        summary_table(found),
        tail_table(found),
        bin_table(found, config.bin_bp),
    )


def summary_table(found: Divergence) -> pd.DataFrame:
    """Return mean, quantiles and extremes by pair, strand and measure.

    The excess of a figure is that of the tuned model minus that of the control, both against the
    base model.
    """
    read = [strand for strand in ("+", "-") if strand in {it.where.strand for it in found.tracks}]
    kinds: list[tuple[str, Sequence[str]]] = [(strand, (strand,)) for strand in read]
    if len(read) > 1:
        kinds.insert(0, (".", read))
    rows = []
    for strand, strands in kinds:
        for measure in MEASURES:
            figures = {
                pair: _figures(found.known(pair, measure, strands=strands)) for pair in found.pairs
            }
            for pair, own in figures.items():
                named = {"model": pair[0], "against": pair[1], "strand": strand, "measure": measure}
                row: dict[str, object] = {**named, **own}
                for name in ("mean", *_QUANTILES, "max"):
                    is_change = pair == CHANGE and found.has_control
                    excess = own[name] - figures[CONTROL][name] if is_change else np.nan
                    row[f"excess_{name}"] = excess
                rows.append(row)
    return conform(pd.DataFrame(rows), DIVERGENCE_SUMMARY, where="summary")


def _figures(values: Float[np.ndarray, " value"]) -> dict[str, float | int]:
    if not len(values):
        return {"n": 0} | dict.fromkeys(["mean", *_QUANTILES, "max", "min"], np.nan)
    quantiles = np.quantile(values, list(_QUANTILES.values())).tolist()
    return {
        "n": len(values),
        "mean": float(values.mean(dtype=np.float64)),
        **dict(zip(_QUANTILES, quantiles, strict=True)),
        "max": float(values.max()),
        "min": float(values.min()),
    }


def tail_table(found: Divergence) -> pd.DataFrame:
    """Return the KL that each of a series of shares of the bases reaches or exceeds, by pair."""
    parts = []
    for pair in found.pairs:
        values = np.sort(found.known(pair))[::-1]
        if not len(values):
            continue
        decades = np.log10(len(values))
        steps = np.arange(0, int(decades * _PER_DECADE) + 1)
        n = np.unique(np.append(np.round(len(values) / 10 ** (steps / _PER_DECADE)), 1).astype(int))
        parts.append(
            pd.DataFrame(
                {
                    "model": pair[0],
                    "against": pair[1],
                    "share": n / len(values),
                    "kl": values[n - 1].astype(np.float64),
                }
            )
        )
    frame = (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=DIVERGENCE_TAIL.names)
    )
    return conform(frame, DIVERGENCE_TAIL, where="tail")


def bin_table(found: Divergence, bin_bp: int) -> pd.DataFrame:
    """Return the largest KL and excess in each bin of the regions, by reading strand."""
    parts = []
    for track in found.tracks:
        edges = np.arange(0, track.where.length, bin_bp)
        control = track.of(CONTROL) if found.has_control else np.full(track.where.length, np.nan)
        columns = {"kl": track.of(CHANGE), "control_kl": control, "excess": track.excess}
        start = track.where.start + edges
        part = {
            "seqid": track.where.seqid,
            "start": start,
            "end": np.minimum(start + bin_bp, track.where.end),
            "strand": track.where.strand,
        }
        # fmax passes over NaN unless all are
        part |= {n: np.fmax.reduceat(it, edges).astype(float) for n, it in columns.items()}
        parts.append(pd.DataFrame(part))
    return conform(pd.concat(parts, ignore_index=True), DIVERGENCE_BINS, where="bins")


def locus_table(found: Divergence, genome: Genome, config: LociConfig) -> pd.DataFrame:
    """Return the positions and the stretches of the largest excess.

    Notes
    -----
    Of positions on one strand that are less than ``stretch`` bases apart, the one of the largest
    excess is taken; stretches on one strand share no base. ``p_value`` of a position is
    ``(1 + #{control_kl >= kl}) / (1 + n)`` over the n bases that were read; ``q_value`` is
    corrected over the same (Benjamini and Hochberg). Both are small as well where the tuned model
    moved further than the control everywhere. A stretch has neither: each overlaps its neighbours,
    so that one hot place of chance would count as often as a stretch is long. On a circular contig,
    places at either side of the origin count as far apart, and no stretch spans it.
    """
    rows = [
        row
        for kind, length in (("position", 1), ("stretch", config.stretch))
        for row in _rows(found, genome, config, kind, length)
    ]
    frame = pd.DataFrame(rows, columns=DIVERGENCE.names)
    return conform(frame, DIVERGENCE, where="divergence")


class Place(NamedTuple):
    """A place in a track: its first column, and the value by which it was chosen."""

    track: DivergenceTrack
    column: int
    value: float
    length: int = 1

    @property
    def interval(self) -> GenomicInterval:
        """The bases, with the reading strand."""
        where = self.track.where
        start = where.start + self.column
        return GenomicInterval(where.seqid, start, start + self.length, where.strand)


def _rows(
    found: Divergence, genome: Genome, config: LociConfig, kind: str, length: int
) -> Iterator[dict[str, object]]:
    apart = max(length, config.stretch)
    top = top_places(found, lambda track: track.excess, length, n=config.n_loci, apart=apart)
    # stretches overlap, so that as many of them as a stretch is long are one observation
    tests = _Exceedance.of(found) if length == 1 else _Exceedance.none()
    for rank, chosen in enumerate(top, 1):
        track, column, place = chosen.track, chosen.column, chosen.interval
        part = slice(column, column + length)
        kl, js, dlogp = (float(np.nanmean(it)) for it in track.values[CHANGE][:, part])
        expected = _spelling(found, track, column if place.strand == "+" else column + length - 1)
        yield {
            "kind": kind,
            "rank": rank,
            "seqid": place.seqid,
            "start": place.start,
            "end": place.end,
            "strand": place.strand,
            "kl": kl,
            "js": js,
            "dlogp": dlogp,
            "control_kl": _mean(track, CONTROL, part),
            "between_kl": _mean(track, BETWEEN, part),
            "excess": chosen.value,
            "p_value": tests.p(kl),
            "q_value": tests.q(kl),
            "context": bases_before(genome, place, config.context),
            "found": _bases_there(genome, place, max(length, len(expected))),
            "expected": expected,
        }


def _mean(track: DivergenceTrack, pair: Pair, part: slice) -> float:
    return float(np.nanmean(track.of(pair)[part])) if pair in track.values else np.nan


def _bases_there(genome: Genome, place: GenomicInterval, n: int) -> str:
    """Return n bases from the first one of a place, or fewer at the end of a contig."""
    start, end = place.start, min(place.start + n, genome[place.seqid].length)
    if place.strand == "-":
        start, end = max(place.end - n, 0), place.end
    where = GenomicInterval(place.seqid, start, end, place.strand)
    return genome.fetch(where).tobytes().decode()


def _spelling(found: Divergence, track: DivergenceTrack, column: int) -> str:
    symbol = int(track.expected[column])
    return "" if symbol < 0 else found.symbols.spelling[symbol].decode()


def top_places(
    found: Divergence,
    values_of: Callable[[DivergenceTrack], Float32[np.ndarray, " bp"]],
    length: int,
    *,
    n: int,
    apart: int,
) -> list[Place]:
    """Return the places of the largest mean value, the largest first.

    Parameters
    ----------
    length
        Bases of a place.
    n
        Most places.
    apart
        Least distance of the first bases of two places on one strand.
    """
    places = []
    for track in found.tracks:
        means = window_means(values_of(track), length, token=max(map(len, found.symbols.spelling)))
        values = np.nan_to_num(means, nan=-np.inf)
        for _ in range(n):
            if not len(values) or values.max() == -np.inf:
                break
            column = int(values.argmax())
            places.append(Place(track, column, float(values[column]), length))
            values[max(0, column - apart + 1) : column + apart] = -np.inf
    # the order of the tracks decides between equal places
    return sorted(places, key=lambda place: -place.value)[:n]


class _Exceedance(NamedTuple):
    """The tail of the control as the null of a change, over all bases."""

    control: Float64[np.ndarray, " place"] | None
    kl: Float64[np.ndarray, " place"]
    q_of: Float64[np.ndarray, " place"]

    @classmethod
    def none(cls) -> "_Exceedance":
        """Return a null that nothing is known of."""
        return cls(None, np.empty(0), np.empty(0))

    @classmethod
    def of(cls, found: Divergence) -> "_Exceedance":
        if not found.has_control:
            return cls.none()
        kl, control = (np.sort(found.known(pair)).astype(float) for pair in (CHANGE, CONTROL))
        p = _exceedance(control, kl)
        return cls(control, kl, benjamini_hochberg(p))

    def p(self, kl: float) -> float:
        if self.control is None:
            return np.nan
        return float(_exceedance(self.control, np.array([kl]))[0])

    def q(self, kl: float) -> float:
        if self.control is None:
            return np.nan
        # the place itself is among all
        index = int(np.searchsorted(self.kl, kl))
        return float(self.q_of[min(index, len(self.kl) - 1)])


def _exceedance(
    control: Float64[np.ndarray, " place"], kl: Float64[np.ndarray, " test"]
) -> Float64[np.ndarray, " test"]:
    n_as_high = len(control) - np.searchsorted(control, kl, side="left")
    return np.asarray((1 + n_as_high) / (1 + len(control)), dtype=np.float64)


def window_means(
    values: Float[np.ndarray, " bp"], length: int, *, token: int = 1
) -> Float64[np.ndarray, " window"]:
    """Return the mean of each window of some length, from the first to the last.

    It is over the values that are not NaN, and NaN where fewer than half of the window are known.
    If tokens are words, a value stands at the first base of each only, so the half is that of the
    tokens of ``token`` bases, the length of the longest word, which a window holds.

    Examples
    --------
    >>> window_means(np.array([1.0, 3.0, np.nan, np.nan, np.nan]), 2).tolist()
    [2.0, 3.0, nan, nan]
    """
    if len(values) < length:
        return np.empty(0)
    if length == 1:
        return np.asarray(values, dtype=np.float64)
    known = ~np.isnan(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0), dtype=np.float64)])
    count = np.concatenate([[0], np.cumsum(known)])
    n = count[length:] - count[:-length]
    mean = (total[length:] - total[:-length]) / np.maximum(n, 1)
    mean[(2 * n * token < length) | (n == 0)] = np.nan
    return np.asarray(mean)


def bases_before(genome: Genome, place: GenomicInterval, n: int) -> str:
    """Return up to n bases before a place, in its reading direction.

    Around the origin of a circular contig they go on; at the end of a linear one there are fewer.
    """
    contig = genome[place.seqid]
    n = min(n, contig.length)
    strand: Strand = place.strand
    if strand == "-":
        start, end = place.end, place.end + n
        if contig.circular:
            start, end = start % contig.length, start % contig.length + n
        end = end if contig.circular else min(end, contig.length)
    else:
        start, end = place.start - n, place.start
        if contig.circular and start < 0:
            start, end = start + contig.length, end + contig.length
        start = max(start, 0)
    bases = genome.fetch(GenomicInterval(place.seqid, start, end, strand))
    return bases.tobytes().decode()
