"""What the annotation lacks and finders see, at the loci of candidates."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.candidate.evidence.locus import Parts, annotation_missing, locus_status
from genointerp.genome.interval import GenomicInterval


@dataclass(frozen=True, eq=False)
class Searched:
    """Genomes in which finders have looked for elements.

    Parameters
    ----------
    annotations, predictions
        What is annotated, and what finders saw, in the order of the stores.
    """

    annotations: Sequence[AnnotationSet]
    predictions: Sequence[AnnotationSet]

    def annotation_missing(self, loci: pd.DataFrame, overlap: float) -> pd.Series:
        """Return for each feature the share of its loci that a finder alone accounts for.

        Parameters
        ----------
        loci
            ``feature, genome, seqid, start, end``; genome is the number of the store.
        overlap
            An element accounts for a locus if they share so much of the shorter of the two.
        """
        known = [Parts(one) for one in self.annotations]
        seen = [Parts(one) for one in self.predictions]
        status = [
            locus_status(GenomicInterval(seqid, start, end), known[genome], seen[genome], overlap)
            for genome, seqid, start, end in zip(
                *(loci[name].tolist() for name in ("genome", "seqid", "start", "end")), strict=True
            )
        ]
        return annotation_missing(loci[["feature"]].assign(status=status))
