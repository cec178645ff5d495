"""Labels: what a feature is said to be, in words and, where possible, as bases that can be counted.

A label is *executable* if it names a concept, a motif or a range of GC content: then it says of
every base of a genome whether the feature should fire there, and can be held to it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import pandas as pd

from genointerp.annotation.concepts import Orientation
from genointerp.core.errors import InputError
from genointerp.core.nearest import unknown
from genointerp.genome.letters import IUPAC
from genointerp.store.table.labels import SOURCES, leads
from genointerp.store.table.schema.label import LABELS, MOST_LETTERS, MOST_WORDS
from genointerp.store.table.table import conform

Kind = Literal["concept", "position", "composition", "repeat", "unclear"]
ElementPart = Literal["body", "start", "end"]

KINDS: tuple[Kind, ...] = get_args(Kind)
PARTS: tuple[ElementPart, ...] = get_args(ElementPart)
ORIENTATIONS: tuple[Orientation, ...] = get_args(Orientation)

_AMONG: Mapping[str, tuple[str, ...]] = {
    "kind": KINDS,
    "source": SOURCES,
    "orientation": ("", *ORIENTATIONS),
    "part": ("", *PARTS),
}

MOST_MOTIF = 100
"""Most bases of a motif together with its offset."""


@dataclass(frozen=True)
class FeatureLabel:
    """What one feature is said to be.

    Parameters
    ----------
    feature
        Index in the dictionary.
    label
        At most `MOST_WORDS` words and `MOST_LETTERS` letters.
    kind
        ``concept``: it fires in elements of a concept. ``position``: near their start or end.
        ``composition``: after certain bases. ``repeat``: again and again at one distance.
        ``unclear``: none of these.
    concept, orientation, part
        The concept; empty if there is none. ``part`` is ``body`` for all bases of its elements,
        ``start`` and ``end`` for those near their first and last base.
    motif, motif_offset
        IUPAC letters that end where it fires, or ``motif_offset`` bases before, on the strand that
        is read; empty if there are none.
    gc_from, gc_to
        Range of the share of G and C among the last `genointerp.labelling.gc_content.GC_WINDOW`
        bases; NaN if there is none.
    explanation
        Some sentences.
    confidence
        1 (a guess) to 5.
    falsifier
        What would show that the label is wrong.
    source
        Who labels.
    author
        Name of the person, or of the language model as its server gave it; empty for statistics.
    date
        When, as ``YYYY-MM-DD``; empty for statistics, which are the same every day.
    prompt
        Version of the prompt; empty without a language model.

    Raises
    ------
    InputError
        If a value is none that it may have.
    """

    feature: int
    label: str
    kind: str
    concept: str = ""
    orientation: str = ""
    part: str = ""
    motif: str = ""
    motif_offset: int = 0
    gc_from: float = float("nan")
    gc_to: float = float("nan")
    explanation: str = ""
    confidence: int = 1
    falsifier: str = ""
    source: str = "statistics"
    author: str = ""
    date: str = ""
    prompt: str = ""

    def __post_init__(self) -> None:
        where = f"label of feature {self.feature}"
        n_words = len(self.label.split())
        if not 1 <= n_words <= MOST_WORDS:
            raise InputError(f"{where}: label", f"1 to {MOST_WORDS} words", repr(self.label))
        if len(self.label) > MOST_LETTERS:
            raise InputError(f"{where}: label", f"{MOST_LETTERS} letters at most", repr(self.label))
        for name, among in _AMONG.items():
            if getattr(self, name) not in among:
                raise unknown(f"{where}: {name}", getattr(self, name), among)
        if self.concept and not (self.orientation and self.part):
            raise InputError(where, "orientation and part of the concept", "one that is empty")
        if set(self.motif) - set(IUPAC):
            raise InputError(f"{where}: motif", "IUPAC letters of DNA", repr(self.motif))
        if len(self.motif) + abs(self.motif_offset) > MOST_MOTIF:
            expected = f"{MOST_MOTIF} bases at most, with its offset"
            raise InputError(f"{where}: motif", expected, f"{self.motif} {self.motif_offset:+d}")
        if not 1 <= self.confidence <= 5:
            raise InputError(f"{where}: confidence", "1 to 5", str(self.confidence))

    @property
    def is_executable(self) -> bool:
        """Whether the label says of every base if the feature should fire there."""
        return bool(self.concept or self.motif or self.gc_from <= self.gc_to)


def labels_table(labels: Iterable[FeatureLabel]) -> pd.DataFrame:
    """Return labels in the schema ``LABELS``, by feature and, of one, by source."""
    names = [one.name for one in fields(FeatureLabel)]
    rows = sorted(labels, key=lambda it: (it.feature, SOURCES.index(it.source)))
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    return conform(pd.DataFrame(columns), LABELS, where="labels")


def labels_of_table(table: pd.DataFrame) -> tuple[FeatureLabel, ...]:
    """Return the labels of a table in the schema ``LABELS``.

    Raises
    ------
    InputError
        If a row is no label, or a feature has two of one source.
    """
    labels = tuple(_label_of(row) for row in table.to_dict(orient="records"))
    seen: set[tuple[int, str]] = set()
    for label in labels:
        if (label.feature, label.source) in seen:
            expected = f"one label of source {label.source} for each feature"
            raise InputError("labels", expected, f"two of feature {label.feature}")
        seen.add((label.feature, label.source))
    return labels


def leading_labels(labels: Iterable[FeatureLabel]) -> dict[int, FeatureLabel]:
    """Return the label that is shown of each feature: a person's, else the first of `SOURCES`.

    See :func:`genointerp.store.table.labels.leads`.
    """
    found: dict[int, FeatureLabel] = {}
    for label in sorted(labels, key=lambda it: leads(it.source, it.label)):
        found.setdefault(label.feature, label)
    return dict(sorted(found.items()))


def as_row(label: FeatureLabel) -> dict[str, Any]:
    """Return a label as a row of its table."""
    return asdict(label)


def _label_of(row: Mapping[Any, Any]) -> FeatureLabel:
    return FeatureLabel(**{one.name: row[one.name] for one in fields(FeatureLabel)})
