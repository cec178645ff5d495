"""Inputs by content: what was exchanged is noticed whatever its times say."""

import os
import shutil

import pytest
import yaml

from genointerp.core.provenance import sha256_file
from genointerp.genome.read import read_genome
from genointerp.workflow import inputs
from genointerp.workflow.config import read_run_config
from genointerp.workflow.inputs import RECORD, InputRecord, input_digests


@pytest.fixture
def config(tmp_path):
    (tmp_path / "g.fa").write_text(">c\nACGT\n")
    (tmp_path / "g.gff3").write_text("##gff-version 3\n")
    (tmp_path / "train.yaml").write_text("seed: 1\n")
    (tmp_path / "own.pt").write_text("weights")
    values = {
        "genomes": {"g": {"sequence": "g.fa", "annotation": "g.gff3"}},
        "model": {"name": "nano", "checkpoint": "own.pt"},
        "fit": ["g"],
        "dictionary": "train.yaml",
        "fidelity": {"genome": "g", "regions": ["c"]},
    }
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(values))
    return read_run_config(tmp_path / "run.yaml")


def recorded(config, folder):
    record = InputRecord.read(folder / RECORD)
    record.update(config, folder)
    record.write(folder / RECORD)
    return record.sha256


def test_the_digest_of_a_sequence_is_of_its_bases_and_of_other_files_of_their_bytes(
    config, tmp_path
):
    found = recorded(config, tmp_path)
    assert set(found) == {
        *("genomes.g.sequence", "genomes.g.annotation", "dictionary", "concepts", "model")
    }
    assert found["genomes.g.sequence"] == read_genome(tmp_path / "g.fa").sha256
    assert found["genomes.g.annotation"] == sha256_file(tmp_path / "g.gff3")
    (tmp_path / "g.fa").write_text(">c some words\nAC\nGT\n")
    assert recorded(config, tmp_path) == found == input_digests(config, tmp_path)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("g.fa", "genomes.g.sequence"),
        ("g.gff3", "genomes.g.annotation"),
        ("train.yaml", "dictionary"),
        ("own.pt", "model"),
    ],
)
@pytest.mark.parametrize("in_place", [True, False], ids=["written-over", "renamed-over"])
def test_a_file_of_the_same_size_and_times_but_other_content_is_noticed(
    config, tmp_path, name, role, in_place
):
    path, before = tmp_path / name, recorded(config, tmp_path)
    times = path.stat()
    other = path.read_bytes()[::-1] if name != "g.fa" else b">c\nTTTT\n"
    fresh = path if in_place else tmp_path / "fresh"
    fresh.write_bytes(other)
    os.utime(fresh, ns=(times.st_atime_ns, times.st_mtime_ns))
    fresh.rename(path)
    after = recorded(config, tmp_path)
    assert {key for key in after if after[key] != before[key]} == {role}


def test_a_file_that_did_not_change_is_not_read_again(config, tmp_path, monkeypatch):
    before = recorded(config, tmp_path)
    monkeypatch.setattr(inputs, "sha256_file", None)
    monkeypatch.setattr(inputs, "read_genome", None)
    assert recorded(config, tmp_path) == before


def test_a_copy_that_keeps_its_old_time_is_noticed_and_the_first_file_again_is_the_first(
    config, tmp_path
):
    path = tmp_path / "g.gff3"
    first = recorded(config, tmp_path)
    shutil.copy2(path, tmp_path / "kept")
    path.write_text("##gff-version 3\n# other\n")
    os.utime(path, (0, 0))
    assert recorded(config, tmp_path) != first
    (tmp_path / "kept").rename(path)
    assert recorded(config, tmp_path) == first


def test_a_record_that_cannot_be_read_is_made_anew(config, tmp_path):
    before = recorded(config, tmp_path)
    for text in ("", "[]", "{}", "\x00"):
        (tmp_path / RECORD).write_text(text)
        assert recorded(config, tmp_path) == before
