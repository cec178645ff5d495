"""Facts about the shipped genomes, counted from the records that they were made of."""

import os
import threading
from pathlib import Path

import pysam
import pytest
from typer.testing import CliRunner

from genointerp.annotation.catalogue import catalogue, shipped
from genointerp.annotation.concepts import define_elements, load_concepts
from genointerp.annotation.raster import element_bases
from genointerp.annotation.read import read_annotation
from genointerp.cli.main import app
from genointerp.command.build.annotate import annotate_file
from genointerp.core.errors import UnknownNameError
from genointerp.core.provenance import sha256_file
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.read import read_genome
from genointerp.store.table.schema.feature import ELEMENTS
from genointerp.store.table.table import read_table
from tests.table_header import header_of

COUNTS = {
    "ecoli_mg1655": {
        "tRNA": 86, "rRNA": 22, "rRNA_5S": 8, "rRNA_16S": 7, "rRNA_23S": 7, "CDS": 4145,
        "CDS_phase0": 4145, "start_codon": 4145, "stop_codon": 4145, "ncRNA": 62, "tmRNA": 1,
        "riboswitch": 0, "pseudogene": 181, "mobile_element": 47, "repeat_region": 355,
        "prophage": 10, "intergenic": 3735,
    },
    "bsubtilis_168": {
        "tRNA": 86, "rRNA": 30, "rRNA_5S": 10, "rRNA_16S": 10, "rRNA_23S": 10, "CDS": 4237,
        "CDS_phase0": 4237, "start_codon": 4237, "stop_codon": 4237, "ncRNA": 27, "tmRNA": 1,
        "riboswitch": 55, "pseudogene": 88, "mobile_element": 0, "repeat_region": 0,
        "prophage": 0, "intergenic": 3882,
    },
}  # fmt: skip
CONTIGS = {
    "ecoli_mg1655": ("NC_000913.2", 4639675),
    "bsubtilis_168": ("NC_000964.3", 4215606),
}


@pytest.fixture(scope="module", params=COUNTS)
def loaded(request):
    entry = shipped(request.param)
    genome = read_genome(entry.sequence)
    annotations = read_annotation(entry.annotation, genome)
    return entry, genome, annotations, define_elements(annotations, genome, load_concepts())


def test_the_catalogue_lists_both_genomes():
    assert list(catalogue()) == ["bsubtilis_168", "ecoli_mg1655"]
    assert shipped("NC_000964.3").name == "bsubtilis_168"
    with pytest.raises(UnknownNameError, match="one of bsubtilis_168, ecoli_mg1655, found 'x'"):
        shipped("x")


def test_each_concept_has_its_known_number_of_elements(loaded):
    entry, _, _, elements = loaded
    expected = COUNTS[entry.name]
    assert {name: elements.n_elements(name) for name in expected} == expected


def test_files_are_those_that_their_source_describes(loaded):
    entry, genome, annotations, _ = loaded
    assert entry.source["genome_sha256"] == genome.sha256
    assert entry.source["elements"] == annotations.counts()
    for name, digest in entry.source["sha256"].items():
        assert sha256_file(entry.sequence.parent / name) == digest


def test_contigs_are_circular_and_both_indexes_work(loaded):
    entry, genome, _, _ = loaded
    name, length = CONTIGS[entry.name]
    assert genome.lengths == {name: length}
    assert genome[name].circular
    with pysam.FastaFile(str(entry.sequence)) as file:
        assert file.fetch(name, 1000, 1100).encode() == genome[name].sequence[1000:1100].tobytes()
    with pysam.TabixFile(str(entry.annotation)) as file:
        assert file.contigs == [name]
        assert len(list(file.fetch(name, 0, 20_000))) > 10


def test_stop_codons_are_stop_codons_and_start_codons_start(loaded):
    _, genome, _, elements = loaded
    stops, starts = codons(genome, elements, "stop_codon"), codons(genome, elements, "start_codon")
    assert set(stops) == {"TAA", "TAG", "TGA"}
    usual = sum(codon in ("ATG", "GTG", "TTG") for codon in starts)
    assert usual / len(starts) > 0.99


def codons(genome, elements, concept):
    table = elements.of(concept)
    whole = table[table["end"] - table["start"] == 3]
    columns = (whole[name] for name in ("seqid", "start", "end", "strand"))
    intervals = [GenomicInterval(*values) for values in zip(*columns, strict=True)]
    return [genome.fetch(interval).tobytes().decode() for interval in intervals]


def test_phases_share_out_the_bases_of_every_cds(loaded):
    _, genome, _, elements = loaded
    sizes = [len(element_bases(elements, genome.lengths, f"CDS_phase{i}").row) for i in range(3)]
    assert len(set(sizes)) == 1
    assert sum(sizes) == len(element_bases(elements, genome.lengths, "CDS").row)


def test_remnants_in_ecoli_are_pseudogenes(loaded):
    entry, _, annotations, _ = loaded
    pseudo = [e.attribute("gene") for e in annotations if e.type == "pseudogenic_tRNA"]
    if entry.name == "ecoli_mg1655":
        assert pseudo == ["ptwF", "pauD", "pawZ"]
        assert annotations["tmRNA-b4645"].type == "pseudogenic_transcript"
        assert sum("ptwF" in trap for trap in entry.source["traps"]) == 1
    else:
        assert pseudo == []


def test_the_16s_gene_at_the_origin_of_bsubtilis_begins_as_it_must():
    genome = read_genome(shipped("bsubtilis_168").sequence)
    gene = genome.fetch(GenomicInterval("NC_000964.3", 9809, 11364, "+"))
    assert b"AGAGTTTGATC" in gene[:40].tobytes()
    assert b"AAGTCGTAACAAGGTA" in gene[-80:].tobytes()


def test_annotate_lists_the_elements_and_counts_them(tmp_path):
    phix = Path(__file__).parents[1] / "data" / "phix174.gbk"
    out = tmp_path / "elements.tsv"
    arguments = ["annotate", phix, "--genome", phix, "--out", out]
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0
    counts = dict(line.split("\t") for line in result.stdout.splitlines())
    assert counts["CDS"] == "11"
    table = read_table(out, ELEMENTS)
    assert (table["concept"] == "CDS").sum() == 14
    assert table.loc[table["concept"] == "CDS", "element"].nunique() == 11
    header = header_of(out)
    assert header["provenance"]["inputs"].keys() == {"annotation", "genome", "concepts"}


@pytest.mark.parametrize("piped", ["annotation", "genome"])
def test_annotate_reads_each_input_once_so_that_it_may_be_a_pipe(tmp_path, piped):
    files = {"annotation": "##gff-version 3\nc\tx\ttRNA\t1\t9\t.\t+\t.\tID=t\n"}
    files["genome"] = ">c\nACGTACGTACGT\n"
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    digest = sha256_file(tmp_path / "annotation")
    (tmp_path / piped).unlink()
    os.mkfifo(tmp_path / piped)
    writer = threading.Thread(target=(tmp_path / piped).write_text, args=(files[piped],))
    writer.start()
    found = annotate_file(tmp_path / "annotation", tmp_path / "genome", tmp_path / "out.tsv")
    writer.join()
    assert found.n_elements("tRNA") == 1
    header = header_of(tmp_path / "out.tsv")
    assert header["provenance"]["inputs"]["annotation"] == digest


def test_annotate_says_which_types_no_concept_reads_and_which_are_read_as_another(tmp_path, caplog):
    caplog.set_level("INFO")
    rows = [("mystery", 1), ("mystery", 5), ("asRNA", 9)]
    text = "".join(f"c\tx\t{kind}\t{at}\t{at + 1}\t.\t+\t.\t.\n" for kind, at in rows)
    (tmp_path / "a.gff3").write_text(f"##gff-version 3\n{text}")
    (tmp_path / "c.fa").write_text(">c\nACGTACGTACGT\n")
    annotate_file(tmp_path / "a.gff3", tmp_path / "c.fa", tmp_path / "out.tsv")
    where = tmp_path / "a.gff3"
    assert f"{where}: types that no concept names: mystery (2)" in caplog.messages
    assert f"{where}: types read as another: asRNA as antisense_RNA (1)" in caplog.messages
