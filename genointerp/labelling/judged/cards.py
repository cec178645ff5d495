"""Cards: what is shown of a place of test, without a number of the feature.

Names and products of elements are other people's text, which a card quotes as data.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int64

from genointerp.annotation.annotation_set import Element
from genointerp.feature.nearest import element_name
from genointerp.feature.specimen import Specimen
from genointerp.genome.letters import base_codes
from genointerp.labelling.examples import offsets_in
from genointerp.labelling.fit_loci import read_around
from genointerp.labelling.gc_content import count_gc, gc_share
from genointerp.labelling.judged.places import Place
from genointerp.labelling.quoted import quote_all
from genointerp.store.contigs import contig_at, contig_offsets

AROUND = 500
"""Elements that are nearer to a place than this many bp are shown."""

N_BASES = 30
"""Bases that are shown: those that end with a place in reading direction, however short it is."""

N_ELEMENTS = 4
"""Most elements of a card, the nearest first; of those as near, the shorter first."""

_TOKEN = 16**8


class Card(NamedTuple):
    """What is shown of a place, and how many of its texts look like an order and are withheld."""

    shown: dict[str, Any]
    n_flagged: int


class _Parts(NamedTuple):
    """Parts of the elements of a contig, without those that are as long as it."""

    start: Int64[np.ndarray, " part"]
    end: Int64[np.ndarray, " part"]
    element: tuple[str, ...]


class Cards:
    """Maker of cards.

    Parameters
    ----------
    specimens
        Genomes with their sequences and annotations.
    """

    def __init__(self, specimens: Sequence[Specimen]) -> None:
        self._annotations = [specimen.needs("annotation") for specimen in specimens]
        self._codes = [base_codes(specimen.letters()) for specimen in specimens]
        self._known: dict[tuple[str, ...], tuple[dict[str, str], int]] = {}
        self._gc = [count_gc(codes) for codes in self._codes]
        self._offsets = [contig_offsets(it.features.header.contigs) for it in specimens]
        self._parts = [
            {
                str(seqid): _Parts(
                    table["start"].to_numpy(np.int64),
                    table["end"].to_numpy(np.int64),
                    tuple(table["id"]),
                )
                for seqid, table in annotation.elements.groupby("seqid", sort=False)
            }
            for annotation in self._annotations
        ]

    def card(self, place: Place, mask: np.random.Generator | None = None) -> Card:
        """Return the card of a place.

        Parameters
        ----------
        mask
            Draws a token in place of each name and product; None shows them as they are.
        """
        codes, last = self._codes[place.genome], np.array([place.last])
        bases = read_around(codes, last, place.strand, before=N_BASES - 1, after=0)[0]
        near = self._near(place)
        texts = [_texts(element) for element, _ in near]
        quoted = [self._quoted(own) if mask is None else (_masked(own, mask), 0) for own in texts]
        shown = {
            "bp": place.end - place.start,
            "gc": round(float(gc_share(self._gc[place.genome], last, place.strand)[0]), 2),
            "bases": "".join("ACGTN"[code] for code in bases),
            "elements": [
                {**_element(element, gap, place, self._start(place)), **own}
                for (element, gap), (own, _) in zip(near, quoted, strict=True)
            ],
        }
        return Card(shown, sum(n for _, n in quoted))

    def _quoted(self, texts: dict[str, str]) -> tuple[dict[str, str], int]:
        """Return texts as they may be shown; the same ones are on many cards."""
        key = tuple(texts.values())
        if key not in self._known:
            self._known[key] = quote_all(texts)
        return self._known[key]

    def family(self, place: Place) -> str:
        """Return what places share that are no separate evidence: their nearest element."""
        near = self._near(place)
        named = near[0][0].id if near else f"{place.strand}{place.start}"
        return f"{place.genome} {named}"

    def element_around(self, place: Place) -> tuple[int, int] | None:
        """Return the first row and the end of the shortest part that holds a place."""
        parts, shift = self._parts_of(place), self._start(place)
        inside = (parts.start + shift <= place.start) & (place.end <= parts.end + shift)
        own = np.flatnonzero(inside & ~self._is_whole(place, parts))
        if not len(own):
            return None
        best = own[np.argmin((parts.end - parts.start)[own])]
        return int(parts.start[best]) + shift, int(parts.end[best]) + shift

    def _near(self, place: Place) -> list[tuple[Element, int]]:
        """Return the nearest elements with their distance in bp, 0 if they overlap or touch."""
        parts, shift = self._parts_of(place), self._start(place)
        gap = np.maximum(parts.start + shift - place.end, place.start - shift - parts.end)
        gap = np.maximum(gap, 0)
        near = np.flatnonzero((gap < AROUND) & ~self._is_whole(place, parts))
        order = near[np.lexsort(((parts.end - parts.start)[near], gap[near]))]
        found: dict[str, int] = {}
        for index in order.tolist():
            found.setdefault(parts.element[index], int(gap[index]))
        annotation = self._annotations[place.genome]
        return [(annotation[name], one) for name, one in list(found.items())[:N_ELEMENTS]]

    def _is_whole(self, place: Place, parts: _Parts) -> np.ndarray:
        length = self._annotations[place.genome].lengths[self._seqid(place)]
        return np.asarray(parts.end - parts.start == length)

    def _parts_of(self, place: Place) -> _Parts:
        empty = _Parts(np.zeros(0, np.int64), np.zeros(0, np.int64), ())
        return self._parts[place.genome].get(self._seqid(place), empty)

    def _seqid(self, place: Place) -> str:
        return contig_at(self._offsets[place.genome], place.start)

    def _start(self, place: Place) -> int:
        """Return the first row of the contig of a place."""
        return int(self._offsets[place.genome][self._seqid(place)])


def _element(element: Element, gap: int, place: Place, shift: int) -> dict[str, Any]:
    from_start, from_end = offsets_in(element, place.last - shift)
    strand = element.parts[0].strand
    shown: dict[str, Any] = {
        "orientation": "sense" if strand == place.strand else "antisense",
        "distance": gap,
        "from_start": from_start,
        "from_end": from_end,
    }
    if strand not in "+-":
        shown["orientation"] = "both"
    is_read = len(element.parts) == 1 and element.parts[0].phase >= 0
    if is_read and from_start >= 0 >= from_end:
        shown["phase"] = (from_start - element.parts[0].phase) % 3
    return shown


def _texts(element: Element) -> dict[str, str]:
    return {
        "type": element.type,
        "name": element_name(element),
        "product": element.attribute("product"),
    }


def _masked(texts: dict[str, str], mask: np.random.Generator) -> dict[str, str]:
    """Return texts with a drawn token in place of name and product."""
    drawn = {name: f"{int(mask.integers(_TOKEN)):08x}" for name in ("name", "product")}
    kept, _ = quote_all({"type": texts["type"]})
    return {**kept, **{name: one for name, one in drawn.items() if texts[name]}}
