import json

import pytest

from genointerp.command.ask.summarise import summarise as write_summary
from genointerp.core.errors import InputError, SchemaError
from genointerp.core.provenance import Provenance
from genointerp.sae.header import read_header
from genointerp.store.table.schema.association import ASSOCIATIONS, BEST_PER_CONCEPT
from genointerp.store.table.table import empty_table, read_table, write_table


def test_files_that_are_mixed_up_are_refused_and_nothing_is_written(tmp_path):
    table, training, fidelity = (tmp_path / name for name in ("a.tsv", "log.json", "fid.json"))
    write_table(empty_table(ASSOCIATIONS), table, ASSOCIATIONS, Provenance({}, {}))
    training.write_text(json.dumps({"fvu": 0.1}))
    fidelity.write_text(json.dumps({"loss_recovered": 0.9}))
    out, best, text = (tmp_path / "out" / name for name in ("s.json", "b.tsv", "t.tsv"))
    with pytest.raises(SchemaError, match=r"fid\.json: expected .* key 'fvu'"):
        write_summary(
            table, training=fidelity, fidelity=training, out=out, best_out=best, text_out=text
        )
    assert not (tmp_path / "out").exists()


def test_without_associations_the_figures_stand_alone_and_the_tables_are_empty(tmp_path):
    (tmp_path / "log.json").write_text(json.dumps({"fvu": 0.1}))
    (tmp_path / "fid.json").write_text(json.dumps({"loss_recovered": 0.9}))
    out, best, text = (tmp_path / name for name in ("s.json", "b.tsv", "t.tsv"))
    files = {"training": tmp_path / "log.json", "fidelity": tmp_path / "fid.json"}
    write_summary(None, **files, out=out, best_out=best, text_out=text)
    summary = json.loads(out.read_text())
    assert (summary["fidelity"], summary["best_f1"]) == ({"loss_recovered": 0.9}, {})
    assert summary["provenance"]["inputs"].keys() == {"training", "fidelity"}
    assert read_table(best, BEST_PER_CONCEPT).empty
    assert read_table(text, ASSOCIATIONS).empty


def test_a_dictionary_that_was_there_is_named_in_place_of_its_training(tmp_path):
    (tmp_path / "fid.json").write_text(json.dumps({"loss_recovered": 0.9}))
    out, best, text = (tmp_path / name for name in ("s.json", "b.tsv", "t.tsv"))
    files = {"fidelity": tmp_path / "fid.json", "out": out, "best_out": best, "text_out": text}
    write_summary(None, sae="shipped:nano", **files)
    summary = json.loads(out.read_text())
    assert "training" not in summary
    assert summary["dictionary"]["source"] == "shipped:nano"
    assert summary["dictionary"]["sha256"] == read_header("shipped:nano").sha256
    with pytest.raises(InputError, match="the log of a training, or a dictionary, found none"):
        write_summary(None, **files)
