"""Tracks of one feature: bigWig and bedGraph, as 0-based half-open runs of equal values.

A base that was read and is silent is 0; a base that was not read is absent. Coarser tracks keep the
greatest value of each bin, since a mean would shrink peaks.
"""

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Int64

from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.core.text import clean_field, one_line
from genointerp.genome.runs import merge_intervals
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand

_LEAST_S = 60.0
_RUNS_PER_S = 20_000
"""Time limit of writing a bigWig, which is about twenty times what it takes."""


class TrackRuns(NamedTuple):
    """Runs of equal activation on one contig: 0-based, half-open, sorted and disjoint."""

    seqid: str
    start: np.ndarray
    end: np.ndarray
    value: np.ndarray


def feature_runs(
    store: FeatureStore, feature: int, strand: ReadStrand | None = None, *, bin_bp: int = 1
) -> list[TrackRuns]:
    """Return the activation of one feature as runs, by contig.

    If ``strand`` is None, the larger activation of the two strands is taken. The runs of a contig
    cover all of its bases that were read, on the strand or on either.

    Parameters
    ----------
    bin_bp
        Resolution in bp: all bases of a bin, counted from the start of the contig, get the greatest
        activation in it.
    """
    strands: tuple[ReadStrand, ...] = STRANDS if strand is None else (strand,)
    row, value = _merged(store, feature, strands)
    edges = np.searchsorted(row, [*store.offsets.values(), store.n_rows])
    runs = []
    for number, (seqid, offset) in enumerate(store.offsets.items()):
        part = slice(int(edges[number]), int(edges[number + 1]))
        binned = _binned(row[part] - offset, value[part], bin_bp)
        fires = _runs(seqid, *binned, bin_bp, store.lengths[seqid])
        read = _read_spans(store, seqid, strands)
        if len(read):
            runs.append(_with_silence(fires, read))
    return runs


def write_bigwig(runs: list[TrackRuns], lengths: dict[str, int], path: Path) -> None:
    """Write runs as bigWig; its zoom summaries keep the greatest value of what they cover.

    Raises
    ------
    InputError
        If there are no runs, which the format cannot represent.
    OSError
        If the file cannot be written, or what was written does not hold the runs.

    Notes
    -----
    libBigWig hangs, aborts or leaves half a file if a write fails. It therefore runs in a separate
    process and writes to memory. The result is read back there, and copied to the disk here.
    """
    if not runs:
        raise InputError(str(path), "a feature that fires (bigWig cannot be empty)", "none")
    with _scratch(path) as scratch, scratch.open("rb") as made:
        _write_apart(runs, lengths, scratch)
        with path.open("wb") as handle:
            shutil.copyfileobj(made, handle)


def write_bedgraph(
    runs: list[TrackRuns], path: Path, provenance: Provenance, name: str = ""
) -> None:
    """Write runs as bedGraph, after a comment with their provenance.

    Parameters
    ----------
    name
        Name of the track, which a line says by which genome browsers call it; none if empty.
    """
    with path.open("w", newline="", encoding="utf-8") as handle:
        handle.write(f"# {provenance.as_json()}\n")
        if name:
            shown = clean_field(name).replace('"', "'")
            handle.write(f'track type=bedGraph name="{shown}"\n')
        for run in runs:
            frame = pd.DataFrame(
                {"seqid": run.seqid, "start": run.start, "end": run.end, "value": run.value}
            )
            frame.to_csv(handle, sep="\t", index=False, header=False, lineterminator="\n")


def _merged(
    store: FeatureStore, feature: int, strands: tuple[ReadStrand, ...]
) -> tuple[np.ndarray, np.ndarray]:
    tracks = [store.feature(feature, strand) for strand in strands]
    row = np.concatenate([track.row for track in tracks])
    value = np.concatenate([track.value for track in tracks])
    order = np.lexsort((-value, row))
    row, value = row[order], value[order]
    keep = np.ones(len(row), dtype=bool)
    keep[1:] = np.diff(row) > 0
    return row[keep], value[keep]


def _binned(base: np.ndarray, value: np.ndarray, bin_bp: int) -> tuple[np.ndarray, np.ndarray]:
    if bin_bp == 1:
        return base, value
    start = base // bin_bp * bin_bp
    first = np.flatnonzero(np.diff(start, prepend=-1))
    return start[first], np.maximum.reduceat(value, first)


def _runs(seqid: str, start: np.ndarray, value: np.ndarray, bin_bp: int, length: int) -> TrackRuns:
    fresh = np.ones(len(start), dtype=bool)
    fresh[1:] = (np.diff(start) > bin_bp) | (np.diff(value) != 0)
    first = np.flatnonzero(fresh)
    last = np.append(first[1:], len(start))[: len(first)] - 1
    end = np.minimum(start[last] + bin_bp, length)
    return TrackRuns(seqid, start[first], end, value[first])


def _read_spans(
    store: FeatureStore, seqid: str, strands: tuple[ReadStrand, ...]
) -> Int64[np.ndarray, "run 2"]:
    """Return the stretches of a contig that were read on any of the strands, in order."""
    read = [one for strand in strands for one in store.coverage(strand) if one.seqid == seqid]
    spans = np.array([(one.start, one.end) for one in read], dtype=np.int64)
    return merge_intervals(spans.reshape(-1, 2))


def _with_silence(fires: TrackRuns, read: Int64[np.ndarray, "run 2"]) -> TrackRuns:
    """Restrict runs to what was read, and add runs of 0 where nothing fires."""
    edges = np.unique(np.concatenate([fires.start, fires.end, read.ravel()]))
    start, end = edges[:-1], edges[1:]
    run = np.searchsorted(fires.start, start, side="right") - 1
    inside = (run >= 0) & (start < np.append(fires.end, 0)[run])
    value = np.where(inside, np.append(fires.value, 0)[run], 0)
    span = np.searchsorted(read[:, 0], start, side="right") - 1
    known = (span >= 0) & (start < read[span, 1])
    return TrackRuns(fires.seqid, start[known], end[known], value[known].astype(np.float32))


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """Give the path of a file in memory, or next to ``path`` if the system has none."""
    if not hasattr(os, "memfd_create"):
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            scratch = Path(folder) / "scratch.bw"
            scratch.touch()
            yield scratch
        return
    descriptor = os.memfd_create("bigwig")
    try:
        # named by this process, so that another process can open it
        yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _write_apart(runs: list[TrackRuns], lengths: dict[str, int], scratch: Path) -> None:
    n_runs = sum(len(run.start) for run in runs)
    seconds = _LEAST_S + n_runs / _RUNS_PER_S
    command = [sys.executable, "-m", "genointerp.feature.bigwig_process", str(scratch)]
    try:
        done = subprocess.run(
            command,
            input=pickle.dumps((lengths, [tuple(run) for run in runs])),
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"no bigWig after {seconds:.0f} s") from error
    if done.returncode:
        said = one_line(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
        raise OSError(said or f"status {done.returncode} of libBigWig")
