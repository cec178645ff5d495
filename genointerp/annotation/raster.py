"""The bases of concepts. A row is a global base index: contigs one after the other, forward."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Int64

from genointerp.annotation.concepts import ConceptElements

ReadingStrand = Literal["+", "-"]


class ElementBases(NamedTuple):
    """Each base of each element of a concept.

    Parameters
    ----------
    row
        Global base index.
    element
        Number of the element within its concept. A base that two elements share occurs twice.
    """

    row: Int64[np.ndarray, " base"]
    element: Int64[np.ndarray, " base"]


def contig_offsets(lengths: Mapping[str, int]) -> dict[str, int]:
    """Return the first row of each contig, in the order of ``lengths``.

    Examples
    --------
    >>> contig_offsets({"a": 10, "b": 5})
    {'a': 0, 'b': 10}
    """
    ends = np.cumsum(list(lengths.values()))
    return {name: int(end) - lengths[name] for name, end in zip(lengths, ends, strict=True)}


def element_bases(
    elements: ConceptElements,
    lengths: Mapping[str, int],
    concept: str,
    *,
    strand: ReadingStrand | None = None,
) -> ElementBases:
    """Return the bases of each element of a concept, element after element in no stated order.

    Parameters
    ----------
    strand
        Only elements on this strand or without a strand; None for all elements.
    """
    table = elements.of(concept)
    if strand is not None:
        table = table[table["strand"].isin([strand, "."])]
    offsets = contig_offsets(lengths)
    shift = np.array([offsets[name] for name in table["seqid"]], dtype=np.int64)
    start = table["start"].to_numpy(np.int64) + shift
    end = table["end"].to_numpy(np.int64) + shift
    frame = table["frame"].to_numpy(np.int64)
    reverse = (table["strand"] == "-").to_numpy(np.bool_)
    step = np.where(frame >= 0, 3, 1)
    skip = np.maximum(frame, 0)
    count = np.maximum(-((start + skip - end) // step), 0)
    index = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    inner = np.repeat(skip, count) + index * np.repeat(step, count)
    forward = np.repeat(start, count) + inner
    backward = np.repeat(end, count) - 1 - inner
    row = np.where(np.repeat(reverse, count), backward, forward)
    number = np.repeat(table["element"].to_numpy(np.int64), count)
    return ElementBases(row.astype(np.int64), number)
