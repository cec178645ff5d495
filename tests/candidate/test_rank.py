import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.candidate.config import RankConfig
from genointerp.candidate.evidence.coherence import coherent_share
from genointerp.candidate.evidence.given import Given
from genointerp.candidate.flags import FLAGS, Column, Comparison, Key
from genointerp.candidate.inputs import drop_other_boundaries
from genointerp.candidate.rank import gather, rank, rank_evidence
from genointerp.candidate.score import explain, raise_flags, score_candidates
from genointerp.command.find.rank import write_candidates
from genointerp.core.errors import InputError, MismatchError
from genointerp.genome.genome import Contig, Genome
from genointerp.genome.interval import GenomicInterval, parse_region
from genointerp.store.contigs import ContigInfo
from genointerp.store.table.schema.candidate import CANDIDATES
from genointerp.store.table.table import read_table
from tests.plant import PROVENANCE, make_elements, make_store, silence
from tests.specimens import specimens

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
    config = AssociateConfig(test=("test",), n_shifts=199)
    table = associate(specimens(stores, elements=elements), config=config)
    windows = [
        [
            GenomicInterval(seqid, start, start + WINDOW, strand)
            for strand in "+-"
            for start in range(0, LENGTH, WINDOW)
        ]
        for seqid in ("fit", "test")
    ]
    return specimens(stores, sequence=genomes, windows=windows), table


@pytest.fixture(scope="module")
def result(world):
    return rank(*world)


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
    assert first["score"] > 0.4


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
    # no labels are known here
    assert list(result.table.columns) == [it for it in CANDIDATES.names if it != "label"]
    assert SILENT not in set(result.table["feature"])
    assert result.table["rank"].tolist() == list(range(1, 10))
    for name in ("loss_effect", "stability", "split_cosine", "seen_share", "annotation_missing"):
        assert result.table[name].isna().all()
    missing = result.table["checks_missing"]
    assert missing.str.startswith("ablation,stability,splitting,norms,training genomes").all()


def test_known_features_name_their_concept(result):
    row = row_of(result, TRNA)
    assert row["best_concept"] == "tRNA"
    assert row["best_f1"] == pytest.approx(1.0)
    assert row["unexplained"] == pytest.approx(0.0)


def test_window_bias_is_undefined_without_windows(world):
    known, table = world
    bare = rank([replace(one, windows=None) for one in known], table)
    assert bare.table["window_bias"].isna().all()
    assert "window_start" not in ",".join(bare.table["flags"])


def test_the_same_input_gives_the_same_ranking(world, result):
    again = rank(*world)
    pd.testing.assert_frame_equal(again.table, result.table)
    pd.testing.assert_frame_equal(again.loci, result.loci)


def test_the_top_region_is_a_locus(result):
    region = parse_region(row_of(result, NOVEL)["top_region"], {"fit": LENGTH, "test": LENGTH})
    assert (region.start, region.end) in {(start, end) for start, end, _ in UNKNOWN}


def test_loci_are_written_as_gff3_and_as_fasta_of_the_strand_read(world, result, tmp_path):
    known, _ = world
    out = tmp_path / "candidates.tsv"
    write_candidates(result, known, out, PROVENANCE, flank=5)
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
    assert text.upper().encode() == known[0].sequence.fetch(place).tobytes()
    assert text[:5] + text[-5:] == (text[:5] + text[-5:]).lower()
    assert text[5:-5].isupper()
    assert "candidate_rank=1" in header


def test_the_sequence_of_each_genome_is_needed(world):
    (first, second), table = world
    with pytest.raises(InputError, match="specimen test: expected its sequence"):
        rank([first, replace(second, sequence=None)], table)


def test_associations_of_another_dictionary_are_refused(world):
    known, table = world
    with pytest.raises(MismatchError, match="expected features 0 to 9, all of them"):
        rank(known, table[table["feature"] < 5])


def blank(n):
    """Rows of which nothing was measured."""
    names = ["density", "gc_auroc", "periodicity", "period", "tandem_share", "strand_asymmetry"]
    names += ["window_bias", "n_loci", "n_genomes", "n_read", "unexplained", "attraction"]
    names += [
        "window_bias_16",
        "edge_share",
        "outlier_share",
        "kmer_auroc",
        "coherence",
        "motif_share",
        "n_families",
        "seen_share",
        "seen_p",
    ]
    names += ["stability", "stability_null", "split_cosine", "loss_effect", "loss_effect_p"]
    return pd.DataFrame({name: [np.nan] * n for name in names})


@pytest.mark.parametrize(
    ("values", "flag"),
    [
        pytest.param({"kmer_auroc": 0.95}, "kmer_shortcut", id="k-mers"),
        pytest.param({"outlier_share": 0.5}, "outlier_tokens", id="high-norm-tokens"),
        pytest.param({"edge_share": 0.5}, "contig_end", id="contig-ends"),
        pytest.param({"n_families": 1, "n_loci": 9}, "one_family", id="copies"),
        pytest.param({"seen_share": 1.0, "seen_p": 0.01}, "memorised", id="training"),
        pytest.param({"stability": 0.5, "stability_null": 0.4}, "unstable", id="other-seed"),
        pytest.param({"stability": 0.8, "stability_null": 0.9}, "unstable", id="as-the-null"),
        pytest.param({"split_cosine": 0.8}, "split", id="split"),
        pytest.param({"loss_effect": 0.2, "loss_effect_p": 0.1}, "unused", id="as-others"),
        pytest.param({"loss_effect": -0.1, "loss_effect_p": 0.05}, "unused", id="harmful"),
        pytest.param({"n_genomes": 1, "n_read": 2}, "single_genome", id="one-of-two-genomes"),
        pytest.param({"window_bias_16": 4.0}, "window_start_16", id="first-16-bases"),
    ],
)
def test_each_check_raises_its_flag_alone(values, flag):
    assert raise_flags(blank(1).assign(**values), RankConfig()) == [flag]


def test_a_feature_whose_loss_exceeds_that_of_all_but_one_in_twenty_directions_is_used():
    # 0.2 is above the mean of its matched directions, and yet no more than one in ten reaches
    table = blank(3).assign(loss_effect=0.2, loss_effect_p=[1 / 20, 2 / 20, np.nan])
    assert raise_flags(table, RankConfig()) == ["", "unused", ""]
    assert raise_flags(table, RankConfig(unused=0.1)) == ["", "", ""]


KEYS = {key for flag in FLAGS for key in flag.thresholds}


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_the_rule_of_a_flag_says_its_columns_and_its_keys(flag):
    assert set(flag.columns) <= set(CANDIDATES.names)
    sentence = flag.rule_of(RankConfig())
    for name in (*flag.columns, *(f"{key} (" for key in flag.thresholds)):
        assert name in sentence
    if flag.blind is not None:
        assert flag.blind.where.column in flag.columns


@pytest.mark.parametrize(
    ("comparison", "holds", "sentence"),
    [
        pytest.param(
            Comparison("n_loci", "<", Key("few_loci")), [1, 0, 0, 0], "n_loci < few_loci (5)",
            id="less",
        ),
        pytest.param(
            Comparison("n_loci", "<=", Column("period")), [1, 1, 0, 0], "n_loci <= period", id="<="
        ),
        pytest.param(
            Comparison("n_loci", ">", 5), [0, 0, 1, 0], "n_loci > 5", id="number"
        ),
        pytest.param(
            Comparison("density", ">=", Key("split"), centre=0.5),
            [1, 0, 0, 0],
            "|density - 0.5| >= split (0.7)",
            id="distance",
        ),
        pytest.param(
            Comparison("density", "<", Key("split", is_complement=True)),
            [1, 0, 1, 0],
            "density < 1 - split (0.7)",
            id="complement",
        ),
        pytest.param(
            Comparison("n_loci", "is a multiple of", 3), [1, 0, 1, 0], "n_loci is a multiple of 3",
            id="multiple",
        ),
        pytest.param(
            Comparison("n_loci", "is no multiple of", 3, note=" bp"), [0, 1, 0, 0],
            "n_loci is no multiple of 3 bp", id="no-multiple",
        ),
    ],
)  # fmt: skip
def test_a_comparison_holds_where_its_sentence_says(comparison, holds, sentence):
    table = pd.DataFrame(
        {
            "n_loci": [3, 5, 6, np.nan],
            "period": [4, 5, 5, 9],
            "density": [-0.5, 0.9, 0.25, np.nan],
        }
    )
    assert comparison.holds(table, RankConfig()).tolist() == [bool(it) for it in holds]
    assert comparison.sentence(RankConfig()) == sentence


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_a_rule_is_printed_with_the_thresholds_of_the_configuration(flag):
    changed = replace(
        RankConfig(), **{key: 7 if key in ("few_loci", "one_family") else 0.123 for key in KEYS}
    )
    for key in flag.thresholds:
        assert f"({getattr(changed, key):g})" in flag.rule_of(changed)
    if flag.name == "attracted":
        assert "2^0.123 times" in flag.reason_of(changed)


def test_what_may_be_biology_lowers_the_score_and_does_not_demote():
    doubts = {flag.name for flag in FLAGS if not flag.demotes}
    assert {"codon_phase", "kmer_shortcut", "one_family", "dense", "gc_shortcut"} <= doubts
    table = blank(1).assign(periodicity=0.9, period=3)
    assert raise_flags(table, RankConfig()) == ["codon_phase"]
    assert raise_flags(table, RankConfig(), only_demoting=True) == [""]


def test_the_page_lists_every_flag_and_whether_it_demotes():
    page = (Path(__file__).parents[2] / "docs" / "schema" / "tables.md").read_text()
    section = page.split("| flag | demotes |")[1].split("\n\n")[0]
    found = [tuple(cell.strip() for cell in line.split("|")[1:5]) for line in section.splitlines()]
    assert found[2:] == [
        (
            f"`{flag.name}`",
            "yes" if flag.demotes else "no",
            re.sub(r"\|(.+?)\|", r"abs(\1)", flag.rule_of(RankConfig())),
            flag.reason_of(RankConfig()),
        )
        for flag in FLAGS
    ]


def test_a_hidden_concept_is_ranked_from_the_same_evidence(world, result):
    known, table = world
    evidence = gather(known)
    pd.testing.assert_frame_equal(rank_evidence(evidence, table), result.table)
    hidden = rank_evidence(evidence, table[table["concept"] != "tRNA"])
    row = hidden.set_index("feature").loc[TRNA]
    assert (row["unexplained"], row["best_concept"], row["flags"]) == (1.0, "", "")


def test_points_at_the_ends_of_a_concept_become_a_boundary(world):
    known, table = world
    evidence = gather(known)
    evidence.loc[evidence["feature"] == NOVEL, "pattern"] = "point"
    told = (table["feature"] == NOVEL) & (table["concept"] == "tRNA")
    table = table.copy()
    table.loc[told, ["boundary_share", "boundary_p"]] = 0.8, 1e-9
    row = rank_evidence(evidence, table).set_index("feature").loc[NOVEL]
    assert (row["pattern"], row["boundary_share"]) == ("boundary", 0.8)
    hidden = rank_evidence(evidence, table[table["concept"] != "tRNA"])
    row = hidden.set_index("feature").loc[NOVEL]
    assert row["pattern"] == "point"
    assert np.isnan(row["boundary_share"])


def test_what_is_given_becomes_columns(world):
    known, table = world
    rows = np.eye(10, 12)
    rows[NOVEL, :2] = 0.8, 0.6
    ablation = pd.DataFrame(
        {
            "feature": [NOVEL],
            "loss_effect": [0.2],
            "loss_effect_matched": [0.1],
            "loss_effect_matched_sd": [0.3],
            "p_value": [0.05],
        }
    )
    seen = frozenset([known[0].genome_sha256])
    given = Given(ablation, rows, [rows], seen)
    found = rank(known, table, given=given)
    row = row_of(found, NOVEL)
    names = ["loss_effect", "loss_effect_matched", "loss_effect_p"]
    assert row[names].tolist() == [0.2, 0.1, 0.05]
    assert row["stability"] == pytest.approx(1.0)
    assert row["split_cosine"] == pytest.approx(0.8)
    assert row["seen_share"] == 0.5
    assert row["flags"] == "split"
    assert row["checks_missing"] == "norms"
    # without a genome outside the training nothing is said
    every = Given(trained_on=frozenset(one.genome_sha256 for one in known))
    blind = rank(known, table, given=every).table
    assert blind["seen_share"].isna().all()
    assert not blind["flags"].str.contains("memorised").any()
    assert blind["checks_missing"].str.contains("training genomes").all()
    assert blind["n_read"].tolist() == [2] * 9
    with pytest.raises(MismatchError, match="expected a dictionary of 10 features, found 3"):
        rank(known, table, given=Given(decoder=np.eye(3)))


def test_the_score_of_a_worked_example():
    table = blank(3).assign(
        unexplained=0.5,
        n_loci=7,
        density=[0.02, 0.4, 0.4],
        gc_auroc=[0.6, np.nan, 0.6],
        kmer_auroc=[0.8, np.nan, 0.8],
        coherence=[0.9, 0.9, 0.9],
        motif_share=[0.1, np.nan, 1.0],
        stability=[0.9, 0.2, 0.9],
        loss_effect=[0.1, 0.1, 0.1],
        loss_effect_p=[0.05, 0.2, 0.05],
    )
    coherent = coherent_share(np.array([0.9]), np.array([7.0]))[0]
    # k is 0.6 and g is 0.2, for the unmeasured too; of a motif the letters tell all of k. The
    # second is unstable; that it is dense, and unused, does not count
    both = 0.5 * (3 / np.log2(33)) * 0.8
    expected = [both * coherent * 0.7, both * coherent * 0.7 / 2, both * max(coherent * 0.7, 0.4)]
    assert score_candidates(table, RankConfig()) == pytest.approx(expected)
    assert expected[2] > expected[0]


def test_without_structure_nothing_is_a_candidate_however_rare():
    table = blank(2).assign(unexplained=1.0, n_loci=100, density=1e-5, coherence=[np.nan, 0.5])
    assert score_candidates(table, RankConfig()).tolist() == [0, 0]


def test_undefined_evidence_raises_no_flag():
    assert raise_flags(blank(1), RankConfig()) == [""]
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


def test_a_feature_that_is_loud_in_one_concept_only_is_explained_by_it():
    associations = pd.DataFrame(
        {
            "feature": [0, 1, 2],
            "concept": 3 * ["tRNA"],
            "orientation": 3 * ["sense"],
            "f1_fit": 3 * [0.1],
            "f1": 3 * [0.1],
            "precision": [0.1, 0.9, 0.1],
            "precision_strong": [0.8, np.nan, 0.8],
            "n_feature_bp": 3 * [100],
            "n_concept_bp": 3 * [1000],
            "n_both_bp": 3 * [10],
            "log2_enrichment": 3 * [np.log2(10.5 / 0.6)],
            "q_value": [0.001, 0.001, 0.5],
        }
    )
    found = explain(associations, RankConfig())["unexplained"].tolist()
    expected = [1 - (0.8 - 1e-3) / (1 - 1e-3), 1 - (0.9 - 1e-3) / (1 - 1e-3), 1.0]
    assert found == pytest.approx(expected)


def test_the_boundary_share_is_the_largest_that_is_no_chance():
    associations = pd.DataFrame(
        {
            "feature": [0, 0, 0, 1],
            "concept": ["tRNA", "CDS", "rRNA", "CDS"],
            "orientation": 4 * ["sense"],
            "f1_fit": 4 * [0.1],
            "f1": 4 * [0.1],
            "precision": 4 * [0.1],
            "n_feature_bp": 4 * [100],
            "n_concept_bp": 4 * [1000],
            "n_both_bp": 4 * [10],
            "log2_enrichment": 4 * [0.0],
            "q_value": 4 * [1.0],
            "boundary_share": [0.6, 0.7, 0.9, 0.8],
            # corrected over the three: 3e-9, 7.5e-4, 0.01
            "boundary_p": [1e-9, 5e-4, 0.01, np.nan],
        }
    )
    # indices of a part of a table
    part = associations.set_axis([7, 3, 5, 1])
    found = explain(part, RankConfig())["boundary_share"].tolist()
    assert found == pytest.approx([0.7, np.nan], nan_ok=True)
    without = associations.drop(columns=["boundary_share", "boundary_p"])
    assert explain(without, RankConfig())["boundary_share"].isna().all()


def test_a_concept_of_nearly_all_bases_explains_nothing():
    associations = pd.DataFrame(
        {
            "feature": [0, 1],
            "concept": ["chromosome", "tRNA"],
            "orientation": ["both", "sense"],
            "f1_fit": [0.1, 0.1],
            "f1": [0.1, 0.1],
            "precision": [1.0, 1.0],
            "n_feature_bp": [10, 10],
            "n_concept_bp": [9500, 1000],
            "n_both_bp": [10, 10],
            "log2_enrichment": [np.log2(10.5 / 10.0), np.log2(10.5 / 1.5)],
            "q_value": [0.001, 0.001],
        }
    )
    assert explain(associations, RankConfig())["unexplained"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("changed", [{}, {"locus_share": 0.4}, {"merge_gap": 5}], ids=str)
def test_boundaries_of_loci_defined_otherwise_are_dropped(changed, caplog):
    table = pd.DataFrame({"boundary_share": [0.7], "boundary_p": [1e-9]})
    found = drop_other_boundaries(table, AssociateConfig(), RankConfig(**changed))
    assert found["boundary_share"].isna().all() == bool(changed)
    for key in changed:
        assert f"{key} is " in caplog.text


def test_that_nothing_is_annotated_explains_nothing():
    associations = pd.DataFrame(
        {
            "feature": [0],
            "concept": ["intergenic"],
            "orientation": ["both"],
            "f1_fit": [0.1],
            "f1": [0.1],
            "precision": [1.0],
            "n_feature_bp": [10],
            "n_concept_bp": [1000],
            "n_both_bp": [10],
            "log2_enrichment": [np.log2(10.5 / 1.5)],
            "q_value": [0.001],
        }
    )
    found = explain(associations, RankConfig()).iloc[0]
    assert found["unexplained"] == 1
    assert np.isnan(found["attraction"])
    assert explain(associations, RankConfig(absences=())).iloc[0]["unexplained"] == 0
