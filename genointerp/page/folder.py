"""Write a run as a folder: an index, and a small page and a data file for each feature that fires.

One feature is in memory at a time, next to the tables of the run. Nothing in the folder refers to
anything outside it: it works from disk and from any web server. Each file names its format, by
which a newer folder may replace an older one.
"""

from collections.abc import Sequence
from pathlib import Path

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
from genointerp.page.section import SectionMaker
from genointerp.page.table import Links
from genointerp.page.template import (
    SCRIPTS,
    igv_text,
    own_text,
    page_environment,
    policy,
    script_json,
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
        _write_index(run, measured, folder, features, words)


def _write_library(run: Run, ground: Ground, folder: Path) -> None:
    library = folder / LIBRARY
    library.mkdir(parents=True)
    # igv.js itself names no format
    library.joinpath("igv.js").write_text(f"/* {FORMAT} */\n{igv_text()}", encoding="utf-8")
    for name in (*SCRIPTS, "page.css"):
        library.joinpath(name).write_text(own_text(name), encoding="utf-8")
    options = browser_options(run.specimens, ground.places, "")
    text = f"/* {FORMAT} */\nglobalThis.genointerp = {{browser: {script_json(options)}}};\n"
    library.joinpath("genomes.js").write_text(text, encoding="utf-8")


def _write_features(
    run: Run,
    measured: Measurements,
    ground: Ground,
    folder: Path,
    features: Sequence[int],
    progress: Progress,
) -> ElementWords:
    pages = folder / FEATURES
    pages.mkdir()
    links = Links(
        ground.places,
        {feature: f"{feature}.html" for feature in features},
        references=References(run.specimens),
        beside=TABLES,
        up="../",
        is_alone=True,
    )
    maker = SectionMaker(run, measured, links, folder=TABLES)
    labels = {row["feature"]: track_label(row) for row in measured.features.to_dict("records")}
    template, words = page_environment().get_template("feature.html"), ElementWords()
    parts = {"policy": policy(), "format": FORMAT, "href": links.href, **feature_parts(run)}
    neighbours = zip([None, *features], features, [*features[1:], None], strict=False)
    for done, (before, feature, behind) in enumerate(neighbours, start=1):
        one = measure_feature(ground, feature)
        words.add(one)
        write_feature_tables(one, folder / TABLES, measured.provenance)
        data = _feature_data(ground, one, labels[feature])
        (pages / f"{feature}.js").write_text(data, encoding="utf-8")
        text = template.render(**parts, section=maker.make(one), before=before, behind=behind)
        (pages / f"{feature}.html").write_text(text, encoding="utf-8")
        progress(done, len(features))
    return words


def _feature_data(ground: Ground, one: FeatureMeasures, label: str) -> str:
    """Return the script that gives the browser the track of a feature, and where it opens."""
    specimens = ground.specimens
    near = flanked_loci(specimens, one)
    resolution = track_resolution(specimens, one.feature, near, max_runs=MAX_RUNS)
    track = feature_track(specimens, one.feature, label, ground.places, resolution)
    first = one.loci.iloc[0]
    place = GenomicInterval(first["seqid"], int(first["start"]), int(first["end"]))
    locus = ground.places.place(first["genome"], place)
    return (
        f"/* {FORMAT} */\n"
        f"genointerp.browser.tracks.push({script_json(track)});\n"
        f"genointerp.browser.locus = {script_json(locus)};\n"
    )


def _write_index(
    run: Run,
    measured: Measurements,
    folder: Path,
    features: Sequence[int],
    words: ElementWords,
) -> None:
    pages = {feature: f"{FEATURES}/{feature}.html" for feature in features}
    data = script_json(index_data(run, measured, features, words, pages))
    text = f"/* {FORMAT} */\nglobalThis.genointerp = {{index: {data}}};\n"
    (folder / LIBRARY / "features.js").write_text(text, encoding="utf-8")
    links = Links(None, pages, references=References(run.specimens), beside=TABLES, is_alone=True)
    page = page_environment().get_template("index.html")
    parts = {"policy": policy(), "format": FORMAT, **shared_parts(run, measured, links, TABLES)}
    note = "Features that no known concept explains, the first of them."
    candidates = candidates_table(run, links, limit=N_CANDIDATES, note=note)
    tables = [*baseline_tables(run, links), candidates, *backtest_tables(run, links)]
    text = page.render(**parts, tables=tables, n_features=len(features))
    (folder / "index.html").write_text(text, encoding="utf-8")
