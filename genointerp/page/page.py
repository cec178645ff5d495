"""Render the self-contained HTML page of a run, which works from disk without a network.

Every number in it is a cell of a table on disk. Text of annotations is untrusted: the templates
escape it, and JSON inside the page cannot end its element. The page's own policy names its scripts
by their hashes, so that no other script runs and no request is sent.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from markupsafe import Markup

from genointerp.association.summary import one_per_concept
from genointerp.core.errors import InputError
from genointerp.core.version import __version__
from genointerp.feature.specimen import Specimen
from genointerp.figure.dictionary import dictionary_figure
from genointerp.figure.training import read_metrics, read_parts, training_figure
from genointerp.genome.interval import GenomicInterval, parse_region
from genointerp.page.baselines import baseline_tables, beside_table
from genointerp.page.browser import (
    FLANKS,
    MARGIN,
    Loci,
    Place,
    Resolution,
    browser_options,
    covered,
    feature_track,
    track_resolution,
    with_flanks,
)
from genointerp.page.findings import read_findings
from genointerp.page.heat import HALF, N_LEVELS
from genointerp.page.hidden import backtest_tables
from genointerp.page.index import ElementWords, index_data
from genointerp.page.label import label_section, track_label
from genointerp.page.measure import FeatureMeasures, Ground, Measurements, live_features
from genointerp.page.references import References
from genointerp.page.run import Run
from genointerp.page.section import Picture, SectionMaker, embedded_pictures, picture
from genointerp.page.table import Links, PageTable, format_value, page_table
from genointerp.page.template import (
    SCRIPTS,
    igv_text,
    own_text,
    page_environment,
    policy,
    script_json,
)
from genointerp.sae.header import WEIGHTS, read_directions
from genointerp.store.table.schema.association import ASSOCIATIONS, BEST_PER_CONCEPT
from genointerp.store.table.schema.candidate import CANDIDATES, MATCHED
from genointerp.store.table.schema.feature import (
    FEATURE_SUMMARY,
    QUERY,
    READ_CONTIGS,
    RUN_FILES,
)
from genointerp.store.table.schema.matching import MATCHES

N_FEATURES = 50
"""Number of features with a section in the single page."""


N_DRAWN = 20
"""Number of features that are drawn with their best concept and their motif."""


N_ASSOCIATIONS, N_CANDIDATES = 300, 200
"""Most rows of associations and of candidates on the page, which take about 3 kB each."""


MAX_PAGE_BYTES = 15_000_000


MAX_RUNS = 250_000
"""Most stretches of equal activation over all tracks of the page."""


MAX_FIGURE_BYTES = 3_000_000


_MIME = {".png": "image/png", ".svg": "image/svg+xml"}


def render_page(
    run: Run,
    measured: Measurements,
    shown: Mapping[int, FeatureMeasures],
    ground: Ground,
    *,
    folder: str,
    base: str = "",
) -> str:
    """Return the page of a run as one HTML text, with tracks as fine as there is room for.

    Parameters
    ----------
    shown
        Features that have a section, in this order.
    folder
        Folder of the tables of ``measured``, as the page names it.
    base
        Path of the run directory relative to the page: empty if the page lies in it, otherwise
        ending in a slash.

    Raises
    ------
    InputError
        If the page is larger than ``MAX_PAGE_BYTES`` even with the coarsest tracks.
    """
    loci = ground.places
    pages = {feature: f"#feature-{feature}" for feature in shown}
    links = Links(loci, pages, references=References(run.specimens), base=base, beside=folder)
    scripts = [igv_text(), *map(own_text, SCRIPTS)]
    template = page_environment().get_template("page.html")
    maker, words = SectionMaker(run, measured, links, folder=folder), ElementWords()
    for one in shown.values():
        words.add(one)
    features = live_features(measured, run)
    parts = {
        **shared_parts(run, measured, links, folder),
        "policy": policy(scripts),
        "style": Markup(own_text("page.css")),
        "scripts": [Markup(script) for script in scripts],
        "summary": [(key, format_value(value), value) for key, value in run.summary.items()],
        "headline": _headline(run),
        "tables": _tables(run, measured, links, folder),
        "sections": [
            maker.make(one, embedded_pictures(one.feature, measured.drawn, folder))
            for one in shown.values()
        ],
        "queries": _queries(run, links),
        "figures": _figures(run),
        "index": script_json(index_data(run, measured, features, words, pages)),
    }
    labels = {row["feature"]: track_label(row) for row in measured.features.to_dict("records")}
    options, queries = browser_options(run.specimens, loci, first_locus(run, loci)), _queried(run)
    max_runs = MAX_RUNS
    while True:
        resolutions = {
            one.feature: _resolution(run, one, queries, max_runs // max(len(shown), 1))
            for one in shown.values()
        }
        tracks = [
            feature_track(run.specimens, feature, labels[feature], loci, resolution)
            for feature, resolution in resolutions.items()
        ]
        browser = script_json({**options, "tracks": [*options["tracks"], *tracks]})
        bins = sorted({one.bin_bp for one in resolutions.values()}) or [1]
        page = template.render(**parts, bins=[bins[0], bins[-1]], browser=browser)
        size = len(page.encode())
        if size <= MAX_PAGE_BYTES:
            return page
        if not max_runs:
            expected = f"a page of at most {MAX_PAGE_BYTES} bytes with the coarsest tracks"
            raise InputError(str(run.path), expected, f"{size} bytes")
        max_runs //= 8


def _resolution(
    run: Run, one: FeatureMeasures, queries: Sequence[Place], max_runs: int
) -> Resolution:
    loci = flanked_loci(run.specimens, one)
    near = [*loci[:1], *queries, *loci[1:]]
    return track_resolution(run.specimens, one.feature, near, max_runs=max_runs)


def feature_parts(run: Run) -> dict[str, Any]:
    """Return what every page of a run shows, those of single features too."""
    return {
        "margin": MARGIN,
        "flanks": FLANKS,
        "half": HALF,
        "levels": N_LEVELS,
        "version": __version__,
        "has_families": run.families is not None,
        "genomes": [
            {"name": specimen.name, "sha256": specimen.genome_sha256} for specimen in run.specimens
        ],
    }


def shared_parts(run: Run, measured: Measurements, links: Links, folder: str) -> dict[str, Any]:
    """Return what the page and the index of a folder both show."""
    labelled = label_section(run, measured.features, measured.label_kinds, links, folder)
    return {
        **feature_parts(run),
        "model": model_facts(run),
        "config": yaml.safe_dump(dict(run.config), sort_keys=False, allow_unicode=True),
        "findings": read_findings(run, measured.beside),
        "find": links.find,
        "pages": links.pages,
        "href": links.href,
        "beside": beside_table(measured.beside, links, source=f"{folder}/beside.tsv"),
        "records": _records(measured, links, folder),
        "asked": {**_asked(run, links), **labelled},
    }


def top_features(run: Run) -> list[int]:
    """Return the features that the page shows: best features of concepts, and candidates.

    Of a run without annotation, which has neither, they are those that fire most often.
    """
    leading = one_per_concept(run.best)
    best = [int(feature) for table in (leading, run.best) for feature in table["feature"]]
    candidates = [int(feature) for feature in run.candidates["feature"].head(N_FEATURES)]
    half = list(dict.fromkeys(best))[: N_FEATURES // 2]
    found = list(dict.fromkeys([*half, *candidates, *best])) or _densest(run)
    return found[:N_FEATURES]


def _densest(run: Run) -> list[int]:
    table = run.features[run.features["n_firing"] > 0]
    ranked = table.sort_values("density", ascending=False, kind="stable")
    return [int(feature) for feature in ranked["feature"]]


def candidates_table(run: Run, links: Links, *, limit: int, note: str) -> PageTable:
    """Return the first candidates of a run, without columns of what was compared with nothing."""
    table = run.candidates
    others = [one.source.split("/")[2] for one in run.asked if one.schema is MATCHES]
    if others:
        note += (
            f" Compared with {', '.join(others)}: matched_in says in which a feature is matched, "
            "match_r how nearly on average, and match_twin_r how nearly with random weights; none "
            "of it changes a rank."
        )
    else:
        table = table.drop(columns=MATCHED, errors="ignore")
    return page_table(
        table,
        title="Candidates",
        source="candidates.tsv",
        links=links,
        schema=CANDIDATES,
        limit=limit,
        note=note,
    )


def _tables(run: Run, measured: Measurements, links: Links, folder: str) -> list[PageTable]:
    tested = run.associations[run.associations["q_value"].notna()]
    tested = tested.sort_values("f1", ascending=False, kind="stable")
    return [
        page_table(
            run.best,
            title="Best feature of each concept",
            source="best_per_concept.tsv",
            links=links,
            schema=BEST_PER_CONCEPT,
            note="Feature, orientation and threshold were chosen on fit (f1_fit); every other "
            "score was measured on test.",
        ),
        *baseline_tables(run, links),
        candidates_table(
            run,
            links,
            limit=N_CANDIDATES,
            note="Features that no known concept explains. A click on a region moves the browser.",
        ),
        *backtest_tables(run, links),
        page_table(
            measured.features.sort_values(["f1", "density"], ascending=False, kind="stable"),
            title="Features",
            source=f"{folder}/features.tsv",
            links=links,
            schema=FEATURE_SUMMARY,
            note="Each feature with its best concept, chosen on fit and measured on test; highest "
            "test F1 first, then highest density. Features in colour have a section below.",
        ),
        page_table(
            tested,
            title="Associations",
            source="associations.parquet",
            links=links,
            schema=ASSOCIATIONS,
            limit=N_ASSOCIATIONS,
            note="Pairs that fit chose for testing, highest test F1 first.",
        ),
    ]


def _records(measured: Measurements, links: Links, folder: str) -> list[PageTable]:
    return [
        page_table(
            measured.contigs,
            title="Contigs",
            source=f"{folder}/contigs.tsv",
            links=links,
            schema=READ_CONTIGS,
            limit=200,
        ),
        page_table(
            measured.files,
            title="Files",
            source=f"{folder}/files.tsv",
            links=links,
            schema=RUN_FILES,
        ),
    ]


def _queries(run: Run, links: Links) -> list[dict[str, Any]]:
    queries = []
    for name, frame in run.queries.items():
        region, genome = run.region_of(name), run.genome_of(name)
        title = f"Query {name}" + (f": {region}" if region else "")
        table = page_table(
            # the table names the genome after its features file
            frame if genome is None else frame.drop(columns="genome", errors="ignore"),
            title=title if genome is None else f"{title} of {genome}",
            source=f"queries/{name}.tsv",
            schema=QUERY,
            links=links._replace(genome=genome),
            limit=50,
        )
        queries.append({"locus": links.find(region, genome), "table": table})
    return queries


def _asked(run: Run, links: Links) -> dict[str, list[PageTable]]:
    """Return what the run was asked besides its chain, by folder."""
    found: dict[str, list[PageTable]] = {}
    for one in run.asked:
        found.setdefault(one.folder, []).append(
            page_table(
                one.leading(),
                title=one.title,
                source=one.source,
                links=links,
                schema=one.schema,
                note=one.note,
                limit=50,
            )
        )
    return found


def _figures(run: Run) -> list[Picture]:
    """Return the figures of the run, as far as there is room, and those of its dictionary."""
    figures, left = [], MAX_FIGURE_BYTES
    for path in run.figures:
        if path.stat().st_size > left:
            continue
        left -= path.stat().st_size
        content = base64.b64encode(path.read_bytes()).decode()
        uri = f"data:{_MIME[path.suffix]};base64,{content}"
        figures.append(Picture(uri, path.stem, f"figures/{path.name}"))
    drawn = {path.stem for path in run.figures}
    metrics, weights = run.path / "sae" / "metrics.jsonl", run.path / "sae" / WEIGHTS
    if metrics.is_file() and "training" not in drawn:
        figure = training_figure(
            read_metrics(metrics), where=str(metrics), parts=read_parts(metrics.parent)
        )
        figures.append(picture(figure, alt="training curves", source="sae/metrics.jsonl"))
    if weights.is_file() and "dictionary" not in drawn:
        figure = dictionary_figure(read_directions(weights.parent), run.associations)
        source = f"sae/{WEIGHTS}, associations.parquet"
        figures.append(picture(figure, alt="map of the dictionary", source=source))
    return figures


def _queried(run: Run) -> list[Place]:
    """Return the regions of the queries whose genome the run states."""
    places = []
    for name in run.queries:
        entry = (run.config.get("queries") or {}).get(name, {})
        specimen = next((one for one in run.specimens if one.name == entry.get("genome")), None)
        if specimen is not None:
            store = specimen.features
            region = parse_region(entry["region"], store.lengths, circular=store.circular)
            places += [(specimen.name, part) for part in store.parts(region)]
    return places


def flanked_loci(specimens: Sequence[Specimen], one: FeatureMeasures) -> list[Place]:
    """Return the loci of a feature, the strongest first, with their flanks."""
    stores = {specimen.name: specimen.features for specimen in specimens}
    return [
        (
            row["genome"],
            with_flanks(
                GenomicInterval(row["seqid"], int(row["start"]), int(row["end"])),
                stores[row["genome"]].lengths[row["seqid"]],
            ),
        )
        for row in one.loci.to_dict("records")
    ]


def first_locus(run: Run, loci: Loci) -> str:
    """Return where the browser opens: a query, the best candidate, or the first bases read."""
    found = [loci.find(run.region_of(name), run.genome_of(name)) for name in run.queries]
    found += [loci.find(str(region)) for region in run.candidates["top_region"].head(1)]
    found += [
        loci.place(specimen.name, interval)
        for specimen in run.specimens
        for interval in covered(specimen.features)[:1]
    ]
    return next(locus for locus in found if locus is not None)


def _headline(run: Run) -> str:
    """Describe what the headline figures were measured on, as far as the run states it."""
    name = str((run.config.get("fidelity") or {}).get("genome", ""))
    if not name:
        return ""
    fit = run.config.get("fit") or []
    if not fit:
        role = "the dictionary was there before this run"
    else:
        role = (
            "on which the dictionary was trained" if name in fit else "held out from the dictionary"
        )
    n, whole, rows, sample = (
        format_value(run.summary.get(f"fidelity.{key}"))
        for key in ("n_bases", "n_bases_whole", "n_tokens", "sample")
    )
    of = f" ({n} of {whole} bases, in evenly spread windows)" if sample else ""
    tokens = f"; FVU, L0 and dead share are measured on {rows} of its tokens" if rows else ""
    training = (
        " training: measured on held-out blocks of the genomes that the dictionary was trained on."
    )
    return (
        f"fidelity: measured on {name}, {role}; losses and bits per base are of all regions that "
        f"were read{of}{tokens}.{training if fit else ''}"
    )


def model_facts(run: Run) -> dict[str, str]:
    """Return which model and dictionary the features of a run are of."""
    header = run.specimens[0].features.header
    source = run.summary.get("dictionary.source")
    return {
        "model": header.model,
        "model sha256": header.model_sha256,
        "site": header.site,
        **({} if source is None else {"dictionary": str(source)}),
        "dictionary sha256": header.sae_sha256,
        "features": format_value(header.n_features),
    }
