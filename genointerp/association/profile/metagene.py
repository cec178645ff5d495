"""Mean activation of a feature around the starts and the ends of a concept's elements."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from genointerp.annotation.concepts import ConceptElements, Orientation
from genointerp.association.config import AssociateConfig
from genointerp.association.count.universe import Universe, lay_side, make_universe
from genointerp.association.split import Stretches
from genointerp.core.errors import InputError
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand
from genointerp.store.table.schema.association import METAGENE
from genointerp.store.table.table import conform

FLANK = 200
ANCHORS = ("start", "end")


class _Ends(NamedTuple):
    """One end of each element: its base on the contig, and the direction of the element."""

    base: Int64[np.ndarray, " element"]
    step: Int64[np.ndarray, " element"]
    seqid: list[str]


class _Signal(NamedTuple):
    """A feature on one strand of one genome: its activation at each row, and what was read."""

    value: Float64[np.ndarray, " row"]
    is_read: Bool[np.ndarray, " row"]


def metagene(
    specimens: Sequence[Specimen],
    feature: int,
    concept: str,
    *,
    config: AssociateConfig | None = None,
    flank: int = FLANK,
) -> pd.DataFrame:
    """Average the activation around both ends of a concept's elements, as ``METAGENE``.

    Parameters
    ----------
    specimens
        Genomes with the features of one dictionary, and with the elements of the concepts.
    config
        Configuration of the associations: only bases on its test side count. If None, all bases
        read count.
    flank
        Largest offset in bp; offsets run from ``-flank`` to ``flank``.

    Raises
    ------
    InputError
        If ``flank`` is negative.
    UnknownNameError
        If the concept or the feature does not exist.

    Notes
    -----
    At offset ``d`` the mean is ``sum(a) / n`` over the ``n`` elements whose base at ``d`` was read,
    with ``a = 0`` where the feature is silent; the standard error is
    ``sqrt(sum((a - mean)^2) / (n - 1) / n)``. Bases around neighbouring elements are not
    independent, so the error shows the spread and is not a test.
    """
    if flank < 0:
        raise InputError("flank", "0 or more bp", str(flank))
    universe = _universe(specimens, config)
    signals = [
        {strand: _signal(one.features, feature, strand, universe, genome) for strand in STRANDS}
        for genome, one in enumerate(specimens)
    ]
    total = sum(
        float(one.value[one.is_read].sum()) for genome in signals for one in genome.values()
    )
    background = total / max(universe.n_covered, 1)
    offset = np.arange(-flank, flank + 1)
    found = []
    for orientation in specimens[0].needs("elements").orientations(concept):
        for anchor in ANCHORS:
            own = _around(specimens, signals, concept, orientation, anchor, offset)
            around = np.concatenate([np.zeros((0, len(offset))), *own])
            profile = _profile(around).assign(
                feature=feature, concept=concept, orientation=orientation, anchor=anchor
            )
            found.append(profile.assign(offset=offset, background=background))
    return conform(pd.concat(found, ignore_index=True), METAGENE, where=concept)


def _universe(specimens: Sequence[Specimen], config: AssociateConfig | None) -> Universe:
    """Lay out the test side, or everything if there is no configuration."""
    if config is not None:
        return lay_side(specimens, config, "test")
    stores = [specimen.features for specimen in specimens]
    return make_universe((store, _whole(store)) for store in stores)


def _whole(store: FeatureStore) -> Stretches:
    return tuple(GenomicInterval(one.seqid, 0, one.length) for one in store.header.contigs)


def _signal(
    store: FeatureStore, feature: int, strand: ReadStrand, universe: Universe, genome: int
) -> _Signal:
    value, is_read = np.zeros(store.n_rows), np.zeros(store.n_rows, dtype=np.bool_)
    track = store.feature(feature, strand)
    value[track.row] = track.value
    read = universe.covered[genome][strand]
    for start, end in zip(read.start.tolist(), read.end.tolist(), strict=True):
        is_read[start:end] = True
    return _Signal(value, is_read)


def _around(
    specimens: Sequence[Specimen],
    signals: Sequence[dict[ReadStrand, _Signal]],
    concept: str,
    orientation: Orientation,
    anchor: str,
    offset: Int64[np.ndarray, " offset"],
) -> Iterator[Float64[np.ndarray, "element offset"]]:
    """Yield the activations around the elements of each genome and reading; NaN where not read.

    For ``both``, each element is one row: the mean of its two readings, which are not independent.
    """
    for specimen, by_strand in zip(specimens, signals, strict=True):
        if not any(signal.is_read.any() for signal in by_strand.values()):
            continue
        own, store = specimen.needs("elements"), specimen.features
        readings = []
        for strand in STRANDS:
            other: ReadStrand = "-" if strand == "+" else "+"
            lying = {"sense": strand, "antisense": other, "both": None}[orientation]
            ends = _ends(own, concept, anchor, lying)
            row, is_inside = _rows(store, ends, offset)
            signal = by_strand[strand]
            known = is_inside & signal.is_read[row]
            readings.append(np.where(known, signal.value[row], np.nan))
        yield from [_mean_read(np.stack(readings))] if orientation == "both" else readings


def _mean_read(
    readings: Float64[np.ndarray, "strand element offset"],
) -> Float64[np.ndarray, "element offset"]:
    is_read = ~np.isnan(readings)
    n = is_read.sum(axis=0)
    total = np.where(is_read, readings, 0.0).sum(axis=0)
    return np.asarray(np.where(n > 0, total / np.maximum(n, 1), np.nan))


def _ends(elements: ConceptElements, concept: str, anchor: str, strand: ReadStrand | None) -> _Ends:
    table = elements.of(concept)
    outermost = table.groupby("element")["part"].transform("min" if anchor == "start" else "max")
    table = table[table["part"] == outermost]
    if strand is not None:
        table = table[table["strand"].isin([strand, "."])]
    is_minus = (table["strand"] == "-").to_numpy(np.bool_)
    is_low = is_minus == (anchor == "end")
    base = np.where(is_low, table["start"], table["end"] - 1).astype(np.int64)
    return _Ends(base, np.where(is_minus, -1, 1).astype(np.int64), table["seqid"].tolist())


def _rows(
    store: FeatureStore, ends: _Ends, offset: Int64[np.ndarray, " offset"]
) -> tuple[Int64[np.ndarray, "element offset"], Bool[np.ndarray, "element offset"]]:
    """Return the rows around each end, and whether its contig has them; circular contigs wrap."""
    contigs = {contig.seqid: contig for contig in store.header.contigs}
    length = np.array([contigs[name].length for name in ends.seqid], dtype=np.int64)[:, None]
    wraps = np.array([contigs[name].circular for name in ends.seqid], dtype=np.bool_)[:, None]
    shift = np.array([store.offsets[name] for name in ends.seqid], dtype=np.int64)[:, None]
    base = ends.base[:, None] + ends.step[:, None] * offset[None, :]
    is_inside = wraps | ((base >= 0) & (base < length))
    return base % length + shift, is_inside


def _profile(around: Float64[np.ndarray, "element offset"]) -> pd.DataFrame:
    is_read = ~np.isnan(around)
    n = is_read.sum(axis=0).astype(np.int64)
    value = np.where(is_read, around, 0.0)
    mean = value.sum(axis=0) / np.maximum(n, 1)
    square = np.where(is_read, (around - mean) ** 2, 0.0).sum(axis=0)
    sem = np.sqrt(square / np.maximum(n - 1, 1) / np.maximum(n, 1))
    return pd.DataFrame(
        {
            "n_elements": n,
            "mean_activation": np.where(n > 0, mean, np.nan),
            "sem": np.where(n > 1, sem, np.nan),
        }
    )
