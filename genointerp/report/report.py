"""One self-contained HTML page of a run, which works from disk with the network cut.

Every number in it is a cell of a table on disk. Text of annotations is untrusted: the templates
escape it, JSON inside the page cannot end its element, and the page's own policy names its scripts
by their hashes, so that no other script runs and no request leaves.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from genointerp import __version__
from genointerp.core.errors import InputError
from genointerp.core.files import atomic_path
from genointerp.genome.interval import format_region
from genointerp.report.browser import (
    BrowsedGenome,
    Loci,
    browser_options,
    covered,
    track_resolution,
)
from genointerp.report.elements import concept_texts
from genointerp.report.figures import draw_training
from genointerp.report.run import Run, read_run
from genointerp.report.table import PageTable, format_value, page_table

N_TRACKS = 20
N_ASSOCIATIONS = 5
MAX_PAGE_BYTES = 15_000_000
MAX_FIGURE_BYTES = 3_000_000

_MIME = {".png": "image/png", ".svg": "image/svg+xml"}


def write_report(run_dir: Path, out: Path) -> None:
    """Write the page of a run.

    Parameters
    ----------
    run_dir
        As the workflow leaves it, with ``config.yaml``, ``summary.json``, ``associations.parquet``,
        ``best_per_concept.tsv``, ``candidates.tsv`` and ``features.h5`` of each genome; queries and
        figures are shown where there are any.
    out
        The HTML file.

    Raises
    ------
    InputError
        If the directory lacks one of these, or they do not belong together.
    """
    page = render_page(read_run(run_dir))
    size = len(page.encode())
    if size > MAX_PAGE_BYTES:
        raise InputError(str(run_dir), f"a page of at most {MAX_PAGE_BYTES} bytes", str(size))
    with atomic_path(out) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render_page(run: Run) -> str:
    """Return the page of a run as one HTML text."""
    loci = Loci(run.genomes)
    known = concept_texts(run.associations)
    features = {feature: known.get(feature, "") for feature in top_features(run)}
    bin_bp = track_resolution(run.genomes, list(features))
    locus = _first_locus(run, loci)
    options = browser_options(run.genomes, features, loci, locus, bin_bp=bin_bp)
    scripts = [_igv(), _own("page.js")]
    environment = Environment(
        loader=PackageLoader("genointerp.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        policy=_policy(scripts),
        style=Markup(_own("page.css")),
        igv=Markup(scripts[0]),
        script=Markup(scripts[1]),
        browser=script_json(options),
        bin_bp=bin_bp,
        version=__version__,
        genomes=[_genome_facts(item) for item in run.genomes],
        model=_model_facts(run),
        summary=[(key, format_value(value), value) for key, value in run.summary.items()],
        config=yaml.safe_dump(dict(run.config), sort_keys=False, allow_unicode=True),
        tables=_tables(run, list(features), loci),
        queries=_queries(run, loci),
        figures=_figures(run),
    )


def top_features(run: Run) -> list[int]:
    """Return the features that the page shows: best of a concept and candidates, in turn."""
    best = [int(feature) for feature in run.best["feature"]]
    candidates = [int(feature) for feature in run.candidates["feature"].head(N_TRACKS)]
    half = list(dict.fromkeys(best))[: N_TRACKS // 2]
    return list(dict.fromkeys([*half, *candidates, *best]))[:N_TRACKS]


def script_json(value: object) -> Markup:
    """Return JSON that may stand inside a script element: nothing in it can end the element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def _tables(run: Run, features: Sequence[int], loci: Loci) -> list[PageTable]:
    top = run.associations[run.associations["feature"].isin(features)]
    top = top[top["f1_fit"] > 0].sort_values(
        ["feature", "f1_fit"], ascending=[True, False], kind="stable"
    )
    top = top.groupby("feature", sort=False).head(N_ASSOCIATIONS)
    return [
        page_table(
            run.best,
            title="Best feature of each concept",
            source="best_per_concept.tsv",
            loci=loci,
            note="Feature, orientation and threshold were chosen on fit (f1_fit); every other "
            "score was measured on test.",
        ),
        page_table(
            run.candidates,
            title="Candidates",
            source="candidates.tsv",
            loci=loci,
            note="Features that no known concept explains. A click on a region moves the browser.",
        ),
        page_table(
            top,
            title="Associations of the top features",
            source="associations.parquet",
            loci=loci,
            note=f"The {N_ASSOCIATIONS} concepts with the highest f1_fit of each feature that is "
            "shown in the browser.",
        ),
    ]


def _queries(run: Run, loci: Loci) -> list[dict[str, Any]]:
    queries = []
    for name, frame in run.queries.items():
        region = run.region_of(name)
        title = f"Query {name}" + (f": {region}" if region else "")
        table = page_table(frame, title=title, source=f"queries/{name}.tsv", loci=loci, limit=50)
        queries.append({"region": region, "locus": loci.find(region), "table": table})
    return queries


def _figures(run: Run) -> list[dict[str, str]]:
    """Return the figures of the run, and the training curves where the run did not draw them."""
    figures, left = [], MAX_FIGURE_BYTES
    for path in run.figures:
        if path.stat().st_size > left:
            continue
        left -= path.stat().st_size
        figures.append(_figure(path, f"figures/{path.name}"))
    metrics = run.path / "sae" / "metrics.jsonl"
    if metrics.is_file() and not any(path.stem == "training" for path in run.figures):
        figures.append(_training(metrics))
    return figures


def _figure(path: Path, name: str) -> dict[str, str]:
    content = base64.b64encode(path.read_bytes()).decode()
    return {"name": name, "uri": f"data:{_MIME[path.suffix]};base64,{content}"}


def _training(metrics: Path) -> dict[str, str]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "training.png"
        draw_training(metrics, path)
        return _figure(path, "sae/metrics.jsonl")


def _first_locus(run: Run, loci: Loci) -> str:
    regions = [run.region_of(name) for name in run.queries]
    regions += [str(region) for region in run.candidates["top_region"].head(1)]
    read = [interval for item in run.genomes for interval in covered(item.store)]
    regions += [format_region(interval) for interval in read[:1]]
    return next(locus for locus in map(loci.find, regions) if locus is not None)


def _genome_facts(item: BrowsedGenome) -> dict[str, str]:
    read = sum(interval.length for interval in item.store.coverage("+"))
    return {
        "name": item.name,
        "contigs": ", ".join(item.genome),
        "length": format_value(sum(item.genome.lengths.values())),
        "read": format_value(read),
        "sha256": item.genome.sha256,
    }


def _model_facts(run: Run) -> dict[str, str]:
    header = run.genomes[0].store.header
    return {
        "model": header.model,
        "model sha256": header.model_sha256,
        "site": header.site,
        "dictionary sha256": header.sae_sha256,
        "features": format_value(header.n_features),
    }


def _own(name: str) -> str:
    return (files("genointerp.report") / "templates" / name).read_text(encoding="utf-8")


def _igv() -> str:
    text = (files("igv_notebook") / "js" / "igv.min.js").read_text(encoding="utf-8")
    return text.replace("</script", "<\\/script")


def _policy(scripts: Sequence[str]) -> str:
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; connect-src data: blob:; form-action 'none'"
    )
