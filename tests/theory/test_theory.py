"""Predictions against real nets at initialization: hundreds of seeds, every layer."""

import math

import numpy as np
import pytest

from explorer.choices.datasets import OWN, Data
from explorer.choices.experiment import Experiment
from explorer.theory.finite_width import dead_shares
from explorer.theory.layer_by_layer import Recursion, subsample, wide_net
from explorer.theory.prediction import LAYER_NORM_WIDTH, predict
from explorer.training.run import train
from tests.limits import limit_factor


def experiment(**settings):
    return Experiment(**{"samples": 32, **settings})


def measured(asked, runs=300, measure="delta"):
    """Return a measure of every seed and layer before the first update."""
    return train(asked.but(epochs=1, runs=runs)).measures[measure][:, 0]


def rms(values):
    return np.sqrt(np.mean(values**2, axis=0))


MOONS = {"task": "moons"}
TANH = {"activation": "tanh"}
RELU = {"activation": "ReLU", "initializer": "He normal"}
LAYER = {"normalization": "layer"}

# Settings, then the band that measured / predicted must keep to in every layer: the root mean square over
# seeds and the median over seeds. Bands are wider where few lucky seeds carry the mean.
WIDE = {
    "sigmoid Glorot": ({"depth": 10, "width": 16, "initializer": "Glorot normal"}, (0.85, 1.05), (0.82, 1.05)),
    "tanh He": ({**TANH, "depth": 10, "width": 16, "initializer": "He normal"}, (0.92, 1.08), (0.92, 1.08)),
    "tanh LeCun moons": (
        {**MOONS, **TANH, "depth": 10, "width": 32, "initializer": "LeCun"},
        (0.93, 1.05),
        (0.93, 1.05),
    ),
    "tanh normal with biases": (
        {**MOONS, **TANH, "depth": 10, "width": 32, "initializer": "normal"},
        (0.85, 1.15),
        (0.9, 1.15),
    ),
    "ReLU He": ({**RELU, **MOONS, "depth": 10, "width": 32}, (0.88, 1.15), (0.75, 1.1)),
    "GELU spirals": (
        {"task": "spirals", "activation": "GELU", "initializer": "Glorot uniform", "depth": 8, "width": 24},
        (0.92, 1.08),
        (0.92, 1.1),
    ),
    "SELU": (
        {**MOONS, "activation": "SELU", "initializer": "LeCun", "depth": 10, "width": 32},
        (0.92, 1.08),
        (0.9, 1.08),
    ),
    "randomized ReLU": (
        {**MOONS, "activation": "randomized ReLU", "initializer": "He normal", "depth": 8, "width": 32},
        (0.88, 1.1),
        (0.8, 1.08),
    ),
    "softplus": (
        {"activation": "softplus", "initializer": "Glorot normal", "depth": 8, "width": 24},
        (0.9, 1.1),
        (0.85, 1.08),
    ),
    "curve tanh": (
        {"task": "curve", **TANH, "initializer": "Glorot normal", "depth": 8, "width": 24},
        (0.92, 1.08),
        (0.92, 1.12),
    ),
    "orthogonal tanh": (
        {**TANH, "initializer": "orthogonal", "gain": 1.2, "depth": 10, "width": 16},
        (0.95, 1.05),
        (0.95, 1.05),
    ),
    "sigmoid skip": ({**MOONS, "depth": 10, "width": 16, "skip": "one layer"}, (0.85, 1.15), (0.7, 1.3)),
    "ReLU skip": ({**RELU, **MOONS, "depth": 8, "width": 32, "skip": "one layer"}, (0.9, 1.2), (0.88, 1.08)),
    "tanh skip over two": (
        {**MOONS, **TANH, "depth": 9, "width": 24, "initializer": "Glorot normal", "skip": "two layers"},
        (0.95, 1.12),
        (0.95, 1.15),
    ),
    "layer norm tanh": (
        {**LAYER, **MOONS, **TANH, "depth": 8, "width": 64, "initializer": "LeCun"},
        (0.92, 1.15),
        (0.92, 1.12),
    ),
    "layer norm sigmoid": ({**LAYER, **MOONS, "depth": 8, "width": 32}, (0.9, 1.25), (0.9, 1.15)),
    "layer norm ReLU skip": (
        {**LAYER, **MOONS, **RELU, "depth": 8, "width": 32, "skip": "one layer"},
        (0.9, 1.15),
        (0.85, 1.15),
    ),
}


@pytest.mark.parametrize("name", WIDE)
def test_delta_of_every_layer_is_as_predicted(name):
    settings, mean_band, median_band = WIDE[name]
    asked = experiment(**settings)
    prediction, delta = predict(asked), measured(asked)
    mean, median = rms(delta) / prediction.delta, np.median(delta, axis=0) / prediction.median_delta
    print(name, mean.round(2), median.round(2))
    assert mean_band[0] < mean.min() and mean.max() < mean_band[1]
    assert median_band[0] < median.min() and median.max() < median_band[1]


# Narrow nets: by what a layer's factor of a median seed may differ from the predicted one.
NARROW = {
    "sigmoid uniform 4": ({"depth": 11, "width": 4}, 0.05),
    "sigmoid Glorot uniform 4": ({"depth": 10, "width": 4, "initializer": "Glorot uniform"}, 0.04),
    "sigmoid He 8": ({"depth": 10, "width": 8, "initializer": "He normal"}, 0.04),
    "tanh Glorot 4": ({**TANH, "depth": 10, "width": 4, "initializer": "Glorot normal"}, 0.03),
    "tanh uniform 4": ({**TANH, "depth": 10, "width": 4}, 0.03),
    "tanh LeCun spirals 8": ({**TANH, "task": "spirals", "depth": 15, "width": 8, "initializer": "LeCun"}, 0.03),
    "tanh He moons 8": ({**TANH, **MOONS, "depth": 10, "width": 8, "initializer": "He normal"}, 0.05),
    "ReLU He 8": ({**RELU, "depth": 10, "width": 8}, 0.05),
    "ReLU He moons 16": ({**RELU, **MOONS, "depth": 30, "width": 16}, 0.05),
    "ReLU uniform 4": ({"activation": "ReLU", "depth": 8, "width": 4}, 0.06),
    "GELU circles 8": (
        {"task": "circles", "activation": "GELU", "initializer": "He normal", "depth": 8, "width": 8},
        0.05,
    ),
    "linear 4": ({"activation": "linear", "initializer": "LeCun", "depth": 10, "width": 4}, 0.04),
    "sigmoid skip 4": ({"depth": 11, "width": 4, "skip": "one layer"}, 0.04),
    "tanh skip 8": (
        {**TANH, **MOONS, "depth": 20, "width": 8, "initializer": "Glorot normal", "skip": "one layer"},
        0.03,
    ),
    "orthogonal tanh 4": ({**TANH, "initializer": "orthogonal", "depth": 10, "width": 4}, 0.01),
}


def per_layer(delta):
    """What each hidden layer multiplies dL/dz by on its way back."""
    return (delta[0] / delta[-2]) ** (1 / (len(delta) - 2))


@pytest.mark.parametrize("name", NARROW)
def test_factor_of_a_median_seed_in_a_narrow_net(name):
    settings, tolerance = NARROW[name]
    asked = experiment(**settings)
    median = np.median(measured(asked), axis=0)
    factor = (median[0] / median[-2]) ** (1 / (asked.depth - 1))
    predicted = per_layer(predict(asked).median_delta)
    print(name, factor / predicted)
    assert factor == pytest.approx(predicted, rel=tolerance)


def test_a_median_seed_sees_far_less_than_the_mean_of_all():
    asked = experiment(depth=20, width=4)
    prediction, delta = predict(asked), measured(asked)
    assert prediction.median_delta[0] < 0.2 * prediction.delta[0]
    assert np.median(delta[:, 0]) < 0.2 * rms(delta)[0]


@pytest.mark.parametrize(
    "settings",
    [
        {"depth": 10, "width": 16, "initializer": "Glorot normal"},
        {**TANH, "depth": 10, "width": 16, "initializer": "He normal"},
        {**TANH, "depth": 8, "width": 16, "initializer": "orthogonal"},
        {"activation": "softplus", "depth": 8, "width": 24, "initializer": "Glorot normal"},
        {"depth": 8, "width": 16, "skip": "one layer", "initializer": "Glorot normal"},
        {**TANH, "depth": 7, "width": 16, "skip": "two layers", "initializer": "Glorot normal"},
        {**RELU, "depth": 4, "width": 32},
        {"activation": "linear", "depth": 4, "width": 32, "initializer": "LeCun"},
    ],
    ids=lambda settings: " ".join(str(value) for value in settings.values()),
)
def test_weight_gradient_on_xor_needs_every_pair_of_samples(settings):
    asked = experiment(**settings)
    ratio = rms(measured(asked, runs=400, measure="weight_gradient")) / predict(asked).weight_gradient
    print(ratio.round(2))
    assert ratio.min() > 0.8 and ratio.max() < 1.2


def test_one_sample_needs_no_pairs():
    # ||dW||^2 = |delta|^2 |h|^2: the identity that the sum over pairs must contain.
    one = Data(np.array([[0.6, -0.8]]), np.array([1.0]))
    asked = Experiment(task=OWN, data=one, depth=3, width=64, activation="ReLU", initializer="He normal")
    prediction = predict(asked)
    # He: |h|^2 / n stays |x|^2 / 2 times 2.
    assert prediction.weight_gradient[1] == pytest.approx(
        prediction.delta[1] * math.sqrt(64) * math.sqrt(1 / 2 * 64), rel=1e-9
    )


# --- laws that hold exactly in the prediction -------------------------------------------------


def test_units_are_those_of_the_loss():
    asked = experiment(task="moons", depth=3, width=16, loss="half squared error")
    mean = predict(asked.but(loss="mean squared error"))
    assert predict(asked).delta == pytest.approx(mean.delta * 32 / 2)


def test_relu_he_keeps_the_gradient_and_a_shortcut_doubles_its_square():
    # He et al. 2015, eq. 14; x + relu(W x): De & Smith 2020. Under tiny signals the gradient does not lean.
    plain = experiment(**RELU, **MOONS, depth=6, width=128)
    assert per_layer(predict(plain).delta) == pytest.approx(1, rel=1e-9)
    skip = predict(plain.but(skip="one layer", depth=3, loss="half squared error"))
    assert per_layer(skip.delta) ** 2 == pytest.approx(2, rel=0.05)


def test_glorot_relu_halves_the_square_and_sigmoid_takes_a_factor_four():
    relu = predict(experiment(**MOONS, depth=6, width=32, activation="ReLU", initializer="LeCun"))
    assert per_layer(relu.delta) ** 2 == pytest.approx(0.5, rel=1e-9)
    sigmoid = predict(experiment(depth=30, width=4, initializer="LeCun"))
    assert per_layer(sigmoid.delta) ** 2 == pytest.approx(0.0557, abs=2e-4)


def test_tanh_at_variance_one_falls_like_a_power_of_depth():
    # The product of chi over L layers is about .71 / L at sigma_w^2 = 1.
    shares = []
    for depth in (25, 50):
        delta = predict(experiment(**TANH, **MOONS, depth=depth, width=128, initializer="LeCun")).delta
        shares.append((delta[0] / delta[-2]) ** 2)
    assert shares[1] / shares[0] == pytest.approx(0.5, abs=0.05)


def test_orthogonal_linear_nets_keep_every_gradient():
    prediction = predict(experiment(activation="linear", initializer="orthogonal", depth=20, width=8))
    assert prediction.delta[0] == pytest.approx(prediction.delta[-2], rel=1e-9)
    assert per_layer(prediction.median_delta) == pytest.approx(1, abs=1e-9)


def test_deep_gradients_far_below_the_smallest_square_are_predicted():
    prediction = predict(experiment(depth=50, width=4, initializer="small normal", gain=0.01))
    assert np.all(prediction.delta > 0)
    assert prediction.delta[0] < 1e-200
    assert per_layer(prediction.delta) == pytest.approx(1e-4 * math.sqrt(4) / 4, rel=1e-3)


def all_dead(asked):
    """In what share of nets dL/dz at the first layer is exactly 0 for all samples."""
    return dead_shares(Recursion.of_pairs(asked, wide_net(asked), subsample(asked.points())))[0]


def test_dead_nets_are_as_many_as_counted():
    asked = experiment(**RELU, depth=11, width=4)
    share = np.mean(measured(asked, runs=500)[:, 0] == 0)
    assert all_dead(asked) == pytest.approx(share, abs=0.07)
    # A single sample dies at least as often as all together: Hanin 2018.
    assert all_dead(asked) < 1 - (1 - 2.0**-4) ** 11
    assert all_dead(asked.but(width=64)) == 0


def test_where_more_than_half_are_dead_the_median_is_zero():
    asked = experiment(**RELU, depth=40, width=4)
    prediction = predict(asked)
    assert all_dead(asked) > 0.5
    assert prediction.median_delta[0] == 0
    assert prediction.delta[0] > 0


def test_where_all_nets_are_dead_the_median_is_zero_and_not_unknown():
    asked = Experiment(activation="ReLU", initializer="He normal", depth=30, width=2)
    prediction = predict(asked)
    assert all_dead(asked) == 1
    assert prediction.median_delta[0] == 0
    assert prediction.median_delta[-1] > 0


# --- where there is nothing to say ------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"initializer": "zeros"}, "zeros"),
        ({"initializer": "constant"}, "constant"),
        ({"initializer": "positive uniform"}, "positive uniform"),
        ({"normalization": "batch"}, "batch"),
        ({"normalization": "batch", "task": "moons", "samples": 512, "width": 64}, "batch"),
        ({"normalization": "layer", "width": LAYER_NORM_WIDTH - 1}, "wide"),
    ],
)
def test_no_prediction_comes_with_its_reason(settings, word):
    prediction = predict(experiment(**settings))
    assert prediction.delta is None
    assert prediction.median_delta is None and prediction.weight_gradient is None
    for reason in (prediction.median_reason, *prediction.reasons.values()):
        assert word in reason


def test_weight_gradients_of_many_samples_have_a_reason_of_their_own():
    prediction = predict(experiment(task="moons"))
    assert prediction.delta is not None and "delta" not in prediction.reasons
    assert prediction.weight_gradient is None and "16 samples" in prediction.reasons["weight_gradient"]


def test_a_saturated_output_has_no_median_seed():
    prediction = predict(experiment(depth=10, width=16, skip="one layer"))
    assert prediction.delta is not None
    assert prediction.median_delta is None and "saturates" in prediction.median_reason


def test_training_settings_do_not_matter_and_answers_are_read_only():
    asked = experiment(depth=3)
    prediction = predict(asked)
    assert predict(asked.but(runs=3, learning_rate=1.0, batch="2", epochs=7, clip="norm")) is prediction
    with pytest.raises(ValueError, match="read-only"):
        prediction.delta[0] = 1


# --- normalization ----------------------------------------------------------------------------


@pytest.mark.parametrize("normalization", ["batch", "layer"])
@pytest.mark.parametrize("name", ["linear", "ReLU", "tanh", "sigmoid"])
def test_normalized_nets_approach_their_limit_factor(name, normalization):
    # Yang et al. 2019, with what they assume: inputs of many dimensions, wide layers, a large batch.
    rng = np.random.default_rng(3)
    data = Data(rng.standard_normal((128, 96)), np.arange(128) % 2 * 1.0)
    asked = Experiment(
        task=OWN, data=data, depth=6, width=128, activation=name, initializer="LeCun", normalization=normalization
    )
    # From the second layer on: the first sees the inputs, whose size the weights do not set.
    delta = rms(measured(asked, runs=8))
    factor = (delta[1] / delta[-2]) ** (1 / 4)
    print(name, normalization, factor / limit_factor(asked))
    assert factor == pytest.approx(limit_factor(asked), rel=0.04)


def test_batch_normalized_relu_explodes():
    # 50 layers: the first gradient is about 9e3 times the last.
    asked = experiment(**RELU, depth=50, width=64, normalization="batch")
    assert limit_factor(asked) ** 48 == pytest.approx(9e3, rel=0.15)
    delta = rms(measured(asked.but(task="moons", samples=128), runs=4))
    assert 2e3 < delta[2] / delta[-2] < 5e4
