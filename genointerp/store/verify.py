"""Verify that a file of this package is intact: a list of checks, with what each one found."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from genointerp.core.errors import GenointerpError, InputError, SchemaError
from genointerp.core.exchange import metadata_path
from genointerp.core.files import kind_of_place
from genointerp.core.parsing import parse_json
from genointerp.core.provenance import sha256_file
from genointerp.genome.interval import GenomicInterval
from genointerp.store.activation import store as activations
from genointerp.store.activation.store import ActivationStore
from genointerp.store.contents import check_contents, crc32_of
from genointerp.store.feature import digest as feature_digest
from genointerp.store.feature import store as features
from genointerp.store.feature.digest import SUMS, TILE_SUMS, add_sums, word_sum
from genointerp.store.feature.store import GROUPS, STRANDS, FeatureStore, ReadStrand
from genointerp.store.feature.tiles import mapped
from genointerp.store.hdf5 import open_checked, text_attribute
from genointerp.store.table.delimited import header_beside, provenance_in
from genointerp.store.table.table import (
    TABLE_SUFFIXES,
    read_provenance,
    read_table,
    schema_of_table,
)

_ROWS = 1 << 16


class Check(NamedTuple):
    """One check; ``found`` says what is wrong, and is empty if the check passed."""

    name: str
    found: str

    @property
    def passed(self) -> bool:
        """Whether the check passed."""
        return not self.found


def verify(path: Path, *, inputs: Sequence[Path] = ()) -> list[Check]:
    """Check a features or an activations file, a table, or another file with metadata beside it.

    Large files of features and activations are read with little memory. Of a file that is no
    table, such as BED, the bytes are compared with the sha256 that its metadata state.

    Parameters
    ----------
    inputs
        Files that its provenance must name, by sha256; not checked if the provenance is damaged.

    Returns
    -------
    list of Check
        The checks, in order; if the format cannot be read, only that check.

    Raises
    ------
    SchemaError
        If there is no such file, or its format cannot be verified.
    """
    path = Path(path)
    if path.suffix in TABLE_SUFFIXES:
        return _verify_table(path, inputs)
    if path.is_file() and metadata_path(path).is_file():
        return _verify_described(path, inputs)
    kind = _format_of(path)
    checks = [_checked("format", lambda: _STORES[kind](path))]
    if checks[0].passed:
        checks.append(_checked("provenance", lambda: _check_provenance(path, kind)))
        if checks[-1].passed:
            with h5py.File(path, "r") as file:
                known = json.loads(file.attrs["provenance"])["inputs"]
            checks += _input_checks(path, known, inputs)
        checks += _CHECKS[kind](path)
    return checks


def all_passed(checks: Sequence[Check]) -> bool:
    """Say whether every check passed."""
    return all(check.passed for check in checks)


def render_checks(checks: Sequence[Check]) -> str:
    """Return a line for each check: ``ok`` or ``FAILED``, its name, and what was found."""
    return "".join(
        f"{'ok' if check.passed else 'FAILED'}\t{check.name}"
        + (f"\t{check.found}\n" if check.found else "\n")
        for check in checks
    )


def _format_of(path: Path) -> str:
    tables = ", ".join(TABLE_SUFFIXES)
    expected = (
        f"a features or activations file, a table ({tables}), a file with NAME-metadata.json "
        "next to it, or a run directory"
    )
    if not path.is_file():
        raise SchemaError(str(path), expected, kind_of_place(path))
    try:
        with h5py.File(path, "r") as file:
            found = str(file.attrs.get("format", "an HDF5 file without a format"))
    except OSError:
        found = "no HDF5 file in one piece"
    if found not in _STORES:
        raise SchemaError(str(path), expected, found)
    return found


def _checked(name: str, check: Callable[[], object]) -> Check:
    try:
        check()
    except (GenointerpError, OSError, KeyError, ValueError, RuntimeError) as error:
        return Check(name, " ".join(str(error).split()) or type(error).__name__)
    return Check(name, "")


def _check_provenance(path: Path, kind: str) -> None:
    with open_checked(path, kind, _VERSIONS[kind]) as file:
        text = text_attribute(file, "provenance")
        where = f"{path}: attribute 'provenance'"
        record = parse_json(text, where=where, error=SchemaError)
        if not isinstance(record, dict) or not {"generated-by", "config", "inputs"} <= set(record):
            raise SchemaError(where, "generated-by, config and inputs", text[:40])
        inputs = record["inputs"]
        if not isinstance(inputs, dict) or not all(isinstance(it, str) for it in inputs.values()):
            raise SchemaError(where, "inputs as names with their sha256", repr(inputs)[:40])
        if record["generated-by"] != text_attribute(file, "generated-by"):
            expected = f"generated-by {text_attribute(file, 'generated-by')!r}"
            raise SchemaError(where, expected, repr(record["generated-by"]))


def _input_checks(path: Path, known: Mapping[str, str], inputs: Sequence[Path]) -> list[Check]:
    return [_checked(f"input {one}", partial(_check_input, path, known, one)) for one in inputs]


def _check_input(path: Path, known: Mapping[str, str], given: Path) -> None:
    digest = sha256_file(given)
    if digest not in known.values():
        names = ", ".join(f"{name} {value[:12]}" for name, value in known.items()) or "none"
        raise InputError(str(given), f"one of the inputs of {path} ({names})", digest[:12])


def _verify_table(path: Path, inputs: Sequence[Path]) -> list[Check]:
    if not path.is_file():
        raise SchemaError(str(path), "a table", kind_of_place(path))
    checks = [_checked("format", lambda: schema_of_table(path))]
    if not checks[0].passed:
        return checks
    schema = schema_of_table(path)
    checks.append(_checked("provenance", lambda: read_provenance(path, schema)))
    if checks[-1].passed:
        known = read_provenance(path, schema).get("inputs") or {}
        checks += _input_checks(path, known, inputs)
    return [*checks, _checked("columns and values", lambda: read_table(path, schema))]


def _verify_described(path: Path, inputs: Sequence[Path]) -> list[Check]:
    checks = [_checked("bytes", lambda: header_beside(path, path.read_bytes()))]
    if not checks[0].passed:
        return checks
    header = header_beside(path, path.read_bytes())
    checks.append(_checked("provenance", lambda: provenance_in(header, path)))
    if checks[-1].passed:
        checks += _input_checks(path, provenance_in(header, path).get("inputs") or {}, inputs)
    return checks


def _verify_features(path: Path) -> Iterator[Check]:
    store = FeatureStore(path, is_compared=False)
    if store.version == 1:
        for strand in STRANDS:
            indexes = _IndexCheck(store, strand)
            yield _checked(f"coverage of strand {strand}", indexes.coverage)
            yield _checked(f"indexes of strand {strand}", indexes.indexes)
        return
    yield _checked("checksum of the contents", lambda: _check_contents(path, features.FORMAT))
    for strand in STRANDS:
        check = _TileCheck(store, strand)
        yield _checked(f"coverage of strand {strand}", check.coverage)
        yield _checked(f"checksums and order of hits of strand {strand}", check.hits)


def _check_contents(path: Path, kind: str) -> None:
    with open_checked(path, kind, _VERSIONS[kind]) as file:
        check_contents(file, _LARGE[kind])


class _StrandCheck:
    """Checks of one strand of a file of either version."""

    def __init__(self, store: FeatureStore, strand: ReadStrand) -> None:
        self.store = store
        self.strand = strand
        self.where = f"{store.path}: {GROUPS[strand]}"

    def coverage(self) -> None:
        order = {seqid: number for number, seqid in enumerate(self.store.offsets)}
        lengths = self.store.lengths
        intervals = self.store.coverage(self.strand)
        places = [(order[it.seqid], it.start, it.end) for it in intervals]
        for interval in intervals:
            if interval.end > lengths[interval.seqid]:
                expected = f"end <= {lengths[interval.seqid]} on {interval.seqid}"
                raise self._wrong("coverage", expected, f"end={interval.end}")
        for before, after in pairwise(places):
            if not (before[0] < after[0] or (before[0] == after[0] and before[2] < after[1])):
                raise self._wrong("coverage", "sorted intervals that do not touch", str(after))

    @cached_property
    def _read(self) -> tuple[np.ndarray, np.ndarray]:
        offsets = self.store.offsets
        edges = sorted(
            (offsets[it.seqid] + it.start, offsets[it.seqid] + it.end)
            for it in self.store.coverage(self.strand)
        )
        start, stop = np.array(edges, dtype=np.int64).reshape(-1, 2).T
        return start, np.maximum.accumulate(stop)

    def check_hits(self, place: str, row: np.ndarray, value: np.ndarray) -> None:
        """Refuse a value that no feature can have, and a hit on a base that was not read."""
        if not (np.isfinite(value) & (value > 0)).all():
            raise self._wrong(place, "finite activations > 0", "other values")
        start, stop = self._read
        before = np.searchsorted(start, row, side="right") - 1
        read = before >= 0
        if len(start):
            read &= row < stop[before]
        if not read.all():
            raise self._wrong(place, "hits on bases that were read", "hits on other bases")

    def _wrong(self, place: str, expected: str, found: str) -> SchemaError:
        return SchemaError(f"{self.where}/{place}", expected, found)


class _TileCheck(_StrandCheck):
    """Checks of version 2."""

    def hits(self) -> None:
        count = np.zeros(self.store.n_features, dtype=np.int64)
        sums = np.zeros(self.store.n_features, dtype=np.uint64)
        with open_checked(self.store.path, features.FORMAT, features.VERSION) as file:
            group = file[GROUPS[self.strand]]
            size = int(file.attrs["tile-rows"])
            columns = [mapped(group[name]) for name in _HIT_COLUMNS]
            first, edges, crc = (group[f"tiles/{n}"][:] for n in ("row", "hit_offset", "crc32"))
            words = group[TILE_SUMS][:] if TILE_SUMS in group else ()
            for tile, (low, high) in enumerate(pairwise(edges.tolist())):
                offset = columns[0][tile]
                row, value = columns[1][low:high], columns[2][low:high]
                self._check_tile(tile, int(first[tile]), size, (offset, row, value))
                own = crc32_of((offset, row, value)), word_sum((offset, row, value))
                if own != (crc[tile], words[tile] if len(words) else own[1]):
                    raise self._wrong(*self._tile(tile, int(first[tile]), size), "other ones")
                count += np.diff(offset.astype(np.int64))
                add_sums(sums, int(first[tile]), (row, value, offset))
            expected = group["feature_hits"][:]
            known = group[SUMS][:] if SUMS in group else sums
        if not np.array_equal(count, expected):
            feature = int(np.flatnonzero(count != expected)[0])
            found = f"{count[feature]} hits"
            raise self._wrong(f"feature_hits: {feature}", str(expected[feature]), found)
        if not np.array_equal(sums, known):
            feature = int(np.flatnonzero(sums != known)[0])
            raise self._wrong(f"{SUMS}: {feature}", "the sum that was written", "another one")

    def _tile(self, tile: int, first: int, size: int) -> tuple[str, str]:
        last = min(first + size, self.store.n_rows)
        return f"tile {tile} (rows {first} to {last})", "the checksums that were written"

    def _check_tile(
        self, tile: int, first: int, size: int, columns: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> None:
        offset, row, value = columns
        name, _ = self._tile(tile, first, size)
        steps = np.diff(offset.astype(np.int64))
        if offset[0] or (steps < 0).any() or int(offset[-1]) != len(row):
            raise self._wrong(name, f"offsets that rise from 0 to {len(row)}", "other offsets")
        rises = np.ones(len(row), dtype=bool)
        rises[1:] = row[1:] > row[:-1]
        rises[offset[:-1][steps > 0]] = True
        if not rises.all():
            raise self._wrong(name, "rows that rise within a feature", "another order")
        if len(row) and row.max() >= size:
            raise self._wrong(name, f"rows below {size}", str(row.max()))
        self.check_hits(name, row.astype(np.int64) + first, value)


_HIT_COLUMNS = ("tiles/feature_offset", "hits/row", "hits/value")


class _IndexCheck(_StrandCheck):
    """Checks of version 1."""

    def indexes(self) -> None:
        """Check order, values and coverage; both indexes must hold the same hits and values."""
        store, strand = self.store, self.strand
        with open_checked(store.path, features.FORMAT, features.VERSION) as file:
            for name in ("by_base", "by_feature"):
                indptr = file[f"{GROUPS[strand]}/{name}/indptr"][:].astype(np.int64)
                if (np.diff(indptr) < 0).any():
                    raise self._wrong(f"{name}/indptr", "offsets that never fall", "falling ones")
                if name == "by_base":
                    self._check_bases(indptr, file[f"{GROUPS[strand]}/{name}/feature"])
        by_base = by_feature = 0
        for block in store.blocks(0, store.n_rows, strand):
            feature = np.repeat(np.arange(store.n_features), np.diff(block.indptr))
            by_base += _mixed(block.row.astype(np.int64) + block.start, feature, block.value)
        for number in range(store.n_features):
            row, value = store.feature(number, strand)
            if (np.diff(row) <= 0).any():
                raise self._wrong(f"by_feature: {number}", "rising rows", "another order")
            self.check_hits(f"by_feature: {number}", row, value)
            by_feature += _mixed(row, np.full(len(row), number), value)
        if (by_base - by_feature) % (1 << 64):
            expected = "the same hits by base and by feature"
            raise SchemaError(self.where, expected, "different hits")

    def _check_bases(self, indptr: np.ndarray, feature: h5py.Dataset) -> None:
        for first in range(0, len(indptr) - 1, _ROWS):
            edges = indptr[first : first + _ROWS + 1]
            column = feature[edges[0] : edges[-1]].astype(np.int64)
            rises = np.ones(len(column), dtype=bool)
            rises[1:] = np.diff(column) > 0
            rises[edges[:-1][np.diff(edges) > 0] - edges[0]] = True
            if not rises.all():
                raise self._wrong("by_base", "rising features on each base", "another order")


def _mixed(row: np.ndarray, feature: np.ndarray, value: np.ndarray) -> int:
    """Return the sum of a hash of each hit (the finaliser of SplitMix64), which ignores order."""
    key = row.astype(np.uint64) << np.uint64(32) | feature.astype(np.uint64)
    key ^= value.view(np.uint32).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return int((key ^ (key >> np.uint64(31))).sum(dtype=np.uint64))


def _verify_activations(path: Path) -> Iterator[Check]:
    store = ActivationStore(path, is_compared=False)
    if store.version > 1:
        yield _checked(
            "checksum of the contents", lambda: _check_contents(path, activations.FORMAT)
        )
    yield _checked("windows", lambda: _check_windows(store))
    yield _checked("rows", lambda: _check_values(store))


def _check_windows(store: ActivationStore) -> None:
    lengths = {contig.seqid: contig.length for contig in store.header.contigs}
    windows = sorted(store.windows, key=lambda it: (it.seqid, it.strand, it.start))
    for window in windows:
        if window.strand not in STRANDS or window.end > lengths[window.seqid]:
            raise SchemaError(f"{store.path}: windows", "windows inside contigs", str(window))
    for before, after in pairwise(windows):
        if _overlap(before, after):
            raise SchemaError(f"{store.path}: windows", "windows that do not overlap", str(after))


def _overlap(before: GenomicInterval, after: GenomicInterval) -> bool:
    return before.strand == after.strand and before.intersection(after) is not None


def _check_values(store: ActivationStore) -> None:
    for start in range(0, store.n_tokens, _ROWS):
        stop = min(start + _ROWS, store.n_tokens)
        store.rows(start, stop)
        store.token_bases(start, stop)


_STORES: dict[str, Callable[[Path], object]] = {
    features.FORMAT: partial(FeatureStore, is_compared=False),
    activations.FORMAT: partial(ActivationStore, is_compared=False),
}
_VERSIONS = {features.FORMAT: features.VERSION, activations.FORMAT: activations.VERSION}
_LARGE = {features.FORMAT: feature_digest.LARGE, activations.FORMAT: activations.LARGE}
_CHECKS: dict[str, Callable[[Path], Iterator[Check]]] = {
    features.FORMAT: _verify_features,
    activations.FORMAT: _verify_activations,
}
