"""What an annotation may hold that it should not: files in, table out, no division by zero."""

import logging

import numpy as np
import pytest

from genointerp.association.config import AssociateConfig
from genointerp.association.inputs import sides_path
from genointerp.association.summary import best_per_concept, summarise_features
from genointerp.command.find.associate import associate
from genointerp.core.errors import AnnotationError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import write_fasta
from genointerp.store.contigs import ContigInfo
from genointerp.store.feature.store import FeatureStore
from genointerp.store.table.schema.association import ASSOCIATIONS, SIDES
from genointerp.store.table.table import read_table
from tests.plant import make_store, pick, silence

LENGTH = 6000
CONFIG = AssociateConfig(test=("test",), n_shifts=19)


@pytest.fixture
def world(tmp_path, caplog):
    """Feature 0 is noise, 1 is silent, 2 always on; the genome has a side for fit and for test."""
    caplog.set_level(logging.INFO)
    rng = np.random.default_rng(0)
    bases = rng.choice(np.frombuffer(b"ACGT", np.uint8), 2 * LENGTH)
    genome = Genome([Contig("fit", bases[:LENGTH]), Contig("test", bases[LENGTH:])])
    write_fasta(genome, tmp_path / "g.fasta")
    dense = silence(2 * LENGTH, 3)
    for strand in "+-":
        dense[strand][rng.random(2 * LENGTH) < 0.1, 0] = 1
        dense[strand][:, 2] = 1
    make_store(tmp_path / "f.h5", dense, ContigInfo.of(genome), genome_sha256=genome.sha256)
    return tmp_path


def run(world, *rows, concepts=None):
    """Rows as (type, first, last, strand, phase, attributes), the same on either sequence."""
    lines = ["##gff-version 3"]
    for seqid in ("fit", "test"):
        for kind, first, last, strand, phase, attributes in rows:
            attributes = attributes.replace("{seqid}", seqid)
            lines.append(f"{seqid}\tx\t{kind}\t{first}\t{last}\t.\t{strand}\t{phase}\t{attributes}")
    (world / "a.gff3").write_text("\n".join(lines) + "\n")
    if concepts is not None:
        (world / "c.yaml").write_text(concepts)
    with np.errstate(all="raise"):
        table = associate(
            world / "f.h5",
            world / "t.tsv",
            annotations=world / "a.gff3",
            genome=world / "g.fasta",
            concepts=None if concepts is None else world / "c.yaml",
            config=CONFIG,
        )
        best_per_concept(table)
        summarise_features([FeatureStore(world / "f.h5")], table)
    numbers = read_table(world / "t.tsv", ASSOCIATIONS).select_dtypes("number")
    assert not np.isinf(numbers.to_numpy()).any()
    return table


TRNA = ("tRNA", 100, 175, "+", ".", ".")


def labels_of(table):
    return set(zip(table["concept"], table["orientation"], strict=True))


def test_types_that_no_concept_names_are_told_and_left_out(world, caplog):
    table = run(world, TRNA, ("wibble", 500, 600, "+", ".", "."))
    assert "a.gff3: types that no concept names: wibble (2)" in caplog.text
    assert {concept for concept, _ in labels_of(table)} == {"tRNA", "intergenic"}
    assert read_table(sides_path(world / "t.tsv"), SIDES)["similar"].tolist() == [0]


@pytest.mark.parametrize("rows", [[("wibble", 5, 60, "+", ".", ".")], []], ids=["unknown", "none"])
def test_an_annotation_without_a_known_type_warns_and_leaves_what_lies_outside(world, caplog, rows):
    table = run(world, *rows)
    assert "no element of a type that a concept names" in caplog.text
    assert labels_of(table) == {("intergenic", "both")}
    assert table["n_concept_bp"].tolist() == [2 * LENGTH] * 3


@pytest.mark.parametrize("attributes", [".", "ID=", "Name=x"])
def test_elements_without_an_id_are_elements_of_their_own(world, attributes):
    table = run(world, (*TRNA[:5], attributes), ("tRNA", 400, 475, "-", ".", attributes))
    assert pick(table, 0, "tRNA", "sense")["n_elements"] == 2
    assert pick(table, 0, "tRNA", "sense")["n_concept_bp"] == 152


def test_overlapping_and_nested_elements_count_each_base_once_and_each_element(world):
    table = run(
        world,
        ("gene", 100, 900, "+", ".", "."),
        ("CDS", 100, 399, "+", "0", "ID={seqid}a"),
        ("CDS", 200, 349, "+", "0", "ID={seqid}b"),
        ("CDS", 300, 599, "-", "0", "ID={seqid}c"),
        TRNA,
    )
    sense = pick(table, 2, "CDS", "sense")
    assert (sense["n_elements"], sense["n_concept_bp"], sense["recall_element"]) == (3, 600, 1)
    assert pick(table, 2, "tRNA", "sense")["n_concept_bp"] == 76


def test_elements_without_a_strand_count_on_both_and_have_no_codons(world, caplog):
    table = run(world, ("CDS", 101, 400, ".", "0", "."), ("tRNA", 600, 675, "?", ".", "."))
    for concept, n_bp in (("CDS", 300), ("tRNA", 76)):
        for orientation in ("sense", "antisense"):
            assert pick(table, 0, concept, orientation)["n_concept_bp"] == 2 * n_bp
        assert f"2 of 2 elements of {concept} have no strand: they count on both" in caplog.text
    assert not {concept for concept, _ in labels_of(table)} & {"CDS_phase0", "start_codon"}


def test_a_concept_without_an_element_has_no_row_and_is_named(world, caplog):
    concepts = (
        "tRNA: {description: x, types: [tRNA]}\n"
        "odd: {description: x, types: [nothing]}\n"
        "codons: {description: x, of: odd, bases: first_codon}\n"
    )
    assert labels_of(run(world, TRNA, concepts=concepts)) == {
        ("tRNA", "sense"),
        ("tRNA", "antisense"),
        ("tRNA", "both"),
    }
    assert "a.gff3: concepts without an element: odd, codons" in caplog.text


@pytest.mark.parametrize("both_strands", [False, True], ids=["one-strand", "both-strands"])
def test_a_concept_that_covers_the_whole_genome_is_tested_and_never_significant(
    world, caplog, both_strands
):
    rows = [("CDS", 1, LENGTH, strand, "0", ".") for strand in ("+-" if both_strands else "+")]
    table = run(world, *rows)
    found = pick(table, 2, "CDS", "sense")
    assert found["recall"] == 1
    assert (found["p_value"], found["p_max"]) == (1, 1)
    assert np.isnan(found["p_matched"])
    assert np.isnan(found["auroc"]) == both_strands
    assert "CDS (sense): 0 % of the elements on test have a matched background" in caplog.text
    assert ("intergenic", "both") not in labels_of(table)


def test_an_element_of_one_base_has_defined_scores(world):
    table = run(world, ("tRNA", 100, 100, "+", ".", "."), ("CDS", 300, 300, "+", "2", "."))
    assert pick(table, 2, "tRNA", "sense")["n_concept_bp"] == 1
    assert pick(table, 2, "CDS", "sense")["recall"] == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param(("CDS", 1, 9, "+", "3", "."), "line 2: phase: expected 0, 1, 2", id="phase"),
        pytest.param(("", 1, 9, "+", ".", "."), "line 2: type: expected a term", id="type"),
        pytest.param(("tRNA", 1, 9, "x", ".", "."), "line 2: strand: expected one of", id="strand"),
        pytest.param(("tRNA", 5990, 6001, "+", ".", "."), "first <= last <= 6000", id="end"),
        pytest.param(("tRNA", 1, 9, "+", ".", "ID=a"), "tRNA on fit, found tRNA on test", id="id"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_line(world, row, message):
    with pytest.raises(AnnotationError, match=message):
        run(world, row)
