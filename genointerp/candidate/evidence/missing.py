"""Loci of candidates that finders account for and the annotation does not."""

from collections.abc import Sequence

import pandas as pd

from genointerp.candidate.evidence.locus import Parts, annotation_missing, locus_status
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval


def missing_shares(specimens: Sequence[Specimen], loci: pd.DataFrame, overlap: float) -> pd.Series:
    """Return for each feature the share of its loci that a finder alone accounts for.

    Parameters
    ----------
    specimens
        Genomes with their annotations and predictions.
    loci
        Columns ``feature, genome, seqid, start, end``; ``genome`` is the number of the specimen.
    overlap
        An element accounts for a locus if the two share at least this part of the shorter one.
    """
    known = [Parts(specimen.needs("annotation")) for specimen in specimens]
    seen = [Parts(specimen.needs("predictions")) for specimen in specimens]
    status = [
        locus_status(GenomicInterval(seqid, start, end), known[genome], seen[genome], overlap)
        for genome, seqid, start, end in zip(
            *(loci[name].tolist() for name in ("genome", "seqid", "start", "end")), strict=True
        )
    ]
    return annotation_missing(loci[["feature"]].assign(status=status))
