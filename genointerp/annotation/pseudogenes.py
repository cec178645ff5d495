"""Mark everything that belongs to a pseudogene, since an annotation may mark the gene only."""

from dataclasses import replace

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.terms import is_pseudogenic, pseudogenic


def mark_children(annotations: AnnotationSet) -> AnnotationSet:
    """Return the annotation in which the descendants of pseudogenes are pseudogenic.

    An element with several parents is pseudogenic if all parents in the annotation are.
    """
    broken = {element.id for element in annotations if is_pseudogenic(element.type)}
    found = broken
    while found:
        found = {
            element.id
            for element in annotations
            if element.id not in broken
            and (parents := annotations.parents(element))
            and broken.issuperset(parent.id for parent in parents)
        }
        broken |= found
    marked = [
        replace(element, type=pseudogenic(element.type)) if element.id in broken else element
        for element in annotations
    ]
    return AnnotationSet(marked, annotations.lengths) if broken else annotations
