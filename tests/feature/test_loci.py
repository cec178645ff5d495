import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.errors import ConfigError
from genointerp.feature.loci import LocusConfig, firing_intervals, top_loci
from genointerp.feature.statistics import feature_statistics
from genointerp.genome.interval import GenomicInterval
from tests.stores import CONTIGS, dense_features, write_features


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    dense = dense_features(density=0.3)
    return write_features(tmp_path_factory.mktemp("loci") / "f.h5", dense), dense


def naive_loci(values, config):
    found, offset = [], 0
    for contig in CONTIGS:
        part = values[offset : offset + contig.length]
        offset += contig.length
        loci = []
        for base in range(contig.length):
            if part[base] > 0 and part[base] >= config.min_activation:
                if loci and base - loci[-1][-1] <= config.merge_gap + 1:
                    loci[-1].append(base)
                else:
                    loci.append([base])
        for one in loci:
            if one[-1] + 1 - one[0] >= config.min_length:
                peak = max(one, key=lambda base: (part[base], -base))
                numbers = (part[one].max(), part[one].mean(), len(one), peak)
                found.append((contig.seqid, one[0], one[-1] + 1, *numbers))
    return found


@given(
    feature=st.integers(0, 6),
    strand=st.sampled_from("+-"),
    config=st.builds(
        LocusConfig,
        merge_gap=st.integers(0, 10),
        min_length=st.integers(1, 6),
        min_activation=st.sampled_from([0.0, 3.0, 12.0, 1000.0]),
    ),
)
def test_loci_are_those_of_a_loop(shared, feature, strand, config):
    store, dense = shared
    table = firing_intervals(store, feature, strand, config)
    expected = naive_loci(dense[strand][:, feature].astype(float), config)
    assert [row[:3] for row in table.itertuples(index=False)] == [row[:3] for row in expected]
    assert set(table["strand"]) <= {strand}
    for found, row in zip(table.itertuples(index=False), expected, strict=True):
        np.testing.assert_allclose(found[4:], row[3:])


def test_top_loci_are_the_strongest_of_both_strands(shared):
    store, _ = shared
    table = top_loci(store, 3, n=5)
    both = [firing_intervals(store, 3, strand) for strand in "+-"]
    largest = sorted([x for one in both for x in one["max_activation"]], reverse=True)[:5]
    assert table["max_activation"].tolist() == largest


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"merge_gap": -1}, "merge_gap: expected 0 or more bases, found -1"),
        ({"min_length": 0}, "min_length: expected 1 or more bases, found 0"),
        ({"min_activation": float("nan")}, "min_activation: expected 0 or more, found nan"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        LocusConfig(**values)


def test_statistics_are_those_of_the_dense_matrix(shared):
    store, dense = shared
    table = feature_statistics(store)
    for strand in "+-":
        part = table[table["strand"] == strand]
        x = dense[strand].astype(float)
        np.testing.assert_array_equal(part["n_firing"], (x > 0).sum(0))
        np.testing.assert_allclose(part["density"], (x > 0).mean(0))
        np.testing.assert_allclose(part["max_activation"], x.max(0))
        np.testing.assert_allclose(part["mean_activation"], x.sum(0) / (x > 0).sum(0))


def test_density_is_over_the_bases_that_were_read(tmp_path):
    dense = {strand: np.zeros((160, 2), np.float32) for strand in "+-"}
    dense["+"][:5, 0] = 1
    windows = [GenomicInterval("chrA", 0, 20, "+")]
    table = feature_statistics(write_features(tmp_path / "f.h5", dense, windows=windows))
    assert table["density"].tolist()[:2] == [0.25, 0.0]
    assert table["density"].isna().tolist() == [False, False, True, True]
    assert table["mean_activation"].isna().tolist() == [False, True, True, True]
