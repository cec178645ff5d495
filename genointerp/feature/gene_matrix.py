"""Activations of every feature on every gene, as AnnData (needs the extra ``anndata``)."""

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import csc_array

from genointerp.annotation.annotation_set import Element
from genointerp.core.arguments import StrPath, as_texts
from genointerp.core.errors import InputError
from genointerp.core.provenance import Provenance
from genointerp.feature.regions import hull_on
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import OneOrMoreFeatures, find_specimens, total_inputs
from genointerp.feature.statistics import feature_statistics
from genointerp.feature.summary import summarise_stretch
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import GROUPS, STRANDS, FeatureStore, ReadStrand
from genointerp.store.table.arrow import COORDINATES

if TYPE_CHECKING:
    from anndata import AnnData

GENE_TYPES = ("CDS", "tRNA", "rRNA", "ncRNA", "tmRNA")

_log = logging.getLogger(__name__)

_PLACE = ("seqid", "start", "end", "strand")

ORIENTATIONS = ("sense", "antisense")

LAYERS = ("sense_max", "sense_mean", "antisense_max", "antisense_mean")


def gene_layers(store: FeatureStore, genes: list[Element]) -> dict[str, csc_array[np.float32]]:
    """Return matrices of features by genes: largest and mean activation in each orientation.

    The mean is over the bases of a gene that were read, counting silent ones as 0. Each part of a
    gene is read on its own strand for ``sense`` and on the other for ``antisense``. A part without
    a strand counts as one on ``+``.
    """
    columns: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {name: [] for name in LAYERS}
    for gene in genes:
        for orientation in ORIENTATIONS:
            feature, highest, mean = _on_gene(store, gene, orientation)
            columns[f"{orientation}_max"].append((feature, highest))
            columns[f"{orientation}_mean"].append((feature, mean))
    return {name: _matrix(column, store.n_features) for name, column in columns.items()}


def to_anndata(
    features: OneOrMoreFeatures,
    *,
    genome: StrPath | None = None,
    annotations: StrPath | None = None,
    types: str | Iterable[str] = GENE_TYPES,
) -> "AnnData":
    """Return every feature (observations) on every gene (variables) of one genome as AnnData.

    It is what `export` writes to ``.h5ad``; see :func:`genointerp.feature.gene_matrix.gene_matrix`.

    Parameters
    ----------
    features
        A features file, a catalogue, a run directory, or one of these that is open.
    genome
        The name of one genome of a catalogue or a run.
    annotations
        GFF3 or GenBank; if None, the one that a catalogue or a run names.
    types
        Elements that are the genes.

    Raises
    ------
    InputError
        If anndata is not installed, there are several genomes, the annotation is not known, or no
        gene of these types was read.

    Examples
    --------
    >>> import genointerp as gi
    >>> matrix = gi.to_anndata("results/demo", genome="bsubtilis")  # doctest: +SKIP
    """
    files = find_specimens(features, genome=genome or (), annotations=annotations or ())
    (specimen,) = files.one().open("annotation")
    return gene_matrix(specimen, as_texts(types))


def gene_matrix(specimen: Specimen, types: tuple[str, ...]) -> "AnnData":
    """Return a matrix of features (observations) by genes (variables).

    ``X`` is the largest activation when the gene's own strand is read; the layers are those of
    `gene_layers`. Observations carry the statistics of `feature_statistics` on both strands.
    Variables carry the place, type, name and product of a gene, its number of bases and how many of
    them were read. The place is 0-based and half-open. Its end lies beyond the length of a circular
    contig if the gene spans the origin, and its strand is ``.`` if its parts lie on both. Genes
    without a base that was read are left out, since nothing is known about them, which a zero would
    not express.

    Raises
    ------
    InputError
        If anndata is not installed, or no gene of these types was read.
    """
    try:
        import anndata
    except ImportError as error:
        expected = 'anndata (pip install "genointerp[anndata]")'
        raise InputError("anndata", expected, "none") from error
    store = specimen.features
    genes = _genes_read(specimen, types)
    layers = gene_layers(store, genes)
    return anndata.AnnData(
        X=layers["sense_max"].tocsr(),
        obs=_observations(store),
        var=_variables(store, genes),
        layers={name: layer.tocsr() for name, layer in layers.items()},
        uns={
            "provenance": Provenance({"types": list(types)}, total_inputs([specimen])).as_json(),
            "coordinates": COORDINATES,
        },
    )


def _genes_read(specimen: Specimen, types: tuple[str, ...]) -> list[Element]:
    annotation = specimen.needs("annotation")
    genes = [element for element in annotation if element.type in types]
    if not genes:
        found = ", ".join(annotation.counts()) or "none"
        raise InputError(f"specimen {specimen.name}", f"elements {', '.join(types)}", found)
    store = specimen.features
    read = [gene for gene in genes if any(_n_read(store, gene, one) for one in ORIENTATIONS)]
    if not read:
        expected = f"at least one base read in {', '.join(types)}"
        raise InputError(f"specimen {specimen.name}", expected, "none")
    n_unread = len(genes) - len(read)
    if n_unread:
        message = "%d of %d genes are left out: none of their bases was read"
        _log.warning(message, n_unread, len(genes))
    return read


def _on_gene(
    store: FeatureStore, gene: Element, orientation: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    highest, total = np.zeros(store.n_features), np.zeros(store.n_features)
    for interval, strand in _readings(gene, orientation):
        found = summarise_stretch(store, interval, strand)
        highest[found.feature] = np.maximum(highest[found.feature], found.maximum)
        total[found.feature] += found.total
    fires = np.flatnonzero(highest)
    return fires, highest[fires], total[fires] / max(_n_read(store, gene, orientation), 1)


def _readings(gene: Element, orientation: str) -> Iterator[tuple[GenomicInterval, ReadStrand]]:
    """Yield the parts of a gene, each with the strand that is read."""
    for part in gene.parts:
        lies_on_minus = part.strand == "-"
        strand: ReadStrand = "-" if lies_on_minus == (orientation == "sense") else "+"
        yield GenomicInterval(part.seqid, part.start, part.end), strand


def _n_read(store: FeatureStore, gene: Element, orientation: str) -> int:
    return sum(store.n_read(part, strand) for part, strand in _readings(gene, orientation))


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
            "n_bases": sum(part.end - part.start for part in gene.parts),
            **{f"n_read_{one}": _n_read(store, gene, one) for one in ORIENTATIONS},
        }
        for gene in genes
    ]
    return pd.DataFrame(rows, index=pd.Index([gene.id for gene in genes], dtype=object))
