import json
import subprocess
import sys

import gffutils
import numpy as np
import pandas as pd
import pyBigWig
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from genointerp.annotation.annotation_set import Element, Part
from genointerp.cli.main import app
from genointerp.command.ask.export import export
from genointerp.core.errors import InputError, MismatchError, UnknownNameError
from genointerp.core.provenance import sha256_file
from genointerp.feature.gene_matrix import gene_layers, to_anndata
from genointerp.feature.loci import LocusConfig, all_loci
from genointerp.feature.locus_files import sequence_text
from genointerp.feature.specimen import Specimen
from genointerp.feature.tracks import feature_runs
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import reverse_complement
from genointerp.store.contigs import ContigInfo
from tests.stores import CONTIGS, dense_features, feature_header, write_features, write_read

RULE = {"merge_gap": 2, "min_length": 2, "min_activation": 1.0}
LOCI = LocusConfig(**RULE)


@pytest.fixture
def dense():
    return dense_features(3, density=0.3)


@pytest.fixture
def genome():
    letters = np.random.default_rng(0).choice(list(b"ACGT"), 160).astype(np.uint8)
    return Genome([Contig("chrA", letters[:120], circular=True), Contig("chrB", letters[120:])])


@pytest.fixture
def store(tmp_path, dense, genome):
    return write_features(tmp_path / "f.h5", dense, genome_sha256=genome.sha256)


@pytest.fixture
def files(store, genome):
    return Specimen("f", store, genome)


@pytest.mark.parametrize("suffix", ["bw", "bed", "fasta"])
def test_a_sequence_of_another_genome_is_refused_whatever_is_written(store, tmp_path, suffix):
    (tmp_path / "other.fa").write_text(">chrA\nACGT\n")
    with pytest.raises(MismatchError, match=r"other\.fa: expected genome|found genome"):
        export(store, 1, out=tmp_path / f"t.{suffix}", genome=tmp_path / "other.fa")
    assert not (tmp_path / f"t.{suffix}").exists()


def expected_of(dense, strand):
    return np.maximum(dense["+"], dense["-"]) if strand is None else dense[strand]


@pytest.mark.parametrize("strand", ["+", "-", None])
def test_bigwig_reads_back_exactly(files, dense, tmp_path, strand):
    out = tmp_path / "t.bw"
    assert export(files, 1, out=out, strand=strand) > 0
    with pyBigWig.open(str(out)) as file:
        assert file.chroms() == {"chrA": 120, "chrB": 40}
        found = [file.values(contig.seqid, 0, contig.length) for contig in CONTIGS]
    values = np.nan_to_num(np.concatenate(found))
    np.testing.assert_array_equal(values, expected_of(dense, strand)[:, 1])


@pytest.mark.parametrize("strand", ["+", "-", None])
def test_bedgraph_reads_back_exactly(files, store, dense, tmp_path, strand):
    out = tmp_path / "t.bedgraph"
    n = export(files, 1, out=out, strand=strand)
    lines = [line for line in out.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) == n
    values = np.zeros(160)
    for line in lines:
        seqid, start, end, value = line.split("\t")
        offset = store.offsets[seqid]
        values[offset + int(start) : offset + int(end)] = float(value)
    np.testing.assert_array_equal(values, expected_of(dense, strand)[:, 1])


@pytest.mark.parametrize("bin_bp", [2, 7, 64, 1000])
def test_a_bin_has_the_greatest_value_of_its_bases(files, dense, tmp_path, bin_bp):
    out = tmp_path / "t.bw"
    export(files, 1, out=out, bin=bin_bp)
    with pyBigWig.open(str(out)) as file:
        found = {c.seqid: np.nan_to_num(file.values(c.seqid, 0, c.length)) for c in CONTIGS}
    values = expected_of(dense, None)[:, 1]
    for contig, part in zip(CONTIGS, np.split(values, [120]), strict=True):
        for start in range(0, contig.length, bin_bp):
            here = slice(start, start + bin_bp)
            assert set(found[contig.seqid][here]) == {part[here].max()}


def test_summaries_of_a_bigwig_keep_peaks(tmp_path):
    """Over more bases than one zoom level holds, the greatest value is not averaged away."""
    length = 60_000
    contigs = (ContigInfo("chr", length, circular=False),)
    dense = {s: np.zeros((length, 1), np.float32) for s in "+-"}
    random = np.random.default_rng(0)
    dense["+"][:, 0] = random.integers(1, 200, length) / 16 * (random.random(length) < 0.5)
    dense["+"][41_234, 0] = 100
    windows = [GenomicInterval("chr", 0, length, "+")]
    store = write_features(tmp_path / "f.h5", dense, contigs=contigs, windows=windows)
    export(store, 0, out=tmp_path / "t.bw")
    with pyBigWig.open(str(tmp_path / "t.bw")) as file:
        assert file.header()["nLevels"] > 0
        assert file.stats("chr", type="max") == [100]
        coarse = np.array(file.stats("chr", 0, length, type="max", nBins=10))
    exact = dense["+"].reshape(10, -1).max(axis=1)
    assert (coarse >= exact).all()
    assert coarse.argmax() == 41_234 // 6000


def loci_of(store, feature, config):
    order = {contig.seqid: number for number, contig in enumerate(CONTIGS)}
    rows = all_loci(store, feature, config).to_dict("records")
    return sorted(rows, key=lambda row: (order[row["seqid"]], row["start"], row["end"]))


def test_gff3_is_read_by_gffutils_as_the_loci(files, store, tmp_path):
    out = tmp_path / "t.gff3"
    n = export(files, 1, out=out, **RULE)
    database = gffutils.create_db(str(out), ":memory:")
    found = list(database.all_features(order_by=("seqid", "start", "end")))
    expected = loci_of(store, 1, LOCI)
    assert len(found) == n == len(expected) > 5
    for feature, row in zip(found, expected, strict=True):
        # 1-based and closed
        assert (feature.start, feature.end) == (row["start"] + 1, row["end"])
        assert (feature.seqid, feature.strand) == (row["seqid"], row["strand"])
        assert feature.attributes["Name"] == ["f/1"]
        assert float(feature.score) == row["max_activation"]
        mean, n_firing = (feature.attributes[key][0] for key in ("mean_activation", "n_firing"))
        assert float(mean) == pytest.approx(row["mean_activation"], rel=1e-8)
        assert int(n_firing) == row["n_firing"]
    assert len({feature.id for feature in found}) == n


def test_gff3_states_its_contigs_and_its_rule(files, tmp_path):
    export(files, 1, out=tmp_path / "t.gff3", **RULE)
    lines = (tmp_path / "t.gff3").read_text().splitlines()
    assert lines[:3] == [
        "##gff-version 3",
        "##sequence-region chrA 1 120",
        "##sequence-region chrB 1 40",
    ]
    assert "at most 2 silent bases between them (merge gap), 2 bp or longer" in lines[3]
    assert json.loads(lines[4][2:])["config"]["loci"]["merge_gap"] == 2


def test_bed_is_read_by_tabix_as_the_loci(files, store, tmp_path):
    out = tmp_path / "t.bed"
    n = export(files, 1, out=out, **RULE)
    packed = pysam.tabix_index(str(out), preset="bed", keep_original=True)
    with pysam.TabixFile(packed, parser=pysam.asBed()) as file:
        found = list(file.fetch())
    expected = loci_of(store, 1, LOCI)
    highest = max(row["max_activation"] for row in expected)
    assert len(found) == n == len(expected)
    for bed, row in zip(found, expected, strict=True):
        assert (bed.contig, bed.start, bed.end) == (row["seqid"], row["start"], row["end"])
        assert bed.strand == row["strand"]
        assert int(bed.score) == round(1000 * row["max_activation"] / highest)
        assert float(bed[6]) == row["max_activation"]


def test_bed_has_no_line_but_of_loci_and_its_rule_next_to_it(files, store, tmp_path):
    out = tmp_path / "t.bed"
    for _ in range(2):
        export(files, 1, out=out, **RULE)
    found = pd.read_csv(out, sep="\t", header=None)
    expected = loci_of(store, 1, LOCI)
    assert found[1].tolist() == [row["start"] for row in expected]
    metadata = json.loads((tmp_path / "t.bed-metadata.json").read_text())
    header = metadata["genointerp:header"]
    assert header["sha256"] == sha256_file(out)
    assert "at most 2 silent bases between them (merge gap), 2 bp or longer" in header["loci"]
    assert header["provenance"]["config"]["loci"]["merge_gap"] == 2
    assert metadata["dialect"] == {"delimiter": "\t", "header": False, "trim": False}
    assert len(metadata["tableSchema"]["columns"]) == found.shape[1]


@pytest.mark.parametrize("flank", [0, 3, 50, 200])
def test_fasta_holds_each_locus_with_its_flanks_as_it_is_read(
    files, store, genome, tmp_path, flank
):
    out = tmp_path / "t.fasta"
    export(files, 1, out=out, **RULE, flank=flank)
    expected = loci_of(store, 1, LOCI)
    with pysam.FastxFile(str(out)) as file:
        found = list(file)
    assert [record.name for record in found] == [f"feature_1_{i + 1}" for i in range(len(expected))]
    for record, row in zip(found, expected, strict=True):
        contig = genome[row["seqid"]]
        start, end = row["start"], row["end"]
        if contig.circular:
            # no base is written twice
            shorter = min(flank, (contig.length - (end - start)) // 2)
            around = [i % contig.length for i in range(start - shorter, end + shorter)]
        else:
            around = range(max(0, start - flank), min(end + flank, contig.length))
        bases = contig.sequence[list(around)]
        bases = reverse_complement(bases) if row["strand"] == "-" else bases
        assert record.sequence.upper() == bases.tobytes().decode()
        inner = genome.fetch(
            GenomicInterval(*(row[k] for k in ("seqid", "start", "end", "strand")))
        )
        upper = "".join(letter for letter in record.sequence if letter.isupper())
        assert upper == inner.tobytes().decode()
        assert f"locus={row['start'] + 1}-{row['end']} " in f"{record.comment} "


def test_flanks_go_on_over_the_origin(genome):
    bases = genome["chrA"].sequence.tobytes().decode()
    text = sequence_text(GenomicInterval("chrA", 1, 3, "+"), genome, 4)
    assert text == bases[117:].lower() + bases[0].lower() + bases[1:3] + bases[3:7].lower()
    text = sequence_text(GenomicInterval("chrB", 1, 3, "+"), genome, 4)
    linear = genome["chrB"].sequence.tobytes().decode()
    assert text == linear[0].lower() + linear[1:3] + linear[3:7].lower()


def test_runs_join_equal_neighbours_and_stop_at_contigs(tmp_path):
    dense = {strand: np.zeros((160, 1), np.float32) for strand in "+-"}
    dense["+"][117:123, 0] = [1, 2, 2, 2, 2, 3]
    runs = feature_runs(write_features(tmp_path / "f.h5", dense), 0, "+")
    found = [(r.seqid, r.start.tolist(), r.end.tolist(), r.value.tolist()) for r in runs]
    assert found == [
        ("chrA", [0, 117, 118], [117, 118, 120], [0, 1, 2]),
        ("chrB", [0, 2, 3], [2, 3, 40], [2, 3, 0]),
    ]


@given(st.data())
def test_a_track_is_zero_where_silence_was_read_and_absent_elsewhere(tmp_path_factory, data):
    """Against a loop over bases: read on the strand, or on either where both are merged."""
    seed = data.draw(st.integers(0, 99))
    dense, generator = dense_features(1, seed=seed), np.random.default_rng(seed)
    shares = {strand: data.draw(st.sampled_from([0, 0.5, 0.9, 1])) for strand in "+-"}
    is_read = {strand: generator.random(160) < share for strand, share in shares.items()}
    for strand in "+-":
        dense[strand][~is_read[strand]] = 0
    store = write_read(tmp_path_factory.mktemp("track") / "f.h5", dense, is_read)
    strand = data.draw(st.sampled_from(["+", "-", None]))
    bin_bp = data.draw(st.sampled_from([1, 7]))
    found = np.full(160, np.nan)
    for run in feature_runs(store, 0, strand, bin_bp=bin_bp):
        for start, end, value in zip(run.start, run.end, run.value, strict=True):
            place = slice(store.offsets[run.seqid] + start, store.offsets[run.seqid] + end)
            assert np.isnan(found[place]).all()
            found[place] = value
    strands = "+-" if strand is None else strand
    known = np.any([is_read[s] for s in strands], axis=0)
    value = np.max([dense[s][:, 0] for s in strands], axis=0)
    expected = np.full(160, np.nan)
    for begin, length in ((0, 120), (120, 40)):
        for base in range(length):
            first = begin + base // bin_bp * bin_bp
            top = value[first : min(first + bin_bp, begin + length)].max()
            expected[begin + base] = top if known[begin + base] else np.nan
    assert np.array_equal(found, expected, equal_nan=True)


def test_names_that_gff3_reserves_are_escaped(tmp_path):
    contigs = (ContigInfo("a b=1", 120, circular=False), CONTIGS[1])
    store = write_features(tmp_path / "f.h5", dense_features(3), contigs=contigs)
    export(store, 0, out=tmp_path / "t.gff3")
    assert "##sequence-region a%20b%3D1 1 120" in (tmp_path / "t.gff3").read_text()


def test_a_silent_feature_is_a_track_of_zeros_without_loci(tmp_path):
    dense = {strand: np.zeros((160, 2), np.float32) for strand in "+-"}
    files = write_features(tmp_path / "f.h5", dense)
    for suffix in ("gff3", "bed"):
        assert export(files, 0, out=tmp_path / f"t.{suffix}") == 0
    for suffix in ("bedgraph", "bw"):
        assert export(files, 0, out=tmp_path / f"t.{suffix}") == 2
    with pyBigWig.open(str(tmp_path / "t.bw")) as track:
        assert track.intervals("chrA") == ((0, 120, 0.0),)


def test_what_was_not_read_is_no_bigwig(tmp_path):
    dense = {strand: np.zeros((160, 2), np.float32) for strand in "+-"}
    nothing = {strand: np.zeros(160, dtype=bool) for strand in "+-"}
    files = write_read(tmp_path / "f.h5", dense, nothing)
    assert export(files, 0, out=tmp_path / "t.bedgraph") == 0
    with pytest.raises(InputError, match="feature 0: expected a base that was read on either"):
        export(files, 0, out=tmp_path / "t.bw")
    assert not (tmp_path / "t.bw").exists()


@pytest.mark.parametrize("size", [0, 700], ids=["none-fits", "the-end-does-not-fit"])
def test_a_full_disk_leaves_no_bigwig_and_what_stood_there(store, tmp_path, size):
    out = tmp_path / "t.bw"
    out.write_text("precious")
    code = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from genointerp.core.errors import StorageError\n"
        "from genointerp.command.ask.export import export\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "files, size = Path(sys.argv[1]), int(sys.argv[3])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    export(files, 0, out=Path(sys.argv[2]))\n"
        "except StorageError as error:\n"
        "    sys.exit(0 if 't.bw: expected to write the file' in str(error) else str(error))\n"
        "sys.exit('no error')\n"
    )
    arguments = [sys.executable, "-c", code, str(store.path), str(out), str(size)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert out.read_text() == "precious"


@pytest.mark.parametrize(
    ("out", "feature", "message"),
    [
        ("t.txt", 0, r"expected a name that ends in \.bw, .*found '\.txt'"),
        ("t.bed", None, "expected a feature, found none"),
        ("t.h5ad", None, "specimen f: expected its annotation"),
        ("t.fasta", 0, "specimen f: expected its sequence"),
    ],
)
def test_what_is_missing_is_named(store, tmp_path, out, feature, message):
    with pytest.raises(InputError, match=message):
        export(store, feature, out=tmp_path / out)


def test_unknown_feature_is_refused(files, tmp_path):
    with pytest.raises(UnknownNameError, match="expected a feature from 0 to 2"):
        export(files, 3, out=tmp_path / "t.bw")


def test_command_writes_the_track(store, tmp_path):
    out = tmp_path / "t.bg"
    options = ["export", str(store.path), "1", "--out", str(out), "--strand", "-"]
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 0
    assert done.stdout.endswith(f"intervals -> {out}\n")


def test_header_of_the_fixture_is_that_of_the_genome(store, genome):
    assert store.header == feature_header(3, genome_sha256=genome.sha256)


def test_anndata_holds_every_feature_on_every_gene(store, dense, tmp_path):
    anndata = pytest.importorskip("anndata", reason="the extra anndata is not installed")
    gff = tmp_path / "g.gff3"
    rows = [
        "chrA\tx\tCDS\t1\t30\t.\t+\t0\tID=one;gene=thrA;product=enzyme",
        "chrA\tx\tCDS\t101\t126\t.\t-\t0\tID=turn",
        "chrB\tx\ttRNA\t5\t9\t.\t-\t.\tID=trn",
        "chrB\tx\tgene\t5\t9\t.\t-\t.\tID=no-gene-type",
    ]
    gff.write_text("##gff-version 3\n" + "\n".join(rows) + "\n")
    assert export(store, out=tmp_path / "t.h5ad", annotations=gff) == 3
    found = anndata.read_h5ad(tmp_path / "t.h5ad")
    same = to_anndata(store, annotations=gff)
    assert (same.X != found.X).nnz == 0
    assert same.var.equals(found.var.astype(same.var.dtypes))
    assert found.var_names.tolist() == ["one", "turn", "trn"]
    assert found.obs_names.tolist() == ["f/0", "f/1", "f/2"]
    assert found.var["gene"].tolist() == ["thrA", "", ""]
    places = found.var[["start", "end"]].values.tolist()
    assert places == [[0, 30], [100, 126], [4, 9]]
    bases = {"one": range(30), "turn": [*range(100, 120), *range(6)], "trn": range(124, 129)}
    strands = {"one": "+", "turn": "-", "trn": "-"}
    for number, name in enumerate(found.var_names):
        for orientation in ("sense", "antisense"):
            own = (orientation == "sense") == (strands[name] == "+")
            part = dense["+" if own else "-"][list(bases[name])]
            for layer, values in (("max", part.max(0)), ("mean", part.mean(0))):
                column = found.layers[f"{orientation}_{layer}"].toarray()[:, number]
                np.testing.assert_allclose(column, values, rtol=1e-6)
    np.testing.assert_array_equal(found.X.toarray(), found.layers["sense_max"].toarray())
    assert found.uns["coordinates"] == "start and end are 0-based and half-open, peak is 0-based"
    counts = found.var[["n_bases", "n_read_sense", "n_read_antisense"]].values.tolist()
    assert counts == [[30] * 3, [26] * 3, [5] * 3]
    assert found.obs["n_firing_plus"].tolist() == (dense["+"] > 0).sum(0).tolist()


def test_genes_that_were_not_read_are_left_out(dense, tmp_path, caplog):
    anndata = pytest.importorskip("anndata", reason="the extra anndata is not installed")
    is_read = {strand: np.arange(160) < 50 for strand in "+-"}
    own = {strand: np.where(is_read[strand][:, None], dense[strand], 0) for strand in "+-"}
    store = write_read(tmp_path / "part.h5", own, is_read)
    gff = tmp_path / "g.gff3"
    rows = ["chrA\tx\tCDS\t41\t60\t.\t+\t0\tID=half", "chrA\tx\tCDS\t91\t99\t.\t+\t0\tID=none"]
    gff.write_text("##gff-version 3\n" + "\n".join(rows) + "\n")
    assert export(store, out=tmp_path / "t.h5ad", annotations=gff) == 1
    found = anndata.read_h5ad(tmp_path / "t.h5ad")
    assert found.var_names.tolist() == ["half"]
    assert "1 of 2 genes are left out" in caplog.text
    mean = found.layers["sense_mean"].toarray()[:, 0]
    np.testing.assert_allclose(mean, own["+"][40:50].mean(0), rtol=1e-6)
    gff.write_text(f"##gff-version 3\n{rows[1]}\n")
    with pytest.raises(InputError, match="expected at least one base read in CDS"):
        export(store, out=tmp_path / "u.h5ad", annotations=gff)


@given(st.data())
def test_each_part_of_a_gene_is_read_on_its_own_strand(tmp_path_factory, data):
    """Against a loop over the bases of a gene whose parts lie on either strand."""
    dense = dense_features(3, density=0.3, seed=data.draw(st.integers(0, 9)))
    starts = sorted(data.draw(st.sets(st.integers(0, 110), min_size=1, max_size=4)))
    strands = data.draw(st.lists(st.sampled_from("+-."), min_size=4, max_size=4))
    ends = [min(start + 6, *(s for s in [*starts, 120] if s > start)) for start in starts]
    parts = tuple(Part("chrA", *row) for row in zip(starts, ends, strands, strict=False))
    store = write_features(tmp_path_factory.mktemp("gene") / "f.h5", dense)
    layers = gene_layers(store, [Element("CDS", "x", parts)])
    for orientation, read_on in (
        ("sense", {"+": "+", "-": "-", ".": "+"}),
        ("antisense", {"+": "-", "-": "+", ".": "-"}),
    ):
        rows = [dense[read_on[p.strand]][base] for p in parts for base in range(p.start, p.end)]
        found = [layers[f"{orientation}_{name}"].toarray()[:, 0] for name in ("max", "mean")]
        np.testing.assert_allclose(found[0], np.max(rows, axis=0))
        np.testing.assert_allclose(found[1], np.mean(rows, axis=0), rtol=1e-6)
