"""Features by their labels, wherever a feature may be named."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import genointerp as gi
from genointerp.cli.main import app
from genointerp.core.errors import InputError, MismatchError, UnknownNameError
from genointerp.core.provenance import Provenance
from genointerp.feature.specimen_files import labels_around
from genointerp.labelling.label import FeatureLabel, labels_table
from genointerp.sae.header import read_header
from genointerp.store.table.labels import LabelFiles
from genointerp.store.table.schema.feature import QUERY, TOP_LOCI
from genointerp.store.table.schema.label import LABELS
from genointerp.store.table.table import read_provenance, read_table, write_table
from tests.dictionaries import write_directions
from tests.stores import dense_features, write_features

TEXTS = {0: "CDS_phase0", 1: "after TAG", 2: "after TAG", 3: 'a "b" <i>\t=1', 4: "unexplained"}


def labels_of(texts=TEXTS, **more):
    kinds = {text: "unclear" if text == "unexplained" else "composition" for text in texts.values()}
    return labels_table(FeatureLabel(f, text, kinds[text], **more) for f, text in texts.items())


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    config = {"genomes": {"g": {"sequence": "g.fa", "annotate_with": []}}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    (folder / "g.fa").write_text(f">chrA\n{'ACGT' * 30}\n>chrB\n{'ACGT' * 10}\n")
    sha256 = gi.read_genome(folder / "g.fa").sha256
    write_features(folder / "g" / "features.h5", dense_features(), genome_sha256=sha256)
    record = Provenance({}, {"sae": "s" * 64})
    write_table(labels_of(), folder / "labels.tsv", LABELS, record)
    return folder


def test_the_answer_to_a_query_ends_with_the_label(run, tmp_path):
    table = gi.query(run, "chrA:1-60", top=None, out=tmp_path / "q.tsv")
    assert table.columns[-1] == "label"
    expected = {**{f: "" for f in range(7)}, **TEXTS, 3: 'a "b" <i> =1'}
    assert dict(zip(table["feature"], table["label"], strict=True)) == expected
    assert read_table(tmp_path / "q.tsv", QUERY)["label"].tolist() == table["label"].tolist()
    assert "labels-0" in read_provenance(tmp_path / "q.tsv", QUERY)["inputs"]
    (run / "labels.tsv").unlink()
    assert "label" not in gi.query(run, "chrA:1-60")


def test_a_feature_is_named_by_a_label_that_is_its_own(run, tmp_path):
    named = gi.query(run, "chrA:1-60", feature="CDS_phase0")
    pd.testing.assert_frame_equal(named, gi.query(run, "chrA:1-60", feature=0))
    loci = gi.top(run, "CDS_phase0", out=tmp_path / "t.tsv")
    assert set(loci["label"]) == {"CDS_phase0"}
    assert loci.columns[-1] == "label"
    assert read_table(tmp_path / "t.tsv", TOP_LOCI)["label"][0] == "CDS_phase0"
    told = CliRunner().invoke(app, ["query", str(run), "chrA:1-60", "--feature", "CDS_phase0"])
    assert told.output.count("CDS_phase0") == len(named)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("after TAG", "expected a label of one feature, found 'after TAG' of features 1, 2$"),
        ("CDS_phase", r"a name \(the dictionary has none\), or a label, .*did you mean 'CDS_ph"),
        ("7", "expected a feature from 0 to 6, found 7"),
    ],
)
def test_a_label_of_several_features_or_of_none_names_no_feature(run, name, message):
    with pytest.raises(UnknownNameError, match=message):
        gi.top(run, name)


def test_a_dictionary_in_a_run_knows_its_labels(run, tmp_path):
    write_directions(run / "sae", np.eye(7, 4))
    write_directions(tmp_path / "alone", np.eye(7, 4))
    header = read_header(run / "sae")
    assert header.feature_number("CDS_phase0", partial(labels_around, header.folder)) == 0
    assert labels_around(tmp_path / "alone") == {}


def test_a_long_list_of_features_of_a_label_is_cut():
    from genointerp.core.feature_names import feature_number

    with pytest.raises(UnknownNameError, match=r"of features 0, .*, 11 and 88 more$"):
        feature_number("x", {}, where="w", labels=lambda: {"x": range(100)})


def test_labels_may_be_given_and_beat_those_of_the_run(run, tmp_path):
    given = tmp_path / "mine.tsv"
    write_table(labels_of({5: "CDS_phase0"}), given, LABELS, Provenance({}, {}))
    assert gi.query(run, feature="CDS_phase0", labels=given)["feature"].unique() == [5]
    store = run / "g" / "features.h5"
    assert gi.top(store, "CDS_phase0", labels=given)["label"].unique() == ["CDS_phase0"]
    assert "label" not in gi.top(store, 5)
    with pytest.raises(InputError, match=r"none\.tsv: expected a file that can be read"):
        gi.query(run, labels=tmp_path / "none.tsv")
    record = Provenance({}, {"sae": "t" * 64})
    write_table(labels_of({5: "x"}), tmp_path / "other.tsv", LABELS, record)
    with pytest.raises(MismatchError, match="dictionary"):
        gi.query(run, labels=tmp_path / "other.tsv")


def test_a_label_that_changes_is_read_again(run):
    labels = LabelFiles([run / "hand_labels.tsv", run / "labels.tsv"])
    store = gi.FeatureStore(run / "g" / "features.h5").labelled(labels)
    assert store.names_of(0) == ["CDS_phase0"]
    assert store.names_of(4) == store.names_of(6) == []
    label = gi.add_hand_label(run, FeatureLabel(0, "my name", "concept", author="Ada"))
    assert pickle.loads(pickle.dumps(store)).names_of(0) == store.names_of(0) == ["my name"]
    assert store.find_feature("my name") == 0
    gi.remove_hand_label(run, label)
    assert store.names_of(0) == ["CDS_phase0"]


def test_what_is_exported_is_called_by_its_label(run, tmp_path):
    out = {suffix: tmp_path / f"t.{suffix}" for suffix in ("gff3", "fasta", "bedgraph", "bed")}
    for path in out.values():
        assert gi.export(run, 3, out=path) > 0
    assert out["gff3"].read_text().splitlines()[-1].endswith(";label=a %22b%22 %3Ci%3E %3D1")
    assert out["fasta"].read_text().splitlines()[0].endswith(" label=a %22b%22 %3Ci%3E %3D1")
    lines = out["bedgraph"].read_text().splitlines()
    assert lines[1] == "track type=bedGraph name=\"f/3 a 'b' <i> =1\""
    assert r"a \"b\" <i>" in (tmp_path / "t.bed-metadata.json").read_text()
    gi.export(run, 6, out=tmp_path / "u.bedgraph")
    assert "track" not in (tmp_path / "u.bedgraph").read_text()
