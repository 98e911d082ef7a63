"""Published numbers, measured again with the engine's own passes.

Widths and seeds are as small as the bands allow. Where a paper's width is not
used, the quantity does not depend on it in expectation; the test says so.
"""

import math

import numpy as np
import pytest

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.experiment import Experiment
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.training.network import Architecture, Network, draw_parameters
from tests.work import few


def signals(
    activation, initializer, depth, width, samples, *, runs=1, seed=0, normalization="none", skip=0, backward=True,
    inputs=None,
):  # fmt: skip
    """A bias-free net after both passes, on inputs N(0, 1) and with dL/dz of the output N(0, 1)."""
    shape = Architecture(
        inputs=width,
        width=width,
        depth=depth,
        activation=ACTIVATIONS[activation],
        normalization=NORMALIZATIONS[normalization],
        skip=skip,
        biases=False,
    )
    rngs = [np.random.default_rng([seed, run]) for run in range(runs)]
    theta = draw_parameters(shape, [Experiment(initializer=initializer, bias="zeros")] * len(rngs), rngs)
    network = Network(shape, theta, samples, keep=True)
    network.x[:] = np.stack([rng.normal(size=(width, samples)) for rng in rngs]) if inputs is None else inputs
    with np.errstate(all="ignore"):
        network.forward()
        if backward:
            network.delta_out[:] = np.stack([rng.normal(size=(1, samples)) for rng in rngs])
            network.backward()
    return network


def mean_square_delta(network):
    """(depth, runs): of the hidden layers."""
    return (network.delta[:-1] ** 2).mean(axis=(2, 3))


def factor(network, first=2):
    """By what each layer multiplies the mean squared delta, the layers next to input and output left out."""
    d = mean_square_delta(network).mean(axis=1)
    return (d[first] / d[-2]) ** (1 / (len(d) - 2 - first))


# --- CS231n, lecture 6: 1000 x 500 inputs, 10 layers of 500 -----------------------------------


def activation_std(activation, initializer, seed=0):
    network = signals(activation, initializer, 10, 500, 1000, seed=seed, backward=False)
    return network.h[1:, 0, :-1].std(axis=(1, 2))


def test_cs231n_small_weights_make_tanh_die_out():
    published = [0.213, 0.0476, 0.0106, 0.00238, 0.000532, 0.000119, 0.000026, 0.000006, 0.000001]
    measured = activation_std("tanh", "small normal")
    np.testing.assert_allclose(measured[:6], published[:6], rtol=0.03)
    np.testing.assert_allclose(measured[:9], published, rtol=0.03, atol=6e-7)  # as many digits as were printed
    assert round(measured[9], 6) == 0


def test_cs231n_xavier_keeps_tanh_going():
    measured = activation_std("tanh", "LeCun")
    assert measured[0] == pytest.approx(0.627, rel=0.01)
    assert measured[9] == pytest.approx(0.23, rel=0.05)


def test_cs231n_he_keeps_relu_going():
    published = [0.825, 0.828, 0.814, 0.827, 0.834, 0.860, 0.871, 0.889, 0.845, 0.845]
    measured = np.array([activation_std("ReLU", "He normal", seed) for seed in range(3)])
    np.testing.assert_allclose(measured[:, 0], published[0], rtol=0.01)
    # One run's later layers wander: .69 to .93 over five seeds at layer 10.
    np.testing.assert_allclose(measured.mean(axis=0), published, rtol=0.15)


def test_cs231n_xavier_is_too_small_for_relu():
    measured = np.array([activation_std("ReLU", "LeCun", seed) for seed in range(3)])
    np.testing.assert_allclose(measured[:, 0], 0.582, rtol=0.01)
    assert 0.021 < measured[:, 9].mean() < 0.032


def test_cs231n_large_weights_saturate_tanh():
    network = signals("tanh", "normal", 10, 500, 1000, backward=False)
    np.testing.assert_allclose(network.h[1:, 0, :-1].std(axis=(1, 2)), 0.982, atol=0.001)
    np.testing.assert_allclose((np.abs(network.a[:, 0]) > 0.97).mean(axis=(1, 2)), 0.92, atol=0.01)


# --- Glorot & Bengio 2010, section 4.2.1 ------------------------------------------------------


def mean_singular_value(initializer, inputs):
    """Of dz_{l+1}/dz_l of five tanh layers, over layers and samples.

    Width 200 for the paper's 1000: the singular values of sqrt(n) W follow a law that does not depend on n.
    """
    network = signals("tanh", initializer, 5, 200, 20, backward=False, inputs=inputs)
    return np.mean(
        [
            np.linalg.svd(network.theta[layer + 1, 0, :200].T * slope, compute_uv=False).mean()
            for layer in range(4)
            for slope in 1 - network.a[layer, 0].T ** 2
        ]
    )


EACH_OF_GLOROT = pytest.mark.parametrize(
    ("initializer", "published", "limit"),
    [("Glorot uniform", 0.8, 8 / (3 * math.pi)), ("fan-in uniform", 0.5, 8 / (3 * math.pi) / math.sqrt(3))],
)


@EACH_OF_GLOROT
def test_glorot_mean_singular_value_of_a_layers_jacobian(initializer, published, limit):
    # The value depends on the inputs' variance, and 1/12 is our choice (grey values from 0 to 1 about their mean):
    # tanh is flatter for larger inputs. The limit for small ones is the mean of the quarter-circle law.
    inputs = np.random.default_rng(1).uniform(-0.5, 0.5, size=(1, 200, 20))
    assert mean_singular_value(initializer, inputs) == pytest.approx(published, abs=0.05)
    assert mean_singular_value(initializer, 1e-3 * inputs) == pytest.approx(limit, rel=0.01)


# --- He et al. 2015, section 2.2 --------------------------------------------------------------


@pytest.mark.parametrize(("layers", "published"), [(22, 9.7e-4), pytest.param(30, 6.3e-5, marks=pytest.mark.long)])
def test_he_glorot_starves_deep_rectifiers_and_he_does_not(layers, published):
    # delta_2 / delta_L of L hidden layers. Its expected square does not depend on the width, its spread does:
    # sd of ln = sqrt(5 L / n), so 150 seeds of width 128 know the ratio to about 4 %.
    for initializer, expected in (("Glorot normal", published), ("He normal", 1.0)):
        squares = [mean_square_delta(signals("ReLU", initializer, layers, 128, 2, seed=seed)) for seed in range(150)]
        ratios = [d[1, 0] / d[-1, 0] for d in squares]
        assert math.sqrt(np.mean(ratios)) == pytest.approx(expected, rel=0.15)


# --- Normalization at initialization, no skip: Yang et al. 2019; layer norm as in tests/limits.py ---

BATCH_NORM = {"linear": 1.008, "ReLU": 1.476, "tanh": 1.186, "sigmoid": 1.046}
LAYER_NORM = {"linear": 1.012, "ReLU": 0.996, "tanh": 1.175, "sigmoid": 0.1518}


@pytest.mark.parametrize("activation", few(BATCH_NORM, ["ReLU", "tanh"]))
def test_batch_norm_multiplies_the_squared_gradient_by(activation):
    # Batches of 128 as measured; width 256 for 512, several seeds.
    network = signals(activation, "LeCun", 14, 256, 128, runs=6, normalization="batch")
    assert factor(network) == pytest.approx(BATCH_NORM[activation], rel=0.04)


@pytest.mark.parametrize("activation", few(LAYER_NORM, ["ReLU", "sigmoid"]))
def test_layer_norm_multiplies_the_squared_gradient_by(activation):
    network = signals(activation, "LeCun", 14, 256, 16, runs=16, normalization="layer")
    assert factor(network) == pytest.approx(LAYER_NORM[activation], rel=0.04)


# --- five facts -------------------------------------------------------------------------------


def test_the_weights_gradient_alone_hides_vanishing():
    network = signals("ReLU", "Glorot normal", 20, 128, 32, runs=20)
    d = np.sqrt(mean_square_delta(network))
    weights = np.sqrt((network.gradient[:-1, :, :128] ** 2).sum(axis=(2, 3)))
    assert 0.9e-3 < np.median(d[0] / d[-1]) < 2.2e-3
    assert 0.8 < np.median(weights[0] / weights[-1]) < 1.6


def test_the_typical_net_has_less_gradient_than_the_mean():
    # <ln ratio> = -(5/2) sum 1/n and sd = sqrt(5 sum 1/n), over the 19 steps between 20 He ReLU layers (Hanin 2018).
    steps = 19 / 64
    squares = [mean_square_delta(signals("ReLU", "He normal", 20, 64, 1, runs=50, seed=seed)) for seed in range(20)]
    logs = np.log(np.concatenate([d[0] / d[-1] for d in squares]))
    assert logs.mean() == pytest.approx(-2.5 * steps, abs=4 * logs.std() / math.sqrt(1000))
    assert logs.std() == pytest.approx(math.sqrt(5 * steps), rel=0.1)
    assert np.exp(logs).mean() == pytest.approx(1, abs=4 * np.exp(logs).std() / math.sqrt(1000))


def test_layer_norm_does_not_rescue_sigmoid_and_batch_norm_does():
    rescued, not_rescued = (
        factor(signals("sigmoid", "LeCun", 12, 64, 64, runs=8, normalization=name)) for name in ("batch", "layer")
    )
    assert rescued > 0.9
    assert not_rescued < 0.2


@pytest.mark.parametrize(("activation", "forward", "backward"), [("ReLU", 2.9, 2.0)])
def test_a_residual_net_is_not_safe_by_itself(activation, forward, backward):
    network = signals(activation, "He normal", 12, 256, 8, runs=8, skip=1)
    d, h = (network.through_skip**2).mean(axis=(1, 2, 3)), (network.h[1:, :, :-1] ** 2).mean(axis=(1, 2, 3))
    assert (d[1] / d[-1]) ** (1 / 10) == pytest.approx(backward, rel=0.06)
    assert (h[-1] / h[1]) ** (1 / 10) == pytest.approx(forward, rel=0.06)


def test_norm_clipping_leaves_a_vanishing_ratio_as_it_is():
    network = signals("sigmoid", "LeCun", 10, 16, 8)
    layer = lambda: np.sqrt((network.gradient**2).sum(axis=(1, 2, 3)))  # noqa: E731
    before = layer()
    norm = np.array([math.sqrt((before**2).sum())])
    factor = CLIPPERS["norm"].clip(network.gradient, norm, 1e-3 * norm[0])
    assert factor[0] < 0.0011
    assert before[0] / before[-1] < 1e-4
    assert layer()[0] / layer()[-1] == pytest.approx(before[0] / before[-1], rel=1e-12)


# --- what tutorials get wrong -----------------------------------------------------------------


def test_small_weights_do_not_sit_where_sigmoid_is_flat():
    small, large = (signals("sigmoid", name, 10, 64, 16, runs=40) for name in ("small normal", "normal"))
    assert small.slope.mean() == pytest.approx(0.2499, abs=1e-4)
    assert factor(small) == pytest.approx(3.9e-4, rel=0.05)
    assert factor(large) == pytest.approx(0.739, rel=0.15)


def test_saturation_caps_an_explosion():
    linear, tanh = (signals(name, "normal", 10, 64, 16, runs=40) for name in ("linear", "tanh"))
    assert factor(linear) == pytest.approx(64, rel=0.15)
    assert factor(tanh) == pytest.approx(4.4, rel=0.1)
    assert (np.abs(tanh.a) >= 0.97).mean() == pytest.approx(0.78, abs=0.02)


def test_xavier_does_not_fix_sigmoid():
    assert factor(signals("sigmoid", "Glorot normal", 10, 128, 16, runs=20)) == pytest.approx(0.0557, rel=0.05)


def test_relu_with_standard_normal_weights_grows_by_half_the_width_a_layer():
    network = signals("ReLU", "normal", 10, 64, 16, runs=40, backward=False)
    length = math.sqrt((network.h[-1, :, :-1] ** 2).sum(axis=1).mean())
    assert length == pytest.approx(math.sqrt(64) * 32**5, rel=0.25)  # published: 2.8e8


def test_narrow_he_nets_often_have_no_gradient_at_all():
    network = signals("ReLU", "He normal", 30, 4, 1, runs=3000)
    share = (network.gradient[0] == 0).all(axis=(1, 2)).mean()
    law = 1 - (1 - 2**-4) ** 30
    assert law == pytest.approx(0.865, abs=0.01)
    assert share == pytest.approx(law, abs=4 * math.sqrt(law * (1 - law) / 3000))


def test_batch_norm_makes_fifty_relu_layers_explode():
    d = np.sqrt(mean_square_delta(signals("ReLU", "He normal", 50, 256, 128, normalization="batch", runs=2)))
    assert ((d[0] / d[-1] > 4e3) & (d[0] / d[-1] < 2e4)).all()  # published: 9e3


def test_tanh_with_standard_normal_weights_explodes():
    # The clipping example's net: gradients of the first layer hundreds to thousands of times the last's.
    network = signals("tanh", "normal", 10, 64, 32, runs=20)
    weights = np.sqrt((network.gradient[:-1, :, :64] ** 2).sum(axis=(2, 3)))
    assert 300 < np.median(weights[0] / weights[-1]) < 5000
