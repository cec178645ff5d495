"""Convert annotations and activations to the tables and arrays that plot functions take."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float32

from genointerp.annotation.annotation_set import AnnotationSet, Element
from genointerp.annotation.concepts import ConceptElements
from genointerp.association.summary import feature_labels
from genointerp.feature.nearest import element_name
from genointerp.feature.summary import summarise_stretch
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.store import STRANDS, FeatureStore

NOT_DRAWN = frozenset(
    {
        "gene", "pseudogene", "pseudogenic_transcript", "mRNA", "transcript", "exon", "intron",
        "region", "sequence_feature", "repeat_region", "STS", "mature_protein_region",
    }
)  # fmt: skip
"""Types not drawn as arrows, since they contain, belong to or repeat elements that are."""


class StrandValues(NamedTuple):
    """Activations of one feature along an interval for both reading strands; NaN where not read."""

    plus: Float32[np.ndarray, " bp"]
    minus: Float32[np.ndarray, " bp"]


def gene_table(annotations: AnnotationSet) -> pd.DataFrame:
    """Return the elements to draw as arrows: ``seqid, start, end, strand, type, label, product``.

    There is a row for each part of an element; only the first part carries the label.
    """
    rows = [
        (*part[:4], element.type, element_name(element) if index == 0 else "", _product(element))
        for element in annotations
        if element.type not in NOT_DRAWN
        for index, part in enumerate(element.parts)
    ]
    columns = ["seqid", "start", "end", "strand", "type", "label", "product"]
    return pd.DataFrame(rows, columns=columns)


def concept_table(elements: ConceptElements) -> pd.DataFrame:
    """Return the concepts to draw as blocks: those to which all bases of their rows belong."""
    table = elements.table
    if "frame" in table:
        table = table[table["frame"] < 0]
    return table[["concept", "seqid", "start", "end", "strand"]]


def unrolled(table: pd.DataFrame, interval: GenomicInterval, length: int) -> pd.DataFrame:
    """Return the rows that touch an interval, in its coordinates.

    Parameters
    ----------
    table
        Table with the columns ``seqid``, ``start`` and ``end``.
    length
        Length of the interval's contig. If the interval crosses the origin, rows after the origin
        are shifted by ``length``.
    """
    own = table[table["seqid"] == interval.seqid]
    if interval.end > length:
        again = own.assign(start=own["start"] + length, end=own["end"] + length)
        own = pd.concat([own, again], ignore_index=True)
    return own[(own["end"] > interval.start) & (own["start"] < interval.end)]


def strongest_features(store: FeatureStore, interval: GenomicInterval, n: int) -> list[int]:
    """Return the features with the greatest activations in an interval; ties by lower number."""
    found = [summarise_stretch(store, interval, strand) for strand in STRANDS]
    feature = np.concatenate([one.feature for one in found])
    maximum = np.concatenate([one.maximum for one in found])
    ranked = feature[np.lexsort((feature, -maximum))].tolist()
    return list(dict.fromkeys(ranked))[:n]


def dense_values(store: FeatureStore, interval: GenomicInterval, feature: int) -> StrandValues:
    """Return the activations of one feature in an interval, base by base; NaN where not read."""
    values = StrandValues(*(np.full(interval.length, np.nan, np.float32) for _ in range(2)))
    begin = 0
    for part in store.parts(interval):
        first = store.row_range(part)[0]
        for side, strand in zip(values, STRANDS, strict=True):
            for read in store.coverage(strand):
                common = part.intersection(read)
                if common is not None:
                    shift = begin - part.start
                    side[common.start + shift : common.end + shift] = 0
            track = store.feature(feature, strand, part)
            side[track.row + (begin - first)] = track.value
        begin += part.length
    return values


def concept_lines(associations: pd.DataFrame) -> Mapping[int, tuple[str, str]]:
    """Return for each feature that has a label its best concept and, apart, the F1 on test."""
    labels = feature_labels(associations)
    columns = (labels[name] for name in ("feature", "best_concept", "orientation", "best_f1"))
    return {
        int(feature): (f"{concept} ({orientation})", f"F1 {f1:.2g}")
        for feature, concept, orientation, f1 in zip(*columns, strict=True)
    }


def _product(element: Element) -> str:
    return element.attribute("product")
