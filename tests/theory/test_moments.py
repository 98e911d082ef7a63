"""Gaussian moments against closed forms and against drawn numbers; fixed points against the literature."""

import math

import numpy as np
import pytest

from explorer.choices.activations import ACTIVATIONS
from explorer.theory.moments import branches, expectations, fixed_point, normal_nodes


def test_nodes_integrate_the_normal_distribution():
    z, w = normal_nodes()
    for power, moment in {0: 1, 1: 0, 2: 1, 3: 0, 4: 3, 6: 15, 8: 105}.items():
        assert w @ z**power == pytest.approx(moment, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("q", [1e-8, 0.3, 1.0, 50.0, 1e8])
def test_relu_has_its_closed_form_in_spite_of_the_kink(q):
    m = expectations(ACTIVATIONS["ReLU"], q)
    assert m.mean == pytest.approx(math.sqrt(q / (2 * math.pi)), rel=1e-12)
    assert m.second == pytest.approx(q / 2, rel=1e-12)
    assert m.slope_second == pytest.approx(0.5, rel=1e-12)
    assert m.slope_fourth == pytest.approx(0.5, rel=1e-12)


def test_randomized_relu_averages_over_its_slopes():
    low, high = 1 / 8, 1 / 3
    m = expectations(ACTIVATIONS["randomized ReLU"], 1.0)
    power = {k: (high ** (k + 1) - low ** (k + 1)) / ((k + 1) * (high - low)) for k in (1, 2, 4)}
    assert m.slope_second == pytest.approx((1 + power[2]) / 2, rel=1e-12)
    assert m.slope_fourth == pytest.approx((1 + power[4]) / 2, rel=1e-12)
    assert m.mean == pytest.approx((1 - power[1]) / math.sqrt(2 * math.pi), rel=1e-12)
    assert 2 * m.slope_second == pytest.approx(1.0561, abs=5e-5)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("q", [0.04, 1.0, 25.0])
def test_moments_agree_with_drawn_numbers(name, q):
    count = 200_000
    z = math.sqrt(q) * np.random.default_rng(1).standard_normal(count)
    drawn = np.zeros(4)
    for share, f, df in branches(ACTIVATIONS[name]):
        a, slope = f(z, np.empty_like(z)), df(z, np.empty_like(z))
        drawn += share * np.array([a.mean(), (a * a).mean(), (slope**2).mean(), (slope**4).mean()])
    m = expectations(ACTIVATIONS[name], q)
    exact = np.array([m.mean, m.second, m.slope_second, m.slope_fourth])
    assert exact == pytest.approx(drawn, rel=0.02, abs=0.015 * math.sqrt(q))


@pytest.mark.parametrize("scale", [10.0, 100.0, 1000.0])
def test_slope_of_a_saturated_tanh_is_resolved(scale):
    # For wide z only the neighbourhood of 0 counts: E f'^2 -> (4/3) / (scale sqrt(2 pi)).
    asymptotic = 4 / 3 / (scale * math.sqrt(2 * math.pi))
    assert expectations(ACTIVATIONS["tanh"], scale**2).slope_second == pytest.approx(asymptotic, rel=0.4 / scale + 5e-4)


def test_at_variance_zero_moments_are_the_values_at_zero():
    m = expectations(ACTIVATIONS["sigmoid"], np.array([0.0, 1.0]))
    assert m.mean[0] == pytest.approx(0.5)
    assert m.slope_second[0] == pytest.approx(1 / 16)
    assert m.variance[0] == pytest.approx(0, abs=1e-12)


# sigma_w^2, then q* and chi_1: Poole et al. 2016; Schoenholz et al. 2017; He et al. 2015; Klambauer et al. 2017.
CHI = [
    ("sigmoid", 1, 0.2647, 0.0557),
    ("sigmoid", 2, 0.555, 0.1010),
    ("sigmoid", 16, 5.855, 0.3989),
    ("tanh", 1, 0, 1),
    ("tanh", 1 / 3, 0, 1 / 3),
    ("tanh", 2, 0.618, 1.1055),
    ("tanh", 25 / 9, 1.178, 1.2098),
    ("tanh", 4, 2.121, 1.3627),
    ("ReLU", 2, math.nan, 1),
    ("ReLU", 1, 0, 1 / 2),
    ("ReLU", 1 / 3, 0, 1 / 6),
    ("leaky ReLU", 2 / (1 + 0.01**2), math.nan, 1),
    ("leaky ReLU", 2, math.inf, 1 + 0.01**2),
    ("randomized ReLU", 2, math.inf, 1.0561),
    ("SELU", 1, 1, 1.0716),
    ("softplus", 1, 0.856, 0.2887),
    ("linear", 1, math.nan, 1),
]


@pytest.mark.parametrize(("name", "weight", "q", "chi"), CHI)
def test_fixed_points_of_the_literature(name, weight, q, chi):
    point = fixed_point(ACTIVATIONS[name], weight)
    assert point.q == pytest.approx(q, abs=6e-4, nan_ok=True)
    assert point.chi == pytest.approx(chi, abs=6e-5)


def test_a_fixed_point_reproduces_itself():
    point = fixed_point(ACTIVATIONS["tanh"], 2.0, 0.1)
    assert 2.0 * expectations(ACTIVATIONS["tanh"], point.q).second + 0.1 == pytest.approx(point.q, rel=1e-9)


def test_softplus_with_he_weights_grows_without_end():
    point = fixed_point(ACTIVATIONS["softplus"], 2.0)
    assert point.q == math.inf
    assert point.chi == pytest.approx(1, abs=1e-5)


def test_sigmoid_can_hardly_be_critical():
    assert fixed_point(ACTIVATIONS["sigmoid"], 103.0).chi == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("bias", "weight"), [(2.01e-5, 1.0500), (0.01, 1.4242), (0.05, 1.7610), (0.1, 1.9861), (0.2, 2.2852)]
)
def test_critical_line_of_tanh(bias, weight):
    below, above = (fixed_point(ACTIVATIONS["tanh"], weight + off, bias).chi for off in (-6e-5, 6e-5))
    assert below < 1 < above


def test_critical_point_of_gelu():
    # Roberts, Yaida & Hanin 2022, section 5.3: there q = sigma_w^2 E f^2 + sigma_b^2 and chi_1 = 1 at once.
    weight, bias, q = 1.98306, 0.17292, 3.5616
    m = expectations(ACTIVATIONS["GELU"], q)
    assert weight * m.slope_second == pytest.approx(1, abs=1e-5)
    assert weight * m.second + bias == pytest.approx(q, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "batch", "layer"),
    [("linear", 1, 1), ("ReLU", 1.4669, 1), ("tanh", 1.1778, 1.1778), ("sigmoid", 1.0336, 0.1528)],
)
def test_factors_under_normalization(name, batch, layer):
    # E f'^2 / Var f under batch (Yang et al. 2019), E f'^2 / E f^2 under layer normalization (see tests/limits.py).
    m = expectations(ACTIVATIONS[name], 1.0)
    assert m.slope_second / m.variance == pytest.approx(batch, abs=6e-5)
    assert m.slope_second / m.second == pytest.approx(layer, abs=6e-5)
