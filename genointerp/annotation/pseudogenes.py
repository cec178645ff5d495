"""What is of a pseudogene is pseudogenic, though the annotation may mark the gene only."""

from dataclasses import replace

from genointerp.annotation.annotation_set import AnnotationSet, Element
from genointerp.annotation.terms import is_pseudogenic, pseudogenic


def mark_children(annotations: AnnotationSet) -> AnnotationSet:
    """Return the annotation in which the descendants of pseudogenes are pseudogenic.

    An element of several parents is so where all of those that the annotation holds are.
    """
    known: dict[str, bool] = {}

    def is_broken(element: Element) -> bool:
        if element.id not in known:
            # stands while the ancestors are asked, of which it may be one
            known[element.id] = is_pseudogenic(element.type)
            parents = annotations.parents(element)
            if not known[element.id] and parents:
                known[element.id] = all(map(is_broken, parents))
        return known[element.id]

    broken = {e.id for e in annotations if is_broken(e) and pseudogenic(e.type) != e.type}
    if not broken:
        return annotations
    marked = (replace(e, type=pseudogenic(e.type)) if e.id in broken else e for e in annotations)
    return AnnotationSet(marked, annotations.lengths)
