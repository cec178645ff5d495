"""The strongest loci of a feature over the genomes of a run, and what lies nearest to each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from genointerp.candidate.config import RankConfig
from genointerp.feature.loci import top_loci
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.report.browser import BrowsedGenome
from genointerp.store.features import STRANDS
from genointerp.store.tables import FEATURE_LOCI, conform


class Nearest(NamedTuple):
    """The element nearest to a locus; no name and no distance where the contig has none."""

    nearest: str
    orientation: str
    distance: float


def strongest_loci(
    genomes: Sequence[BrowsedGenome], genes: Sequence[pd.DataFrame], feature: int, *, n: int
) -> pd.DataFrame:
    """Return the ``n`` strongest loci over all genomes, in the schema ``FEATURE_LOCI``.

    Parameters
    ----------
    genes
        `gene_table` of each genome.

    Notes
    -----
    What a locus is, `RankConfig` says: bases above a share of the feature's maximum over all
    genomes, short gaps merged; the loci of candidates are the same.
    """
    config = RankConfig()
    stores = [item.store for item in genomes]
    top = max(
        float(store.feature(feature, strand).value.max(initial=0.0))
        for store in stores
        for strand in STRANDS
    )
    found = []
    for item, table in zip(genomes, genes, strict=True):
        loci = top_loci(
            item.store,
            feature,
            n=n,
            merge_gap=config.merge_gap,
            min_activation=config.locus_share * top,
        )
        places = [
            GenomicInterval(row["seqid"], int(row["start"]), int(row["end"]), row["strand"])
            for row in loci.to_dict("records")
        ]
        near = pd.DataFrame(
            [nearest_element(table, place) for place in places], columns=list(Nearest._fields)
        )
        regions = pd.Series([format_region(place) for place in places], dtype=object)
        found.append(loci.assign(genome=item.name, region=regions).join(near))
    loci = pd.concat(found, ignore_index=True)
    order = np.argsort(-loci["max_activation"].to_numpy(np.float64), kind="stable")[:n]
    loci = loci.iloc[order].reset_index(drop=True)
    loci = loci.assign(feature=feature, locus=np.arange(1, len(loci) + 1))
    return conform(loci[FEATURE_LOCI.names], FEATURE_LOCI, where=f"loci of f/{feature}")


def nearest_element(genes: pd.DataFrame, place: GenomicInterval) -> Nearest:
    """Return the element nearest to a locus; of those that overlap it, the one that does most.

    Parameters
    ----------
    genes
        As `gene_table` returns them.
    """
    near = genes[genes["seqid"] == place.seqid]
    if near.empty:
        return Nearest("", "", np.nan)
    start, end = near["start"].to_numpy(np.int64), near["end"].to_numpy(np.int64)
    gap = np.maximum(np.maximum(start - place.end, place.start - end), 0)
    common = np.minimum(end, place.end) - np.maximum(start, place.start)
    row = near.iloc[int(np.lexsort((-common, gap))[0])]
    name = " ".join(text for text in (str(row["type"]), str(row["label"])) if text)
    orientation = {True: "sense", False: "antisense"}[row["strand"] == place.strand]
    return Nearest(name, orientation if row["strand"] in STRANDS else "", float(gap.min()))
