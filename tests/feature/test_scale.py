import numpy as np
import pytest

from genointerp.core.errors import UnknownNameError
from genointerp.feature.scale import measure_scale
from tests.plant import contigs_of, make_store


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(0)
    dense = {strand: rng.gamma(2, size=(3000, 3)).astype(np.float32) for strand in "+-"}
    for values in dense.values():
        values[rng.random(values.shape) < 0.5] = 0
        values[:, 2] = 0
    return make_store(tmp_path / "f.h5", dense, contigs_of(a=1000, b=2000)), dense


def test_the_scale_is_the_percentile_where_a_feature_fires_on_either_strand(store):
    features, dense = store
    both = np.concatenate([dense["+"], dense["-"]]).astype(np.float64)
    found = measure_scale(features)
    for feature in (0, 1):
        fires = both[:, feature][both[:, feature] > 0]
        # values of features files are float16
        np.testing.assert_allclose(found[feature], np.percentile(fires, 99.9), rtol=1e-3)
    assert np.isnan(found[2])
    np.testing.assert_array_equal(measure_scale(features, [2, 1]), found[[2, 1]])


def test_the_scale_of_a_feature_that_there_is_not_is_refused(store):
    with pytest.raises(UnknownNameError, match="expected a feature from 0 to 2, found 3"):
        measure_scale(store[0], [3])
