from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
import yaml

from genointerp.core.errors import (
    ConflictError,
    InputError,
    MismatchError,
    SchemaError,
    StorageError,
    UnknownNameError,
)
from genointerp.core.lock import only_writer
from genointerp.core.provenance import Provenance
from genointerp.labelling import hand
from genointerp.labelling.hand import (
    add_hand_label,
    hand_labels,
    remove_hand_label,
    replace_hand_label,
    run_labels,
)
from genointerp.labelling.label import FeatureLabel, labels_table, leading_labels
from genointerp.store.table.labels import label_texts, read_labels, with_labels
from genointerp.store.table.schema.label import LABELS
from genointerp.store.table.table import read_provenance, write_table
from tests.stores import dense_features, write_features


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    config = {"genomes": {"g": {"sequence": "g.fa"}}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    write_features(folder / "g" / "features.h5", dense_features())
    return folder


def by_ada(feature=3, label="a tRNA, perhaps", **more):
    return FeatureLabel(feature, label, "concept", **{"author": "Ada", **more})


def test_a_label_by_hand_is_kept_with_author_and_date(run):
    assert hand_labels(run) == {}
    kept = add_hand_label(run, by_ada(source="statistics", explanation="seen\nat loci"))
    assert (kept.source, kept.author, kept.date) == ("person", "Ada", date.today().isoformat())
    assert kept.explanation == "seen at loci"
    assert repr(hand_labels(run)) == repr({3: kept})
    made = read_provenance(run / "hand_labels.tsv", LABELS)
    assert made["inputs"] == {"sae": "s" * 64}


def test_a_label_by_hand_leads_and_the_others_stay(run):
    statistics = [FeatureLabel(f, f"after {'ACGT'[f]}", "composition") for f in range(4)]
    record = Provenance({}, {"sae": "s" * 64})
    write_table(labels_table(statistics), run / "labels.tsv", LABELS, record)
    add_hand_label(run, by_ada(2))
    found = run_labels(run)
    assert [(it.feature, it.source) for it in found] == [
        *[(0, "statistics"), (1, "statistics"), (2, "person"), (2, "statistics")],
        (3, "statistics"),
    ]
    shown = {feature: it.label for feature, it in leading_labels(found).items()}
    assert shown == {0: "after A", 1: "after C", 2: "a tRNA, perhaps", 3: "after T"}
    store = write_features(run / "again.h5", dense_features())
    table = read_labels([run / "hand_labels.tsv", run / "labels.tsv"], store)
    assert label_texts(table) == shown
    frame = table[["feature"]].drop_duplicates()
    assert with_labels(frame, table)["label"].tolist() == list(shown.values())


def test_what_somebody_else_changed_is_not_replaced(run):
    first = add_hand_label(run, by_ada())
    with pytest.raises(ConflictError, match=r"feature 3: expected none, found 'a tRNA, perhaps'"):
        add_hand_label(run, by_ada(label="mine"))
    second = replace_hand_label(run, first, by_ada(label="a rRNA", author="Ben"))
    for change in (
        lambda: replace_hand_label(run, first, by_ada(label="mine")),
        lambda: remove_hand_label(run, first),
    ):
        with pytest.raises(ConflictError, match=r"found 'a rRNA' by Ben of \d{4}-\d\d-\d\d$"):
            change()
    add_hand_label(run, by_ada(5))
    remove_hand_label(run, second)
    assert list(hand_labels(run)) == [5]
    remove_hand_label(run, hand_labels(run)[5])
    assert hand_labels(run) == {}


def test_writers_at_once_lose_nothing(run):
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda feature: add_hand_label(run, by_ada(feature)), range(6)))
    assert list(hand_labels(run)) == list(range(6))


def test_a_writer_that_waits_in_vain_says_so(run, monkeypatch):
    monkeypatch.setattr(hand, "_WAIT_S", 0.05)
    with (
        only_writer(run / "hand_labels.tsv"),
        pytest.raises(StorageError, match="another process that writes it"),
    ):
        add_hand_label(run, by_ada())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"author": " \t"}, InputError, "feature 3: author: expected who says so, found none"),
        ({"date": "3.1.2026"}, InputError, "date: expected a date such as 2026-01-31"),
        ({"date": "20260131"}, InputError, "date: expected a date such as 2026-01-31"),
        ({"feature": 7}, InputError, "feature 7: expected a feature from 0 to 6, found 7"),
        (
            {"concept": "tRNAs", "orientation": "sense", "part": "body"},
            UnknownNameError,
            r"concept: .* tRNA",
        ),
    ],
)
def test_what_is_no_label_of_the_run_is_refused(run, change, error, message):
    with pytest.raises(error, match=message):
        add_hand_label(run, replace(by_ada(), **change))
    assert not (run / "hand_labels.tsv").exists()


def test_labels_of_another_dictionary_are_refused(run):
    record = Provenance({}, {"sae": "t" * 64})
    write_table(labels_table([FeatureLabel(1, "x", "unclear")]), run / "labels.tsv", LABELS, record)
    with pytest.raises(MismatchError, match="dictionary"):
        run_labels(run)


def test_labels_of_statistics_among_those_by_hand_are_refused(run):
    table = labels_table([FeatureLabel(1, "x", "unclear")])
    write_table(table, run / "hand_labels.tsv", LABELS, Provenance({}, {}))
    with pytest.raises(SchemaError, match="source: expected person, found statistics"):
        hand_labels(run)


def test_two_labels_of_one_source_are_refused(run):
    add_hand_label(run, by_ada())
    write_table(
        labels_table([by_ada(source="person")]), run / "labels.tsv", LABELS, Provenance({}, {})
    )
    with pytest.raises(SchemaError, match=r"expected one label of source person .* two of feature"):
        run_labels(run)
