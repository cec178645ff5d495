"""Embedded data for igv.js: masked genomes, annotation and feature tracks.

igv.js shows names in HTML that it builds itself, so no text of an annotation is passed to it
unchanged: `browser_text` replaces characters with a meaning in HTML by look-alikes.
"""

import base64
import bisect
import contextlib
import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool

from genointerp.core.errors import CoordinateError
from genointerp.feature.specimen import Specimen
from genointerp.figure.elements import gene_table
from genointerp.genome.interval import GenomicInterval, parse_region, split_at_origin
from genointerp.genome.letters import unknown_sequence
from genointerp.panel.style import LIGHT, STRAND_COLORS, type_color
from genointerp.store.feature.store import STRANDS, FeatureStore, FeatureTrack, ReadStrand

FLANKS = 3
"""Flanks of a locus on either side, in widths of the locus, when the page shows it."""

MARGIN = 50
"""Fewest bases on either side of a locus that are shown base by base, flanks included."""

BIN_SIZES = tuple(2**power for power in range(10))

_LOOK_ALIKES = str.maketrans(
    {"<": "\u2039", ">": "\u203a", "&": "\uff06", '"': "\u2033", "'": "\u2032", "`": "\u2032"}
)
_UNSAFE = re.compile(r"[^A-Za-z0-9_.|-]")
_STRAND_SUFFIX = re.compile(r"\([-+.]\)$")


@dataclass(frozen=True, eq=False)
class Resolution:
    """Resolution at which the tracks of a page show activations.

    Parameters
    ----------
    bin_bp
        Length of a bin in bp; it shows the greatest activation of its bases.
    is_fine
        Whether each row is shown base by base instead, one array per genome; whole bins are.
    n_fine
        Number of intervals that are shown base by base.
    """

    bin_bp: int
    is_fine: tuple[Bool[np.ndarray, " _row"], ...]
    n_fine: int


class Loci:
    """Positions of the run's regions in the browser, whose contigs may have other names.

    A contig keeps its name in the browser, unless the name holds characters with a special meaning
    or is used by two genomes.
    """

    def __init__(self, specimens: Sequence[Specimen]) -> None:
        self.names: dict[tuple[str, str], str] = {}
        self._stores = {specimen.name: specimen.features for specimen in specimens}
        for specimen in specimens:
            for seqid in specimen.features.lengths:
                self.names[specimen.name, seqid] = self._free_name(specimen.name, seqid)

    def find(self, region: str, genome: str | None = None) -> str | None:
        """Return the browser's notation of a 1-based closed region.

        Parameters
        ----------
        genome
            Name of the genome that the region lies on. If None, only one genome may have the
            region.

        Returns
        -------
        None if the text is not a region.
        """
        text = _STRAND_SUFFIX.sub("", region.strip())
        found = []
        for name, store in self._stores.items():
            with contextlib.suppress(CoordinateError):
                if genome in (None, name):
                    interval = parse_region(text, store.lengths, circular=store.circular)
                    found.append((name, interval))
        return self.place(*found[0]) if len(found) == 1 else None

    def place(self, genome: str, interval: GenomicInterval) -> str | None:
        """Return the browser's notation of an interval of one genome; None if it is not shown.

        Only the part before the origin is returned for an interval across the origin.
        """
        name = self.names.get((genome, interval.seqid))
        if name is None:
            return None
        first = split_at_origin(interval, self._stores[genome].lengths[interval.seqid])[0]
        return f"{name}:{first.start + 1}-{first.end}"

    def _free_name(self, genome: str, seqid: str) -> str:
        plain = _UNSAFE.sub("_", seqid)
        taken = set(self.names.values())
        for name in (plain, f"{genome}.{plain}"):
            if name not in taken:
                return name
        number = next(n for n in range(2, len(taken) + 3) if f"{plain}.{n}" not in taken)
        return f"{plain}.{number}"


def browser_text(text: str) -> str:
    """Return a text that looks the same but is never taken for HTML markup.

    Examples
    --------
    >>> "<" in browser_text("<script>")
    False
    """
    return text.translate(_LOOK_ALIKES)


def browser_options(specimens: Sequence[Specimen], loci: Loci, locus: str) -> dict[str, Any]:
    """Return the options of ``igv.createBrowser`` without features, with all data embedded.

    Parameters
    ----------
    locus
        Where the browser opens, in its own notation.
    """
    tracks = [_annotation_track(specimens, loci), *_unread_tracks(specimens, loci)]
    reference = {
        "id": "run",
        "name": browser_text(", ".join(specimen.name for specimen in specimens)),
        "fastaURL": _data_uri(_masked_fasta(specimens, loci)),
        "indexed": False,
        "wholeGenomeView": False,
    }
    return {
        "reference": reference,
        "locus": locus,
        "tracks": tracks,
        "loadDefaultGenomes": False,
        "showSVGButton": True,
    }


def covered(store: FeatureStore) -> list[GenomicInterval]:
    """Return the intervals that were read, of both strands."""
    return [interval for strand in STRANDS for interval in store.coverage(strand)]


def _masked_fasta(specimens: Sequence[Specimen], loci: Loci) -> bytes:
    """Return all contigs in full length, so that coordinates hold; bases not read are N."""
    records = []
    for specimen in specimens:
        sequence, lengths = specimen.needs("sequence"), specimen.features.lengths
        masked = {name: unknown_sequence(n) for name, n in lengths.items()}
        for interval in covered(specimen.features):
            bases = sequence[interval.seqid].sequence[interval.start : interval.end]
            masked[interval.seqid][interval.start : interval.end] = bases
        for seqid, bases in masked.items():
            records.append(f">{loci.names[specimen.name, seqid]}\n".encode() + bases.tobytes())
    return b"\n".join([*records, b""])


def _annotation_track(specimens: Sequence[Specimen], loci: Loci) -> dict[str, Any]:
    features = []
    for specimen in specimens:
        table = gene_table(specimen.needs("annotation"))
        seen = _near(table, covered(specimen.features))
        features += [
            {
                "chr": loci.names[specimen.name, row["seqid"]],
                "start": int(row["start"]),
                "end": int(row["end"]),
                "strand": row["strand"],
                "name": browser_text(row["label"] or row["type"]),
                "type": browser_text(row["type"]),
                "product": browser_text(row["product"]),
                "color": type_color(row["type"]),
            }
            for row in seen.to_dict("records")
        ]
    return {
        "type": "annotation",
        "name": "annotation",
        "displayMode": "EXPANDED",
        "height": 110,
        "searchable": True,
        "features": features,
    }


def _unread_tracks(specimens: Sequence[Specimen], loci: Loci) -> list[dict[str, Any]]:
    """Return a track of the bases that were not read for each strand that has any."""
    unread = {
        strand: [
            {
                "chr": loci.names[specimen.name, gap.seqid],
                "start": gap.start,
                "end": gap.end,
                "name": f"not read on {strand}",
                "color": LIGHT,
            }
            for specimen in specimens
            for gap in not_read(specimen.features, strand)
        ]
        for strand in STRANDS
    }
    return [
        {
            "type": "annotation",
            "name": f"not read on {strand}",
            "displayMode": "COLLAPSED",
            "height": 25,
            "features": features,
        }
        for strand, features in unread.items()
        if features
    ]


def not_read(store: FeatureStore, strand: ReadStrand) -> list[GenomicInterval]:
    """Return the intervals of each contig that were not read on a strand."""
    gaps = []
    for contig in store.header.contigs:
        read = [one for one in store.coverage(strand) if one.seqid == contig.seqid]
        ends = [0, *(one.end for one in read)]
        starts = [*(one.start for one in read), contig.length]
        gaps += [
            GenomicInterval(contig.seqid, end, start)
            for end, start in zip(ends, starts, strict=True)
            if end < start
        ]
    return gaps


def _near(table: pd.DataFrame, intervals: Sequence[GenomicInterval]) -> pd.DataFrame:
    keep = np.zeros(len(table), dtype=bool)
    for interval in intervals:
        inside = (table["end"] > interval.start) & (table["start"] < interval.end)
        keep |= (inside & (table["seqid"] == interval.seqid)).to_numpy(dtype=bool)
    return table[keep]


def feature_track(
    specimens: Sequence[Specimen],
    feature: int,
    label: str,
    loci: Loci,
    resolution: Resolution,
) -> dict[str, Any]:
    """Return the track of a feature: read on + upward, read on - downward, on one scale.

    Parameters
    ----------
    label
        Short description of the feature; it may be empty.
    """
    runs = {
        strand: [
            _runs(one.features, one.features.feature(feature, strand), resolution.bin_bp, is_fine)
            for one, is_fine in zip(specimens, resolution.is_fine, strict=True)
        ]
        for strand in STRANDS
    }
    highest = max(float(one.top.max(initial=0)) for found in runs.values() for one in found)
    limit = highest or 1.0
    sides = [
        {
            "type": "wig",
            "format": "bedgraph",
            "name": f"f/{feature} read on {strand}",
            "url": _data_uri(_bedgraph(specimens, runs[strand], loci, sign)),
            "color": STRAND_COLORS[strand],
            # what is drawn downward has its maxima at its lowest values
            "windowFunction": "max" if sign > 0 else "min",
            "min": -limit,
            "max": limit,
        }
        for strand, sign in zip(STRANDS, (1, -1), strict=True)
    ]
    return {
        "type": "merged",
        "name": browser_text(f"f/{feature} {label}".strip()),
        "height": 70,
        "min": -limit,
        "max": limit,
        "tracks": sides,
    }


def track_resolution(
    specimens: Sequence[Specimen],
    features: Sequence[int],
    near: Sequence[tuple[str, GenomicInterval]],
    *,
    max_runs: int,
) -> Resolution:
    """Return the finest resolution at which all tracks together stay within a limit.

    If no resolution does, fewer intervals are shown base by base; if none does without any, as for
    features that fire nearly everywhere, it is the one with the fewest stretches.

    Parameters
    ----------
    near
        Intervals to show base by base, each with the name of its genome: those that the page links
        to, the most important first.
    max_runs
        Most stretches of equal activation over all tracks; each takes about 10 bytes in the page.
    """
    tracks = [
        (index, specimen.features.feature(feature, strand))
        for index, specimen in enumerate(specimens)
        for feature in features
        for strand in STRANDS
    ]

    @cache
    def n_runs(bin_bp: int, n_fine: int) -> int:
        fine = _fine_rows(specimens, near[:n_fine], bin_bp)
        return sum(
            len(_runs(specimens[i].features, track, bin_bp, fine[i])[0]) for i, track in tracks
        )

    n_fine = len(near)
    while True:
        # wider bins make fewer stretches, until they also widen what is shown base by base
        index = bisect.bisect_left(
            BIN_SIZES, x=True, key=lambda bin_bp: n_runs(bin_bp, n_fine) <= max_runs
        )
        if index < len(BIN_SIZES) or not n_fine:
            break
        n_fine //= 4
    bin_bp = (
        BIN_SIZES[index]
        if index < len(BIN_SIZES)
        else min(BIN_SIZES, key=lambda bin_bp: n_runs(bin_bp, n_fine))
    )
    return Resolution(bin_bp, _fine_rows(specimens, near[:n_fine], bin_bp), n_fine)


def _fine_rows(
    specimens: Sequence[Specimen], near: Sequence[tuple[str, GenomicInterval]], bin_bp: int
) -> tuple[Bool[np.ndarray, " _row"], ...]:
    stores = {specimen.name: specimen.features for specimen in specimens}
    masks = {name: np.zeros(store.n_rows, dtype=np.bool_) for name, store in stores.items()}
    for name, place in near:
        store = stores[name]
        length, offset = store.lengths[place.seqid], store.offsets[place.seqid]
        margin = max(MARGIN, FLANKS * place.length)
        start = max(place.start - margin, 0) // bin_bp * bin_bp
        end = min(-(-(place.end + margin) // bin_bp) * bin_bp, length)
        masks[name][offset + start : offset + end] = True
    return tuple(masks.values())


class _Runs(NamedTuple):
    """Stretches of equal activation: rows ``[start, stop)`` and their activations."""

    start: np.ndarray
    stop: np.ndarray
    top: np.ndarray


def _runs(
    store: FeatureStore, track: FeatureTrack, bin_bp: int, is_fine: Bool[np.ndarray, " row"]
) -> _Runs:
    """Return the stretches of equal activation of a track.

    A bin has the greatest value of its bases, rounded to three digits. No stretch crosses contigs.
    """
    row, value = track
    if not len(row):
        return _Runs(row, row, value)
    begins = np.array(sorted(store.offsets.values()), dtype=np.int64)
    contig = np.searchsorted(begins, row, side="right") - 1
    size = np.where(is_fine[row], 1, bin_bp)
    bins = (row - begins[contig]) // size * size + begins[contig]
    first = np.flatnonzero(np.diff(bins, prepend=-1))
    start = bins[first]
    top = np.maximum.reduceat(value, first)
    digits = 10.0 ** (2 - np.floor(np.log10(top)))
    top = np.round(top * digits) / digits
    ends = np.append(begins[1:], store.n_rows)
    stop = np.minimum(start + size[first], ends[contig[first]])
    apart = (start[1:] != stop[:-1]) | (top[1:] != top[:-1]) | np.isin(start[1:], begins)
    heads = np.flatnonzero(np.concatenate(([True], apart)))
    tails = np.append(heads[1:], len(start)) - 1
    return _Runs(start[heads], stop[tails], top[heads])


def _bedgraph(specimens: Sequence[Specimen], runs: Sequence[_Runs], loci: Loci, sign: int) -> bytes:
    lines = []
    for specimen, found in zip(specimens, runs, strict=True):
        names = [loci.names[specimen.name, seqid] for seqid in specimen.features.offsets]
        begins = np.array(list(specimen.features.offsets.values()), dtype=np.int64)
        # contigs without bases share the offset of the next contig that has some, so take the last
        owner = np.searchsorted(begins, found.start, side="right") - 1
        columns = (
            owner,
            found.start - begins[owner],
            found.stop - begins[owner],
            sign * found.top,
        )
        lines += [
            f"{names[index]}\t{low}\t{high}\t{value:.3g}"
            for index, low, high, value in zip(*(one.tolist() for one in columns), strict=True)
        ]
    return "\n".join([*lines, ""]).encode()


def _data_uri(content: bytes) -> str:
    # the highest level takes three times as long for a hundredth of the size
    packed = gzip.compress(content, 6, mtime=0)
    return f"data:application/gzip;base64,{base64.b64encode(packed).decode()}"
