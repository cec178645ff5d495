"""Questions of many regions, genes and genomes."""

import gzip
import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from genointerp.annotation.annotation_set import AnnotationSet, Element, Part
from genointerp.cli.main import app
from genointerp.command.ask.query import query, query_text
from genointerp.core.errors import (
    ConfigError,
    CoordinateError,
    InputError,
    MismatchError,
    SchemaError,
    UnknownNameError,
)
from genointerp.core.files import replacing
from genointerp.core.provenance import sha256_file
from genointerp.feature.query import QueryConfig, query_region
from genointerp.feature.regions import Places, element_hull, find_place, find_places, read_bed
from genointerp.feature.specimen import Specimen
from genointerp.feature.specimen_files import find_specimens
from genointerp.feature.summary import summarise_stretch
from genointerp.genome.interval import GenomicInterval
from genointerp.store.feature.catalogue import read_catalogue
from tests.stores import CONTIGS, ContigInfo, dense_features, write_features, write_read
from tests.table_header import header_of

OTHER = (ContigInfo("chrA", 60, circular=False), ContigInfo("plasmid", 100, circular=True))


@pytest.fixture(scope="module")
def dense():
    return dense_features(density=0.1)


@pytest.fixture(scope="module")
def store(tmp_path_factory, dense):
    return write_features(tmp_path_factory.mktemp("places") / "f.h5", dense, tile_rows=32)


@pytest.fixture
def annotation(tmp_path):
    path = tmp_path / "g.gff3"
    rows = [
        "chrA\tx\tgene\t111\t130\t.\t-\t.\tID=gene-1;gene=dnaA;locus_tag=b0001",
        "chrA\tx\tCDS\t111\t130\t.\t-\t0\tID=cds-1;gene=dnaA;locus_tag=b0001",
        "chrB\tx\ttRNA\t5\t9\t.\t+\t.\tID=trn-1;Name=trnA",
        "chrB\tx\ttRNA\t15\t19\t.\t+\t.\tID=trn-2;Name=trnA",
    ]
    path.write_text("##gff-version 3\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def catalogue(tmp_path, store, annotation):
    write_features(tmp_path / "other.h5", dense_features(contigs=OTHER, seed=1), contigs=OTHER)
    path = tmp_path / "two.yaml"
    lines = [
        "format: genointerp::feature-catalogue",
        "version: 1",
        "genomes:",
        f"  first: {{features: {store.path}, annotation: {annotation.name}}}",
        "  second: {features: other.h5}",
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


@given(st.data())
def test_a_stretch_over_the_origin_is_summarised_as_its_bases(store, dense, data):
    start, length = data.draw(st.integers(0, 119)), data.draw(st.integers(1, 120))
    strand = data.draw(st.sampled_from("+-"))
    floor = data.draw(st.sampled_from([0.0, 3.0, 8.0]))
    one = data.draw(st.sampled_from([None, 2]))
    bases = [base % 120 for base in range(start, start + length)]
    part = dense[strand][bases].astype(float)
    part = np.where(part >= floor, part, 0)
    found = summarise_stretch(
        store,
        GenomicInterval("chrA", start, start + length),
        strand,
        feature=one,
        min_activation=floor,
    )
    fires = [f for f in np.flatnonzero((part > 0).any(0)) if one in (None, f)]
    assert found.feature.tolist() == fires
    for i, feature in enumerate(fires):
        (where,) = np.nonzero(part[:, feature])
        assert (found.first[i], found.last[i]) == (where[0], where[-1])
        assert found.n_bases[i] == len(where)
        assert found.maximum[i] == part[:, feature].max()
        assert found.total[i] == pytest.approx(part[:, feature].sum())


def test_what_spans_the_origin_ends_beyond_the_contig(tmp_path):
    dense = {strand: np.zeros((160, 2), np.float32) for strand in "+-"}
    dense["+"][[118, 119, 0, 1], 0] = [1, 2, 3, 4]
    dense["+"][[3, 4], 1] = 1
    store = write_features(tmp_path / "f.h5", dense)
    table = query_region(store, "chrA:111-10")
    assert table[["feature", "start", "end", "covered_share"]].values.tolist() == [
        [0, 118, 122, 0.2],
        [1, 3, 5, 0.1],
    ]
    done = CliRunner().invoke(app, ["query", str(store.path), "chrA:111-10", "--format", "bed"])
    assert [line.split("\t")[:4] for line in done.stdout.splitlines()] == [
        ["chrA", "118", "120", "f/0"],
        ["chrA", "0", "2", "f/0"],
        ["chrA", "3", "5", "f/1"],
    ]


def test_activations_below_the_floor_are_silent(store, dense):
    table = query_region(store, "chrB", min_activation=5.0, top=None)
    part = np.where(dense["+"][120:] >= 5, dense["+"][120:], 0)
    found = table[table["strand"] == "+"].set_index("feature")["covered_share"]
    expected = (part > 0).mean(0)
    assert {feature: share for feature, share in enumerate(expected) if share} == found.to_dict()


def test_contigs_of_one_name_have_the_length_of_their_genome(catalogue):
    """chrA is a ring of 120 bp in the first genome and 60 bp in the second."""
    regions = ("chrA:111-10", "chrA:50-60")
    expected = []
    for row in query(catalogue, regions).itertuples():
        parts = [(row.start, row.end)]
        if row.end > 120:
            parts = [(row.start, 120), (0, row.end - 120)]
        expected += [(f"f/{row.feature}", *part, row.strand) for part in parts]
    assert sum(start == 0 for _, start, _, _ in expected) > 3
    text = "".join(query_text(catalogue, Places(regions), format="bed"))
    found = [line.split("\t") for line in text.split("\n")]
    shown = [(line[3], int(line[1]), int(line[2]), line[5]) for line in found[:-1]]
    assert shown == expected


def test_a_gene_is_looked_for_where_there_is_an_annotation(catalogue):
    table = query(catalogue, gene="dnaA")
    assert set(table["genome"]) == {"first"}


def test_bad_numbers_of_a_question_are_refused():
    for values in ({"top": 0}, {"min_activation": -1.0}, {"min_activation": float("nan")}):
        with pytest.raises(ConfigError, match="expected"):
            QueryConfig(**values)


def test_several_regions_and_bed_come_in_the_order_of_the_question(store, tmp_path):
    bed = tmp_path / "r.bed"
    bed.write_text("# c\ntrack name=x\nchrB\t0\t40\tall\n\nchrA\t4\t9\n")
    table = query(store, "chrA:20-30", bed=bed, top=1)
    assert table["region"].tolist() == ["chrA:20-30", "all", "chrA:5-9"]
    assert table["seqid"].tolist() == ["chrA", "chrB", "chrA"]
    for region, (_, row) in zip(["chrA:20-30", "chrB", "chrA:5-9"], table.iterrows(), strict=True):
        alone = query_region(store, region, top=1).iloc[0]
        assert row[alone.index].tolist() == alone.tolist()


def test_a_bed_may_be_packed_and_its_contigs_called_like_words_of_browsers(store, tmp_path):
    bed = tmp_path / "r.bed"
    bed.write_bytes(gzip.compress(b"browser position x\nchrA\t4\t9\nchrB\t0\t5\n"))
    table = query(store, bed=bed)
    assert table["region"].unique().tolist() == ["chrA:5-9", "chrB:1-5"]
    lines = ["track", "track1\t1\t2", "browserX\t3\t4", "track name=x"]
    found = [line.interval.seqid for line in read_bed(lines, where="r.bed")]
    assert found == ["track1", "browserX"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"chrA\t4\t9\tna\xefve\n", "r.bed: expected text in UTF-8, found byte 0xef"),
        (gzip.compress(b"chrA\t4\t9\n" * 99, mtime=0)[:-9], "r.bed: expected a sound gzip file"),
        (gzip.compress(b"", mtime=0)[:10] + b"\xff" * 20, "r.bed: expected a sound gzip file"),
    ],
)
def test_a_damaged_bed_is_named(store, tmp_path, content, message):
    (tmp_path / "r.bed").write_bytes(content)
    with pytest.raises(InputError, match=message):
        query(store, bed=tmp_path / "r.bed")


def test_provenance_names_the_annotation_and_the_bed(store, annotation, tmp_path):
    bed, out = tmp_path / "r.bed", tmp_path / "q.tsv"
    bed.write_text("chrA\t4\t9\n")
    query(store, bed=bed, gene="dnaA", annotations=annotation, out=out)
    found = header_of(out)["provenance"]["inputs"]
    assert found == {
        "features-f": sha256_file(store.path),
        "annotation-f": sha256_file(annotation),
        "bed": sha256_file(bed),
    }


@pytest.mark.parametrize(
    ("module", "config", "message"),
    [
        ("feature.query", "QueryConfig(strand='.')", "expected one of '+', '-', found '.'"),
        (
            "command.ask.export",
            "ExportConfig('plus')",
            "strand: expected one of '+', '-', found 'plus'",
        ),
        (
            "feature.motif",
            "MotifConfig(anchor='mid')",
            "anchor: expected one of 'peak', 'start', 'end'",
        ),
    ],
)
def test_a_word_that_is_no_choice_is_refused(module, config, message):
    # in a program of its own, where annotations are not executed
    code = f"from genointerp.{module} import *; {config}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ConfigError: " in done.stderr
    assert message in done.stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chrA\t5", r"line 2: expected seqid, start and end, separated by tabs"),
        ("chrA\t5\t-1", "line 2: expected seqid, start and end"),
        ("chrA\t9\t5", "line 2: expected start <= end, found 9 and 5"),
        ("chrA\t1\t" + 5000 * "9", "line 2: expected seqid, start and end"),
        ("chrA\t1\t\u0662", "line 2: expected seqid, start and end"),
    ],
)
def test_a_line_that_is_no_bed_is_named(line, message):
    with pytest.raises(CoordinateError, match=message):
        list(read_bed(["chrA\t1\t2", line], where="r.bed"))


def test_a_bed_of_another_genome_is_refused(store, tmp_path):
    (tmp_path / "r.bed").write_text("chrZ\t0\t5\n")
    with pytest.raises(CoordinateError, match="expected contigs of the genomes, found chrZ"):
        query(store, bed=tmp_path / "r.bed")
    (tmp_path / "r.bed").write_text("chrB\t30\t40\n\nchrB\t30\t50\n")
    expected = r"r\.bed: line 3: expected 0 <= start <= end <= 40 on chrB, found start=30, end=50"
    with pytest.raises(CoordinateError, match=expected):
        query(store, bed=tmp_path / "r.bed")


def test_lines_of_a_bed_are_asked_of_every_genome_that_holds_them(catalogue, tmp_path):
    """chrA is a ring of 120 bp in the first genome and 60 bp in the second."""
    (tmp_path / "r.bed").write_text("chrA\t0\t50\nchrA\t0\t70\nchrA\t110\t130\n")
    table = query(catalogue, bed=tmp_path / "r.bed", top=1)
    assert table[["genome", "region"]].values.tolist() == [
        ["first", "chrA:1-50"],
        ["second", "chrA:1-50"],
        ["first", "chrA:1-70"],
        ["first", "chrA:111-130"],
    ]


@pytest.mark.parametrize("name", ["dnaA", "b0001", "cds-1"])
def test_a_gene_over_the_origin_is_found_by_any_of_its_names(store, annotation, name):
    table = query(store, gene=name, annotations=annotation)
    expected = query_region(store, "chrA:111-10")
    assert table["region"].unique().tolist() == [name]
    assert table[expected.columns].equals(expected)


def test_every_element_of_a_name_is_asked(store, annotation):
    files = find_specimens(store, annotations=annotation)
    places = list(find_places(Places(genes=("trnA",)), files.open("annotation")))
    assert [place.interval for place in places] == [
        GenomicInterval("chrB", 4, 9, "+"),
        GenomicInterval("chrB", 14, 19, "+"),
    ]


def test_a_region_without_coordinates_is_a_gene_where_an_annotation_is_known(store, annotation):
    asked = ["chrB", "b0001", "chrB:1-9"]
    table = query(store, asked, annotations=annotation, top=None)
    assert table["region"].unique().tolist() == asked
    gene = query(store, gene="b0001", annotations=annotation, top=None)
    found = table[table["region"] == "b0001"].reset_index(drop=True)
    assert found.equals(gene)
    interval = GenomicInterval("chrA", 110, 130)
    assert query(store, interval, top=None)[found.columns[3:]].equals(gene[gene.columns[3:]])
    expected = "region: expected a region of chrA, chrB or a name of the annotation, found 'DnaA'"
    with pytest.raises(UnknownNameError, match=rf"{expected} \(did you mean 'dnaA'\?\)"):
        query(store, "DnaA", annotations=annotation)
    with pytest.raises(UnknownNameError, match="of the annotation, found 'chrM'"):
        query(store, "chrM", annotations=annotation)
    with pytest.raises(CoordinateError, match="expected a region of chrA, chrB, like"):
        query(store, "dnaA")


def test_one_place_is_the_longest_of_those_that_lie_in_each_other(store, annotation):
    specimens = find_specimens(store, annotations=annotation).open("annotation")
    assert find_place("dnaA", specimens).interval == GenomicInterval("chrA", 110, 130, "-")
    with pytest.raises(
        InputError, match="trnA: expected one place, found f chrB:5-9, f chrB:15-19"
    ):
        find_place("trnA", specimens)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param([(11, 60, "+"), (14, 57, "+")], [(10, 60)], id="inside"),
        pytest.param([(14, 63, "+"), (11, 60, "+")], [(10, 63)], id="shifted"),
        pytest.param([(11, 60, "+"), (51, 99, "+")], [(10, 60), (50, 99)], id="ends"),
        pytest.param([(11, 60, "+"), (12, 60, "-")], [(10, 60), (11, 60)], id="strand"),
    ],
)
def test_a_gene_and_its_coding_sequence_are_one_place(store, tmp_path, rows, found):
    lines = [
        f"chrA\tx\t{('gene', 'CDS')[i]}\t{first}\t{last}\t.\t{strand}\t0\tID={i};gene=rpsL"
        for i, (first, last, strand) in enumerate(rows)
    ]
    path = tmp_path / "g.gff3"
    path.write_text("\n".join(["##gff-version 3", *lines, ""]))
    files = find_specimens(store, annotations=path)
    places = list(find_places(Places(genes=("rpsL",)), files.open("annotation")))
    assert [(place.interval.start, place.interval.end) for place in places] == found
    assert [(part.start, part.end) for place in places for part in place.parts] == found


def test_an_unknown_gene_is_refused_with_what_is_near(store, annotation):
    with pytest.raises(UnknownNameError, match=r"gene: .*found 'dnaa' \(did you mean 'dnaA'\?\)"):
        query(store, gene="dnaa", annotations=annotation)
    with pytest.raises(InputError, match="specimen f: expected its annotation"):
        query(store, gene="dnaA")


def test_parts_on_either_side_of_the_origin_make_one_hull():
    def hull(*parts, circular=True):
        parts = tuple(Part("c", start, end, "+") for start, end in parts)
        return element_hull(Element("CDS", "x", parts), 100, circular=circular)

    assert hull((10, 20), (40, 50)) == GenomicInterval("c", 10, 50, "+")
    assert hull((90, 100), (0, 10)) == GenomicInterval("c", 90, 110, "+")
    assert hull((80, 85), (90, 100), (0, 10), (12, 20)) == GenomicInterval("c", 80, 120, "+")
    ends = (0, 30), (60, 100)
    assert hull(*ends) == GenomicInterval("c", 60, 130, "+")
    assert hull(*ends, circular=False) == GenomicInterval("c", 0, 100, "+")


def test_the_hull_of_parts_on_both_strands_has_none():
    parts = (Part("c", 10, 20, "+"), Part("c", 40, 50, "-"))
    hull = element_hull(Element("CDS", "x", parts), 100, circular=False)
    assert hull == GenomicInterval("c", 10, 50, ".")


@pytest.mark.parametrize("seqid", ["chrA", "chrB"])
@given(st.data())
def test_a_gene_is_asked_as_the_bases_of_its_parts(tmp_path_factory, store, dense, seqid, data):
    """Against a loop over the bases of the parts, which may overlap and span the origin."""
    length, offset = (120, 0) if seqid == "chrA" else (40, 120)
    firsts = data.draw(st.lists(st.integers(1, length), min_size=1, max_size=4))
    spans = [(first, min(first + 7, length)) for first in firsts]
    if seqid == "chrA" and data.draw(st.booleans()):
        spans += [(length - 2, length), (1, 3)]
    gff = tmp_path_factory.mktemp("gene") / "g.gff3"
    n = len(spans)
    rows = [
        f"{seqid}\tx\tCDS\t{first}\t{last}\t.\t{data.draw(st.sampled_from('+-'))}\t0"
        f"\tID=c;gene=g;part={number}/{n}"
        for number, (first, last) in enumerate(spans, 1)
    ]
    gff.write_text("##gff-version 3\n" + "\n".join(rows) + "\n")
    files = find_specimens(store, annotations=gff)
    table = query(store, gene="g", annotations=gff, top=None)
    bases = sorted({base for first, last in spans for base in range(first - 1, last)})
    (place,) = find_places(Places(genes=("g",)), files.open("annotation"))
    unrolled = [base for part in place.parts for base in range(part.start, part.end)]
    assert sorted(base % length for base in unrolled) == bases
    assert len(unrolled) == len(bases)
    for row in table.itertuples():
        values = dense[row.strand][[offset + base for base in bases], row.feature]
        assert row.max_activation == values.max()
        assert row.covered_share == pytest.approx((values > 0).mean())
        assert row.mean_activation == pytest.approx(values[values > 0].mean())
        loud = [b for b in unrolled if dense[row.strand][offset + b % length, row.feature] > 0]
        turn = length if loud[0] >= length else 0
        assert (row.start, row.end) == (loud[0] - turn, loud[-1] + 1 - turn)
    assert len(table) == sum((dense[s][[offset + b for b in bases]] > 0).any(0).sum() for s in "+-")


def test_the_share_that_fires_is_of_the_bases_that_were_read(tmp_path):
    dense = {strand: np.zeros((160, 1), np.float32) for strand in "+-"}
    dense["+"][10:15] = 1
    is_read = {"+": np.arange(160) < 20, "-": np.ones(160, dtype=bool)}
    store = write_read(tmp_path / "f.h5", dense, is_read)
    assert query_region(store, "chrA:11-30")["covered_share"].tolist() == [0.5]


def test_a_gene_that_reaches_both_ends_of_a_linear_contig_is_not_unrolled(store, tmp_path):
    gff = tmp_path / "linear.gff3"
    rows = [f"chrB\tx\tCDS\t{part}\t.\t+\t0\tID=c;gene=long" for part in ("1\t9", "31\t40")]
    gff.write_text("##gff-version 3\n" + "\n".join(rows) + "\n")
    files = find_specimens(store, annotations=gff)
    (place,) = find_places(Places(genes=("long",)), files.open("annotation"))
    assert place.interval == GenomicInterval("chrB", 0, 40, "+")


def test_without_places_every_contig_is_asked(store, catalogue):
    table = query(catalogue, top=1)
    assert table[["genome", "region"]].values.tolist() == [
        ["first", "chrA"],
        ["first", "chrB"],
        ["second", "chrA"],
        ["second", "plasmid"],
    ]


def test_a_region_is_asked_of_every_genome_that_has_it(catalogue):
    both = query(catalogue, "chrA:1-50", top=1)
    assert both["genome"].tolist() == ["first", "second"]
    # the second is too short
    assert query(catalogue, "chrA:1-70", top=1)["genome"].tolist() == ["first"]
    assert query(catalogue, "plasmid:91-5", top=1)["genome"].tolist() == ["second"]
    with pytest.raises(CoordinateError, match="last <= 120 on chrA"):
        query(catalogue, "chrA:0-5")
    with pytest.raises(CoordinateError, match="expected a region of chrA, "):
        query(catalogue, "chrZ:1-5")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("format: x\nversion: 1\ngenomes: {a: {features: f.h5}}", SchemaError, "found x version 1"),
        (
            "format: genointerp::feature-catalogue\nversion: 2\ngenomes: {a: {features: f.h5}}",
            SchemaError,
            "found genointerp::feature-catalogue version 2",
        ),
        (
            "format: genointerp::feature-catalogue\nversion: 1\ngenomes: {}",
            SchemaError,
            "genomes: expected at least one genome",
        ),
        (
            "format: genointerp::feature-catalogue\nversion: 1\ngenomes: {a: {feature: f.h5}}",
            ConfigError,
            "did you mean 'features'",
        ),
    ],
)
def test_a_catalogue_that_says_something_else_is_refused(tmp_path, text, error, message):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(error, match=message):
        read_catalogue(tmp_path / "c.yaml")


def test_the_example_of_the_schema_page_is_a_catalogue(tmp_path):
    from tests.store.test_schema_pages import PAGES

    page = (PAGES / "feature-catalogue-v1.md").read_text()
    (tmp_path / "c.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])
    found = read_catalogue(tmp_path / "c.yaml")
    assert list(found.genomes) == ["ecoli", "bsubtilis"]
    assert found.genomes["ecoli"].features == tmp_path / "ecoli/features.h5"
    assert found.genomes["bsubtilis"].sequence is None
    assert found.associations == tmp_path / "associations.parquet"


def test_dictionaries_are_not_mixed(tmp_path, store, catalogue):
    dense = dense_features(contigs=OTHER)
    with replacing():
        write_features(tmp_path / "other.h5", dense, contigs=OTHER, sae_sha256="t" * 64)
    with pytest.raises(MismatchError, match=r"other\.h5: expected dictionary ssss"):
        find_specimens(catalogue).open()


def test_an_annotation_for_a_catalogue_of_several_is_one_for_each(catalogue, annotation):
    with pytest.raises(
        InputError, match="annotations: expected 2 annotations, one per features file"
    ):
        find_specimens(catalogue, annotations=annotation)


def test_answers_stream_and_a_reader_may_leave(store):
    """A thousand regions through a pipe of which one line is read: no traceback, no waiting."""
    line = "chrA\t0\t120\n"
    words = ["query", str(store.path), "--bed", "-", "--format", "tsv"]
    code = f"import sys; sys.argv[1:] = {words!r}"
    code += "; from genointerp.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        for _ in range(400):
            process.stdin.write(line)
        process.stdin.flush()
        # the first answer comes before the question has ended
        assert process.stdout.readline().startswith("genome\tregion\tseqid\tfeature")
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == ""


def test_the_command_asks_for_a_gene(store, annotation):
    words = ["query", str(store.path), "--gene", "trnA", "--annotations", str(annotation)]
    done = CliRunner().invoke(app, [*words, "--format", "json", "--top", "1", "--strand", "+"])
    rows = json.loads(done.stdout)
    assert {row["region"] for row in rows} == {"trnA"}
    assert all(row["strand"] == "+" for row in rows)


def test_blank_contigs_stand_for_a_sequence_where_an_annotation_is_read(store, annotation):
    (genome,) = find_specimens(store, annotations=annotation).open("annotation")
    assert isinstance(genome, Specimen)
    assert isinstance(genome.annotation, AnnotationSet)
    assert genome.sequence is None
    assert genome.annotation.lengths == {contig.seqid: contig.length for contig in CONTIGS}
