"""Warn about parts of an annotation that the concepts may not use as they were meant."""

import logging
from collections import Counter

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.concepts import Concept, ConceptElements, type_names

_log = logging.getLogger(__name__)


def tell_unused(annotations: AnnotationSet, elements: ConceptElements, *, where: str) -> None:
    """Log which types no concept uses, and which concepts have no element.

    Parameters
    ----------
    where
        The file, for the messages.

    Notes
    -----
    It warns if no element is of a type that any concept names, or if elements of a concept with a
    strand have none: these count as sense and as antisense on either strand, and in no concept
    of codons. It reports, without a warning, the types that no concept names (as written in the
    file), the types that are read as another one, and the concepts without an element.
    """
    concepts = elements.concepts
    named = {kind for concept in concepts.values() for kind in concept.types}
    unknown = Counter(
        element.written or element.type
        for element in annotations
        if named.isdisjoint(type_names(element))
    )
    shown = ", ".join(f"{kind} ({n})" for kind, n in unknown.most_common()) or "none"
    changed = Counter(
        f"{element.written} as {element.type}"
        for element in annotations
        if element.written not in ("", element.type)
    )
    if changed:
        told = ", ".join(f"{change} ({n})" for change, n in changed.most_common())
        _log.info("%s: types read as another: %s", where, told)
    if sum(unknown.values()) == len(annotations):
        _log.warning("%s: no element of a type that a concept names; types: %s", where, shown)
    elif unknown:
        _log.info("%s: types that no concept names: %s", where, shown)
    for name, concept in concepts.items():
        _tell_strandless(name, concept, elements, where)
    empty = [name for name, n in elements.counts().items() if n == 0]
    if empty:
        _log.info("%s: concepts without an element: %s", where, ", ".join(empty))


def _tell_strandless(name: str, concept: Concept, elements: ConceptElements, where: str) -> None:
    if concept.strand == "none":
        return
    rows = elements.of(name)
    n_strandless = int(rows.loc[rows["strand"] == ".", "element"].nunique())
    if n_strandless:
        message = "%s: %d of %d elements of %s have no strand: they count on both"
        _log.warning(message, where, n_strandless, elements.n_elements(name), name)
