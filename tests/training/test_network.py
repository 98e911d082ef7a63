"""The two passes against central differences, against a plain trainer, and against laws."""

import functools
import itertools

import numpy as np
import pytest
from textbook import Parameters, apply, parameters, random_theta, real, run_pass

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.experiment import SKIPS, Experiment
from explorer.choices.initializers import INITIALIZERS
from explorer.choices.losses import LOSSES
from explorer.choices.normalizations import EPSILON, MOMENTUM, NORMALIZATIONS
from explorer.training.network import STACKED_LIMIT, Architecture, Network, Running, draw_parameters
from tests.work import every_two

SAMPLES, INPUTS, WIDTH, DEPTH = 6, 2, 4, 5
GOOD = 1e-6  # relative error of a gradient against central differences
TASKS = {"classes": "moons", "regression": "curve"}
LOSS_CASES = [
    f"{loss}, {kind}" for loss, entry in LOSSES.items() for kind in TASKS if entry.regression or kind == "classes"
]

each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)
each_normalization = pytest.mark.parametrize("normalization", NORMALIZATIONS)
each_skip = pytest.mark.parametrize("skip", SKIPS)


def experiment(**settings):
    return Experiment(**{"task": "moons", "depth": DEPTH, "width": WIDTH, **settings})


def convolutions(**settings):
    return experiment(**{"task": "signal XOR", "layer": "convolution", "width": 3, **settings})


def shape_of(e, inputs=INPUTS, places=None):
    return Architecture(
        inputs=inputs,
        width=e.width,
        depth=e.depth,
        activation=e.activation_function,
        normalization=e.normalizer,
        skip=SKIPS[e.skip],
        biases=e.bias != "none",
        taps=e.layer_kind.taps,
        places=places or e.places,
    )


class Bench:
    """A network with random parameters, inputs, targets and, where it has them, random slopes."""

    def __init__(self, e, runs=1, seed=0, samples=SAMPLES, inputs=INPUTS, size=None, places=None, **options):
        rng = np.random.default_rng([seed, runs])
        self.e, self.shape = e, shape_of(e, inputs, places)
        # Shortcuts add up: smaller weights keep the output unit where its slope is not lost in rounding.
        self.theta = random_theta(self.shape, runs, rng, size or (0.7 if self.shape.skip else 1.5))
        self.x = rng.normal(size=(runs, inputs * self.shape.places, samples))
        self.y = rng.normal(size=(1, samples)) if e.dataset.regression else np.arange(samples)[None] % 2 * 1.0
        self.network = Network(self.shape, self.theta, samples, **options)
        self.network.x[:] = self.x
        if self.network.random is not None:
            self.network.random[:] = rng.uniform(*e.activation_function.random_slope, self.network.random.shape)

    def forward(self, theta=None):
        if theta is not None:
            self.theta[:] = theta
        self.network.forward()
        return self.network

    def loss(self, theta=None):
        return self.e.loss_function.value(self.forward(theta).z_out, self.y, self.e.output)

    def gradient(self):
        network = self.forward()
        self.e.loss_function.delta(network.z_out, self.y, self.e.output, network.delta_out)
        network.backward()
        return network.gradient.copy()


def has_kink(activation):
    slopes = activation.df(np.array([-1e-9, 1e-9]), np.empty(2))
    return abs(slopes[1] - slopes[0]) > 1e-3


def slopes_along(bench, direction):
    """Fourth-order central differences of every run's loss, for ever smaller steps; kinks within reach are left out."""
    base, kinked = bench.theta.copy(), has_kink(bench.e.activation_function)
    bench.forward()
    signs = np.sign(bench.network.n)
    for h in (2e-3, 3e-4, 5e-5, 8e-6, 1.3e-6):  # a layer that is normalized over units nearly alike bends within 1e-5
        values, crossed = {}, False
        for k in (-2, -1, 1, 2):
            values[k] = bench.loss(base + k * h * direction)
            crossed = crossed or (kinked and not np.array_equal(np.sign(bench.network.n), signs))
        bench.theta[:] = base
        if not crossed:
            yield (8 * (values[1] - values[-1]) - (values[2] - values[-2])) / (12 * h)


def worst_gradient_error(e, runs, *, seeds=range(40), **options):
    """Relative error along a direction in each layer's parameters, and in all, at the first seed away from kinks.

    Of the step sizes the first that is good enough counts, or the best: large ones are bent, small ones are rounded.
    """
    for seed in seeds:
        bench = Bench(e, runs, seed, **options)
        gradient, rng = bench.gradient(), np.random.default_rng(seed + 1000)
        errors = []
        for layers in (*range(e.layers), slice(None)):
            part = np.zeros_like(gradient)
            part[layers] = 1.0
            noise = rng.normal(size=gradient.shape) * part * real(bench.shape)
            # Half of the direction uphill, lest chance make the slope vanish.
            direction = unit(noise) + unit(gradient * part)
            analytic = (gradient * direction).sum(axis=(0, 2, 3))
            found = []
            for numeric in slopes_along(bench, direction):
                found.append(np.abs(analytic / numeric - 1).max())
                if found[-1] < GOOD:
                    break
            if not found:
                break
            errors.append(min(found))
        else:
            return max(errors)
    raise AssertionError("no seed was away from the kinks")


def unit(stack):
    return stack / np.sqrt((stack**2).sum(axis=(0, 2, 3), keepdims=True))


@every_two(activation=ACTIVATIONS, normalization=NORMALIZATIONS, skip=SKIPS, case=LOSS_CASES)
def test_the_gradient_is_the_slope_of_the_loss(activation, normalization, skip, case):
    loss, kind = case.split(", ")
    e = experiment(activation=activation, normalization=normalization, skip=skip, loss=loss, task=TASKS[kind])
    for runs in (1, 3):
        assert worst_gradient_error(e, runs) < GOOD


@every_two(normalization=NORMALIZATIONS, skip=SKIPS, depth=[1, 2, 3, 4], bias=["usual", "none"])
def test_the_gradient_is_the_slope_of_the_loss_at_any_depth(normalization, skip, depth, bias):
    e = experiment(activation="tanh", normalization=normalization, skip=skip, depth=depth, bias=bias)
    assert worst_gradient_error(e, 2) < GOOD


@every_two(activation=ACTIVATIONS, normalization=NORMALIZATIONS, skip=SKIPS, inputs=[1, 2], bias=["usual", "none"])
def test_the_gradient_of_convolutions_is_the_slope_of_the_loss(activation, normalization, skip, inputs, bias):
    e = convolutions(activation=activation, normalization=normalization, skip=skip, bias=bias)
    for runs in (1, 3):
        assert worst_gradient_error(e, runs, inputs=inputs, samples=3, places=5) < GOOD


@pytest.mark.parametrize("inputs", [1, 3, 4, 7])
@each_normalization
def test_the_gradient_is_right_for_any_number_of_inputs(normalization, inputs):
    assert worst_gradient_error(experiment(activation="GELU", normalization=normalization), 2, inputs=inputs) < GOOD


@every_two(activation=ACTIVATIONS, normalization=NORMALIZATIONS, skip=SKIPS, runs=[1, 3])
def test_keeping_what_comes_back_changes_no_number(activation, normalization, skip, runs):
    e = experiment(activation=activation, normalization=normalization, skip=skip)
    kept, dropped = Bench(e, runs, keep=True), Bench(e, runs, keep=False)
    assert np.array_equal(kept.gradient(), dropped.gradient())
    assert np.array_equal(kept.network.delta, dropped.network.delta)
    assert np.array_equal(kept.network.h, dropped.network.h)


@every_two(activation=ACTIVATIONS, normalization=NORMALIZATIONS, skip=SKIPS)
def test_slopes_layer_by_layer_or_all_at_once_give_the_same(activation, normalization, skip, monkeypatch):
    e = experiment(activation=activation, normalization=normalization, skip=skip)
    at_once = Bench(e, 2)
    monkeypatch.setattr("explorer.training.network.STACKED_LIMIT", 0)
    by_layer = Bench(e, 2)
    assert at_once.network._slopes_at_once
    assert not by_layer.network._slopes_at_once
    np.testing.assert_allclose(by_layer.gradient(), at_once.gradient(), rtol=1e-13, atol=1e-17)


@pytest.mark.parametrize("keep", [False, True])
@every_two(activation=[*filter(lambda name: ACTIVATIONS[name].both, ACTIVATIONS)], normalization=NORMALIZATIONS)
def test_slopes_that_come_with_the_values_give_the_same(activation, normalization, keep, monkeypatch):
    e = experiment(activation=activation, normalization=normalization)
    apart = Bench(e, 2, keep=keep)
    monkeypatch.setattr("explorer.training.network.BOTH_FROM", 0)
    together = Bench(e, 2, keep=keep)
    assert apart.network._both is None
    assert together.network._both is e.activation_function.both
    np.testing.assert_allclose(together.gradient(), apart.gradient(), rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(together.network.slope, apart.network.slope[-len(together.network.slope) :], rtol=1e-11)


def test_a_net_beyond_the_limit_has_the_right_gradient():
    e = experiment(activation="tanh", depth=3, width=64, skip="one layer", normalization="layer")
    samples = STACKED_LIMIT // (3 * 64) + 1
    assert not Bench(e, samples=samples).network._slopes_at_once
    assert worst_gradient_error(e, 1, samples=samples, seeds=[0]) < GOOD


@every_two(activation=ACTIVATIONS, normalization=NORMALIZATIONS, skip=SKIPS, bias=["usual", "none"])
def test_both_passes_are_those_of_a_plain_trainer(activation, normalization, skip, bias):
    e = experiment(activation=activation, normalization=normalization, skip=skip, bias=bias)
    bench = Bench(e, 3, keep=True)
    gradient, network = bench.gradient(), bench.network
    for run in range(3):
        slopes = None if network.random is None else [s.T for s in network.random[:, run]]
        plain = run_pass(e, parameters(bench.shape, bench.theta, run), bench.x[run].T, bench.y[0], slopes)
        for layer in range(e.layers):
            fan_in, fan_out = bench.shape.fan(layer)
            close(network.delta[layer, run, :fan_out].T, plain.delta[layer])
            close(gradient[layer, run, :fan_in, :fan_out], plain.dW[layer])
            close(gradient[layer, run, WIDTH, :fan_out], plain.db[layer])
            if layer < e.depth:
                close(network.h[layer + 1, run, :WIDTH].T, plain.h[layer])
                close(network.n[layer, run].T, plain.n[layer])
                close(network.through_weights[layer, run].T, plain.through_weights[layer])
                close(network.through_skip[layer, run].T, plain.through_skip[layer])
                close(network.through_slope[layer, run].T, plain.through_slope[layer])
            if layer < e.depth and bench.shape.normalized:
                close(gradient[layer, run, WIDTH + 1], plain.dscale[layer])
                close(gradient[layer, run, WIDTH + 2], plain.dshift[layer])
        close(network.z_out[run].T, plain.z[-1])


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-13 * (1 + np.abs(expected).max()))


@each_skip
@each_normalization
def test_padding_has_no_gradient_at_all(normalization, skip):
    for bias in ("usual", "none"):
        bench = Bench(experiment(normalization=normalization, skip=skip, bias=bias), 2)
        padding = ~np.broadcast_to(real(bench.shape), bench.theta.shape)
        assert padding.any()
        assert not bench.gradient()[padding].any()


@each_skip
@each_normalization
def test_every_parameter_has_a_gradient(normalization, skip):
    bench = Bench(experiment(normalization=normalization, skip=skip, activation="tanh"), 2)
    assert (bench.gradient()[np.broadcast_to(real(bench.shape), bench.theta.shape)] != 0).all()


@each_skip
@each_normalization
@pytest.mark.parametrize("bias", ["usual", "zeros", "none"])
def test_parameters_are_counted_as_they_are_drawn(normalization, skip, bias):
    shape = shape_of(experiment(normalization=normalization, skip=skip, bias=bias))
    for layer in range(shape.layers):
        assert shape.parameters(layer) == real(shape)[layer].sum()


# --- shortcuts --------------------------------------------------------------------------------


def test_shortcuts_join_equal_widths_only():
    one, two = (shape_of(experiment(skip=skip, depth=6)) for skip in ("one layer", "two layers"))
    assert [one.shortcut_source(layer) for layer in range(6)] == [None, 1, 2, 3, 4, 5]
    assert [two.shortcut_source(layer) for layer in range(6)] == [None, None, 1, None, 3, None]


@pytest.mark.parametrize(("skip", "ends"), [("one layer", {1, 2, 3, 4}), ("two layers", {2, 4})])
def test_a_layer_of_zeros_hands_on_its_shortcut(skip, ends):
    bench = Bench(experiment(skip=skip, activation="tanh", bias="none"), 2)
    bench.theta[1:-1] = 0.0
    network = bench.forward()
    for layer in ends:
        assert np.array_equal(network.h[layer + 1], network.h[bench.shape.shortcut_source(layer)])
    assert network.h[1].any()


@pytest.mark.parametrize("skip", ["one layer", "two layers"])
def test_a_shortcut_brings_the_gradient_past_layers_of_zeros(skip):
    bench = Bench(experiment(skip=skip, activation="tanh", bias="none", depth=5), keep=True)
    bench.theta[1:-1] = 0.0
    bench.gradient()
    last = bench.network.through_skip[-1]
    assert last.any()
    assert np.array_equal(bench.network.through_skip[0], last)


# --- laws -------------------------------------------------------------------------------------

HOMOGENEOUS = ("ReLU", "leaky ReLU", "randomized ReLU", "linear")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("depth", [2, 11, 30])
@pytest.mark.parametrize("activation", HOMOGENEOUS)
def test_weights_times_their_gradient_is_one_number_for_all_layers(activation, depth, seed):
    e = experiment(activation=activation, depth=depth, width=32, bias="none")
    bench = Bench(e, 3, seed, samples=20, size=ACTIVATIONS[activation].he_gain)
    products = (bench.theta * bench.gradient()).sum(axis=(2, 3))
    spread = np.ptp(products, axis=0) / np.abs(products).max(axis=0)
    assert (np.abs(products) > 1e-9).all()
    assert spread.max() < 1e-12


def test_that_law_needs_the_absence_of_biases():
    bench = Bench(experiment(activation="ReLU", depth=5, width=16), 1, samples=20)
    weights = bench.theta[:, :, :16] * bench.gradient()[:, :, :16]
    products = weights.sum(axis=(2, 3))
    assert np.ptp(products) > 1e-3 * np.abs(products).max()


@pytest.mark.parametrize("activation", ["ReLU", "leaky ReLU", "linear"])
def test_a_bias_free_rectifier_scales_with_its_input(activation):
    bench = Bench(experiment(activation=activation, bias="none"))
    before = bench.forward().z_out.copy()
    bench.network.x[:] *= 4.0
    assert np.array_equal(bench.forward().z_out, 4.0 * before)


@each_normalization
def test_normalization_forgets_the_scale_of_the_weights(normalization):
    bench = Bench(experiment(normalization=normalization, activation="tanh", bias="none"), samples=30)
    before = bench.forward().z_out.copy()
    bench.theta[:-1, :, :WIDTH] *= 1e4
    change = np.abs(bench.forward().z_out / before - 1).max()
    assert (change < 1e-2) == (normalization != "none")


@each_normalization
@each_activation
def test_samples_do_not_see_each_other_except_under_batch_normalization(normalization, activation):
    bench = Bench(experiment(normalization=normalization, activation=activation))
    before = bench.forward().z_out[..., :-1].copy()
    bench.network.x[..., -1] += 1.0
    unchanged = np.allclose(bench.forward().z_out[..., :-1], before, rtol=1e-13, atol=1e-14)
    assert unchanged != NORMALIZATIONS[normalization].uses_batch


def test_zero_weights_leave_no_gradient_behind_the_output():
    for activation in ACTIVATIONS:
        bench = Bench(experiment(activation=activation), 2)
        bench.theta[:] = 0.0
        bench.gradient()
        assert not bench.network.delta[:-1].any()
        assert bench.network.delta_out.any()


# --- running statistics -----------------------------------------------------------------------


def test_running_statistics_follow_the_batches_by_a_tenth():
    e = experiment(normalization="batch", activation="tanh")
    shape = shape_of(e)
    running = Running(shape, 2)
    bench = Bench(e, 2, running=running)
    bench.forward()
    z = np.matmul(bench.theta[0, :, :INPUTS].swapaxes(1, 2), bench.x)
    np.testing.assert_allclose(running.mean[0, ..., 0], MOMENTUM * z.mean(-1), rtol=1e-12)
    np.testing.assert_allclose(running.variance[0, ..., 0], 0.9 + 0.1 * z.var(-1, ddof=1), rtol=1e-12)


def test_answers_use_the_running_statistics_and_leave_them():
    e = experiment(normalization="batch", activation="tanh", depth=1)
    shape, rng = shape_of(e), np.random.default_rng(3)
    running = Running(shape, 2)
    running.mean[:], running.variance[:] = rng.normal(size=running.mean.shape), rng.uniform(0.5, 2, running.mean.shape)
    mean, variance = running.mean.copy(), running.variance.copy()
    bench = Bench(e, 2, running=running, answering=True)
    network = bench.forward()
    assert np.array_equal(running.mean, mean)
    assert np.array_equal(running.variance, variance)
    z = np.matmul(bench.theta[0, :, :INPUTS].swapaxes(1, 2), bench.x)
    hat = (z - mean[0]) / np.sqrt(variance[0] + EPSILON)
    n = bench.theta[0, :, WIDTH + 1, :, None] * hat + bench.theta[0, :, WIDTH + 2, :, None]
    np.testing.assert_allclose(network.h[1, :, :WIDTH], np.tanh(n), rtol=1e-12)


def test_after_many_batches_alike_answering_equals_training():
    e = experiment(normalization="batch", activation="tanh")
    running = Running(shape_of(e), 1)
    bench = Bench(e, running=running, samples=400)
    for _ in range(400):
        bench.forward()
    answering = Network(bench.shape, bench.theta, 400, running=running, answering=True)
    answering.x[:] = bench.x
    answering.forward()
    # Unbiased against biased variance: 1 in 400.
    np.testing.assert_allclose(answering.z_out, bench.network.z_out, rtol=0.02, atol=0.01)


def test_answers_of_randomized_relu_use_the_mean_slope():
    e = experiment(activation="randomized ReLU")
    bench = Bench(e, answering=True)
    assert bench.network.random is None
    z = bench.forward().z[0]
    assert np.array_equal(bench.network.h[1, :, :WIDTH], apply(e.activation_function, z))


# --- the start --------------------------------------------------------------------------------


@pytest.mark.parametrize(("initializer", "bias"), list(itertools.product(INITIALIZERS, ("usual", "zeros", "none"))))
def test_a_start_holds_the_draws_and_nothing_else(initializer, bias):
    e = experiment(initializer=initializer, bias=bias, gain=3.0, normalization="layer", activation="tanh")
    shape, entry = shape_of(e), INITIALIZERS[initializer]
    theta = draw_parameters(shape, [e], [np.random.default_rng(5)])[:, 0]
    rng = np.random.default_rng(5)
    for layer in range(shape.layers):
        fan = shape.fan(layer)
        assert np.array_equal(theta[layer, : fan[0], : fan[1]], 3.0 * entry.draw(rng, *fan, shape.activation))
        drawn = entry.draws_bias and bias == "usual"
        # Biases are drawn like one more row of W; the gain is for weights alone.
        expected = entry.draw(rng, *fan, shape.activation)[0] if drawn else np.zeros(fan[1])
        assert np.array_equal(theta[layer, WIDTH, : fan[1]], expected)
    assert (theta[:-1, WIDTH + 1] == 1).all()
    assert not theta[:-1, WIDTH + 2].any()
    assert not theta[~real(shape)[:, 0]].any()


def test_a_start_does_not_depend_on_the_other_seeds():
    shape = shape_of(experiment())
    rngs = [np.random.default_rng(seed) for seed in (1, 2, 3)]
    together = draw_parameters(shape, [Experiment(initializer="normal")] * len(rngs), rngs)
    alone = draw_parameters(shape, [Experiment(initializer="normal")], [np.random.default_rng(2)])
    assert np.array_equal(together[:, 1:2], alone)


def test_units_that_there_are_fewer_of_than_inputs_see_all_of_them():
    bench = Bench(experiment(width=2, depth=3), inputs=5)
    expected = run_pass(bench.e, parameters(bench.shape, bench.theta, 0), bench.x[0].T, bench.y[0])
    np.testing.assert_allclose(bench.forward().z_out[0, 0], expected.z[-1][:, 0], rtol=1e-12)


# --- convolutions -----------------------------------------------------------------------------


def banded(W, places):
    """The dense W, by place and channel, of a convolution's: zero but between places that see each other."""
    rows, units = W.shape
    channels, dense = rows // 3, np.zeros((places, rows // 3, places, units))
    for number, tap in enumerate((0, -1, 1)):
        for place in range(max(-tap, 0), places - max(tap, 0)):
            dense[place + tap, :, place] = W[number * channels : (number + 1) * channels]
    return dense.reshape(places * channels, places * units)


@each_skip
@pytest.mark.parametrize("activation", ["tanh", "ReLU", "GELU"])
@pytest.mark.parametrize("inputs", [1, 2, 5])
def test_a_convolution_is_a_dense_net_of_banded_weights(activation, skip, inputs):
    places, samples = 7, 4
    bench = Bench(convolutions(activation=activation, skip=skip), inputs=inputs, samples=samples, places=places)
    bench.gradient()
    network, own = bench.network, parameters(bench.shape, bench.theta, 0)
    dense = [Parameters(banded(p.W, places), np.tile(p.b, places)) for p in own[:-1]]
    dense.append(Parameters(np.tile(own[-1].W, (places, 1)) / places, own[-1].b))
    x = bench.x[0].reshape(inputs, places, samples).transpose(2, 1, 0).reshape(samples, -1)
    expected = run_pass(bench.e, dense, x, bench.y[0])

    def by_place(values):  # (units, places * samples) to (samples, places * units)
        return values.reshape(len(values), places, samples).transpose(2, 1, 0).reshape(samples, -1)

    alike = functools.partial(np.testing.assert_allclose, rtol=1e-11, atol=1e-15)
    alike(network.z_out[0].T, expected.z[-1])
    for layer in range(bench.shape.depth):
        fan_in, units = bench.shape.fan(layer)
        alike(by_place(network.z[layer, 0]), expected.z[layer])
        alike(by_place(network.delta[layer, 0]), expected.delta[layer])
        # What the band holds many times has the sum of their gradients; a place beyond the ends has none.
        places_of = [banded(each.reshape(fan_in, units), places) for each in np.eye(fan_in * units)]
        summed = [(entries * expected.dW[layer]).sum() for entries in places_of]
        alike(network.gradient[layer, 0, :fan_in, :units].ravel(), summed, atol=1e-13)
        alike(
            network.gradient[layer, 0, bench.shape.weight_rows, :units], expected.db[layer].reshape(places, -1).sum(0)
        )


def test_what_a_convolution_pads_stays_zero():
    bench = Bench(convolutions(normalization="layer", skip="one layer"), places=4, samples=3, inputs=5)
    assert np.all(bench.gradient()[~np.broadcast_to(real(bench.shape), bench.theta.shape)] == 0)


def test_a_convolution_answers_alike_wherever_its_signal_stands():
    """But for the ends, which only as many places feel as there are layers."""
    bench = Bench(convolutions(activation="tanh", depth=3), places=20, samples=1, inputs=1)
    around = []
    for start in (6, 7, 9):
        bench.network.x[:] = 0
        bench.network.x[0, start : start + 3, 0] = 1.0, -2.0, 0.5
        around.append(bench.forward().z[bench.shape.depth - 1, 0, :, start - 2 : start + 5].copy())
    np.testing.assert_allclose(around[1], around[0], rtol=1e-12)
    np.testing.assert_allclose(around[2], around[0], rtol=1e-12)
