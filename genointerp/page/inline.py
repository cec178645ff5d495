"""What a notebook shows of a run: the page of a feature, and the browser.

The page of a feature is one element without scripts, whose styles hold inside it alone. The
browser is a page of its own in a frame, with igv.js and all data in it, so that it needs no
network.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape

import pandas as pd
from markupsafe import Markup

from genointerp.core.arguments import FeatureName, as_features
from genointerp.core.errors import InputError
from genointerp.feature.regions import AnyRegion, Place, Places, as_regions, find_places
from genointerp.feature.specimen import Specimen
from genointerp.figure.source.elements import strongest_features
from genointerp.genome.interval import GenomicInterval, format_region
from genointerp.page.browser import (
    FLANKS,
    MARGIN,
    Loci,
    browser_options,
    feature_track,
    track_resolution,
)
from genointerp.page.heat import HALF, N_LEVELS
from genointerp.page.histogram import panels
from genointerp.page.label import describe, track_label
from genointerp.page.measure import FeatureMeasures, Ground, best_of_each, measure_feature
from genointerp.page.references import References
from genointerp.page.run import Run
from genointerp.page.table import Links, PageTable, format_value, page_table
from genointerp.page.template import igv_text, own_text, page_environment, policy, script_json
from genointerp.store.feature.store import STRANDS
from genointerp.store.table.schema.column import TableSchema
from genointerp.store.table.schema.feature import FEATURE_CONCEPTS, FEATURE_SUMMARY, TOP_LOCI

N_TRACKS = 4
"""Number of features that the browser shows if none are named."""

MAX_RUNS = 20_000
"""Most stretches of equal activation for each track of the browser."""

NAME = "genointerp-feature"
"""Class of the element of a feature, inside which its styles hold."""

_INNER = "body { padding: .6rem .8rem; } h2 { margin-top: 0; } thead th { padding: .3rem .6rem; }"
"""Styles of an element that are not those of a page."""

_TRACK_PX, _OTHER_PX = 75, 330
"""Height of a track, and of everything else that the browser shows."""


@dataclass(frozen=True, eq=False, repr=False)
class FeatureView:
    """All that a run knows of one feature; a notebook shows it as a page.

    Parameters
    ----------
    feature
        Number of the feature.
    names
        Its names; most features have none.
    facts
        Its row in the table of features: ``density``, activations, best concept with its scores.
    concepts
        Its best concepts on fit, measured on test, next to the null, a detector that always fires
        and a model of the sequence alone, if the run measured one.
    measures
        Its loci and histogram, and the drawings of them.
    references
        Pages of databases that describe the elements at its loci.
    """

    feature: int
    names: tuple[str, ...]
    facts: pd.Series
    concepts: pd.DataFrame
    measures: FeatureMeasures
    references: References

    @property
    def summary(self) -> str:
        """Its best concept with the F1 and what that is compared with, in words."""
        return describe(self.facts.to_dict())

    @property
    def density(self) -> float:
        """Share of the bases read on which it fires, over all genomes and both strands."""
        return float(self.facts["density"])

    @property
    def loci(self) -> pd.DataFrame:
        """Its strongest loci with their bases and nearest elements, as `genointerp.top` lists."""
        return self.measures.loci

    @property
    def n_loci(self) -> int:
        """Number of all its loci."""
        return self.measures.n_loci

    @property
    def histogram(self) -> pd.DataFrame:
        """Number of bases of each genome by activation."""
        return self.measures.histogram

    def __repr__(self) -> str:
        names = " ".join([f"f/{self.feature}", *self.names])
        return f"FeatureView({names}: {self.summary}; {self.n_loci:,} loci)"

    def _repr_html_(self) -> str:
        template = page_environment().get_template("inline.html")
        one, links = self.measures, Links(None, references=self.references, is_alone=True)
        facts = _table(self.facts.to_frame().T.infer_objects(), "", FEATURE_SUMMARY, links)
        section = {
            "facts": [
                (head, cell)
                for head, cell in zip(facts.columns, facts.rows[0], strict=True)
                if head.is_main
            ],
            "source": "",
            "scale": format_value(one.highest),
            "n_loci": format_value(one.n_loci),
            "strips": one.strips,
            "heat": one.heat,
            "histogram": panels(one.histogram),
        }
        tables = (
            _table(self.concepts, "Best concepts", FEATURE_CONCEPTS, links),
            _table(one.loci, "Strongest loci", TOP_LOCI, links),
        )
        return template.render(
            name=NAME,
            style=Markup(inner_style(own_text("page.css") + _INNER, NAME)),
            title=" ".join([f"f/{self.feature}", *self.names]),
            summary=self.summary,
            section=section,
            tables=tables,
            half=HALF,
            levels=N_LEVELS,
        )


@dataclass(frozen=True, eq=False, repr=False)
class Browser:
    """A genome browser at a place of a run; a notebook shows it in a frame.

    Parameters
    ----------
    region
        Where it opens, 1-based and closed.
    features
        Features whose tracks it shows, read on + upward and on - downward.
    page
        The browser as one self-contained HTML page, which may also be written to a file.
    """

    region: str
    features: tuple[int, ...]
    page: str

    def __repr__(self) -> str:
        return f"Browser({self.region}: {', '.join(f'f/{one}' for one in self.features)})"

    def _repr_html_(self) -> str:
        height = _OTHER_PX + _TRACK_PX * len(self.features)
        return (
            f'<iframe srcdoc="{escape(self.page)}" title="genome browser" '
            f'style="width: 100%; height: {height}px; border: 0"></iframe>'
        )


def view_feature(run: Run, feature: FeatureName) -> FeatureView:
    """Collect what a run knows of a feature.

    Raises
    ------
    UnknownNameError
        If the dictionary has no such feature.
    """
    store = run.specimens[0].features
    number = store.find_feature(feature)
    # without a browser, nothing has a place in it
    ground = replace(Ground.of(run.specimens), places=Loci(()))
    concepts = best_of_each(run)
    own = concepts[concepts["feature"] == number].drop(columns="feature")
    return FeatureView(
        feature=number,
        names=tuple(store.names_of(number)),
        facts=run.features.iloc[number],
        concepts=own.reset_index(drop=True),
        measures=measure_feature(ground, number),
        references=References(run.specimens),
    )


def view_browser(
    run: Run, region: AnyRegion, feature: FeatureName | Iterable[FeatureName] = ()
) -> Browser:
    """Make a genome browser that opens at a place of a run.

    Parameters
    ----------
    region
        A region, an interval, the name of a gene, or the name of a query of the run.
    feature
        Features to show, by number or name; the strongest ones of the place if none are given.

    Raises
    ------
    CoordinateError, UnknownNameError
        If no genome has the place, or the dictionary no such feature.
    InputError
        If nothing was read there.
    """
    asked = (run.region_of(region) or region) if isinstance(region, str) else region
    place = _read_place(asked, run.specimens)
    store, loci = place.specimen.features, Loci([place.specimen])
    wanted = dict.fromkeys(store.find_feature(one) for one in as_features(feature))
    chosen = list(wanted) or strongest_features(store, place.interval, N_TRACKS)
    shown = _with_flanks(place)
    near = [(place.specimen.name, part) for part in store.parts(shown)]
    options = browser_options([place.specimen], loci, loci.place(place.specimen.name, shown) or "")
    for one in chosen:
        label = track_label(run.features.iloc[one].to_dict())
        resolution = track_resolution([place.specimen], one, near, max_runs=MAX_RUNS)
        options["tracks"].append(feature_track([place.specimen], one, label, loci, resolution))
    scripts = [igv_text(), own_text("browser.js")]
    page = (
        page_environment()
        .get_template("inline_browser.html")
        .render(
            policy=policy(scripts),
            style=Markup(own_text("page.css")),
            flanks=FLANKS,
            options=script_json(options),
            scripts=[Markup(script) for script in scripts],
        )
    )
    return Browser(format_region(place.interval), tuple(chosen), page)


def inner_style(style: str, name: str) -> str:
    """Return a style sheet of a page as one that holds inside the elements of a class alone.

    Inside them it is the only one: the styles of the notebook, whose selectors are less specific
    than a class that is repeated, are reverted. What SVG has as attributes must stay.

    Examples
    --------
    >>> inner_style("body { margin: 0; } p { margin: 1px; }", "x")
    '.x.x.x { :where(:not(svg, svg *)) { all: revert; } & { margin: 0; } p { margin: 1px; } }'
    """
    own = style.replace(":root", "&").replace("body {", "& {")
    return f"{f'.{name}' * 3} {{ :where(:not(svg, svg *)) {{ all: revert; }} {own} }}"


def _table(frame: pd.DataFrame, title: str, schema: TableSchema, links: Links) -> PageTable:
    return page_table(frame, title=title, source="", links=links, schema=schema)


def _read_place(region: AnyRegion, specimens: Sequence[Specimen]) -> Place:
    """Return the first place with the region that was read on either strand."""
    found = list(find_places(Places(as_regions(region)), specimens))
    for place in found:
        store = place.specimen.features
        if any(store.n_read(place.interval, strand) for strand in STRANDS):
            return place
    where = ", ".join(f"{one.specimen.name} {format_region(one.interval)}" for one in found)
    raise InputError(f"region {region}", "bases that the run read", f"none in {where}")


def _with_flanks(place: Place) -> GenomicInterval:
    """Return a place with half its width on either side, within the contig."""
    one, length = place.interval, place.specimen.features.lengths[place.interval.seqid]
    margin = max(one.length // 2, MARGIN)
    if one.end > length:
        return one
    return GenomicInterval(one.seqid, max(one.start - margin, 0), min(one.end + margin, length))
