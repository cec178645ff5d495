"""Sections of single features: their figures, and their rows of each table."""

import base64
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from genointerp.association.profile.metagene import ANCHORS
from genointerp.feature.top import TopConfig
from genointerp.figure.file import new_figure, with_few_colors
from genointerp.figure.motif import highest_null
from genointerp.page.dossier import DossierPart, dossier_part
from genointerp.page.heat import HeatRow
from genointerp.page.histogram import Panel, panels
from genointerp.page.label import concept_label, describe
from genointerp.page.measure import (
    Drawn,
    FeatureMeasures,
    Measurements,
    loci_file,
    motif_file,
)
from genointerp.page.run import LABEL_SCORES_FILE, Run
from genointerp.page.strip import Strip
from genointerp.page.table import Cell, Head, Links, PageTable, format_value, page_table
from genointerp.panel.curve import plot_precision_recall
from genointerp.panel.logo import plot_logo
from genointerp.panel.metagene import plot_metagene
from genointerp.store.table.families import FAMILY, steps_of
from genointerp.store.table.labels import SOURCES
from genointerp.store.table.schema.candidate import ABLATION, CANDIDATES
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.schema.feature import (
    FEATURE_CONCEPTS,
    FEATURE_SUMMARY,
    NEAREST_FEATURES,
    TOP_LOCI,
)
from genointerp.store.table.schema.label import LABEL_SCORES, LABELS
from genointerp.store.table.schema.matching import FEATURE_MATCHES
from genointerp.store.table.table import read_table

ABLATION_FILE = "ablation.tsv"

DPI = 100

FIGURES = {
    "profile": "mean activation around elements, and precision against recall",
    "motif": "bases around its loci",
}
"""Figures of a feature, and what they show."""


class Picture(NamedTuple):
    """A figure inside the page, and the files that hold its numbers."""

    uri: str
    alt: str
    source: str


class Family(NamedTuple):
    """The family of a feature on its page.

    Parameters
    ----------
    circuit
        The family in words.
    steps
        Its features in order, each with the address of its page; None if it has none.
    address
        Where the circuits of the run are shown.
    """

    circuit: str
    steps: Sequence[Sequence[tuple[int, str | None]]]
    address: str


class Compared(NamedTuple):
    """What a comparison with another model or dictionary says of a feature on its page.

    Parameters
    ----------
    said
        What can be concluded of the feature, and what cannot, in sentences.
    facts
        Its row in the table of the comparison, by column.
    source
        File of that table.
    """

    title: str
    said: tuple[str, ...]
    facts: tuple[tuple[Head, Cell], ...]
    source: str


@dataclass(frozen=True)
class Section:
    """What the page shows of one feature.

    Parameters
    ----------
    title
        Number and names of the feature.
    label
        Concept that it is called by; empty if no F1 is above its null.
    summary
        Its best concept, with the F1 and what it is compared with, in words.
    family
        Family of features that it fires with; None if it is in none.
    facts
        Its row in the table of features, by column, without the family.
    source
        File of that table.
    scale
        Its largest activation, as text: the scale of all drawings.
    n_loci
        Number of its loci, as text.
    histogram
        Drawing of the number of bases by activation.
    evidence
        Its rows in the tables of matches, of candidates, of the ablation and of labels, if any.
    dossier
        Dossier of the feature; None if it is no candidate or has none.
    """

    feature: int
    title: str
    label: str
    summary: str
    family: Family | None
    facts: tuple[tuple[Head, Cell], ...]
    source: str
    scale: str
    n_loci: str
    strips: tuple[Strip, ...]
    heat: tuple[HeatRow, ...]
    histogram: tuple[Panel, ...]
    pictures: tuple[Picture, ...]
    concepts: PageTable
    loci: PageTable
    neighbours: PageTable
    evidence: tuple[PageTable, ...]
    dossier: DossierPart | None


class SectionMaker:
    """Maker of the sections of one report, which looks up the rows of a feature in its tables.

    Parameters
    ----------
    folder
        Where the tables of ``measured`` lie, as the page names it.
    """

    def __init__(self, run: Run, measured: Measurements, links: Links, *, folder: str) -> None:
        self._run, self._links, self._folder = run, links, folder
        ablation = run.path / ABLATION_FILE
        self._tables = {
            "features": measured.features,
            "concepts": measured.concepts,
            "neighbours": measured.neighbours.rename(columns={"feature": "of"}),
            "matches": measured.matches,
            "candidates": run.candidates,
            "ablation": read_table(ablation, ABLATION) if ablation.is_file() else None,
            **_labels_by_file(run),
            "label_scores": run.label_scores,
        }
        self._rows = {
            name: _row_numbers(table, "of" if name == "neighbours" else "feature")
            for name, table in self._tables.items()
        }

    def make(self, one: FeatureMeasures, pictures: Sequence[Picture]) -> Section:
        """Return the section of a feature.

        Parameters
        ----------
        pictures
            From `embedded_pictures` or `feature_picture`.
        """
        feature, folder = one.feature, self._folder
        row = self._of("features", feature)
        record = row.iloc[0].to_dict()
        row = row.drop(columns=list(FAMILY), errors="ignore")
        facts = self._table(row, "", f"{folder}/features.tsv", FEATURE_SUMMARY)
        names = self._run.specimens[0].features.names_of(feature)
        dossier = self._run.dossiers.get(feature)
        return Section(
            feature=feature,
            title=" ".join([f"f/{feature}", *names]),
            label=concept_label(record),
            summary=describe(record),
            family=_family(record, self._links),
            facts=tuple(zip(facts.columns, facts.rows[0], strict=True)),
            source=facts.source,
            scale=format_value(one.highest),
            n_loci=format_value(one.n_loci),
            strips=one.strips,
            heat=one.heat,
            histogram=panels(one.histogram),
            pictures=tuple(pictures),
            concepts=self._table(
                self._of("concepts", feature).drop(columns="feature"),
                "Best concepts",
                f"{folder}/concepts.tsv",
                FEATURE_CONCEPTS,
            ),
            loci=self._table(
                one.loci,
                f"Strongest loci, at most {TopConfig.n}",
                f"{folder}/{loci_file(feature)}",
                TOP_LOCI,
            ),
            neighbours=self._table(
                self._of("neighbours", feature)
                .drop(columns="of")
                .rename(columns={"neighbour": "feature"}),
                "Features with the nearest directions",
                f"{folder}/neighbours.tsv",
                NEAREST_FEATURES,
            ),
            evidence=tuple(self._evidence(feature)),
            dossier=None if dossier is None else dossier_part(dossier, self._links),
        )

    def _table(
        self, frame: pd.DataFrame, title: str, source: str, schema: TableSchema
    ) -> PageTable:
        return page_table(frame, title=title, source=source, links=self._links, schema=schema)

    def _of(self, name: str, feature: int) -> pd.DataFrame:
        table = self._tables[name]
        assert table is not None
        return table.iloc[self._rows[name].get(feature, [])]

    def _evidence(self, feature: int) -> list[PageTable]:
        found, matches = [], f"{self._folder}/matches.tsv"
        for name, title, source, schema in (
            ("matches", "Partners in other dictionaries", matches, FEATURE_MATCHES),
            ("candidates", "Evidence as a candidate", "candidates.tsv", CANDIDATES),
            ("ablation", "Effect of removing it", ABLATION_FILE, ABLATION),
            ("hand_labels", "Label by hand", "hand_labels.tsv", LABELS),
            ("labels", "Labels", "labels.tsv", LABELS),
            ("label_scores", "Scores of its labels", LABEL_SCORES_FILE, LABEL_SCORES),
        ):
            if feature in self._rows[name]:
                found.append(self._table(self._of(name, feature), title, source, schema))
        return found


def _labels_by_file(run: Run) -> dict[str, pd.DataFrame | None]:
    """Return the labels of people, which stand in a file of their own, and the others."""
    if run.labels is None:
        return {"hand_labels": None, "labels": None}
    is_by_hand = run.labels["source"] == SOURCES[0]
    return {"hand_labels": run.labels[is_by_hand], "labels": run.labels[~is_by_hand]}


def embedded_pictures(feature: int, drawn: Drawn, folder: str) -> list[Picture]:
    """Return the pictures of a feature inside the page, if it is among those drawn.

    Parameters
    ----------
    folder
        Where the tables of the report lie, as the page names it.
    """
    sources = {
        "profile": (f"{folder}/metagene.tsv", f"{folder}/curves.tsv"),
        "motif": (f"{folder}/{motif_file(feature)}",),
    }
    figures = {name: feature_figure(feature, name, drawn) for name in FIGURES}
    return [
        feature_picture(feature, name, _data_uri(png_of(figure)), sources[name])
        for name, figure in figures.items()
        if figure is not None
    ]


def feature_picture(feature: int, name: str, uri: str, sources: Sequence[str]) -> Picture:
    """Return a picture of a feature, one of `FIGURES`, at an address.

    Parameters
    ----------
    sources
        Files that hold its numbers, as the page names them.
    """
    return Picture(uri, f"f/{feature}: {FIGURES[name]}", ", ".join(sources))


def feature_figure(feature: int, name: str, drawn: Drawn) -> Figure | None:
    """Return a figure of a feature, one of `FIGURES`; None if there is nothing to draw."""
    if name == "motif":
        motif = drawn.motifs.get(feature)
        if motif is None:
            return None
        figure = new_figure(12.0, 1.9)
        null_bits = highest_null(motif)
        plot_logo(motif.heights, first=motif.first, null_bits=null_bits, ax=figure.subplots())
        return figure
    profile = drawn.metagene[drawn.metagene["feature"] == feature]
    curve = drawn.curves[drawn.curves["feature"] == feature]
    return None if profile.empty else _concept_figure(profile, curve)


def picture(figure: Figure, *, alt: str, source: str) -> Picture:
    """Embed a figure in the page."""
    return Picture(_data_uri(png_of(figure)), alt, source)


def png_of(figure: Figure) -> bytes:
    """Draw a figure with few colours, which reduces it to a quarter of its size."""
    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    with Image.open(drawn) as image:
        with_few_colors(image).save(small, format="png", optimize=True)
    return small.getvalue()


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _family(row: Mapping[Hashable, Any], links: Links) -> Family | None:
    if not row.get("circuit"):
        return None
    steps = [
        [(feature, links.pages.get(feature)) for feature in step]
        for step in steps_of(row["members"])
    ]
    # only the pages of single features lie below the page that shows the circuits
    address = f"{links.up}index.html#circuits" if links.up else "#circuits"
    return Family(row["circuit"], steps, address)


def _row_numbers(table: pd.DataFrame | None, column: str) -> Mapping[int, list[int]]:
    """Return the positions of the rows of each feature."""
    found: dict[int, list[int]] = {}
    for number, feature in enumerate([] if table is None else table[column].tolist()):
        found.setdefault(int(feature), []).append(number)
    return found


def _concept_figure(profile: pd.DataFrame, curve: pd.DataFrame) -> Figure:
    figure = new_figure(12.0, 2.8)
    axes = figure.subplots(1, 3, width_ratios=[1, 1, 0.8])
    for ax, anchor in zip(axes, ANCHORS, strict=False):
        plot_metagene(profile, anchor, ax=ax)
    axes[1].sharey(axes[0])
    plot_precision_recall(curve, ax=axes[2])
    # a single curve needs no legend, since the section names it
    axes[2].get_legend().set_visible(False)
    return figure
