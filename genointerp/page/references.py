"""Links to public databases that describe a place or an element of an annotation."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote

from genointerp.annotation.annotation_set import Element
from genointerp.feature.nearest import element_name
from genointerp.feature.specimen import Specimen

_SITES = {
    "UniProtKB/Swiss-Prot": ("UniProt", "https://www.uniprot.org/uniprotkb/{}/entry"),
    "UniProtKB/TrEMBL": ("UniProt", "https://www.uniprot.org/uniprotkb/{}/entry"),
    "UniProtKB": ("UniProt", "https://www.uniprot.org/uniprotkb/{}/entry"),
    "RFAM": ("Rfam", "https://rfam.org/family/{}"),
    "GeneID": ("NCBI Gene", "https://www.ncbi.nlm.nih.gov/gene/{}"),
}
"""Databases of ``Dbxref`` (GFF3) and ``db_xref`` (GenBank) that pages link to."""

_ACCESSION = re.compile(r"(?:[A-Z]{2}_[A-Z]{0,4}\d{6,}|[A-Z]{1,2}\d{5,8}|[A-Z]{4,6}\d{8,})\.\d+")
_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]+")


class Reference(NamedTuple):
    """A link to an entry of a database."""

    name: str
    url: str


def contig_reference(seqid: str, start: int, end: int) -> Reference | None:
    """Return the page of a place in NCBI's browser; None if the contig is not an accession.

    Parameters
    ----------
    start, end
        Ends of the place, 0-based and half-open.

    Examples
    --------
    >>> contig_reference("NC_000964.3", 409, 1750).url
    'https://www.ncbi.nlm.nih.gov/nuccore/NC_000964.3?report=graph&from=410&to=1750'
    >>> contig_reference("chrI", 0, 10) is None
    True
    """
    if not _ACCESSION.fullmatch(seqid):
        return None
    url = f"https://www.ncbi.nlm.nih.gov/nuccore/{seqid}?report=graph&from={start + 1}&to={end}"
    return Reference("NCBI", url)


def element_references(element: Element) -> tuple[Reference, ...]:
    """Return the pages of an element in the databases that its annotation names.

    Other databases, and identifiers that are not made of letters, digits and ``._-``, are left out.
    """
    return tuple(dict.fromkeys(_references(element)))


def _references(element: Element) -> Iterator[Reference]:
    for key in ("Dbxref", "db_xref"):
        for text in element.attributes.get(key, ()):
            database, _, identifier = text.partition(":")
            if database in _SITES and _IDENTIFIER.fullmatch(identifier):
                name, url = _SITES[database]
                yield Reference(name, url.format(quote(identifier)))


class References:
    """References of the elements of several genomes, by the names of elements in tables."""

    def __init__(self, specimens: Sequence[Specimen]) -> None:
        self._known: dict[tuple[str, str, str], tuple[Reference, ...]] = {}
        for specimen in specimens:
            for element in specimen.annotation or ():
                found = element_references(element)
                key = specimen.name, element.type, element_name(element)
                # copies of a gene share a name: a link to one of them would be wrong on another
                self._known[key] = found if self._known.get(key, found) == found else ()

    def of(self, genome: str, type: str, name: str) -> tuple[Reference, ...]:
        """Return the references of the first element with a name and type; empty if it has none."""
        return self._known.get((genome, type, name), ())
