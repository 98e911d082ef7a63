"""Remedies: each changes the computation, and the reason it gives holds of the numbers it is given."""

from functools import cache

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.choices.experiment import LOWEST_RATE
from explorer.diagnosis.effects import HARMED, HELPED, NOTHING, UNCLEAR, combined, effect
from explorer.diagnosis.facts import facts
from explorer.diagnosis.remedies import REMEDIES
from explorer.stories.scenarios import DYING, MOONS, SCENARIOS

# A net to which every remedy is new, and whose gradients are above the clipping threshold at some time.
BASE = Experiment(
    activation="tanh", depth=4, width=6, gain=2.0, epochs=60, threshold=0.01, learning_rate=0.5, batch="1"
)


@pytest.fixture(scope="module")
def found():
    return cache(lambda experiment: facts(train(experiment)))


@pytest.mark.parametrize("name", REMEDIES)
def test_a_remedy_changes_what_is_computed(name):
    base = BASE if REMEDIES[name].change(BASE) != BASE else BASE.but(activation="ELU")
    before, after = train(base), train(REMEDIES[name].change(base))
    assert not np.array_equal(before.loss, after.loss, equal_nan=True)


@pytest.mark.parametrize("name", REMEDIES)
def test_a_remedy_carries_its_formula_words_and_source(name):
    remedy = REMEDIES[name]
    assert remedy.formula
    assert remedy.source
    assert remedy.caption.endswith(".")


# They can be taken again.
STEPS = ("a tenth of the learning rate", "ten times the learning rate", "four times the epochs", "four times the width")


@pytest.mark.parametrize("name", [name for name in REMEDIES if name not in STEPS])
def test_any_other_remedy_applied_twice_is_that_remedy_applied_once(name):
    once = REMEDIES[name].change(BASE)
    assert REMEDIES[name].change(once) == once


@pytest.mark.parametrize("name", STEPS)
def test_a_step_ends_at_the_limit_of_its_setting(name):
    steps = [BASE]
    while (following := REMEDIES[name].change(steps[-1])) != steps[-1]:
        steps.append(following)
    assert 2 < len(steps) < 20


def test_batches_become_larger_until_they_hold_all_samples():
    batches = Experiment(task="moons", samples=100, batch="1")
    for size in ("8", "64", "full", "full"):
        batches = REMEDIES["larger batches"].change(batches)
        assert batches.batch == size


def test_cross_entropy_changes_the_loss_of_classes_that_have_another():
    entropy = REMEDIES["cross-entropy"]
    assert entropy.change(BASE).loss == "cross-entropy"
    for experiment in (BASE.but(task="moons"), BASE.but(task="curve"), BASE.but(loss="cross-entropy")):
        assert entropy.change(experiment) == experiment


def test_remedies_stand_in_the_order_of_how_much_they_usually_matter():
    expected = "ReLU|batch norm|a tenth of the learning rate|skip over one layer|skip over two layers"
    expected += "|fitting initialization|clip by norm|clip by value"
    assert list(REMEDIES)[:8] == expected.split("|")


@pytest.mark.parametrize(("depth", "skip"), [(1, "skip over one layer"), (2, "skip over two layers")])
def test_a_net_too_shallow_for_a_skip_is_left_alone_and_told_so(depth, skip, found):
    shallow = BASE.but(depth=depth)
    assert REMEDIES[skip].change(shallow) == shallow
    said = effect([skip], found(shallow), found(shallow))
    assert said.word == NOTHING
    assert "too shallow" in said.sentence


def test_the_smallest_learning_rate_is_not_lowered_further(found):
    lowest = BASE.but(learning_rate=LOWEST_RATE, epochs=5)
    assert REMEDIES["a tenth of the learning rate"].change(lowest) == lowest
    assert "smallest" in effect(["a tenth of the learning rate"], found(lowest), found(lowest)).sentence


def test_several_remedies_are_applied_one_after_the_other():
    both = combined(BASE, ["skip over one layer", "batch norm"])
    assert (both.skip, both.normalization) == ("one layer", "batch")
    assert combined(BASE, ["layer norm", "batch norm"]).normalization == "layer"  # the later one counts
    assert combined(BASE, []) == BASE


# --- why a remedy helped, or could not: the cases that textbooks get wrong ----------------------

VANISHING = Experiment(epochs=300)
DEEP_RELU = MOONS.but(activation="ReLU", depth=50, width=32, initializer="He normal", epochs=2, runs=4)


@pytest.mark.parametrize("clip", ["clip by norm", "clip by value"])
def test_clipping_cannot_help_a_gradient_that_vanishes(clip, found):
    before, after = found(VANISHING), found(REMEDIES[clip].change(VANISHING))
    said = effect([clip], before, after)
    assert said.word == UNCLEAR
    assert "only makes a gradient smaller" in said.sentence
    assert after.log_ratio == pytest.approx(before.log_ratio, abs=1e-12)


def test_layer_norm_does_not_do_for_sigmoid_what_batch_norm_does(found):
    base = MOONS.but(epochs=150)
    plain = found(base)
    layer, batch = (found(REMEDIES[name].change(base)) for name in ("layer norm", "batch norm"))
    assert "still multiplies dL/dz by" in effect(["layer norm"], plain, layer).sentence
    assert effect(["batch norm"], plain, batch).word == HELPED
    assert 10**layer.log_factor < 0.5 < 10**batch.log_factor


def test_batch_norm_without_skips_makes_a_deep_relu_net_explode(found):
    plain, normalized = found(DEEP_RELU), found(REMEDIES["batch norm"].change(DEEP_RELU))
    assert normalized.log_ratio > 3 > plain.log_ratio
    assert "without skips each layer then multiplies" in effect(["batch norm"], plain, normalized).sentence


def test_no_usual_variance_rescues_a_deep_sigmoid_net(found):
    before, after = found(VANISHING), found(REMEDIES["fitting initialization"].change(VANISHING))
    assert "at most 1/4" in effect(["fitting initialization"], before, after).sentence
    assert after.log_ratio < -3


def test_narrow_relu_nets_die_and_the_sentence_says_how_many(found):
    before, after = found(VANISHING), found(REMEDIES["ReLU"].change(VANISHING))
    said = effect(["ReLU"], before, after).sentence
    assert f"{after.dead_share:.0%} of them are off" in said
    assert f"in {round(after.zero_share * after.runs)} of {after.runs} seeds" in said


def test_smaller_steps_help_where_large_ones_killed_units(found):
    base = DYING.but(activation="leaky ReLU")
    before, after = found(base), found(REMEDIES["a tenth of the learning rate"].change(base))
    assert after.solved > before.solved
    assert effect(["a tenth of the learning rate"], before, after).word == HELPED


def test_skips_can_harm_where_signals_grow(found):
    base = MOONS.but(activation="ReLU", depth=30, width=32, initializer="He normal", learning_rate=0.02, epochs=150)
    before, after = found(base), found(REMEDIES["skip over one layer"].change(base))
    assert after.diverged * 2 >= after.runs
    assert effect(["skip over one layer"], before, after).word == HARMED


def test_weights_of_zero_stay_zero_whatever_the_remedy_but_another_start(found):
    zeros = SCENARIOS["All weights zero"].experiment.but(epochs=50)
    for name in ("batch norm", "skip over one layer", "ReLU"):
        after = found(REMEDIES[name].change(zeros))
        assert after.zero_share == 1
        assert "every weight that the gradient would have to pass is 0" in effect([name], found(zeros), after).sentence
