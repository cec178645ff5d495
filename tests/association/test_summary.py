"""What associations and stores say of each feature."""

import numpy as np
import pandas as pd
import pytest

from genointerp.association.associate import associate
from genointerp.association.config import AssociateConfig
from genointerp.association.summary import feature_labels, summarise_features
from tests.plant import contigs_of, make_elements, make_store, pick, silence
from tests.specimens import specimen, specimens

CONFIG = AssociateConfig(test=("test",), n_shifts=9)


def test_a_feature_is_summed_over_strands_and_genomes(tmp_path):
    stores = []
    for index, name in enumerate(("fit", "test")):
        dense = silence(50, 3)
        dense["+"][10:20, 0] = 2.0
        dense["-"][30:32, 0] = 6.0
        dense["+"][0, 1] = 0.5
        path = tmp_path / f"{name}.h5"
        contigs = contigs_of(**{name: 50})
        stores.append(make_store(path, dense, contigs, genome_sha256=f"g{index}"))
    elements = [make_elements(("tRNA", name, 10, 20, "+")) for name in ("fit", "test")]
    associations = associate(specimens(stores, elements=elements), config=CONFIG)
    table = summarise_features(stores, associations).set_index("feature")
    first = table.loc[0]
    assert first["n_firing"] == 24
    assert first["density"] == pytest.approx(24 / 200)
    assert first["max_activation"] == 6.0
    assert first["mean_activation"] == pytest.approx((20 * 2 + 4 * 6) / 24)
    assert first["strand_asymmetry"] == pytest.approx((20 - 4) / 24)
    assert (first["best_concept"], first["orientation"]) == ("tRNA", "sense")
    row = pick(associations, 0, "tRNA", "sense")
    for name in ("threshold", "precision", "recall", "f1", "auroc", "null_f1", "q_value"):
        assert first[name] == row[name]
    # 10 of the 100 (base, strand) pairs of test
    assert first["f1_always_on"] == pytest.approx(2 * 0.1 / 1.1)


def test_what_never_fires_and_tells_nothing_has_a_row_with_gaps(tmp_path):
    dense = silence(100, 2)
    dense["+"][10:20, 0] = 1.0
    dense["+"][60:70, 0] = 1.0
    store = make_store(tmp_path / "f.h5", dense, contigs_of(fit=50, test=50))
    elements = make_elements(("tRNA", "fit", 10, 20, "+"), ("tRNA", "test", 10, 20, "+"))
    associations = associate([specimen(store, elements)], config=CONFIG)
    silent = summarise_features([store], associations).iloc[1]
    assert (silent["n_firing"], silent["density"], silent["max_activation"]) == (0, 0.0, 0.0)
    assert (silent["best_concept"], silent["orientation"]) == ("", "")
    for name in ("mean_activation", "strand_asymmetry", "f1", "null_f1"):
        assert np.isnan(silent[name])


@pytest.mark.parametrize(
    ("f1", "null_f1", "q_value", "named"),
    [
        (0.5, 0.4, 0.05, True),
        (0.5, 0.5, 0.01, False),
        (0.5, 0.4, 0.051, False),
        (0.5, np.nan, np.nan, False),
    ],
    ids=["better", "below its null", "high q", "not tested"],
)
def test_a_feature_is_named_by_its_best_concept_on_fit_only_if_that_is_above_its_null(
    f1, null_f1, q_value, named
):
    rows = [
        (7, "tRNA", "sense", 0.9, f1, null_f1, q_value),
        (7, "CDS", "sense", 0.8, 0.9, 0.1, 0.001),
        (8, "CDS", "sense", 0.7, 0.6, 0.1, 0.001),
    ]
    names = ["feature", "concept", "orientation", "f1_fit", "f1", "null_f1", "q_value"]
    found = feature_labels(pd.DataFrame(rows, columns=names))
    labels = dict(zip(found["feature"], found["best_concept"], strict=True))
    assert labels == ({7: "tRNA", 8: "CDS"} if named else {8: "CDS"})
