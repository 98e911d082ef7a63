"""What many seeds say together: zeros and infinities are never averaged away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from explorer.diagnosis.seeds import band, log_band, logarithm

finite = some.floats(-1e100, 1e100)


@given(some.lists(finite, min_size=1, max_size=30))
def test_quartiles_are_numpys(values):
    array = np.array(values)[:, None]
    got = band(array)
    expected = np.quantile(array, [0.25, 0.5, 0.75], axis=0)
    for mine, theirs in zip((got.low, got.middle, got.high), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-9 * np.abs(array).max())


@given(some.lists(some.one_of(finite, some.sampled_from([0.0, np.inf, -np.inf, np.nan])), min_size=1, max_size=20))
def test_a_band_is_ordered_and_never_nan(values):
    got = log_band(np.array(values)[:, None])
    for part in (got.low, got.middle, got.high):
        assert not np.isnan(part).any()
    assert (got.low <= got.middle).all()
    assert (got.middle <= got.high).all()


def test_logarithm_keeps_zero_and_infinity_apart():
    values = np.array([0.0, -0.0, 1e-300, -100.0, np.inf, -np.inf, np.nan])
    with np.errstate(all="raise"):
        got = logarithm(values)
    np.testing.assert_array_equal(got[[0, 1]], -np.inf)
    np.testing.assert_array_equal(got[4:], np.inf)
    np.testing.assert_allclose(got[2:4], [-300, 2])


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([0, 0, 1], -np.inf),  # most are 0
        ([0, 1, 1], 0),
        ([np.nan, np.nan, 1], np.inf),  # most are not finite
        ([np.nan, 1, 0], 0),  # 0 below, not finite above
        ([1e-10], -10),
        ([1, 100], 1),
        ([0, 1], -np.inf),  # half are 0
        ([1, np.nan], np.inf),  # half are not finite
    ],
)
def test_the_median_of_mixed_seeds(values, middle):
    assert log_band(np.array(values, dtype=float)[:, None]).middle[0] == middle


def test_seeds_are_the_first_axis_and_all_others_stay():
    assert band(np.zeros((5, 3, 4))).middle.shape == (3, 4)
