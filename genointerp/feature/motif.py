"""Motif of the loci of a feature: an alignment without gaps, and its information."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from genointerp.core import metric
from genointerp.core.config import check_choice
from genointerp.core.errors import ConfigError, InputError
from genointerp.core.files import atomic_path
from genointerp.core.provenance import Provenance
from genointerp.feature.loci import LocusConfig, top_loci
from genointerp.feature.locus_files import flanked
from genointerp.feature.specimen import Specimen
from genointerp.genome.genome import Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import BASES, count_bases, count_columns
from genointerp.store.feature.store import STRANDS
from genointerp.store.hdf5 import writing

Anchor = Literal["peak", "start", "end"]

_CHI2_95 = 7.814727903251179
"""95th percentile of chi-squared with 3 degrees of freedom."""


@dataclass(frozen=True)
class MotifConfig:
    """Which loci are aligned, and on which base.

    Parameters
    ----------
    n_loci
        Number of strongest loci, over all genomes.
    anchor
        Base of a locus that is aligned at offset 0: the one with the largest activation, the first
        or the last in reading direction.
    before, after
        Number of bases before and after the anchor, in reading direction. A causal model fires
        after what it has read, so the bases before are more informative.
    copy_flank
        Loci whose windows, extended by this many bases on either side, are equal are copies of one
        sequence, such as the operons of rRNA, and count once.
    loci
        Definition of a locus.
    """

    n_loci: int = 200
    anchor: Anchor = "peak"
    before: int = 30
    after: int = 10
    copy_flank: int = 30
    loci: LocusConfig = field(default_factory=LocusConfig)

    def __post_init__(self) -> None:
        check_choice("anchor", self.anchor, Anchor)
        for name, least in (("n_loci", 1), ("before", 0), ("after", 0), ("copy_flank", 0)):
            if getattr(self, name) < least:
                raise ConfigError(name, f"{least} or more", str(getattr(self, name)))


class Information(NamedTuple):
    """Information of each column of an alignment against a background, in bits.

    Parameters
    ----------
    bits
        Information, corrected for the number of bases; 0 if the correction leaves nothing.
    null_bits
        Information that one column in twenty exceeds if its bases are drawn from the background.
    """

    bits: Float64[np.ndarray, " position"]
    null_bits: Float64[np.ndarray, " position"]


@dataclass(frozen=True, eq=False, repr=False)
class Motif:
    """Bases around the loci of one feature.

    Parameters
    ----------
    name
        Name of the feature, such as ``f/12``.
    counts
        Counts of A, C, G and T in each column.
    first
        Offset of the first column from the anchor in bp, in reading direction.
    background
        Shares of A, C, G and T in the background.
    n_sites
        Number of aligned sequences; ``n_repeated`` more were copies of one of them.
    """

    name: str
    counts: Int64[np.ndarray, "position 4"]
    first: int
    background: Float64[np.ndarray, "4"]
    n_sites: int
    n_repeated: int

    def __repr__(self) -> str:
        bits = f"{len(self.counts)} columns, {self.information.bits.sum():.1f} bits"
        return f"Motif({self.name}: {self.n_sites} sites, {self.n_repeated} repeats, {bits})"

    @property
    def shares(self) -> Float64[np.ndarray, "position 4"]:
        """Share of each base in its column; the background if the column has no bases."""
        n = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(np.where(n > 0, self.counts / np.maximum(n, 1), self.background))

    @property
    def information(self) -> Information:
        """Information of each column against the background, in bits."""
        return information_content(self.counts, self.background)

    @property
    def heights(self) -> Float64[np.ndarray, "position 4"]:
        """Height in bits of each letter of a logo: the bits of its column times its share."""
        return np.asarray(self.shares * self.information.bits[:, None])

    def table(self) -> pd.DataFrame:
        """Return the columns of the motif as a table in the schema ``MOTIF``."""
        found = self.information
        return pd.DataFrame(
            {
                "offset": np.arange(self.first, self.first + len(self.counts)),
                **dict(zip(BASES, self.shares.T, strict=True)),
                "n": self.counts.sum(axis=1),
                "bits": found.bits,
                "null_bits": found.null_bits,
            }
        )


def information_content(
    counts: Int64[np.ndarray, "position 4"], background: Float64[np.ndarray, "4"]
) -> Information:
    """Return the information of each column against a background, and its 95th percentile.

    Notes
    -----
    `genointerp.core.metric.information_content`, at least 0, and the 95th percentile of it for
    bases drawn from the background.
    """
    bits = metric.information_content(counts, background)
    null_bits = metric.chance_information(counts.sum(axis=1), _CHI2_95)
    return Information(np.maximum(0.0, bits), null_bits)


def find_motif(
    specimens: Sequence[Specimen], feature: int | str, config: MotifConfig | None = None
) -> Motif:
    """Align the strongest loci of a feature over all genomes on their anchors.

    Copies of one sequence count once. A locus whose window extends beyond a linear contig is left
    out.

    Parameters
    ----------
    specimens
        Genomes with their sequences.

    Raises
    ------
    InputError
        If no locus has its window inside its contig.
    UnknownNameError
        If the dictionary has no such feature.
    """
    config = MotifConfig() if config is None else config
    number = specimens[0].features.find_feature(feature)
    found: list[tuple[float, _Site]] = []
    for specimen in specimens:
        sequence = specimen.needs("sequence")
        loci = top_loci(specimen.features, number, n=config.n_loci, config=config.loci)
        sites = (_site(sequence, row, config) for row in loci.to_dict(orient="records"))
        highest = loci["max_activation"].tolist()
        found += [(-high, one) for high, one in zip(highest, sites, strict=True) if one is not None]
    found.sort(key=lambda pair: pair[0])
    chosen = [site for _, site in found[: config.n_loci]]
    if not chosen:
        expected = f"a locus with {config.before} bases before it and {config.after} after it"
        raise InputError(f"feature {number}", expected, "none")
    windows = list({site.around: site.bases for site in chosen}.values())
    letters = np.frombuffer(b"".join(windows), np.uint8).reshape(len(windows), -1)
    return Motif(
        name=f"f/{number}",
        counts=count_columns(letters),
        first=-config.before,
        background=base_composition(specimens),
        n_sites=len(windows),
        n_repeated=len(chosen) - len(windows),
    )


def base_composition(specimens: Sequence[Specimen]) -> Float64[np.ndarray, "4"]:
    """Return the shares of A, C, G and T among the bases read, with both strands counted."""
    counts = np.zeros(4)
    for specimen in specimens:
        sequence = specimen.needs("sequence")
        for interval in [one for strand in STRANDS for one in specimen.features.coverage(strand)]:
            bases = sequence[interval.seqid].sequence[interval.start : interval.end]
            found = count_bases(bases)
            # A pairs with T and C with G
            counts += found + found[::-1]
    return np.asarray(counts / counts.sum())


def write_meme(motif: Motif, out: Path, provenance: Provenance) -> None:
    """Write a motif in the minimal format of the MEME suite, version 5."""
    background = " ".join(
        f"{letter} {share:.6f}" for letter, share in zip(BASES, motif.background, strict=True)
    )
    matrix = "\n".join(" ".join(f"{share:.6f}" for share in row) for row in motif.shares)
    text = (
        "MEME version 5\n\n"
        f"# {provenance.as_json()}\n\n"
        f"ALPHABET= {BASES}\n\nstrands: +\n\n"
        f"Background letter frequencies\n{background}\n\n"
        f"MOTIF {motif.name}\n"
        f"letter-probability matrix: alength= 4 w= {len(motif.counts)} nsites= {motif.n_sites} "
        f"E= 0\n{matrix}\n"
    )
    with writing(out), atomic_path(out) as temporary:
        temporary.write_text(text, encoding="utf-8")


class _Site(NamedTuple):
    bases: bytes
    around: bytes


def _site(genome: Genome, row: dict[Hashable, Any], config: MotifConfig) -> _Site | None:
    contig, strand = genome[str(row["seqid"])], row["strand"]
    first, last = int(row["start"]), int(row["end"]) - 1
    ends = {"peak": int(row["peak"]), "start": first, "end": last}
    if strand == "-":
        ends |= {"start": last, "end": first}
    anchor = ends[config.anchor]
    left, right = (config.before, config.after) if strand == "+" else (config.after, config.before)
    start, end = anchor - left, anchor + right + 1
    turn = contig.length if start < 0 and contig.circular else 0
    inside = start + turn >= 0 and (end <= contig.length or contig.circular)
    if not inside or end - start > contig.length:
        return None
    place = GenomicInterval(contig.name, start + turn, end + turn, "-" if strand == "-" else "+")
    around = genome.fetch(flanked(place, genome, config.copy_flank))
    return _Site(genome.fetch(place).tobytes(), around.tobytes())
