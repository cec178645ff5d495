"""The divergence of each base as bigWig, a file for each number and reading strand."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from genointerp.comparison.divergence import (
    BETWEEN,
    CHANGE,
    CONTROL,
    MEASURES,
    Divergence,
    DivergenceTrack,
    Measure,
    Pair,
)
from genointerp.feature.tracks import TrackRuns, write_bigwig

_STRANDS = {"+": "plus", "-": "minus"}
_Values = Callable[[DivergenceTrack], Float32[np.ndarray, " bp"]]


def write_tracks(found: Divergence, lengths: dict[str, int], folder: Path) -> None:
    """Write a folder of bigWig files, such as ``kl.plus.bw``.

    They are ``kl``, ``js`` and ``dlogp`` of the tuned model against the base model; with a control
    also ``control_kl``, ``between_kl`` and ``excess``, as in the table of places. A base that was
    not predicted is absent.

    Raises
    ------
    InputError
        If nothing was predicted on a strand, which the format cannot say.
    """
    folder.mkdir()
    for strand, word in _STRANDS.items():
        tracks = [track for track in found.tracks if track.where.strand == strand]
        for name, values in _measures(found).items() if tracks else ():
            # the format wants contigs in the order of its header
            order = sorted(tracks, key=lambda it: ([*lengths].index(it.where.seqid), it.where))
            runs = [_runs(track, values(track)) for track in order]
            write_bigwig(_joined(runs), lengths, folder / f"{name}.{word}.bw")


def _measures(found: Divergence) -> Mapping[str, _Values]:
    values: dict[str, _Values] = {it: partial(_of, CHANGE, it) for it in MEASURES}
    if found.has_control:
        values["control_kl"] = partial(_of, CONTROL, "kl")
        values["between_kl"] = partial(_of, BETWEEN, "kl")
        values["excess"] = lambda track: track.excess
    return values


def _of(pair: Pair, measure: Measure, track: DivergenceTrack) -> Float32[np.ndarray, " bp"]:
    return track.of(pair, measure)


def _runs(track: DivergenceTrack, values: Float32[np.ndarray, " bp"]) -> TrackRuns:
    known = np.flatnonzero(~np.isnan(values))
    value = values[known]
    fresh = np.ones(len(known), dtype=bool)
    fresh[1:] = (np.diff(known) > 1) | (np.diff(value) != 0)
    first = np.flatnonzero(fresh)
    last = np.append(first[1:], len(known))[: len(first)] - 1
    start = track.where.start + known
    return TrackRuns(track.where.seqid, start[first], start[last] + 1, value[first])


def _joined(runs: list[TrackRuns]) -> list[TrackRuns]:
    """Return one entry for each contig, of all its regions."""
    found: dict[str, list[TrackRuns]] = {}
    for run in runs:
        if len(run.start):
            found.setdefault(run.seqid, []).append(run)
    return [
        TrackRuns(seqid, *(np.concatenate(it) for it in list(zip(*parts, strict=True))[1:]))
        for seqid, parts in found.items()
    ]
