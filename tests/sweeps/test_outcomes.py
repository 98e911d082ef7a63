"""Outcomes: what is kept of a history is what the history says."""

import math
import pickle

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.diagnosis.facts import facts
from explorer.diagnosis.seeds import log_band
from explorer.sweeps.outcomes import OUTCOMES, find
from explorer.theory.prediction import predict

SOLVING = Experiment(skip="one layer", activation="tanh", depth=3, initializer="Glorot normal", epochs=3000, runs=5)
DEAD = Experiment(task="moons", activation="ReLU", initializer="zeros", depth=3, width=4, epochs=5)
DIVERGING = Experiment(task="moons", activation="ReLU", initializer="normal", width=64, epochs=20, runs=3)


@pytest.fixture(scope="module")
def histories():
    return {experiment: train(experiment) for experiment in (SOLVING, DEAD, DIVERGING)}


@pytest.mark.parametrize("experiment", [SOLVING, DEAD, DIVERGING])
def test_a_finding_says_what_the_history_says(experiment, histories):
    history = histories[experiment]
    found, expected = find(history), facts(history)
    assert (found.solved, found.diverged, found.runs) == (expected.solved, expected.diverged, expected.runs)
    assert found.log_ratio == expected.log_ratio
    assert {len(layers) for layers in found.end.values()} == {experiment.layers}
    for measure, layers in found.end.items():
        np.testing.assert_array_equal(layers, log_band(history.measures[measure]).middle[history.at(expected.epoch)])


def test_epochs_to_solve_is_the_median_over_all_seeds(histories):
    history = histories[SOLVING]
    epochs = np.sort(np.nan_to_num(history.solved_epoch(), nan=np.inf))
    assert find(history).solve_epoch == epochs[2]
    assert find(histories[DEAD]).solve_epoch == math.inf


def test_theory_and_measurement_are_over_the_same_steps():
    e = Experiment(task="moons", depth=12, width=64, activation="tanh", initializer="LeCun", epochs=1, runs=16)
    found, delta = find(train(e)), predict(e).median_delta
    assert found.log_factor_theory == pytest.approx(math.log10(delta[0] / delta[-2]) / 11)
    assert OUTCOMES["factor against theory, start"].of(found) == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("name", OUTCOMES)
@pytest.mark.parametrize("experiment", [SOLVING, DEAD, DIVERGING])
def test_every_outcome_is_a_number_with_words(name, experiment, histories):
    outcome = OUTCOMES[name]
    assert isinstance(outcome.of(find(histories[experiment])), float)
    assert outcome.caption.endswith(".")
    assert outcome.span[0] < outcome.span[1]
    assert not outcome.diverging or sum(outcome.span) == 0  # the neutral colour is at 1


@pytest.mark.parametrize("name", [name for name in OUTCOMES if OUTCOMES[name].trained])
def test_what_was_not_trained_has_no_outcome_of_training(name, histories):
    assert math.isnan(OUTCOMES[name].of(find(histories[SOLVING], trained=False)))


def test_exact_zeros_and_what_is_not_finite_are_kept_apart(histories):
    assert OUTCOMES["first / last layer, start"].of(find(histories[DEAD])) == -math.inf
    assert OUTCOMES["final loss"].of(find(histories[DIVERGING])) == math.inf


def test_a_finding_can_be_sent_to_another_process(histories):
    found = find(histories[SOLVING])
    back = pickle.loads(pickle.dumps(found))
    assert back.experiment == found.experiment
    np.testing.assert_array_equal(back.end["delta"], found.end["delta"])
