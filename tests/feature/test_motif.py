import io
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from Bio import motifs
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from typer.testing import CliRunner

from genointerp.cli.main import app
from genointerp.command.ask.motif import motif
from genointerp.core.errors import ConfigError, InputError, MismatchError
from genointerp.core.provenance import Provenance
from genointerp.feature.motif import (
    Motif,
    MotifConfig,
    base_composition,
    find_motif,
    information_content,
    write_meme,
)
from genointerp.feature.specimen import Specimen
from genointerp.figure.motif import highest_null
from genointerp.figure.motif import motif as draw_motif
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval
from genointerp.genome.letters import reverse_complement
from genointerp.genome.read import write_fasta
from genointerp.page.measure import Drawn
from genointerp.page.section import embedded_pictures
from genointerp.panel.logo import LETTER_COLORS, plot_logo
from genointerp.store.contigs import ContigInfo
from genointerp.store.table.schema.association import CURVES, METAGENE
from genointerp.store.table.schema.feature import MOTIF
from genointerp.store.table.table import conform, empty_table, read_table, write_table
from tests.stores import write_features

WORD = b"TTGACA"
UNIFORM = np.full(4, 0.25)


def planted(tmp_path, *, copies=40, length=4000, masked=0):
    """Random bases with a word on both strands, behind whose last base the feature fires."""
    random = np.random.default_rng(0)
    letters = random.choice(list(b"ACGT"), length).astype(np.uint8)
    dense = {strand: np.zeros((length, 1), np.float32) for strand in "+-"}
    word = np.frombuffer(WORD, np.uint8)
    for copy in range(copies):
        start, strand = 50 + 90 * copy, "+-"[copy % 2]
        letters[start : start + 6] = word if strand == "+" else reverse_complement(word)
        step = 1 if strand == "+" else -1
        first = start + 5 if strand == "+" else start
        for value, base in zip((2, 9, 4), range(first, first + 3 * step, step), strict=True):
            dense[strand][base, 0] = value
    letters[:masked] = ord("N")
    genome = Genome([Contig("chr", letters)])
    contigs = (ContigInfo("chr", length, circular=False),)
    windows = [GenomicInterval("chr", 0, length, strand) for strand in "+-"]
    path = tmp_path / "f.h5"
    store = write_features(
        path, dense, contigs=contigs, windows=windows, genome_sha256=genome.sha256
    )
    return Specimen("g", store, genome)


@pytest.mark.parametrize(
    ("anchor", "first"), [("peak", -6), ("start", -5), ("end", -7)], ids=["peak", "start", "end"]
)
def test_a_planted_word_is_found_where_it_was_planted(tmp_path, anchor, first):
    genome = planted(tmp_path)
    motif = find_motif([genome], 0, MotifConfig(anchor=anchor, before=12, after=5))
    assert motif.n_sites == 40
    assert motif.first == -12
    table = conform(motif.table(), MOTIF, where="motif")
    inside = table["offset"].between(first, first + 5)
    letters = motif.shares[inside.to_numpy()].argmax(axis=1)
    assert bytes(b"ACGT"[i] for i in letters) == WORD
    assert (motif.shares[inside.to_numpy()].max(axis=1) == 1).all()
    assert table["bits"][inside].min() > 1.8 > 0.3 > table["bits"][~inside].max()


def test_information_by_hand():
    """Four A of four against a uniform background: 2 bits less 3 / (8 ln 2)."""
    counts = np.array([[4, 0, 0, 0], [1, 1, 1, 1]])
    found = information_content(counts, UNIFORM).bits
    assert found == pytest.approx([2 - 3 / (8 * math.log(2)), 0])


def test_the_background_is_that_of_both_strands(tmp_path):
    genome = planted(tmp_path)
    bases = genome.sequence["chr"].sequence.tobytes()
    both = bases + reverse_complement(genome.sequence["chr"].sequence).tobytes()
    expected = [both.count(letter) / len(both) for letter in (b"A", b"C", b"G", b"T")]
    assert base_composition([genome]) == pytest.approx(expected)


def test_windows_that_leave_a_linear_contig_or_repeat_are_told(tmp_path):
    letters = np.tile(np.frombuffer(b"ACGTTGCA", np.uint8), 20)
    letters[0] = ord("G")
    dense = {strand: np.zeros((160, 2), np.float32) for strand in "+-"}
    dense["+"][[1, 42, 50, 58, 159], 0] = [9, 8, 7, 6, 5]
    genome = Genome([Contig("chrA", letters[:120], circular=True), Contig("chrB", letters[120:])])
    store = write_features(tmp_path / "f.h5", dense, genome_sha256=genome.sha256)
    item = Specimen("g", store, genome)
    motif = find_motif([item], 0, MotifConfig(before=3, after=2, copy_flank=10))
    # around the origin of chrA; equal windows at 42, 50 and 58; the end of chrB is left out
    assert (motif.n_sites, motif.n_repeated) == (2, 2)
    assert motif.counts.sum() == 2 * 6
    around = [letters[i % 120] for i in range(-2, 4)]
    assert sum(motif.counts[i, b"ACGT".index(base)] > 0 for i, base in enumerate(around)) == 6
    with pytest.raises(InputError, match="feature 1: expected a locus with 3 bases before it"):
        find_motif([item], 1, MotifConfig(before=3, after=2))


def test_letters_that_are_no_bases_are_not_counted(tmp_path):
    genome = planted(tmp_path, masked=150)
    motif = find_motif([genome], 0, MotifConfig(before=6, after=0))
    assert motif.counts.sum(axis=1).tolist() == [38] * 7


def masked_motif():
    """The middle column of three has no base that is known."""
    counts = np.array([[9, 0, 0, 1], [0, 0, 0, 0], [0, 5, 0, 0]])
    return Motif("f/0", counts, -1, UNIFORM, n_sites=10, n_repeated=0)


def test_a_column_without_bases_is_undefined_in_json_and_drawn(tmp_path):
    motif = masked_motif()
    write_table(motif.table(), tmp_path / "m.json", MOTIF, Provenance({}, {}))
    rows = json.loads((tmp_path / "m.json").read_text(), parse_constant=pytest.fail)["rows"]
    assert [row["null_bits"] is None for row in rows] == [False, True, False]
    assert highest_null(motif) == motif.information.null_bits[2]
    for suffix in ("png", "svg"):
        draw_motif(motif, tmp_path / f"m.{suffix}")
        first = (tmp_path / f"m.{suffix}").read_bytes()
        draw_motif(motif, tmp_path / f"m.{suffix}")
        assert (tmp_path / f"m.{suffix}").read_bytes() == first


def test_a_motif_without_any_base_is_drawn_without_a_null(tmp_path):
    motif = replace(masked_motif(), counts=np.zeros((3, 4), np.int64))
    assert highest_null(motif) is None
    draw_motif(motif, tmp_path / "m.png")


def test_the_page_shows_a_motif_with_a_column_without_bases():
    drawn = Drawn(empty_table(CURVES), empty_table(METAGENE), {0: masked_motif()})
    (found,) = embedded_pictures(0, drawn, "tables")
    assert found.source == "tables/motif/feature_0.tsv"


def test_meme_is_read_by_biopython(tmp_path):
    motif = find_motif([planted(tmp_path)], 0, MotifConfig(before=6, after=1))
    out = tmp_path / "m.meme"
    write_meme(motif, out, Provenance({"k": 1}, {}))
    with out.open() as handle:
        (found,) = motifs.parse(handle, "minimal")
    assert found.name == "f/0"
    assert found.num_occurrences == 40
    assert found.length == 8
    for column, letter in enumerate("ACGT"):
        shares = [found.pwm[letter][i] for i in range(8)]
        np.testing.assert_allclose(shares, motif.shares[:, column], atol=1e-5)
        assert found.background[letter] == pytest.approx(motif.background[column], abs=1e-5)


@pytest.mark.parametrize("suffix", ["meme", "tsv", "csv", "parquet", "png", "svg", "pdf"])
def test_the_command_writes_what_the_suffix_says(tmp_path, suffix):
    genome = planted(tmp_path)
    write_fasta(genome.sequence, tmp_path / "g.fa")
    out = tmp_path / f"m.{suffix}"
    words = ["motif", str(genome.features.path), "0", "--genome", str(tmp_path / "g.fa")]
    done = CliRunner().invoke(app, [*words, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("40 sites (0 repeats), ")
    heads = {"meme": b"MEME version 5", "png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert out.read_bytes().startswith(heads.get(suffix, b""))
    if suffix in ("tsv", "csv", "parquet"):
        assert len(read_table(out, MOTIF)) == 41


def test_a_sequence_of_another_genome_or_another_suffix_is_refused(tmp_path):
    genome = planted(tmp_path)
    other = Genome([Contig("chr", genome.sequence["chr"].sequence[::-1].copy())])
    write_fasta(other, tmp_path / "o.fa")
    store = genome.features
    with pytest.raises(MismatchError, match=r"o\.fa: expected genome \w+ as in"):
        motif(store, 0, tmp_path / "m.meme", genome=tmp_path / "o.fa")
    with pytest.raises(InputError, match=r"expected a name that ends in \.meme, .*found '\.txt'"):
        motif(store, 0, tmp_path / "m.txt")
    with pytest.raises(InputError, match="specimen f: expected its sequence"):
        motif(store, 0, tmp_path / "m.meme")


def test_bad_numbers_of_a_motif_are_refused():
    for values in ({"n_loci": 0}, {"before": -1}, {"after": -1}, {"copy_flank": -1}):
        with pytest.raises(ConfigError, match="or more, found"):
            MotifConfig(**values)


def test_a_logo_stacks_letters_by_height():
    heights = np.array([[0.2, 0.0, 0.5, 0.1], [0.0, 1.5, 0.0, 0.0]])
    ax = plot_logo(heights, first=-1, null_bits=0.25, ax=Figure().subplots())
    corners: dict[tuple[str, int], list[np.ndarray]] = {}
    for patch in ax.patches:
        letter = patch.get_gid()[-1]
        assert patch.get_facecolor()[:3] == to_rgb(LETTER_COLORS[letter])
        for outline in patch.get_path().to_polygons(closed_only=False):
            corners.setdefault((letter, round(outline[:, 0].mean())), []).append(outline)
    boxes = {place: np.concatenate(outlines) for place, outlines in corners.items()}
    assert {
        place: np.round([*box.min(axis=0), *box.max(axis=0)], 6).tolist()
        for place, box in boxes.items()
    } == {
        ("A", -1): [-1.45, 0.1, -0.55, 0.3],
        ("G", -1): [-1.45, 0.3, -0.55, 0.8],
        ("T", -1): [-1.45, 0.0, -0.55, 0.1],
        ("C", 0): [-0.45, 0.0, 0.45, 1.5],
    }
    assert ax.get_ylabel() == "information (bits)"
    assert ax.get_xlim() == (-1.6, 0.6)
    with pytest.raises(InputError, match="heights: expected bits of 0 or more, found -1"):
        plot_logo(-np.ones((1, 4)), ax=Figure().subplots())


def test_an_empty_column_is_drawn_without_letters():
    ax = plot_logo(np.zeros((3, 4)), ax=Figure().subplots())
    assert len(ax.patches) == 0
    buffer = io.BytesIO()
    ax.figure.savefig(buffer)
    assert buffer.tell() > 0
