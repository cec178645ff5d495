"""Where predictions are in the genome, and in which concepts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Int64

from genointerp.annotation.concepts import ConceptElements
from genointerp.annotation.raster import contig_offsets, element_bases
from genointerp.genome.genome import Genome
from genointerp.reading.tokens import TokenBatch


@dataclass
class Places:
    """The first base, the strand and the number of bases of each predicted token, in order."""

    rows: list[Int64[np.ndarray, " part"]] = field(default_factory=list)
    forward: list[Bool[np.ndarray, " part"]] = field(default_factory=list)
    n_bases: list[Int64[np.ndarray, " part"]] = field(default_factory=list)

    def add(
        self, batch: TokenBatch, kept: Bool[np.ndarray, "batch token_minus_1"], genome: Genome
    ) -> None:
        """Add the predicted tokens of a batch that count."""
        offsets = contig_offsets(genome.lengths)
        for read, row in zip(batch.windows, kept, strict=True):
            interval = read.window.kept
            start = read.spans.start[1:][row] - read.window.warmup
            is_forward = interval.strand == "+"
            base = interval.start + start if is_forward else interval.end - 1 - start
            # a window may cross the origin of a circular contig
            length = genome.lengths[interval.seqid]
            self.rows.append(base % length + offsets[interval.seqid])
            self.forward.append(np.full(len(start), is_forward))
            self.n_bases.append((read.spans.end - read.spans.start)[1:][row])

    def of_concepts(
        self, elements: ConceptElements, genome: Genome
    ) -> Mapping[str, Bool[np.ndarray, " prediction"]]:
        """Return which predicted tokens begin in each concept, on the strand of its elements.

        Concepts without a predicted token are left out.
        """
        row, forward = np.concatenate(self.rows), np.concatenate(self.forward)
        found = {}
        for concept in elements.names:
            plus, minus = (
                np.isin(row, element_bases(elements, genome.lengths, concept, strand=strand).row)
                for strand in ("+", "-")
            )
            inside = np.where(forward, plus, minus)
            if inside.any():
                found[concept] = inside
        return found
