from dataclasses import replace

import numpy as np
import pytest

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.annotation.concepts import Concept
from genointerp.core.errors import InputError, MismatchError
from genointerp.feature.specimen import EXPECTED, Specimen, check_distinct, check_together
from genointerp.feature.specimen_files import find_specimens, name_files
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import write_fasta
from genointerp.store.contigs import ContigInfo
from tests.plant import make_elements, make_store, silence
from tests.stores import activation_header, windows_of, write_activations

GENES = "##gff-version 3\nc\tx\ttRNA\t11\t20\t.\t+\t.\tID=t\n"


def draw(letter="A", length=40):
    return Genome([Contig("c", np.full(length, ord(letter), np.uint8))])


def store_of(path, genome, **options):
    path.parent.mkdir(exist_ok=True)
    dense = silence(genome["c"].length, 2)
    return make_store(path, dense, ContigInfo.of(genome), genome_sha256=genome.sha256, **options)


@pytest.fixture
def specimen(tmp_path):
    return Specimen("one", store_of(tmp_path / "f.h5", draw()), draw())


def test_what_is_needed_and_not_known_is_named_with_the_specimen(specimen):
    bare = replace(specimen, sequence=None)
    for what, expected in EXPECTED.items():
        with pytest.raises(InputError) as error:
            bare.needs(what)
        assert str(error.value) == f"specimen one: expected {expected}, found none"
    assert specimen.needs("sequence") is specimen.sequence


def test_a_sequence_of_another_genome_is_refused(specimen):
    expected = rf"specimen one: sequence: expected genome {draw().sha256[:12]} as in .*f\.h5"
    with pytest.raises(MismatchError, match=expected):
        replace(specimen, sequence=draw("C"))


def test_activations_of_another_genome_are_refused(specimen, tmp_path):
    contigs = ContigInfo.of(draw())
    windows = windows_of(contigs)
    own = {"contigs": contigs, "model_sha256": "m", "genome_sha256": draw().sha256}
    x = np.ones((80, 2), np.float32)
    for name, changes in (("own", {}), ("other", {"genome_sha256": "o"})):
        header = activation_header(2, **(own | changes))
        path = tmp_path / f"{name}.h5"
        activations = write_activations(path, x, header=header, windows=windows)
        if not changes:
            assert replace(specimen, activations=activations).activations is activations
            continue
        with pytest.raises(MismatchError, match=r"other\.h5: expected genome .* as in .*f\.h5"):
            replace(specimen, activations=activations)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        pytest.param(("x", 1, 20), "expected elements on c, found elements on x", id="contig"),
        pytest.param(("c", 1, 41), "expected elements within 40 bp of c", id="beyond-its-end"),
    ],
)
def test_elements_that_lie_outside_the_genome_are_refused(specimen, place, message):
    with pytest.raises(MismatchError, match=message):
        replace(specimen, elements=make_elements(("tRNA", *place, "+")))


def test_concepts_are_defined_on_the_annotation_with_a_sequence_or_without(specimen):
    known = AnnotationSet([Element("tRNA", "t", (Part("c", 10, 20, "+"),))], {"c": 40})
    concepts = {"tRNA": Concept("x", types=("tRNA",))}
    for sequence in (specimen.sequence, None):
        found = replace(specimen, sequence=sequence, annotation=known).with_concepts(concepts)
        assert found.needs("elements").of("tRNA")[["start", "end"]].values.tolist() == [[10, 20]]
    with pytest.raises(InputError, match="specimen one: expected its annotation"):
        specimen.with_concepts(concepts)


def test_specimens_have_names_of_their_own_and_one_dictionary(specimen, tmp_path):
    check_together([specimen, replace(specimen, name="two")])
    with pytest.raises(InputError, match="specimen one: expected a unique name, found it twice"):
        check_together([specimen, specimen])
    with pytest.raises(InputError, match="features: expected at least one file, found none"):
        check_together([])
    other = Specimen("two", store_of(tmp_path / "o.h5", draw("C"), sae_sha256="t"))
    with pytest.raises(MismatchError, match=r"o\.h5: expected dictionary s as in .*, found"):
        check_together([specimen, other])


def test_a_genome_counts_once(specimen):
    with pytest.raises(MismatchError, match=r"f\.h5: expected another genome than that of .*f\.h5"):
        check_distinct([specimen, replace(specimen, name="two")])


def test_a_specimen_says_what_is_known_of_it(specimen):
    expected = "<Specimen one: 40 bp in 1 contig, 2 features of toy blocks.1, sequence>"
    assert repr(specimen) == expected


def test_files_are_matched_by_genome_and_keep_the_order_of_the_features(tmp_path):
    genomes = [draw("A"), draw("C", 50)]
    for letter, genome in zip("ab", genomes, strict=True):
        store_of(tmp_path / letter / "features.h5", genome)
        write_fasta(genome, tmp_path / f"{letter}.fa")
        (tmp_path / f"{letter}.gff3").write_text(GENES)
    features = [tmp_path / letter / "features.h5" for letter in "ba"]
    found = find_specimens(
        features,
        genome=[tmp_path / "a.fa", tmp_path / "b.fa"],
        annotations=[tmp_path / "b.gff3", tmp_path / "a.gff3"],
    ).open("sequence", "annotation")
    assert [one.name for one in found] == ["b", "a"]
    assert [one.sequence["c"].length for one in found] == [50, 40]
    assert [one.annotation_file.name for one in found] == ["b.gff3", "a.gff3"]
    assert find_specimens(features, genome=tmp_path / "a.fa").open()[0].sequence is None
    with pytest.raises(
        InputError, match="annotations: expected 2 annotations, one per features file"
    ):
        find_specimens(features, annotations=[tmp_path / "a.gff3"])
    with pytest.raises(MismatchError, match=r"b\.fa: expected genome .* as in .*features"):
        find_specimens(features[1:], genome=tmp_path / "b.fa").open("sequence")


def test_genomes_are_told_apart_by_their_files(tmp_path):
    assert name_files([tmp_path / "a.h5", tmp_path / "b.h5"]) == ["a", "b"]
    assert name_files([tmp_path / "x" / "f.h5", tmp_path / "y" / "f.h5"]) == ["x", "y"]
    twins = [tmp_path / "1" / "x" / "f.h5", tmp_path / "2" / "x" / "f.h5"]
    assert name_files(twins) == ["1", "2"]
