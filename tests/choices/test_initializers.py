import math

import numpy as np
import pytest

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.experiment import Experiment
from explorer.choices.initializers import CONSTANT, INITIALIZERS
from explorer.training.run import Training

RELU, LINEAR = ACTIVATIONS["ReLU"], ACTIVATIONS["linear"]

each = pytest.mark.parametrize("initializer", INITIALIZERS.values(), ids=str)
each_fan = pytest.mark.parametrize("fans", [(300, 200), (200, 300), (250, 250)], ids=str)
# From the papers, a second time.
VARIANCES = {
    "uniform": lambda i, o: 4 / 12,
    "normal": lambda i, o: 1,
    "small normal": lambda i, o: 0.01**2,
    "fan-in uniform": lambda i, o: (2 / math.sqrt(i)) ** 2 / 12,
    "LeCun": lambda i, o: 1 / i,
    "Glorot uniform": lambda i, o: (2 * math.sqrt(6 / (i + o))) ** 2 / 12,
    "Glorot normal": lambda i, o: 2 / (i + o),
    "He uniform": lambda i, o: 2 / i,
    "He normal": lambda i, o: 2 / i,
    "orthogonal": lambda i, o: 1 / max(i, o),
}
BOUNDS = {
    "uniform": lambda i, o: 1,
    "fan-in uniform": lambda i, o: 1 / math.sqrt(i),
    "Glorot uniform": lambda i, o: math.sqrt(6 / (i + o)),
    "He uniform": lambda i, o: math.sqrt(6 / i),
}


def draw(initializer, fans, seed=0, activation=RELU):
    return initializer.draw(np.random.default_rng(seed), *fans, activation)


@each
@pytest.mark.parametrize("fans", [(2, 4), (4, 4), (4, 1), (1, 1), (7, 3)], ids=str)
def test_the_shape_is_fan_in_by_fan_out_and_all_is_finite(initializer, fans):
    w = draw(initializer, fans)
    assert w.shape == fans
    assert w.dtype == np.float64
    assert np.isfinite(w).all()


@each
def test_one_seed_gives_one_draw_and_another_seed_another(initializer):
    assert np.array_equal(draw(initializer, (6, 5)), draw(initializer, (6, 5)))
    alike = np.array_equal(draw(initializer, (6, 5), 0), draw(initializer, (6, 5), 1))
    assert alike == (initializer.name in ("zeros", "constant"))


@each
@each_fan
def test_mean_is_zero_and_variance_is_the_declared_one(initializer, fans):
    if initializer.variance is None:
        pytest.skip("weights have a mean or are all alike")
    w, variance = draw(initializer, fans), initializer.variance(*fans, RELU)
    # Five standard errors; a normal's squares spread by sqrt(2), any other's here by less.
    assert abs(w.mean()) < 5 * math.sqrt(variance / w.size)
    assert w.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / w.size))


@pytest.mark.parametrize("name", VARIANCES)
@each_fan
def test_the_declared_variance_is_the_papers(name, fans):
    assert INITIALIZERS[name].variance(*fans, RELU) == pytest.approx(VARIANCES[name](*fans), rel=1e-14)


@pytest.mark.parametrize("name", BOUNDS)
@each_fan
def test_a_uniform_draw_fills_its_range(name, fans):
    bound = BOUNDS[name](*fans)
    w = draw(INITIALIZERS[name], fans)
    assert 0.999 * bound < np.abs(w).max() <= bound
    assert np.histogram(w, bins=8, range=(-bound, bound))[0] == pytest.approx(w.size / 8, rel=0.06)


@pytest.mark.parametrize("name", ["normal", "small normal", "LeCun", "Glorot normal", "He normal"])
def test_a_normal_draw_has_a_normals_tails(name):
    w = draw(INITIALIZERS[name], (400, 400))
    z = w / math.sqrt(INITIALIZERS[name].variance(400, 400, RELU))
    assert (np.abs(z) < 1).mean() == pytest.approx(0.6827, abs=0.006)
    assert (np.abs(z) > 3).mean() == pytest.approx(0.0027, abs=0.0007)


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
@pytest.mark.parametrize("name", ["He uniform", "He normal"])
def test_he_uses_the_activations_own_gain(name, activation):
    w = draw(INITIALIZERS[name], (300, 300), activation=activation)
    assert w.var() == pytest.approx(activation.he_gain**2 / 300, rel=0.03)


def test_zeros_are_zero_and_a_constant_is_constant():
    assert not draw(INITIALIZERS["zeros"], (5, 4)).any()
    assert (draw(INITIALIZERS["constant"], (5, 4)) == CONSTANT).all()


def test_positive_uniform_lies_between_zero_and_one():
    w = draw(INITIALIZERS["positive uniform"], (300, 300))
    assert 0 <= w.min() < 1e-3
    assert 0.999 < w.max() <= 1
    assert w.mean() == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("fans", [(6, 6), (8, 3), (3, 8)], ids=str)
def test_orthogonal_keeps_every_length_on_its_shorter_side(fans):
    w = draw(INITIALIZERS["orthogonal"], fans)
    small = w.T @ w if fans[0] >= fans[1] else w @ w.T
    np.testing.assert_allclose(small, np.eye(min(fans)), atol=1e-14)


def test_orthogonal_prefers_no_direction():
    draws = [draw(INITIALIZERS["orthogonal"], (4, 4), seed) for seed in range(3000)]
    np.testing.assert_allclose(np.mean(draws, axis=0), 0, atol=5 * 0.5 / math.sqrt(3000))
    assert np.mean([np.linalg.det(w) > 0 for w in draws]) == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(3000))


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=str)
def test_units_of_a_constant_start_stay_alike_unless_their_slopes_are_drawn(activation):
    asked = Experiment(
        task="moons", samples=32, depth=3, width=4, activation=activation.name, initializer="constant", gain=0.5,
        bias="zeros", learning_rate=0.05, epochs=40, runs=1,
    )  # fmt: skip
    training = Training(asked)
    training.advance(float("inf"))
    inner = training.groups[0].theta[1, 0, :4, :4]
    assert np.abs(inner - 0.5 * CONSTANT).max() > 0
    assert (np.ptp(inner) > 0) == (activation.random_slope is not None)
