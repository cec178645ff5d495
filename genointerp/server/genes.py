"""The annotation of a run: what lies in a part of the genome, and where a name or a word is."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from genointerp.annotation.annotation_set import Element
from genointerp.core.errors import InputError
from genointerp.feature.nearest import element_name
from genointerp.feature.regions import NAMES, hull_on
from genointerp.feature.specimen import Specimen
from genointerp.figure.source.elements import NOT_DRAWN
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.page.browser import gene_features
from genointerp.page.measure import Ground
from genointerp.panel.style import visible_text

SHOWN_GENES_BP = 500_000
"""Longest region of which the browser shows the elements."""

MAX_GENES_BP = 4 * SHOWN_GENES_BP
"""Longest region of which the elements are told: the browser asks for three screens at once."""

N_PLACES = 20
"""Number of places that a search tells."""


class Genes:
    """The elements of all genomes, by place and by name."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._named: dict[str, list[tuple[Specimen, Element]]] = {}
        self._told: list[_Told] = []
        for specimen in ground.specimens:
            for element in specimen.needs("annotation"):
                self._add(specimen, element)

    def region(self, specimen: Specimen, place: GenomicInterval) -> list[dict[str, Any]]:
        """Return the elements in an interval within a contig, as features of the browser.

        Raises
        ------
        InputError
            If the interval is longer than `MAX_GENES_BP`.
        """
        if place.length > MAX_GENES_BP:
            where = format_region(place)
            raise InputError(where, f"at most {MAX_GENES_BP} bases", str(place.length))
        key = specimen.name, place.seqid
        table = self._ground.genes.get(key)
        if table is None:
            return []
        inside = (table["end"] > place.start) & (table["start"] < place.end)
        return gene_features(table[inside], self._ground.places.names[key])

    def find(self, text: str) -> list[dict[str, Any]]:
        """Return the first places that a text means, at most `N_PLACES`.

        First come regions, then elements with that name, then those whose name, type and product
        hold all words of the text: those that were read before the others, and of these, those of
        that type. Upper and lower case are the same.
        """
        found = {place["locus"]: place for place in self._regions(text)}
        for specimen, element in self._hits(text.lower().strip()):
            if len(found) >= N_PLACES:
                break
            locus = self._ground.places.place(specimen.name, hull_on(specimen.features, element))
            # a gene and its coding sequence are one place
            if locus is not None:
                found.setdefault(locus, _described(specimen, locus, element))
        return list(found.values())[:N_PLACES]

    def _hits(self, text: str) -> Iterator[tuple[Specimen, Element]]:
        yield from self._named.get(text, ())
        words = text.split()
        found = [one for one in self._told if words and all(word in one.text for word in words)]
        found.sort(key=lambda one: (not one.is_read, one.element.type.lower() != text))
        yield from ((one.specimen, one.element) for one in found)

    def _add(self, specimen: Specimen, element: Element) -> None:
        names = {value for key in NAMES for value in element.attributes.get(key, ())}
        if element.id:
            names.add(element.id)
        for name in names:
            self._named.setdefault(name.lower(), []).append((specimen, element))
        if element.type not in NOT_DRAWN:
            told = " ".join([element_name(element), element.type, element.attribute("product")])
            is_read = self._is_read(specimen, hull_on(specimen.features, element))
            self._told.append(_Told(told.lower(), is_read, specimen, element))

    def _is_read(self, specimen: Specimen, place: GenomicInterval) -> bool:
        """Return whether the first base of a place was read on a strand."""
        row = specimen.features.offsets[place.seqid] + place.start
        for read in self._ground.read[specimen.name].values():
            number = int(np.searchsorted(read.start, row, side="right")) - 1
            if number >= 0 and row < read.stop[number]:
                return True
        return False

    def _regions(self, text: str) -> list[dict[str, Any]]:
        loci = {
            specimen.name: self._ground.places.find(text, specimen.name)
            for specimen in self._ground.specimens
        }
        return [
            {"name": "", "type": "", "product": "", "genome": genome, "locus": locus}
            for genome, locus in loci.items()
            if locus is not None
        ]


class _Told(NamedTuple):
    """An element with the words by which it is found."""

    text: str
    is_read: bool
    specimen: Specimen
    element: Element


def _described(specimen: Specimen, locus: str, element: Element) -> dict[str, Any]:
    return {
        "name": visible_text(element_name(element)),
        "type": element.type,
        "product": visible_text(element.attribute("product")),
        "genome": specimen.name,
        "locus": locus,
    }
