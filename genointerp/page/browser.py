"""Data for igv.js: masked genomes, annotation and feature tracks, embedded or asked for.

igv.js shows names in HTML that it builds itself, so no text of an annotation is passed to it
unchanged: `browser_text` replaces characters with a meaning in HTML by look-alikes.
"""

import base64
import bisect
import contextlib
import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Int64, UInt8

from genointerp.core.errors import CoordinateError
from genointerp.feature.specimen import Specimen
from genointerp.figure.source.elements import gene_table
from genointerp.genome.interval import GenomicInterval, parse_region, split_at_origin
from genointerp.genome.letters import unknown_sequence
from genointerp.panel.style import LIGHT, STRAND_COLORS, type_color
from genointerp.store.feature.store import STRANDS, FeatureStore, FeatureTrack, ReadStrand

FLANKS = 3
"""Flanks of a locus on either side, in widths of the locus, when the page shows it."""

MARGIN = 50
"""Fewest bases on either side of a locus that are shown base by base, flanks included."""

BIN_SIZES = tuple(2**power for power in range(14))

EDGE_BP = 64
"""Longest bin next to bases that are shown one by one, so that these are no more than needed."""

SIGNS: Mapping[ReadStrand, int] = {"+": 1, "-": -1}
"""Whether activations read on a strand are drawn upward or downward."""

Place = tuple[str, GenomicInterval]
"""An interval within a contig, with the name of its genome."""

_LOOK_ALIKES = str.maketrans(
    {"<": "\u2039", ">": "\u203a", "&": "\uff06", '"': "\u2033", "'": "\u2032", "`": "\u2032"}
)
_UNSAFE = re.compile(r"[^A-Za-z0-9_.|-]")
_STRAND_SUFFIX = re.compile(r"\([-+.]\)$")


@dataclass(frozen=True)
class Resolution:
    """Resolution at which the track of a feature shows activations.

    Parameters
    ----------
    bin_bp
        Length of a bin in bp; it shows the greatest activation of its bases.
    fine
        Intervals that are shown base by base instead.
    """

    bin_bp: int
    fine: tuple[Place, ...] = ()


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

    @cached_property
    def contigs(self) -> Mapping[str, tuple[str, str]]:
        """Genome and contig of each name in the browser."""
        return {name: contig for contig, name in self.names.items()}

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
    sequence = {"fastaURL": _data_uri(_masked_fasta(specimens, loci)), "indexed": False}
    genes = []
    for specimen in specimens:
        table = gene_table(specimen.needs("annotation"))
        for seqid, near in _near(table, covered(specimen.features)).groupby("seqid", sort=False):
            genes += gene_features(near, loci.names[specimen.name, str(seqid)])
    source = {"searchable": True, "features": genes}
    return options_with(specimens, loci, locus, sequence=sequence, genes=source)


def options_with(
    specimens: Sequence[Specimen],
    loci: Loci,
    locus: str,
    *,
    sequence: Mapping[str, Any],
    genes: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the options of ``igv.createBrowser``, whose data are embedded or asked for.

    Parameters
    ----------
    locus
        Where the browser opens, in its own notation.
    sequence, genes
        Where the browser takes the bases and the annotation from, as its options have it.
    """
    reference = {
        "id": "run",
        "name": browser_text(", ".join(specimen.name for specimen in specimens)),
        **sequence,
        "wholeGenomeView": False,
    }
    annotation = {
        "type": "annotation",
        "name": "annotation",
        "displayMode": "EXPANDED",
        "height": 110,
        **genes,
    }
    return {
        "reference": reference,
        "locus": locus,
        "tracks": [annotation, *_unread_tracks(specimens, loci)],
        "loadDefaultGenomes": False,
        "showSVGButton": True,
    }


def covered(store: FeatureStore) -> list[GenomicInterval]:
    """Return the intervals that were read, of both strands."""
    return [interval for strand in STRANDS for interval in store.coverage(strand)]


def covered_on(store: FeatureStore) -> dict[str, list[GenomicInterval]]:
    """Return the intervals that were read, of both strands, by contig."""
    found: dict[str, list[GenomicInterval]] = {seqid: [] for seqid in store.lengths}
    for interval in covered(store):
        found[interval.seqid].append(interval)
    return found


def masked_bases(
    specimen: Specimen, place: GenomicInterval, read: Iterable[GenomicInterval]
) -> UInt8[np.ndarray, " bp"]:
    """Return the bases of an interval within a contig, where those that were not read are N.

    Parameters
    ----------
    read
        Intervals of this contig that were read.
    """
    sequence = specimen.needs("sequence")[place.seqid].sequence
    masked = unknown_sequence(place.length)
    for interval in read:
        common = place.intersection(interval)
        if common is not None:
            own = slice(common.start - place.start, common.end - place.start)
            masked[own] = sequence[common.start : common.end]
    return masked


def _masked_fasta(specimens: Sequence[Specimen], loci: Loci) -> bytes:
    """Return all contigs in full length, so that coordinates hold; bases not read are N."""
    records = []
    for specimen in specimens:
        for seqid, read in covered_on(specimen.features).items():
            whole = GenomicInterval(seqid, 0, specimen.features.lengths[seqid])
            bases = masked_bases(specimen, whole, read)
            records.append(f">{loci.names[specimen.name, seqid]}\n".encode() + bases.tobytes())
    return b"\n".join([*records, b""])


def gene_features(table: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    """Return rows of `gene_table` as features of the browser.

    Parameters
    ----------
    name
        Name in the browser of the contig that all rows are on.
    """
    return [
        {
            "chr": name,
            "start": int(row["start"]),
            "end": int(row["end"]),
            "strand": row["strand"],
            "name": browser_text(row["label"] or row["type"]),
            "type": browser_text(row["type"]),
            "product": browser_text(row["product"]),
            "color": type_color(row["type"]),
        }
        for row in table.to_dict("records")
    ]


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
            activation_runs(one, one.features.feature(feature, strand), resolution)
            for one in specimens
        ]
        for strand in STRANDS
    }
    highest = max(float(one.top.max(initial=0)) for found in runs.values() for one in found)
    sources = {
        strand: {"format": "bedgraph", "url": _data_uri(_bedgraph(specimens, found, loci, strand))}
        for strand, found in runs.items()
    }
    return track_with(feature, label, highest, sources)


def track_with(
    feature: int,
    label: str,
    highest: float,
    sources: Mapping[ReadStrand, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the track of a feature, whose data are embedded or asked for.

    Parameters
    ----------
    highest
        Its largest activation, which is the scale of either side.
    sources
        Where the browser takes the activations from, by the strand that was read; those of ``-``
        are below 0.
    """
    limit = highest or 1.0
    sides = [
        {
            "type": "wig",
            "name": f"f/{feature} read on {strand}",
            **sources[strand],
            "color": STRAND_COLORS[strand],
            # what is drawn downward has its maxima at its lowest values
            "windowFunction": "max" if SIGNS[strand] > 0 else "min",
            "min": -limit,
            "max": limit,
        }
        for strand in STRANDS
    ]
    return {
        "type": "merged",
        "name": browser_text(f"f/{feature} {label}".strip()),
        "height": 70,
        "min": -limit,
        "max": limit,
        "tracks": sides,
    }


def with_flanks(interval: GenomicInterval, length: int) -> GenomicInterval:
    """Return what the page shows of a place: with flanks on either side, within its contig."""
    margin = max(MARGIN, FLANKS * interval.length)
    start, end = max(interval.start - margin, 0), min(interval.end + margin, length)
    return GenomicInterval(interval.seqid, start, end)


def track_resolution(
    specimens: Sequence[Specimen], feature: int, near: Sequence[Place], *, max_runs: int
) -> Resolution:
    """Return the finest resolution at which the track of a feature stays within a limit.

    If none does, it is the coarsest.

    Parameters
    ----------
    near
        Intervals to show base by base, the most important first; as many as take half of the room.
    max_runs
        Most stretches of equal activation in the track; each takes about 10 bytes in the page.
    """
    tracks = [
        (specimen, specimen.features.feature(feature, strand))
        for specimen in specimens
        for strand in STRANDS
    ]
    fine, room = [], max_runs // 2
    for place in near:
        n_hits = sum(_count_hits(specimen, track, place) for specimen, track in tracks)
        if n_hits <= room:
            fine.append(place)
            room -= n_hits
    choices = [Resolution(bin_bp, tuple(fine)) for bin_bp in BIN_SIZES]

    def fits(choice: Resolution) -> bool:
        return sum(len(activation_runs(*one, choice).start) for one in tracks) <= max_runs

    index = bisect.bisect_left(choices, x=True, key=fits)
    return choices[min(index, len(choices) - 1)]


def _count_hits(specimen: Specimen, track: FeatureTrack, place: Place) -> int:
    genome, interval = place
    if genome != specimen.name:
        return 0
    first, last = np.searchsorted(track.row, specimen.features.row_range(interval))
    return int(last - first)


def _bin_lengths(
    specimen: Specimen, row: Int64[np.ndarray, " hit"], resolution: Resolution
) -> Int64[np.ndarray, " hit"]:
    """Return the length of the bin of each row; bins of each length begin at its multiples."""
    store, bin_bp = specimen.features, resolution.bin_bp
    sizes = np.full(len(row), bin_bp, np.int64)
    edge = min(EDGE_BP, bin_bp)
    for whole, size in ((bin_bp, edge), (edge, 1)):
        for genome, place in resolution.fine:
            if genome == specimen.name:
                offset, length = store.offsets[place.seqid], store.lengths[place.seqid]
                start = place.start // whole * whole
                end = min(-(-place.end // whole) * whole, length)
                first, last = np.searchsorted(row, (offset + start, offset + end))
                sizes[first:last] = size
    return sizes


class ActivationRuns(NamedTuple):
    """Stretches of equal activation: rows ``[start, stop)`` and their activations."""

    start: np.ndarray
    stop: np.ndarray
    top: np.ndarray


def activation_runs(
    specimen: Specimen, track: FeatureTrack, resolution: Resolution
) -> ActivationRuns:
    """Return the stretches of equal activation of a track.

    A bin has the greatest value of its bases, rounded to three digits. No stretch crosses contigs.
    """
    (row, value), store = track, specimen.features
    if not len(row):
        return ActivationRuns(row, row, value)
    begins = np.array(sorted(store.offsets.values()), dtype=np.int64)
    contig = np.searchsorted(begins, row, side="right") - 1
    size = _bin_lengths(specimen, row, resolution)
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
    return ActivationRuns(start[heads], stop[tails], top[heads])


def _bedgraph(
    specimens: Sequence[Specimen],
    runs: Sequence[ActivationRuns],
    loci: Loci,
    strand: ReadStrand,
) -> bytes:
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
            SIGNS[strand] * found.top,
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
