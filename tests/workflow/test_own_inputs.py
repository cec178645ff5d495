"""What a run directory holds of its inputs, and that it means the same where it is moved."""

import shutil

import pytest
import yaml

from genointerp.core.errors import InputError
from genointerp.sae.header import read_header
from genointerp.sae.shipped import dictionary_folder
from genointerp.workflow.config import read_run_config
from genointerp.workflow.inputs import InputRecord
from genointerp.workflow.own_inputs import take_inputs


@pytest.fixture
def config(tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "g.fa").write_text(">c\nACGT\n")
    (tmp_path / "given" / "g.gff3").write_text("##gff-version 3\n")
    genome = {"sequence": "given/g.fa", "annotation": "given/g.gff3"}
    values = {"genomes": {"g": genome}, "sae": "shipped:nano"}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(values))
    return read_run_config(tmp_path / "run.yaml")


def test_inputs_are_copied_and_named_relative_to_the_run_directory(config, tmp_path):
    own = take_inputs(config, tmp_path / "run")
    assert own["genomes"]["g"] == {
        "sequence": "inputs/genomes.g.sequence/g.fa",
        "annotation": "inputs/genomes.g.annotation/g.gff3",
    }
    assert (tmp_path / "run" / own["genomes"]["g"]["sequence"]).read_text() == ">c\nACGT\n"
    assert str(tmp_path) not in yaml.safe_dump(own)


def test_a_run_directory_that_was_moved_is_resolved_to_itself(config, tmp_path):
    own = take_inputs(config, tmp_path / "run")
    (tmp_path / "run" / "config.yaml").write_text(yaml.safe_dump(own))
    shutil.rmtree(tmp_path / "given")
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "run").rename(tmp_path / "elsewhere" / "moved")
    found = read_run_config(moved / "config.yaml")
    assert found["genomes"]["g"]["sequence"].startswith(str(moved))
    before = {path: path.stat().st_mtime_ns for path in moved.glob("**/*") if path.is_file()}
    assert take_inputs(found, moved) == own
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_an_input_that_changed_is_copied_again_and_another_name_takes_its_place(config, tmp_path):
    take_inputs(config, tmp_path / "run")
    source = tmp_path / "given" / "g.fa"
    source.write_text(">c\nTTTT\n")
    copy = tmp_path / "run" / take_inputs(config, tmp_path / "run")["genomes"]["g"]["sequence"]
    assert copy.read_text() == ">c\nTTTT\n"
    config["genomes"]["g"]["sequence"] = str(source.rename(tmp_path / "given" / "h.fa"))
    take_inputs(config, tmp_path / "run")
    assert [path.name for path in copy.parent.iterdir()] == ["h.fa"]


def test_one_file_of_sequence_and_annotation_is_copied_once(config, tmp_path):
    config["genomes"]["g"]["annotation"] = config["genomes"]["g"]["sequence"]
    own = take_inputs(config, tmp_path / "run")["genomes"]["g"]
    assert own["annotation"] == own["sequence"]


def test_a_dictionary_that_was_trained_in_the_run_is_never_replaced(config, tmp_path):
    folder = tmp_path / "run" / "sae"
    shutil.copytree(dictionary_folder("shipped:nano"), folder)
    (folder / "log.json").write_text("of a training before")
    with pytest.raises(InputError, match=r"choose another --out\), found .*log\.json"):
        take_inputs(config, tmp_path / "run")
    assert (folder / "log.json").read_text() == "of a training before"


def test_the_dictionary_is_copied_without_its_card_and_left_where_it_is_the_same(config, tmp_path):
    folder = tmp_path / "run" / "sae"
    take_inputs(config, tmp_path / "run")
    assert {path.name for path in folder.iterdir()} == {
        *("cfg.json", "sae_weights.safetensors", "scale.json")
    }
    assert read_header(folder).sha256 == read_header("shipped:nano").sha256
    before = (folder / "cfg.json").stat().st_mtime_ns
    take_inputs(config, tmp_path / "run")
    assert (folder / "cfg.json").stat().st_mtime_ns == before


def test_a_dictionary_of_a_folder_is_then_that_of_the_run(config, tmp_path):
    shutil.copytree(dictionary_folder("shipped:nano"), tmp_path / "own")
    own = take_inputs(config | {"sae": str(tmp_path / "own")}, tmp_path / "run")
    assert own["sae"] == "sae"


def test_weights_of_a_model_stay_where_they_are(config, tmp_path):
    (tmp_path / "weights").mkdir()
    model = {"name": str(tmp_path / "weights"), "checkpoint": str(tmp_path / "own.pt")}
    own = take_inputs(config | {"model": model}, tmp_path / "run")
    assert own["model"] == {"name": "./../weights", "checkpoint": "../own.pt"}


def test_the_record_of_the_inputs_names_no_place(config, tmp_path):
    own = take_inputs(config, tmp_path / "run")
    record = InputRecord()
    record.update(own, tmp_path / "run")
    record.write(tmp_path / "inputs.json")
    assert str(tmp_path) not in (tmp_path / "inputs.json").read_text()
