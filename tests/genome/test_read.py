import gzip
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import SequenceError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.read import read_genome, write_fasta

PHIX = Path(__file__).parents[1] / "data" / "phix174.gbk"
FASTA = b">a first\nACGTacgt\nNNry\n>b [topology=circular]\r\nUUAC\r\n"


def letters(contig):
    return contig.sequence.tobytes().decode()


def write(tmp_path, content, name="genome"):
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("pack", ["plain", "gzip", "bgzip"])
def test_fasta_is_told_by_content_and_not_by_its_name(tmp_path, pack):
    path = tmp_path / "genome.txt"
    if pack == "bgzip":
        with pysam.BGZFile(str(path), "wb", index=None) as handle:
            handle.write(FASTA)
    else:
        path.write_bytes(FASTA if pack == "plain" else gzip.compress(FASTA))
    genome = read_genome(path)
    assert {name: letters(contig) for name, contig in genome.items()} == {
        "a": "ACGTACGTNNRY",
        "b": "TTAC",
    }
    assert [contig.circular for contig in genome.values()] == [False, True]


@pytest.mark.parametrize(
    ("header", "circular"),
    [
        ("c [organism=E. coli] [topology=circular] [completeness=complete]", True),
        ("1 length=5 depth=1.00x circular=true", True),
        ("1 circular=True", True),
        ("c topology=linear", False),
        ("c circular=false", False),
        ("circular=true", False),
        ("c not-circular=true", False),
    ],
)
def test_topology_is_a_word_of_the_header(tmp_path, header, circular):
    genome = read_genome(write(tmp_path, f">{header}\nACGT\n".encode()))
    assert next(iter(genome.values())).circular is circular


@pytest.mark.parametrize("circular", [True, False])
def test_the_caller_may_overrule_the_topology(tmp_path, circular):
    genome = read_genome(write(tmp_path, FASTA), circular=circular)
    assert {contig.circular for contig in genome.values()} == {circular}


def test_genbank_names_a_contig_by_accession_and_version():
    genome = read_genome(PHIX)
    assert genome.lengths == {"NC_001422.1": 5386}
    assert letters(genome["NC_001422.1"]).startswith("GAGTTTTATCGCTTCCATGACGCAG")


def test_genbank_topology_is_that_of_the_locus_line(tmp_path):
    content = PHIX.read_bytes()
    head, rest = content.split(b"\n", 1)
    assert b"linear" not in head
    assert read_genome(PHIX)["NC_001422.1"].circular is (b"circular" in head)
    changed = head.replace(b"circular", b"linear  ")
    path = write(tmp_path, gzip.compress(changed + b"\n" + rest))
    assert not read_genome(path)["NC_001422.1"].circular


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "a file with content, found an empty file", id="empty"),
        pytest.param(b" \n\n", "a file with content, found an empty file", id="blank"),
        pytest.param(b"ACGT\n", r"FASTA \('>name'\) or GenBank .*found 'ACGT'", id="no-header"),
        pytest.param(b"@r\nAC\n+\nII\n", "FASTA .* found '@r'", id="fastq"),
        pytest.param(b">a\nACGT\n>b\n>c\nA\n", "line 3: .*the header of 'b'", id="bare"),
        pytest.param(b">a\nACGT\n>b", "line 3: .*bases after the header of 'b'", id="cut"),
        pytest.param(b">\nACGT\n", "line 1: expected a name after '>'", id="nameless"),
        pytest.param(b"> a\nACGT\n", "line 1: expected a name after '>'", id="space-before-name"),
        pytest.param(b">a\nAC\n>a\nGT\n", "unique sequence names, found 'a' twice", id="twice"),
        pytest.param(b">a\nAC-T\n", "a: base 3: expected an IUPAC .*found '-'", id="gap"),
        pytest.param(b">p\nMKLEF\n", "base 3: .*found 'L'", id="protein"),
        pytest.param(gzip.compress(FASTA)[:-9], "complete gzip file, found one cut", id="cut-gzip"),
        pytest.param(b"\x1f\x8b\x08" + bytes(40), "gzip file", id="damaged-gzip"),
    ],
)
def test_a_bad_fasta_is_refused_with_the_place(tmp_path, content, message):
    with pytest.raises(SequenceError, match=message):
        read_genome(write(tmp_path, content))


def test_a_bgzip_file_without_its_last_block_is_cut_short(tmp_path):
    path = tmp_path / "a.fa.gz"
    write_fasta(Genome([Contig("a", np.full(200_000, ord("A"), np.uint8))]), path)
    path.write_bytes(path.read_bytes()[:-28])
    with pytest.raises(SequenceError, match="no end-of-file block"):
        read_genome(path)


@pytest.mark.parametrize("members", ["bgzip-gzip", "gzip-bgzip", "gzip-gzip", "bgzip-bgzip"])
def test_concatenated_members_are_one_file(tmp_path, members):
    contents = []
    for number, kind in enumerate(members.split("-")):
        text = f">{number}\nACGT\n".encode()
        path = tmp_path / f"{number}.gz"
        with pysam.BGZFile(str(path), "wb", index=None) as handle:
            handle.write(text)
        contents.append(path.read_bytes() if kind == "bgzip" else gzip.compress(text))
    assert list(read_genome(write(tmp_path, b"".join(contents)))) == ["0", "1"]
    cut = b"".join(contents)[: -28 if members.endswith("bgzip") else -1]
    with pytest.raises(SequenceError, match="one cut short"):
        read_genome(write(tmp_path, cut))


@pytest.mark.parametrize("content", [FASTA, PHIX.read_bytes()], ids=["fasta", "genbank"])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path, content):
    expected = read_genome(write(tmp_path, content))
    for marked in (b"\xef\xbb\xbf" + content, gzip.compress(b"\xef\xbb\xbf" + content)):
        assert read_genome(write(tmp_path, marked)).sha256 == expected.sha256


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_text_is_refused_by_its_name(tmp_path, encoding):
    content = ("\ufeff" + FASTA.decode()).encode(encoding)
    with pytest.raises(SequenceError, match="UTF-8 or ASCII, found a byte order mark of UTF-16"):
        read_genome(write(tmp_path, content))


def without_origin(content):
    return content[: content.index(b"ORIGIN")] + b"//\n"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        pytest.param(without_origin, r"NC_001422.1: .*sequence \(ORIGIN\), found none", id="bare"),
        pytest.param(lambda c: c[:15_000], "ends with '//', found one that ends early", id="cut"),
        pytest.param(lambda c: c.rstrip()[:-2], "ends with '//'", id="no-end-marker"),
        pytest.param(
            lambda c: c.replace(b"5386 bp ", b"5387 bp ", 1), "length 5387", id="other-length"
        ),
        pytest.param(
            lambda c: c.replace(b"gagttttatc", b"gag!tttatc", 1), "base 4: .*'!'", id="letter"
        ),
    ],
)
def test_a_bad_genbank_is_refused(tmp_path, damage, message):
    with pytest.raises(SequenceError, match=message):
        read_genome(write(tmp_path, damage(PHIX.read_bytes())))


names = st.text("abcXYZ019_.:-", min_size=1, max_size=8)
contigs = st.builds(
    lambda name, bases, circular: Contig(name, np.frombuffer(bases.encode(), np.uint8), circular),
    names,
    st.text("ACGTRYSWKMBDHVN", min_size=1, max_size=300),
    st.booleans(),
)
genomes = st.lists(contigs, min_size=1, max_size=4, unique_by=lambda contig: contig.name)


@given(genomes, st.sampled_from(["a.fa", "a.fa.gz"]))
def test_what_is_written_is_read_again(tmp_path_factory, found, name):
    path = tmp_path_factory.mktemp("fasta") / name
    genome = Genome(found)
    write_fasta(genome, path)
    again = read_genome(path)
    assert again.sha256 == genome.sha256
    if name.endswith(".gz"):
        with pysam.FastaFile(str(path)) as index:
            assert dict(zip(index.references, index.lengths, strict=True)) == genome.lengths
