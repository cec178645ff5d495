import numpy as np
import pytest

from genointerp.association.associate import associate
from genointerp.labelling.backdrop import make_backdrop
from genointerp.labelling.config import LabelConfig
from genointerp.labelling.evidence import gather_evidence
from genointerp.labelling.patterns import find_motif, find_period, word_auroc
from genointerp.labelling.score import score_labels
from genointerp.labelling.statistical import label_statistically
from genointerp.store.table.schema.label import UNEXPLAINED
from tests.labelling.labelled_world import FEATURES, MOTIF, SPLIT, make_world

CONFIG = LabelConfig(motif_length=10)


def labels_of(world):
    specimens = [world.specimen]
    on_fit = associate(specimens, config=SPLIT, matched=False, measured_on="fit")
    backdrop = make_backdrop(specimens, SPLIT, motif_length=CONFIG.motif_length, seed=0)
    evidence = gather_evidence(specimens, on_fit, backdrop, CONFIG)
    return evidence, label_statistically(specimens, evidence, SPLIT, CONFIG)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("labels"))


@pytest.fixture(scope="module")
def found(world):
    return labels_of(world)


def named(found, name):
    return next(it for it in found[1] if it.feature == FEATURES[name])


def test_what_was_planted_is_what_the_labels_say(found):
    gene = named(found, "gene")
    assert (gene.concept, gene.orientation, gene.part) == ("gene", "sense", "body")
    assert (gene.kind, gene.confidence) == ("concept", 4)
    other = named(found, "antisense")
    assert (other.concept, other.orientation, other.part) == ("gene", "antisense", "body")
    start = named(found, "start")
    assert (start.concept, start.orientation, start.part) == ("gene", "sense", "start")
    assert start.kind == "position"
    motif = named(found, "motif")
    assert (motif.motif, motif.motif_offset, motif.kind) == (MOTIF, 1, "composition")
    period = named(found, "period")
    assert (period.kind, period.label) == ("repeat", "every 12 bases")


@pytest.mark.parametrize("name", ["noise", "dense"])
def test_of_what_means_nothing_nothing_is_said(found, name):
    label = named(found, name)
    assert (label.label, label.kind) == (UNEXPLAINED, "unclear")
    assert not label.is_executable


def test_labels_hold_on_test(world, found):
    scores = score_labels([world.specimen], found[1], SPLIT).set_index("feature")
    for name in ("gene", "antisense", "motif"):
        assert scores.loc[FEATURES[name], "f1"] == pytest.approx(1.0), name
        assert scores.loc[FEATURES[name], "q_value"] <= 0.05
    assert np.isnan(scores.loc[FEATURES["noise"], "f1"])
    assert scores.loc[FEATURES["gene"], "shuffled_f1"] < 0.3


def test_nothing_of_test_changes_a_label(found, tmp_path):
    corrupted = labels_of(make_world(tmp_path, on_test=False))
    # the noise is drawn before what is corrupted, and fit is the same bit by bit
    assert corrupted[1] == found[1]
    assert [one.as_json() for one in corrupted[0].values()] == [
        one.as_json() for one in found[0].values()
    ]


def test_evidence_names_what_fires_there(found):
    gene = found[0][FEATURES["gene"]]
    first = gene.concepts[0]
    assert (first["concept"], first["orientation"]) == ("gene", "sense")
    assert first["f1"] == pytest.approx(1.0)
    assert gene.numbers["n_loci"] == 43
    assert gene.numbers["run_median"] == 300
    assert gene.numbers["strand_asymmetry"] == pytest.approx((22 - 21) / 43)
    motif = found[0][FEATURES["motif"]]
    assert motif.numbers["word_auroc"] > 0.9
    assert all(it["bases"] for it in motif.near_misses)
    dense = {it["feature"] for it in gene.neighbours}
    assert FEATURES["dense"] in dense
    assert FEATURES["gene"] not in dense


def test_motif_of_aligned_bases():
    rng = np.random.default_rng(1)
    aligned = rng.integers(0, 4, (400, 8)).astype(np.uint8)
    aligned[:, 2:5] = [0, 3, 2]
    # the last column is A or G
    aligned[:, 5] = rng.choice([0, 2], 400)
    found = find_motif(aligned, np.full(4, 0.25), 10)
    assert (found.consensus, found.offset, found.n_loci) == ("ATGR", 2, 400)
    assert found.bits == pytest.approx(7, abs=0.2)
    assert find_motif(aligned[:9], np.full(4, 0.25), 10).consensus == ""


def test_words_that_tell_nothing_have_an_auroc_of_one_half():
    rng = np.random.default_rng(2)
    background = rng.integers(200, 400, (2, 3125))
    firing = rng.binomial(background, 0.1)
    assert word_auroc(firing, background) == pytest.approx(0.5, abs=0.02)


def test_period_of_no_base():
    assert find_period(()) == (0, 1.0)
