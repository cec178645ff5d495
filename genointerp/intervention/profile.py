"""Measure profiles: the mean course of amounts over the elements of a concept."""

import numpy as np
from jaxtyping import Float64

from genointerp.annotation.concepts import ConceptElements
from genointerp.core.errors import InputError
from genointerp.genome.interval import GenomicInterval
from genointerp.intervention.canvas import Profile
from genointerp.store.feature.store import FeatureStore, ReadStrand

_LEAST_SHARE = 0.1
"""Share of elements on which a feature must fire at one position at least, to be in a profile."""


def measure_profile(store: FeatureStore, elements: ConceptElements, concept: str) -> Profile:
    """Return the mean course of amounts over the elements of a concept, read in sense.

    Parameters
    ----------
    store
        Features of the genome of the elements.

    Notes
    -----
    The elements are those in one piece, of the most frequent length (the longest of several), whose
    every base was read, and the one before them. A feature is in the profile if it fires at one
    position in a tenth of them or more.

    Raises
    ------
    InputError
        If there is no such element.
    UnknownNameError
        If there is no such concept.
    """
    places = [place for place in _places(elements, concept) if _is_read(store, place)]
    if not places:
        expected = f"an element of {concept} in one piece, of which every base was read"
        raise InputError(f"profile of {concept}", expected, "none")
    lengths, counts = np.unique([place.length for place in places], return_counts=True)
    # the first place of an interval is the base before the element
    length = int(lengths[counts == counts.max()][-1])
    alike = [place for place in places if place.length == length]
    total = np.zeros((length, store.n_features))
    n_firing = np.zeros((length, store.n_features), np.int64)
    for place in alike:
        course = _course(store, place)
        total += course
        n_firing += course > 0
    features = np.flatnonzero((n_firing >= _LEAST_SHARE * len(alike)).any(0))
    return Profile(tuple(features.tolist()), total[:, features] / len(alike))


def _places(elements: ConceptElements, concept: str) -> list[GenomicInterval]:
    """Return each element of a concept in one piece, with the base before it."""
    table = elements.of(concept)
    whole = table.groupby("element")["part"].transform("size") == 1
    chosen = table[whole & (table["frame"] < 0) & (table["strand"] != ".")]
    found = []
    for row in chosen.to_dict("records"):
        plus = row["strand"] == "+"
        start, end = int(row["start"]) - plus, int(row["end"]) + (not plus)
        if start >= 0:
            found.append(GenomicInterval(str(row["seqid"]), start, end, row["strand"]))
    return found


def _is_read(store: FeatureStore, place: GenomicInterval) -> bool:
    if place.end > store.lengths[place.seqid]:
        return False
    return store.n_read(place, _strand(place)) == place.length


def _course(store: FeatureStore, place: GenomicInterval) -> Float64[np.ndarray, "state n_features"]:
    """Return the amounts of all features on the bases of a place, 5' to 3'."""
    rows = store.rows(*store.row_range(place), _strand(place))
    course = np.zeros((place.length, store.n_features))
    row = np.repeat(np.arange(place.length), np.diff(rows.indptr))
    course[row, rows.feature] = rows.value
    return course[::-1] if place.strand == "-" else course


def _strand(place: GenomicInterval) -> ReadStrand:
    return "-" if place.strand == "-" else "+"
