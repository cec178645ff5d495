"""Variants: other bases in the place of some of a genome's, read from text or from VCF."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path

from genointerp.core.errors import CoordinateError, InputError, SequenceError
from genointerp.genome.file import read_bytes
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval

_log = logging.getLogger(__name__)

_TEXT = re.compile(r"(?:(?P<seqid>.+):)?(?P<pos>[0-9][0-9,]{0,29}):(?P<ref>[^:>]+)>(?P<alt>[^:>]+)")
_BASES = re.compile("[ACGT]+")
_FIXED = 5
"""Columns of a line of VCF that are read: CHROM, POS, ID, REF and ALT."""


@dataclass(frozen=True)
class Variant:
    """Other bases in the place of some of a genome's.

    Parameters
    ----------
    seqid
        Contig.
    start
        First of the bases that are replaced; 0-based, forward strand.
    ref, alt
        The bases of the genome and those of the variant, on the forward strand.
    """

    seqid: str
    start: int
    ref: str
    alt: str

    def __str__(self) -> str:
        return f"{self.seqid}:{self.start + 1}:{self.ref}>{self.alt}"

    @property
    def is_substitution(self) -> bool:
        """Whether there are as many bases as before, so that tokens match one by one."""
        return len(self.ref) == len(self.alt)

    @property
    def interval(self) -> GenomicInterval:
        """The bases that are replaced."""
        return GenomicInterval(self.seqid, self.start, self.start + len(self.ref))


def parse_variant(text: str, genome: Genome) -> Variant:
    """Read a variant as people write it: ``POS:REF>ALT``, or ``SEQID:POS:REF>ALT``.

    POS is 1-based, REF and ALT are on the forward strand; commas in POS are allowed. SEQID may be
    left out if the genome has one contig.

    Raises
    ------
    InputError
        If the text is malformed, or REF is not what the genome has there.

    Examples
    --------
    >>> import numpy as np
    >>> from genointerp.genome.genome import Contig
    >>> genome = Genome([Contig("c", np.frombuffer(b"ACGT", np.uint8))])
    >>> parse_variant("2:C>G", genome)
    Variant(seqid='c', start=1, ref='C', alt='G')
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise InputError("variant", "POS:REF>ALT or SEQID:POS:REF>ALT, like 30,600:A>G", text)
    seqid = match["seqid"]
    if seqid is None and len(genome) > 1:
        expected = f"SEQID:POS:REF>ALT, as there are {len(genome)} contigs"
        raise InputError("variant", expected, text)
    where, position = f"variant {text}", int(match["pos"].replace(",", ""))
    name = next(iter(genome)) if seqid is None else seqid
    return _checked(genome, where, name, position, match["ref"], match["alt"])


def read_variants(path: Path, genome: Genome) -> list[Variant]:
    """Read the variants of a VCF file, plain, gzip or bgzip, in their order.

    A line with several alternatives is as many variants. Alternatives without bases (symbolic ones
    such as ``<DEL>``, breakends, ``*`` and ``.``) are skipped, with a warning.

    Raises
    ------
    InputError
        If the file is no VCF, or REF of a line is not what the genome has there.
    """
    lines = read_bytes(path, error=InputError).decode("utf-8", "replace").splitlines()
    if not lines[0].startswith("##fileformat=VCF"):
        raise InputError(f"{path}: line 1", "##fileformat=VCF...", lines[0][:40])
    found: list[Variant] = []
    skipped: list[str] = []
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        where, columns = f"{path}: line {number}", line.split("\t")
        if len(columns) < _FIXED or not re.fullmatch("[0-9]{1,18}", columns[1]):
            raise InputError(where, "CHROM, POS, ID, REF and ALT, separated by tabs", line[:60])
        seqid, position, _, ref, alternatives = columns[:_FIXED]
        for alt in alternatives.split(","):
            if _BASES.fullmatch(alt.upper()):
                found.append(_checked(genome, where, seqid, int(position), ref, alt))
            else:
                skipped.append(f"line {number}: {alt[:30]}")
    if skipped:
        more = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
        shown = ", ".join(skipped[:3])
        _log.warning("%s: skipped alternatives without bases (%s%s)", path, shown, more)
    return found


def _checked(genome: Genome, where: str, seqid: str, position: int, ref: str, alt: str) -> Variant:
    """Return a variant whose REF is what the genome has."""
    if seqid not in genome:
        raise CoordinateError(where, f"a contig of the genome ({_few(genome)})", seqid)
    ref, alt = ref.upper(), alt.upper()
    for name, bases in (("REF", ref), ("ALT", alt)):
        if _BASES.fullmatch(bases) is None:
            raise InputError(f"{where}: {name}", "A, C, G and T", bases[:30])
    length = genome[seqid].length
    if not 1 <= position <= length - len(ref) + 1:
        raise CoordinateError(where, f"bases from 1 to {length:,}", f"{ref[:30]} at {position:,}")
    variant = Variant(seqid, position - 1, ref, alt)
    found = genome.fetch(variant.interval).tobytes().decode()
    if found != ref:
        place = f"{seqid}:{position:,}"
        raise SequenceError(where, f"the genome's {found[:30]} at {place} as REF", ref[:30])
    if ref == alt:
        raise InputError(where, "an ALT that is not REF", alt[:30])
    return variant


def _few(genome: Genome) -> str:
    names = list(genome)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
