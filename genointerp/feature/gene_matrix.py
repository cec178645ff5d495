"""Every feature on every gene, as AnnData (the extra ``anndata``)."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csc_array

from genointerp.annotation.annotation_set import Element
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.feature.genomes import FeaturedGenome, total_inputs
from genointerp.feature.regions import hull_on
from genointerp.feature.statistics import feature_statistics
from genointerp.feature.summary import summarise_stretch
from genointerp.genome.interval import GenomicInterval
from genointerp.store.features import GROUPS, STRANDS, FeatureStore, ReadStrand

GENE_TYPES = ("CDS", "tRNA", "rRNA", "ncRNA", "tmRNA")

_PLACE = ("seqid", "start", "end", "strand")

LAYERS = ("sense_max", "sense_mean", "antisense_max", "antisense_mean")


def gene_layers(store: FeatureStore, genes: list[Element]) -> dict[str, csc_array[np.float32]]:
    """Return features by genes: the largest and the mean activation on either orientation.

    The mean is over all bases of a gene, silent ones as 0. A gene without a strand counts as one
    on ``+``.
    """
    columns: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in LAYERS}
    for gene in genes:
        own: ReadStrand = "-" if gene.parts[0].strand == "-" else "+"
        other: ReadStrand = "+" if own == "-" else "-"
        for orientation, strand in (("sense", own), ("antisense", other)):
            feature, highest, mean = _on_gene(store, gene, strand)
            columns[f"{orientation}_max"].append((feature, highest))
            columns[f"{orientation}_mean"].append((feature, mean))
    return {name: _matrix(column, store.n_features) for name, column in columns.items()}


def write_gene_matrix(genome: FeaturedGenome, out: Path, types: tuple[str, ...]) -> int:
    """Write features (observations) by genes (variables); return the number of genes.

    ``X`` is the largest activation when the gene's own strand is read; layers are those of
    `gene_layers`. Observations carry the statistics of `feature_statistics` on both strands,
    variables the place, type, name and product of a gene. The place is 0-based and half-open; its
    end lies beyond a circular contig where the gene spans the origin.

    Raises
    ------
    InputError
        If anndata is not installed, or the annotation has no such genes.
    """
    try:
        import anndata
    except ImportError as error:
        expected = 'anndata (pip install "genointerp[anndata]")'
        raise InputError(str(out.suffix), expected, "none") from error
    assert genome.annotations is not None
    genes = [element for element in genome.annotations if element.type in types]
    if not genes:
        found = ", ".join(genome.annotations.counts()) or "none"
        raise InputError(f"genome {genome.name}", f"elements {', '.join(types)}", found)
    layers = gene_layers(genome.store, genes)
    matrix = anndata.AnnData(
        X=layers["sense_max"].tocsr(),
        obs=_observations(genome.store),
        var=_variables(genome.store, genes),
        layers={name: layer.tocsr() for name, layer in layers.items()},
        uns={"provenance": Provenance({"types": list(types)}, total_inputs([genome])).as_json()},
    )
    matrix.write_h5ad(out)
    return len(genes)


def _on_gene(
    store: FeatureStore, gene: Element, strand: ReadStrand
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    highest, total = np.zeros(store.n_features), np.zeros(store.n_features)
    for part in gene.parts:
        interval = GenomicInterval(part.seqid, part.start, part.end)
        found = summarise_stretch(store, interval, strand)
        highest[found.feature] = np.maximum(highest[found.feature], found.maximum)
        total[found.feature] += found.total
    fires = np.flatnonzero(highest)
    n_bases = sum(part.end - part.start for part in gene.parts)
    return fires, highest[fires], total[fires] / n_bases


def _matrix(columns: list[tuple[np.ndarray, np.ndarray]], n_features: int) -> csc_array:
    indptr = np.concatenate([[0], np.cumsum([len(feature) for feature, _ in columns])])
    feature = np.concatenate([feature for feature, _ in columns])
    value = np.concatenate([value for _, value in columns]).astype(np.float32)
    return csc_array((value, feature, indptr), shape=(n_features, len(columns)))


def _observations(store: FeatureStore) -> pd.DataFrame:
    table = feature_statistics(store)
    columns = {
        f"{column}_{GROUPS[strand]}": table.loc[table["strand"] == strand, column].to_numpy()
        for strand in STRANDS
        for column in ("n_firing", "density", "max_activation", "mean_activation")
    }
    index = [f"f/{feature}" for feature in range(store.n_features)]
    return pd.DataFrame(columns, index=pd.Index(index, dtype=object))


def _variables(store: FeatureStore, genes: list[Element]) -> pd.DataFrame:
    rows = [
        {
            **{name: getattr(hull_on(store, gene), name) for name in _PLACE},
            "type": gene.type,
            "gene": gene.attribute("gene") or gene.attribute("Name"),
            "product": gene.attribute("product"),
        }
        for gene in genes
    ]
    return pd.DataFrame(rows, index=pd.Index([gene.id for gene in genes], dtype=object))
