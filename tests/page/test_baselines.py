from dataclasses import replace

import pandas as pd

from genointerp.core.provenance import Provenance
from genointerp.page.baselines import baseline_tables, f1_by_detector
from genointerp.page.browser import Loci
from genointerp.page.run import open_run
from genointerp.page.table import Links
from genointerp.store.table.schema.association import BASELINES
from genointerp.store.table.table import write_table

NAN = float("nan")


def table_of(*rows):
    """Rows of ``concept, orientation, detector, f1, n_concept_bp``."""
    records = [
        {column.name: 0.5 if column.kind == "float64" else 1 for column in BASELINES.columns}
        | {"which": "", "note": "", "concept": concept, "orientation": orientation}
        | {"detector": detector, "f1": f1, "n_concept_bp": n}
        for concept, orientation, detector, f1, n in rows
    ]
    return pd.DataFrame(records)[BASELINES.names]


TABLE = table_of(
    ("tRNA", "sense", "always_on", 0.01, 70),
    ("tRNA", "sense", "neuron", 0.25, 70),
    ("tRNA", "sense", "feature", 0.75, 70),
    ("CDS", "sense", "always_on", 0.6, 900),
    ("CDS", "sense", "neuron", NAN, 900),
    ("CDS", "sense", "feature", 0.4, 900),
    ("prophage", "both", "always_on", NAN, 0),
    ("prophage", "both", "neuron", NAN, 0),
    ("prophage", "both", "feature", NAN, 0),
)


def test_detectors_are_columns_and_concepts_of_test_are_rows_in_their_order():
    wide = f1_by_detector(TABLE)
    assert wide.columns.tolist() == ["concept", "orientation", "always_on", "neuron", "feature"]
    assert wide["concept"].tolist() == ["tRNA", "CDS"]
    assert wide.loc[0].tolist()[2:] == [0.01, 0.25, 0.75]
    assert wide["neuron"].isna().tolist() == [False, True]


def test_the_page_shows_the_table_of_a_run_that_has_one(run_dir, tmp_path):
    run = replace(open_run(run_dir), path=tmp_path)
    links = Links(Loci(run.specimens))
    assert baseline_tables(run, links) == []
    write_table(TABLE, tmp_path / "baselines.tsv", BASELINES, Provenance({}, {}))
    (table,) = baseline_tables(run, links)
    assert table.source == "baselines.tsv"
    assert [cell.exact for cell in table.rows[0]] == ["tRNA", "sense", "0.01", "0.25", "0.75"]
