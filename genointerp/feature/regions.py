"""Where a question is asked: regions, lines of a BED file, genes by name; or everywhere."""

import difflib
import gzip
import io
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from genointerp.annotation.annotation_set import AnnotationSet, Element
from genointerp.core.errors import CoordinateError, InputError, UnknownNameError
from genointerp.core.files import open_input
from genointerp.core.text import is_count
from genointerp.feature.genomes import FeaturedGenome
from genointerp.genome.interval import GenomicInterval, format_region, parse_region
from genointerp.store.features import FeatureStore

NAMES = ("gene", "Name", "locus_tag", "old_locus_tag", "ID")
"""Attributes by which an element is found, the first that knows the name counts."""

_SKIPPED = ("track", "browser")
"""First words of lines of a BED file that are for genome browsers."""

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Places:
    """Where to look; all contigs where nothing is said.

    Parameters
    ----------
    regions
        Samtools-like texts, 1-based and closed; ``last`` before ``first`` spans the origin.
    bed
        0-based half-open, plain or gzip; ``-`` is the standard input. Names of its column 4 are
        kept.
    genes
        Names of elements of the annotation: gene, name, locus tag or ID.
    """

    regions: tuple[str, ...] = ()
    bed: Path | None = None
    genes: tuple[str, ...] = ()

    @property
    def everywhere(self) -> bool:
        """Whether nothing is said."""
        return not (self.regions or self.bed or self.genes)


class Place(NamedTuple):
    """A stretch of one genome, and what the question calls it."""

    genome: FeaturedGenome
    name: str
    interval: GenomicInterval


def find_places(places: Places, genomes: Sequence[FeaturedGenome]) -> Iterator[Place]:
    """Yield what ``places`` says, upon every genome that has it, in the order of the question.

    Raises
    ------
    CoordinateError
        If no genome has a region.
    UnknownNameError
        If no annotation has a gene.
    """
    if places.everywhere:
        for genome in genomes:
            for seqid, length in genome.store.lengths.items():
                yield Place(genome, seqid, GenomicInterval(seqid, 0, length))
    for region in places.regions:
        yield from _on_genomes(region, genomes)
    if places.bed is not None:
        yield from _bed_places(places.bed, genomes)
    for gene in places.genes:
        yield from _gene_places(gene, genomes)


def find_elements(annotations: AnnotationSet, name: str) -> list[Element]:
    """Return the elements of a name, by the first attribute of ``NAMES`` that knows it."""
    for attribute in NAMES:
        found = [e for e in annotations if name in e.attributes.get(attribute, ())]
        if found:
            return found
    return [element for element in annotations if element.id == name]


def element_hull(element: Element, length: int, *, circular: bool) -> GenomicInterval:
    """Return the interval from the first to the last base of an element.

    Its end lies beyond a circular contig where parts lie on either side of the origin.
    """
    parts = sorted(element.parts, key=lambda part: part.start)
    seqid, strand = parts[0].seqid, parts[0].strand
    last = max(part.end for part in parts)
    if circular and len(parts) > 1 and parts[0].start == 0 and last == length:
        # what lies before the widest gap goes on behind the origin
        gaps = [after.start - before.end for before, after in pairwise(parts)]
        cut = max(range(len(gaps)), key=lambda i: gaps[i])
        return GenomicInterval(seqid, parts[cut + 1].start, length + parts[cut].end, strand)
    return GenomicInterval(seqid, parts[0].start, last, strand)


def hull_on(store: FeatureStore, element: Element) -> GenomicInterval:
    """Return `element_hull` on the element's contig in a store."""
    seqid = element.parts[0].seqid
    return element_hull(element, store.lengths[seqid], circular=seqid in store.circular)


def read_bed(lines: Iterable[str], *, where: str) -> Iterator[tuple[str, GenomicInterval]]:
    """Yield the name and the interval of each line; the region is the name where there is none.

    Raises
    ------
    CoordinateError
        Naming the line that is no BED.
    """
    for number, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        if not text.strip() or text.startswith("#") or text.split()[0] in _SKIPPED:
            continue
        columns = text.split("\t")
        if len(columns) < 3 or not all(map(is_count, columns[1:3])):
            expected = "seqid, start and end, separated by tabs"
            raise CoordinateError(f"{where}: line {number}", expected, repr(text[:60]))
        start, end = int(columns[1]), int(columns[2])
        if start > end:
            raise CoordinateError(f"{where}: line {number}", "start <= end", f"{start} and {end}")
        interval = GenomicInterval(columns[0], start, end)
        yield (columns[3] if len(columns) > 3 else format_region(interval)), interval


def _on_genomes(region: str, genomes: Sequence[FeaturedGenome]) -> Iterator[Place]:
    errors: list[CoordinateError] = []
    found = False
    for genome in genomes:
        store = genome.store
        try:
            interval = parse_region(region, store.lengths, circular=store.circular)
        except CoordinateError as error:
            errors.append(error)
            continue
        found = True
        yield Place(genome, region, interval)
    if not found:
        # a contig that is too short tells more than a genome without that contig
        raise max(errors, key=lambda error: error.where == region)


def _bed_places(path: Path, genomes: Sequence[FeaturedGenome]) -> Iterator[Place]:
    if str(path) == "-":
        yield from _placed(read_bed(_text(sys.stdin, "BED"), where="BED"), "BED", genomes)
        return
    with open_input(path, error=InputError) as handle:
        # looked at without a second opening, for it may be a pipe
        packed = handle.peek(len(_GZIP)).startswith(_GZIP)
        stream = gzip.GzipFile(fileobj=handle) if packed else handle
        with io.TextIOWrapper(stream, encoding="utf-8") as lines:
            named = read_bed(_text(lines, str(path)), where=str(path))
            yield from _placed(named, str(path), genomes)


def _text(lines: Iterable[str], where: str) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError as problem:
        found = f"byte 0x{problem.object[problem.start]:02x}"
        raise InputError(where, "text in UTF-8", found) from problem
    except (EOFError, zlib.error) as problem:
        raise InputError(where, "a sound gzip file", str(problem)) from problem


def _placed(
    named: Iterable[tuple[str, GenomicInterval]], where: str, genomes: Sequence[FeaturedGenome]
) -> Iterator[Place]:
    for name, interval in named:
        having = [genome for genome in genomes if interval.seqid in genome.store.lengths]
        if not having:
            raise CoordinateError(where, "contigs of the genomes", interval.seqid)
        for genome in having:
            genome.store.parts(interval)
            yield Place(genome, name, interval)


def _gene_places(name: str, genomes: Sequence[FeaturedGenome]) -> Iterator[Place]:
    found = False
    for genome in genomes:
        if genome.annotations is None:
            continue
        found_here = find_elements(genome.annotations, name)
        for interval in dict.fromkeys(hull_on(genome.store, element) for element in found_here):
            found = True
            yield Place(genome, name, interval)
    if not found:
        raise UnknownNameError(
            "gene", f"a name of the annotation{_near(name, genomes)}", repr(name)
        )


def _near(name: str, genomes: Sequence[FeaturedGenome]) -> str:
    known = {
        value
        for genome in genomes
        if genome.annotations is not None
        for element in genome.annotations
        for attribute in NAMES
        for value in element.attributes.get(attribute, ())
    }
    lower = {value.lower(): value for value in sorted(known, reverse=True)}
    close = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.7)
    return f", such as {', '.join(lower[one] for one in close)}" if close else ""
