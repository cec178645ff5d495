"""Features of a genome, sparse by base and by feature, for each strand that was read.

The format is specified in ``docs/schema/features-v2.md``; files of version 1 are read too. A row is
a base: contigs follow one another in the order of their file, in forward coordinates, and rows of
both strands are numbered in the same way.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import h5py
import numpy as np
import pandas as pd
from jaxtyping import Float32, Int64

from genointerp.core.arguments import StrPath
from genointerp.core.errors import CoordinateError, SchemaError, UnknownNameError
from genointerp.core.feature_names import check_feature_names, feature_number
from genointerp.core.identity import Identity
from genointerp.core.notebook import facts_table
from genointerp.core.parsing import parse_json
from genointerp.core.provenance import sha256_file
from genointerp.genome.interval import GenomicInterval, split_at_origin
from genointerp.store.contents import check_contents
from genointerp.store.contigs import (
    ContigInfo,
    check_inside,
    contig_offsets,
    read_contigs,
    read_intervals,
)
from genointerp.store.feature.digest import LARGE
from genointerp.store.feature.indexes import IndexedLayout, check_indexed
from genointerp.store.feature.tiles import (
    MOST_TILE_ROWS,
    FeatureBlock,
    FeatureSlice,
    TiledLayout,
    check_tiled,
    load_compressor,
)
from genointerp.store.hdf5 import int_attribute, open_checked, text_attribute

FORMAT = "genointerp::features"
VERSION = 2

ReadStrand = Literal["+", "-"]
STRANDS: tuple[ReadStrand, ReadStrand] = ("+", "-")
GROUPS: dict[str, str] = {"+": "plus", "-": "minus"}


@dataclass(frozen=True)
class FeatureHeader:
    """Header of a features file: what it was made from.

    Parameters
    ----------
    model, model_sha256, site, genome_sha256
        As in ``ActivationHeader``.
    sae_sha256
        sha256 of the weights of the dictionary.
    n_features
        Size of the dictionary.
    contigs
        Every contig of the genome, in its order.
    feature_names
        Indices of the features that have a name, by name.
    """

    model: str
    model_sha256: str
    site: str
    genome_sha256: str
    sae_sha256: str
    n_features: int
    contigs: tuple[ContigInfo, ...]
    feature_names: Mapping[str, int] = field(default_factory=dict)


class FeatureHits(NamedTuple):
    """Bases, and the features that fire on them, by row and then by feature.

    ``row`` is the global base index; ``value`` is the activation, > 0.
    """

    row: Int64[np.ndarray, " hit"]
    feature: Int64[np.ndarray, " hit"]
    value: Float32[np.ndarray, " hit"]


class FeatureTrack(NamedTuple):
    """Bases on which one feature fires, by row, and its activations there, > 0."""

    row: Int64[np.ndarray, " hit"]
    value: Float32[np.ndarray, " hit"]


class CsrRows(NamedTuple):
    """Consecutive bases in compressed sparse rows; ``indptr`` starts at 0."""

    indptr: Int64[np.ndarray, " n1"]
    feature: Int64[np.ndarray, " hit"]
    value: Float32[np.ndarray, " hit"]


@runtime_checkable
class FeatureLabels(Protocol):
    """Labels by which features may be named, as `genointerp.store.table.labels.LabelFiles`."""

    @property
    def present(self) -> tuple[Path, ...]:
        """The files that are there."""
        ...

    def read(self, store: "FeatureStore") -> pd.DataFrame | None:
        """Return the table of labels; None if there is none."""
        ...

    def names(self, store: "FeatureStore") -> Mapping[int, str]:
        """Return the label of each feature that is shown."""
        ...

    def features(self, store: "FeatureStore") -> Mapping[str, Sequence[int]]:
        """Return the features that each label is that of."""
        ...


class FeatureStore:
    """Read-only view of a features file, which is opened for each access and never kept open.

    Parameters
    ----------
    path
        Path of the features file.
    is_compared
        Whether to compare the checksum of everything except the hits at once. `verify`, which
        reports where a file is damaged, does not.

    Raises
    ------
    SchemaError
        If it is not a complete features file. Methods that read hits raise it too, if these are not
        the hits that were written.
    """

    strands = STRANDS
    labels: FeatureLabels | None = None

    def __init__(self, path: StrPath, *, is_compared: bool = True) -> None:
        self.path = Path(path)
        with open_checked(self.path, FORMAT, VERSION) as file:
            self.version = int_attribute(file, "format-version")
            self.header = _read_header(file)
            self._coverage = {
                strand: read_intervals(file[f"{GROUPS[strand]}/coverage"], self.header.contigs)
                for strand in STRANDS
            }
            self.offsets = contig_offsets(self.header.contigs)
            self.n_rows = sum(contig.length for contig in self.header.contigs)
            self._sound: dict[str, set[int]] = {strand: set() for strand in STRANDS}
            self._latest: tuple[tuple[tuple[int, ReadStrand], FeatureTrack], ...] = ()
            self._tile_rows = 0
            if self.version > 1:
                self._tile_rows = int_attribute(file, "tile-rows", most=MOST_TILE_ROWS)
            self._is_compressed = self.version > 1 and text_attribute(file, "compression") != "none"
            if self._is_compressed:
                load_compressor(self.path)
            for strand in STRANDS:
                group = file[GROUPS[strand]]
                if self.version == 1:
                    check_indexed(group, self.n_rows, self.n_features)
                else:
                    check_tiled(group, self.n_features, self._tile_rows, self.n_rows)
            # last, since it cannot report what is wrong
            if self.version > 1 and is_compared:
                check_contents(file, LARGE)

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        n_bp, n_contigs = sum(self.lengths.values()), len(self.lengths)
        read = " and ".join(
            f"{sum(part.length for part in parts):,} on {strand}"
            for strand, parts in self._coverage.items()
        )
        return (
            f"FeatureStore({str(self.path)!r}: {self.n_features:,} features of "
            f"{self.header.model} at {self.header.site}; {n_contigs} contigs, {n_bp:,} bp; "
            f"bases read: {read})"
        )

    def _repr_html_(self) -> str:
        facts = {
            "file": self.path,
            "features": f"{self.n_features:,}",
            "model": f"{self.header.model} at {self.header.site}",
            "genome": f"{len(self.lengths)} contigs, {self.n_rows:,} bp",
        }
        read = {
            f"bases read on {strand}": f"{sum(part.length for part in parts):,}"
            for strand, parts in self._coverage.items()
        }
        return facts_table("FeatureStore", facts | read)

    @property
    def identity(self) -> Identity:
        """Identity of the features: what they were made from."""
        return Identity(
            str(self.path),
            model=self.header.model,
            model_sha256=self.header.model_sha256,
            site=self.header.site,
            genome_sha256=self.header.genome_sha256,
            dictionary_sha256=self.header.sae_sha256,
        )

    @property
    def n_features(self) -> int:
        """Size of the dictionary."""
        return self.header.n_features

    @property
    def lengths(self) -> dict[str, int]:
        """Length of each contig in bp."""
        return {contig.seqid: contig.length for contig in self.header.contigs}

    @property
    def circular(self) -> frozenset[str]:
        """Contigs whose last base is followed by the first."""
        return frozenset(contig.seqid for contig in self.header.contigs if contig.circular)

    def parts(self, interval: GenomicInterval) -> tuple[GenomicInterval, ...]:
        """Return an interval, or its two parts if it spans the origin of a circular contig.

        Raises
        ------
        CoordinateError
            If it leaves the contigs of this store.
        """
        parts: tuple[GenomicInterval, ...] = (interval,)
        if interval.seqid in self.circular and interval.length <= self.lengths[interval.seqid]:
            parts = split_at_origin(interval, self.lengths[interval.seqid])
        for part in parts:
            check_inside(part, self.header.contigs)
        return parts

    @cached_property
    def sha256(self) -> str:
        """sha256 of the file."""
        return sha256_file(self.path)

    def coverage(self, strand: ReadStrand) -> tuple[GenomicInterval, ...]:
        """Return the bases that were read on one strand, as sorted intervals that do not touch."""
        return self._coverage[strand]

    def n_read(self, interval: GenomicInterval, strand: ReadStrand) -> int:
        """Return how many bases of an interval were read on ``strand`` (its own is ignored).

        Raises
        ------
        CoordinateError
            If it leaves the contigs of this store.
        """
        read = self._coverage_on.get((strand, interval.seqid), ())
        common = (part.intersection(one) for part in self.parts(interval) for one in read)
        return sum(one.length for one in common if one is not None)

    @cached_property
    def _coverage_on(self) -> dict[tuple[str, str], list[GenomicInterval]]:
        found: dict[tuple[str, str], list[GenomicInterval]] = {}
        for strand in STRANDS:
            for one in self._coverage[strand]:
                found.setdefault((strand, one.seqid), []).append(one)
        return found

    def row_range(self, interval: GenomicInterval) -> tuple[int, int]:
        """Return the global rows ``[start, stop)`` of an interval.

        Raises
        ------
        CoordinateError
            If it leaves the contigs of this store.
        """
        check_inside(interval, self.header.contigs)
        offset = self.offsets[interval.seqid]
        return offset + interval.start, offset + interval.end

    def region(self, interval: GenomicInterval, strand: ReadStrand) -> FeatureHits:
        """Return the hits in an interval when ``strand`` is read (its own strand is ignored)."""
        start, stop = self.row_range(interval)
        rows = self.rows(start, stop, strand)
        row = np.repeat(np.arange(start, stop, dtype=np.int64), np.diff(rows.indptr))
        return FeatureHits(row, rows.feature, rows.value)

    def rows(self, start: int, stop: int, strand: ReadStrand) -> CsrRows:
        """Return rows ``[start, stop)`` of one strand.

        Raises
        ------
        CoordinateError
            If there are no such rows.
        """
        pieces = [_by_row(block) for block in self.blocks(start, stop, strand)]
        empty = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
        row, feature, value = (
            np.concatenate(column) for column in zip(empty, *pieces, strict=True)
        )
        counts = np.bincount(row - start, minlength=stop - start)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return CsrRows(indptr, feature, value)

    def blocks(self, start: int, stop: int, strand: ReadStrand) -> Iterator[FeatureBlock]:
        """Yield the hits on rows ``[start, stop)`` in blocks by position, each sorted by feature.

        A block has a few thousand bases, so memory does not grow with the stretch.

        Raises
        ------
        CoordinateError
            If there are no such rows.
        """
        self._check_rows(start, stop)
        with self.opened(strand) as layout:
            yield from layout.blocks(start, stop)

    def feature(
        self, feature: int, strand: ReadStrand, interval: GenomicInterval | None = None
    ) -> FeatureTrack:
        """Return every base on which one feature fires when ``strand`` is read.

        Parameters
        ----------
        interval
            Only bases in this interval; None means the whole genome.

        Raises
        ------
        UnknownNameError
            If the dictionary has no such feature.
        """
        self.check_feature(feature)
        kept = {key: track for key, track in self._latest if interval is None}
        if (feature, strand) in kept:
            return kept[feature, strand]
        start, stop = (0, self.n_rows) if interval is None else self.row_range(interval)
        with self.opened(strand) as layout:
            _, row, value = layout.features(feature, feature + 1, start, stop)
        track = FeatureTrack(row, value)
        if interval is None:
            # whoever looks at a feature asks for its two tracks several times in a row
            row.flags.writeable = value.flags.writeable = False
            self._latest = (*self._latest[-1:], ((feature, strand), track))
        return track

    def features(self, start: int, stop: int, strand: ReadStrand) -> CsrRows:
        """Return the hits of features ``[start, stop)``, one feature after the other.

        This is the transpose of ``rows``, for streaming over the dictionary: ``indptr`` runs over
        features, and the ``feature`` column holds the global *rows* on which they fire.
        """
        with self.opened(strand) as layout:
            return CsrRows(*layout.features(start, stop, 0, self.n_rows))

    def slices(
        self, start: int, stop: int, strand: ReadStrand, wanted: Int64[np.ndarray, "interval 2"]
    ) -> Iterator[FeatureSlice]:
        """Yield the hits of features ``[start, stop)`` in slices, without copying them.

        This is meant for counting many features over a genome: nothing is sorted, and at most the
        hits of these features are in memory, until the iterator ends.

        Parameters
        ----------
        wanted
            Sorted, disjoint intervals of global rows. Slices without any of these rows are left
            out; the slices that are yielded also hold other rows.
        """
        with self.opened(strand) as layout:
            yield from layout.slices(start, stop, wanted)

    @contextmanager
    def opened(self, strand: ReadStrand) -> Iterator[TiledLayout | IndexedLayout]:
        """Yield a reader of one strand, which holds the file open: for many short questions.

        It may be used by several threads.
        """
        if self._is_compressed:
            load_compressor(self.path)
        with open_checked(self.path, FORMAT, VERSION) as file:
            group = file[GROUPS[strand]]
            if self.version == 1:
                yield IndexedLayout(group, self.n_rows)
            else:
                yield TiledLayout(group, self._tile_rows, self.n_rows, self._sound[strand])

    def n_firing(self, strand: ReadStrand) -> Int64[np.ndarray, " n_features"]:
        """Return the number of bases on which each feature fires."""
        with self.opened(strand) as layout:
            return layout.n_firing()

    def find_feature(self, feature: int | str) -> int:
        """Return the index of a feature, given by index, by a text like ``f/30262``, name or label.

        Raises
        ------
        UnknownNameError
            If the dictionary has no such feature.
        """
        names, where = self.header.feature_names, str(self.path)
        number = feature_number(feature, names, where=where, labels=self._features_of_labels)
        self.check_feature(number)
        return number

    def names_of(self, feature: int) -> list[str]:
        """Return the names of a feature in the dictionary, then its label if it has one.

        What is labelled as unexplained has none.
        """
        names = [name for name, known in self.header.feature_names.items() if known == feature]
        label = "" if self.labels is None else self.labels.names(self).get(feature, "")
        return [*names, label] if label and label not in names else names

    def labelled(self, labels: FeatureLabels | None) -> "FeatureStore":
        """Return the same features with the labels by which they may be named too."""
        twin = copy(self)
        twin.labels = labels
        return twin

    def _features_of_labels(self) -> Mapping[str, Sequence[int]]:
        return {} if self.labels is None else self.labels.features(self)

    def check_feature(self, feature: int) -> None:
        """Refuse a feature that the dictionary does not have."""
        if not 0 <= feature < self.n_features:
            expected = f"a feature from 0 to {self.n_features - 1}"
            raise UnknownNameError(str(self.path), expected, str(feature))

    def _check_rows(self, start: int, stop: int) -> None:
        if not 0 <= start <= stop <= self.n_rows:
            expected = f"0 <= start <= stop <= {self.n_rows}"
            raise CoordinateError(str(self.path), expected, f"start={start}, stop={stop}")


def _by_row(block: FeatureBlock) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    feature = np.repeat(np.arange(len(block.indptr) - 1), np.diff(block.indptr))
    # numpy sorts 16-bit keys stably by radix, in linear time
    order = np.argsort(block.row, kind="stable")
    return block.row[order].astype(np.int64) + block.start, feature[order], block.value[order]


def _read_header(file: h5py.File) -> FeatureHeader:
    n_features = int_attribute(file, "n-features")
    return FeatureHeader(
        model=text_attribute(file, "model"),
        model_sha256=text_attribute(file, "model-sha256"),
        site=text_attribute(file, "site"),
        genome_sha256=text_attribute(file, "genome-sha256"),
        sae_sha256=text_attribute(file, "sae-sha256"),
        n_features=n_features,
        contigs=read_contigs(file["contigs"]),
        feature_names=_read_names(file, n_features),
    )


def _read_names(file: h5py.File, n_features: int) -> dict[str, int]:
    if "feature-names" not in file.attrs:
        return {}
    where = f"{file.filename}: attribute 'feature-names'"
    names = parse_json(text_attribute(file, "feature-names"), where=where, error=SchemaError)
    return check_feature_names(names, n_features, where=where)
