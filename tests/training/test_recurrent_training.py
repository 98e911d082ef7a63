"""Trainings over time: resumable, repeatable, each seed on its own, honest about overflow; every control counts."""

import itertools

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.choices.cells import CELLS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.controls import Choice, Number
from explorer.choices.optimizers import OPTIMIZERS
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.choices.sequences import TASKS
from explorer.training.recording import Ending
from explorer.training.recurrent_group import RecurrentGroup
from explorer.training.run import Training, group_size
from explorer.training.time_measures import TIME_DIAGNOSTICS
from tests.training.test_training import assert_equal, each_kind_over_time, everything, over_time

# Repeated and in slices they are trained in test_training, with nets of layers.


@each_kind_over_time
def test_seeds_that_train_together_equal_single_ones_bit_for_bit(e):
    together = train(e)
    for run in range(e.runs):
        single = train(e.but(runs=1, seed=e.seed + run))
        assert_equal(everything(single), everything(together, slice(run, run + 1)))


@pytest.mark.parametrize("cell", CELLS)
def test_so_do_larger_ones(cell):
    e = RecurrentExperiment(cell=cell, length=40, hidden=24, samples=48, runs=3, epochs=4, optimizer="Adam")
    together = train(e)
    for run in range(e.runs):
        assert_equal(everything(train(e.but(runs=1, seed=run))), everything(together, slice(run, run + 1)))


@each_kind_over_time
def test_groups_of_runs_give_what_one_array_gives(e, monkeypatch):
    whole = train(e)
    monkeypatch.setattr("explorer.training.run.group_size", lambda experiment: 2)
    parts = Training(e)
    assert len(parts.groups) == 2
    parts.advance(float("inf"))
    assert_equal(everything(parts.history()), everything(whole))


def test_groups_hold_as_many_runs_as_have_room():
    assert group_size(over_time()) > 10
    assert group_size(over_time(cell="LSTM", hidden=128, samples=2048)) == 1
    training = Training(over_time(runs=300, hidden=32))
    assert len(training.groups) > 1
    training.advance(0.0)
    assert np.isfinite(training.history().loss).all()


# --- experiments that train together ----------------------------------------------------------


def test_experiments_of_equal_shape_train_together_each_as_alone():
    e = over_time(clip="norm", threshold=0.2)
    others = [
        e.but(initializer="orthogonal", strength=1.3, learning_rate=0.2),
        e.but(clip="none", seed=7, runs=2),
        e.but(forget_bias=-1.0, clip="value", threshold=0.01),
    ]
    for cell in CELLS:
        alike = [each.but(cell=cell) for each in (e, *others)]
        together = Training(*alike)
        together.advance(float("inf"))
        for index, each in enumerate(alike):
            assert_equal(everything(together.history(index)), everything(train(each)))


def test_what_may_differ_between_runs_is_a_setting_and_the_rest_is_refused():
    e = over_time()
    with pytest.raises(ValueError, match="hidden"):
        Training(e, e.but(hidden=6))
    with pytest.raises(ValueError, match="cannot train together"):
        Training(e, Experiment())
    assert e.but(strength=2.0).shape_key() == e.shape_key() != e.but(length=9).shape_key()


# --- the history is the same kind -------------------------------------------------------------


def test_a_history_has_a_place_for_every_time_step():
    e = over_time(cell="LSTM", stack=2)
    h = train(e)
    records = len(h.epochs)
    assert set(h.measures) == set(TIME_DIAGNOSTICS)
    assert all(values.shape == (3, records, e.length) for values in h.measures.values())
    assert h.recurrent_matrix["recurrent_gradient"].shape == (3, records)
    assert (
        h.recurrent_matrix["eigenvalues"].shape
        == h.recurrent_matrix["singular_values"].shape
        == (3, records, 2 * 4, e.hidden)
    )
    assert h.answers is None
    assert h.complete
    assert len(h.rows()) == 3 * records * e.length
    assert h.target_variance == pytest.approx(e.points().y.var())


def test_eigenvalues_and_singular_values_are_those_of_the_recurrent_matrix():
    e = over_time(cell="GRU", initializer="orthogonal", strength=1.2)
    training = Training(e)
    training.advance(float("inf"))
    h = training.history()
    np.testing.assert_allclose(h.recurrent_matrix["singular_values"][:, 0], 1.2, rtol=1e-12)
    np.testing.assert_allclose(np.abs(h.recurrent_matrix["eigenvalues"][:, 0]), 1.2, rtol=1e-12)
    matrices = training.groups[0].shape.recurrent_weights(training.groups[0].theta)
    expected = np.sort(np.abs(np.linalg.eigvals(matrices)), axis=-1)[..., ::-1]
    np.testing.assert_allclose(np.abs(h.recurrent_matrix["eigenvalues"][:, -1]), expected, rtol=1e-10)
    np.testing.assert_allclose(h.recurrent_matrix["singular_values"][:, -1], np.linalg.svd(matrices)[1], rtol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
def test_the_whole_recurrent_gradient_is_part_of_the_whole_gradient(cell):
    h = train(over_time(cell=cell))
    parts = h.measures["step_gradient"]
    whole = h.recurrent_matrix["recurrent_gradient"]
    assert (whole <= h.gradient_norm * (1 + 1e-12)).all()
    assert (whole <= parts.sum(axis=-1) * (1 + 1e-12)).all()  # a sum is no longer than its parts end to end


@pytest.mark.parametrize("clip", ["norm", "value"])
def test_clipping_is_recorded_as_for_layers(clip):
    limit = 0.01 if clip == "norm" else 1e-4
    e = over_time(clip=clip, threshold=limit, cell="LSTM")
    free, clipped = train(e.but(clip="none")), train(e)
    np.testing.assert_array_equal(free.gradient_norm[:, 0], clipped.gradient_norm[:, 0])
    np.testing.assert_array_equal(free.measures["state_gradient"][:, 0], clipped.measures["state_gradient"][:, 0])
    assert (clipped.clip_factor[:, 0] < 1).all()
    if clip == "norm":
        np.testing.assert_allclose(clipped.clip_factor[:, 0], 0.01 / (clipped.gradient_norm[:, 0] + 1e-6), rtol=1e-12)
    assert clipped.clipped_share[:, -1].min() > 0.5


@pytest.mark.parametrize("task", TASKS)
def test_a_trained_net_answers_its_own_data_as_recorded(task):
    e = over_time(task=task)
    training = Training(e)
    training.advance(float("inf"))
    points = training.points
    for run in range(e.runs):
        answers = training.answers(points.x, run)
        assert answers.shape == points.y.shape
        error = ((answers - points.y) ** 2).mean()
        assert error == pytest.approx(training.history().error[run, -1], rel=1e-12)


def test_memory_is_told_to_within_a_factor_of_two():
    for cell in CELLS:
        training = Training(over_time(cell=cell, length=60, samples=64, hidden=16))
        found = {}
        for group in training.groups:
            for network in (group.probe, *group.networks.values()):
                for layer in network.layers:
                    for value in vars(layer).values():
                        if isinstance(value, np.ndarray):
                            base = value if value.base is None else value.base
                            found[id(base)] = base.nbytes
        held = sum(found.values()) + training.records.nbytes
        assert held / 2 < training.nbytes < held * 2


# --- overflow ---------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", CLIPPERS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_that_overflows_leaves_the_others_bit_for_bit(clip, optimizer):
    e = over_time(activation="ReLU", clip=clip, threshold=0.05, optimizer=optimizer, learning_rate=0.01)
    training, sound = Training(e), train(e)
    training.groups[0].theta[0, 1, 0, 0] = np.inf
    training.advance(float("inf"))
    broken = training.history()
    assert broken.endings[1] is not None
    assert broken.endings[0] is broken.endings[2] is None
    for run in (0, 2):
        assert_equal(everything(broken, run), everything(sound, run))
    after = everything(broken, 1, slice(1, None))
    assert all(np.isnan(values).all() for values in after.values())
    assert broken.outcome[1] == "diverged"


def test_an_ending_names_the_first_step_that_is_not_finite():
    # A state that is squared in size at every step: 1e100, 1e200, 1e300, then too large.
    e = over_time(activation="ReLU", hidden=1, task="which first", length=9, runs=1, epochs=3)
    training = Training(e)
    (group,) = training.groups
    assert isinstance(group, RecurrentGroup)
    weights = group.shape.views(group.theta)
    weights.layers[0][0, :, 0] = (0.0, 0.0, 1e100, 1e100)  # x, x, h and the bias
    weights.output[:] = 1.0
    training.advance(float("inf"))
    assert training.history().endings == (Ending(0, 4, "z"),)


def test_an_ending_on_the_way_back_is_named_from_the_last_step_down():
    # Forward every state is 0; backward each step makes the gradient 1e120 times larger: 1, 1e120, 1e240, too large.
    e = over_time(activation="tanh", hidden=1, task="adding", length=9, runs=1, epochs=3)
    training = Training(e)
    weights = training.groups[0].shape.views(training.groups[0].theta)
    weights.layers[0][0, :, 0] = (0.0, 0.0, 1e120, 0.0)
    weights.output[:] = 1.0
    training.advance(float("inf"))
    assert training.history().endings == (Ending(0, 6, "dL/dz"),)


# --- every control counts ---------------------------------------------------------------------

NEEDS = {
    "threshold": {"clip": "norm"},
    "clip": {"threshold": 0.01},
    "order": {"batch": "1"},
    "batch": {"samples": 1024, "epochs": 1, "runs": 1},
    "forget_bias": {"cell": "LSTM"},
    "initializer": {"strength": 1.2},
}
OTHER = {
    "length": 9, "samples": 30, "hidden": 6, "stack": 2, "strength": 1.5, "forget_bias": 2.0, "threshold": 0.02,
    "truncation": 3, "learning_rate": 0.2, "epochs": 4, "runs": 2, "seed": 7,
}  # fmt: skip


def base(name):
    return over_time(**{"epochs": 3, "task": "parity", **NEEDS.get(name, {})})


def numbers(history):
    arrays = [history.epochs, *everything(history).values()]
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def test_every_number_has_another_value_to_flip_to():
    assert {name for name, control in RecurrentExperiment.controls().items() if isinstance(control, Number)} == set(
        OTHER
    )


CHOICES = [name for name, control in RecurrentExperiment.controls().items() if isinstance(control, Choice)]


@pytest.mark.parametrize("name", OTHER)
def test_flipping_a_number_alone_changes_the_history(name):
    before = base(name)
    after = before.but(**{name: OTHER[name]})
    assert numbers(train(after)) != numbers(train(before))


@pytest.mark.parametrize("name", CHOICES)
def test_every_option_gives_a_history_of_its_own(name):
    options = [option for option in RecurrentExperiment.controls()[name].options if (name, option) != ("loss", "usual")]
    histories = {option: numbers(train(base(name).but(**{name: option}))) for option in options}
    for one, other in itertools.combinations(options, 2):
        assert histories[one] != histories[other], f"{one} and {other} are the same"


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_the_forget_bias_sets_the_gate_that_keeps_the_state(cell):
    gate = {"LSTM": "forget_gate", "GRU": "update_gate"}[cell]
    opens = [train(over_time(cell=cell, forget_bias=b, epochs=1)).measures[gate][:, 0].mean() for b in (-2, 0, 2)]
    np.testing.assert_allclose(opens, 1 / (1 + np.exp([2, 0, -2])), atol=0.06)


@pytest.mark.parametrize("task", TASKS)
def test_the_usual_loss_is_the_tasks_own(task):
    e = over_time(task=task)
    assert numbers(train(e)) == numbers(train(e.but(loss=TASKS[task].loss)))
