"""Labels as explanations of Neuronpedia: written, read again, and what is refused."""

import gzip
import json
import logging

import pandas as pd
import pytest

import genointerp as gi
from genointerp.core.errors import InputError, MismatchError, SchemaError
from genointerp.core.provenance import Provenance
from genointerp.labelling.label import FeatureLabel, labels_of_table, labels_table
from genointerp.store.table.labels import read_labels
from genointerp.store.table.neuronpedia import STATISTICS, explanation_lines, read_explanations
from genointerp.store.table.schema.label import LABELS, MOST_LETTERS, MOST_WORDS
from genointerp.store.table.table import read_table, write_table
from genointerp.store.verify import all_passed, verify
from tests.stores import dense_features, write_features

BLANK = {"modelId": "toy", "layer": "blocks.1", "index": "3", "description": "starts of genes"}


@pytest.fixture
def store(tmp_path):
    return write_features(tmp_path / "f.h5", dense_features())


def read(tmp_path, store, *records, name="e.jsonl"):
    path = tmp_path / name
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records))
    return read_explanations(path, store)


def test_labels_come_back_as_they_were_written(tmp_path, store):
    model = {"source": "model", "author": "gpt-x", "date": "2026-01-31", "prompt": "label-v1"}
    person = {"source": "person", "author": "Ada <b>", "date": "2026-02-28"}
    labels = [
        FeatureLabel(1, "tRNA, acceptor stem", "unclear", **model),
        FeatureLabel(1, 'mine "x" \N{GREEK SMALL LETTER BETA}', "unclear", **person),
        FeatureLabel(5, "after TAG", "unclear", **model),
    ]
    table = labels_table(labels)
    write_table(table, tmp_path / "labels.tsv", LABELS, Provenance({}, {}))
    out = tmp_path / "e.jsonl"
    assert gi.export(store, out=out, labels=tmp_path / "labels.tsv") == 3
    assert all_passed(verify(out))
    pd.testing.assert_frame_equal(read_labels([out], store), table)
    assert gi.export(store, out=tmp_path / "again.tsv", labels=out) == 3
    pd.testing.assert_frame_equal(read_table(tmp_path / "again.tsv", LABELS), table)


def test_statistics_stay_statistics_beside_a_label_of_a_model(tmp_path, store):
    table = labels_table(
        [
            FeatureLabel(2, "tRNA", "unclear"),
            FeatureLabel(2, "tRNA genes", "unclear", source="model", author="gpt-x"),
        ]
    )
    out = tmp_path / "e.jsonl"
    out.write_text("".join(f"{line}\n" for line in explanation_lines(table, store)))
    found = read_labels([out], store)
    pd.testing.assert_frame_equal(found, table)


def test_a_line_is_not_ended_by_what_stands_in_a_text(tmp_path, store):
    path = tmp_path / "e.jsonl"
    path.write_text(json.dumps(BLANK | {"description": "a\u2028b"}, ensure_ascii=False) + "\n")
    assert read_explanations(path, store)["label"].tolist() == ["a b"]


def test_an_explanation_has_the_keys_of_an_export_and_no_label_is_executable(tmp_path, store):
    own = FeatureLabel(2, "tRNA", "concept", concept="tRNA", orientation="sense", part="body")
    (line,) = explanation_lines(labels_table([own]), store)
    assert json.loads(line) == {
        **{"modelId": "toy", "layer": "blocks.1", "index": "2", "description": "tRNA"},
        **{"typeName": None, "explanationModelName": STATISTICS, "authorName": None},
        "createdAt": None,
    }
    (back,) = labels_of_table(read_labels([_written(tmp_path, line)], store))
    assert (back.label, back.source, back.author, back.kind) == (
        "tRNA",
        "statistics",
        "",
        "unclear",
    )
    assert not back.is_executable


def _written(tmp_path, text):
    path = tmp_path / "one.jsonl"
    path.write_text(f"{text}\n")
    return path


def test_a_long_text_is_cut_and_kept_whole_as_explanation(tmp_path, store):
    words = " ".join(f"word{n}" for n in range(12))
    table = read(
        tmp_path,
        store,
        {**BLANK, "description": f"{words}\nand\tmore"},
        {**BLANK, "index": 4, "description": "x" * 200},
    )
    assert table["label"][0].split() == words.split()[:MOST_WORDS]
    assert table["explanation"][0] == f"{words} and more"
    assert (table["label"][1], table["explanation"][1]) == ("x" * MOST_LETTERS, "x" * 200)
    assert len(labels_of_table(table)) == 2


def test_the_first_of_a_feature_and_source_is_kept_and_the_log_says_so(tmp_path, store, caplog):
    caplog.set_level(logging.INFO)
    model = {"explanationModelName": "m", "typeName": "oai_token-act-pair"}
    records = [{**BLANK, **model, "description": text} for text in ("first", "second", None, " \t")]
    table = read(tmp_path, store, *records, {**BLANK, "description": "of a person"})
    assert table[["label", "source", "author", "prompt"]].to_numpy().tolist() == [
        ["first", "model", "m", "oai_token-act-pair"],
        ["of a person", "person", "Neuronpedia", ""],
    ]
    assert "3 of 5 explanations are empty, or not the first" in caplog.text


def test_lists_features_of_the_api_and_gzip_are_read(tmp_path, store):
    of = {key: BLANK[key] for key in ("modelId", "layer", "index")}
    feature = {**of, "explanations": [{"description": "a", "explanationModelName": "m"}]}
    forms = {
        "lines.jsonl": json.dumps({**BLANK, "description": "a", "explanationModelName": "m"}),
        "list.jsonl": json.dumps([feature]),
        "api.jsonl": json.dumps(feature, indent=2),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
        for path in (tmp_path / name, tmp_path / f"{name}.gz"):
            assert read_labels([path], store)["label"].tolist() == ["a"], path


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"modelId": "gpt2"}, MismatchError, "line 1: modelId: expected toy, found 'gpt2'$"),
        ({"layer": None}, MismatchError, "line 1: layer: expected blocks.1, found None"),
        ({"index": "7"}, MismatchError, "index: expected a feature from 0 to 6, found '7'"),
        ({"index": "-1"}, MismatchError, "index: expected a feature from 0 to 6, found '-1'"),
        ({"description": 5}, SchemaError, "description: expected a text, found int"),
        ({"explanations": [3]}, SchemaError, "line 1: expected an object of JSON, found int"),
    ],
)
def test_what_is_of_another_model_or_site_or_no_explanation_is_refused(
    tmp_path, store, change, error, message
):
    with pytest.raises(error, match=message):
        read(tmp_path, store, {**BLANK, **change})


def test_a_damaged_file_and_none_are_refused(tmp_path, store):
    with pytest.raises(SchemaError, match="line 1: expected JSON"):
        read_explanations(_written(tmp_path, '{"modelId": "t'), store)
    with pytest.raises(SchemaError, match="line 1: expected an object of JSON, found int"):
        read_explanations(_written(tmp_path, "3"), store)
    with pytest.raises(InputError, match="expected a table of labels, or a run that has them"):
        gi.export(store, out=tmp_path / "x.jsonl")
    with pytest.raises(InputError, match="expected no feature, since all are written, found 3"):
        gi.export(store, 3, out=tmp_path / "x.jsonl")
