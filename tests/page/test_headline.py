"""The findings of a run that lacks something: words in place of empty tables."""

import json
import shutil

import pytest
import yaml

from genointerp.core.provenance import Provenance
from genointerp.store.table.schema.association import BEST_PER_CONCEPT
from genointerp.store.table.schema.candidate import BACKTEST, CANDIDATES
from genointerp.store.table.table import empty_table, write_table
from genointerp.workflow.headline import NOTHING, figures, headline

FIDELITY = {
    **{"bits_per_base": 1.9, "loss_recovered": None, "n_bases": 100, "n_bases_whole": 200},
    **{"sample": 50, "fvu": 0.25, "l0": 20.0, "n_tokens": 200},
}


def test_a_run_in_which_nothing_is_recognised_says_so_in_words(run_dir, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(run_dir, run)
    tables = {"best_per_concept": BEST_PER_CONCEPT, "candidates": CANDIDATES, "backtest": BACKTEST}
    for name, schema in tables.items():
        (run / f"{name}.tsv").unlink(missing_ok=True)
        write_table(empty_table(schema), run / f"{name}.tsv", schema, Provenance({}, {}))
    config = yaml.safe_load((run / "config.yaml").read_text())
    config["fidelity"] = {"genome": "first"}
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    summary = {"fidelity": FIDELITY, "dictionary": {"source": "shipped:nano"}}
    (run / "summary.json").write_text(json.dumps(summary))
    text = headline(run)
    assert NOTHING in text
    assert "no feature tells any of them" in text
    assert "Empty DataFrame" not in text


@pytest.fixture
def bare(tmp_path):
    """A run without annotation whose dictionary was there before it."""
    summary = {"fidelity": FIDELITY, "dictionary": {"source": "shipped:nano"}}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    config = {
        "genomes": {"phage": {"sequence": "g.fa", "annotate_with": []}},
        "fidelity": {"genome": "phage"},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def test_a_run_that_trained_nothing_names_its_dictionary(bare):
    first, second = figures(bare)
    assert first.startswith("phage (not trained on by this run): 1.900 bits per base")
    assert "loss recovered undefined (100 bases of 200" in first
    assert second == "dictionary: shipped:nano"
