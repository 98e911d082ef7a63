"""Lens: the slope that a histogram of z gives is the engine's, as near as its bins are wide, and Why's slope is an RMS of f'."""

import numpy as np
import pytest

from explorer import Experiment, RecurrentExperiment, train
from explorer.choices.activations import ACTIVATIONS
from explorer.choices.cells import CELLS
from explorer.choices.recurrent_experiment import PLAIN_ACTIVATIONS
from explorer.diagnosis.decomposition import decompose
from explorer.diagnosis.lens import PLACES, bin_slopes, look, off_axis, on_axis
from explorer.training.compiled import OFF, VARIABLE
from explorer.training.recording import BIN_EDGES, FINE, STEPS_OUT, ZERO_BIN
from explorer.training.run import Training

SMALL = Experiment(task="moons", samples=64, depth=5, width=8, epochs=20, runs=3, initializer="normal")
each_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


def at_the_start(experiment, monkeypatch):
    """The history of epoch 0, and the network that measured it."""
    monkeypatch.setenv(VARIABLE, OFF)
    training = Training(experiment, record_at=[0])
    training.advance(float("inf"))
    (group,) = training.groups
    return training.history(), group.probe


@each_activation
@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_the_engines_rms_of_the_slope_lies_where_the_bins_allow_and_near_to_their_middle(
    activation, normalization, monkeypatch
):
    history, network = at_the_start(SMALL.but(activation=activation, normalization=normalization), monkeypatch)
    assert (history.z_counts[:, 0].sum(axis=-1) == 64 * 8).all()
    engine = np.sqrt(np.square(network.slope).mean(axis=(-1, -2)))  # (depth, runs)
    for seed in (None, 1):
        rms = np.exp(np.log(engine[:, slice(None) if seed is None else [seed]]).mean(axis=1))
        least, likely, most = look(history, 0, 1, seed).rms_slopes.T
        assert (least <= rms * (1 + 1e-12)).all()
        assert (rms <= most * (1 + 1e-12)).all()
        np.testing.assert_allclose(likely, rms, rtol=0.02)


@each_activation
def test_whys_slope_is_the_rms_of_the_slope_by_the_square_of_the_gradient_that_arrives(activation, monkeypatch):
    history, network = at_the_start(SMALL.but(activation=activation), monkeypatch)
    g, slope = network.through_skip, network.slope
    factor = np.sqrt(np.square(g * slope).sum(axis=(-1, -2)) / np.square(g).sum(axis=(-1, -2)))  # (depth, runs)
    means = np.exp(np.log(factor).mean(axis=1))
    for layer in range(1, 6):
        assert look(history, 0, layer).factor == pytest.approx(means[layer - 1], rel=1e-12)
        assert look(history, 0, layer, 2).factor == pytest.approx(factor[layer - 1, 2], rel=1e-12)


def test_the_lens_and_why_say_the_same_slope_at_every_record():
    history = train(SMALL.but(activation="tanh", skip="one layer"))
    for epoch in (0, 7, 20):
        parts = decompose(history, history.at(epoch)).parts["slope"]
        np.testing.assert_allclose([look(history, epoch, layer).factor for layer in range(1, 6)], 10**parts, rtol=1e-14)


def test_where_the_slope_is_the_same_everywhere_both_are_that_slope():
    history = train(SMALL.but(activation="linear", initializer="Glorot normal"))
    for layer in range(1, 6):
        lens = look(history, -1, layer)
        np.testing.assert_allclose([*lens.rms_slope, lens.factor], 1, rtol=1e-12)


def test_in_a_wide_net_at_the_start_the_gradient_that_arrives_knows_little_of_z():
    wide = Experiment(task="moons", samples=128, depth=6, width=128, epochs=1, runs=8, activation="tanh")
    history = train(wide.but(initializer="Glorot normal", gain=2))
    for layer in range(2, 6):
        lens = look(history, 0, layer)
        assert lens.factor == pytest.approx(lens.rms_slope[1], rel=0.1)


@each_activation
def test_every_z_of_a_bin_has_a_slope_between_its_ends(activation):
    entry, slopes = ACTIVATIONS[activation], bin_slopes(ACTIVATIONS[activation])
    places = on_axis(BIN_EDGES)
    share = np.random.default_rng(3).uniform(size=(len(places) - 1, 50))
    z = off_axis(places[:-1, None] + share * np.diff(places)[:, None])
    with np.errstate(over="ignore"):
        slope = np.abs(entry.df(z, np.empty_like(z)))
    # A function may be steepest between two of the places that were looked at.
    slack = 2e-2 / PLACES
    assert (slopes.low[:ZERO_BIN, None] <= slope + slack).all()
    assert (slope <= slopes.high[:ZERO_BIN, None] + slack).all()
    assert (slopes.low <= slopes.rms * (1 + 1e-12)).all()
    assert (slopes.rms <= slopes.high * (1 + 1e-12)).all()


def test_of_randomized_relu_the_whole_range_of_slopes_counts():
    slopes, (low, high) = bin_slopes(ACTIVATIONS["randomized ReLU"]), ACTIVATIONS["randomized ReLU"].random_slope
    middle = ZERO_BIN // 2
    assert set(slopes.low[:middle]) == {low}
    assert set(slopes.high[:middle]) == {high}
    assert set(slopes.rms[middle:ZERO_BIN]) == {1.0}
    assert slopes.low[ZERO_BIN] == low, "the slope at 0 is drawn as well"


def test_the_axis_is_z_itself_inside_and_its_logarithm_outside():
    z = np.array([-FINE, -1.5, 0.0, 0.3, FINE])
    np.testing.assert_array_equal(on_axis(z), z)
    np.testing.assert_array_equal(on_axis(np.array([np.inf, -np.inf])), [FINE + STEPS_OUT, -FINE - STEPS_OUT])
    out = np.array([-1e7, -9.0, 12.0, 1e9])
    np.testing.assert_allclose(off_axis(on_axis(out)), out)
    np.testing.assert_allclose(np.diff(on_axis(BIN_EDGES))[:STEPS_OUT], 1)


def test_a_layer_or_seed_that_a_smaller_net_does_not_have_is_its_last_one():
    history = train(SMALL.but(depth=2, epochs=1))
    lens = look(history, 5, 9, 40)
    assert (lens.position, lens.seed, lens.epoch) == (2, 2, 1)


def test_dead_and_diverged_layers_say_so():
    dead = look(train(SMALL.but(activation="ReLU", initializer="zeros", epochs=1)), 0, 3)
    assert dead.zero == 1
    assert dead.rms_slope == (0, 0, 0)
    assert np.isnan(dead.factor)
    gone = train(SMALL.but(activation="ReLU", width=32, learning_rate=1e3))
    assert all(gone.endings)
    lens = look(gone, -1, 3)
    assert lens.empty
    assert np.isnan(lens.rms_slope).all()
    assert not lens.rows()


# --- over time ------------------------------------------------------------------------------------

OVER_TIME = RecurrentExperiment(length=40, hidden=8, samples=24, epochs=3, runs=3, strength=1.5, forget_bias=2.1)


@pytest.mark.parametrize("stack", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_over_time_slope_and_saturation_of_every_function_are_the_engines_as_near_as_the_bins_allow(
    cell, stack, monkeypatch
):
    history, network = at_the_start(OVER_TIME.but(cell=cell, stack=stack), monkeypatch)
    of_each = len(history.experiment.functions) // stack
    for number, function in enumerate(history.experiment.functions):
        layer, sigmoid = network.layers[number // of_each], "gate" in function
        # By what the function handed on, in which no z is left: σ' = a (1 - a), tanh' = 1 - a².
        a = layer.h[1:] if cell == "RNN" else layer.a.reshape(40, 3, -1, 8, 24)[:, :, number % of_each]
        slope = a * (1 - a) if sigmoid else 1 - a**2
        low, high = ACTIVATIONS["sigmoid" if sigmoid else "tanh"].saturation
        rms = np.exp(np.log(np.sqrt(np.square(slope).mean(axis=(-1, -2)))).mean(axis=1))
        flat = ((a <= low) | (a >= high)).mean(axis=(-3, -2, -1))
        for position in (1, 2, 23, 40):
            lens = look(history, 0, position, function=function)
            least, likely, most = lens.rms_slope
            assert least <= rms[lens.position - 1] * (1 + 1e-12) and rms[lens.position - 1] <= most * (1 + 1e-12)
            assert likely == pytest.approx(rms[lens.position - 1], rel=0.05)
            least, likely, most = lens.saturated
            assert least - 1e-12 <= flat[lens.position - 1] <= most + 1e-12
            assert lens.measured == (cell == "RNN" and stack == 1)


@pytest.mark.parametrize("activation", PLAIN_ACTIVATIONS)
def test_of_a_plain_recurrent_net_the_gradient_itself_gives_the_slope(activation, monkeypatch):
    history, network = at_the_start(OVER_TIME.but(activation=activation, strength=1.0), monkeypatch)
    network.forward()
    (layer,) = network.layers
    slope = ACTIVATIONS[activation].df(layer.z, np.empty_like(layer.z))
    g = layer.grad_h[1:]
    factor = np.sqrt(np.square(g * slope).sum(axis=(-1, -2)) / np.square(g).sum(axis=(-1, -2)))  # (steps, runs)
    for step in (1, 23, 40):
        lens = look(history, 0, step)
        assert lens.factor == pytest.approx(np.exp(np.log(factor[lens.position - 1]).mean()), rel=1e-9)


def test_a_truncated_net_has_a_slope_where_no_gradient_arrives():
    lens = look(train(OVER_TIME.but(truncation=5)), 0, 1)
    assert np.isnan(lens.factor)
    assert np.isfinite(lens.rms_slopes).all()


def test_a_function_that_a_net_does_not_have_is_refused_and_a_step_that_is_not_looked_at_is_the_nearest():
    history = train(OVER_TIME.but(cell="GRU", epochs=1))
    assert look(history, 0, 4).position in (3, 5)
    assert look(history, 0, 4).function == "new state"
    with pytest.raises(ValueError, match="there is only reset gate, update gate, new state"):
        look(history, 0, 4, function="forget gate")
    rows = look(history, 0, 4).rows()
    assert {row["function"] for row in rows} == {"reset gate", "update gate", "new state"}
    assert sum(row["count"] for row in rows) == 3 * 3 * 34 * 8 * 24


def test_rows_hold_every_number_once():
    lens = look(train(SMALL.but(epochs=3)), 3, 1)
    rows = lens.rows()
    assert sum(row["count"] for row in rows) == 3 * 5 * 64 * 8
    assert {row["epoch"] for row in rows} == {3}
    assert all(row["z from"] <= row["z to"] for row in rows)
