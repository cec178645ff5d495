"""The page of a run as a file, with the tables that it shows next to it."""

import os
from pathlib import Path

from genointerp.core.arguments import StrPath
from genointerp.core.files import atomic_path, together
from genointerp.page.measure import measure_run, write_measurements
from genointerp.page.page import render_page, top_features
from genointerp.page.run import open_run


def report(run_dir: StrPath, out: StrPath) -> None:
    """Write the page of a run.

    Parameters
    ----------
    run_dir
        As the workflow leaves it, with ``config.yaml``, ``summary.json``, ``associations.parquet``,
        ``best_per_concept.tsv``, ``candidates.tsv`` and ``features.h5`` of each genome; queries and
        figures are shown where there are any.
    out
        The HTML file. What the page shows and no step before it wrote is written as tables to the
        folder ``NAME_tables`` next to ``NAME.html``.

    Raises
    ------
    InputError
        If the directory lacks one of these, or they do not belong together.
    """
    out = Path(out)
    run = open_run(run_dir)
    measured = measure_run(run, top_features(run))
    folder = out.with_name(f"{out.stem}_tables")
    base = os.path.relpath(run.path.resolve(), out.parent.resolve()).replace(os.sep, "/")
    base = "" if base == "." else f"{base}/"
    page = render_page(run, measured, folder=folder.name, base=base)
    with together():
        write_measurements(measured, folder)
        with atomic_path(out) as temporary:
            temporary.write_text(page, encoding="utf-8")
