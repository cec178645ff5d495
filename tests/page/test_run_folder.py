"""A run directory stands for the features of its genomes, wherever features are asked for."""

import json

import pytest
import yaml
from typer.testing import CliRunner

import genointerp as gi
from genointerp.cli.main import app
from genointerp.core.errors import InputError, SchemaError, UnknownNameError
from genointerp.store.feature.run_folder import RunFolder
from genointerp.store.table.schema.association import ASSOCIATIONS
from genointerp.store.table.table import read_provenance
from tests.page.conftest import run_dir  # noqa: F401 (a fixture)


@pytest.fixture
def features(run_dir, request):  # noqa: F811
    """What stands for the features of a run, in each form."""
    run = gi.open_run(run_dir)
    forms = {"path": run_dir, "text": str(run_dir), "run": run, "specimens": [*run.specimens]}
    return forms[request.param]


@pytest.mark.parametrize("features", ["path", "text", "run", "specimens"], indirect=True)
def test_a_gene_is_asked_of_every_genome_of_a_run(features):
    table = gi.query(features, "trnX", top=1)
    assert table["genome"].tolist() == ["first", "first", "second"]
    assert set(table["feature"]) == {3}
    assert ("best_concept" in table) == (not isinstance(features, list))


@pytest.mark.parametrize("features", ["path", "run", "specimens"], indirect=True)
def test_the_sequences_of_a_run_need_not_be_named(features):
    table = gi.top(features, 3, top=3)
    assert set(table["genome"]) <= {"first", "second"}
    assert table["sequence"].str.len().min() > 0
    assert table["element_type"].tolist()[0] == "tRNA"
    assert gi.motif(features, 3).n_sites > 0


def test_one_genome_of_a_run_is_named(run_dir, tmp_path):  # noqa: F811
    assert set(gi.top(run_dir, 3, genome="second")["genome"]) == {"second"}
    with pytest.raises(InputError, match="genome: expected the name of one of first, second"):
        gi.export(run_dir, 3, out=tmp_path / "t.bed")
    assert gi.export(run_dir, 3, out=tmp_path / "t.bed", genome="second") > 0
    alone = gi.export(run_dir / "second" / "features.h5", 3, out=tmp_path / "alone.bed")
    assert (tmp_path / "t.bed").read_text() == (tmp_path / "alone.bed").read_text()
    assert alone > 0


def test_a_figure_is_of_the_genome_that_has_the_region(run_dir):  # noqa: F811
    assert gi.plot.region(run_dir, "chrB:1,001-1,900").axes
    with pytest.raises(
        InputError,
        match=r"region trnX: expected one place \(genome names .*\), found first chrA:1,101",
    ):
        gi.plot.region(run_dir, "trnX")
    assert gi.plot.region(run_dir, "trnX", genome="second").axes
    assert gi.plot.circle(run_dir, 3, contig="chrB").axes
    with pytest.raises(UnknownNameError, match=r"one of chrA, .*, chrB, found 'x'"):
        gi.plot.circle(run_dir, 3, contig="x")
    assert gi.plot.density(run_dir, genome="first").axes


def test_figures_of_a_run_find_its_tables_and_its_dictionary(run_dir):  # noqa: F811
    assert gi.plot.overlap(run_dir).axes
    assert gi.plot.dictionary(run_dir, associations=run_dir).axes
    assert gi.plot.training(run_dir).axes
    assert gi.plot.metagene(run_dir, 3, concept="tRNA").axes


def test_the_program_takes_a_run_directory(run_dir, tmp_path):  # noqa: F811
    def answer(*words):
        done = CliRunner().invoke(app, [*map(str, words)])
        assert done.exit_code == 0, done.exception
        return done.stdout

    assert answer("query", run_dir, "trnX", "--top", "1").count("trnX") == 3
    assert len(json.loads(answer("top", run_dir, "3", "--format", "json", "--top", "2"))) == 2
    assert answer("motif", run_dir, "3", "--format", "tsv").startswith("offset\tA\tC\tG\tT")
    figure = tmp_path / "r.png"
    assert answer("plot", "region", run_dir, "chrB:1-900", "--out", figure) == f"{figure}\n"


@pytest.mark.parametrize(
    "genomes", [["hg38"], "hg38", {1: {"sequence": "a.fa"}}, {"a": {"sequence": 3}}, {"a": "a.fa"}]
)
def test_a_configuration_of_something_else_is_refused(tmp_path, genomes):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"genomes": genomes}))
    with pytest.raises(SchemaError, match=r"config\.yaml: genomes"):
        RunFolder.open(tmp_path)


def test_a_genome_that_is_neither_a_file_nor_one_of_the_run_is_refused(run_dir):  # noqa: F811
    with pytest.raises(InputError, match="a file, or one of first, second, found 'frist'"):
        gi.top(run_dir, 3, genome="frist")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"config\.yaml: expected a file of every run"):
        gi.query(tmp_path, "chrA")


QUICK = {"n_shifts": 9, "top_per_concept": 2, "test": ["chrB"]}


def test_concepts_of_ones_own_are_associated_and_ranked_in_memory(run_dir):  # noqa: F811
    run = gi.open_run(run_dir)
    concepts = {name: gi.load_concepts()[name] for name in ("tRNA", "CDS")}
    table = gi.associate(run, concepts=concepts, config=QUICK)
    assert set(table["concept"]) == set(concepts)
    defined = [specimen.with_concepts(concepts) for specimen in run.specimens]
    assert table.equals(gi.associate(defined, config=QUICK))
    assert len(gi.rank(run, associations=table).table) == 11
    with pytest.raises(InputError, match="associations: expected the file of a table"):
        gi.rank(run, "candidates.tsv", associations=table)


def test_the_definition_of_the_concepts_of_an_open_run_is_recorded(run_dir, tmp_path):  # noqa: F811
    run, own = gi.open_run(run_dir), {"tRNA": gi.load_concepts()["tRNA"]}
    asked = {
        "open": (run, None),
        "path": (run_dir, None),
        "defined": ([specimen.with_concepts(own) for specimen in run.specimens], None),
        "given": (run_dir, own),
    }
    told = {}
    for name, (features, concepts) in asked.items():
        out = tmp_path / f"{name}.tsv"
        gi.associate(features, out, concepts=concepts, config=QUICK)
        told[name] = read_provenance(out, ASSOCIATIONS)["inputs"]["concepts"]
    assert told["open"] == told["path"]
    assert told["defined"] == told["given"] != told["open"]


def test_a_run_is_ranked_and_its_candidates_described(run_dir, tmp_path):  # noqa: F811
    out = tmp_path / "a.parquet"
    gi.associate(run_dir, out, config=QUICK)
    assert len(gi.rank(run_dir, tmp_path / "c.tsv", associations=out).table) == 11
    assert gi.dossier(tmp_path / "c.tsv", features=run_dir, config={"n_shuffles": 0})
