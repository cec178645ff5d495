"""What is known of some genomes, and what would be had one class never been described."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.concepts import Concept, ConceptElements, define_elements
from genointerp.annotation.withhold import withhold
from genointerp.association.count.label import list_labels
from genointerp.genome.genome import Genome


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the genomes, in the order of the stores.

    Parameters
    ----------
    annotations, genomes
        Of each store.
    concepts
        Their definitions.
    """

    annotations: Sequence[AnnotationSet]
    genomes: Sequence[Genome]
    concepts: Mapping[str, Concept]

    def elements(self) -> list[ConceptElements]:
        """Return the elements of all concepts."""
        return self._define(self.annotations)

    def without(self, name: str) -> list[ConceptElements]:
        """Return the elements of the concepts had a class never been described."""
        pairs = zip(self.annotations, self.genomes, strict=True)
        return self._define([withhold(a, genome, self.concepts, name) for a, genome in pairs])

    def _define(self, annotations: Sequence[AnnotationSet]) -> list[ConceptElements]:
        pairs = zip(annotations, self.genomes, strict=True)
        return [define_elements(one, genome, self.concepts) for one, genome in pairs]


class HiddenClass(NamedTuple):
    """A class that is hidden.

    Parameters
    ----------
    gone
        Concepts that have no element without it, itself first.
    changed
        Concepts whose elements are others without it, such as ``intergenic``.
    elements
        Of the concepts upon each genome, without it.
    """

    name: str
    gone: tuple[str, ...]
    changed: tuple[str, ...]
    elements: Sequence[ConceptElements]


def hide(known: Known, name: str, full: Sequence[ConceptElements]) -> HiddenClass:
    """Hide a class: say what goes with it, and what becomes other.

    Of a concept that is made of another (`Concept.of`) no element goes: nobody said that these
    bases of the other, or these elements of it, are anything of their own.

    Parameters
    ----------
    full
        The elements with nothing hidden.
    """
    if known.concepts[name].of is not None:
        return _hide_part(known, name, full)
    elements = known.without(name)
    before = {label.concept for label in list_labels(full)}
    after = {label.concept for label in list_labels(elements)}
    ordered = [name, *(one for one in known.concepts if one != name)]
    gone = tuple(one for one in ordered if one in before - after)
    changed = tuple(
        one
        for one in ordered
        if one in after
        and any(not _same(a.of(one), b.of(one)) for a, b in zip(full, elements, strict=True))
    )
    return HiddenClass(name, gone, changed, elements)


def _hide_part(known: Known, name: str, full: Sequence[ConceptElements]) -> HiddenClass:
    gone = [name]
    for other, concept in known.concepts.items():
        if concept.of in gone:
            gone.append(other)
    elements = [
        ConceptElements(
            own.table[~own.table["concept"].isin(gone)].reset_index(drop=True),
            {other: it for other, it in own.concepts.items() if other not in gone},
        )
        for own in full
    ]
    shown = {label.concept for label in list_labels(full)}
    return HiddenClass(name, tuple(one for one in gone if one in shown), (), elements)


def _same(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    return a.reset_index(drop=True).equals(b.reset_index(drop=True))
