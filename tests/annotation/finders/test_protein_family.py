import pytest
from Bio.Seq import Seq
from hypothesis import given
from hypothesis import strategies as st

from genointerp.annotation.catalogue import shipped
from genointerp.annotation.find import find_elements
from genointerp.annotation.finders.finding import FindConfig
from genointerp.annotation.finders.protein_family import _coded, open_frames
from genointerp.annotation.read import read_annotation
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import read_genome
from tests.annotation.finders.model_files import model_file


@given(st.text("ACGT", min_size=0, max_size=80), st.sampled_from([4, 11]))
def test_open_frames_are_those_of_a_loop_over_six_frames(bases, table):
    expected = set()
    for strand, read in (("+", Seq(bases)), ("-", Seq(bases).reverse_complement())):
        for frame in range(3):
            codons = read[frame : frame + (len(read) - frame) // 3 * 3]
            place = 0
            for protein in str(codons.translate(table=table)).split("*"):
                first, stop = frame + 3 * place, frame + 3 * (place + len(protein))
                if strand == "-":
                    first, stop = len(bases) - stop, len(bases) - first
                if len(protein) >= 3:
                    expected.add((first, stop, strand, protein))
                place += len(protein) + 1
    found = open_frames("c", bases, table, shortest=3)
    assert {(f.start, f.end, f.strand, f.protein) for f in found} == expected
    for frame in found:
        for i in range(len(frame.protein) - 1):
            start, end = _coded(frame, i, i + 2)
            coded = Seq(bases[start:end])
            coded = coded if frame.strand == "+" else coded.reverse_complement()
            assert coded.translate(table=table) == frame.protein[i : i + 2]


@pytest.mark.slow
def test_a_domain_is_found_where_its_gene_lies():
    pytest.importorskip("pyhmmer", reason='pip install "genointerp[annotate]"')
    source = shipped("ecoli_mg1655")
    whole = read_genome(source.sequence)
    (contig,) = whole.values()
    genes = [e for e in read_annotation(source.annotation, whole) if e.type == "CDS"]
    gene = next(e for e in genes if e.attribute("gene") == "serA")
    (part,) = gene.parts
    cut = Genome([Contig("c", contig.sequence[part.start - 500 : part.end + 500].copy())])
    config = FindConfig(protein_profiles=model_file("pyhmmer", "hmms", "txt", "PF02826.hmm"))
    found = find_elements(cut, ["pyhmmer"], config).annotations
    (domain,) = (e for e in found)
    (place,) = domain.parts
    assert place.strand == part.strand
    assert 500 <= place.start < place.end <= 500 + part.end - part.start
    # in the frame of the gene
    offset = place.start - 500 if part.strand == "+" else 500 + part.end - part.start - place.end
    assert offset % 3 == 0
