"""Classes of bases whose means are taken out: the last five bases, and the phase in a codon."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64, UInt8, UInt16

from genointerp.annotation.concepts import ConceptElements
from genointerp.annotation.raster import element_bases
from genointerp.comparison.matching import kernels
from genointerp.comparison.matching.bases import Panel, is_fit
from genointerp.comparison.matching.pairing import BLOCK_BP, BlockHits, Pairing
from genointerp.feature.specimen import Specimen
from genointerp.genome.genome import Genome
from genointerp.genome.letters import UNKNOWN, base_codes, reverse_complement_codes
from genointerp.store.feature.store import STRANDS, FeatureStore, ReadStrand

K = 5
"""Number of bases of a class: a base, and those before it along the reading strand."""

UNKNOWN_KMER = 4**K

_PHASES = ("CDS_phase0", "CDS_phase1", "CDS_phase2")


class Moments(NamedTuple):
    """What a correlation needs of single features, with the means of classes taken out.

    Parameters
    ----------
    mean
        Mean of each feature in each class; 0 in a class without cells.
    spread
        Sum of squared deviations from them.
    n_hits
        Number of cells on which a feature fires.
    """

    mean: Float64[np.ndarray, "feature class"]
    spread: Float64[np.ndarray, " feature"]
    n_hits: Int64[np.ndarray, " feature"]


class Classes:
    """The class of each cell.

    Parameters
    ----------
    panels
        Panels that the cells belong to.
    of
        Class of each cell, by panel.
    n
        Number of classes.
    is_fit_only
        Whether only cells of fit count.
    """

    def __init__(
        self,
        panels: Sequence[Panel],
        of: Sequence[UInt16[np.ndarray, " _"]],
        n: int,
        *,
        is_fit_only: bool = False,
    ) -> None:
        self.panels, self.of, self.n = tuple(panels), tuple(of), n
        self.is_fit_only = is_fit_only
        self.n_cells = np.zeros(n, dtype=np.int64)
        for panel, kind in zip(panels, of, strict=True):
            counted = kind[is_fit(panel.rows(), BLOCK_BP)] if is_fit_only else kind
            self.n_cells += np.bincount(counted, minlength=n)

    def moments(self, pairing: Pairing) -> Moments:
        """Return the moments of the own features of a pairing."""
        parts = []
        for block in pairing.blocks():
            hits = pairing.load(*block)
            parts.append(self._moments(pairing.of_fit(hits) if self.is_fit_only else hits))
        return Moments(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _moments(self, block: BlockHits) -> Moments:
        n = block.stop - block.first
        total, squares = np.zeros((n, self.n)), np.zeros(n)
        n_hits = np.zeros(n, dtype=np.int64)
        for hits, kind in zip(block.panels, self.of, strict=True):
            kernels.add_class_sums(*hits, kind, total, squares, n_hits)
        mean = total / np.maximum(self.n_cells, 1)
        # what is left of a feature that its classes explain wholly is rounding
        spread = squares - (total * mean).sum(axis=1)
        spread[spread < 1e-9 * squares] = 0.0
        return Moments(mean, spread, n_hits)

    def correlation(
        self,
        sums: Float64[np.ndarray, "feature other"],
        own: Moments,
        other: Moments,
        first: int = 0,
    ) -> Float64[np.ndarray, "feature other"]:
        """Return r of features from ``first`` on with all others; 0 where one does not vary.

        Notes
        -----
        ``r = (sum f g - sum_c n_c mean_c(f) mean_c(g)) / sqrt(spread(f) spread(g))`` over the
        classes c: Pearson's r of what the class means leave, and with one class Pearson's r.
        """
        at = slice(first, first + len(sums))
        covariance = sums - (own.mean[at] * self.n_cells) @ other.mean.T
        scale = np.sqrt(own.spread[at])[:, None] * np.sqrt(other.spread)
        r = np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)
        return np.asarray(r)


def one_class(panels: Sequence[Panel], *, is_fit_only: bool = False) -> Classes:
    """Return all cells, or those of fit, as one class."""
    of = [np.zeros(panel.n_cells, dtype=np.uint16) for panel in panels]
    return Classes(panels, of, 1, is_fit_only=is_fit_only)


def composition_classes(specimens: Sequence[Specimen], panels: Sequence[Panel]) -> Classes:
    """Return the classes of cells by their last five bases and, with annotation, codon phase.

    Parameters
    ----------
    specimens
        Genomes with their sequences, and with the elements of concepts or without, all alike.

    Notes
    -----
    The bases before a base are those before it along the reading strand. Cells whose five bases are
    not all known, or reach beyond the contig, are one class. The phase is that of a CDS on the
    reading strand; cells outside of any are a class of their own for each five bases.
    """
    has_phase = all(specimen.elements is not None for specimen in specimens)
    n_phases = 1 + len(_PHASES) * has_phase
    found = []
    tables: dict[tuple[int, ReadStrand], UInt16[np.ndarray, " row"]] = {}
    for panel in panels:
        key = panel.genome, panel.strand
        if key not in tables:
            specimen = specimens[panel.genome]
            kmer = _kmers(specimen.needs("sequence"), specimen.features, panel.strand)
            phase = np.zeros(len(kmer), dtype=np.uint8)
            if has_phase:
                phase = _phases(specimen.needs("elements"), specimen.features, panel.strand)
            tables[key] = kmer * np.uint16(n_phases) + phase
        found.append(tables[key][panel.rows()])
    return Classes(panels, found, (UNKNOWN_KMER + 1) * n_phases)


def _kmers(genome: Genome, store: FeatureStore, strand: ReadStrand) -> UInt16[np.ndarray, " row"]:
    parts = []
    for seqid in store.offsets:
        codes = base_codes(genome[seqid].sequence)
        if strand == STRANDS[0]:
            parts.append(last_bases(codes))
        else:
            parts.append(last_bases(reverse_complement_codes(codes))[::-1])
    return np.concatenate(parts)


def last_bases(codes: UInt8[np.ndarray, " bp"]) -> UInt16[np.ndarray, " bp"]:
    """Return for each base the number of the five bases that end with it.

    Examples
    --------
    >>> last_bases(np.array([0, 0, 0, 0, 1, 2], dtype=np.uint8)).tolist()
    [1024, 1024, 1024, 1024, 1, 6]
    """
    digits = np.pad(codes, (K - 1, 0), constant_values=UNKNOWN)
    kmer = np.zeros(len(codes), dtype=np.uint16)
    known = np.ones(len(codes), dtype=np.bool_)
    for place in range(K):
        letter = digits[place : place + len(codes)]
        kmer, known = kmer * np.uint16(4) + letter, known & (letter < UNKNOWN)
    return np.where(known, kmer, np.uint16(UNKNOWN_KMER)).astype(np.uint16)


def _phases(
    elements: ConceptElements, store: FeatureStore, strand: ReadStrand
) -> UInt8[np.ndarray, " row"]:
    phase = np.zeros(store.n_rows, dtype=np.uint8)
    for number, concept in enumerate(_PHASES, start=1):
        bases = element_bases(elements, store.lengths, concept, strand=strand)
        phase[bases.row] = number
    return phase
