"""The labels of features, in all that shows the features of a run."""

import shutil

import numpy as np
import pandas as pd
import pytest

from genointerp.labelling.label import FeatureLabel, labels_table
from genointerp.labelling.summary import count_kinds
from genointerp.page.folder import index_script
from genointerp.page.index import ElementWords
from genointerp.page.measure import live_features, measure_run
from genointerp.page.run import open_run
from genointerp.store.table.labels import leads, with_scores
from genointerp.store.table.schema.feature import FEATURE_SUMMARY
from genointerp.store.table.schema.label import LABEL_KINDS
from genointerp.store.table.table import read_table
from tests.page.conftest import HOSTILE, N_FEATURES

SHOWN = {4: "mine", 5: HOSTILE, 9: "unexplained"}
ESCAPED = "&lt;/script&gt;&lt;script&gt;window.stolen=1&lt;/script&gt;"


def section_of(page, name):
    return page.partition(f'<section id="{name}">')[2].partition("</section>")[0]


def test_the_table_of_features_ends_with_the_leading_label(page_path, run_dir):
    written = read_table(page_path.with_name("report_tables") / "features.tsv", FEATURE_SUMMARY)
    for table in (written, open_run(run_dir).features):
        assert table.columns[-1] == "label"
        told = table.set_index("feature")["label"]
        assert told[told != ""].to_dict() == SHOWN


def test_the_section_of_labels_has_scores_next_to_controls_and_what_is_unexplained(page_path):
    section = section_of(page_path.read_text(), "labels")
    titles = [part.partition("</h3>")[0] for part in section.split("<h3>")[1:]]
    assert titles == [
        *("Scores next to controls", "Kinds", "Labels that hold best", "Labels that hold worst"),
        "What no label explains",
    ]
    assert "statistics, of other features" in section
    best, worst = section.index("Labels that hold best"), section.index("Labels that hold worst")
    order = [section.index(f">{ESCAPED}", best), section.index(">after ACG<", best), worst]
    assert order == sorted(order)
    rest = section[section.index("What no label explains") :]
    assert [n for n in range(N_FEATURES) if f'<td data-exact="{n}" class="number">' in rest] == [9]


def test_text_of_labels_is_escaped_wherever_it_is_shown(page_path, folder_path):
    pages = [page_path, folder_path / "index.html", folder_path / "features" / "5.html"]
    for path in pages:
        page = path.read_text()
        assert ESCAPED in page
        assert "<script>window.stolen" not in page
        assert "<img src=x" not in page


def test_a_feature_is_titled_and_found_by_its_label_and_its_page_has_both(folder_path, run_dir):
    page = (folder_path / "features" / "4.html").read_text()
    assert "<h1>f/4 mine</h1>" in page
    places = [
        page.index(f"<h3>{it}</h3>") for it in ("Label by hand", "Labels", "Scores of its labels")
    ]
    assert places == sorted(places)
    assert ">after ACG<" in page
    run = open_run(run_dir)
    assert run.feature("mine").names == ("mine",)
    measured = measure_run(run, [])
    script = index_script(run, measured, live_features(measured, run), ElementWords())
    assert '"mine"' in script


def test_a_run_without_labels_shows_none(run_dir, tmp_path):
    skipped = shutil.ignore_patterns("*label*", "dossiers", "sae")
    run = open_run(shutil.copytree(run_dir, tmp_path / "run", ignore=skipped))
    assert run.labels is run.label_scores is None
    assert "label" not in run.features
    assert measure_run(run, []).label_kinds is None


def test_kinds_are_counted_once_for_each_feature(page_path):
    table = read_table(page_path.with_name("report_tables") / "label_kinds.tsv", LABEL_KINDS)
    counts = dict(zip(table["kind"], table["n_features"], strict=True))
    expected = {"concept": 0, "position": 0, "composition": 1, "repeat": 1, "unclear": 1}
    assert counts == {**expected, "none": N_FEATURES - 3}
    assert table["share"].sum() == pytest.approx(1)
    row = table.set_index("kind").loc["composition"]
    assert (row["n_executable"], row["f1"], row["shuffled_f1"]) == (1, 0.75, 0.25)
    assert np.isnan(table.set_index("kind").loc["repeat", "f1"])
    alone = count_kinds(labels_table([FeatureLabel(0, "x", "repeat")]), None, 4)
    assert alone["n_features"].tolist() == [0, 0, 0, 1, 0, 3]


def test_a_label_that_was_changed_has_no_score_of_what_it_was():
    known = {"source": "person", "author": "Ada", "date": "2026-01-31"}
    trna = dict(concept="tRNA", orientation="sense", part="body")
    before = FeatureLabel(0, "stems", "concept", **trna, **known)
    after = FeatureLabel(0, "stems", "concept", **{**trna, "concept": "rRNA"}, **known)
    row = {"feature": 0, "source": "person", "label": "stems", "bases": "tRNA sense body"}
    scores = pd.DataFrame([row | {"f1": 0.9, "f1_always_on": 0.1, "shuffled_f1": 0.2}])
    joined = with_scores(labels_table([before]), scores, ["f1"])
    assert joined["f1"].tolist() == [0.9]
    assert np.isnan(with_scores(labels_table([after]), scores, ["f1"])["f1"]).all()
    kinds = count_kinds(labels_table([after]), scores, 3).set_index("kind")
    assert kinds.loc["concept", "n_executable"] == 0


def test_a_model_that_found_nothing_does_not_hide_what_statistics_found():
    assert leads("model", "Unexplained") > leads("statistics", "tRNA")
    assert leads("person", "unexplained") < leads("model", "tRNA") < leads("statistics", "tRNA")
