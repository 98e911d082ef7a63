"""Logarithms of sums over units, against drawn numbers and closed forms."""

import math

import numpy as np
import pytest

from explorer.choices.activations import ACTIVATIONS
from explorer.theory.log_sums import layer_sums, log_gamma

DRAWS = 40_000


@pytest.mark.parametrize(("terms", "digamma"), [(2, -0.577216), (4, 0.422784), (20, 2.251753)])
def test_the_logarithm_of_a_chi_squared_variable_is_known(terms, digamma):
    # E ln chi^2 / n = digamma(n / 2) - ln(n / 2).
    assert log_gamma(terms / 2) == pytest.approx(digamma - math.log(terms / 2), abs=2e-3)


@pytest.mark.parametrize("q", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("units", [4, 16])
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "leaky ReLU", "softplus", "GELU", "linear"])
def test_mean_logarithms_agree_with_drawn_layers(name, units, q):
    rng, f = np.random.default_rng(2), ACTIVATIONS[name]
    z = math.sqrt(q) * rng.standard_normal((DRAWS, units))
    direction = rng.standard_normal(z.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    sums = layer_sums(f, units)
    value = np.sum(f.f(z, np.empty_like(z)) ** 2, axis=1)
    slope = np.sum((f.df(z, np.empty_like(z)) * direction) ** 2, axis=1)
    for drawn, log, drop in ((value, sums.value, sums.value_drop), (slope, sums.slope, sums.slope_drop)):
        # As in the table, what is below e^-15 of the mean is lost, where an activation is flat below 0.
        kept = np.log(drawn[drawn > drawn.mean() * (math.exp(-15) if name in ("softplus", "GELU") else 0)])
        error = 5 * kept.std() / math.sqrt(DRAWS) + 0.02
        assert float(log.at(math.log(q))) == pytest.approx(kept.mean(), abs=error)
        assert float(log.at(math.log(q)) + drop.at(math.log(q))) == pytest.approx(math.log(drawn.mean()), abs=error)


def test_a_layer_of_rectifiers_is_lost_when_all_are_off():
    for units in (4, 10):
        assert float(layer_sums(ACTIVATIONS["ReLU"], units).slope_lost.at(0.0)) == pytest.approx(2.0**-units, rel=0.01)
    assert float(layer_sums(ACTIVATIONS["leaky ReLU"], 4).slope_lost.at(0.0)) == 0


def test_beyond_the_table_signals_grow_as_powers():
    sums = layer_sums(ACTIVATIONS["ReLU"], 8)
    for log_q in (-400.0, 300.0):
        assert float(sums.value.at(log_q) - sums.value.at(0.0)) == pytest.approx(log_q, rel=1e-6)
