"""Recurrent scenarios: what each one's caption claims is true, recomputed."""

import numpy as np
import pytest

from explorer import train
from explorer.recurrent_scenarios import DELAY, EXPLODING, RECURRENT_SCENARIOS
from explorer.recurrent_theory import gate_bias, gate_product


def pair(name):
    return RECURRENT_SCENARIOS[name].experiment, RECURRENT_SCENARIOS[name].baseline


def at_the_start(history, name):
    """Median over seeds of a measure at the last step and at the first, before any update."""
    return np.median(history.measures[name][:, 0, [-1, 0]], axis=0)


@pytest.fixture(scope="module")
def history():
    made = {}

    def get(experiment):
        if experiment not in made:
            made[experiment] = train(experiment)
        return made[experiment]

    return get


def test_the_delay_is_fifty_steps_at_the_least():
    x = DELAY.points().x
    assert x[:, 50:].any() == 0
    assert x.any(axis=(1, 2)).all()


def test_most_plain_nets_forget(history):
    e, _ = pair("Plain RNN, 100 steps: forgets")
    assert e.cell == "RNN"
    assert history(e).outcome.count("solved") <= 2
    last, first = at_the_start(history(e), "state_gradient")
    assert first < 0.05 * last


def test_nor_does_twice_the_time_help(history):
    assert history(DELAY.but(epochs=300)).outcome.count("solved") <= 3


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_gates_with_a_fitting_bias_remember(history, cell):
    e, baseline = pair(f"{cell} with a bias of ln 100: remembers")
    assert e == baseline.but(cell=cell)
    assert e.forget_bias == pytest.approx(gate_bias(e.length), abs=0.05)
    h = history(e)
    assert h.outcome.count("solved") >= 7
    assert h.outcome.count("solved") > history(baseline).outcome.count("solved") + 4
    carried = {"LSTM": "cell_gradient", "GRU": "state_gradient"}[cell]
    last, first = at_the_start(h, carried)
    assert first > 0.05 * last


@pytest.mark.slow
def test_gates_without_a_bias_do_not(history):
    e, baseline = pair("LSTM without a bias: forgets too")
    assert e == baseline.but(forget_bias=0.0)
    assert gate_product(0.0, 100) < 1e-30
    assert history(e).outcome.count("solved") == 0
    last, first = at_the_start(history(e), "cell_gradient")
    assert first < 1e-12 * last


def test_clipping_makes_what_explodes_learn_on_the_same_seeds(history):
    e, baseline = pair("Exploding, clipped")
    assert baseline == EXPLODING
    assert e == baseline.but(clip="norm", threshold=1.0)
    free, clipped = history(baseline), history(e)
    np.testing.assert_array_equal(free.gradient_norm[:, 0], clipped.gradient_norm[:, 0])
    assert np.median(free.gradient_norm[:, 0]) > 100
    assert free.outcome.count("diverged") >= 7
    assert max(ending.epoch for ending in free.endings if ending) <= 5
    assert clipped.outcome.count("solved") >= 7
    assert ((clipped.clipped_share[:, -1] > 0) & (clipped.clipped_share[:, -1] < 1)).all()


def test_clipping_changes_nothing_in_how_the_gradient_is_shared_by_the_steps(history):
    free, clipped = history(EXPLODING), history(EXPLODING.but(clip="norm", threshold=1.0))
    for name in ("state_gradient", "step_gradient"):
        np.testing.assert_array_equal(free.measures[name][:, 0], clipped.measures[name][:, 0])
