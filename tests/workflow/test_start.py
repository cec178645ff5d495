"""Genomes as somebody brings them: names, annotations, directories; and the template of init."""

import gzip
import re
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from genointerp.command.start.init import init
from genointerp.core.errors import InputError
from genointerp.genome.read import read_genome
from genointerp.reading.harvest import HarvestConfig
from genointerp.workflow import start as module
from genointerp.workflow.config import check_run_config, read_run_config, run_schema
from genointerp.workflow.inputs import RECORD, InputRecord
from genointerp.workflow.start import bring, check_directory, run_lines, start_config
from genointerp.workflow.template import template
from tests.conftest import DATA

GENBANK = DATA / "phix174.gbk"


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "my phage-2.fa.gz"
    bases = read_genome(GENBANK)
    (contig,) = bases.values()
    text = contig.sequence.tobytes().decode()
    path.write_bytes(gzip.compress(f">phiX\n{text[:100]}{'N' * 20}{text[120:].lower()}\n".encode()))
    return path


def test_a_genbank_file_brings_its_annotation():
    (one,) = bring([GENBANK])
    assert (one.name, one.annotation) == ("phix174", GENBANK)
    assert re.search(r"elements, in the file itself", one.source)
    config = start_config([one], train=False)
    assert config["genomes"]["phix174"]["annotation"] == str(GENBANK)
    assert (config["sae"], config["windows"]) == ("shipped:nano", {"length": 2048, "warmup": 256})


def test_names_become_those_of_folders_and_no_two_are_the_same(fasta, tmp_path):
    paths = [fasta, *(tmp_path / name for name in ("my_phage_2.fna", "9.fa", "logs.gb.fa"))]
    for path in paths[1:]:
        path.write_text(f">c\n{'ACGT' * 600}\n")
    names = [one.name for one in bring(paths)]
    assert names == ["my_phage_2", "my_phage_2_2", "genome_9", "logs_gb"]


def test_an_annotation_with_the_same_stem_is_taken_and_said(fasta):
    beside = fasta.with_name("my phage-2.gff3")
    beside.write_text("##gff-version 3\nphiX\tx\tCDS\t1\t90\t.\t+\t0\tID=a\n")
    (one,) = bring([fasta])
    assert one.annotation == beside
    assert one.source == f"1 element, {beside}, found next to the sequence"


def test_without_an_annotation_it_is_said_which_finders_predict_one_and_which_are_missing(
    fasta, monkeypatch
):
    monkeypatch.setattr(module, "installed_finders", lambda names: ["pyrodigal", "pyaragorn"])
    (one,) = bring([fasta])
    assert "predicted by pyrodigal, pyaragorn; not installed: pybarrnap (rRNA genes)" in one.source
    monkeypatch.setattr(module, "installed_finders", lambda names: [])
    (one,) = bring([fasta])
    assert one.source.startswith("none, so that features get no concepts")
    assert 'pip install "genointerp[annotate]"' in one.source
    assert start_config([one], train=True)["genomes"][one.name]["annotate_with"] == []


def test_a_genbank_file_without_features_is_annotated_by_finders(tmp_path):
    text = GENBANK.read_text()
    begin, end = re.search(r"^ {5}(?!source)\S", text, re.M).start(), text.index("ORIGIN")
    (tmp_path / "bare.gb").write_text(text[:begin] + text[end:])
    (one,) = bring([tmp_path / "bare.gb"])
    assert one.annotation is None
    found = start_config([one], train=False)["genomes"]["bare"]["annotate_with"]
    assert found
    init(tmp_path / "bare.gb", tmp_path / "run.yaml")
    written = yaml.safe_load((tmp_path / "run.yaml").read_text())["genomes"]["bare"]
    assert written["annotate_with"] == found


def test_what_is_read_is_said_with_what_is_unknown(fasta):
    lines = run_lines(bring([fasta]), train=False)
    assert lines[0].endswith("1 contig, linear, 5,386 bases, 20 of them unknown (N)")
    assert any("reads all 5,386 bases" in line for line in lines)
    assert "features: from the dictionary shipped:nano" in lines


def test_a_directory_of_another_genome_is_refused_and_one_of_this_is_taken_up(fasta, tmp_path):
    brought, out = bring([fasta]), tmp_path / "out"
    check_directory(out, brought)
    out.mkdir()
    check_directory(out, brought)
    # what a run leaves that was stopped before it began
    (out / ".lock").touch()
    check_directory(out, brought)
    record = InputRecord({"genomes.my_phage_2.sequence": brought[0].genome.sha256})
    record.write(out / RECORD)
    check_directory(out, brought)
    with pytest.raises(InputError, match=r"a new directory .*found a run of my_phage_2"):
        check_directory(out, bring([GENBANK]))
    (out / RECORD).rename(out / "notes.txt")
    with pytest.raises(InputError, match="found other files"):
        check_directory(out, brought)


def test_as_many_annotations_as_genomes_are_expected(fasta):
    with pytest.raises(InputError, match="an annotation for each of 1 genomes"):
        bring([fasta], [GENBANK, GENBANK])


def test_a_training_of_ones_own_takes_the_place_of_the_dictionary(fasta):
    config = start_config(bring([fasta]), train=True)
    assert "sae" not in config
    assert config["fit"] == ["my_phage_2"]
    assert Path(config["dictionary"]).name == "dictionary-demo.yaml"


@pytest.mark.parametrize("name", ["no", "on", "phage_2"])
def test_a_name_that_yaml_takes_for_no_text_is_quoted(name):
    found = yaml.safe_load(template({name: {"sequence": "a.fa"}}))
    assert found["genomes"] == {name: {"sequence": "a.fa"}}


def test_init_writes_every_key_with_its_meaning_and_the_file_can_be_run(fasta, tmp_path):
    init(fasta, tmp_path / "run.yaml")
    text = (tmp_path / "run.yaml").read_text()
    found = read_run_config(tmp_path / "run.yaml")
    assert found["genomes"]["my_phage_2"]["sequence"] == str(fasta)
    keys = re.findall(r"^#?(\w+):", text, re.M)
    assert keys == list(run_schema()["properties"])
    # the defaults that it writes are those of a run that says nothing
    genomes = {"genomes": {"my_phage_2": {"sequence": fasta.name}}}
    (tmp_path / "bare.yaml").write_text(yaml.safe_dump(genomes))
    bare = read_run_config(tmp_path / "bare.yaml")
    assert {key: it for key, it in found.items() if key != "windows"} == {
        key: it for key, it in bare.items() if key != "windows"
    }


def test_the_examples_of_init_are_allowed_by_the_schema(fasta, tmp_path):
    init(fasta, tmp_path / "run.yaml")
    text = re.sub(r"^(\s*)#(?=\S)", r"\1", (tmp_path / "run.yaml").read_text(), flags=re.M)
    check_run_config(yaml.safe_load(text), where="all examples")


def test_the_windows_of_the_schema_are_those_of_a_harvest():
    keys = run_schema()["properties"]["windows"]["properties"]
    own = asdict(HarvestConfig()) | {"length": HarvestConfig.window}
    assert {key: entry["default"] for key, entry in keys.items()} == {key: own[key] for key in keys}
