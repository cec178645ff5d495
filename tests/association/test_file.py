"""The command, from files to a table."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import resolve_split
from genointerp.association.split import split_stores
from genointerp.association.summary import best_per_concept
from genointerp.cli.main import app
from genointerp.core.errors import InputError, MismatchError, UnknownNameError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import read_genome, write_fasta
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.association import ASSOCIATIONS, BEST_PER_CONCEPT
from genointerp.store.table.schema.candidate import CANDIDATES
from genointerp.store.table.table import conform, read_table
from tests.plant import make_store, pick, silence
from tests.table_header import header_of

PHIX = Path(__file__).parents[1] / "data" / "phix174.gbk"
LENGTH = 12_000
PLACES = [(1000 * i + 7 * i * i % 800 + 60, "+-"[i % 2]) for i in range(12)]


@pytest.fixture
def files(tmp_path):
    sequence = np.random.default_rng(0).choice(np.frombuffer(b"ACGT", np.uint8), 2 * LENGTH)
    genome = Genome([Contig("fit", sequence[:LENGTH]), Contig("test", sequence[LENGTH:])])
    write_fasta(genome, tmp_path / "g.fasta")
    dense = silence(2 * LENGTH, 2)
    rows = ["##gff-version 3"]
    for index, seqid in enumerate(genome):
        rows.append(f"##sequence-region {seqid} 1 {LENGTH}")
        for number, (start, strand) in enumerate(PLACES):
            dense[strand][index * LENGTH + start : index * LENGTH + start + 76, 0] = 1
            other = index * LENGTH + start + 90
            dense[strand][other : other + 20, 1] = 1
            rows.append(
                f"{seqid}\tx\ttRNA\t{start + 1}\t{start + 76}\t.\t{strand}\t.\tID={seqid}{number}"
            )
    (tmp_path / "a.gff3").write_text("\n".join(rows) + "\n")
    make_store(tmp_path / "f.h5", dense, ContigInfo.of(genome), genome_sha256=genome.sha256)
    (tmp_path / "concepts.yaml").write_text("tRNA: {description: x, types: [tRNA]}\n")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def associate(files, *more):
    return run(
        "associate", files / "f.h5", "--annotations", files / "a.gff3", "--test", "test",
        "--concepts", files / "concepts.yaml", "--out", files / "t.parquet", *more,
    )  # fmt: skip


def test_associate_and_rank_go_from_files_to_files(files):
    result = associate(files, "--genome", files / "g.fasta", "--seed", 3)
    assert result.exit_code == 0, result.output
    table = read_table(files / "t.parquet", ASSOCIATIONS)
    assert pick(table, 0, "tRNA", "sense")["f1"] == pytest.approx(1.0)
    conform(best_per_concept(table), BEST_PER_CONCEPT, where="best")
    result = run(
        "rank", files / "f.h5", "--associations", files / "t.parquet",
        "--genome", files / "g.fasta", "--out", files / "c.tsv", "--seed", 3,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert read_table(files / "c.tsv", CANDIDATES)["feature"].tolist() == [1, 0]
    assert (files / "c.gff3").exists()
    assert (files / "c.fasta").exists()


def test_that_no_sequences_were_given_is_told_once_and_by_associate_alone(files, caplog):
    assert associate(files).exit_code == 0
    (told,) = [one.getMessage() for one in caplog.records if "no sequences" in one.getMessage()]
    assert told.endswith("not compared with matched background, nor test with fit")
    caplog.clear()
    genome = ("--genome", files / "g.fasta")
    assert associate(files, *genome, "--force").exit_code == 0
    line = ["--associations", files / "t.parquet", "--baselines-out", files / "b.tsv"]
    inputs = ["associate", files / "f.h5", "--annotations", files / "a.gff3", "--test", "test"]
    inputs += ["--concepts", files / "concepts.yaml", *genome]
    assert run(*inputs, *line).exit_code == 0
    line = ["--annotations", files / "a.gff3", "--concepts", files / "concepts.yaml", *genome]
    line += ["--associations", files / "t.parquet", "--out", files / "backtest.tsv"]
    assert run("backtest", files / "f.h5", *line).exit_code == 0
    assert "no sequences given" not in caplog.text


def like_named(folder):
    """Features of two genomes whose sequences have the same name."""
    paths = []
    for number, name in enumerate(("one", "two")):
        (folder / name).mkdir()
        paths.append(folder / name / "features.h5")
        dense = silence(100, 1)
        make_store(
            paths[-1],
            dense,
            (ContigInfo("c", 100, circular=False),),
            genome_sha256=f"{number}" * 64,
        )
    return paths


@pytest.mark.parametrize("how", ["path", "folder", "relative"])
def test_one_of_two_genomes_with_like_named_sequences_is_held_out_by_its_file(
    tmp_path, monkeypatch, how
):
    paths = like_named(tmp_path)
    monkeypatch.chdir(tmp_path)
    name = {"path": str(paths[1]), "folder": "two", "relative": "two/features.h5"}[how]
    stores = [FeatureStore(path.relative_to(tmp_path)) for path in paths]
    config = resolve_split(stores, AssociateConfig(test=(name,)))
    assert (config.test, config.test_genomes) == ((), ("1" * 64,))
    assert resolve_split(stores, config) == config
    first, second = split_stores(stores, config)
    assert [bool(side) for side in (*first, *second)] == [True, False, False, True]


def test_a_name_of_several_files_is_refused(tmp_path):
    stores = [FeatureStore(path) for path in like_named(tmp_path)]
    with pytest.raises(InputError, match=r"found features: 2 features files$"):
        resolve_split(stores, AssociateConfig(test=("features",)))
    with pytest.raises(UnknownNameError, match="test: expected one of the sequences c, c, found"):
        split_stores(stores, resolve_split(stores, AssociateConfig(test=("three",))))


def test_a_file_with_the_name_of_its_only_sequence_is_held_out(tmp_path):
    stores = [FeatureStore(path) for path in like_named(tmp_path)]
    shutil.copytree(tmp_path / "two", tmp_path / "c")
    stores[1] = FeatureStore(tmp_path / "c" / "features.h5")
    config = resolve_split(stores, AssociateConfig(test=("c",)))
    assert (config.test, config.test_genomes) == ((), ("1" * 64,))


def test_a_sequence_counts_before_a_file_of_its_name_with_other_sequences(tmp_path):
    contigs = (ContigInfo("c", 100, circular=False), ContigInfo("d", 100, circular=False))
    make_store(tmp_path / "c.h5", silence(200, 1), contigs)
    config = resolve_split([FeatureStore(tmp_path / "c.h5")], AssociateConfig(test=("c",)))
    assert (config.test, config.test_genomes) == (("c",), ())


def test_blocks_that_are_made_to_fit_are_logged_and_recorded(tmp_path, caplog):
    caplog.set_level("INFO")
    stores = [FeatureStore(path) for path in like_named(tmp_path)]
    config = resolve_split(stores, AssociateConfig())
    assert config.block_bp == 48
    assert "alternate blocks of 48 bases" in caplog.text


@pytest.mark.parametrize("more", [[], ["--genome", PHIX]], ids=["alone", "with-sequence"])
def test_the_annotation_may_be_genbank_with_its_bases(tmp_path, more):
    genome = read_genome(PHIX)
    dense = silence(5386, 1)
    dense["+"][::2, 0] = 1
    make_store(tmp_path / "f.h5", dense, ContigInfo.of(genome), genome_sha256=genome.sha256)
    (tmp_path / "c.yaml").write_text("{block_bp: 1000, gap_bp: 50, n_shifts: 9}")
    out = tmp_path / "t.tsv"
    result = run(
        "associate", tmp_path / "f.h5", "--annotations", PHIX, "--config", tmp_path / "c.yaml",
        "--out", out, *more,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "CDS" in set(read_table(out, ASSOCIATIONS)["concept"])
    header = header_of(out)
    inputs = {"features-0", "annotations-0", "concepts", "sae"} | (
        {"sequence-0"} if more else set()
    )
    assert header["provenance"]["inputs"].keys() == inputs


def test_a_sequence_of_another_genome_is_refused(files):
    write_fasta(Genome([Contig("x", np.frombuffer(b"ACGT", np.uint8))]), files / "x.fasta")
    result = associate(files, "--genome", files / "x.fasta")
    assert isinstance(result.exception, MismatchError)
    assert re.search(r"x\.fasta: expected genome \w+ as in .*f\.h5", str(result.exception))


def test_each_features_file_needs_its_annotation(files):
    result = associate(files, "--annotations", files / "a.gff3")
    assert isinstance(result.exception, InputError)
    assert "expected 1 annotations, one per features file, or none, found 2" in str(
        result.exception
    )


def test_an_unknown_key_of_the_configuration_is_refused(files):
    (files / "c.yaml").write_text("n_shift: 3\n")
    result = associate(files, "--config", files / "c.yaml")
    assert "did you mean 'n_shifts'" in str(result.exception)
