import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.cli.main import app
from genointerp.command.ask.top import top
from genointerp.core.errors import ConfigError, UnknownNameError
from genointerp.feature.loci import LocusConfig
from genointerp.feature.nearest import NearestElement
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import find_specimens
from genointerp.feature.top import TopConfig, strongest_loci
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import reverse_complement
from genointerp.genome.read import write_fasta
from genointerp.store.table.schema.feature import TOP_LOCI
from genointerp.store.table.table import read_table
from tests.stores import CONTIGS, write_features
from tests.table_header import header_of

LENGTHS = {"chrA": 120, "chrB": 40}


def element(name, kind, *parts, **attributes):
    parts = tuple(Part(*part) for part in parts)
    return Element(kind, name, parts, {key: (value,) for key, value in attributes.items()})


ANNOTATIONS = AnnotationSet(
    [
        element("gene-1", "gene", ("chrA", 10, 30, "-"), gene="dnaA"),
        element("cds-1", "CDS", ("chrA", 10, 30, "-", 0), gene="dnaA", product="initiator"),
        element("rep", "repeat_region", ("chrA", 60, 70, ".")),
    ],
    LENGTHS,
)


@pytest.fixture(scope="module")
def genomes(tmp_path_factory):
    """Feature 1 fires at two places of the first genome and at one of the second."""
    folder = tmp_path_factory.mktemp("top")
    found = []
    for name, places in {
        "first": [("+", 8, [1, 5, 2]), ("-", 35, [4, 4])],
        "second": [("-", 124, [6])],
    }.items():
        dense = {strand: np.zeros((160, 2), np.float32) for strand in "+-"}
        for strand, start, values in places:
            dense[strand][start : start + len(values), 1] = values
        letters = np.random.default_rng(len(name)).choice(list(b"ACGT"), 160).astype(np.uint8)
        contigs = [Contig("chrA", letters[:120], circular=True), Contig("chrB", letters[120:])]
        genome = Genome(contigs)
        path = folder / f"{name}.h5"
        store = write_features(path, dense, genome_sha256=genome.sha256)
        found.append(Specimen(name, store, genome, ANNOTATIONS))
    return found


def test_worked_loci_over_two_genomes(genomes):
    table = strongest_loci(genomes, 1, TopConfig(flank=2))
    shown = ["rank", "genome", "seqid", "start", "end", "strand", "max_activation", "peak"]
    assert table[shown].values.tolist() == [
        [1, "second", "chrB", 4, 5, "-", 6.0, 4],
        [2, "first", "chrA", 8, 11, "+", 5.0, 9],
        [3, "first", "chrA", 35, 37, "-", 4.0, 35],
    ]
    near = ["element", "element_type", "product", "distance", "orientation"]
    assert table[near].fillna("none").values.tolist() == [
        ["", "", "", "none", ""],
        # the gene and its CDS are the same bases: the CDS tells more
        ["dnaA", "CDS", "initiator", 0.0, "antisense"],
        # five bases before a gene on the other strand are upstream of it
        ["dnaA", "CDS", "initiator", -5.0, "sense"],
    ]
    bases = genomes[0].sequence["chrA"].sequence
    forward = bases[6:13].tobytes().decode()
    assert table["sequence"][1] == forward[:2].lower() + forward[2:5] + forward[5:].lower()
    backward = reverse_complement(bases[33:39]).tobytes().decode()
    assert table["sequence"][2] == backward[:2].lower() + backward[2:4] + backward[4:].lower()


def test_what_is_not_known_has_no_column(genomes):
    bare = [Specimen(item.name, item.features) for item in genomes]
    table = strongest_loci(bare, 1)
    assert list(table) == [c.name for c in TOP_LOCI.columns if c.status == "REQUIRED"] + ["peak"]
    table = strongest_loci([genomes[0], bare[1]], 1)
    assert table["sequence"].tolist()[0] == ""
    assert len(table["sequence"][1]) == 3


def test_the_rule_and_the_number_choose_loci(genomes):
    loud = TopConfig(loci=LocusConfig(min_length=2, min_activation=2.0))
    assert strongest_loci(genomes, 1, loud)[["start", "end"]].values.tolist() == [[9, 11], [35, 37]]
    assert strongest_loci(genomes, 1, TopConfig(n=1))["genome"].tolist() == ["second"]
    assert strongest_loci(genomes, 0).empty
    with pytest.raises(UnknownNameError, match="expected a feature from 0 to 1"):
        strongest_loci(genomes, 2)
    for values in ({"n": 0}, {"flank": -1}):
        with pytest.raises(ConfigError, match="or more, found"):
            TopConfig(**values)


def gap(part, place, turn):
    """Signed distance by counting bases one by one."""
    bases = set(range(place.start + turn, place.end + turn))
    if bases & set(range(part.start, part.end)):
        return 0
    steps = 1
    while True:
        if part.start - steps in bases:
            return -(steps - 1)
        if part.end - 1 + steps in bases:
            return steps - 1
        steps += 1


@given(
    parts=st.lists(
        st.tuples(st.integers(0, 38), st.integers(1, 8), st.sampled_from("+-.")),
        min_size=1,
        max_size=6,
    ),
    start=st.integers(0, 39),
    size=st.integers(1, 10),
    circular=st.booleans(),
)
def test_the_nearest_element_is_that_of_a_loop(parts, start, size, circular):
    elements = [
        element(f"e{i}", "CDS", ("c", first, min(first + length, 40), strand, 0))
        for i, (first, length, strand) in enumerate(parts)
    ]
    place = GenomicInterval("c", start, min(start + size, 40), "+")
    rings = frozenset({"c"} if circular else ())
    finder = NearestElement(AnnotationSet(elements, {"c": 40}), rings)
    found = finder.find(place)
    turns = (0, -40, 40) if circular else (0,)
    nearest = {
        one.id: min((gap(one.parts[0], place, turn) for turn in turns), key=abs) for one in elements
    }
    assert abs(found.distance) == min(map(abs, nearest.values()))
    part = found.element.parts[0]
    sign = -1 if part.strand == "-" else 1
    if part.end - part.start + 2 * abs(found.distance) < 40 - size or not circular:
        assert found.distance == sign * nearest[found.element.id]
    overlaps = {
        one.id: len(set(range(place.start, place.end)) & set(range(*one.parts[0][1:3])))
        for one in elements
    }
    if found.distance == 0 and max(overlaps.values()):
        assert overlaps[found.element.id] == max(overlaps.values())
    expected = "both" if part.strand == "." else "sense" if part.strand == "+" else "antisense"
    assert found.orientation == expected


@pytest.mark.parametrize(
    ("start", "strand", "distance", "orientation"),
    [
        pytest.param(21, "+", 0, "antisense", id="inside-the-part-on-minus"),
        pytest.param(21, "-", 0, "sense", id="inside-the-part-on-minus-read-there"),
        pytest.param(6, "+", 0, "sense", id="inside-the-part-on-plus"),
        pytest.param(13, "+", 3, "sense", id="downstream-of-the-part-on-plus"),
        pytest.param(28, "+", -3, "antisense", id="upstream-of-the-part-on-minus"),
    ],
)
def test_a_part_of_a_gene_on_both_strands_speaks_for_itself(start, strand, distance, orientation):
    gene = element("x", "CDS", ("c", 5, 10, "+", 0), ("c", 20, 25, "-", 0))
    for parts in (gene.parts, gene.parts[::-1]):
        finder = NearestElement(AnnotationSet([replace(gene, parts=parts)], {"c": 40}), frozenset())
        found = finder.find(GenomicInterval("c", start, start + 2, strand))
        assert found[1:] == (distance, orientation)


def test_people_read_one_based_loci_and_programs_zero_based_ones(genomes, tmp_path):
    store = str(genomes[0].features.path)
    note, head, row, *_ = CliRunner().invoke(app, ["top", store, "1"]).stdout.splitlines()
    assert note == "# first, last, peak: 1-based, closed"
    shown = dict(zip(head.split(), row.split(), strict=True))
    assert [shown[name] for name in ("first", "last", "peak")] == ["9", "11", "10"]
    assert not {"start", "end"} & set(shown)
    shown = CliRunner().invoke(app, ["top", store, "1", "--format", "json"]).stdout
    (first, *_) = json.loads(shown)
    assert [first[name] for name in ("start", "end", "peak")] == [8, 11, 9]
    top(store, 1, out=tmp_path / "t.tsv")
    header = header_of(tmp_path / "t.tsv")
    assert header["coordinates"] == "start and end are 0-based and half-open, peak is 0-based"


def test_the_nearest_element_may_lie_over_the_origin():
    place = GenomicInterval("chrA", 117, 119, "-")
    finder = NearestElement(ANNOTATIONS, frozenset({"chrA"}))
    assert finder.find(place)[1:] == (11, "sense")
    assert finder.find(place).name == "dnaA"
    assert NearestElement(ANNOTATIONS, frozenset()).find(place).element.id == "rep"
    assert finder.find(GenomicInterval("chrB", 0, 1, "+")) is None


def test_the_command_lists_loci_of_a_catalogue(genomes, tmp_path):
    lines = ["format: genointerp::feature-catalogue", "version: 1", "genomes:"]
    for item in genomes:
        write_fasta(item.sequence, tmp_path / f"{item.name}.fa")
        lines.append(f"  {item.name}: {{features: {item.features.path}, sequence: {item.name}.fa}}")
    path = tmp_path / "c.yaml"
    path.write_text("\n".join(lines) + "\n")
    done = CliRunner().invoke(app, ["top", str(path), "f/1", "--format", "json", "--top", "2"])
    assert [row["genome"] for row in json.loads(done.stdout)] == ["second", "first"]
    out = tmp_path / "top.tsv"
    assert len(top(path, 1, out=out)) == 3
    expected = strongest_loci(find_specimens(path).open("sequence"), 1)
    assert read_table(out, TOP_LOCI).equals(expected)
    assert "genome-second" in header_of(out)["provenance"]["inputs"]


def test_the_contigs_of_the_fixture_are_those_of_the_stores():
    assert {contig.seqid: contig.length for contig in CONTIGS} == LENGTHS
