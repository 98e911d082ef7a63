import math

import numpy as np
import pytest
from textbook import apply, slope

from explorer.choices import activations
from explorer.choices.activations import ACTIVATIONS, leaky, leaky_slope, normal_cdf

# Written a second time, from the formulas, one number at a time.
DEFINITIONS = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "ReLU": lambda z: z if z > 0 else 0.0,
    "leaky ReLU": lambda z: z if z > 0 else 0.01 * z,
    "randomized ReLU": lambda z: z if z > 0 else (1 / 8 + 1 / 3) / 2 * z,
    "ELU": lambda z: z if z > 0 else math.expm1(z),
    "SELU": lambda z: 1.0507009873554805 * (z if z > 0 else 1.6732632423543772 * math.expm1(z)),
    "GELU": lambda z: z * math.erfc(-z / math.sqrt(2)) / 2,
    "SiLU": lambda z: z / (1 + math.exp(-z)),
    "softplus": lambda z: math.log1p(math.exp(z)),
    "linear": lambda z: z,
}
GRID = np.concatenate([np.arange(-600, 601) / 20, [-1e-9, 1e-9]])
AWAY_FROM_THE_KINK = GRID[np.abs(GRID) > 0.02]

each = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_value_is_the_formula(name):
    expected = np.array([DEFINITIONS[name](z) for z in GRID])
    np.testing.assert_allclose(apply(ACTIVATIONS[name], GRID), expected, rtol=1e-13, atol=1e-300)


@each
def test_derivative_is_the_slope(activation):
    z, h = AWAY_FROM_THE_KINK, 1e-3
    f = lambda at: apply(activation, at)  # noqa: E731
    difference = (8 * (f(z + h) - f(z - h)) - (f(z + 2 * h) - f(z - 2 * h))) / (12 * h)
    # atol: the values' own rounding, at most 30 * 2^-53, over h.
    np.testing.assert_allclose(slope(activation, z), difference, rtol=1e-9, atol=2e-11)


@each
def test_the_slope_at_zero_is_one_of_the_two_sides(activation):
    left, middle, right = slope(activation, np.array([-1e-9, 0.0, 1e-9]))
    assert min(left, right) - 1e-8 <= middle <= max(left, right) + 1e-8


@each
@pytest.mark.parametrize("function", ["f", "df"])
def test_any_shape_is_written_into_out_and_z_is_left_alone(activation, function):
    z = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    before, out = z.copy(), np.full_like(z, np.nan)
    returned = getattr(activation, function)(z, out)
    assert returned is out
    assert np.array_equal(z, before)
    one_by_one = [getattr(activation, function)(np.array([v]), np.empty(1))[0] for v in z.ravel()]
    np.testing.assert_allclose(out.ravel(), one_by_one, rtol=1e-15)


@each
def test_nan_goes_in_and_comes_out(activation):
    with np.errstate(invalid="ignore"):
        assert np.isnan(apply(activation, np.array([np.nan]))).all()


@each
def test_extreme_inputs_give_no_nan(activation):
    z = np.array([-1e300, -800.0, -40.0, 40.0, 800.0, 1e300])
    with np.errstate(over="ignore", under="ignore"):
        assert not np.isnan(apply(activation, z)).any()
        assert not np.isnan(slope(activation, z)).any()


@each
def test_the_value_never_falls_where_the_slope_says_it_rises(activation):
    values, middle = apply(activation, GRID), (GRID[1:] + GRID[:-1]) / 2
    rises = slope(activation, middle[:1200]) > 1e-6
    assert (np.diff(values[:1201])[rises] > 0).all()


@pytest.mark.parametrize("z", [20.0, 37.0, 40.0, 300.0, 700.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_sigmoid_keeps_its_slope_where_it_is_saturated(z, sign):
    expected = math.exp(-z) / (1 + math.exp(-z)) ** 2
    assert expected > 0
    assert slope(ACTIVATIONS["sigmoid"], np.array([sign * z]))[0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("z", [10.0, 19.1, 40.0, 300.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_tanh_keeps_its_slope_where_it_is_saturated(z, sign):
    expected = 4 * math.exp(-2 * z) / (1 + math.exp(-2 * z)) ** 2
    assert expected > 0
    assert slope(ACTIVATIONS["tanh"], np.array([sign * z]))[0] == pytest.approx(expected, rel=1e-13)


def test_sigmoid_is_steepest_at_zero_with_a_quarter():
    slopes = slope(ACTIVATIONS["sigmoid"], GRID)
    assert slopes.max() == slope(ACTIVATIONS["sigmoid"], np.zeros(1))[0] == 0.25


@pytest.mark.parametrize("z", np.linspace(-36, 8, 45))
def test_the_normal_distribution_is_precise_in_its_tail(z):
    assert normal_cdf(np.array([z]))[0] == pytest.approx(math.erfc(-z / math.sqrt(2)) / 2, rel=1e-12)


@each
def test_saturation_bounds_lie_where_the_slope_is_under_a_fifth_of_its_best(activation):
    if activation.saturation is None:
        pytest.skip("does not saturate")
    a, slopes = apply(activation, GRID), slope(activation, GRID)
    low, high = activation.saturation
    flat = (a <= low) | (a >= high)
    assert flat.any()
    assert slopes[flat].max() < slopes.max() / 5
    assert slopes[~flat].min() > 0


@each
def test_he_gain_keeps_the_squared_gradient_of_a_rectifier(activation):
    # E f'^2 over a symmetric z, times gain^2, is 1 (He et al. 2015, eq. 14).
    rectifiers = {"ReLU", "leaky ReLU", "linear"}
    if activation.random_slope:
        low, high = activation.random_slope
        mean_square = (1 + (high**3 - low**3) / (high - low) / 3) / 2
    elif activation.name in rectifiers:
        mean_square = (slope(activation, np.array([-1.0, 1.0])) ** 2).mean()
    else:
        assert activation.he_gain == math.sqrt(2)
        return
    assert activation.he_gain**2 * mean_square == pytest.approx(1, rel=1e-14)


def test_leaky_with_a_random_slope_is_leaky_with_that_slope():
    rng = np.random.default_rng(1)
    z, slopes = rng.normal(size=200), rng.uniform(*ACTIVATIONS["randomized ReLU"].random_slope, 200)
    assert np.array_equal(leaky(z, slopes, np.empty(200)), np.where(z > 0, z, slopes * z))
    assert np.array_equal(leaky_slope(z, slopes, np.empty(200)), np.where(z > 0, 1.0, slopes))


def test_the_answers_slope_of_randomized_relu_is_its_mean_slope():
    entry = ACTIVATIONS["randomized ReLU"]
    assert entry.random_slope == (1 / 8, 1 / 3)
    assert slope(entry, np.array([-1.0]))[0] == pytest.approx(sum(entry.random_slope) / 2)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("apart", [1, 2, 3, 4, 7, 8, 9, 16, 64])
def test_numbers_that_lie_apart_in_memory_give_the_same(name, apart):
    # NumPy has special loops for some distances between entries, and one of them is wrong (np.negative of 2.4).
    z = np.linspace(-3.1, 2.9, 13)
    spread_in, spread_out = np.zeros((13, apart)), np.zeros((13, apart))
    spread_in[:, 0] = z
    for function in (ACTIVATIONS[name].f, ACTIVATIONS[name].df):
        function(spread_in[:, :1], spread_out[:, :1])
        np.testing.assert_allclose(spread_out[:, 0], function(z, np.empty(13)), rtol=1e-14, atol=1e-300)


# --- f and its slope from one function ---------------------------------------------------------

# All that there are, also those that this processor does better without.
BOTH = {
    "sigmoid": activations._sigmoid_and_slope,
    "tanh": activations._tanh_and_slope,
    "ELU": activations._elu_and_slope,
    "SELU": activations._selu_and_slope,
    "GELU": activations._gelu_and_slope,
    "SiLU": activations._silu_and_slope,
    "softplus": activations._softplus_and_slope,
}
EXACT = {
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: 1 / (2 * np.cosh(z / 2)) ** 2),
    "tanh": (np.tanh, lambda z: 1 / np.cosh(z) ** 2),
    "ELU": (lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))), lambda z: np.exp(np.minimum(z, 0))),
    "softplus": (lambda z: np.logaddexp(0, z), lambda z: 1 / (1 + np.exp(-z))),
}


def both(name, z):
    a, slope = np.full_like(z, np.nan), np.full_like(z, np.nan)
    with np.errstate(all="ignore"):
        assert BOTH[name](z, a, slope) is slope
    return a, slope


def test_every_entry_that_takes_both_at_once_is_asked_about():
    named = {name: entry.both for name, entry in ACTIVATIONS.items() if entry.both is not None}
    assert named.items() <= BOTH.items()


@pytest.mark.parametrize("name", EXACT)
def test_both_at_once_are_exact_into_the_tails(name):
    size = np.geomspace(1e-300, 700, 20_000)
    z = np.concatenate([-size[::-1], [0.0], size])
    for ours, exact in zip(both(name, z), EXACT[name], strict=True):
        with np.errstate(all="ignore"):
            expected = exact(z.astype(np.longdouble))
        seen = np.abs(expected) > 1e-300
        assert np.abs(ours[seen] / expected[seen] - 1).max() < 2e-15
        assert np.abs(ours[~seen] - expected[~seen]).max(initial=0.0) < 1e-300


@pytest.mark.parametrize("name", BOTH)
def test_both_at_once_are_those_apart_also_where_nothing_is_finite(name):
    z = np.array([*GRID, -np.inf, np.inf, np.nan, -1e300, 1e300, -800.0, 800.0, -0.0, -1500.0])
    before, entry = z.copy(), ACTIVATIONS[name]
    a, slopes = both(name, z)
    np.testing.assert_array_equal(z, before)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(a, apply(entry, z), rtol=1e-13, atol=1e-300)
        np.testing.assert_allclose(slopes, slope(entry, z), rtol=1e-13, atol=1e-15)
        np.testing.assert_array_equal(slopes == 0, slope(entry, z) == 0)
