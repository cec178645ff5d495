"""The findings of runs that lack something: what is not there is said, never an empty table."""

import json

import pytest
import yaml

from genointerp.core.provenance import Provenance
from genointerp.store.table.schema.association import BEST_PER_CONCEPT
from genointerp.store.table.schema.candidate import BACKTEST, CANDIDATES
from genointerp.store.table.table import empty_table, write_table
from genointerp.workflow.headline import NOTHING, headline

FIDELITY = {
    **{"bits_per_base": 1.9, "loss_recovered": None, "n_bases": 100, "n_bases_whole": 200},
    **{"sample": 50, "fvu": 0.25, "l0": 20.0, "n_tokens": 200},
}


@pytest.fixture
def bare(tmp_path):
    """A run without annotation whose dictionary was there before it."""
    summary = {"fidelity": FIDELITY, "dictionary": {"source": "shipped:nano"}}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    config = {"genomes": {"phage": {}}, "fidelity": {"genome": "phage"}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def test_a_run_without_annotation_says_so_and_names_its_dictionary(bare):
    text = headline(bare)
    assert text.startswith("phage (not trained on by this run): 1.900 bits per base")
    assert "dictionary: shipped:nano" in text
    assert "No annotation: features have no concepts, and nothing is ranked." in text
    assert text.endswith(f"report: {bare / 'report.html'}")


def test_a_run_in_which_nothing_is_told_says_so_in_words(bare):
    tables = {"best_per_concept": BEST_PER_CONCEPT, "candidates": CANDIDATES, "backtest": BACKTEST}
    for name, schema in tables.items():
        write_table(empty_table(schema), bare / f"{name}.tsv", schema, Provenance({}, {}))
    text = headline(bare)
    assert NOTHING in text
    assert "no feature tells any of them" in text
    assert "Empty DataFrame" not in text
