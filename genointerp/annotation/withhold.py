"""Reduce an annotation to what it would be if one class of elements were unknown."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8

from genointerp.annotation.annotation_set import AnnotationSet, Element
from genointerp.annotation.concepts import Concept, ConceptElements
from genointerp.annotation.raster import element_bases
from genointerp.core.nearest import unknown


def root_concepts(concepts: Mapping[str, Concept]) -> tuple[str, ...]:
    """Return the classes: concepts that choose elements themselves, in the order of their file.

    Concepts made ``of`` others, and those of the bases ``outside`` of elements, are not classes.
    """
    return tuple(name for name, it in concepts.items() if it.of is None and it.bases != "outside")


def withhold(annotations: AnnotationSet, elements: ConceptElements, name: str) -> AnnotationSet:
    """Return the annotation without a class's elements and without elements that only carry them.

    Parameters
    ----------
    elements
        The elements of the concepts in this annotation.
    name
        One of `root_concepts`.

    Notes
    -----
    An element that no class chooses *carries* another if one is the ``Parent`` of the other, over
    any number of generations, if both have the same ``locus_tag``, or if both cover the same
    stretch of the same strand: the ``gene`` of a tRNA, or its ``exon``. A carrier goes with what it
    carries unless it carries an element of another class too. Concepts that are defined on the rest
    know nothing of the class: its bases are ``intergenic``.

    Raises
    ------
    UnknownNameError
        If there is no such class.
    """
    roots = root_concepts(elements.concepts)
    if name not in roots:
        raise unknown("class", name, roots)
    hidden = set(elements.of(name)["id"])
    known = {one for root in roots for one in elements.of(root)["id"]} - hidden
    gone = _carriers_of(hidden, annotations) - _carriers_of(known, annotations) - known
    left_out = hidden | gone
    kept = (element for element in annotations if element.id not in left_out)
    return AnnotationSet(kept, annotations.lengths)


def overlap_shares(
    genomes: Sequence[tuple[ConceptElements, Mapping[str, int]]],
    concepts: Mapping[str, Concept],
    names: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Return the share of each class's bases that other classes cover too, on either strand.

    Classes that share no base are left out; the largest share comes first.

    Parameters
    ----------
    genomes
        The elements on each genome, and the lengths of its contigs.
    names
        Concepts whose bases are looked at; the others are `root_concepts`.
    """
    roots = root_concepts(concepts)
    n_bases = dict.fromkeys(names, 0)
    shared = {name: dict.fromkeys((one for one in roots if one != name), 0) for name in names}
    for elements, contigs in genomes:
        # a bit a base, so that the bases of all classes are in memory at once
        covered = {
            name: _covered_bits(elements, contigs, name) for name in dict.fromkeys([*names, *roots])
        }
        for name, others in shared.items():
            n_bases[name] += int(np.bitwise_count(covered[name]).sum(dtype=np.int64))
            for other in others:
                common = covered[name] & covered[other]
                others[other] += int(np.bitwise_count(common).sum(dtype=np.int64))
    found = {
        name: {other: n / n_bases[name] for other, n in others.items() if n}
        for name, others in shared.items()
    }
    return {
        name: dict(sorted(shares.items(), key=lambda item: -item[1]))
        for name, shares in found.items()
    }


def _covered_bits(
    elements: ConceptElements, contigs: Mapping[str, int], name: str
) -> UInt8[np.ndarray, " byte"]:
    """Return a bit for each base of the contigs: whether an element of a concept covers it."""
    is_covered = np.zeros(sum(contigs.values()), dtype=np.bool_)
    is_covered[element_bases(elements, contigs, name).row] = True
    return np.packbits(is_covered)


def _carriers_of(ids: set[str], annotations: AnnotationSet) -> set[str]:
    """Return the elements that carry one of ``ids``; they may be among these."""
    chosen = [annotations[one] for one in ids]
    above = {parent.id for element in chosen for parent in annotations.ancestors(element)}
    tags = {element.attribute("locus_tag") for element in chosen} - {""}
    spans = {_span(element) for element in chosen}
    return {
        element.id
        for element in annotations
        if element.id in above
        or element.attribute("locus_tag") in tags
        or _span(element) in spans
        or any(parent.id in ids for parent in annotations.ancestors(element))
    }


def _span(element: Element) -> tuple[str, int, int, str]:
    parts = element.parts
    start, end = min(part.start for part in parts), max(part.end for part in parts)
    return parts[0].seqid, start, end, parts[0].strand
