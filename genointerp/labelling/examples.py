"""Places that a labeller is shown: loci, near misses, and the features that fire there too."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8

from genointerp.annotation.annotation_set import Element
from genointerp.association.count.tracks import RowTrack
from genointerp.feature.nearest import element_name
from genointerp.feature.specimen import Specimen
from genointerp.genome.letters import UNKNOWN
from genointerp.labelling.backdrop import FitBackdrop, composition
from genointerp.labelling.config import LabelConfig
from genointerp.labelling.fit_loci import FitBases, FitLocus, read_around
from genointerp.store.contigs import contig_at, contig_offsets
from genointerp.store.feature.store import ReadStrand

N_NEIGHBOURS, N_MISSES = 5, 5
"""Largest number of neighbours and of near misses."""

_NEAR = 50


def align_bases(
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


def show_locus(
    locus: FitLocus,
    bases: FitBases,
    specimens: Sequence[Specimen],
    backdrop: FitBackdrop,
    config: LabelConfig,
) -> dict[str, Any]:
    """Return where a locus is, the decile of its maximum, its bases and its nearest element.

    Coordinates are 0-based and half-open on the forward strand; bases are in reading direction, up
    to 8 beyond the peak.
    """
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
    from_start, from_end = offsets_in(near.element, peak)
    return {
        "type": near.element.type,
        "orientation": near.orientation,
        "distance": near.distance,
        "from_start": from_start,
        "from_end": from_end,
        "quoted": {
            "name": element_name(near.element),
            "product": near.element.attribute("product"),
        },
    }


def offsets_in(element: Element, base: int) -> tuple[int, int]:
    """Return the bp from an element's first and last base to a base, in its direction.

    An element without a strand is read forwards.
    """
    parts = element.parts
    forward = parts[0].strand != "-"
    first = parts[0].start if forward else parts[0].end - 1
    last = parts[-1].end - 1 if forward else parts[-1].start
    sign = 1 if forward else -1
    return sign * (base - first), sign * (base - last)


def find_near_misses(
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
    odds = np.log2(share / composition(backdrop))
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


def find_neighbours(
    feature: int, loci: Sequence[FitLocus], specimens: Sequence[Specimen]
) -> tuple[dict[str, Any], ...]:
    """Return the `N_NEIGHBOURS` features that fire at the peaks of most loci, with their share."""
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


def _row_of(specimen: Specimen, locus: FitLocus) -> int:
    offsets = contig_offsets(specimen.features.header.contigs)
    return int(offsets[locus.interval.seqid]) + locus.peak


def _place(specimen: Specimen, row: int) -> dict[str, Any]:
    offsets = contig_offsets(specimen.features.header.contigs)
    seqid = contig_at(offsets, row)
    return {"seqid": seqid, "at": row - int(offsets[seqid])}


def _strand(locus: FitLocus) -> ReadStrand:
    return "-" if locus.interval.strand == "-" else "+"
