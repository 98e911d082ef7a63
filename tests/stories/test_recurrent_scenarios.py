"""Recurrent scenarios: what each one's caption claims is true, recomputed."""

import math

import numpy as np
import pytest

from explorer.choices.comparisons import COMPARISONS
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis import diagnose
from explorer.stories.scenarios import CUT, DELAY, EXPLODING_IN_TIME, matching, scenarios_of
from explorer.theory.gates import gate_product

RECURRENT = scenarios_of(RecurrentExperiment)
CELLS, BIASES, CLIPPINGS, STARTS, CUTS = RECURRENT.values()


def at_the_start(history, name):
    """Median over seeds of a measure at the last step and at the first, before any update."""
    return np.median(history.measures[name][:, 0, [-1, 0]], axis=0)


def solved(history):
    return history.outcome.count("solved")


def test_the_first_is_what_opens():
    assert CELLS.experiment == DELAY == RecurrentExperiment()
    assert CELLS.compare == next(iter(COMPARISONS))


@pytest.mark.parametrize("name", RECURRENT)
def test_a_scenario_is_recognized_by_its_settings_and_by_what_stands_beside(name):
    scenario = RECURRENT[name]
    assert matching(scenario.experiment, None, scenario.compare) == name
    assert matching(scenario.experiment, DELAY, scenario.compare) is None
    assert matching(scenario.experiment.but(hidden=7), None, scenario.compare) is None
    other = next(each for each in COMPARISONS if each != scenario.compare)
    assert matching(scenario.experiment, None, other) != name


@pytest.mark.parametrize("name", RECURRENT)
def test_a_scenario_sets_experiments_side_by_side_that_differ(name):
    compared = RECURRENT[name].compared
    assert 2 <= len(compared) == len(set(compared.values())) <= 6


def test_the_delay_is_fifty_steps_at_the_least():
    x = DELAY.points().x
    assert x[:, 50:].any() == 0
    assert x.any(axis=(1, 2)).all()


def test_plain_nets_forget(history):
    e = CELLS.compared["RNN"]
    assert solved(history(e)) == 0
    last, first = at_the_start(history(e), "state_gradient")
    assert first < 1e-20 * last


def test_nor_does_three_times_the_time_help(history):
    assert solved(history(DELAY.but(epochs=300))) <= 2


def test_weights_twice_as_large_let_the_gradient_through_and_still_most_plain_nets_forget(history):
    h = history(DELAY.but(strength=1.0))
    assert solved(h) <= 2
    last, first = at_the_start(h, "state_gradient")
    assert 1e-3 * last < first < 0.05 * last


# What the tour's scenes say of cells, biases and clipping is recomputed of the same nets in every run, in test_tour.
@pytest.mark.long
@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_gates_with_a_fitting_bias_remember(history, cell):
    e, plain = CELLS.compared[cell], CELLS.compared["RNN"]
    assert e == plain.but(cell=cell)
    assert gate_product(e.forget_bias, e.length) == pytest.approx(math.exp(-1), rel=0.05)
    h = history(e)
    assert solved(h) >= 7
    assert solved(h) > solved(history(plain)) + 4
    assert diagnose(h).verdict == "learns"
    carried = {"LSTM": "cell_gradient", "GRU": "state_gradient"}[cell]
    last, first = at_the_start(h, carried)
    assert first > 0.05 * last


@pytest.mark.long
def test_gates_without_a_bias_do_not(history):
    half_open, _, fitting = BIASES.compared.values()
    assert half_open == fitting.but(forget_bias=0.0)
    assert fitting.forget_bias == pytest.approx(math.log(100), abs=0.05)
    assert gate_product(0.0, 100) < 1e-30
    assert solved(history(half_open)) == 0
    last, first = at_the_start(history(half_open), "cell_gradient")
    assert first < 1e-20 * last
    assert solved(history(fitting)) >= 7


@pytest.mark.long
def test_clipping_makes_what_explodes_learn_on_the_same_seeds(history):
    free, by_value, by_norm = (history(each) for each in CLIPPINGS.compared.values())
    assert CLIPPINGS.compared["clip by norm"] == CLIPPINGS.compared["no clipping"].but(clip="norm", threshold=1.0)
    np.testing.assert_array_equal(free.gradient_norm[:, 0], by_norm.gradient_norm[:, 0])
    assert 500 < np.median(free.gradient_norm[:, 0]) < 2000  # "about a thousand long"
    assert free.outcome.count("diverged") >= 7
    assert sum(ending is not None and ending.epoch <= 5 for ending in free.endings) >= 7
    for clipped in (by_value, by_norm):
        assert solved(clipped) >= 7
        assert ((clipped.clipped_share[:, -1] > 0) & (clipped.clipped_share[:, -1] < 1)).all()


def test_clipping_changes_nothing_in_how_the_gradient_is_shared_by_the_steps(history):
    free, clipped = history(EXPLODING_IN_TIME.but(clip="none")), history(EXPLODING_IN_TIME)
    for name in ("state_gradient", "step_gradient"):
        np.testing.assert_array_equal(free.measures[name][:, 0], clipped.measures[name][:, 0])


@pytest.mark.slow
def test_orthogonal_weights_make_most_plain_nets_learn_and_no_other_start_does(history):
    found = {name: history(each) for name, each in STARTS.compared.items()}
    assert solved(found["orthogonal"]) >= 5
    assert all(
        solved(h) <= 4 for name, h in found.items() if name != "orthogonal"
    )  # of 8: not most, whatever is rounded
    last, first = at_the_start(found["largest singular value"], "state_gradient")
    assert 0 < first < 1e-20 * last
    last, first = at_the_start(found["zeros"], "state_gradient")
    assert first == 0 < last
    np.testing.assert_allclose(found["orthogonal"].recurrent_matrix["singular_values"][:, 0], 1.0, rtol=1e-12)
    assert STARTS.experiment == DELAY.but(strength=1.0, epochs=2 * DELAY.epochs)


def test_what_is_cut_does_not_reach_the_bits_and_is_not_learnt(history):
    whole, cut = (history(each) for each in CUTS.compared.values())
    assert list(CUTS.compared) == ["not cut", "cut after 6 steps"]
    marks = CUT.points().x[:, :, 1].any(axis=0)
    bits = np.flatnonzero(marks)
    assert bits.max() < CUT.length / 2
    assert (cut.measures["state_gradient"][:, :, bits] == 0).all()
    assert (whole.measures["state_gradient"][:, 0, bits] > 0).all()
    assert solved(whole) >= 7
    assert solved(cut) <= 1
