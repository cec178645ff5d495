"""A model that has learnt planted families: those nobody annotated must come out as candidates."""

import pytest
import torch

from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.candidate.rank import gather, rank_evidence
from tests.candidate.planted_world import FAMILIES, ISLAND, KINDS, PERIODIC, TANDEM, make_world
from tests.specimens import specimens

SPLIT = AssociateConfig(test=("test",), n_shifts=199)
DECOYS = {PERIODIC: "codon_phase", ISLAND: "gc_shortcut", TANDEM: "low_complexity"}
TOLD = 0.3
"""F1 on fit with which a feature tells what was planted."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield make_world(tmp_path_factory.mktemp("planted"))
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="module")
def truth(world):
    elements = [one.elements(*KINDS) for one in world.planted]
    table = associate(specimens(world.stores, elements=elements), config=SPLIT)
    return table.sort_values(["f1_fit", "feature"], ascending=[False, True], kind="stable")


@pytest.fixture(scope="module")
def ranked(world):
    """The ranking for each family that the annotation knows, the only thing that it knows."""
    sequence = [one.genome for one in world.planted]
    windows = [one.windows for one in world.activations]
    evidence = gather(specimens(world.stores, sequence=sequence, windows=windows))
    tables = {}
    for family in FAMILIES:
        elements = [one.elements(family) for one in world.planted]
        known = associate(specimens(world.stores, elements=elements), config=SPLIT)
        tables[family] = rank_evidence(evidence, known).set_index("feature")
    return tables


def best_of(truth, kind):
    return truth[truth["concept"] == kind].iloc[0]


def telling(truth, kind):
    """Features whose best label is this kind, and which tell it."""
    best = truth.drop_duplicates("feature")
    return best[(best["concept"] == kind) & (best["f1_fit"] >= TOLD)]["feature"].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_has_learnt_what_was_planted(truth, kind):
    best = best_of(truth, kind)
    assert best["f1_fit"] >= TOLD
    assert best["f1"] >= 0.8 * best["f1_fit"]
    assert best["q_value"] <= 0.05


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_that_is_known_is_explained(truth, ranked, family):
    flags = ranked[family].loc[best_of(truth, family)["feature"], "flags"]
    assert "explained" in flags.split(",")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_that_nobody_annotated_is_a_candidate(truth, ranked, family):
    (other,) = set(FAMILIES) - {family}
    table = ranked[other]
    row = table.loc[best_of(truth, family)["feature"]]
    # the family differs in composition, which six letters tell: a doubt, and a right one
    assert row["demoting"] == ""
    assert row["flags"] in ("", "kmer_shortcut")
    assert row["rank"] <= 10
    assert row["n_genomes"] == 2


@pytest.mark.parametrize(("decoy", "flag"), DECOYS.items(), ids=DECOYS)
def test_decoys_are_flagged_with_their_reason(truth, ranked, decoy, flag):
    features = telling(truth, decoy)
    for table in ranked.values():
        flags = table.loc[features, "flags"].str.split(",")
        assert all(any(raised) for raised in flags)
        assert sum(flag in raised for raised in flags) >= len(features) / 2


# a stretch in a reading frame is something, as unknown genes would be: its flag is a doubt
@pytest.mark.parametrize("decoy", [ISLAND, TANDEM])
def test_what_is_only_composition_or_repeat_comes_after_the_families(truth, ranked, decoy):
    for family, table in ranked.items():
        (other,) = set(FAMILIES) - {family}
        found = table.loc[best_of(truth, other)["feature"], "rank"]
        assert (table.loc[telling(truth, decoy), "rank"] > 2 * found).all()
