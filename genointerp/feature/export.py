"""One feature as a track for genome browsers: bigWig, bedGraph or GFF3, as the suffix says.

bigWig and bedGraph hold the activation of each base (0-based, half-open runs of equal values);
bases that do not fire are absent. GFF3 holds the loci (1-based, closed).
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyBigWig

from genointerp.core.errors import InputError, StorageError
from genointerp.core.files import atomic_path
from genointerp.core.provenance import Provenance
from genointerp.feature.loci import firing_intervals
from genointerp.store.features import STRANDS, FeatureStore, ReadStrand
from genointerp.store.hdf5 import writing


class TrackRuns(NamedTuple):
    """Runs of equal activation on one contig: 0-based, half-open, sorted, not overlapping."""

    seqid: str
    start: np.ndarray
    end: np.ndarray
    value: np.ndarray


def export_feature(
    store: FeatureStore,
    feature: int | str,
    out: Path,
    *,
    strand: ReadStrand | None = None,
    merge_gap: int = 0,
) -> int:
    """Write one feature as a track; return the number of intervals written.

    Parameters
    ----------
    feature
        By index or name.
    out
        ``.bw`` or ``.bigwig``, ``.bedgraph`` or ``.bg``, ``.gff3`` or ``.gff``.
    strand
        Only this reading strand. Where None, GFF3 has the loci of both strands and the other
        formats the larger activation of the two at each base.
    merge_gap
        For GFF3: silent bases that a locus may span.

    Raises
    ------
    InputError
        If the suffix is another, or a bigWig would be empty (its format cannot say so).
    UnknownNameError
        If the dictionary has no such feature.
    StorageError
        If the file cannot be written.
    """
    writer = _WRITERS.get(Path(out).suffix.lower())
    if writer is None:
        raise InputError(str(out), f"a name that ends in {', '.join(_WRITERS)}", Path(out).suffix)
    number = store.find_feature(feature)
    with writing(out), atomic_path(out) as temporary:
        return writer(store, number, temporary, strand, merge_gap)


def feature_runs(
    store: FeatureStore, feature: int, strand: ReadStrand | None = None
) -> list[TrackRuns]:
    """Return the activation of one feature as runs, by contig; the larger of both where None."""
    row, value = _merged(store, feature, STRANDS if strand is None else (strand,))
    edges = np.searchsorted(row, [*store.offsets.values(), store.n_rows])
    runs = []
    for number, (seqid, offset) in enumerate(store.offsets.items()):
        part = slice(int(edges[number]), int(edges[number + 1]))
        position, here = row[part] - offset, value[part]
        if not len(position):
            continue
        fresh = np.ones(len(position), dtype=bool)
        fresh[1:] = (np.diff(position) > 1) | (np.diff(here) != 0)
        first = np.flatnonzero(fresh)
        last = np.append(first[1:], len(position)) - 1
        runs.append(TrackRuns(seqid, position[first], position[last] + 1, here[first]))
    return runs


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


def _write_bigwig(
    store: FeatureStore, feature: int, path: Path, strand: ReadStrand | None, merge_gap: int
) -> int:
    runs = feature_runs(store, feature, strand)
    if not runs:
        on = "either strand" if strand is None else strand
        raise InputError(f"feature {feature}", f"a feature that fires on {on}", "none")
    file = pyBigWig.open(str(path), "w")
    if file is None:
        raise StorageError(f"{path}: expected to write the file, found that it cannot be opened")
    try:
        file.addHeader(list(store.lengths.items()))
        for run in runs:
            file.addEntries(
                [run.seqid] * len(run.start),
                run.start.tolist(),
                ends=run.end.tolist(),
                values=run.value.tolist(),
            )
    except RuntimeError as error:
        raise OSError(str(error)) from error
    finally:
        file.close()
    _check_bigwig(path, sum(int((run.end - run.start).sum()) for run in runs))
    return sum(len(run.start) for run in runs)


def _check_bigwig(path: Path, n_bases: int) -> None:
    """Refuse a file that was cut short upon closing, of which pyBigWig raises nothing."""
    try:
        with pyBigWig.open(str(path)) as file:
            whole = file.header()["nBasesCovered"] == n_bases
    except RuntimeError:
        whole = False
    if not whole:
        raise OSError("a file cut short, as upon a full disk")


def _write_bedgraph(
    store: FeatureStore, feature: int, path: Path, strand: ReadStrand | None, merge_gap: int
) -> int:
    runs = feature_runs(store, feature, strand)
    with path.open("w", newline="") as handle:
        handle.write(f"# {_provenance(store, feature, strand=strand).as_json()}\n")
        for run in runs:
            frame = pd.DataFrame(
                {"seqid": run.seqid, "start": run.start, "end": run.end, "value": run.value}
            )
            frame.to_csv(handle, sep="\t", index=False, header=False, lineterminator="\n")
    return sum(len(run.start) for run in runs)


def _write_gff3(
    store: FeatureStore, feature: int, path: Path, strand: ReadStrand | None, merge_gap: int
) -> int:
    strands = STRANDS if strand is None else (strand,)
    tables = [firing_intervals(store, feature, one, merge_gap=merge_gap) for one in strands]
    loci = pd.concat(tables, ignore_index=True)
    order = {seqid: number for number, seqid in enumerate(store.offsets)}
    loci["contig"] = [order[seqid] for seqid in loci["seqid"]]
    loci = loci.sort_values(["contig", "start", "end"], kind="stable")
    with path.open("w", newline="") as handle:
        handle.write("##gff-version 3\n")
        handle.writelines(
            f"##sequence-region {_escaped(seqid)} 1 {length}\n"
            for seqid, length in store.lengths.items()
        )
        provenance = _provenance(store, feature, strand=strand, merge_gap=merge_gap)
        handle.write(f"# {provenance.as_json()}\n")
        for number, locus in enumerate(loci.itertuples(index=False), start=1):
            handle.write(_gff3_line(feature, number, locus))
    return len(loci)


def _gff3_line(feature: int, number: int, locus: tuple[object, ...]) -> str:
    seqid, start, end, strand, largest, mean, n_firing = locus[:7]
    columns = (
        _escaped(str(seqid)),
        "genointerp",
        "sequence_feature",
        str(int(str(start)) + 1),
        str(end),
        f"{largest:.9g}",
        str(strand),
        ".",
        f"ID=feature_{feature}_{number};Name=f/{feature};"
        f"mean_activation={mean:.9g};n_firing={n_firing}",
    )
    return "\t".join(columns) + "\n"


def _escaped(seqid: str) -> str:
    allowed = set(".:^*$@!+_?-|")
    return "".join(
        letter if letter.isalnum() or letter in allowed else f"%{ord(letter):02X}"
        for letter in seqid
    )


def _provenance(store: FeatureStore, feature: int, **settings: str | int | None) -> Provenance:
    config = {"feature": feature, **settings}
    return Provenance(config=config, inputs={"features": store.sha256})


_Writer = Callable[[FeatureStore, int, Path, ReadStrand | None, int], int]
_WRITERS: dict[str, _Writer] = {
    ".bw": _write_bigwig,
    ".bigwig": _write_bigwig,
    ".bedgraph": _write_bedgraph,
    ".bg": _write_bedgraph,
    ".gff3": _write_gff3,
    ".gff": _write_gff3,
}
