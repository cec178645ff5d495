"""Write a run as a folder: an index, and a small page and a data file for each feature that fires.

One feature is in memory at a time, next to the tables of the run. Nothing in the folder refers to
anything outside it: it works from disk and from any web server. Each file names its format, by
which a newer folder may replace an older one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genointerp.core.exchange import written_format
from genointerp.core.files import atomic_path
from genointerp.core.progress import Progress, silent
from genointerp.genome.interval import GenomicInterval
from genointerp.page.baselines import baseline_tables
from genointerp.page.browser import browser_options, feature_track, track_resolution
from genointerp.page.hidden import backtest_tables
from genointerp.page.index import ElementWords, index_data
from genointerp.page.label import track_label
from genointerp.page.measure import (
    FeatureMeasures,
    Ground,
    Measurements,
    live_features,
    measure_feature,
    write_feature_tables,
    write_measurements,
)
from genointerp.page.page import candidates_table, feature_parts, flanked_loci, shared_parts
from genointerp.page.references import References
from genointerp.page.run import Run
from genointerp.page.section import Compared, Picture, SectionMaker, embedded_pictures
from genointerp.page.table import Links
from genointerp.page.template import (
    SCRIPTS,
    igv_text,
    own_text,
    page_environment,
    policy,
    script_json,
    served_policy,
)

FORMAT = "genointerp::report-folder"

TABLES, LIBRARY, FEATURES = "tables", "library", "features"
"""Folders of the tables, of styles and scripts, and of the pages of features."""

N_CANDIDATES = 50
"""Most rows of candidates in the index; the page of each candidate has its own row."""

MAX_RUNS = 20_000
"""Most stretches of equal activation in the data file of a feature."""


def is_folder_of_report(path: Path) -> bool:
    """Return whether a path is a folder that `write_folder` wrote."""
    return written_format(path / "index.html") == FORMAT


def write_folder(
    run: Run,
    measured: Measurements,
    ground: Ground,
    out: Path,
    *,
    progress: Progress = silent,
) -> None:
    """Write the folder of a run.

    Parameters
    ----------
    progress
        Called with (features done, features in all).

    Raises
    ------
    StorageError
        If the folder holds anything else than an older folder of this kind.
    """
    features = live_features(measured, run)
    with atomic_path(out) as folder:
        write_measurements(measured, folder / TABLES)
        _write_library(run, ground, folder)
        words = _write_features(run, measured, ground, folder, features, progress)
        script = index_script(run, measured, features, words)
        (folder / LIBRARY / "features.js").write_text(script, encoding="utf-8")
        index = render_index(run, measured, features)
        (folder / "index.html").write_text(index, encoding="utf-8")


class FeaturePages:
    """Maker of the pages of single features: those of a folder, or of a server.

    Parameters
    ----------
    features
        Features that have a page, in the order in which a page leads to the next.
    is_live
        Whether the pages are those of a server, which answers for what they show.
    """

    def __init__(
        self,
        run: Run,
        measured: Measurements,
        ground: Ground,
        features: Sequence[int],
        *,
        is_live: bool = False,
    ) -> None:
        self._run, self._is_live = run, is_live
        self._links = Links(
            ground.places,
            {feature: f"{feature}.html" for feature in features},
            references=References(run.specimens),
            beside=TABLES,
            up="../",
            is_alone=True,
        )
        self._maker = SectionMaker(run, measured, self._links, folder=TABLES)
        self._template = page_environment().get_template("feature.html")
        around = zip([None, *features], features, [*features[1:], None], strict=False)
        self._around = {feature: (before, behind) for before, feature, behind in around}

    def render(
        self,
        one: FeatureMeasures,
        pictures: Sequence[Picture],
        compared: Sequence[Compared] = (),
        labelled: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the page of a feature.

        Parameters
        ----------
        compared
            What each comparison of the run says of it, which the pages of a server have.
        labelled
            Its labels and the form in which one is written by hand, which they have too.
        """
        before, behind = self._around.get(one.feature, (None, None))
        return self._template.render(
            policy=served_policy() if self._is_live else policy(),
            format=FORMAT,
            href=self._links.href,
            **feature_parts(self._run),
            section=self._maker.make(one, pictures),
            compared=compared,
            labelled=labelled,
            before=before,
            behind=behind,
            is_live=self._is_live,
        )


def render_index(
    run: Run, measured: Measurements, features: Sequence[int], *, is_live: bool = False
) -> str:
    """Return the index of the features that fire; `index_script` has its map and its search."""
    pages = feature_addresses(features)
    links = Links(None, pages, references=References(run.specimens), beside=TABLES, is_alone=True)
    note = "Features that no known concept explains, the first of them."
    candidates = candidates_table(run, links, limit=N_CANDIDATES, note=note)
    tables = [*baseline_tables(run, links), candidates, *backtest_tables(run, links)]
    return (
        page_environment()
        .get_template("index.html")
        .render(
            policy=served_policy() if is_live else policy(),
            format=FORMAT,
            **shared_parts(run, measured, links, TABLES),
            tables=tables,
            n_features=len(features),
            is_live=is_live,
        )
    )


def index_script(
    run: Run, measured: Measurements, features: Sequence[int], words: ElementWords
) -> str:
    """Return the script with the data of the map and the search of the index."""
    data = index_data(run, measured, features, words, feature_addresses(features))
    return f"/* {FORMAT} */\nglobalThis.genointerp = {{index: {script_json(data)}}};\n"


def genomes_script(options: Mapping[str, Any]) -> str:
    """Return the script with the options of the browser that all pages share."""
    return f"/* {FORMAT} */\nglobalThis.genointerp = {{browser: {script_json(options)}}};\n"


def feature_script(ground: Ground, one: FeatureMeasures, track: Mapping[str, Any]) -> str:
    """Return the script that gives the browser the track of a feature, and where it opens."""
    locus = None
    if len(one.loci):
        first = one.loci.iloc[0]
        place = GenomicInterval(first["seqid"], int(first["start"]), int(first["end"]))
        locus = ground.places.place(first["genome"], place)
    return (
        f"/* {FORMAT} */\n"
        f"genointerp.browser.tracks.push({script_json(track)});\n"
        f"genointerp.browser.locus = {script_json(locus)};\n"
    )


def feature_addresses(features: Sequence[int]) -> dict[int, str]:
    """Return the address of the page of each feature, relative to the index."""
    return {feature: f"{FEATURES}/{feature}.html" for feature in features}


def library_texts() -> dict[str, str]:
    """Return the style and the scripts of all pages, by the names of their files."""
    # igv.js itself names no format
    own = {name: own_text(name) for name in (*SCRIPTS, "page.css")}
    return {"igv.js": f"/* {FORMAT} */\n{igv_text()}", **own}


def _write_library(run: Run, ground: Ground, folder: Path) -> None:
    library = folder / LIBRARY
    library.mkdir(parents=True)
    options = browser_options(run.specimens, ground.places, "")
    for name, text in {**library_texts(), "genomes.js": genomes_script(options)}.items():
        library.joinpath(name).write_text(text, encoding="utf-8")


def _write_features(
    run: Run,
    measured: Measurements,
    ground: Ground,
    folder: Path,
    features: Sequence[int],
    progress: Progress,
) -> ElementWords:
    folder_of_pages = folder / FEATURES
    folder_of_pages.mkdir()
    labels = {row["feature"]: track_label(row) for row in measured.features.to_dict("records")}
    pages, words = FeaturePages(run, measured, ground, features), ElementWords()
    for done, feature in enumerate(features, start=1):
        one = measure_feature(ground, feature)
        words.add(one)
        write_feature_tables(one, folder / TABLES, measured.provenance)
        data = feature_script(ground, one, _embedded_track(ground, one, labels[feature]))
        (folder_of_pages / f"{feature}.js").write_text(data, encoding="utf-8")
        text = pages.render(one, embedded_pictures(feature, measured.drawn, TABLES))
        (folder_of_pages / f"{feature}.html").write_text(text, encoding="utf-8")
        progress(done, len(features))
    return words


def _embedded_track(ground: Ground, one: FeatureMeasures, label: str) -> dict[str, Any]:
    specimens = ground.specimens
    near = flanked_loci(specimens, one)
    resolution = track_resolution(specimens, one.feature, near, max_runs=MAX_RUNS)
    return feature_track(specimens, one.feature, label, ground.places, resolution)
