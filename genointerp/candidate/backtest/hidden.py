"""What would be known about genomes if one class had never been described."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from genointerp.annotation.concepts import Concept, ConceptElements, define_elements
from genointerp.annotation.withhold import withhold
from genointerp.association.count.label import list_labels
from genointerp.feature.specimen import Specimen


class HiddenClass(NamedTuple):
    """A class that is hidden, and what its absence changes.

    Parameters
    ----------
    gone
        Concepts that have no elements when the class is hidden, the class itself first.
    changed
        Concepts whose elements differ when the class is hidden, such as ``intergenic``.
    elements
        Elements of the concepts when the class is hidden, by the sha256 of their genome.
    """

    name: str
    gone: tuple[str, ...]
    changed: tuple[str, ...]
    elements: Mapping[str, ConceptElements]

    def hide_in(self, specimens: Sequence[Specimen]) -> list[Specimen]:
        """Return the specimens with the remaining elements."""
        return [replace(one, elements=self.elements[one.genome_sha256]) for one in specimens]


def hide(specimens: Sequence[Specimen], concepts: Mapping[str, Concept], name: str) -> HiddenClass:
    """Hide a class, and find which concepts vanish with it and which change.

    Hiding a concept that is made of another (`Concept.of`) removes no elements of the other: it is
    only as if nobody had said that these bases or elements of the other are something of their own.

    Parameters
    ----------
    specimens
        Genomes with their sequences, their annotations, and the elements of the concepts when
        nothing is hidden.
    """
    if concepts[name].of is not None:
        return _hide_part(specimens, concepts, name)
    left = [_without(specimen, concepts, name) for specimen in specimens]
    before = {label.concept for label in list_labels(specimens)}
    after = {label.concept for label in list_labels(left)}
    ordered = [name, *(one for one in concepts if one != name)]
    gone = tuple(one for one in ordered if one in before - after)
    pairs = [
        (own.needs("elements"), other.needs("elements"))
        for own, other in zip(specimens, left, strict=True)
    ]
    changed = tuple(
        one
        for one in ordered
        if one in after and any(not _same(a.of(one), b.of(one)) for a, b in pairs)
    )
    return HiddenClass(name, gone, changed, _by_genome(left))


def _without(specimen: Specimen, concepts: Mapping[str, Concept], name: str) -> Specimen:
    known = specimen.needs("elements")
    left = withhold(specimen.needs("annotation"), known, name)
    elements = define_elements(left, specimen.needs("sequence"), concepts, like=known)
    return replace(specimen, annotation=left, elements=elements)


def _hide_part(
    specimens: Sequence[Specimen], concepts: Mapping[str, Concept], name: str
) -> HiddenClass:
    gone = [name]
    for other, concept in concepts.items():
        if concept.of in gone:
            gone.append(other)
    left = [
        replace(specimen, elements=_leave_out(specimen.needs("elements"), gone))
        for specimen in specimens
    ]
    shown = {label.concept for label in list_labels(specimens)}
    return HiddenClass(name, tuple(one for one in gone if one in shown), (), _by_genome(left))


def _leave_out(elements: ConceptElements, gone: Sequence[str]) -> ConceptElements:
    return ConceptElements(
        elements.table[~elements.table["concept"].isin(gone)].reset_index(drop=True),
        {name: concept for name, concept in elements.concepts.items() if name not in gone},
    )


def _by_genome(specimens: Sequence[Specimen]) -> dict[str, ConceptElements]:
    return {specimen.genome_sha256: specimen.needs("elements") for specimen in specimens}


def _same(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    return a.reset_index(drop=True).equals(b.reset_index(drop=True))
