"""Depths: all depths at once give, number by number, what each depth's own training in NumPy records at its start."""

import warnings

import numpy as np
import pytest

from explorer import Experiment
from explorer.choices.activations import ACTIVATIONS
from explorer.choices.experiment import SKIPS
from explorer.choices.initializers import INITIALIZERS
from explorer.choices.losses import LOSSES
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.training import all_depths as depths
from explorer.training.all_depths import gradients_by_depth
from explorer.training.run import Training
from tests.work import calls, every_two

pytestmark = pytest.mark.usefixtures("in_numpy")

DEPTHS = [1, 2, 3, 8, 5]
TASKS = {
    "XOR, three seeds": Experiment(width=4, runs=3, gain=1.3),
    "moons, one seed": Experiment(task="moons", samples=32, width=16, runs=1, seed=7),
    "signals, two seeds": Experiment(task="signal XOR", layer="convolution", samples=24, width=3, runs=2, gain=1.2),
    "curve, three seeds": Experiment(task="curve", samples=64, width=32, runs=3, batch="16"),
}


def recorded(experiment):
    """What training one depth alone records at epoch 0: dL/dz, dL/dW, (runs, layers), and the loss, (runs,)."""
    training = Training(experiment)
    training.advance(0.0)
    history = training.history()
    return history.measures["delta"][:, 0], history.measures["weight_gradient"][:, 0], history.loss[:, 0]


def assert_alike(experiment, asked):
    """Bit by bit: the same operations on arrays of the same shape leave nothing to round differently."""
    found = gradients_by_depth(experiment, asked)
    assert found.depths.tolist() == list(asked)
    for index, depth in enumerate(asked):
        delta, weight_gradient, loss = recorded(experiment.but(depth=depth))
        np.testing.assert_array_equal(found.delta[:, index, : depth + 1], delta)
        np.testing.assert_array_equal(found.weight_gradient[:, index, : depth + 1], weight_gradient)
        np.testing.assert_array_equal(found.loss[:, index], loss)


@every_two(activation=ACTIVATIONS, normalization=NORMALIZATIONS, skip=SKIPS, task=TASKS)
def test_every_depth_is_what_its_own_training_records_first(activation, normalization, skip, task):
    assert_alike(TASKS[task].but(activation=activation, normalization=normalization, skip=skip), DEPTHS)


@every_two(initializer=INITIALIZERS, bias=["usual", "zeros", "none"], normalization=NORMALIZATIONS, task=TASKS)
def test_also_for_every_way_to_start(initializer, bias, normalization, task):
    settings = {"initializer": initializer, "bias": bias, "normalization": normalization}
    assert_alike(TASKS[task].but(activation="tanh", **settings), [1, 4, 6])


@pytest.mark.parametrize(
    ("task", "loss"),
    [(task, loss) for task in TASKS for loss in LOSSES if LOSSES[loss].regression or "curve" not in task],
)
def test_also_for_every_loss(task, loss):
    assert_alike(TASKS[task].but(loss=loss), DEPTHS)


def test_also_for_very_deep_nets():
    assert_alike(Experiment(width=8, activation="ReLU", initializer="He normal", runs=3), range(1, 51, 7))
    assert_alike(TASKS["moons, one seed"].but(activation="randomized ReLU", skip="two layers"), [50, 49])


EXTREMES = {
    "exact zeros": Experiment(activation="tanh", initializer="zeros", runs=2),
    "dead nets": Experiment(activation="ReLU", initializer="He normal", bias="zeros", width=3, runs=20),
    "squares that underflow": Experiment(initializer="small normal", gain=0.1, runs=2),
    "overflow": Experiment(
        task="curve", samples=32, width=64, activation="ReLU", initializer="positive uniform", gain=100.0, runs=2
    ),
}


@pytest.mark.parametrize("kind", EXTREMES)
def test_exact_zeros_and_what_is_not_finite_are_the_same_too(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_alike(EXTREMES[kind], [10, 45, 50])


def test_the_extremes_are_what_they_are_called():
    zeros, dead, tiny, huge = (gradients_by_depth(experiment, [50]) for experiment in EXTREMES.values())
    assert (zeros.delta[..., :-1] == 0).all() and (zeros.delta[..., -1] > 0).all()
    assert (dead.delta[..., 0] == 0).any()
    assert (tiny.delta > 0).all() and (tiny.delta[..., 0] < 1e-154).all()
    assert not np.isfinite(huge.weight_gradient[..., 0]).any()


@pytest.mark.parametrize("activation", ["sigmoid", "randomized ReLU"])
def test_a_depth_does_not_depend_on_its_company(activation):
    experiment = TASKS["XOR, three seeds"].but(activation=activation, normalization="batch", skip="two layers")
    together = gradients_by_depth(experiment, [1, 6, 20, 13])
    for index, depth in enumerate([1, 6, 20, 13]):
        alone = gradients_by_depth(experiment, [depth])
        np.testing.assert_array_equal(alone.delta[:, 0], together.delta[:, index, : depth + 1])
        np.testing.assert_array_equal(alone.weight_gradient[:, 0], together.weight_gradient[:, index, : depth + 1])


@pytest.mark.parametrize("skip", SKIPS)
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_how_many_nets_and_seeds_go_together_changes_nothing(skip, normalization, monkeypatch):
    experiment = Experiment(width=8, runs=5, activation="tanh", skip=skip, normalization=normalization)
    usual = gradients_by_depth(experiment, range(1, 13))
    for nets in (1, 2, 5):
        monkeypatch.setattr(depths, "CACHE_BYTES", nets * 8 * 2 * (4 * 8 * 4 + 8 * 9))
        monkeypatch.setattr(depths, "runs_that_fit", lambda layers, width, samples: 2)
        few = gradients_by_depth(experiment, range(1, 13))
        np.testing.assert_array_equal(few.delta, usual.delta)
        np.testing.assert_array_equal(few.weight_gradient, usual.weight_gradient)
        np.testing.assert_array_equal(few.loss, usual.loss)


def test_a_seed_does_not_depend_on_the_others():
    experiment = Experiment(task="moons", width=8, activation="randomized ReLU", runs=40)
    many = gradients_by_depth(experiment, [2, 9])
    for run in (0, 17, 39):
        one = gradients_by_depth(experiment.but(runs=1, seed=run), [2, 9])
        np.testing.assert_array_equal(one.delta[0], many.delta[run])
        np.testing.assert_array_equal(one.weight_gradient[0], many.weight_gradient[run])


def test_depths_come_in_the_order_that_was_asked_for_even_twice():
    experiment = Experiment(runs=2)
    found = gradients_by_depth(experiment, [7, 2, 7, 4])
    sorted_ones = gradients_by_depth(experiment, [2, 4, 7])
    assert found.depths.tolist() == [7, 2, 7, 4]
    np.testing.assert_array_equal(found.delta, sorted_ones.delta[:, [2, 0, 2, 1]])
    np.testing.assert_array_equal(found.loss, sorted_ones.loss[:, [2, 0, 2, 1]])


def test_a_layer_that_a_net_does_not_have_is_nan_and_no_other():
    found = gradients_by_depth(Experiment(runs=2), range(1, 8))
    beyond = np.arange(8) > found.depths[:, None]
    for values in (found.delta, found.weight_gradient):
        assert values.shape == (2, 7, 8)
        np.testing.assert_array_equal(np.isnan(values), np.broadcast_to(beyond, values.shape))


def test_neither_the_experiments_own_depth_nor_how_it_trains_plays_a_part():
    one = gradients_by_depth(Experiment(runs=2, depth=3), [2, 5])
    other = Experiment(runs=2, depth=50, epochs=7, learning_rate=3.0, optimizer="Adam", clip="norm", batch="1")
    np.testing.assert_array_equal(one.delta, gradients_by_depth(other, [2, 5]).delta)


@pytest.mark.parametrize("wrong", [[0], [3, 51], [-1, 4]])
def test_a_depth_that_no_net_can_have_is_refused_by_name(wrong):
    with pytest.raises(ValueError, match="depth"):
        gradients_by_depth(Experiment(), wrong)


def test_no_depths_at_all_are_refused():
    with pytest.raises(ValueError, match="depths"):
        gradients_by_depth(Experiment(), [])


def test_all_depths_at_once_are_less_work_than_one_by_one():
    experiment = Experiment(width=8, activation="ReLU", initializer="He normal", runs=2)
    depths = range(1, 31)
    one_by_one = sum(calls(lambda depth=depth: gradients_by_depth(experiment, [depth])) for depth in depths)
    assert calls(lambda: gradients_by_depth(experiment, depths)) < one_by_one / 2
