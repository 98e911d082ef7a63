"""Trials: what is tried fits the limits, and what is advised because it was tried has helped."""

import pytest

from explorer import Experiment, RecurrentExperiment, diagnose, train
from explorer.diagnosis.effects import HELPS
from explorer.diagnosis.facts import facts
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.trials import (
    MOST_ADVISED,
    TRIED_SEEDS,
    Results,
    Tried,
    attempts,
    trials,
    try_remedies,
    trying_seconds,
    within_limits,
)
from explorer.diagnosis.verdict import RANDOM_FIRST
from explorer.training.cost import estimate, refuse, refuse_all

SMALL = Experiment(task="moons", samples=32, depth=3, width=6, epochs=60, learning_rate=0.01)


@pytest.fixture(scope="module")
def tried():
    return try_remedies(diagnose(train(SMALL)), seconds=60)


def test_every_remedy_that_changes_something_is_tried_those_advised_first(tried):
    names = [attempt.name for attempt in tried.attempts]
    assert sorted(names) == sorted(name for name, remedy in REMEDIES.items() if remedy.change(SMALL) != SMALL)
    advised = diagnose(train(SMALL)).advice
    assert tuple(names[: len(advised)]) == advised


def test_what_is_advised_has_helped_the_seeds_it_was_tried_on(tried):
    assert 0 < len(tried.advice) <= MOST_ADVISED
    before = facts(train(SMALL.but(runs=TRIED_SEEDS))).score
    for name in tried.advice:
        left = facts(train(REMEDIES[name].change(SMALL).but(runs=TRIED_SEEDS))).score
        assert left < before - HELPS
        assert f"{left:.0%} with {name}" in tried.sentence
    assert (
        f"{len(tried.attempts)} remedies with {TRIED_SEEDS} seeds each: {before:.0%} of the mean answer's error"
        in tried.sentence
    )


def test_the_best_comes_first(tried):
    left = {attempt.name: round(attempt.left, 2) for attempt in tried.attempts}
    assert [left[name] for name in tried.advice] == sorted(left[name] for name in tried.advice)
    assert left[tried.advice[0]] == min(left.values())


def test_the_seeds_tried_fail_about_as_often_as_all():
    half = Experiment(task="blobs", depth=8, width=3, activation="ReLU", initializer="He normal", epochs=40, runs=12)
    found = diagnose(train(half.but(samples=16, learning_rate=1.0)))
    shares = found.facts.shares
    means = [sum(shares[first : first + TRIED_SEEDS]) / TRIED_SEEDS for first in range(12 - TRIED_SEEDS + 1)]
    whole = sum(shares) / 12
    assert 0.2 < whole < 0.8 and len({round(mean, 2) for mean in means}) > 1
    before = next(filter(None, attempts(found, 60))).left_before
    assert before in means and abs(before - whole) == min(abs(mean - whole) for mean in means)


def test_in_slices_the_same_comes_out(tried):
    sliced = list(attempts(diagnose(train(SMALL)), 60, 0.0))
    assert len(sliced) > len(tried.attempts)
    assert tuple(filter(None, sliced)) == tried.attempts


def test_where_nothing_helps_alone_it_is_said_what_comes_first():
    deep = Experiment(initializer="zeros", epochs=30, runs=1)
    assert try_remedies(diagnose(train(deep)), 60).sentence.endswith(f"none clearly helps alone. {RANDOM_FIRST}")


def test_its_cost_is_that_of_what_is_trained(tried):
    expected = sum(estimate(REMEDIES[each.name].change(SMALL).but(runs=TRIED_SEEDS)).seconds for each in tried.attempts)
    assert trying_seconds(diagnose(train(SMALL))) == pytest.approx(expected)


def test_a_caller_may_stop_after_any_attempt_and_without_time_nothing_is_tried():
    found = diagnose(train(SMALL))
    assert next(attempts(found, 60)).name in REMEDIES
    nothing = try_remedies(found, seconds=0)
    assert nothing == Tried(()) and not nothing.advice and nothing.sentence.startswith("Nothing was tried")


@pytest.mark.parametrize("runs", [1, 2])
def test_nets_over_time_and_few_seeds_are_tried_as_well(runs):
    found = diagnose(train(RecurrentExperiment(length=8, hidden=4, samples=8, epochs=5, runs=runs)))
    made = try_remedies(found, seconds=60)
    assert made.attempts and all(attempt.seeds == runs for attempt in made.attempts)
    assert all(0 <= attempt.left <= 1 for attempt in made.attempts)
    assert made.sentence.endswith(".")


@pytest.mark.parametrize("epochs", [60, 60_000, 600_000, 1_000_000])
def test_trials_that_are_too_much_together_are_left_out_the_costliest_first(epochs):
    asked = trials(SMALL.but(epochs=epochs, samples=256), ["ReLU", "batch norm"])
    kept, left_out = within_limits(asked)
    assert [trial for trial in asked if trial in kept] == kept
    assert sorted(map(id, kept + left_out)) == sorted(map(id, asked))
    if kept:
        assert refuse_all([trial.experiment for trial in kept]) is None
    assert (left_out == []) == (refuse_all([trial.experiment for trial in asked]) is None)
    if not refuse(asked[0].experiment):
        assert kept[0] is asked[0]


def test_beside_each_word_stands_the_number_that_it_rests_on():
    tried = trials(SMALL, ())[:4]
    results = Results.of(tried, [train(trial.experiment) for trial in tried])
    assert results.briefs[0] == results.facts[0].learnt and results.words[0] == ""
    assert results.briefs[1:] == [change.brief for change in results.effects[1:]]
