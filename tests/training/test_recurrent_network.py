"""The recurrent net: its gradients against differences, the cut against a graph with the cut, the gates' exact numbers."""

from dataclasses import replace

import numpy as np
import pytest

from explorer.choices.cells import CELLS
from explorer.choices.recurrent_experiment import PLAIN_ACTIVATIONS, RecurrentExperiment
from explorer.choices.sequences import TASKS
from explorer.training.recurrent_network import RecurrentNetwork, draw_recurrent_parameters, recurrent_architecture
from explorer.training.time_measures import TIME_DIAGNOSTICS
from tests.work import each_once, every_two

KINDS = [("RNN", activation) for activation in PLAIN_ACTIVATIONS] + [(name, "tanh") for name in CELLS if name != "RNN"]
each_kind = pytest.mark.parametrize(("cell", "activation"), KINDS)


def small(**changes):
    settings = {"length": 7, "hidden": 4, "samples": 8, "runs": 2, "strength": 1.1, "forget_bias": 0.5}
    return RecurrentExperiment(**{**settings, **changes})


def built(e, measuring=False):
    """A net with its data filled in, and its targets."""
    shape = recurrent_architecture(e)
    rngs = [np.random.default_rng(e.seed + run) for run in range(e.runs)]
    theta = draw_recurrent_parameters(shape, [e] * len(rngs), rngs)
    theta += 0.1 * np.random.default_rng(99).normal(size=theta.shape)  # biases too
    shape.forget(theta)
    points = e.points()
    network = RecurrentNetwork(shape, theta, len(points.y))
    network.measuring = measuring
    network.x[:] = points.x.transpose(1, 2, 0)[:, None]
    return network, points.y.transpose(1, 2, 0).reshape(1, -1, len(points.y))


def passes(e, network, y):
    """Forward, loss and backward; returns the loss of every run."""
    network.forward()
    loss = e.loss_function.value(network.z_out, y, e.output)
    e.loss_function.delta(network.z_out, y, e.output, network.delta_out)
    network.backward()
    return loss


def loss_of(e, network, y):
    network.forward()
    return e.loss_function.value(network.z_out, y, e.output)


# --- gradients against central differences ----------------------------------------------------


@every_two(kind=KINDS, task=TASKS, stack=[1, 2, 3])
def test_the_gradient_is_the_slope_of_the_loss_in_any_direction(kind, task, stack):
    cell, activation = kind
    e = small(cell=cell, activation=activation, task=task, stack=stack)
    network, y = built(e)
    passes(e, network, y)
    start_at, gradient = network.theta.copy(), network.gradient.copy()
    for seed in range(3):
        direction = np.random.default_rng(seed).normal(size=start_at.shape)
        network.shape.forget(direction)
        # A longer step would cross ReLU's kinks.
        slope, step = (gradient * direction).sum(axis=(0, 2, 3)), 1e-8 if activation == "ReLU" else 1e-5
        losses = []
        for sign in (1, -1):
            network.theta[:] = start_at + sign * step * direction
            losses.append(loss_of(e, network, y))
        np.testing.assert_allclose(
            (losses[0] - losses[1]) / (2 * step), slope, rtol=1e-6, atol=1e-7 if step < 1e-5 else 1e-8
        )


@pytest.mark.parametrize("loss", ["half squared error", "mean squared error", "cross-entropy"])
def test_so_it_is_for_every_loss_over_several_outputs(loss):
    e = small(task="copy", loss=loss)
    network, y = built(e)
    passes(e, network, y)
    at, gradient = network.theta.copy(), network.gradient.copy()
    for entry in np.random.default_rng(0).choice(at.shape[-1], 12, replace=False):
        losses = []
        for step in (1e-5, -1e-5):
            network.theta[:] = at
            network.theta[..., entry] += step
            losses.append(loss_of(e, network, y))
        numeric = (losses[0] - losses[1]) / 2e-5
        np.testing.assert_allclose(numeric, gradient[0, :, 0, entry], rtol=1e-6, atol=1e-8)


@each_kind
def test_the_gradient_at_a_state_is_the_slope_of_the_loss_when_that_state_is_pushed(cell, activation):
    e = small(cell=cell, activation=activation, task="sine")
    network, y = built(e)
    passes(e, network, y)
    layer, losses = network.layers[0], []
    expected = layer.grad_h[0].copy()
    pushed = np.random.default_rng(1).normal(size=expected.shape)
    for step in (1e-5, -1e-5):
        layer.h[0] = step * pushed
        losses.append(loss_of(e, network, y))
    numeric = (losses[0] - losses[1]) / 2e-5
    np.testing.assert_allclose(numeric, (expected * pushed).sum(axis=(1, 2)), rtol=1e-6, atol=1e-9)


# --- what the cell has no weights for ---------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_what_a_cell_has_no_weights_for_stays_zero(cell):
    e = small(cell=cell)
    network, y = built(e)
    passes(e, network, y)
    for stack in (network.theta, network.gradient):
        cleared = stack.copy()
        network.shape.forget(cleared)
        np.testing.assert_array_equal(stack, cleared)
    used = np.ones_like(network.theta)
    network.shape.forget(used)
    assert (network.gradient[used == 1] != 0).mean() > 0.95


# --- truncation -------------------------------------------------------------------------------


@every_two(kind=KINDS, task=["sine", "parity"], stack=[1, 2])
def test_pieces_as_long_as_the_sequence_cut_nothing(kind, task, stack):
    cell, activation = kind
    gradients = []
    for truncation in (0, 7, 100):
        e = small(cell=cell, activation=activation, task=task, stack=stack, truncation=truncation)
        network, y = built(e)
        passes(e, network, y)
        gradients.append(network.gradient)
    np.testing.assert_array_equal(gradients[0], gradients[1])
    np.testing.assert_array_equal(gradients[0], gradients[2])


@each_once(kind=KINDS, truncation=[1, 2, 3, 5])
def test_the_gradient_with_cuts_is_that_of_pieces_whose_first_state_is_a_constant(kind, truncation):
    cell, activation = kind
    e = small(cell=cell, activation=activation, task="sine", truncation=truncation)
    network, y = built(e)
    passes(e, network, y)
    expected = np.zeros_like(network.gradient)
    whole, layer = network.shape, network.layers[0]
    for first in range(0, e.length, truncation):
        length = min(truncation, e.length - first)
        piece = RecurrentNetwork(replace(whole, length=length, truncation=0), network.theta, network.samples)
        piece.x[:] = network.x[first : first + length]
        piece.layers[0].h[0] = layer.h[first]
        if whole.cell.has_c:
            piece.layers[0].c[0] = layer.c[first]
        piece.forward()
        piece.delta_out[:] = network.delta_out[:, first : first + length]
        piece.backward()
        expected += piece.gradient
    np.testing.assert_allclose(network.gradient, expected, rtol=1e-11, atol=1e-15)


@each_kind
def test_nothing_is_sent_back_over_a_cut(cell, activation):
    e = small(cell=cell, activation=activation, task="parity", length=9, truncation=4)
    network, y = built(e)
    passes(e, network, y)
    for layer in network.layers:
        assert not layer.grad_h[:9].any()  # the cut before step 8 is the last: only steps after it learn
        assert layer.grad_h[9].any()
        assert not layer.z[:8].any()


# --- what is measured -------------------------------------------------------------------------


@pytest.mark.parametrize("stack", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_contributions_of_single_steps_are_those_of_each_step_alone(cell, stack):
    e = small(cell=cell, stack=stack, task="sine")
    network, y = built(e, measuring=True)
    passes(e, network, y)
    measured = TIME_DIAGNOSTICS["step_gradient"].measure(network)
    total, squares = 0.0, np.zeros_like(measured)
    for layer in network.layers:
        h_before = layer.h[:-1]
        own = np.einsum("trhs,trzs->trhz", h_before, layer.z)
        for name in network.shape.cell.unseen_by_h:
            own[..., network.shape.cell.block(name, e.hidden)] = 0.0
        squares += (own**2).sum(axis=(2, 3))
        total = own.sum(axis=0)  # the contributions add up to the gradient of the recurrent weights
        rows = network.shape.from_h(layer.index)
        whole = network.shape.views(network.gradient).layers[layer.index][:, rows]
        np.testing.assert_allclose(total, whole, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(measured, np.sqrt(squares), rtol=1e-12)


@pytest.mark.parametrize("name", TIME_DIAGNOSTICS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_measure_is_a_number_a_step_and_run_or_undefined_throughout(cell, name):
    e = small(cell=cell, stack=2)
    network, y = built(e, measuring=True)
    passes(e, network, y)
    values = TIME_DIAGNOSTICS[name].measure(network)
    assert values.shape == (e.length, e.runs)
    gate = name.removesuffix("_gate")
    missing = (name.endswith("_gate") and gate not in CELLS[cell].blocks) or (
        (name == "cell_gradient" and cell != "LSTM") or (name == "kept" and cell == "RNN")
    )
    assert np.isnan(values).all() if missing else np.isfinite(values).all()
    if name.endswith("_gate") and not missing:
        assert ((values > 0) & (values < 1)).all()


@pytest.mark.parametrize(("cell", "gate"), [("LSTM", "forget"), ("GRU", "update")])
def test_what_a_gate_keeps_is_the_mean_of_its_products_not_the_product_of_its_means(cell, gate):
    e = small(cell=cell, stack=2, length=6)
    network, y = built(e, measuring=True)
    passes(e, network, y)
    kept = TIME_DIAGNOSTICS["kept"].measure(network)
    rows = CELLS[cell].block(gate, e.hidden)
    for step in range(e.length):
        products = [layer.a[step:, :, rows].prod(axis=0).mean(axis=(1, 2)) for layer in network.layers]
        np.testing.assert_allclose(kept[step], np.mean(products, axis=0), rtol=1e-12)
    means = TIME_DIAGNOSTICS[f"{gate}_gate"].measure(network)
    assert not np.isclose(kept[0], np.prod(means, axis=0), rtol=1e-3).any()  # units differ


@pytest.mark.parametrize("cell", CELLS)
def test_sizes_are_root_mean_squares_over_layers_units_and_samples(cell):
    e = small(cell=cell, stack=2, task="sine")
    network, y = built(e, measuring=True)
    passes(e, network, y)
    states = np.concatenate([layer.grad_h[1:] for layer in network.layers], axis=2)
    measured = TIME_DIAGNOSTICS["state_gradient"].measure(network)
    np.testing.assert_allclose(measured, np.sqrt((states**2).mean(axis=(2, 3))), rtol=1e-12)


def test_gradients_too_small_to_square_are_measured_all_the_same():
    e = small(cell="RNN", activation="sigmoid", task="parity", length=300, initializer="scaled normal", strength=0.01)
    network, y = built(e, measuring=True)
    network.shape.views(network.theta).layers[0][:] *= 0.01
    passes(e, network, y)
    values = TIME_DIAGNOSTICS["state_gradient"].measure(network)
    seen = values[values > 0]
    assert seen.min() < 1e-200
    assert (np.diff(np.log10(values[-20:, 0])) > 1).all()
