"""Recurrent nets side by side: the numbers are those of the history, the words follow stated rules, sentences say both."""

import math
from dataclasses import replace

import numpy as np
import pytest

from explorer import train
from explorer.choices.cells import CELLS
from explorer.choices.comparisons import COMPARISONS
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.comparison import time_detail, time_headline
from explorer.diagnosis.conditions import LARGE_PULL
from explorer.diagnosis.diagnose import Diagnosis
from explorer.diagnosis.facts import HEALTHY_DECADES, facts
from explorer.diagnosis.remedies import TIME_REMEDIES
from explorer.diagnosis.sentences import loss_went, mean_answers_error
from explorer.diagnosis.verdict import TIME_VERDICTS, judge
from explorer.training.run import Training
from tests.work import few

SMALL = RecurrentExperiment(length=8, hidden=4, samples=8, epochs=5, runs=3)
# Three steps of a ReLU net whose states grow a thousandfold: without clipping the first update ends it.
BURSTING = SMALL.but(
    task="sine", activation="ReLU", initializer="identity", strength=10, clip="none", optimizer="SGD", learning_rate=10
)


def named(names, facts):
    return {name: Diagnosis(None, f, judge(f)) for name, f in zip(names, facts, strict=True)}


def facts_of(experiment):
    return facts(train(experiment))


# --- the numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_the_ratio_is_the_median_seeds_of_the_gradient_at_the_state(cell):
    history = train(SMALL.but(cell=cell))
    found, gradient = facts(history), history.measures["state_gradient"]
    for log_ratio, record in ((found.log_ratio, 0), (found.log_ratio_end, -1)):
        of_seeds = gradient[:, record, 0] / gradient[:, record, -1]
        assert log_ratio == pytest.approx(math.log10(np.median(of_seeds)), rel=1e-12)
    assert 10 ** (found.log_factor * (SMALL.length - 1)) == pytest.approx(10**found.log_ratio, rel=1e-12)


def test_seeds_losses_and_epochs_are_the_historys():
    history = train(SMALL.but(epochs=60, learning_rate=0.05, hidden=16))
    found = facts(history)
    assert (found.runs, found.epoch, found.complete) == (3, 60, True)
    assert found.solved == history.outcome.count("solved") > 0
    assert found.solved + found.stuck + found.diverged + history.outcome.count("learning") == found.runs
    assert found.loss_start == np.median(history.loss[:, 0])
    assert found.loss_end == np.median(history.loss[:, -1])
    assert found.first_norm == np.median(history.gradient_norm[:, 0])
    assert found.solve_epoch == np.median(np.nan_to_num(history.solved_epoch(), nan=np.inf))
    assert found.clipped_share == pytest.approx(history.clipped_share[:, -1].mean())


def test_without_recurrent_weights_exactly_nothing_comes_back():
    found = facts_of(SMALL.but(initializer="zeros"))
    assert found.log_ratio == -math.inf
    assert "exactly 0" in time_detail(named(["zeros"], [found]))
    assert judge(found).name == "vanishing"


def test_what_becomes_infinite_is_named_with_its_step():
    history = train(BURSTING)
    found = facts(history)
    first = min((ending for ending in history.endings if ending), key=lambda ending: ending.epoch)
    assert found.diverged == found.runs
    when = f"after {first.epoch} update{'s' * (first.epoch > 1)}" if first.epoch else "before any update"
    assert found.first_end == f"{first.quantity} of step {first.layer} {when}"
    assert found.first_end in time_detail(named(["no clipping"], [found]))
    assert judge(found).name == "diverged"
    assert found.epoch <= first.epoch + 1 < BURSTING.epochs + 1


def test_before_any_update_there_is_a_gradient_and_nothing_clipped():
    training = Training(SMALL)
    training.advance(0)
    found = facts(training.history())
    assert math.isfinite(found.first_norm)
    assert math.isnan(found.clipped_share)
    assert (found.epoch, found.complete) == (0, False)
    assert "→" not in time_detail(named(["RNN"], [found]))


def test_where_every_position_counts_counts_the_size_is_told_and_not_the_reach():
    found = facts_of(SMALL.but(task="sine"))
    assert found.every_position_counts
    assert not facts_of(SMALL).every_position_counts
    told = time_detail(named(["RNN"], [found]))
    assert "first update's gradient" in told and "over all parameters" in told
    assert "step 1" not in told
    assert "step 1" in time_detail(named(["RNN"], [facts_of(SMALL)]))


# --- one word -----------------------------------------------------------------------------------

FACTS = facts_of(SMALL)
PLAIN = replace(
    FACTS,
    solved=0,
    stuck=0,
    diverged=0,
    runs=8,
    first_norm=1.0,
    first_pull=1.0,
    log_ratio=0.0,
    log_ratio_end=0.0,
    signs=replace(FACTS.signs, way=0.0),
)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"diverged": 4, "solved": 4}, "diverged"),
        ({"diverged": 3, "solved": 6, "log_ratio": -9.0}, "learns"),
        ({"solved": 5, "log_ratio": 1.01 * HEALTHY_DECADES}, "exploding"),
        ({"log_ratio": math.inf}, "exploding"),
        ({"first_pull": 1.01 * LARGE_PULL}, "exploding"),
        ({"first_pull": math.nan}, "exploding"),
        ({"log_ratio": -1.01 * HEALTHY_DECADES}, "vanishing"),
        ({"log_ratio": -math.inf}, "vanishing"),
        ({"log_ratio_end": -1.01 * HEALTHY_DECADES}, "vanishing"),  # it was training that took it away
        ({"signs": replace(PLAIN.signs, way=-0.51)}, "hardly moved"),
        ({"signs": replace(PLAIN.signs, way=-0.51), "shares": (0.2,)}, "the gradient arrives"),
        ({"log_ratio_end": -math.inf, "every_position_counts": True}, "the gradient arrives"),
        ({"log_ratio": -math.inf, "every_position_counts": True}, "the gradient arrives"),
        ({"log_ratio": 9.0, "every_position_counts": True}, "the gradient arrives"),
        ({"log_ratio": 0.99 * HEALTHY_DECADES, "first_pull": LARGE_PULL}, "the gradient arrives"),
    ],
)
def test_the_word_follows_from_the_first_rule_that_holds(changes, word):
    assert judge(replace(PLAIN, **changes)).name == word


def test_thresholds_are_stated_where_they_are_used():
    assert f"{LARGE_PULL:g}" in TIME_VERDICTS["exploding"].caption
    assert HEALTHY_DECADES == 3
    assert "10³" in TIME_VERDICTS["exploding"].caption and "10⁻³" in TIME_VERDICTS["vanishing"].caption


# --- sentences ----------------------------------------------------------------------------------


def counted(solved, **changes):
    return replace(PLAIN, solved=solved, **changes)


LOSS = f"{loss_went(PLAIN)}, and {mean_answers_error(PLAIN.signs.error)} is left"
PHRASE = COMPARISONS["the three cells"].phrase


def test_the_three_cells_are_told_in_one_sentence():
    told = time_headline(named(["RNN", "LSTM", "GRU"], [counted(0), counted(7), counted(8)]), PHRASE)
    assert told == "0 of 8 seeds learn it with the RNN, 7 with the LSTM, 8 with the GRU."


@pytest.mark.parametrize(
    ("names", "found", "told"),
    [
        (
            ["no clipping", "clip by norm"],
            [counted(0, diverged=8), counted(8)],
            "No clipping: 0 of 8 seeds learn it (8 diverged); clip by norm: 8.",
        ),
        (["baseline", "now"], [counted(1), counted(2, runs=4)], "Baseline: 1 of 8 seeds learns it; now: 2 of 4."),
        (["now"], [counted(6)], "Learns: 6 of 8 seeds by epoch 5."),
        (["GRU"], [counted(1, runs=1)], "Learns: by epoch 5."),
        (["now"], [counted(1)], f"The gradient arrives: 1 of 8 seeds learns it; {LOSS}."),
        (["GRU"], [counted(0, runs=1)], f"The gradient arrives: this seed does not learn it; {LOSS}."),
        (["GRU"], [counted(0, runs=1, diverged=1)], f"Diverged: {loss_went(PLAIN)}."),
        (["now"], [counted(0, complete=False)], f"The gradient arrives: 0 of 8 seeds learn it so far; {LOSS}."),
        ([], [], "Nothing is measured yet."),
    ],
)
def test_headlines(names, found, told):
    assert time_headline(named(names, found)) == told


def test_a_headline_says_that_training_goes_on():
    told = time_headline(named(["RNN", "GRU"], [counted(0), counted(1, complete=False)]), PHRASE)
    assert told == "So far, 0 of 8 seeds learn it with the RNN, 1 with the GRU."


def test_the_detail_has_the_numbers_of_each_at_the_start_and_now():
    f = replace(PLAIN, epoch=100, log_ratio=-1.585, log_ratio_end=-0.5)
    lstm = replace(f, log_ratio=math.log10(0.37), log_ratio_end=0.0)
    told = time_detail(named(["RNN", "LSTM"], [f, lstm]))
    assert f"step {SMALL.length}" in told
    assert "epoch 100" in told
    assert "RNN: 0.026 → 0.32; LSTM: 0.37 → 1.0." in told


def test_of_different_lengths_and_epochs_neither_is_claimed_for_all():
    other = replace(PLAIN, experiment=SMALL.but(length=20), epoch=3)
    told = time_detail(named(["baseline", "now"], [PLAIN, other]))
    assert "the last step" in told and "at the latest epoch: baseline: " in told


def test_each_is_named_also_where_they_are_told_of_apart():
    told = time_detail(
        named(
            ["baseline", "now"], [PLAIN, replace(PLAIN, every_position_counts=True, first_end="z of step 2 at epoch 1")]
        )
    )
    assert "baseline: 1.0 → 1.0." in told and "before clipping: now: 1.0" in told
    assert "Not finite first: now, z of step 2 at epoch 1." in told


def test_the_word_does_not_depend_on_the_losss_unit():
    """Half squared error sums what mean squared error averages: the gradient is as many times longer."""
    base = RecurrentExperiment(task="sine", length=10, cell="LSTM", forget_bias=0, epochs=1, runs=2, clip="none")
    words = []
    for experiment in (
        base,
        base.but(cell="GRU"),
        base.but(cell="RNN", activation="ReLU", initializer="identity", strength=3),
    ):
        found = [facts_of(experiment.but(loss=loss)) for loss in ("half squared error", "mean squared error")]
        assert found[0].first_norm > 50 * found[1].first_norm
        assert found[0].first_pull == pytest.approx(found[1].first_pull)
        words.append({judge(f).name for f in found})
    assert words == [{"hardly moved"}, {"hardly moved"}, {"exploding"}]


def test_one_or_two_nets_are_told_what_to_try():
    vanishing = facts_of(SMALL.but(initializer="zeros", learning_rate=0.1))
    told = time_detail(named(["RNN"], [vanishing]))
    assert told.endswith("By rule of thumb, try: gates that start open.")
    walked = replace(
        vanishing, experiment=SMALL.but(cell="GRU", truncation=2, epochs=50), signs=replace(PLAIN.signs, way=0.1)
    )
    assert "try: no truncation." in time_detail(named(["GRU"], [walked]))
    assert "try" not in time_detail(named(["RNN", "GRU", "LSTM"], [vanishing] * 3))


def test_of_the_last_net_what_was_tried_takes_the_place_of_the_rule():
    vanishing = facts_of(SMALL.but(initializer="zeros", learning_rate=0.1))
    alone = time_detail(named(["now"], [vanishing]), "Tried it.")
    assert alone.endswith("exactly 0. Tried it.")
    both = time_detail(named(["baseline", "now"], [vanishing] * 2), "Tried it.")
    assert both.endswith("exactly 0. By rule of thumb, try: baseline: gates that start open. Now: Tried it.")


def test_how_often_clipping_acted_is_told_of_those_that_clip():
    f = replace(PLAIN, every_position_counts=True, clipped_share=0.25)
    free = replace(f, experiment=SMALL.but(clip="none"))
    told = time_detail(named(["no clipping", "clip by norm"], [free, f]))
    assert "made smaller: clip by norm: 25%." in told


@pytest.mark.parametrize(("cut", "told"), [(1, "cut after every step"), (3, "cut after 3 steps")])
def test_where_backpropagation_is_cut_is_said_as_the_sidebar_says_it(cut, told):
    found = facts_of(SMALL.but(truncation=cut))
    assert judge(found).tell(found).startswith(f"backpropagation is {told}, and no gradient reaches the first step; ")


# --- what to try --------------------------------------------------------------------------------


def advised(
    loss_start=1.0, loss_end=1.0, loss_best=1.0, falling=0.0, experiment=SMALL, way=-0.5, stride=-2.0, **changes
):
    """What is advised to a net of this loss that has trained to its end."""
    seen = {"loss_start": loss_start, "loss_end": loss_end, "loss_best": loss_best, "falling": falling}
    signs = replace(PLAIN.signs, way=way, stride=stride, **seen)
    f = replace(PLAIN, signs=signs, experiment=experiment, complete=True, epoch=5, **changes)
    return judge(f).name, Diagnosis(None, f, judge(f)).advice


OPEN = SMALL.but(cell="GRU", epochs=100)  # its gate keeps the state from start to end


def test_over_time_larger_steps_are_advised_where_weights_moved_somewhat_and_steps_are_not_large_already():
    assert "ten times the learning rate" in advised(experiment=OPEN)[1]
    for changes in (
        {"way": -1.5},
        {"way": 0.5},
        {"loss_end": 1.1},
        {"experiment": OPEN.but(optimizer="RMSprop", learning_rate=0.1)},
        {"experiment": OPEN.but(optimizer="SGD", learning_rate=0.2)},
        {"experiment": OPEN.but(task="parity")},  # products must have been learnt in part
    ):
        assert "ten times the learning rate" not in advised(**{"experiment": OPEN} | changes)[1]
    assert "ten times the learning rate" in advised(experiment=OPEN.but(task="parity"), falling=0.1)[1]


def test_over_time_steps_that_moved_weights_by_many_times_their_size_are_too_large():
    name, names = advised(loss_end=2.1, experiment=OPEN.but(learning_rate=1.0), way=2.5, stride=0.5)
    assert name == "steps too large" and names == ("Adam", "a tenth of the learning rate")
    assert advised(loss_end=2.1, experiment=OPEN.but(epochs=20), way=0.5)[1] == (), "too few to learn by any steps"


def test_over_time_adam_is_advised_where_it_gets_far_enough():
    slow = OPEN.but(optimizer="SGD")
    assert advised(experiment=slow, way=-3.0)[1] == ("Adam",)
    assert advised(experiment=slow.but(epochs=10), way=-3.0)[1] == ()
    assert advised(experiment=slow, way=0.9)[1] == (), "they are as far"
    lost = SMALL.but(optimizer="SGD", strength=0.01, epochs=100)
    gone = {"experiment": lost, "way": -3.0, "log_ratio": -9.0, "log_ratio_end": -9.0}
    assert advised(**gone | {"experiment": lost.but(epochs=40)})[1] == ()
    assert advised(**gone)[1] == ("Adam",)
    assert advised(**gone | {"way": 1.0})[1] == (), "it is not steps that lack"
    assert advised(**gone | {"experiment": lost.but(hidden=1)})[1] == ()
    assert advised(**gone | {"experiment": lost.but(truncation=2)})[1] == (), "what is cut off no optimizer brings back"


def test_a_gradient_that_training_took_away_needs_smaller_steps_and_no_other_start():
    far = SMALL.but(learning_rate=0.1, strength=0.1, epochs=20)
    assert advised(log_ratio_end=-9.0, experiment=far, way=0.5) == ("vanishing", ("a tenth of the learning rate",))
    gone = {"log_ratio": -9.0, "log_ratio_end": -9.0}
    assert advised(experiment=far, **gone)[1] == ("gates that start open",)
    closed = far.but(cell="GRU", forget_bias=-9.0)
    assert advised(experiment=closed, **gone)[1] == ("gates that start open",)
    assert advised(experiment=closed.but(truncation=2), **gone)[1] == ()  # what is cut off no gate brings back
    assert advised(experiment=far.but(learning_rate=1e-4), **gone)[1] == ()  # steps that lead nowhere
    fell = judge(replace(PLAIN, log_ratio_end=-9.0)).tell(replace(PLAIN, log_ratio_end=-9.0))
    assert fell.startswith(
        "dL/dh at the first step fell to 1.0 × 10⁻⁹ of the last step's in training, from 1.0 at the start"
    )


def test_what_is_cut_is_to_be_kept_where_weights_moved_and_the_state_is_kept():
    cut = OPEN.but(truncation=2, learning_rate=0.01)
    gone = {"log_ratio": -math.inf, "log_ratio_end": -math.inf}
    assert advised(experiment=cut, way=0.5, **gone)[1] == ("no truncation",)
    assert "no truncation" not in advised(experiment=cut, way=-0.5, **gone)[1]
    assert "no truncation" not in advised(experiment=cut.but(forget_bias=-9.0), way=0.5, **gone)[1]


def test_over_time_a_way_is_told_in_usual_weights_whatever_the_loss_is_measured_in():
    adam, sgd = (facts_of(SMALL.but(optimizer=name, epochs=50)).signs for name in ("Adam", "SGD"))
    usual = 1 / math.sqrt(2 + SMALL.hidden)
    assert adam.way == pytest.approx(math.log10(50 * SMALL.learning_rate / usual))
    assert adam.stride == pytest.approx(math.log10(SMALL.learning_rate / usual))
    assert sgd.way < adam.way - 0.5, "a gradient is shorter than 1"


CLOSED = [{"cell": "LSTM", "forget_bias": 0.0}, {"cell": "GRU", "forget_bias": -1.0}, {"cell": "RNN"}]


@pytest.mark.parametrize("closed", few(CLOSED, [CLOSED[0], CLOSED[-1]]))
def test_over_time_a_net_that_forgets_is_told_to_open_its_gates_and_then_learns(closed):
    forgetful = RecurrentExperiment(**closed, length=50)  # Two symbols, and a long silence before the answer
    f = facts(train(forgetful))
    assert "gates that start open" in Diagnosis(None, f, judge(f)).advice
    opened = train(TIME_REMEDIES["gates that start open"].change(forgetful))
    assert f.solved < f.runs / 2 < opened.outcome.count("solved")
