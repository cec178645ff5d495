"""Write loci as GFF3 (1-based, closed), BED (0-based, half-open) and FASTA."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pandas as pd

from genointerp.core.files import atomic_path
from genointerp.feature.loci import LocusConfig
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.store.table.delimited import write_metadata
from genointerp.store.table.schema.column import Column, required

_LINE = 80


class Locus(NamedTuple):
    """One locus, with its name in all formats.

    Parameters
    ----------
    notes
        Further attributes, written by GFF3 as attributes and by FASTA in the header.
    """

    name: str
    feature: int
    place: GenomicInterval
    maximum: float
    mean: float
    n_firing: int
    notes: tuple[tuple[str, str], ...] = ()


def name_loci(
    loci: pd.DataFrame, feature: int, notes: Mapping[str, str] | None = None
) -> list[Locus]:
    """Return the loci of a table as records, numbered in the order of the table."""
    return [
        named_locus(row, feature, f"feature_{feature}_{number}", notes)
        for number, row in enumerate(loci.to_dict(orient="records"), start=1)
    ]


def named_locus(
    row: Mapping[Hashable, Any], feature: int, name: str, notes: Mapping[str, str] | None = None
) -> Locus:
    """Return one row of a table of loci as a record."""
    return Locus(
        name,
        feature,
        GenomicInterval(row["seqid"], int(row["start"]), int(row["end"]), row["strand"]),
        float(row["max_activation"]),
        float(row["mean_activation"]),
        int(row["n_firing"]),
        tuple((notes or {}).items()),
    )


def candidate_locus(row: Mapping[Hashable, Any], notes: Mapping[str, str] | None = None) -> Locus:
    """Return a locus of a candidate from a row with ``rank``, ``feature`` and ``locus``."""
    name = f"feature_{row['feature']}_locus_{row['locus']}"
    return named_locus(
        row, int(row["feature"]), name, {"candidate_rank": str(row["rank"]), **(notes or {})}
    )


def rule_of(config: LocusConfig) -> str:
    """Describe in one line what counts as a locus."""
    return (
        f"a locus: bases with an activation > 0 and >= {config.min_activation:g}, at most "
        f"{config.merge_gap} silent bases between them (merge gap), {config.min_length} bp or "
        "longer (minimum length)"
    )


def gff3_lines(loci: list[Locus], lengths: Mapping[str, int], comments: list[str]) -> Iterator[str]:
    """Yield the lines of a GFF3 file; the score is the largest activation."""
    yield "##gff-version 3"
    for seqid, length in lengths.items():
        yield f"##sequence-region {escaped_seqid(seqid)} 1 {length}"
    yield from (f"# {comment}" for comment in comments)
    for locus in loci:
        place = locus.place
        attributes = (
            f"ID={locus.name};Name=f/{locus.feature};"
            f"mean_activation={locus.mean:.9g};n_firing={locus.n_firing}"
        )
        attributes += "".join(f";{key}={escaped_value(value)}" for key, value in locus.notes)
        yield (
            f"{escaped_seqid(place.seqid)}\tgenointerp\tsequence_feature\t{place.start + 1}\t"
            f"{place.end}\t{locus.maximum:.9g}\t{place.strand}\t.\t{attributes}"
        )


def bed_lines(loci: list[Locus]) -> Iterator[str]:
    """Yield lines of BED6 with two more columns: the largest and the mean activation.

    The score is the largest activation, in thousandths of that of the strongest locus.
    """
    highest = max((locus.maximum for locus in loci), default=1.0)
    for locus in loci:
        place = locus.place
        score = round(1000 * locus.maximum / highest)
        numbers = f"{locus.maximum:.9g}\t{locus.mean:.9g}"
        yield (
            f"{place.seqid}\t{place.start}\t{place.end}\t{locus.name}\t{score}\t{place.strand}"
            f"\t{numbers}"
        )


def describe_bed(
    path: Path, written: Path, header: Mapping[str, Any], *, name: str, score: str, regions: bool
) -> None:
    """Write the metadata of a BED file next to it, with what it was made from.

    Comments are allowed in BED, but pyranges, bioframe and pandas take the first line for data or
    for names.

    Parameters
    ----------
    written
        File that holds the lines, under the name that it has as yet.
    header
        What the lines are, and what they were made from.
    name, score
        Meaning of these columns.
    regions
        Whether the last column names the region in a query.
    """
    region: tuple[Column, ...] = ()
    if regions:
        region = (required("region", "string", "name of the region in the query"),)
    columns = (
        required("seqid", "string", "contig"),
        required("start", "int64", "start of the interval, 0-based, forward strand"),
        required("end", "int64", "end of it, half-open"),
        required("name", "string", name),
        required("score", "int64", score),
        required("strand", "string", "strand that was read, + or -"),
        required("max_activation", "float64", "largest activation in the interval"),
        required("mean_activation", "float64", "mean over its firing bases"),
        *region,
    )
    write_metadata(path, written, header, columns, {"delimiter": "\t", "header": False})


def fasta_lines(loci: list[Locus], genome: Genome, flank: int) -> Iterator[str]:
    """Yield FASTA lines of each locus, 5' to 3' on its reading strand, with flanks in lower case.

    The first word of a header is the name of the locus, which BLAST reports. The region that is
    written and that of the locus follow, both 1-based and closed.
    """
    for locus in loci:
        place = locus.place
        around = flanked(place, genome, flank)
        shown = f"{place.seqid}:{around.start + 1}-{around.end}({place.strand})"
        notes = "".join(f" {key}={escaped_value(value)}" for key, value in locus.notes)
        yield (
            f">{locus.name} {shown} locus={place.start + 1}-{place.end} "
            f"max_activation={locus.maximum:.9g}{notes}"
        )
        text = sequence_text(place, genome, flank)
        yield from (text[first : first + _LINE] for first in range(0, len(text), _LINE))


def write_lines(out: Path, lines: Iterable[str]) -> None:
    """Write lines of text to a file, which appears under its name only when it is complete."""
    with atomic_path(out) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def flanked(place: GenomicInterval, genome: Genome, flank: int) -> GenomicInterval:
    """Extend an interval by flanks, up to the ends of a linear contig.

    On a circular contig flanks cross the origin. The end may then lie beyond the length, as may
    that of ``place``, and flanks are cut where they would meet.
    """
    contig = genome[place.seqid]
    if not contig.circular:
        start, end = max(0, place.start - flank), min(place.end + flank, contig.length)
        return GenomicInterval(place.seqid, start, end, place.strand)
    flank = min(flank, (contig.length - place.length) // 2)
    turn = contig.length if place.start < flank else 0
    start, end = place.start - flank + turn, place.end + flank + turn
    return GenomicInterval(place.seqid, start, end, place.strand)


def sequence_text(place: GenomicInterval, genome: Genome, flank: int) -> str:
    """Return the bases of an interval on its strand, in upper case, with lower-case flanks."""
    around = flanked(place, genome, flank)
    bases = genome.fetch(around).tobytes().decode()
    before = (place.start - around.start) % genome[place.seqid].length
    after = len(bases) - before - place.length
    left = after if place.strand == "-" else before
    inner = bases[left : left + place.length]
    return bases[:left].lower() + inner + bases[left + place.length :].lower()


def escaped_seqid(seqid: str) -> str:
    """Return the name of a contig as GFF3 has it in column 1."""
    return quote(seqid, safe=".:^*$@!+_?-|")


def escaped_value(value: str) -> str:
    """Escape a value so that it ends neither an attribute of GFF3 nor a line."""
    return quote(value, safe=" .:^*$@!+_?-|/()")
