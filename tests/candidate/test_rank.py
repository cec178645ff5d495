import numpy as np
import pandas as pd
import pytest

from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.candidate.config import RankConfig
from genointerp.candidate.rank import rank
from genointerp.candidate.score import FLAGS, explain, raise_flags, score_candidates
from genointerp.candidate.write import write_candidates
from genointerp.core.errors import MismatchError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval, parse_region
from genointerp.store.contigs import ContigInfo
from genointerp.store.table_schemas import CANDIDATES
from genointerp.store.tables import read_table
from tests.plant import PROVENANCE, make_elements, make_store, silence

LENGTH = 20_000
WINDOW = 500
TRNA, NOVEL, ALWAYS, GC, CODON, HEAD, ONE, SILENT, TANDEM, PLUS = range(10)
# irregular, so that no rotation brings the annotation back upon itself
STARTS = [1000 * i + 500 + 7 * i * i % 200 for i in range(19)]
PLACES = [(start, start + 76, "+-"[i % 2]) for i, start in enumerate(STARTS)]
UNKNOWN = [(start + 200, start + 240, "-+"[i % 2]) for i, start in enumerate(STARTS)]


def draw_genome(seqid, seed):
    rng = np.random.default_rng(seed)
    sequence = rng.choice(np.frombuffer(b"ACGT", np.uint8), LENGTH)
    for start in range(130, 19_500, 1000):
        sequence[start : start + 150] = rng.choice(np.frombuffer(b"GC", np.uint8), 150)
    for start in range(400, 19_500, 2000):
        sequence[start : start + 30] = np.tile(np.frombuffer(b"ATC", np.uint8), 10)
    return Genome([Contig(seqid, sequence)])


def draw_features(genome):
    dense = silence(LENGTH, 10)
    for start, end, strand in PLACES:
        dense[strand][start:end, TRNA] = 1
    for start, end, strand in UNKNOWN:
        dense[strand][start:end, NOVEL] = 4
    for strand in "+-":
        dense[strand][:, ALWAYS] = 1
        for start in range(130, 19_500, 1000):
            dense[strand][start + 50 : start + 100, GC] = 1
        for start in range(200, 19_500, 500):
            dense[strand][start : start + 90 : 3, CODON] = 1
        for start in range(400, 19_500, 2000):
            dense[strand][start : start + 30, TANDEM] = 1
        dense[strand][5000:5040, ONE] = 1
    for start in range(0, LENGTH, WINDOW):
        dense["+"][start : start + 8, HEAD] = 1
        dense["-"][start + WINDOW - 8 : start + WINDOW, HEAD] = 1
    for start in range(333, 19_500, 1000):
        dense["+"][start : start + 20, PLUS] = 1
    return dense


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    genomes, stores, elements = [], [], []
    for seed, seqid in enumerate(("fit", "test")):
        genome = draw_genome(seqid, seed)
        contigs = ContigInfo.of(genome)
        store = make_store(
            folder / f"{seqid}.h5", draw_features(genome), contigs, genome_sha256=genome.sha256
        )
        genomes.append(genome)
        stores.append(store)
        elements.append(make_elements(*[("tRNA", seqid, *place) for place in PLACES]))
    table = associate(stores, elements, config=AssociateConfig(test=("test",), n_shifts=199))
    windows = [
        [
            GenomicInterval(seqid, start, start + WINDOW, strand)
            for strand in "+-"
            for start in range(0, LENGTH, WINDOW)
        ]
        for seqid in ("fit", "test")
    ]
    return stores, table, genomes, windows


@pytest.fixture(scope="module")
def result(world):
    stores, table, genomes, windows = world
    # given in another order than the stores
    return rank(stores, table, genomes[::-1], windows=windows)


def row_of(result, feature):
    return result.table.set_index("feature").loc[feature]


def test_the_feature_that_fires_on_nothing_known_ranks_first(result):
    first = result.table.iloc[0]
    assert first["feature"] == NOVEL
    assert first["flags"] == ""
    assert first["unexplained"] == pytest.approx(1.0)
    assert first["n_loci"] == 2 * len(UNKNOWN)
    assert first["n_genomes"] == 2
    assert first["density"] == pytest.approx(40 * len(UNKNOWN) / (2 * LENGTH))
    assert first["score"] > 0.6


@pytest.mark.parametrize(
    ("feature", "flag"),
    [
        pytest.param(TRNA, "explained", id="tRNA"),
        pytest.param(ALWAYS, "dense", id="always-on"),
        pytest.param(GC, "gc_shortcut", id="gc-islands"),
        pytest.param(CODON, "codon_phase", id="every-third-base"),
        pytest.param(HEAD, "window_start", id="heads-of-windows"),
        pytest.param(ONE, "few_loci", id="one-locus"),
        pytest.param(TANDEM, "low_complexity", id="tandem-repeats"),
        pytest.param(PLUS, "one_strand", id="plus-only"),
    ],
)
def test_decoys_are_flagged_with_their_reason_and_rank_after_the_rest(result, feature, flag):
    row = row_of(result, feature)
    assert flag in row["flags"].split(",")
    assert row["rank"] > (result.table["flags"] == "").sum()


def test_the_table_is_of_the_schema_and_leaves_out_what_never_fires(result):
    assert list(result.table.columns) == CANDIDATES.names
    assert SILENT not in set(result.table["feature"])
    assert result.table["rank"].tolist() == list(range(1, 10))
    for name in ("loss_effect", "stability", "kmer_auroc"):
        assert result.table[name].isna().all()


def test_known_features_name_their_concept(result):
    row = row_of(result, TRNA)
    assert row["best_concept"] == "tRNA"
    assert row["best_f1"] == pytest.approx(1.0)
    assert row["unexplained"] == pytest.approx(0.0)


def test_window_bias_is_undefined_without_windows(world):
    stores, table, genomes, _ = world
    bare = rank(stores, table, genomes)
    assert bare.table["window_bias"].isna().all()
    assert "window_start" not in ",".join(bare.table["flags"])


def test_the_same_input_gives_the_same_ranking(world, result):
    stores, table, genomes, windows = world
    again = rank(stores, table, genomes, windows=windows)
    pd.testing.assert_frame_equal(again.table, result.table)
    pd.testing.assert_frame_equal(again.loci, result.loci)


def test_the_top_region_is_a_locus(result):
    region = parse_region(row_of(result, NOVEL)["top_region"], {"fit": LENGTH, "test": LENGTH})
    assert (region.start, region.end) in {(start, end) for start, end, _ in UNKNOWN}


def test_loci_are_written_as_gff3_and_as_fasta_of_the_strand_read(world, result, tmp_path):
    _, _, genomes, _ = world
    out = tmp_path / "candidates.tsv"
    write_candidates(result, genomes, out, PROVENANCE, flank=5)
    assert read_table(out, CANDIDATES)["feature"].tolist() == result.table["feature"].tolist()
    lines = (tmp_path / "candidates.gff3").read_text().splitlines()
    assert lines[0] == "##gff-version 3"
    assert f"# {PROVENANCE.as_json()}" in lines
    assert "##sequence-region fit 1 20000" in lines
    first = next(line for line in lines if not line.startswith("#")).split("\t")
    assert first[:3] == ["fit", "genointerp", "sequence_feature"]
    assert (int(first[3]), int(first[4])) in {(s + 1, e) for s, e, _ in UNKNOWN}
    records = (tmp_path / "candidates.fasta").read_text().split(">")[1:]
    assert len(records) == len(result.loci)
    locus = result.loci.iloc[0]
    start, end = int(locus["start"]) - 5, int(locus["end"]) + 5
    place = GenomicInterval(locus["seqid"], start, end, locus["strand"])
    header, _, bases = records[0].partition("\n")
    assert header.startswith(f"feature_{NOVEL}_locus_1 fit:{place.start + 1}-{place.end}")
    text = bases.replace("\n", "")
    assert text.upper().encode() == genomes[0].fetch(place).tobytes()
    assert text[:5] + text[-5:] == (text[:5] + text[-5:]).lower()
    assert text[5:-5].isupper()
    assert "candidate_rank=1" in header


def test_a_store_without_its_genome_is_refused(world):
    stores, table, genomes, _ = world
    with pytest.raises(MismatchError, match=r"test\.h5: expected the genome of test, found fit"):
        rank(stores, table, genomes[:1])


def test_associations_of_another_dictionary_are_refused(world):
    stores, table, genomes, _ = world
    with pytest.raises(MismatchError, match="expected features 0 to 9, all of them"):
        rank(stores, table[table["feature"] < 5], genomes)


def test_the_score_of_a_worked_example():
    table = pd.DataFrame(
        {"gc_auroc": [0.6], "n_loci": [7], "density": [0.02], "unexplained": [0.5]}
    )
    expected = 0.5 * 0.8 * (3 / np.log2(33)) * 0.8
    assert score_candidates(table, RankConfig()) == pytest.approx([expected])


def test_undefined_evidence_raises_no_flag():
    names = ["density", "gc_auroc", "periodicity", "period", "tandem_share", "strand_asymmetry"]
    names += ["window_bias", "n_loci", "n_genomes", "n_read", "unexplained", "attraction"]
    table = pd.DataFrame({name: [np.nan] for name in names})
    assert raise_flags(table, RankConfig()) == [""]
    assert len({flag.name for flag in FLAGS}) == len(FLAGS)


def test_a_weak_detector_is_attracted_to_its_concept():
    # 10 of its 100 bases in a concept of 1,000 of 1,000,000 bases: a hundred times its share
    associations = pd.DataFrame(
        {
            "feature": [0, 1],
            "concept": ["tRNA", "tRNA"],
            "orientation": ["sense", "sense"],
            "f1_fit": [0.1, 0.1],
            "f1": [0.02, 0.02],
            "precision": [0.1, 0.1],
            "n_feature_bp": [100, 100],
            "n_concept_bp": [1000, 1000],
            "n_both_bp": [10, 10],
            "log2_enrichment": [np.log2(10.5 / 0.6), np.log2(10.5 / 0.6)],
            "q_value": [0.001, 0.5],
        }
    )
    found = explain(associations, RankConfig())
    assert found["attraction"].tolist() == pytest.approx([np.log2(17.5), np.nan], nan_ok=True)
    assert found["unexplained"].tolist() == pytest.approx([1 - (0.1 - 1e-3) / (1 - 1e-3), 1.0])
