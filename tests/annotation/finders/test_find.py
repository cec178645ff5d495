"""One suite over every finder that is installed, and what happens where one is not."""

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from genointerp.annotation.annotation_set import AnnotationSet
from genointerp.annotation.catalogue import shipped
from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.find import find_elements, once
from genointerp.annotation.finders.finding import FindConfig, Finding, MissingToolError, needed
from genointerp.annotation.finders.registry import FINDERS
from genointerp.annotation.gff3.file import read_gff3
from genointerp.annotation.read import read_annotation
from genointerp.cli.main import app
from genointerp.command.build.annotate import find_file
from genointerp.core.errors import ConfigError, InputError, UnknownNameError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import read_genome, write_fasta
from tests.annotation.finders.model_files import model_file

MODULES = {name: {"motif": "numpy"}.get(name, name) for name in FINDERS}
INSTALLED = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            find_spec(module) is None,
            reason=f'{module} is not installed: pip install "genointerp[annotate]"',
        ),
    )
    for name, module in MODULES.items()
]
MOTIF = """MEME version 4

ALPHABET= ACGT

MOTIF box
letter-probability matrix: alength= 4 w= 6 nsites= 20 E= 0
0 0 0 1
1 0 0 0
0 0 0 1
1 0 0 0
1 0 0 0
0 0 0 1
"""


@pytest.fixture(scope="module")
def operon():
    """The first 40 kb of B. subtilis: an rRNA operon with two tRNAs, and genes around it."""
    genome = read_genome(shipped("bsubtilis_168").sequence)
    (contig,) = genome.values()
    return Genome([Contig(contig.name, contig.sequence[:40_000].copy())])


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    motifs = tmp_path_factory.mktemp("motifs") / "box.meme"
    motifs.write_text(MOTIF)
    return FindConfig(
        motifs=motifs,
        max_p=1e-3,
        covariance_models=model_file("pyinfernal", "cms", "tRNA.c.cm"),
        protein_profiles=model_file("pyhmmer", "hmms", "txt", "PF02826.hmm"),
    )


@pytest.mark.parametrize("name", INSTALLED)
def test_every_finder_yields_elements_that_the_reader_reads_back(name, operon, config, tmp_path):
    write_fasta(operon, tmp_path / "genome.fa")
    out = tmp_path / "found.gff3"
    prediction = find_file(tmp_path / "genome.fa", [name], out, config)
    again = read_gff3(out, operon)
    assert [(e.type, e.id, e.parts) for e in again] == [
        (e.type, e.id, e.parts) for e in prediction.annotations
    ]
    assert prediction.counts == {name: len(again)}
    assert {e.attribute("tool") for e in again} <= {name}
    record = json.loads(out.read_text().splitlines()[1].removeprefix("# "))
    assert list(record["config"]["tools"]) == [name]
    assert record["inputs"]["genome"] == operon.sha256


@pytest.mark.parametrize("name", INSTALLED)
def test_every_finder_bears_unknown_bases_short_contigs_and_finds_nothing_in_them(name, config):
    codes = {"one": b"A", "unknown": b"N" * 300, "mixed": b"ACGTRYKN" * 10, "tiny": b"AC"}
    genome = Genome(Contig(k, np.frombuffer(v, np.uint8)) for k, v in codes.items())
    found = find_elements(genome, [name], config)
    assert {e.parts[0].seqid for e in found.annotations} <= {"mixed"}


@pytest.mark.parametrize(
    ("name", "type", "first", "last", "strand"),
    [
        pytest.param("pyrodigal", "CDS", 410, 1750, "+", id="dnaA"),
        pytest.param("pyaragorn", "tRNA", 11464, 11540, "+", id="trnO-Ile"),
        pytest.param("pybarrnap", "rRNA", 9814, 11361, "+", id="16S"),
        pytest.param("pyinfernal", "ncRNA", 11464, 11537, "+", id="tRNA-family"),
    ],
)
def test_known_genes_of_b_subtilis_are_found_where_they_are(
    name, type, first, last, strand, operon, config
):
    pytest.importorskip(MODULES[name])
    found = find_elements(operon, [name], config).annotations
    places = {(e.type, p.start + 1, p.end, p.strand) for e in found for p in e.parts}
    assert (type, first, last, strand) in places


def plant(repeat):
    """A random contig with a repeat from base 100 on."""
    draw = np.random.default_rng(2)
    bases = draw.choice(np.frombuffer(b"ACGT", np.uint8), 600)
    bases[100 : 100 + len(repeat)] = np.frombuffer(repeat, np.uint8)
    # what stands on either side does not go on with it
    bases[99], bases[100 + len(repeat)] = ord("C"), ord("C")
    return Genome([Contig("c", bases)])


def make_array():
    """Five repeats of 28 bases, with spacers of 32 that have nothing in common."""
    draw = np.random.default_rng(5)
    repeat, *spacers = (
        draw.choice([*b"ACGT"], n).astype(np.uint8).tobytes() for n in [28] + [32] * 4
    )
    return repeat + b"".join(spacer + repeat for spacer in spacers)


@pytest.mark.parametrize(
    ("name", "repeat"),
    [
        pytest.param("diced", make_array(), id="array"),
        pytest.param("pytrf", b"GATG" * 8, id="tandem"),
        pytest.param("pydustmasker", b"A" * 60, id="homopolymer"),
    ],
)
def test_a_planted_repeat_is_found_to_the_base(name, repeat):
    pytest.importorskip(name)
    found = find_elements(plant(repeat), [name]).annotations
    assert (100, 100 + len(repeat)) in {(p.start, p.end) for e in found for p in e.parts}


def test_a_gene_that_the_contig_cuts_has_no_start_or_stop_codon(operon):
    pytest.importorskip("pyrodigal")
    (contig,) = operon.values()
    # dnaA lies at [409, 1750)
    for start, end, cut in ((600, 2000, ["start_range"]), (300, 1500, ["end_range"])):
        piece = Genome([Contig("c", contig.sequence[start:end].copy())])
        gene = next(iter(find_elements(piece, ["pyrodigal"]).annotations))
        assert [name for name in gene.attributes if name.endswith("_range")] == cut
        elements = define_elements(AnnotationSet([gene], piece.lengths), piece, load_concepts())
        missing = {"start_range": "start_codon", "end_range": "stop_codon"}[cut[0]]
        assert elements.n_elements("CDS") == 1
        assert elements.n_elements(missing) == 0


def test_predicted_genes_are_read_as_concepts(operon, config):
    pytest.importorskip("pyrodigal")
    found = find_elements(operon, ["pyrodigal"], config).annotations
    elements = define_elements(found, operon, load_concepts())
    assert elements.n_elements("CDS") == len(found)
    # two genes run over the ends of the stretch at most: they have no start or no stop codon
    assert len(found) - 2 <= elements.n_elements("start_codon") <= len(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("genome", "tool", "type", "counts"),
    [
        pytest.param("ecoli_mg1655", "pyaragorn", "tRNA", (86, 88, 86), id="mg1655-tRNA"),
        pytest.param("bsubtilis_168", "pyaragorn", "tRNA", (86, 87, 86), id="168-tRNA"),
        pytest.param("bsubtilis_168", "pybarrnap", "rRNA", (30, 30, 30), id="168-rRNA"),
    ],
)
def test_whole_genomes_have_as_many_as_are_known(genome, tool, type, counts):
    pytest.importorskip(MODULES[tool])
    source = shipped(genome)
    bases = read_genome(source.sequence)
    known = places_of(read_annotation(source.annotation, bases), type)
    found = places_of(find_elements(bases, [tool]).annotations, type)
    matched = [
        place
        for place in known
        if any(
            strand == place[2] and min(end, place[1]) - max(start, place[0]) > 30
            for start, end, strand in found
        )
    ]
    assert (len(known), len(found), len(matched)) == counts


def places_of(annotations, type):
    return [(p.start, p.end, p.strand) for e in annotations if e.type == type for p in e.parts]


def test_a_tool_that_is_absent_says_how_to_install_it_and_the_others_run(
    operon, config, monkeypatch, caplog
):
    monkeypatch.setitem(sys.modules, "diced", None)
    found = find_elements(operon, ["diced", "motif"], config)
    assert found.absent == ("diced",)
    assert set(found.counts) == {"motif"}
    assert 'diced: expected pip install "genointerp[annotate]" (diced), found none' in caplog.text


def test_where_every_tool_is_absent_it_is_an_error(operon, monkeypatch):
    monkeypatch.setitem(sys.modules, "diced", None)
    with pytest.raises(MissingToolError, match=r'expected pip install "genointerp\[annotate\]"'):
        find_elements(operon, ["diced"])


def test_what_the_block_raises_but_import_errors_goes_through():
    with pytest.raises(ZeroDivisionError), needed("x"):
        _ = 1 / 0


def test_a_tool_without_its_file_is_refused(operon, tmp_path):
    with pytest.raises(InputError, match="motifs: expected motifs in a MEME or JASPAR file, found"):
        find_elements(operon, ["motif"])
    with pytest.raises(InputError, match=r"none\.meme: expected motifs .*, found no file"):
        find_elements(operon, ["motif"], FindConfig(motifs=tmp_path / "none.meme"))


def test_an_unknown_finder_is_refused_by_name(operon):
    with pytest.raises(UnknownNameError, match=r"finder: expected one of pyrodigal, .* 'prodigal'"):
        find_elements(operon, ["prodigal"])
    with pytest.raises(InputError, match="find: expected one or more of"):
        find_elements(operon, [])


@pytest.mark.parametrize(
    "values", [{"translation_table": 0}, {"max_evalue": 0.0}, {"max_p": 1.0}], ids=str
)
def test_a_number_out_of_range_is_refused(values):
    with pytest.raises(ConfigError, match=f"{next(iter(values))}: expected"):
        FindConfig(**values)


def test_no_tool_is_imported_by_what_others_import():
    tools = {*MODULES.values(), "RNA"} - {"numpy"}
    code = (
        "import sys, genointerp.command.build.annotate, genointerp.annotation.finders.folding\n"
        f"found = {tools!r} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_spans_the_origin_is_found_once():
    lengths = {"c": 100}
    found = [
        Finding("c", "CDS", 0, 12, "+"),  # the end of the gene over the origin, seen as a piece
        Finding("c", "CDS", 0, 12, "-"),
        Finding("c", "CDS", 40, 70, "+"),
        Finding("c", "CDS", 90, 112, "+"),
        Finding("c", "CDS", 140, 170, "+"),  # again
        Finding("c", "CDS", 10, 130, "+"),  # longer than a turn
    ]
    assert once(found, lengths) == [found[1], found[2], found[3]]


def test_a_gene_over_the_origin_of_a_circle_is_one_element_in_two_parts(operon):
    pytest.importorskip("pyrodigal")
    (contig,) = operon.values()
    linear = find_elements(operon, ["pyrodigal"]).annotations
    gene = linear.elements.query("start > 5000 and strand == '+'").iloc[0]
    cut = int(gene["start"]) + 301
    turned = np.roll(contig.sequence, -cut)
    circle = Genome([Contig("c", turned, circular=True)])
    found = find_elements(circle, ["pyrodigal"]).annotations
    over = [e for e in found if len(e.parts) == 2]
    length = int(gene["end"] - gene["start"])
    assert [(p.start, p.end, p.phase) for e in over for p in e.parts] == [
        (len(turned) - 301, len(turned), 0),
        (0, length - 301, 2),
    ]


@given(st.data())
def test_once_keeps_each_place_of_a_circle_exactly_once(data):
    length = data.draw(st.integers(20, 60))
    genes = data.draw(
        st.lists(st.tuples(st.integers(0, length - 1), st.integers(1, 10)), max_size=6, unique=True)
    )
    beyond = data.draw(st.integers(11, 20))
    found = [
        Finding("c", f"gene{i}", start + turn, start + turn + size, "+")
        for i, (start, size) in enumerate(genes)
        for turn in (0, length)
        if start + turn + size <= length + beyond
    ]
    kept = once(found, {"c": length})
    assert [(f.type, f.start, f.end) for f in kept] == [
        (f"gene{i}", start, start + size) for i, (start, size) in enumerate(genes)
    ]


def test_the_command_predicts_and_counts(operon, config, tmp_path):
    write_fasta(operon, tmp_path / "genome.fa")
    out = tmp_path / "found.gff3"
    line = ["annotate", str(tmp_path / "genome.fa"), "--find", "motif", "--motifs"]
    result = CliRunner().invoke(app, [*line, str(config.motifs), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert result.output == f"motif\t{len(read_gff3(out, operon))}\n"


def test_the_command_refuses_what_means_nothing(tmp_path):
    line = ["annotate", "genome.fa", "--out", str(tmp_path / "x.gff3")]
    with pytest.raises(InputError, match=r"its genome .* or finders to run, found none"):
        app(line, standalone_mode=False)
    other = ["annotate", "genome.fa", "--out", str(tmp_path / "x.tsv"), "--find", "motif"]
    with pytest.raises(InputError, match=r"x\.tsv: expected a name that ends in \.gff3 or"):
        app(other, standalone_mode=False)
    with pytest.raises(InputError, match="find: expected a sequence alone"):
        app([*line, "--find", "motif", "--genome", "x.fa"], standalone_mode=False)
