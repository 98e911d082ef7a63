import math

import numpy as np
import pytest

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.losses import LOSSES, output_unit

PAIRS = [
    pytest.param(loss, regression, id=f"{name}, {'regression' if regression else 'classes'}")
    for name, loss in LOSSES.items()
    for regression in (False, True)
    if loss.regression or not regression
]


def material(regression, runs=2, samples=9, seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 3, (runs, 1, samples))
    y = rng.normal(size=(1, samples)) if regression else rng.integers(0, 2, (1, samples)) * 1.0
    return z, y


@pytest.mark.parametrize(("loss", "regression"), PAIRS)
def test_delta_is_the_slope_of_the_value(loss, regression):
    (z, y), output, h = material(regression), output_unit(regression), 1e-3
    delta = np.empty_like(z)
    loss.delta(z, y, output, delta)
    for sample in range(z.shape[-1]):

        def value(step, at=sample):
            moved = z.copy()
            moved[..., at] += step
            return loss.value(moved, y, output)

        numeric = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)
        np.testing.assert_allclose(delta[:, 0, sample], numeric, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize(("loss", "regression"), PAIRS)
def test_every_run_has_its_own_loss(loss, regression):
    (z, y), output = material(regression), output_unit(regression)
    both = loss.value(z, y, output)
    assert both.shape == (2,)
    for run in (0, 1):
        assert both[run] == pytest.approx(loss.value(z[run : run + 1], y, output)[0], rel=1e-15)


@pytest.mark.parametrize(("loss", "regression"), PAIRS)
def test_z_and_y_are_left_alone(loss, regression):
    (z, y), output = material(regression), output_unit(regression)
    z_before, y_before = z.copy(), y.copy()
    loss.value(z, y, output)
    loss.delta(z, y, output, np.empty_like(z))
    assert np.array_equal(z, z_before)
    assert np.array_equal(y, y_before)


@pytest.mark.parametrize(("loss", "regression"), PAIRS)
def test_the_loss_is_least_at_the_target(loss, regression):
    output = output_unit(regression)
    y = np.array([[0.25, 0.75]])  # for cross-entropy with soft targets the least is their entropy
    z = y.copy() if regression else np.log(y / (1 - y))
    at_target = loss.value(z[None], y, output)[0]
    delta = np.empty((1, 1, 2))
    loss.delta(z[None], y, output, delta)
    np.testing.assert_allclose(delta, 0, atol=1e-16)
    assert loss.value(z[None] + 0.1, y, output)[0] > at_target
    assert loss.value(z[None] - 0.1, y, output)[0] > at_target


def test_the_tutorials_loss_sums_half_squares_over_samples():
    z = np.zeros((1, 1, 4))  # every answer is 1/2
    y = np.array([[0.0, 1.0, 1.0, 0.0]])
    assert LOSSES["half squared error"].value(z, y, output_unit(False))[0] == 4 * 0.5 * 0.25


def test_mean_squared_error_is_twice_the_half_over_the_count():
    z, y = material(False)
    half, mean = LOSSES["half squared error"], LOSSES["mean squared error"]
    np.testing.assert_allclose(mean.value(z, y, output_unit(False)), 2 / 9 * half.value(z, y, output_unit(False)))


def test_cross_entropy_is_the_surprise_of_the_right_class():
    z, y = material(False)
    p = 1 / (1 + np.exp(-z))
    expected = -np.log(np.where(y == 1, p, 1 - p)).mean(axis=(1, 2))
    np.testing.assert_allclose(LOSSES["cross-entropy"].value(z, y, output_unit(False)), expected, rtol=1e-13)


@pytest.mark.parametrize("z", [40.0, 800.0])
def test_cross_entropy_still_pushes_where_the_output_is_saturated_wrongly(z):
    z_wrong, y, delta = np.full((1, 1, 1), z), np.zeros((1, 1)), np.empty((1, 1, 1))
    LOSSES["cross-entropy"].delta(z_wrong, y, output_unit(False), delta)
    assert delta.item() == 1
    assert LOSSES["cross-entropy"].value(z_wrong, y, output_unit(False))[0] == pytest.approx(z)
    LOSSES["half squared error"].delta(z_wrong, y, output_unit(False), delta)
    with np.errstate(under="ignore"):
        assert delta.item() == pytest.approx(math.exp(-z), rel=1e-12, abs=0)


def test_the_output_unit_is_linear_for_numbers_and_a_sigmoid_for_classes():
    assert output_unit(True) is ACTIVATIONS["linear"]
    assert output_unit(False) is ACTIVATIONS["sigmoid"]
