"""What a notebook shows of an object is one line that says what it is."""

import re

import genointerp as gi
from genointerp.sae.architecture.registry import make_sae
from genointerp.sae.config import SaeConfig
from tests.page.conftest import run_dir  # noqa: F401 (a fixture)
from tests.stores import dense_features, write_features


def test_a_genome_names_its_contigs(phix174):
    assert repr(gi.Genome([phix174])) == "Genome(1 contig, 1 circular: NC_001422.1, 5,386 bp)"


def test_an_annotation_counts_its_types():
    parts = (gi.AnnotationSet([], {"c": 9}),)
    assert repr(*parts) == "AnnotationSet(0 elements: none)"


def test_a_model_says_where_it_can_be_read():
    text = repr(gi.load_model("nano"))
    assert text.startswith("SingleNucleotideModel(nano, ")
    assert "8,192 bp, reads left, float32" in text
    assert "\n" not in text


def test_a_dictionary_says_its_size():
    sae = make_sae(SaeConfig("topk", n_features=1024, k=4), 8, seed=0)
    assert repr(sae) == "TopK(1,024 features, k 4, d 8)"


def test_a_notebook_shows_a_small_table_of_what_an_object_is(phix174, tmp_path):
    store = write_features(tmp_path / "f.h5", dense_features())
    for item, expected in [
        (gi.Genome([phix174]), "<th>NC_001422.1</th><td>5,386 bp, circular</td>"),
        (gi.AnnotationSet([], {"c": 9}), "AnnotationSet: 0 elements"),
        (store, "<th>features</th><td>7</td>"),
        (gi.Specimen("<x>", store), "Specimen &lt;x&gt;"),
    ]:
        assert expected in item._repr_html_()


def test_parts_of_a_genome_and_its_concepts_say_what_they_are(phix174, run_dir):  # noqa: F811
    assert repr(phix174) == "Contig(NC_001422.1: 5,386 bp, circular)"
    shipped = repr(gi.shipped("bsubtilis_168"))
    assert shipped.startswith("ShippedGenome(bsubtilis_168: Bacillus subtilis")
    elements = gi.open_run(run_dir).specimens[1].elements
    assert repr(elements).startswith("ConceptElements(1 tRNA, 2 CDS, ")
    assert "<th>tRNA</th><td>1</td>" in elements._repr_html_()


def test_a_dossier_counts_what_it_holds(run_dir, tmp_path):  # noqa: F811
    found = gi.dossier(run_dir, config={"n_shuffles": 0, "n_candidates": 1, "n_neighbours": 0})
    assert re.fullmatch(r"Dossier\(f/\d+: \d+ checks, \d+ loci, \d+ neighbours\)", repr(found[0]))


def test_a_run_names_its_genomes(run_dir):  # noqa: F811
    run = gi.open_run(run_dir)
    assert repr(run).startswith(f"Run('{run_dir}': first, second; ")
    assert "<th>genomes</th><td>first, second</td>" in run._repr_html_()
    found = gi.rank(run, associations=run.associations)
    assert repr(found).startswith("CandidateResult(11 candidates, ")
    assert repr(gi.motif(run, 3)).startswith("Motif(f/3: ")


def test_a_store_says_what_it_holds_and_is_a_path(tmp_path):
    store = gi.FeatureStore(write_features(tmp_path / "f.h5", dense_features()).path)
    assert repr(store).startswith(f"FeatureStore({str(tmp_path / 'f.h5')!r}: ")
    assert "bases read: " in repr(store)
    assert repr(gi.FeatureStore(store)) == repr(store)
