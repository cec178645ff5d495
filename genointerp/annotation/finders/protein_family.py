"""Protein families by pyhmmer (HMMER; Eddy 2011), with the user's profiles.

Not the proteins of a gene finder are searched but every open reading frame, from stop to stop, so
that a domain is found where a gene finder sees no gene.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from genointerp.annotation.finders.finding import FindConfig, Finding, given_file, needed
from genointerp.genome.interval import Strand
from genointerp.genome.letters import (
    BASES,
    UNKNOWN,
    base_codes,
    normalise_sequence,
    reverse_complement,
)

_SHORTEST = 30
"""Fewest codons of an open reading frame in which a domain is sought."""


class Frame(NamedTuple):
    """An open reading frame: where its codons are, on the forward strand, and its protein."""

    seqid: str
    start: int
    end: int
    strand: Strand
    protein: str


def find_protein_families(contigs: Mapping[str, str], config: FindConfig) -> Iterator[Finding]:
    """Yield the coding bases of the domains of each profile, named after it."""
    with needed("pyhmmer"):
        from pyhmmer import hmmsearch
        from pyhmmer.easel import Alphabet, TextSequence
        from pyhmmer.plan7 import HMMFile

    what = "profiles for pyhmmer, such as Pfam-A.hmm"
    path = given_file(config.protein_profiles, "protein_profiles", what)
    frames = [
        frame
        for seqid, bases in contigs.items()
        for frame in open_frames(seqid, bases, config.translation_table)
    ]
    alphabet = Alphabet.amino()
    proteins = [
        TextSequence(name=str(number), sequence=frame.protein).digitize(alphabet)
        for number, frame in enumerate(frames)
    ]
    limits = {"E": config.max_evalue, "domE": config.max_evalue}
    with HMMFile(path) as profiles:
        for hits in hmmsearch(profiles, proteins, cpus=1, **limits):
            for hit in hits.reported:
                for domain in hit.domains.reported:
                    first, last = domain.alignment.target_from, domain.alignment.target_to
                    name = hits.query.name
                    attributes = {"Name": name, "evalue": f"{domain.i_evalue:.2g}"}
                    if hits.query.accession:
                        attributes["Dbxref"] = f"PFAM:{hits.query.accession}"
                    frame = frames[int(hit.name)]
                    start, end = _coded(frame, first - 1, last)
                    yield Finding(
                        frame.seqid, "polypeptide_domain", start, end, frame.strand, attributes
                    )


def open_frames(seqid: str, bases: str, table: int, *, shortest: int = _SHORTEST) -> list[Frame]:
    """Return the stretches of codons between stops, in all six frames.

    Codons with a letter that is not A, C, G or T are X.
    """
    letters = _codon_letters(table)
    forward = normalise_sequence(bases.encode(), where=seqid)
    found = []
    readings: tuple[tuple[Strand, UInt8[np.ndarray, " bp"]], ...] = (
        ("+", forward),
        ("-", reverse_complement(forward)),
    )
    for strand, sequence in readings:
        for frame in range(3):
            protein = _translated(sequence[frame:], letters)
            for start, end in _between_stops(protein):
                if end - start >= shortest:
                    first, stop = frame + 3 * start, frame + 3 * end
                    if strand == "-":
                        first, stop = len(bases) - stop, len(bases) - first
                    found.append(Frame(seqid, first, stop, strand, protein[start:end]))
    return found


def _coded(frame: Frame, first: int, stop: int) -> tuple[int, int]:
    """Return the bases of the codons [first, stop) of a frame, on the forward strand."""
    if frame.strand == "-":
        return frame.end - 3 * stop, frame.end - 3 * first
    return frame.start + 3 * first, frame.start + 3 * stop


def _codon_letters(table: int) -> UInt8[np.ndarray, " codon"]:
    """Return the amino acid of each codon, base 5 over A, C, G, T and anything else."""
    from Bio.Data.CodonTable import unambiguous_dna_by_id

    code = unambiguous_dna_by_id[table]
    letters = np.full(125, ord("X"), dtype=np.uint8)
    for number in range(125):
        bases = [number // 25, number // 5 % 5, number % 5]
        if max(bases) < UNKNOWN:
            codon = "".join(BASES[base] for base in bases)
            letters[number] = ord(code.forward_table.get(codon, "*"))
    return letters


def _translated(sequence: UInt8[np.ndarray, " bp"], letters: UInt8[np.ndarray, " codon"]) -> str:
    codons = base_codes(sequence[: len(sequence) // 3 * 3]).reshape(-1, 3)
    protein: bytes = letters[codons @ np.array([25, 5, 1])].tobytes()
    return protein.decode()


def _between_stops(protein: str) -> Iterator[tuple[int, int]]:
    start = 0
    for piece in protein.split("*"):
        yield start, start + len(piece)
        start += len(piece) + 1
