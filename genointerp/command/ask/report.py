"""The page of a run as a file with the tables that it shows next to it, or as a folder."""

import os
from pathlib import Path

from genointerp.core.arguments import StrPath
from genointerp.core.files import atomic_path, claiming, together
from genointerp.core.progress import Progress, progress_bar
from genointerp.page.folder import is_folder_of_report, write_folder
from genointerp.page.measure import Ground, measure_feature, measure_run, write_measurements
from genointerp.page.page import N_DRAWN, render_page, top_features
from genointerp.page.run import Run, open_run


def report(
    run_dir: StrPath, out: StrPath, *, folder: bool = False, progress: Progress | None = None
) -> None:
    """Write the page of a run.

    Parameters
    ----------
    run_dir
        As the workflow leaves it, with ``config.yaml``, ``summary.json``, ``associations.parquet``,
        ``best_per_concept.tsv``, ``candidates.tsv`` and ``features.h5`` of each genome; queries and
        figures are shown where there are any.
    out
        The HTML file. What the page shows and no step before it wrote is written as tables to the
        folder ``NAME_tables`` next to ``NAME.html``. With ``folder``, the folder.
    folder
        Write a folder that has a page for every feature that fires, instead of one file, which has
        the best 50. It needs nothing outside itself, and begins with ``index.html``.
    progress
        Called with (features done, features in all), in place of drawing a bar.

    Raises
    ------
    InputError
        If the directory lacks one of these, or they do not belong together.
    """
    write = _write_folder if folder else _write_page
    write(open_run(run_dir), Path(out), progress)


def _write_folder(run: Run, out: Path, progress: Progress | None) -> None:
    # what stands there is looked at before the work, not after it
    with claiming(out, same=is_folder_of_report(out)):
        measured = measure_run(run, top_features(run)[:N_DRAWN])
        with progress_bar("report (features)", progress) as told:
            write_folder(run, measured, Ground.of(run.specimens), out, progress=told)


def _write_page(run: Run, out: Path, progress: Progress | None) -> None:
    features, ground, shown = top_features(run), Ground.of(run.specimens), {}
    measured = measure_run(run, features[:N_DRAWN])
    with progress_bar("report (features)", progress) as told:
        for done, feature in enumerate(features, start=1):
            shown[feature] = measure_feature(ground, feature)
            told(done, len(features))
    tables = out.with_name(f"{out.stem}_tables")
    page = render_page(run, measured, shown, ground, folder=tables.name, base=_base(run, out))
    with together():
        write_measurements(measured, tables, list(shown.values()))
        with atomic_path(out) as temporary:
            temporary.write_text(page, encoding="utf-8")


def _base(run: Run, out: Path) -> str:
    """Return the path of the run directory relative to the page, empty or ending in a slash."""
    base = os.path.relpath(run.path.resolve(), out.parent.resolve()).replace(os.sep, "/")
    return "" if base == "." else f"{base}/"
