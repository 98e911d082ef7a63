"""Effects: the word follows from the numbers, the numbers said are the measured ones, the ranking is one."""

import itertools
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.diagnosis.comparison import compare
from explorer.diagnosis.effects import (
    A_LITTLE,
    HARMED,
    HELPED,
    UNCLEAR,
    chance_of_more,
    combined,
    effect,
    rank,
    remedies_headline,
)
from explorer.diagnosis.facts import facts
from explorer.diagnosis.remedies import REMEDIES


@pytest.fixture(scope="module")
def base():
    return facts(train(Experiment(depth=2, epochs=5)))


def changed(base, **values):
    """Facts of another experiment, some of them set."""
    return replace(base, experiment=base.experiment.but(normalization="batch"), **values)


@pytest.mark.parametrize(("runs", "solved"), [(8, (0, 8)), (8, (3, 5)), (5, (5, 5)), (6, (0, 0)), (4, (4, 1))])
def test_the_chance_is_that_of_dealing_the_solved_seeds_at_random(base, runs, solved):
    # Counted one by one: every way in which the solved seeds can fall to the two halves.
    before, after = (replace(base, runs=runs, solved=count) for count in solved)
    deals = list(itertools.combinations(range(2 * runs), sum(solved)))
    as_many = sum(1 for deal in deals if sum(seed >= runs for seed in deal) >= solved[1])
    assert chance_of_more(before, after) == pytest.approx(as_many / len(deals))


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ({"solved": 0}, {"solved": 8, "solve_epoch": 100.0}, HELPED),
        ({"solved": 8, "solve_epoch": 100.0}, {"solved": 0}, HARMED),
        ({"solved": 0, "loss_end": 0.5}, {"solved": 2, "loss_end": 0.45}, UNCLEAR),
        ({"solved": 0, "loss_end": 0.5}, {"solved": 1, "loss_end": 0.1}, A_LITTLE),
        ({"solved": 0, "loss_end": 0.1}, {"solved": 0, "loss_end": math.inf}, HARMED),
        ({"solved": 8, "solve_epoch": 100.0, "solve_early": 80.0}, {"solved": 8, "solve_epoch": 60.0}, HELPED),
        ({"solved": 8, "solve_epoch": 100.0, "solve_early": 80.0}, {"solved": 8, "solve_epoch": 90.0}, UNCLEAR),
        ({"solved": 8, "solve_epoch": 100.0, "solve_late": 130.0}, {"solved": 8, "solve_epoch": 140.0}, HARMED),
        (
            {"solved": 8, "solve_epoch": 27.0, "solve_late": 27.0},
            {"solved": 8, "solve_epoch": 28.0},
            UNCLEAR,
        ),  # an epoch
        ({"solved": 8, "solve_epoch": 27.0, "solve_early": 27.0}, {"solved": 8, "solve_epoch": 26.0}, UNCLEAR),
        (
            {"solved": 8, "solve_epoch": 1.5, "solve_late": 1.5},
            {"solved": 8, "solve_epoch": 2.0},
            UNCLEAR,
        ),  # 2 instead of 2
        (
            {"solved": 1, "solve_epoch": 8.0, "runs": 1},
            {"solved": 1, "solve_epoch": 2.0, "runs": 1},
            UNCLEAR,
        ),  # one seed
        ({"solved": 3, "loss_end": 4.5}, {"solved": 1, "loss_end": 1.1}, UNCLEAR),  # fewer seeds, lower loss
        ({"diverged": 8}, {"diverged": 7}, UNCLEAR),
        ({"diverged": 1}, {"diverged": 5}, HARMED),
        ({"diverged": 8}, {"diverged": 0}, A_LITTLE),
        ({"diverged": 8}, {"diverged": 0, "solved": 8}, HELPED),
    ],
)
def test_the_word_follows_from_seeds_then_epochs_then_loss(base, before, after, word):
    usual = {"solved": 0, "diverged": 0, "solve_epoch": math.inf, "solve_early": math.inf, "solve_late": math.inf}
    old = replace(base, **usual | {"solve_early": 100.0, "solve_late": 100.0} | before)
    assert effect(["batch norm"], old, changed(base, **usual | after)).word == word


def test_the_sentence_says_the_measured_numbers(base):
    start = Experiment(epochs=400)
    before, after = facts(train(start)), facts(train(combined(start, ["skip over one layer"])))
    said = effect(["skip over one layer"], before, after).sentence
    assert f"{after.solved} of {after.runs}" in said
    more = 10 ** (after.log_ratio - before.log_ratio)
    mantissa, power = re.search(r"([\d.]+) × 10(\S+) times more", said).groups()
    exponent = int(power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")))
    assert float(mantissa) * 10.0**exponent == pytest.approx(more, rel=0.05)


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ((1.0,) * 8, (0.6,) * 8, HELPED),
        ((0.6,) * 8, (1.0,) * 8, HARMED),
        ((1.0,) * 8, (0.9,) * 8, UNCLEAR),
        ((1.0,) * 2, (0.6,) * 2, A_LITTLE),  # two seeds may be chance
        ((0.9,) * 8, (1.0,) * 5 + (0.0,) * 3, A_LITTLE),  # more seeds lose than win
    ],
)
def test_where_none_solves_it_what_is_left_of_the_error_decides(base, before, after, word):
    never = {"solved": 0, "diverged": 0, "solve_epoch": math.inf, "loss_end": 0.5, "runs": len(before)}
    old, new = replace(base, shares=before, **never), changed(base, shares=after, **never)
    assert effect(["batch norm"], old, new).word == word


def test_a_remedy_that_helps_where_classes_overlap_is_said_to_help():
    """No net gets below the data set's bound there; skips still bring half of the error away."""
    start = Experiment(task="moons", noise=0.5, samples=64, depth=8, width=8, initializer="Glorot uniform", epochs=400)
    before, after = (facts(train(e)) for e in (start, combined(start, ["skip over one layer"])))
    assert before.solved == after.solved == 0
    assert effect(["skip over one layer"], before, after).word == HELPED


def test_losses_of_different_kinds_are_not_compared(base):
    old = replace(base, solved=0, solve_epoch=math.inf, loss_end=9.0)
    new = replace(old, experiment=base.experiment.but(loss="cross-entropy"), loss_end=0.1)
    assert effect(["cross-entropy"], old, new).word == UNCLEAR


@pytest.mark.parametrize("names", [[name] for name in REMEDIES] + [["batch norm", "skip over one layer"]])
def test_every_sentence_is_finished_and_names_no_unknown(names):
    for start in (
        Experiment(epochs=20),
        Experiment(epochs=20, depth=4, activation="ReLU", initializer="normal", gain=5),
    ):
        said = effect(names, facts(train(start)), facts(train(combined(start, names)))).sentence
        assert said.endswith(".")
        assert not re.search(r"nan|None|inf\b", said)
        assert not re.search(r"([\d.]+(?: × 10\S+)?|not finite) instead of \1(?![\d.])", said)


@pytest.mark.parametrize("name", REMEDIES)
def test_of_a_single_seed_no_median_is_told_and_nothing_counted(name):
    tanh = Experiment(task="moons", samples=32, depth=2, activation="tanh", learning_rate=0.5, epochs=40, runs=1)
    wild = tanh.but(activation="ELU", initializer="normal", width=16, depth=5, learning_rate=5)
    for start in (tanh, wild):
        before, after = facts(train(start)), facts(train(combined(start, [name])))
        said = f"{effect([name], before, after).sentence} {compare(before, after)}"
        assert not re.search(r"median|average|of 1 seed|where (1|none) did", said), said


def test_ranking_goes_by_seeds_then_epochs_then_loss(base):
    order = [
        replace(base, solved=8, solve_epoch=50.0),
        replace(base, solved=8, solve_epoch=90.0),
        replace(base, solved=3, solve_epoch=math.inf, loss_end=0.2),
        replace(base, solved=0, solve_epoch=math.inf, loss_end=0.1),
        replace(base, solved=0, solve_epoch=math.inf, loss_end=0.5),
        replace(base, solved=0, solve_epoch=math.inf, loss_end=math.nan),
    ]
    shuffled = np.random.default_rng(0).permutation(len(order))
    assert [int(shuffled[index]) for index in rank([order[place] for place in shuffled])] == list(range(len(order)))


def test_the_headline_names_only_what_helped(base):
    facts_ = [changed(base, solved=0), changed(base, solved=8, solve_epoch=9.0), changed(base, solved=7)]
    effects = [effect(["batch norm"], replace(base, solved=0), each) for each in facts_]
    said = remedies_headline(["one", "two", "three"], facts_, effects)
    assert said == "Two (8 of 8 seeds) helps most; also three."
    assert remedies_headline(["one"], facts_[:1], effects[:1]) == "None of these 1 clearly helps here."


@pytest.mark.parametrize(
    ("before", "after", "word", "brief"),
    [
        ({"solved": 0, "shares": (0.9,) * 8}, {"solved": 0, "shares": (0.3,) * 8}, HELPED, "error 90% → 30%"),
        ({"solved": 0, "shares": (0.3,) * 8}, {"solved": 1, "shares": (0.9,) * 8}, HARMED, "error 30% → 90%"),
        ({"solved": 0}, {"solved": 8, "solve_epoch": 9.0}, HELPED, "8 of 8"),
        ({"solved": 8, "solve_epoch": 90.0, "solve_early": 80.0}, {"solved": 8, "solve_epoch": 60.0}, HELPED, "epoch 90 → 60"),
        ({"solved": 0, "loss_end": 0.5}, {"solved": 0, "loss_end": 0.1}, A_LITTLE, "loss 0.50 → 0.10"),
        ({"solved": 0, "loss_end": 0.5}, {"solved": 0, "loss_end": 0.4}, UNCLEAR, "0 of 8"),
        ({"diverged": 1}, {"diverged": 5}, HARMED, "5 of 8 diverge"),
        ({"diverged": 8}, {"diverged": 7}, UNCLEAR, "0 of 8"),
    ],
)  # fmt: skip
def test_the_number_beside_the_word_is_the_one_that_it_rests_on(base, before, after, word, brief):
    plain = {"solved": 0, "diverged": 0, "shares": (0.9,) * 8}
    said = effect(["batch norm"], replace(base, **plain | before), changed(base, **plain | after))
    assert (said.word, said.brief) == (word, brief)
