"""Gradients through time against what is known of them: gates to the last digit, plain nets within their bounds."""

from dataclasses import replace

import numpy as np
import pytest

from explorer.choices.recurrent_experiment import PLAIN_ACTIVATIONS, RecurrentExperiment
from explorer.choices.recurrent_initializers import RECURRENT_INITIALIZERS, largest_singular_value, spectral_radius
from explorer.diagnosis.reach import cut_off, state_jacobians, state_reach
from explorer.theory.gates import gate_product, step_bound
from explorer.training.recurrent_network import draw_recurrent_parameters, recurrent_architecture
from explorer.training.run import Training
from tests.work import few

DISTANCE = 100


def reach_at_the_start(e, seeds, h_0=None, x=None):
    """Largest singular value of ds_T/ds_t by t for nets of an experiment's kind: (seeds, T + 1)."""
    shape, found = recurrent_architecture(e), []
    x = np.zeros((e.length, shape.inputs)) if x is None else x
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        theta = draw_recurrent_parameters(shape, [e], [rng])
        first = None if h_0 is None else h_0(rng)
        found.append(np.linalg.norm(state_jacobians(shape, theta, x, first)[:, 0], 2, axis=(-2, -1)))
    return np.array(found)


# --- gates ------------------------------------------------------------------------------------

# What is left after 100 steps, to two digits.
PRODUCTS = {0.0: 7.9e-31, 1.0: 2.5e-14, 3.0: 7.8e-3, 4.6: 0.37}


@pytest.mark.parametrize("bias", PRODUCTS)
@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_a_gate_at_rest_leaves_the_power_of_its_sigmoid(cell, bias):
    e = RecurrentExperiment(cell=cell, hidden=8, length=DISTANCE, initializer="zeros", forget_bias=bias)
    reach = reach_at_the_start(e, 1)[0]
    steps = DISTANCE - np.arange(DISTANCE + 1)
    np.testing.assert_allclose(reach, (1 / (1 + np.exp(-bias))) ** steps, rtol=1e-12)
    np.testing.assert_allclose(reach, gate_product(bias, steps), rtol=1e-12)
    assert f"{reach[0]:.1e}" == f"{PRODUCTS[bias]:.1e}"


@pytest.mark.parametrize("bias", [-30.0, -1.0, 0.0, 0.5, 4.6, 30.0])
def test_the_product_is_right_for_closed_and_open_gates(bias):
    one = 1 / (1 + np.exp(-bias))
    for steps in (0, 1, 7, 300):
        assert gate_product(bias, steps) == pytest.approx(one**steps, rel=1e-12)


@pytest.mark.parametrize("steps", [2, 10, 100, 500])
def test_a_bias_of_the_logarithm_of_the_steps_leaves_about_1_in_e(steps):
    assert gate_product(np.log(steps), steps) == pytest.approx(np.exp(-1), abs=0.08)


# --- the plain net ----------------------------------------------------------------------------

# ||dh_T/dh_0||_2 at T = 100, 64 tanh units, no input, states that start anywhere in the cube. One net differs from
# the next by up to seven decades, as the exponent is a sum over 100 steps of a state that is chaotic beyond radius 1. So
# the median over many nets is held to a factor of 10, and the known number must lie among the middle 80 % of nets.
REACH = {
    ("spectral radius", 1.0): 0.53,
    ("spectral radius", 1.5): 22.0,
    ("spectral radius", 2.0): 1.9e5,
    ("largest singular value", 1.0): 1.6e-26,
}


@pytest.mark.parametrize(
    ("initializer", "strength"), few(REACH, [("spectral radius", 1.5), ("largest singular value", 1.0)])
)
def test_what_a_plain_net_leaves_after_a_hundred_steps(initializer, strength):
    e = RecurrentExperiment(hidden=64, length=DISTANCE, initializer=initializer, strength=strength)
    reach = reach_at_the_start(e, 48, h_0=lambda rng: rng.uniform(-1, 1, 64))[:, 0]
    low, middle, high = np.quantile(reach, [0.1, 0.5, 0.9])
    known = REACH[initializer, strength]
    assert known / 10 < middle < known * 10
    assert low <= known <= high


@pytest.mark.parametrize("strength", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("activation", PLAIN_ACTIVATIONS)
@pytest.mark.parametrize("initializer", RECURRENT_INITIALIZERS)
def test_no_step_passes_on_more_than_pascanus_bound(initializer, activation, strength):
    e = RecurrentExperiment(
        hidden=12, length=20, initializer=initializer, strength=strength, activation=activation, task="adding"
    )
    x = e.points().x[0]
    shape = recurrent_architecture(e)
    for seed, reach in enumerate(reach_at_the_start(e, 4, x=x)):
        theta = draw_recurrent_parameters(
            shape, [e.but(strength=strength, forget_bias=0)], [np.random.default_rng(seed)]
        )
        weights = shape.recurrent_weights(theta)[0, 0]
        bound = step_bound(weights, activation) ** (e.length - np.arange(e.length + 1))
        assert (reach <= bound * (1 + 1e-10)).all()
        assert (reach[:-1] <= reach[1:] * step_bound(weights, activation) * (1 + 1e-10)).all()


def test_a_bound_above_one_need_not_explode():
    # Largest singular value above 1 is necessary, not sufficient: a Gaussian matrix of radius 0.8 has one of 1.6.
    e = RecurrentExperiment(hidden=64, length=DISTANCE, initializer="spectral radius", strength=0.8)
    reach = reach_at_the_start(e, 8)
    shape = recurrent_architecture(e)
    for seed in range(8):
        theta = draw_recurrent_parameters(shape, [e.but(strength=0.8, forget_bias=0)], [np.random.default_rng(seed)])
        assert step_bound(shape.recurrent_weights(theta)[0, 0], "tanh") > 1.2
    assert (reach[:, 0] < 1e-6).all()


@pytest.mark.parametrize("activation", PLAIN_ACTIVATIONS)
def test_gamma_is_the_steepest_slope(activation):
    entry = RecurrentExperiment(activation=activation).activation_function
    z = np.linspace(-9, 9, 20_001)
    assert entry.df(z, np.empty_like(z)).max() == pytest.approx(entry.steepest, rel=1e-6)


def test_an_orthogonal_linear_chain_keeps_every_length():
    # Without input tanh stays at 0, where it is linear.
    e = RecurrentExperiment(hidden=16, length=50, initializer="orthogonal", strength=1.0)
    np.testing.assert_allclose(reach_at_the_start(e, 3), 1.0, rtol=1e-12)


# --- initializers -----------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.3, 1.0, 2.5])
def test_the_strength_is_the_number_that_is_set(strength):
    rng = np.random.default_rng(0)

    def draw(name, hidden=200):
        return RECURRENT_INITIALIZERS[name].draw(rng, hidden, strength)

    assert spectral_radius(draw("spectral radius")) == pytest.approx(strength, rel=1e-12)
    assert largest_singular_value(draw("largest singular value")) == pytest.approx(strength, rel=1e-12)
    q = draw("orthogonal")
    np.testing.assert_allclose(q.T @ q, strength**2 * np.eye(200), atol=1e-12)
    np.testing.assert_array_equal(draw("identity"), strength * np.eye(200))
    normal = draw("scaled normal")
    assert normal.std() == pytest.approx(strength / np.sqrt(200), rel=0.02)
    assert spectral_radius(normal) == pytest.approx(strength, rel=0.15)  # the circular law
    assert largest_singular_value(normal) == pytest.approx(2 * strength, rel=0.1)
    assert not draw("zeros").any()


@pytest.mark.parametrize("name", RECURRENT_INITIALIZERS)
def test_a_single_unit_can_start_too(name):
    assert RECURRENT_INITIALIZERS[name].draw(np.random.default_rng(0), 1, 1.0).shape == (1, 1)


# --- asked of a training ----------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_the_reach_of_a_training_is_the_derivative_of_its_last_state(cell):
    e = RecurrentExperiment(cell=cell, length=12, hidden=4, samples=16, runs=3, epochs=5, truncation=3)
    training = Training(e)
    training.advance(float("inf"))
    reach = state_reach(training, sample=2)
    assert reach.shape == (3, 13)
    np.testing.assert_allclose(reach[:, -1], 1.0)
    group = training.groups[0]
    jacobians = state_jacobians(group.shape, group.theta, training.points.x[2])
    # Differences: push the state at step t of the probe, run the rest.
    shape = replace(group.shape, length=5, first_counted=4)
    probe = type(group.probe)(shape, group.theta, 1)
    layer = probe.layers[0]
    whole = type(group.probe)(group.shape, group.theta, 1)
    whole.x[:] = training.points.x[2][:, None, :, None]
    whole.forward()
    probe.x[:] = whole.x[7:]
    carried = "c" if cell == "LSTM" else "h"
    for unit in range(e.hidden):
        ends = []
        for step in (1e-6, -1e-6):
            layer.h[0] = whole.layers[0].h[7]
            if cell == "LSTM":
                layer.c[0] = whole.layers[0].c[7]
            getattr(layer, carried)[0, :, unit] += step
            if cell == "LSTM":  # h_t = o tanh c_t goes along
                layer.h[0] *= np.tanh(layer.c[0]) / np.tanh(whole.layers[0].c[7])
            probe.forward()
            ends.append(getattr(layer, carried)[-1, :, :, 0].copy())
        numeric = (ends[0] - ends[1]) / 2e-6
        np.testing.assert_allclose(jacobians[7, :, unit, :], numeric, rtol=1e-5, atol=1e-9)


def test_asking_disturbs_nothing_and_ended_runs_have_no_reach():
    e = RecurrentExperiment(activation="ReLU", length=10, hidden=4, samples=16, runs=3, epochs=5)
    training = Training(e)
    training.groups[0].theta[0, 1, 0, 0] = np.nan
    training.advance(float("inf"))
    before = training.groups[0].theta.copy()
    reach = state_reach(training)
    assert np.isnan(reach[1]).all()
    assert np.isfinite(reach[[0, 2]]).all()
    assert np.array_equal(before, training.groups[0].theta)


def test_reach_is_that_of_each_experiment_that_trains_together(monkeypatch):
    monkeypatch.setattr("explorer.training.run.group_size", lambda experiment: 2)
    e = RecurrentExperiment(length=10, hidden=4, samples=16, runs=3, epochs=2)
    both = Training(e, e.but(strength=2.0))
    both.advance(float("inf"))
    for index, each in enumerate(both.experiments):
        alone = Training(each)
        alone.advance(float("inf"))
        np.testing.assert_array_equal(state_reach(both, index=index), state_reach(alone))


@pytest.mark.parametrize("cell", ["RNN", "LSTM", "GRU"])
def test_what_a_cut_takes_is_told(cell):
    e = RecurrentExperiment(cell=cell, task="copy", length=20, hidden=6, samples=16, runs=2, epochs=1, truncation=5)
    training = Training(e)
    training.advance(float("inf"))
    cut = cut_off(training)
    assert (cut.whole[:, :-1] > 0).all()
    assert not cut.cut[:, :15].any()
    np.testing.assert_array_equal(cut.cut[:, 15:], cut.whole[:, 15:])
    assert (cut.cosine <= 1).all()
    whole = Training(e.but(truncation=0))
    whole.advance(float("inf"))
    nothing = cut_off(whole)
    np.testing.assert_allclose(nothing.share, 1.0, rtol=1e-14)
    np.testing.assert_allclose(nothing.cosine, 1.0, rtol=1e-14)
    np.testing.assert_array_equal(nothing.whole, nothing.cut)


def test_of_a_run_whose_states_overflow_no_reach_is_told():
    e = RecurrentExperiment(
        length=400, hidden=4, runs=2, activation="ReLU", initializer="identity", strength=10.0, samples=8
    )
    assert np.isnan(state_reach(Training(e, record_at=[0]))).all()
