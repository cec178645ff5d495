from dataclasses import replace

import numpy as np
import pytest

import genointerp as gi
from genointerp.association.associate import associate
from genointerp.association.count.universe import lay_side
from genointerp.association.null.significance import Shifts
from genointerp.core.errors import InputError, MismatchError, UnknownNameError
from genointerp.labelling.executable import (
    END_FLANK,
    motif_bases,
    named_bases,
    with_named,
)
from genointerp.labelling.gc_content import count_gc, gc_before, gc_share
from genointerp.labelling.label import (
    FeatureLabel,
    labels_of_table,
    labels_table,
    leading_labels,
)
from genointerp.labelling.laid import LaidBases, Rotations
from genointerp.labelling.score import score_labels
from genointerp.labelling.summary import summarise_labels
from tests.labelling.labelled_world import FEATURES, LENGTH, SPLIT, genes, make_world
from tests.plant import pick


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("scores"))


def of_gene(feature, orientation="sense", part="body", **more):
    return FeatureLabel(
        feature, "gene", "concept", concept="gene", orientation=orientation, part=part, **more
    )


def test_a_label_of_a_whole_concept_scores_what_associate_says(world):
    labels = [of_gene(f, it) for f in (0, 1, 2, 5) for it in ("sense", "antisense", "both")]
    labels = [
        FeatureLabel(**{**vars(it), "source": s})
        for s, it in zip(["statistics", "model", "person"] * 4, labels, strict=True)
    ]
    found = score_labels([world.specimen], labels, SPLIT)
    table = associate([world.specimen], config=SPLIT, matched=False)
    names = ["threshold", "f1_fit", "precision", "recall", "f1", "auroc", "recall_element"]
    for label, row in zip(labels, found.to_dict("records"), strict=True):
        known = pick(table, label.feature, "gene", label.orientation)
        for name in names:
            assert row[name] == pytest.approx(known[name], abs=1e-9, nan_ok=True), name
        assert row["n_label_bp"] == known["n_concept_bp"]
        assert row["n_elements"] == known["n_elements"]
        if not np.isnan(known["null_f1"]):
            assert row["null_f1"] == pytest.approx(known["null_f1"], abs=1e-12)
            assert row["p_value"] == known["p_value"]


def test_shuffled_scores_are_the_mean_of_the_labels_of_others(world):
    labels = [of_gene(0), of_gene(1, "antisense"), of_gene(2, part="start")]
    found = score_labels([world.specimen], labels, SPLIT)
    naive = score_labels(
        [world.specimen], [of_gene(0, "antisense"), of_gene(0, part="start", source="model")], SPLIT
    )
    assert found.loc[0, "shuffled_f1"] == pytest.approx(naive["f1"].mean(), abs=1e-12)
    assert found.loc[0, "shuffled_auroc"] == pytest.approx(naive["auroc"].mean(), abs=1e-12)


def test_interval_holds_the_score_and_is_none_of_a_perfect_label(world):
    found = score_labels([world.specimen], [of_gene(0), of_gene(2)], SPLIT)
    assert found.loc[0, "f1_low"] == found.loc[0, "f1_high"] == pytest.approx(1.0)
    assert found.loc[1, "f1_low"] < found.loc[1, "f1"] < found.loc[1, "f1_high"]


def test_start_and_end_are_at_the_ends_in_the_direction_of_the_element(world):
    for part in ("start", "end"):
        elements = with_named(world.specimen, [named_bases(of_gene(0, part=part))]).elements
        table = elements.of(f"gene ({part})")
        table = table[table["seqid"] == "fit"].sort_values("start")
        for (start, end, strand), row in zip(genes(), table.to_dict("records"), strict=True):
            middle = start if (strand == "+") == (part == "start") else end - 1
            assert row["strand"] == strand
            assert (row["start"], row["end"]) == (middle - END_FLANK, middle + END_FLANK + 1)


def test_cells_of_a_motif_on_both_strands(world):
    label = FeatureLabel(3, "after TATAAT", "composition", motif="TATAAT", motif_offset=1)
    universe = lay_side([world.specimen], SPLIT, "test")
    named = named_bases(label)
    found = LaidBases([world.specimen], universe, [named]).cells(named)
    expected = np.zeros(2 * LENGTH, bool)
    expected[world.motif["test+"]] = True
    expected[LENGTH + world.motif["test-"]] = True
    assert np.array_equal(found.mask, expected)
    assert found.n_elements == expected.sum()
    assert found.n_hit(expected) == found.n_elements
    assert found.n_hit(np.zeros(2 * LENGTH, bool)) == 0


def test_rotations_against_a_roll():
    rng = np.random.default_rng(0)
    detected, named = (rng.random(2 * 501) < 0.3 for _ in range(2))
    rotations = Rotations(501, Shifts(step=7, first=-3, n=9))
    found = rotations.counts(detected, rotations.spectrum(named))
    halves = named.reshape(2, 501)
    naive = [
        (detected.reshape(2, 501) & np.roll(halves, 7 * j, axis=1)).sum() for j in range(-3, 7) if j
    ]
    assert found.tolist() == naive


def test_motif_against_a_scan():
    codes = np.random.default_rng(0).integers(0, 5, 3000).astype(np.uint8)
    text = "".join("ACGTN"[code] for code in codes)
    allowed = {"R": "AG", "N": "ACGT", "C": "C"}
    for offset in (-2, 0, 3):
        naive = np.zeros(len(codes), bool)
        for i in range(len(text) - 2):
            if all(text[i + k] in allowed[it] for k, it in enumerate("RNC")):
                at = i + 2 + offset
                if 0 <= at < len(text):
                    naive[at] = True
        assert np.array_equal(motif_bases(codes, "RNC", offset), naive)


def test_gc_before_against_a_loop():
    codes = np.random.default_rng(1).integers(0, 5, 300).astype(np.uint8)
    found = gc_before(codes)
    for i in range(len(codes)):
        if i < 49:
            assert np.isnan(found[i])
        else:
            own = codes[i - 49 : i + 1]
            assert found[i] == pytest.approx(np.isin(own, [1, 2]).mean())


@pytest.mark.parametrize("strand", ["+", "-"])
def test_gc_of_either_strand_against_a_loop(strand):
    codes = np.random.default_rng(1).integers(0, 5, 120).astype(np.uint8)
    rows = np.array([0, 3, 48, 49, 50, 70, 71, 118, 119])
    found = gc_share(count_gc(codes), rows, strand)
    for row, share in zip(rows.tolist(), found.tolist(), strict=True):
        window = range(row - 49, row + 1) if strand == "+" else range(row, row + 50)
        own = [codes[i] for i in window if 0 <= i < len(codes)]
        assert share == pytest.approx(np.isin(own, [1, 2]).sum() / 50)


def test_summary_has_a_row_of_each_control(world):
    labels = [of_gene(0), of_gene(1, "antisense"), FeatureLabel(5, "unexplained", "unclear")]
    scores = score_labels([world.specimen], labels, SPLIT)
    found = summarise_labels(scores, random=scores.iloc[2:]).set_index("labels")
    own = found.loc["statistics"]
    assert (own["n_features"], own["n_named"], own["n_executable"], own["n_above"]) == (3, 2, 2, 2)
    assert own["f1"] == pytest.approx(1.0)
    assert found.loc["statistics, of other features", "f1"] == pytest.approx(
        scores["shuffled_f1"].mean()
    )
    base = 300 * len(genes()) / (2 * LENGTH)
    always = found.loc["statistics, always on"]
    assert always["f1"] == pytest.approx(2 * base / (1 + base))
    assert always["auroc"] == 0.5
    assert np.isnan(found.loc["statistics, random features", "f1"])


def test_labels_survive_their_table():
    labels = [of_gene(FEATURES["gene"]), FeatureLabel(3, "after RTA", "composition", motif="RTA")]
    table = labels_table([labels[1], labels[0]])
    assert table["feature"].tolist() == [0, 3]
    again = labels_of_table(table)
    assert labels_table(again).equals(table)


def test_a_label_by_hand_comes_first():
    by_hand = of_gene(0, source="person", author="A. Person", date="2026-01-02")
    assert leading_labels([of_gene(0), by_hand, of_gene(1)])[0] == by_hand


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"label": "one two three four five six seven eight nine"}, "1 to 8 words"),
        ({"label": ""}, "1 to 8 words"),
        ({"kind": "gene"}, "kind"),
        ({"concept": "tRNA"}, "orientation and part"),
        ({"motif": "TATA?"}, "IUPAC"),
        ({"confidence": 6}, "1 to 5"),
        ({"source": "oracle"}, "source"),
    ],
)
def test_what_is_no_label_is_refused(values, said):
    given = {"feature": 7, "label": "x", "kind": "unclear", **values}
    with pytest.raises((InputError, UnknownNameError), match=said) as caught:
        FeatureLabel(**given)
    assert "feature 7" in str(caught.value)


def test_two_labels_of_one_source_are_refused():
    table = labels_table([of_gene(0)])
    with pytest.raises(InputError, match="two of feature 0"):
        labels_of_table(table.loc[[0, 0]])


@pytest.fixture
def files(world, tmp_path):
    """The world as files, for the command."""
    one = world.specimen
    fasta = "".join(
        f">{name}\n{it.sequence.tobytes().decode()}\n" for name, it in one.sequence.items()
    )
    (tmp_path / "genome.fa").write_text(fasta)
    rows = [
        f"{seqid}\tx\ttRNA\t{start + 1}\t{end}\t.\t{strand}\t.\tID={seqid}{start}"
        for seqid in ("fit", "test")
        for start, end, strand in genes()
    ]
    (tmp_path / "a.gff3").write_text("##gff-version 3\n" + "\n".join(rows) + "\n")
    return {"genome": tmp_path / "genome.fa", "annotations": tmp_path / "a.gff3"}


def test_the_commands_refuse_what_they_cannot_score(world, files, tmp_path):
    path = world.specimen.features.path
    labels = gi.label(path, tmp_path / "labels.tsv", **files, config={"motif_length": 8})
    found = gi.score(path, tmp_path / "labels.tsv", tmp_path / "scores.tsv", **files)
    assert (tmp_path / "scores.summary.tsv").is_file()
    assert found.table["feature"].tolist() == labels["feature"].tolist()
    with pytest.raises(InputError, match="one label or more"):
        gi.score(path, labels.iloc[:0], **files)
    wrong = labels_table([replace(of_gene(0), concept="tRNAs")])
    with pytest.raises(UnknownNameError, match=r"feature 0: concept.*tRNA"):
        gi.score(path, wrong, **files)
    with pytest.raises(MismatchError, match="features of a dictionary of 7"):
        gi.score(path, labels_table([of_gene(7)]), **files)
    table = gi.associate(path, tmp_path / "other.tsv", test=["fit"], **files)
    assert len(table)
    with pytest.raises(MismatchError, match="chosen on the same fit and test"):
        gi.score(path, tmp_path / "labels.tsv", associations=tmp_path / "other.tsv", **files)
    out = tmp_path / "new.tsv"
    with pytest.raises(InputError, match="another file than that of the labels"):
        gi.label(path, out, **files, evidence_out=out)
