"""Sections of single features: their figures, and their rows of each table."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from genointerp.association.profile.metagene import ANCHORS
from genointerp.figure.file import new_figure
from genointerp.figure.motif import highest_null
from genointerp.page.dossier import DossierPart, dossier_part
from genointerp.page.measure import Measurements, loci_file, motif_file
from genointerp.page.run import Run
from genointerp.page.table import Cell, Head, Links, PageTable, page_table
from genointerp.panel.curve import plot_precision_recall
from genointerp.panel.logo import plot_logo
from genointerp.panel.metagene import plot_metagene
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.schema.feature import FEATURE_SUMMARY, TOP_LOCI

N_ASSOCIATIONS = 5
"""Number of concepts shown for each feature, by ``f1_fit``."""

DPI = 100
N_COLORS = 64


class Picture(NamedTuple):
    """A figure inside the page, and the files that hold its numbers."""

    uri: str
    alt: str
    source: str


@dataclass(frozen=True)
class Section:
    """The section of the page about one feature.

    Parameters
    ----------
    title
        Number and names of the feature.
    summary
        Its best concept, with the F1 and its null, in words.
    facts
        Its row in the table of features, by column.
    source
        File of that table.
    dossier
        Dossier of the feature; None if it is no candidate or has none.
    """

    feature: int
    title: str
    summary: str
    facts: tuple[tuple[Head, Cell], ...]
    source: str
    pictures: tuple[Picture, ...]
    concepts: PageTable
    loci: PageTable
    dossier: DossierPart | None


def make_sections(
    run: Run, measured: Measurements, features: Sequence[int], links: Links, *, folder: str
) -> list[Section]:
    """Make the sections of features; ``folder`` is where their tables lie."""
    return [_section(run, measured, feature, links, folder) for feature in features]


def picture(figure: Figure, *, alt: str, source: str) -> Picture:
    """Embed a figure in the page, with few colours, which reduces it to a quarter of its size."""
    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(N_COLORS).save(small, format="png", optimize=True)
    content = base64.b64encode(small.getvalue()).decode()
    return Picture(f"data:image/png;base64,{content}", alt, source)


def top_associations(associations: pd.DataFrame, features: Sequence[int]) -> pd.DataFrame:
    """Return for each feature the concepts with the highest ``f1_fit``."""
    own = associations[associations["feature"].isin(features) & (associations["f1_fit"] > 0)]
    ranked = own.sort_values(["feature", "f1_fit"], ascending=[True, False], kind="stable")
    return ranked.groupby("feature", sort=False).head(N_ASSOCIATIONS)


def _section(run: Run, measured: Measurements, feature: int, links: Links, folder: str) -> Section:
    row = measured.features[measured.features["feature"] == feature]
    facts = page_table(
        row, title="", source=f"{folder}/features.tsv", links=links, schema=FEATURE_SUMMARY
    )
    cells = dict(zip([head.name for head in facts.columns], facts.rows[0], strict=True))
    names = run.specimens[0].features.names_of(feature)
    return Section(
        feature=feature,
        title=" ".join([f"f/{feature}", *names]),
        summary=_summary(cells),
        facts=tuple(zip(facts.columns, facts.rows[0], strict=True)),
        source=facts.source,
        pictures=tuple(_pictures(measured, feature, folder)),
        concepts=page_table(
            top_associations(run.associations, [feature]),
            title="Best concepts",
            source="associations.parquet",
            links=links,
            schema=ASSOCIATIONS,
        ),
        loci=page_table(
            measured.loci[feature],
            title="Strongest loci",
            source=f"{folder}/{loci_file(feature)}",
            links=links,
            schema=TOP_LOCI,
        ),
        dossier=dossier_part(run.dossiers[feature], links) if feature in run.dossiers else None,
    )


def _summary(facts: dict[str, Cell]) -> str:
    text = {name: cell.text for name, cell in facts.items()}
    if not text["best_concept"]:
        return "detects no concept on fit"
    null = text["null_f1"] or "not tested"
    return (
        f"{text['best_concept']} ({text['orientation']}): F1 {text['f1'] or 'undefined'}, "
        f"null {null}, always-on {text['f1_always_on']}"
    )


def _pictures(measured: Measurements, feature: int, folder: str) -> list[Picture]:
    pictures = []
    profile = measured.metagene[measured.metagene["feature"] == feature]
    if not profile.empty:
        curve = measured.curves[measured.curves["feature"] == feature]
        alt = f"f/{feature}: mean activation around elements, and precision against recall"
        source = f"{folder}/metagene.tsv, {folder}/curves.tsv"
        pictures.append(picture(_concept_figure(profile, curve), alt=alt, source=source))
    if feature in measured.motifs:
        motif = measured.motifs[feature]
        figure = new_figure(12.0, 1.9)
        null_bits = highest_null(motif)
        plot_logo(motif.heights, first=motif.first, null_bits=null_bits, ax=figure.subplots())
        alt = f"f/{feature}: bases around its loci"
        source = f"{folder}/{motif_file(feature)}"
        pictures.append(picture(figure, alt=alt, source=source))
    return pictures


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
