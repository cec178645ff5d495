"""The pages of a run, which are those of the folder that a report writes, made when asked for."""

import hashlib
import re
from dataclasses import replace
from threading import Lock
from typing import NamedTuple

import pandas as pd

from genointerp.core.errors import UnknownNameError
from genointerp.labelling.summary import count_kinds
from genointerp.page.browser import options_with
from genointerp.page.folder import (
    TABLES,
    FeaturePages,
    feature_addresses,
    feature_script,
    genomes_script,
    index_script,
    library_texts,
    render_index,
)
from genointerp.page.index import ElementWords
from genointerp.page.measure import (
    Drawn,
    FeatureMeasures,
    Ground,
    Measurements,
    histogram_file,
    loci_file,
    measure_drawn,
    measure_feature,
    motif_file,
)
from genointerp.page.page import feature_parts, first_locus, model_facts
from genointerp.page.run import Run
from genointerp.page.section import FIGURES, feature_figure, feature_picture, png_of
from genointerp.page.table import Links
from genointerp.page.template import own_text, page_environment, served_policy
from genointerp.server.answers import MAX_TEXT, Answers
from genointerp.server.asked import MAX_DESIGNS, MAX_FEATURES
from genointerp.server.compared.compared import Comparisons
from genointerp.server.explaining import MAX_EXPLAINED_BP
from genointerp.server.genes import SHOWN_GENES_BP
from genointerp.server.kept import Kept
from genointerp.server.known import known
from genointerp.server.labels import Labels, State
from genointerp.server.tracks import MAX_REGION_BP
from genointerp.store.table.delimited import delimited_text
from genointerp.store.table.labels import LABEL, with_labels

N_PAGES = 64
"""Number of pages and pictures of features that are kept once they were made."""

LIVE_SCRIPTS = ("live.js", "browse.js", "work.js", "paint.js", "why.js", "label.js")
"""Further scripts of pages from a server."""

_INDEX = "features.js"
"""Name of the script with the data of the index."""

_PROFILE = ("metagene", "curves")
"""Tables of the profile of a feature, as `Drawn` has them."""

_OF_FEATURE = re.compile(r"\w+/feature_(\d{1,9})\.tsv")


class Pages:
    """The pages of one run with their scripts, pictures and tables, for any number of threads.

    Parameters
    ----------
    features
        Features that fire, in the order in which a page leads to the next.
    answers
        What the pages ask for.
    labels
        What the features are said to be.
    has_model
        Whether the server runs the model.
    """

    def __init__(
        self,
        run: Run,
        ground: Ground,
        measured: Measurements,
        features: list[int],
        answers: Answers,
        labels: Labels,
        *,
        has_model: bool = False,
    ) -> None:
        self._run, self._ground, self._measured, self._answers = run, ground, measured, answers
        self._has_model, self._labels, self._features = has_model, labels, features
        # the pages have their labels as they are now, and not those of when the run was read
        bare = replace(run, labels=None, label_scores=None, candidates=_bare(run.candidates))
        without = replace(measured, features=_bare(measured.features))
        self._pages = FeaturePages(bare, without, ground, features, is_live=True)
        self._one: Kept[int, FeatureMeasures] = Kept(self._measure, most=N_PAGES)
        self._drawn: Kept[int, Drawn] = Kept(self._draw, most=N_PAGES)
        self._made: Kept[tuple[int, State], str] = Kept(self._make, most=N_PAGES)
        self._compared: Kept[State, str] = Kept(self._make_compared, most=1)
        self._indexes: Kept[State, _Index] = Kept(self._make_index, most=1)
        self._pngs: Kept[tuple[int, str], bytes] = Kept(self._png, most=N_PAGES)
        # figures share settings, so that one is drawn at a time
        self._drawing = Lock()
        self._library = {
            **library_texts(),
            **{name: own_text(name) for name in LIVE_SCRIPTS},
            "genomes.js": self._genomes(),
        }
        self._comparisons = Comparisons(run)
        self._addresses = feature_addresses(features)

    @property
    def index(self) -> str:
        """The index of the features."""
        return self._indexes.get(self._labels.state).page

    @property
    def compared(self) -> str:
        """The page of the comparisons."""
        return self._compared.get(self._labels.state)

    def _make_compared(self, _: State) -> str:
        links, answers = Links(None, self._addresses, is_alone=True), self._answers
        groups = self._comparisons.groups(links, answers.names, answers.divergences.names)
        template = page_environment().get_template("compared.html")
        return template.render(
            **feature_parts(self._run),
            policy=served_policy(),
            model=model_facts(self._run),
            groups=groups,
        )

    @property
    def browse(self) -> str:
        """The page of the genome browser."""
        template = page_environment().get_template("browse.html")
        return template.render(
            **feature_parts(self._run),
            policy=served_policy(),
            model=model_facts(self._run),
            max_text=MAX_TEXT,
            max_region_bp=MAX_REGION_BP,
            max_genes_bp=f"{SHOWN_GENES_BP:,}",
            has_model=self._has_model,
            max_explained_bp=MAX_EXPLAINED_BP,
            max_designs=MAX_DESIGNS,
            max_features=MAX_FEATURES,
            of_run=_of_run(self._run),
            has_comparisons=bool(self._comparisons),
            divergences=self._answers.divergences.names,
        )

    def library(self, name: str) -> str:
        """Return a style or a script of the pages.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        script = self._indexes.get(self._labels.state).script if name == _INDEX else ""
        return known({**self._library, _INDEX: script}, name)

    def feature(self, feature: int) -> str:
        """Return the page of a feature.

        Raises
        ------
        UnknownNameError
            If the dictionary has no such feature.
        """
        self._check(feature)
        return self._made.get((feature, self._labels.state))

    def feature_script(self, feature: int) -> str:
        """Return the script that gives the browser on the page of a feature its track."""
        self._check(feature)
        return feature_script(self._ground, self._one.get(feature), self._answers.options(feature))

    def picture(self, feature: int, name: str) -> bytes:
        """Return a figure of a feature, one of `FIGURES`, as PNG.

        Raises
        ------
        UnknownNameError
            If there is no such feature or figure, or nothing to draw.
        """
        self._check(feature)
        known(FIGURES, name)
        return self._pngs.get((feature, name))

    def table(self, path: str) -> str:
        """Return a table that the pages show and no step of the run wrote, as text.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        found = _OF_FEATURE.fullmatch(path)
        tables: dict[str, pd.DataFrame] = {}
        if found is not None and int(found[1]) < self._ground.specimens[0].features.n_features:
            feature = int(found[1])
            one, drawn = self._one.get(feature), self._drawn.get(feature)
            tables = {loci_file(feature): one.loci, histogram_file(feature): one.histogram}
            for name, file in zip(_PROFILE, _profile_files(feature), strict=True):
                tables[file] = getattr(drawn, name)
            tables |= {motif_file(number): motif.table() for number, motif in drawn.motifs.items()}
        elif path.removesuffix(".tsv") in self._measured.schemas:
            tables = {path: self._measured.table(path.removesuffix(".tsv"))}
        return delimited_text(known(tables, path), "tsv")

    def _genomes(self) -> str:
        specimens, loci = self._run.specimens, self._ground.places
        sequence = {"fastaURL": "/sequence.fa", "indexURL": "/sequence.fa.fai"}
        genes = {"asks": "genes", "visibilityWindow": SHOWN_GENES_BP, "searchable": False}
        first = first_locus(self._run, loci)
        options = options_with(specimens, loci, first, sequence=sequence, genes=genes)
        options["search"] = {"url": "/locate?text=$FEATURE$"}
        return genomes_script(options)

    def _measure(self, feature: int) -> FeatureMeasures:
        return measure_feature(self._ground, feature)

    def _draw(self, feature: int) -> Drawn:
        return measure_drawn(self._run, [feature])

    def _make_index(self, _: State) -> "_Index":
        run, measured, labels = self._run, self._measured, self._labels.table
        scores, n_features = run.label_scores, len(measured.features)
        run = replace(run, labels=labels, candidates=with_labels(_bare(run.candidates), labels))
        measured = replace(
            measured,
            features=with_labels(_bare(measured.features), labels),
            label_kinds=None if labels is None else count_kinds(labels, scores, n_features),
        )
        script = index_script(run, measured, self._features, ElementWords())
        return _Index(render_index(run, measured, self._features, is_live=True), script)

    def _make(self, of: tuple[int, State]) -> str:
        feature, _ = of
        sources = {"profile": _profile_files(feature), "motif": [motif_file(feature)]}
        pictures = [
            feature_picture(
                feature,
                name,
                f"../pictures/{feature}/{name}.png",
                [f"{TABLES}/{file}" for file in files],
            )
            for name, files in sources.items()
        ]
        compared = self._comparisons.of(feature)
        labelled = {
            "table": self._labels.of(feature),
            "form": self._labels.form(feature) if self._labels.can_write else None,
        }
        return self._pages.render(self._one.get(feature), pictures, compared, labelled)

    def _png(self, of: tuple[int, str]) -> bytes:
        feature, name = of
        drawn = self._drawn.get(feature)
        with self._drawing:
            figure = feature_figure(feature, name, drawn)
            if figure is None:
                raise UnknownNameError(f"f/{feature}", f"a {name} to draw", "none")
            return png_of(figure)

    def _check(self, feature: int) -> None:
        self._ground.specimens[0].features.check_feature(feature)


class _Index(NamedTuple):
    """The index of the features, and the script with its data."""

    page: str
    script: str


def _bare(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table without what its features are said to be."""
    return table.drop(columns=LABEL, errors="ignore")


def _of_run(run: Run) -> str:
    """Return what tells the dictionary and the genomes of a run from those of another."""
    genomes = [specimen.genome_sha256 for specimen in run.specimens]
    inputs = [run.specimens[0].features.header.sae_sha256, *genomes]
    return hashlib.sha256(" ".join(inputs).encode()).hexdigest()[:16]


def _profile_files(feature: int) -> list[str]:
    """Return the paths of the tables of a feature's profile within the folder of tables."""
    return [f"{name}/feature_{feature}.tsv" for name in _PROFILE]
