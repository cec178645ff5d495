"""Places of a query: regions, lines of a BED file, genes by name, or everything."""

import gzip
import io
import sys
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from genointerp.annotation.annotation_set import AnnotationSet, Element
from genointerp.core.errors import CoordinateError, InputError, UnknownNameError
from genointerp.core.files import open_input
from genointerp.core.nearest import suggested
from genointerp.core.text import is_count
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import (
    GenomicInterval,
    format_region,
    has_coordinates,
    parse_region,
)
from genointerp.store.feature.store import FeatureStore

NAMES = ("gene", "Name", "locus_tag", "old_locus_tag", "ID")
"""Attributes by which an element is found; the first one with the name counts."""

_SKIPPED = ("track", "browser")
"""First words of BED lines that are meant for genome browsers."""

_GZIP = b"\x1f\x8b"


AnyRegion = str | GenomicInterval
"""A region as text or as an interval."""


@dataclass(frozen=True)
class Places:
    """Where to look; all contigs if nothing is given.

    Parameters
    ----------
    regions
        Samtools-style regions, 1-based and closed; one with ``last`` before ``first`` spans the
        origin. If an annotation is known, a text without coordinates that is not a contig is the
        name of an element, as in ``genes``.
    bed
        BED file (0-based, half-open), plain or gzip; ``-`` is the standard input. Names in its
        column 4 are kept.
    genes
        Names of elements of the annotation: gene, name, locus tag or ID.
    """

    regions: tuple[str, ...] = ()
    bed: Path | None = None
    genes: tuple[str, ...] = ()

    @property
    def everywhere(self) -> bool:
        """Whether no place is given."""
        return not (self.regions or self.bed or self.genes)

    def names_elements(self, stores: Iterable[FeatureStore]) -> bool:
        """Return whether an annotation is needed to find the places in these genomes."""
        contigs = _contigs(stores)
        return bool(self.genes) or any(_is_name(region, contigs) for region in self.regions)


class Place(NamedTuple):
    """A place on one genome, and its name in the query.

    Parameters
    ----------
    interval
        From the first to the last base of the place.
    parts
        Bases of the place: disjoint stretches of ``interval``, in its order. A gene with several
        parts has several; what lies between them does not belong to the place.
    """

    specimen: Specimen
    name: str
    interval: GenomicInterval
    parts: tuple[GenomicInterval, ...]

    @classmethod
    def whole(cls, specimen: Specimen, name: str, interval: GenomicInterval) -> "Place":
        """Make a place to which every base of an interval belongs."""
        return cls(specimen, name, interval, (interval,))


class BedLine(NamedTuple):
    """One interval of a BED file; ``where`` names the file and the line."""

    name: str
    interval: GenomicInterval
    where: str


def find_places(places: Places, specimens: Sequence[Specimen]) -> Iterator[Place]:
    """Yield the places on every genome that has them, in the order of the query.

    Raises
    ------
    CoordinateError
        If no genome has a region.
    UnknownNameError
        If no annotation has a gene.
    """
    if places.everywhere:
        for specimen in specimens:
            for seqid, length in specimen.features.lengths.items():
                yield Place.whole(specimen, seqid, GenomicInterval(seqid, 0, length))
    contigs = _contigs(specimen.features for specimen in specimens)
    is_annotated = any(specimen.annotation is not None for specimen in specimens)
    for region in places.regions:
        if is_annotated and _is_name(region, contigs):
            yield from _gene_places(region, specimens, contigs)
        else:
            yield from _on_genomes(region, specimens)
    if places.bed is not None:
        yield from _bed_places(places.bed, specimens)
    for gene in places.genes:
        yield from _gene_places(gene, specimens)


def find_place(region: AnyRegion, specimens: Sequence[Specimen]) -> Place:
    """Find the only place in several genomes with a region, or with the name of an element.

    If elements of the same name lie in each other, such as a gene and its exons, the longest is
    returned.

    Raises
    ------
    CoordinateError
        If no genome has the region.
    InputError
        If there are several such places.
    UnknownNameError
        If no annotation has an element with this name.
    """
    places = list(find_places(Places(as_regions(region)), specimens))
    longest = max(places, key=lambda place: place.interval.length)
    for place in places:
        common = place.interval.intersection(longest.interval)
        is_inside = common is not None and common.length == place.interval.length
        if place.specimen is not longest.specimen or not is_inside:
            found = [f"{one.specimen.name} {format_region(one.interval)}" for one in places]
            several = len({one.specimen.name for one in places}) > 1
            expected = "one place" + several * " (genome names one of the genomes)"
            raise InputError(f"region {region}", expected, ", ".join(found))
    return longest


def as_regions(regions: AnyRegion | Iterable[AnyRegion]) -> tuple[str, ...]:
    """Convert one or several regions to text.

    Examples
    --------
    >>> as_regions("dnaA"), as_regions([GenomicInterval("chrI", 0, 100)])
    (('dnaA',), ('chrI:1-100',))
    """
    items = (regions,) if isinstance(regions, AnyRegion) else regions
    return tuple(one if isinstance(one, str) else format_region(one) for one in items)


def find_elements(annotations: AnnotationSet, name: str) -> list[Element]:
    """Return the elements with a name, by the first attribute of ``NAMES`` that has it."""
    for attribute in NAMES:
        found = [e for e in annotations if name in e.attributes.get(attribute, ())]
        if found:
            return found
    return [element for element in annotations if element.id == name]


def element_hull(element: Element, length: int, *, circular: bool) -> GenomicInterval:
    """Return the interval from the first to the last base of an element.

    The end lies beyond the length of a circular contig if parts lie on both sides of the origin.
    The strand is that of the parts, or ``.`` if they lie on both strands.
    """
    parts = sorted(element.parts, key=lambda part: part.start)
    seqid, strand = parts[0].seqid, parts[0].strand
    if any(part.strand != strand for part in parts):
        strand = "."
    last = max(part.end for part in parts)
    if circular and len(parts) > 1 and parts[0].start == 0 and last == length:
        # what lies before the widest gap continues after the origin
        gaps = [after.start - before.end for before, after in pairwise(parts)]
        cut = max(range(len(gaps)), key=lambda i: gaps[i])
        return GenomicInterval(seqid, parts[cut + 1].start, length + parts[cut].end, strand)
    return GenomicInterval(seqid, parts[0].start, last, strand)


def hull_on(store: FeatureStore, element: Element) -> GenomicInterval:
    """Return `element_hull` for the element's contig in a store."""
    seqid = element.parts[0].seqid
    return element_hull(element, store.lengths[seqid], circular=seqid in store.circular)


def element_stretches(
    element: Element, length: int, *, circular: bool
) -> tuple[GenomicInterval, ...]:
    """Return the bases of an element as disjoint stretches of its hull, in the hull's order.

    Parts that overlap or touch, as at a ribosomal frameshift, are one stretch. Stretches after the
    origin lie beyond the length, as the end of the hull does.

    Examples
    --------
    >>> from genointerp.annotation.annotation_set import Part
    >>> parts = (Part("c", 90, 100, "+"), Part("c", 0, 5, "+"), Part("c", 5, 9, "+"))
    >>> found = element_stretches(Element("CDS", "x", parts), 100, circular=True)
    >>> [(one.start, one.end) for one in found]
    [(90, 109)]
    """
    hull = element_hull(element, length, circular=circular)
    turned = [length if part.start < hull.start else 0 for part in element.parts]
    spans = sorted(
        (part.start + turn, part.end + turn)
        for part, turn in zip(element.parts, turned, strict=True)
    )
    merged: list[tuple[int, int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(GenomicInterval(hull.seqid, start, end) for start, end in merged)


def read_bed(lines: Iterable[str], *, where: str) -> Iterator[BedLine]:
    """Yield the interval of each line; without a name in column 4, the region is its name.

    Raises
    ------
    CoordinateError
        If a line is not BED; the message names the line.
    """
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        if not text.strip() or text.startswith("#") or text.split()[0] in _SKIPPED:
            continue
        columns, place = text.split("\t"), f"{where}: line {number}"
        if len(columns) < 3 or not all(map(is_count, columns[1:3])):
            expected = "seqid, start and end, separated by tabs"
            raise CoordinateError(place, expected, repr(text[:60]))
        start, end = int(columns[1]), int(columns[2])
        if start > end:
            raise CoordinateError(place, "start <= end", f"{start} and {end}")
        interval = GenomicInterval(columns[0], start, end)
        name = columns[3] if len(columns) > 3 else format_region(interval)
        yield BedLine(name, interval, place)


def _on_genomes(region: str, specimens: Sequence[Specimen]) -> Iterator[Place]:
    errors: list[CoordinateError] = []
    found = False
    for specimen in specimens:
        store = specimen.features
        try:
            interval = parse_region(region, store.lengths, circular=store.circular)
        except CoordinateError as error:
            errors.append(error)
            continue
        found = True
        yield Place.whole(specimen, region, interval)
    if not found:
        # a contig that is too short is a better explanation than a genome without the contig
        raise max(errors, key=lambda error: error.where == region)


def _bed_places(path: Path, specimens: Sequence[Specimen]) -> Iterator[Place]:
    if str(path) == "-":
        yield from _placed(read_bed(_text(sys.stdin, "BED"), where="BED"), specimens)
        return
    with open_input(path, error=InputError) as handle:
        # peeked at instead of opened twice, since it may be a pipe
        packed = handle.peek(len(_GZIP)).startswith(_GZIP)
        stream = gzip.GzipFile(fileobj=handle) if packed else handle
        with io.TextIOWrapper(stream, encoding="utf-8") as lines:
            yield from _placed(read_bed(_text(lines, str(path)), where=str(path)), specimens)


def _text(lines: Iterable[str], where: str) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError as problem:
        found = f"byte 0x{problem.object[problem.start]:02x}"
        raise InputError(where, "text in UTF-8", found) from problem
    except (EOFError, zlib.error) as problem:
        raise InputError(where, "a sound gzip file", str(problem)) from problem


def _placed(lines: Iterable[BedLine], specimens: Sequence[Specimen]) -> Iterator[Place]:
    for name, interval, where in lines:
        having = [specimen for specimen in specimens if interval.seqid in specimen.features.lengths]
        if not having:
            raise CoordinateError(where, "contigs of the genomes", interval.seqid)
        long_enough = [specimen for specimen in having if _holds(specimen.features, interval)]
        if not long_enough:
            length = max(specimen.features.lengths[interval.seqid] for specimen in having)
            expected = f"0 <= start <= end <= {length} on {interval.seqid}"
            found = f"start={interval.start}, end={interval.end}"
            raise CoordinateError(where, expected, found)
        for specimen in long_enough:
            yield Place.whole(specimen, name, interval)


def _holds(store: FeatureStore, interval: GenomicInterval) -> bool:
    try:
        store.parts(interval)
    except CoordinateError:
        return False
    return True


def _contigs(stores: Iterable[FeatureStore]) -> list[str]:
    """Return the names of the contigs of all genomes, each once."""
    return list(dict.fromkeys(seqid for store in stores for seqid in store.lengths))


def _is_name(region: str, contigs: Collection[str]) -> bool:
    """Say whether a text can only be the name of an element: it is no contig and no range."""
    return not (has_coordinates(region) or {region, region.strip("{}")} & set(contigs))


def _gene_places(
    name: str, specimens: Sequence[Specimen], contigs: Sequence[str] = ()
) -> Iterator[Place]:
    """Yield the bases of each element of a name; ``contigs`` are what it may have meant as well."""
    found = False
    for specimen in specimens:
        if specimen.annotation is None:
            continue
        store = specimen.features
        asked: dict[tuple[GenomicInterval, ...], GenomicInterval] = {}
        for element in find_elements(specimen.annotation, name):
            hull = hull_on(store, element)
            length, circular = store.lengths[hull.seqid], hull.seqid in store.circular
            stretches = element_stretches(element, length, circular=circular)
            asked.setdefault(stretches, hull)
        for place in _merged([Place(specimen, name, *it[::-1]) for it in asked.items()]):
            found = True
            yield place
    if not found:
        known = "a name of the annotation"
        found_name = suggested(name, [*contigs, *_names(specimens)])
        if not contigs:
            raise UnknownNameError("gene", known, found_name)
        shown = ", ".join([*contigs[:5], *["..."] * (len(contigs) > 5)])
        raise UnknownNameError("region", f"a region of {shown} or {known}", found_name)


def _merged(places: Sequence[Place]) -> list[Place]:
    """Return places of which those of one thing are one, such as a gene and its coding sequence.

    These are stretches of one strand that share half of the shorter one; the place is then their
    union. What consists of several stretches stays as it is.
    """
    merged: list[Place] = []
    for place in places:
        twin = next((i for i, one in enumerate(merged) if _is_same_thing(one, place)), None)
        if twin is None:
            merged.append(place)
            continue
        one, other = merged[twin].interval, place.interval
        start, end = min(one.start, other.start), max(one.end, other.end)
        union = replace(one, start=start, end=end)
        merged[twin] = place._replace(interval=union, parts=(replace(union, strand="."),))
    return merged


def _is_same_thing(one: Place, other: Place) -> bool:
    if len(one.parts) > 1 or len(other.parts) > 1 or one.interval.strand != other.interval.strand:
        return False
    common = one.interval.intersection(other.interval)
    shorter = min(one.interval.length, other.interval.length)
    return common is not None and 2 * common.length >= shorter


def _names(specimens: Sequence[Specimen]) -> set[str]:
    """Return every name by which an element of the annotations is found."""
    return {
        value
        for specimen in specimens
        if specimen.annotation is not None
        for element in specimen.annotation
        for attribute in NAMES
        for value in element.attributes.get(attribute, ())
    }
