"""What a features file, or a run, says about what it was made with."""

import shutil

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.core.errors import InputError, MismatchError, SchemaError, UnknownNameError
from genointerp.core.files import replacing
from genointerp.core.provenance import Provenance, sha256_file
from genointerp.feature.decoder import own_dictionary
from genointerp.feature.specimen_files import one_with_sequence
from genointerp.figure.dictionary import dictionary as draw_dictionary
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import write_fasta
from genointerp.reading.model_choice import recorded_model
from genointerp.sae.header import read_header
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.run_folder import RunFolder, activation_files, run_around
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.feature import QUERY
from genointerp.store.table.table import empty_table, write_table
from genointerp.store.verify import all_passed
from genointerp.store.verify_run import verify_run
from tests.dictionaries import write_directions
from tests.stores import activation_header, dense_features, write_activations, write_features

CONTIGS = (ContigInfo("c", 60, circular=False),)


@pytest.fixture
def run(tmp_path):
    """A run of two genomes, with what its features were made from."""
    folder = tmp_path / "run"
    folder.mkdir()
    sae = write_directions(folder / "sae", np.eye(7))
    genomes = {}
    for name, base in (("first", "A"), ("second", "C")):
        genome = Genome([Contig("c", np.full(60, ord(base), np.uint8))])
        fasta, home = folder / f"{name}.fa", folder / name
        write_fasta(genome, fasta)
        home.mkdir()
        header = activation_header(contigs=CONTIGS, genome_sha256=genome.sha256)
        rows = np.ones((120, header.d_in), np.float32)
        write_activations(home / "activations.h5", rows, header=header)
        write_features(
            home / "features.h5",
            dense_features(contigs=CONTIGS),
            contigs=CONTIGS,
            genome_sha256=genome.sha256,
            sae_sha256=sae,
            provenance=Provenance(
                {}, {"activations-0": sha256_file(home / "activations.h5"), "sae": sae}
            ),
        )
        genomes[name] = {"sequence": f"{name}.fa", "annotate_with": None}
    config = {"genomes": genomes, "fit": ["first"], "fidelity": {"genome": "second"}}
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, "model": {"name": "nano"}}))
    return folder


def test_the_dictionary_of_features_is_found_by_its_weights(run, tmp_path):
    store = FeatureStore(run / "first" / "features.h5")
    assert own_dictionary(store) == run.resolve() / "sae"
    # another one that is nearer is passed over
    write_directions(run / "first" / "sae", np.eye(7) * 2)
    assert own_dictionary(store) == run.resolve() / "sae"
    assert own_dictionary(store, tmp_path / "given") == tmp_path / "given"
    alone = FeatureStore(shutil.copy(store.path, tmp_path / "alone.h5"))
    expected = (
        f"sae: expected --sae, the folder of the dictionary with sha256 "
        f"{store.header.sae_sha256[:12]}, since it is neither next to FEATURES nor shipped, found"
    )
    with pytest.raises(InputError) as raised:
        own_dictionary(alone)
    assert str(raised.value) == f"{expected} none"


@pytest.mark.parametrize("content", ['{"dict_size": 8}', "{", '{"metadata": {}}'])
def test_a_dictionary_that_cannot_be_read_is_passed_over_and_named_in_the_end(run, content):
    store = FeatureStore(run / "first" / "features.h5")
    foreign = run.resolve() / "first" / "sae"
    foreign.mkdir()
    (foreign / "cfg.json").write_text(content)
    assert own_dictionary(store) == run.resolve() / "sae"
    shutil.rmtree(run / "sae")
    with pytest.raises(InputError, match=f"nor shipped, found {foreign}, which cannot be read"):
        own_dictionary(store)


def test_a_run_without_its_dictionary_names_the_folder_where_it_would_be(run):
    shutil.rmtree(run / "sae")
    with pytest.raises(SchemaError, match=r"run/sae: expected a file sae_weights\.safetensors"):
        draw_dictionary(run)


@pytest.mark.parametrize("content", ["seed: 1\n", "- a\n", "a: [\n", "genomes: 3\n"])
def test_a_configuration_of_something_else_one_level_up_is_no_run_around(run, content):
    path = run / "first" / "features.h5"
    assert run_around(path)[1] == "first"
    (run / "config.yaml").write_text(content)
    assert run_around(path) is None
    assert one_with_sequence(path, run / "first.fa").features.path == path


def test_features_of_a_shipped_dictionary_find_it(tmp_path):
    header = read_header("shipped:nano")
    write_features(tmp_path / "f.h5", dense_features(), sae_sha256=header.sha256)
    assert str(own_dictionary(FeatureStore(tmp_path / "f.h5"))) == "shipped:nano"


def test_a_run_is_measured_on_the_genome_that_it_says(run):
    assert one_with_sequence(run).name == "second"
    assert one_with_sequence(run, "first").name == "first"
    inside = one_with_sequence(run / "first" / "features.h5")
    assert inside.needs("sequence").sha256 == inside.genome_sha256
    with pytest.raises(MismatchError, match=r"second\.fa: expected genome"):
        one_with_sequence(run / "first" / "features.h5", run / "second.fa")


def test_a_model_is_known_where_its_name_says_which(run, tmp_path):
    assert recorded_model(run) == {"name": "nano"}
    assert recorded_model("shipped:nano") == {"name": "nano"}
    with pytest.raises(
        InputError, match=r"model: expected the model of .*, since 'toy' is not the"
    ):
        recorded_model(run / "first" / "features.h5")


def test_a_run_stands_for_the_activations_that_its_dictionary_was_trained_on(run):
    own = {name: run / name / "activations.h5" for name in ("first", "second")}
    assert activation_files(run) == [own["first"]]
    assert activation_files([run / "a.h5", run], "second") == [run / "a.h5", own["second"]]
    with pytest.raises(InputError, match="genome: expected the name of one of first, second"):
        activation_files(run, of_one=True)
    with pytest.raises(UnknownNameError, match="genome: expected one of first, second"):
        activation_files(run, "third", of_one=True)


def test_a_run_is_verified_as_a_whole(run):
    assert all_passed(verify_run(RunFolder.open(run)))
    shutil.copy(run / "first" / "activations.h5", run / "second" / "activations.h5")
    done = CliRunner().invoke(app, ["verify", str(run)])
    assert done.exit_code == 1
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("FAILED"))
    assert "second/features.h5: input" in line
    given = CliRunner().invoke(app, ["verify", str(run), "--input", str(run / "first.fa")])
    assert "expected none, since a run names its own, found 1" in str(given.exception)


def failures(run):
    return {check.name: check.found for check in verify_run(RunFolder.open(run)) if check.found}


def configure(run, **keys):
    config = yaml.safe_load((run / "config.yaml").read_text())
    (run / "config.yaml").write_text(yaml.safe_dump({**config, **keys}))


@pytest.mark.parametrize(
    "name", ["queries/q.tsv", "report_tables/loci/f.tsv", "dossiers/locus_evidence.tsv"]
)
def test_tables_in_the_folders_of_a_run_are_verified(run, name):
    table = run / name
    table.parent.mkdir(parents=True)
    write_table(empty_table(QUERY), table, QUERY, Provenance({}, {}))
    assert failures(run) == {}
    table.write_text("genome\n")
    assert f"{name}: expected the bytes" in failures(run)[f"{name}: format"]


def test_a_query_of_a_run_must_be_of_the_features_of_its_genome(run):
    configure(run, queries={"q": {"genome": "second", "region": "c:1-9"}})
    assert "q.tsv: expected a table, found no file" in failures(run)["queries/q.tsv: format"]
    (run / "queries").mkdir()
    for name, wrong in (("first", 1), ("second", 0)):
        record = Provenance({}, {"features": sha256_file(run / name / "features.h5")})
        with replacing():
            write_table(empty_table(QUERY), run / "queries/q.tsv", QUERY, record)
        assert len(failures(run)) == wrong


def test_tables_that_an_annotated_run_lacks_are_told(run):
    genomes = {name: {"sequence": f"{name}.fa"} for name in ("first", "second")}
    configure(run, genomes=genomes, backtest=False, baselines={})
    missing = {name.removesuffix(": format") for name in failures(run)}
    assert missing == {
        *("associations.parquet", "associations.sides.tsv", "associations.tsv"),
        *("best_per_concept.tsv", "candidates.tsv", "ablation.tsv"),
        *("dossiers/locus_evidence.tsv", "baselines.tsv"),
    }
    configure(run, backtest=True)
    assert "backtest_features.tsv: format" in failures(run)


def test_a_features_file_that_a_run_lacks_is_told_and_the_others_are_verified(run):
    (run / "first" / "features.h5").unlink()
    assert list(failures(run)) == ["first/features.h5: format"]
