"""Scenarios: what each one's caption claims is true, recomputed."""

import numpy as np
import pytest

from explorer import Experiment
from explorer.diagnosis.facts import facts
from explorer.diagnosis.verdict import judge
from explorer.stories.scenarios import OPENING, SCENARIOS, matching, scenarios_of
from explorer.stories.tour import TOUR
from tests.limits import limit_factor
from tests.rounding import history_of
from tests.work import few

LAYERED = scenarios_of(Experiment)


def pair(name):
    return SCENARIOS[name].experiment, SCENARIOS[name].baseline


def factors(history, record=0):
    """Median over seeds of what each hidden layer multiplies RMS dL/dz by, on the way back."""
    delta = history.measures["delta"][:, record, :-1]
    return np.median((delta[:, 0] / delta[:, -1]) ** (1 / (delta.shape[1] - 1)))


def test_the_first_is_what_opens():
    assert next(iter(SCENARIOS.values())).experiment == OPENING == Experiment()


@pytest.mark.parametrize("name", LAYERED)
def test_a_scenario_is_recognized_by_its_settings(name):
    assert matching(*pair(name)) == name


def test_settings_of_ones_own_are_nobodys_scenario():
    assert matching(OPENING.but(depth=7), OPENING) is None


def test_sigmoid_never_learns(history):
    h = history(OPENING)
    assert h.outcome == ["stuck"] * 8
    np.testing.assert_allclose(h.answers[:, -1], 0.5, atol=0.02)
    assert (h.measures["delta"][:, 0, 0] < 1e-4 * h.measures["delta"][:, 0, -1]).all()


def test_one_change_makes_it_learn(history):
    after, before = pair("The same with skips: learns")
    assert after == before.but(skip="one layer")
    assert history(after).outcome.count("solved") >= 6
    assert facts(history(after)).log_ratio > facts(history(before)).log_ratio + 4


def test_the_tutorials_plain_net_settles_at_one_half(history):
    e, _ = pair("Tutorial recipe, plain")
    assert (e.epochs, e.batch, e.order, e.optimizer, e.initializer) == (
        100_000,
        "1",
        "fixed",
        "Adam",
        "positive uniform",
    )
    # That it stays there for all 100,000 epochs is in test_tutorial; that it arrives takes a thousand.
    h = history(e.but(epochs=4000))
    np.testing.assert_allclose(h.loss[:, -1], 0.5, atol=3e-4)


def test_the_tutorials_residual_net_starts_saturated_at_one(history):
    after, before = pair("Tutorial recipe, residual")
    assert after == before.but(skip="one layer")
    h = history(after.but(epochs=100))
    assert (np.abs(np.median(h.loss, axis=0) - 1) < 0.01).all()
    assert (h.answers[:, 0] > 0.99).all()


@pytest.mark.long  # test_tutorial trains the same recipe in every run
def test_the_tutorials_residual_net_then_solves_xor(history):
    after, _ = pair("Tutorial recipe, residual")
    h = history(after)
    assert h.outcome.count("solved") >= 5
    assert np.nanmedian(h.solved_epoch()) > 1000


@pytest.mark.long
def test_batch_norm_rescues_sigmoid_and_layer_norm_does_not(history):
    after, before = pair("Sigmoid rescued by batch norm")
    assert after == before.but(normalization="batch")
    layer = history(after.but(normalization="layer"))
    plain, batch = history(before), history(after)
    solved = [h.outcome.count("solved") for h in (plain, layer, batch)]
    assert solved[2] >= 7
    assert solved[0] == 0
    assert solved[1] <= 2
    reach = [facts(h).log_ratio for h in (plain, layer, batch)]
    assert reach[2] > max(reach[:2]) + 3


@pytest.mark.long  # a scene of the tour in every run
def test_batch_norm_learns_where_plain_nets_fail_at_ten_times_the_rate(history):
    normed, plain = (history(e.but(runs=16)) for e in pair("Batch norm at ten times the rate"))
    slow = history(plain.experiment.but(learning_rate=plain.experiment.learning_rate / 10))
    assert slow.outcome.count("solved") >= 14
    assert plain.outcome.count("solved") < 8
    assert normed.outcome.count("solved") >= 14


def test_convolutions_with_and_without_skips_are_a_scene_of_the_tour():
    after, before = pair("Convolutions, 20 layers deep, with skips")
    assert before == SCENARIOS["Convolutions, 20 layers deep: never learn"].experiment
    assert after == before.but(skip="one layer")
    assert tuple(each for _, each in TOUR["Convolutions need the way around, too"].shown) == (before, after)


@pytest.mark.long  # the scene's test trains them in every run
def test_twenty_convolutions_learn_with_skips_alone(history):
    plain, skips = (history(e) for e in pair("Convolutions, 20 layers deep, with skips")[::-1])
    assert plain.outcome.count("solved") == 0
    assert skips.outcome.count("solved") >= 7
    assert -6 < facts(plain).log_inside < -5
    assert 0 < facts(skips).log_inside < 1


@pytest.mark.long
def test_forty_convolutions_too(history):
    after, before = pair("Convolutions, 20 layers deep, with skips")
    assert history(before.but(depth=40)).outcome.count("solved") == 0
    assert history(after.but(depth=40)).outcome.count("solved") >= 6


def test_batch_norm_learns_from_a_start_from_which_no_plain_net_does(history):
    normed, plain = (history(e.but(runs=16)) for e in pair("Batch norm from a bad start"))
    assert plain.outcome.count("solved") == 0
    assert normed.outcome.count("solved") >= 15


def test_glorot_halves_the_squared_gradient_at_each_relu_layer_and_he_keeps_it():
    he, glorot = pair("He against Glorot, 30 ReLU layers")
    assert (he.depth, he.activation) == (30, "ReLU")
    wide = {"width": 128, "runs": 24, "epochs": 1}
    squared = [factors(history_of(e.but(**wide), start=True)) ** 2 for e in (he, glorot)]
    assert squared[0] == pytest.approx(1.0, abs=0.05)
    assert squared[1] == pytest.approx(0.5, abs=0.05)


@pytest.mark.long
def test_with_he_more_seeds_learn_than_with_glorot(history):
    he, glorot = pair("He against Glorot, 30 ReLU layers")
    outcomes = [history(e).outcome.count("solved") for e in (he, glorot)]
    assert outcomes[0] > outcomes[1]


# In every run for its first epochs: what becomes of the seeds is a scene of the tour.
@pytest.mark.parametrize("epochs", few([30, None], [30]))
def test_clipping_tames_the_updates_and_leaves_the_ratio(history, epochs):
    clipped, free = (history(e.but(epochs=epochs or e.epochs)) for e in pair("Exploding tanh, clipped"))
    assert 200 < 10 ** facts(free).log_ratio < 2000  # "hundreds of times", for any eight seeds
    assert facts(clipped).log_ratio == pytest.approx(facts(free).log_ratio, abs=1e-9)
    assert (clipped.gradient_norm * clipped.clip_factor <= 0.01 * (1 + 1e-9)).all()
    assert clipped.clipped_share[:, -1].min() > 0
    if not epochs:
        assert free.outcome.count("solved") <= 1
        assert clipped.outcome.count("solved") * 2 > len(clipped.outcome)


def test_relu_units_die_and_leaky_ones_cannot(history):
    leaky, relu = (history(e) for e in pair("Dying ReLU"))
    dead = relu.measures["dead"][..., :-1]
    assert dead[:, -1].mean() > dead[:, 0].mean() + 0.2
    assert judge(facts(relu)).name == "dead"
    assert np.nanmax(leaky.measures["dead"][..., :-1]) == 0


def test_zero_weights_have_exactly_zero_gradients(history):
    e, _ = pair("All weights zero")
    h = history(e)
    assert (h.measures["delta"][..., :-1] == 0).all()
    assert (h.measures["weight_gradient"] == 0).all()
    # Only the output's bias can learn.
    assert (h.measures["bias_gradient"][..., :-1] == 0).all()


def test_relu_with_unit_normals_diverges_at_once(history):
    e, _ = pair("ReLU with N(0, 1): diverges at once")
    h = history(e)
    assert h.outcome.count("diverged") * 2 >= len(h.outcome)
    assert min(ending.epoch for ending in h.endings if ending) <= 3
    assert factors(h) == pytest.approx(np.sqrt(64 / 2), rel=0.1)
    assert limit_factor(e) == pytest.approx(5.66, abs=0.01)
