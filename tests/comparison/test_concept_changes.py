"""Whether what was gained or lost is of one concept."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from genointerp.comparison.changed.concept_changes import enrichment
from genointerp.comparison.changed.config import ChangedConfig

NAMES = [("", ""), ("rRNA", "sense"), ("CDS", "both"), ("tRNA", "sense")]


def features(**changes):
    """Ten features: 0 to 3 of rRNA, 4 to 6 of CDS, 7 to 9 of none that counts."""
    table = pd.DataFrame(
        {
            "p_value": 0.001,
            "q_value": 0.01,
            "seeds_q": np.nan,
            "excess": [-2.0, -3, -2, 2, 2, 0.1, -0.1, 2, 0, 0],
            "kind": "",
            "concept": ["rRNA"] * 4 + ["CDS"] * 3 + ["rRNA"] * 3,
            "orientation": ["sense"] * 4 + ["both"] * 3 + ["sense"] * 3,
            "f1_base": [0.9] * 7 + [0.01] * 3,
        },
        index=range(10),
    )
    return table.assign(**changes)


def naive(n, changed, own):
    """The chance of as many changed features among as many drawn ones, counted one by one."""
    hits = len(set(changed) & set(own))
    drawn = [len(set(changed) & set(them)) for them in combinations(range(n), len(own))]
    return np.mean([it >= hits for it in drawn])


def test_gained_and_lost_are_counted_apart():
    found = enrichment(NAMES, features(), ChangedConfig()).set_index(pd.Index(NAMES))
    rrna = found.loc[[("rRNA", "sense")]].iloc[0]
    assert (rrna["n_features"], rrna["n_gained"], rrna["n_lost"]) == (4, 1, 3)
    assert rrna["lost_p"] == pytest.approx(naive(10, [0, 1, 2], [0, 1, 2, 3]))
    assert rrna["gained_p"] == pytest.approx(naive(10, [3, 4, 7], [0, 1, 2, 3]))
    # three of four lost, none of the other six
    assert rrna["lost_odds"] == pytest.approx(3.5 * 6.5 / (1.5 * 0.5))
    cds = found.loc[[("CDS", "both")]].iloc[0]
    # an excess below twice as many bases does not count
    assert (cds["n_features"], cds["n_gained"], cds["n_lost"]) == (3, 1, 0)
    assert np.isnan(found.loc[[("tRNA", "sense")], "lost_p"]).all()
    assert (found["lost_q"].dropna() >= found["lost_p"].dropna()).all()


def test_with_a_second_seed_only_what_it_repeats_counts():
    kind = ["lost", "", "", "", "gained", "", "", "", "", ""]
    table = features(kind=kind, seeds_q=0.02)
    found = enrichment(NAMES, table, ChangedConfig())
    assert found["n_lost"].tolist() == [0, 1, 0, 0]
    assert found["n_gained"].tolist() == [0, 0, 1, 0]
    # where none is repeated, none has changed
    none = enrichment(NAMES, features(seeds_q=0.9), ChangedConfig())
    assert not none[["n_lost", "n_gained"]].to_numpy().any()
