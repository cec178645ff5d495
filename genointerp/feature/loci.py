"""Loci: the intervals in which one feature fires."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64, Int64

from genointerp.core.errors import ConfigError
from genointerp.store.feature.store import STRANDS, FeatureStore, FeatureTrack, ReadStrand
from genointerp.store.table.schema.feature import LOCI
from genointerp.store.table.table import conform

LOUD_SHARE, MERGE_GAP = 0.5, 30
"""Defaults for the loci of candidates: loud share of the maximum, and gap in bp to close."""


@dataclass(frozen=True)
class LocusConfig:
    """Definition of a locus.

    Parameters
    ----------
    merge_gap
        Firing bases are joined into one locus if at most this many silent bases lie between them.
        Loci cross neither the end of a contig nor the origin of a circular one.
    min_length
        Loci shorter than this, in bp including gaps, are left out.
    min_activation
        Bases with an activation below this count as silent.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    merge_gap: int = 0
    min_length: int = 1
    min_activation: float = 0.0

    def __post_init__(self) -> None:
        if self.merge_gap < 0:
            raise ConfigError("merge_gap", "0 or more bases", str(self.merge_gap))
        if self.min_length < 1:
            raise ConfigError("min_length", "1 or more bases", str(self.min_length))
        if not self.min_activation >= 0:
            raise ConfigError("min_activation", "0 or more", str(self.min_activation))


class Loci(NamedTuple):
    """Loci of one track as half-open global rows, with their largest activations and peaks."""

    start: Int64[np.ndarray, " locus"]
    end: Int64[np.ndarray, " locus"]
    maximum: Float64[np.ndarray, " locus"]
    peak: Int64[np.ndarray, " locus"]


def find_loci(
    row: Int64[np.ndarray, " hit"],
    value: Float32[np.ndarray, " hit"],
    offsets: Int64[np.ndarray, " contig"],
    *,
    at_least: float,
    merge_gap: int,
) -> Loci:
    """Join bases with an activation of ``at_least`` or more into loci, which do not cross contigs.

    Parameters
    ----------
    row, value
        Global rows on which a feature fires, ascending, and its activations there.
    offsets
        First row of each contig.
    """
    loud = value >= at_least
    row, top = row[loud], value[loud].astype(np.float64)
    first, last = group_rows(row, offsets, merge_gap=merge_gap)
    highest = np.maximum.reduceat(top, first) if len(first) else np.zeros(0)
    at_peak = np.flatnonzero(top == np.repeat(highest, last - first + 1))
    peak = row[at_peak[np.searchsorted(at_peak, first)]] if len(first) else first
    return Loci(row[first], row[last] + 1, highest, peak)


def group_rows(
    row: Int64[np.ndarray, " hit"], offsets: Int64[np.ndarray, " contig"], *, merge_gap: int
) -> tuple[Int64[np.ndarray, " locus"], Int64[np.ndarray, " locus"]]:
    """Return the indices of the first and of the last hit of each locus.

    Parameters
    ----------
    row
        Global rows in ascending order.
    offsets
        First row of each contig; no locus continues in the next contig.
    """
    contig = np.searchsorted(offsets, row, side="right")
    fresh = np.ones(len(row), dtype=bool)
    fresh[1:] = (np.diff(row) > merge_gap + 1) | (np.diff(contig) > 0)
    first = np.flatnonzero(fresh)
    last = np.append(first[1:], len(row)) - 1 if len(first) else first
    return first, last


def firing_intervals(
    store: FeatureStore, feature: int, strand: ReadStrand, config: LocusConfig | None = None
) -> pd.DataFrame:
    """Return the loci of one feature on one strand by position, in the schema ``LOCI``.

    Raises
    ------
    UnknownNameError
        If the dictionary has no such feature.
    """
    return track_loci(store, store.feature(feature, strand), strand, config)


def track_loci(
    store: FeatureStore,
    track: FeatureTrack,
    strand: ReadStrand,
    config: LocusConfig | None = None,
    *,
    n: int | None = None,
) -> pd.DataFrame:
    """Return the loci of a track of ``store``, as `firing_intervals` does.

    Parameters
    ----------
    n
        Number of loci with the largest activation to keep, the first ones among ties; None keeps
        all.
    """
    config = LocusConfig() if config is None else config
    loud = track.value >= config.min_activation
    row, value = track.row[loud], track.value[loud].astype(np.float64)
    offsets = np.array(list(store.offsets.values()), dtype=np.int64)
    first, last = group_rows(row, offsets, merge_gap=config.merge_gap)
    n_firing = last - first + 1
    locus = np.repeat(np.arange(len(first)), n_firing)
    highest = np.maximum.reduceat(value, first) if len(first) else np.zeros(0)
    total = np.bincount(locus, weights=value, minlength=len(first))
    # the first base among ties
    at_peak = np.flatnonzero(value == highest[locus])
    peak = row[at_peak[np.searchsorted(at_peak, first)]] if len(first) else first
    kept = np.flatnonzero(row[last] - row[first] + 1 >= config.min_length)
    if n is not None:
        kept = np.sort(kept[np.argsort(-highest[kept], kind="stable")[:n]])
    start, end = row[first[kept]], row[last[kept]] + 1
    # contigs without bases share the offset of the next contig that has some, so take the last
    contig = np.searchsorted(offsets, start, side="right") - 1
    names = list(store.offsets)
    shift = offsets[contig]
    frame = pd.DataFrame(
        {
            "seqid": pd.Series([names[i] for i in contig], dtype=object),
            "start": start - shift,
            "end": end - shift,
            "strand": pd.Series([strand] * len(kept), dtype=object),
            "max_activation": highest[kept],
            "mean_activation": (total / n_firing)[kept],
            "n_firing": n_firing[kept],
            "peak": peak[kept] - shift,
        }
    )
    return conform(frame, LOCI, where="loci")


def all_loci(
    store: FeatureStore,
    feature: int,
    config: LocusConfig | None = None,
    *,
    strands: Sequence[ReadStrand] = STRANDS,
) -> pd.DataFrame:
    """Return the loci of one feature, strand after strand, each sorted by position."""
    tables = [firing_intervals(store, feature, strand, config) for strand in strands]
    return pd.concat(tables, ignore_index=True)


def top_loci(
    store: FeatureStore, feature: int, *, n: int = 20, config: LocusConfig | None = None
) -> pd.DataFrame:
    """Return the ``n`` loci with the largest activation over both strands, strongest first."""
    tables = [
        track_loci(store, store.feature(feature, strand), strand, config, n=n) for strand in STRANDS
    ]
    table = pd.concat(tables, ignore_index=True)
    order = np.argsort(-table["max_activation"].to_numpy(), kind="stable")[:n]
    return table.iloc[order].reset_index(drop=True)
