"""Every measure against a plain recomputation from a plain trainer's two passes."""

from itertools import pairwise

import numpy as np
import pytest
from textbook import apply, parameters, run_pass

from explorer import Experiment, train
from explorer.choices.activations import ACTIVATIONS
from explorer.choices.experiment import SKIPS
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.training.measures import DIAGNOSTICS, root_sum_square
from explorer.training.run import Training
from tests.work import every_two

# Inside `advance` overflow is a finding, not an error; tests that go around it must not be noisy either.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def rms(values):
    return np.sqrt((values**2).mean())


def saturated(p, e, k):
    bounds = e.activation_function.saturation
    if bounds is None or k == e.depth:
        return np.nan
    return ((p.a[k] <= bounds[0]) | (p.a[k] >= bounds[1])).mean()


def of_hidden(values):
    return lambda p, e, k: np.nan if k == e.depth else values(p, k)


def bias_gradient(p, e, k):
    without = e.bias == "none" or (e.normalization == "batch" and k < e.depth)
    return np.nan if without else np.linalg.norm(p.db[k])


def unit_spread(p, k):
    largest = np.abs(p.n[k]).max()
    return np.ptp(p.n[k], axis=1).max() / largest if largest else 0.0  # all units 0: all alike


# name: (pass, experiment, layer from 0) -> number
EXPECTED = {
    "delta": lambda p, e, k: rms(p.delta[k]),
    "weight_gradient": lambda p, e, k: np.linalg.norm(p.dW[k]),
    "bias_gradient": bias_gradient,
    "activation_mean": of_hidden(lambda p, k: p.h[k].mean()),
    "activation_std": of_hidden(lambda p, k: p.h[k].std()),
    "saturated": saturated,
    "dead": of_hidden(lambda p, k: (p.slope[k] == 0).all(axis=0).mean()),
    "unit_spread": of_hidden(unit_spread),
    "through_weights": of_hidden(lambda p, k: rms(p.through_weights[k])),
    "through_skip": of_hidden(lambda p, k: rms(p.through_skip[k])),
    "through_slope": of_hidden(lambda p, k: rms(p.through_slope[k])),
}


def test_every_measure_is_recomputed_here():
    assert set(EXPECTED) == {name for name, entry in DIAGNOSTICS.items() if not entry.of_update}
    assert {name for name, entry in DIAGNOSTICS.items() if entry.of_update} == {"update_ratio"}


def passes(e):
    """A training after its end, and per run the plain pass at its last parameters."""
    training = Training(e)
    training.advance(float("inf"))
    points, found = training.points, []
    for group in training.groups:
        for run in range(group.theta.shape[1]):
            slopes = None if group.probe.random is None else [s.T for s in group.probe.random[:, run]]
            layers = parameters(group.shape, group.theta, run)
            found.append(run_pass(e, layers, points.x, points.y, slopes))
    return training, found


def settings(**changes):
    usual = {"task": "moons", "samples": 20, "depth": 4, "width": 5, "initializer": "normal", "epochs": 3, "runs": 3}
    return Experiment(**{**usual, **changes})


def assert_recomputed(e):
    training, found = passes(e)
    history = training.history()
    for name, expected in EXPECTED.items():
        values = [[expected(p, e, k) for k in range(e.layers)] for p in found]
        np.testing.assert_allclose(history.measures[name][:, -1], values, rtol=1e-9, atol=1e-13, err_msg=name)


@every_two(activation=ACTIVATIONS, normalization=NORMALIZATIONS, skip=SKIPS)
def test_measures_are_what_they_say(activation, normalization, skip):
    assert_recomputed(settings(activation=activation, normalization=normalization, skip=skip))


@every_two(task=["curve", "XOR", "circles"], bias=["zeros", "none"], batch=["full", "8"])
def test_measures_are_what_they_say_for_any_task(task, bias, batch):
    assert_recomputed(settings(task=task, bias=bias, batch=batch, activation="ReLU"))


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_the_global_norm_is_over_all_parameters_of_a_run(normalization):
    e = settings(normalization=normalization, activation="tanh")
    training, found = passes(e)
    np.testing.assert_allclose(
        training.history().gradient_norm[:, -1] ** 2, [p.squared_norm for p in found], rtol=1e-10
    )


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize("clip", ["none", "norm"])
def test_update_ratio_is_the_step_that_is_applied(clip, optimizer):
    e = settings(activation="tanh", clip=clip, threshold=0.01, optimizer=optimizer, epochs=2)
    training = Training(e)
    thetas = [training.groups[0].theta.copy()]
    for _ in training.groups[0].train():
        thetas.append(training.groups[0].theta.copy())
    group = training.groups[0]
    for record, (before, after) in enumerate(pairwise(thetas)):
        for layer in range(e.layers):
            fan_in, fan_out = group.shape.fan(layer)
            w, moved = (t[layer, :, :fan_in, :fan_out] for t in (before, after - before))
            expected = moved.std(axis=(1, 2)) / w.std(axis=(1, 2))
            ratio = training.history().measures["update_ratio"][:, record, layer]
            np.testing.assert_allclose(ratio, expected, rtol=1e-9)


# --- factors of the way back ------------------------------------------------------------------


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("skip", SKIPS)
def test_the_factors_of_a_layer_multiply_up_to_the_whole(skip, normalization):
    m = train(settings(skip=skip, normalization=normalization, activation="tanh")).measures
    above, delta = m["delta"][..., 1:], m["delta"][..., :-1]
    weights = m["through_weights"][..., :-1] / above
    shortcut = m["through_skip"][..., :-1] / m["through_weights"][..., :-1]
    slopes = m["through_slope"][..., :-1] / m["through_skip"][..., :-1]
    norm = delta / m["through_slope"][..., :-1]
    np.testing.assert_allclose(weights * shortcut * slopes * norm, delta / above, rtol=1e-12)
    whole = np.prod(weights * shortcut * slopes * norm, axis=-1)
    np.testing.assert_allclose(whole, m["delta"][..., 0] / m["delta"][..., -1], rtol=1e-11)
    # A factor is 1 where its cause is absent, and only there.
    has_shortcut = (np.abs(shortcut - 1) > 1e-9).any(axis=(0, 1))
    pairs = {"none": [], "one layer": [0, 1, 2], "two layers": [0]}
    assert np.flatnonzero(has_shortcut).tolist() == pairs[skip]
    assert (np.abs(norm - 1) > 1e-9).any() == (normalization != "none")
    assert (slopes < 1).all()


def test_a_linear_layer_has_slope_factor_one():
    m = train(settings(activation="linear")).measures
    np.testing.assert_array_equal(m["through_slope"], m["through_skip"])
    np.testing.assert_array_equal(m["delta"][..., :-1], m["through_slope"][..., :-1])


# --- zeros, tiny and huge numbers -------------------------------------------------------------


def test_deep_gradients_whose_squares_underflow_are_reported():
    e = Experiment(depth=50, initializer="small normal", gain=0.1, epochs=1, runs=4)
    m = train(e).measures
    first = m["delta"][:, 0, 0]
    assert (first > 0).all()
    assert (first < 1e-155).all()  # its square is 0 in double precision
    assert (m["weight_gradient"] > 0).all()
    steps = np.diff(np.log10(m["delta"][:, 0, :50]), axis=1)
    assert (np.abs(steps - np.median(steps)) < 1.5).all()  # no cliff on the way down


def test_spreads_whose_squares_underflow_are_reported():
    e = Experiment(activation="tanh", depth=50, width=2, initializer="small normal", gain=0.01, epochs=1, runs=4)
    m = train(e).measures
    assert (m["activation_std"][:, 0, 49] > 0).all()
    assert (m["activation_std"][:, 0, 49] < 1e-170).all()
    assert (m["update_ratio"] > 0).all()


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e-200, 1e-140, 1.0, 1e140, 1e200, 1e300])
def test_the_norm_is_right_for_any_size(size):
    values = np.array([[3.0, 4.0], [0.0, 5.0]])
    expected = np.array([5.0, 5.0]) * size
    np.testing.assert_allclose(root_sum_square(values * size, -1), expected, rtol=1e-3 if size < 1e-307 else 1e-15)


def test_zeros_infinities_and_nan_come_out_as_what_they_are():
    values = np.array([[0.0, 0.0], [np.inf, 1.0], [np.nan, 1.0], [3.0, 4.0]])
    np.testing.assert_array_equal(root_sum_square(values, -1), [0, np.inf, np.nan, 5])
    np.testing.assert_array_equal(root_sum_square(np.array([[np.inf, np.nan]]), -1), [np.nan])


def test_the_norm_of_one_row_does_not_depend_on_its_neighbours():
    rows = np.random.default_rng(0).normal(size=(30, 50))
    alone = root_sum_square(rows, -1)
    for neighbour in (0.0, 1e-200, 1e200, np.inf, np.nan):
        together = root_sum_square(np.concatenate([rows, np.full((1, 50), neighbour)]), -1)
        assert np.array_equal(together[:-1], alone)


def test_axes_can_be_chosen():
    values = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    for scale in (1.0, 1e-200):
        expected = np.sqrt((values**2).sum(axis=(0, 2, 3))) * scale
        np.testing.assert_allclose(root_sum_square(values * scale, (0, 2, 3)), expected, rtol=1e-14)


@pytest.mark.parametrize("entry", DIAGNOSTICS.values(), ids=str)
def test_a_diagnostic_can_be_shown(entry):
    assert entry.unit in ("decades", "share", "plain")
    assert entry.span[0] < entry.span[1]
    assert entry.title


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_shares_lie_between_nothing_and_all(activation):
    m = train(settings(activation=activation, gain=3.0)).measures
    for name in ("saturated", "dead"):
        hidden = m[name][..., :-1]
        assert np.isnan(hidden).all() or ((hidden >= 0) & (hidden <= 1)).all()
        assert np.isnan(m[name][..., -1]).all()


def test_saturation_of_tanh_counts_outputs_beyond_97_percent():
    e = settings(activation="tanh", depth=1, gain=3.0)
    training, found = passes(e)
    shares = [(np.abs(apply(e.activation_function, p.z[0])) >= 0.97).mean() for p in found]
    assert 0 < np.mean(shares) < 1
    np.testing.assert_allclose(training.history().measures["saturated"][:, -1, 0], shares)


def test_a_unit_below_zero_for_all_data_is_dead():
    e = settings(activation="ReLU", depth=2, epochs=1)
    training = Training(e)
    group = training.groups[0]
    group.theta[0, :, 5, :2] = -1e3  # the biases of two of five units
    training.advance(float("inf"))
    assert (training.history().measures["dead"][:, 0, 0] >= 2 / 5).all()
