"""Of equals, the one that is stated: orders do not depend on how the table was sorted or made."""

import numpy as np
import pandas as pd

from genointerp.association.associate import choose_family
from genointerp.association.summary import best_per_concept, own_orientations
from genointerp.candidate.rank import order_candidates
from genointerp.feature.query import best_concepts


def labels(*rows):
    table = pd.DataFrame(rows, columns=["feature", "concept", "orientation", "f1_fit", "f1"])
    return table.assign(n_feature_bp=1, n_concept_bp=1, n_both_bp=1, log2_enrichment=0.0)


def test_candidates_are_ordered_by_demotion_score_unexplained_loci_and_number():
    rows = [
        # feature, demoting, score, unexplained, n_loci
        (9, "", 0.5, 0.1, 5),
        (7, "", 0.2, 0.9, 5),
        (3, "", 0.2, 0.8, 9),
        (8, "", 0.2, 0.8, 7),
        (4, "", 0.2, 0.8, 7),
        (6, "", 0.2, 0.8, 7),
        (1, "explained", 0.9, 0.9, 9),
        (0, "explained", 0.1, 0.9, 9),
    ]
    columns = ["feature", "demoting", "score", "unexplained", "n_loci"]
    table = pd.DataFrame(rows, columns=columns)
    expected = [9, 7, 3, 4, 6, 8, 1, 0]
    for seed in range(5):
        mixed = table.sample(frac=1, random_state=seed)
        found = order_candidates(mixed)
        assert found["feature"].tolist() == expected
        assert found["rank"].tolist() == list(range(1, 9))


def test_the_family_takes_the_lower_features_of_equal_scores():
    f1 = np.array([[0.5], [0.5], [0.7], [0.5]])
    gain = np.zeros((4, 1))
    # of one label every feature has it as its best: only labels that are nobody's best tell
    two = np.column_stack([f1, np.full(4, 0.9)])
    found = choose_family(two, np.column_stack([gain, gain + 1]), 2)
    assert found[:, 0].tolist() == [True, False, True, False]


def test_the_best_concept_of_equals_is_the_first_of_the_table():
    table = labels((0, "b", "sense", 0.5, 0.1), (0, "a", "sense", 0.5, 0.9))
    assert best_concepts(table)["best_concept"].tolist() == ["b"]


def test_the_best_feature_of_equals_has_the_lower_number():
    table = labels(
        (5, "a", "sense", 0.5, 0.1), (2, "a", "sense", 0.5, 0.9), (3, "a", "sense", 0.4, 1.0)
    )
    assert best_per_concept(table)["feature"].tolist() == [2]


def test_both_strands_of_a_concept_do_not_stand_for_it_and_a_concept_without_strand_does():
    table = labels(
        (0, "CDS", "sense", 0.5, 0.5),
        (0, "CDS", "both", 0.9, 0.9),
        (0, "intergenic", "both", 0.4, 0.4),
    )
    kept = own_orientations(table)
    assert list(zip(kept["concept"], kept["orientation"], strict=True)) == [
        ("CDS", "sense"),
        ("intergenic", "both"),
    ]
