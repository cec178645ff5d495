"""Tables of the page that compare features with detectors without the dictionary."""

import pandas as pd

from genointerp.association.baseline.beside import EXPLAINED, NOT_MEASURED, SOURCE, is_measured
from genointerp.association.baseline.row import DETECTORS
from genointerp.page.run import Run
from genointerp.page.table import Links, PageTable, page_table
from genointerp.store.table.schema.association import BASELINES, BESIDE
from genointerp.store.table.table import read_table


def baseline_tables(run: Run, links: Links) -> list[PageTable]:
    """Return the table of the F1 of each detector; empty if the run did not measure it."""
    path = run.path / SOURCE
    if not path.is_file():
        return []
    return [
        page_table(
            f1_by_detector(read_table(path, BASELINES)),
            title="Baselines: the same concepts without the dictionary",
            source=SOURCE,
            links=links,
            schema=BASELINES,
            note="F1 on test of the best detector of each kind, chosen on fit. random_weights and "
            "feature_there are measured on the same bases, which may be fewer than those of the "
            "others; the file says how many.",
        )
    ]


def beside_table(measured: pd.DataFrame, links: Links, *, source: str) -> PageTable:
    """Return the table of the best feature of each concept and of detectors without a dictionary.

    Parameters
    ----------
    measured
        Table in the schema ``BESIDE``. If no detector was measured, the note states this.
    """
    return page_table(
        measured,
        title="What the best feature of each concept shows",
        source=source,
        links=links,
        schema=BESIDE,
        note=EXPLAINED if is_measured(measured) else NOT_MEASURED,
    )


def f1_by_detector(table: pd.DataFrame) -> pd.DataFrame:
    """Return F1 scores: one row per label that occurs on test, one column per detector."""
    known = table[table["n_concept_bp"] > 0]
    labels = known[["concept", "orientation"]].drop_duplicates()
    wide = known.pivot(index=["concept", "orientation"], columns="detector", values="f1")
    order = [name for name in DETECTORS if name in wide.columns]
    return labels.merge(wide[order].reset_index(), on=["concept", "orientation"], how="left")
