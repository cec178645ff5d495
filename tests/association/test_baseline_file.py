"""The command, from files to the table of what features stand beside."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.core.errors import InputError, MismatchError
from genointerp.genome.read import write_fasta
from genointerp.store.table.schema.association import ASSOCIATIONS, BASELINES
from genointerp.store.table.table import read_table
from tests.association.test_baseline import KINDS, LENGTHS, World, rivals_of
from tests.table_header import header_of

SEQIDS = tuple(LENGTHS)


class Files(World):
    """A world with its annotations and sequences as files, and the commands upon it."""

    def __init__(self, folder):
        super().__init__(folder)
        (folder / "concepts.yaml").write_text(
            "".join(f"{kind}: {{description: x, types: [{kind}]}}\n" for kind in KINDS[:2])
        )
        for seqid, genome, elements in zip(SEQIDS, self.genomes, self.elements, strict=True):
            write_fasta(genome, folder / f"{seqid}.fa")
            rows = ["##gff-version 3", f"##sequence-region {seqid} 1 {LENGTHS[seqid]}"]
            for number, row in enumerate(elements.table.to_dict("records")):
                if row["concept"] in KINDS[:2]:
                    place = f"{row['start'] + 1}\t{row['end']}\t.\t{row['strand']}\t."
                    rows.append(f"{seqid}\tx\t{row['concept']}\t{place}\tID=e{number}")
            (folder / f"{seqid}.gff3").write_text("\n".join(rows) + "\n")

    def run(self, *more, features=SEQIDS):
        line = ["associate", *(self.folder / f"{seqid}.h5" for seqid in features)]
        for seqid in features:
            line += ["--annotations", self.folder / f"{seqid}.gff3"]
        line += ["--concepts", self.folder / "concepts.yaml", "--test", "test", *more]
        result = CliRunner().invoke(app, [str(word) for word in line])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result

    def given(self, option, pattern):
        return [word for s in SEQIDS for word in (option, self.folder / pattern.format(s))]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    world = Files(tmp_path_factory.mktemp("files"))
    world.run("--out", world.folder / "known.parquet", "--seed", 0)
    rivals_of(world, model_sha256="r", sae_sha256="x", name="random")
    rivals_of(world, model_sha256="m", sae_sha256="o", name="other")
    return world


def test_one_command_writes_associations_and_what_they_stand_beside(files, tmp_path):
    out, beside = tmp_path / "t.tsv", tmp_path / "b.tsv"
    result = files.run(
        "--out", out, "--baselines-out", beside, *files.given("--activations", "{}.a.h5"),
        *files.given("--genome", "{}.fa"), *files.given("--random-features", "random.{}.h5"),
        *files.given("--other-features", "other.{}.h5"),
    )  # fmt: skip
    assert f"-> {out} {beside}" in result.output
    table = read_table(beside, BASELINES)
    assert table["detector"].nunique() == 11
    known = read_table(out, ASSOCIATIONS)
    best = known[(known["feature"] == 1) & (known["concept"] == "neuron")].iloc[0]
    row = table[(table["detector"] == "feature") & (table["concept"] == "neuron")].iloc[0]
    assert (row["which"], row["f1"]) == ("1", best["f1"])
    provenance = header_of(beside)["provenance"]
    kinds = ("features", "annotations", "activations", "genome", "random", "other-seed")
    assert sorted(provenance["inputs"]) == sorted(
        [*(f"{kind}-{number}" for kind in kinds for number in (0, 1)), "concepts"]
    )
    assert provenance["config"]["split"]["test"] == ["test"]
    assert provenance["config"]["baselines"]["probe_rows"] > 0


def test_associations_computed_before_are_read_and_left_as_they_are(files, tmp_path):
    known = files.folder / "known.parquet"
    before = known.read_bytes()
    files.run("--associations", known, "--baselines-out", tmp_path / "b.tsv", "--seed", 0)
    assert known.read_bytes() == before
    assert set(read_table(tmp_path / "b.tsv", BASELINES)["detector"]) == {"always_on", "feature"}


def test_associations_of_other_features_are_refused(files, tmp_path):
    files.write("fit.h5.other", files.genomes[0], {})
    (tmp_path / "fit.h5").write_bytes((files.folder / "fit.h5.other").read_bytes())
    line = ["--associations", files.folder / "known.parquet", "--baselines-out", tmp_path / "b.tsv"]
    own = files.folder
    files.folder = tmp_path
    try:
        for name in ("test.h5", "fit.gff3", "test.gff3", "concepts.yaml"):
            (tmp_path / name).write_bytes((own / name).read_bytes())
        with pytest.raises(MismatchError, match=r"expected features \w+ as in .*fit\.h5, found"):
            files.run(*line)
    finally:
        files.folder = own
    assert not (tmp_path / "b.tsv").exists()


def test_associations_of_another_configuration_are_refused(files, tmp_path):
    known = files.folder / "known.parquet"
    with pytest.raises(MismatchError, match="seed: expected 5, as asked for, found 0"):
        files.run("--associations", known, "--baselines-out", tmp_path / "b.tsv", "--seed", 5)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--baselines-out b.tsv", "associations to write .* or to read .*, found neither"),
        ("--out o.tsv --associations k.tsv --baselines-out b.tsv", "to read .*, found both"),
        ("--out o.tsv --activations a.h5", "baselines_out: expected a table to write, where activ"),
        (
            "--associations k.tsv",
            "baselines_out: expected a table to write, where associations are",
        ),
    ],
)
def test_what_would_be_ignored_is_refused(files, tmp_path, monkeypatch, line, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        files.run(*line.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "file", "message"),
    [
        (
            "--activations",
            "fit.a.h5",
            r"expected 2 activations, one per features file, .*, found none for .*test\.h5",
        ),
        ("--genome", "fit.fa", "specimen test: expected its sequence"),
    ],
)
def test_each_features_file_needs_its_own(files, tmp_path, option, file, message):
    line = ["--associations", files.folder / "known.parquet", "--baselines-out", tmp_path / "b.tsv"]
    with pytest.raises(InputError, match=message):
        files.run(*line, option, files.folder / file)


def test_a_table_that_cannot_be_written_is_told_before_the_work(files, tmp_path):
    out = tmp_path / "o.tsv"
    with pytest.raises(InputError, match=r"b\.txt"):
        files.run("--out", out, "--baselines-out", tmp_path / "b.txt")
    assert not Path(out).exists()
