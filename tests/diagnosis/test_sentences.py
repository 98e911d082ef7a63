"""Sentences: each kind of claim is made only where it is true, and each reads as one would say it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from explorer import Experiment, diagnose, train
from explorer.choices.activations import ACTIVATIONS
from explorer.diagnosis import reasons
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.facts import facts
from explorer.diagnosis.sentences import error_left, of_failed, tell_diverged, with_others
from explorer.diagnosis.signs import kept_by_zeros
from explorer.diagnosis.verdict import VERDICTS, judge
from explorer.diagnosis.wording import decades
from explorer.stories.scenarios import DYING


@pytest.fixture(scope="module")
def dying():
    return facts(train(DYING.but(epochs=100)))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_only_units_that_are_0_below_0_are_called_off(dying, activation):
    told = VERDICTS["dead"].tell(replace(dying, experiment=dying.experiment.but(activation=activation)))
    assert ("are off for every sample" in told) == (activation == "ReLU")
    assert "pass no gradient" in told


def test_where_advice_stands_there_is_always_a_sentence(dying):
    found = diagnose(train(DYING.but(epochs=10, task="blobs", depth=1, activation="tanh", learning_rate=1)))
    assert (found.verdict, found.advice_sentence) == ("solved", "Nothing needs mending.")
    helpless = replace(found, facts=dying, rule=replace(judge(dying), remedies={}))
    assert helpless.advice_sentence == "No single change is known to help here."
    early = replace(found, facts=replace(found.facts, complete=False))
    assert early.advice_sentence == ""


def test_a_gradient_that_hardly_reaches_the_first_layer_is_not_said_to_arrive(dying):
    for end, arrives in ((-2.9, True), (-3.1, False)):
        f = replace(dying, log_ratio_end=end)
        for word in ("stuck", "unfinished", "healthy"):
            assert ("the gradient arrives" in VERDICTS[word].tell(f)) == arrives


def test_where_most_seeds_did_not_solve_it_only_the_gradient_is_called_well(dying):
    f = replace(dying, complete=True, solved=2)
    assert Diagnosis(None, f, VERDICTS["healthy"]).advice_sentence == "Nothing is wrong with the gradient."
    assert Diagnosis(None, replace(f, solved=6), VERDICTS["solved"]).advice_sentence == "Nothing needs mending."


def test_what_is_said_in_one_breath_is_of_the_same_seeds():
    """Of seeds that failed their error and their share of right answers, whatever the others did."""
    some = train(Experiment(depth=1, width=2, initializer="uniform", learning_rate=3, epochs=300, runs=16))
    failed = [word != "solved" for word in some.outcome]
    assert 0 < sum(failed) < 8
    found = facts(some)
    assert found.signs.accuracy == np.median(some.accuracy[failed, -1])
    assert f"({found.signs.accuracy:.0%} of the answers are right)" in error_left(found)


def test_a_remedys_reason_says_only_what_the_numbers_say(dying):
    """No share of more than one, no NaN, and no gradient that is blamed where it is small."""

    def moved(way):
        return replace(dying, signs=replace(dying.signs, way=way))

    assert "by 20 times their own size, before by 0.050 of their own size" in reasons.weights_move(
        moved(-1.3), moved(1.3)
    )
    fell = replace(dying, diverged=3)
    assert reasons.smaller_steps(fell, fell) == f"with these steps 3 of {dying.runs} seeds diverge as well"
    unknown = replace(dying, clipped_share=math.nan, log_ratio=0.0)
    assert "nan" not in reasons.clipping(unknown, unknown)
    assert "to not finite" not in reasons.epochs(dying, replace(dying, loss_end=math.inf))


def test_more_error_than_the_mean_answers_is_not_left_but_times_it(dying):
    """Of runs that did not diverge no number is cut off."""
    for error, said in (
        (0.994, "99% of"),
        (1.0, "100% of"),
        (1.04, "104% of"),
        (1.99, "2.0 times"),
        (250.0, "250 times"),
    ):
        f = replace(dying, solved=6, diverged=0, signs=replace(dying.signs, error=error))
        assert f"have {said} the mean answer's error" in VERDICTS["solved"].tell(f)
        assert said in error_left(f) and (" is left" in error_left(f)) == (error < 1.05)


@pytest.mark.parametrize(("reach", "end"), [(-math.inf, -math.inf), (-1.0, -math.inf)])
def test_where_nothing_at_all_arrives_it_is_said_why(dying, reach, end):
    told = VERDICTS["vanishing"].tell(replace(dying, signs=replace(dying.signs, reach=reach, reach_end=end)))
    assert "exactly 0" in told and "slopes are 0" in told
    small = VERDICTS["vanishing"].tell(replace(dying, signs=replace(dying.signs, reach=-9.0, reach_end=-9.0)))
    assert "slopes are 0" not in small


def test_what_hardly_moved_are_the_weights_and_the_loss_comes_after(dying):
    f = replace(dying, signs=replace(dying.signs, way=-2.0, loss_start=340.0, loss_end=23.0))
    told = VERDICTS["hardly moved"].tell(f)
    assert told.startswith(
        "all updates together moved a typical layer's weights by at most 0.010 of their own size; the loss went"
    )
    still = VERDICTS["hardly moved"].tell(replace(f, signs=replace(f.signs, way=-math.inf)))
    assert still.startswith("no update moved a typical layer's weights; ")


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, 0.25),
        ({"activation": "ReLU", "skip": "one layer"}, 0.25),
        ({"activation": "sigmoid"}, 0.0),  # 1/2 at 0, not 0
        ({"bias": "zeros"}, 0.0),
        ({"normalization": "layer"}, 0.0),
        ({"task": "moons"}, 0.0),  # no point is at 0
    ],
)
def test_what_inputs_of_zeros_keep_is_kept_by_all_weights(changes, kept):
    without = Experiment(
        depth=2, width=6, activation="tanh", initializer="uniform", bias="none", epochs=300, learning_rate=0.5
    )
    experiment = without.but(**changes)
    assert kept_by_zeros(experiment) == pytest.approx(kept)
    assert (train(experiment).error >= kept * 0.25 - 1e-12).all()


def test_a_remedys_reason_names_no_cause_that_is_not_there(dying):
    """Dead units where units died, a steep part where there is one, and "yet" where the gradient vanishes all the same."""
    alive = replace(dying, dead_share=0.0, zero_share=1.0, log_ratio=0.0, signs=replace(dying.signs, off=0))
    assert "units die" not in reasons.relu(alive, alive)
    assert "units die" in reasons.relu(alive, replace(alive, signs=replace(dying.signs, off=3)))
    for activation, keeps in (
        ("ReLU", "on for some samples"),
        ("linear", "z at one size"),
        ("tanh", "where the activation is steep"),
    ):
        f = replace(alive, experiment=dying.experiment.but(activation=activation))
        assert keeps in reasons.batch_norm(f, f)
    assert "past the layers, yet at the start dL/dz" in reasons.skip(alive, replace(alive, log_ratio=-9.0))
    vanished = replace(alive, log_ratio=-9.0, solved=0, diverged=0, shares=(1.0,) * 8)
    for reason, cannot in (
        (reasons.smaller_steps, "cannot enlarge"),
        (reasons.clipping, "only makes a gradient smaller"),
    ):
        assert cannot in reason(vanished, vanished)
        assert cannot not in reason(vanished, replace(vanished, shares=(0.5,) * 8))
    equal = replace(alive, signs=replace(dying.signs, alike_start=dying.signs.seeds, alike=dying.signs.seeds))
    assert "times their own size" not in reasons.weights_move(equal, equal)
    assert "start alike" in reasons.layer_norm(equal, equal)
    for activation, width, cause in (
        ("sigmoid", 16, "to every sample alike"),
        ("tanh", 3, "but its signs"),
        ("tanh", 4, ""),
    ):
        f = replace(alive, log_ratio=-9.0, experiment=dying.experiment.but(activation=activation, width=width))
        assert reasons.layer_norm(f, f).endswith(cause or f"by {decades(f.log_factor)}")


def test_stuck_says_yet_where_the_two_do_not_go_together(dying):
    def told(start, end):
        return VERDICTS["stuck"].tell(
            replace(dying, log_ratio_end=0.0, signs=replace(dying.signs, loss_start=start, loss_end=end))
        )

    assert told(32.0, 19.0).startswith("the gradient arrives, and the loss went from 32 to 19, yet ")
    assert told(0.69, 0.69).startswith("the gradient arrives, yet the loss stayed at 0.69, and ")
    assert told(0.5, 0.6).startswith("the gradient arrives, yet the loss went from 0.50 to 0.60, and ")


def test_what_is_told_of_the_seeds_that_failed_says_so_where_others_did_not(dying):
    f = dying
    some = replace(f, solved=3, diverged=1, runs=8)
    assert of_failed(some, "it is so") == "3 of 8 seeds solve it and 1 diverged; in the others, it is so."
    assert with_others(some, "it is so") == "it is so; 3 of 8 seeds solve it and 1 diverged."
    for nobody_else in (replace(f, solved=0, diverged=0), replace(f, solved=0, diverged=1, runs=1)):
        assert of_failed(nobody_else, "it is so") == with_others(nobody_else, "it is so") == "it is so."


def test_a_single_seed_that_diverged_has_no_median(dying):
    f = replace(dying, runs=1, ended=0, diverged=1, solved=0, loss_start=0.7, loss_end=2734.0)
    assert tell_diverged(f) == "the loss grew more than a thousandfold in this seed, from 0.70 to 2,734."
    assert "its median from" in tell_diverged(replace(f, runs=4))
