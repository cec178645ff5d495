"""The chance of so many hits, against a sum and against the distribution of scipy."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from genointerp.core.binomial import chance_of_at_least


@given(n=st.integers(1, 40), p=st.floats(0, 1), data=st.data())
def test_it_is_the_sum_of_the_chances_of_each_number(n, p, data):
    k = data.draw(st.integers(0, n + 1))
    each = (math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
    assert chance_of_at_least(k, n, p) == pytest.approx(math.fsum(each), rel=1e-9, abs=1e-300)


@given(n=st.integers(1, 5000), p=st.floats(0, 1), share=st.floats(-0.1, 1.1))
def test_it_is_that_of_scipy(n, p, share):
    k = int(share * n)
    assert chance_of_at_least(k, n, p) == pytest.approx(binom.sf(k - 1, n, p), rel=1e-9)
