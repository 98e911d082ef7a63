"""Challenges: each is solved by the answer that is meant, and by no start, no wrong answer, and nothing that is not allowed."""

import math
import os

import pytest

from explorer import Experiment, RecurrentExperiment, diagnose, train
from explorer.choices.controls import Number
from explorer.stories.challenges import BY_ADDRESS, CHALLENGE_CONTROLS, CHALLENGES, change_key
from explorer.training.compiled import OFF, VARIABLE
from explorer.training.cost import estimate, refuse
from explorer.ui.page import controls_by_key
from pages import PAGES
from tests.rounding import AS_IT_IS, DOWN, UP, history_of

# By address: the answer that is meant, and one that a student may well try.
RIGHT = {
    "one change": {"activation": "ELU"},
    "what relu cuts off": {"gain": 1.4142},
    "edge of chaos": {"gain": 1.2},
    "kill the relus": {"learning_rate": 5.0},
    "batch norm explodes": {"activation": "ReLU", "depth": 45},
    "skips that explode": {"normalization": "layer"},
    "almost nothing": {"optimizer": "RMSprop", "learning_rate": 0.002},
    "first step too far": {"clip": "norm", "threshold": 10.0},
    "hundred steps of memory": {"forget_bias": 4.6},
    "twenty sigmoid layers": {
        "initializer": "orthogonal",
        "gain": 8.0,
        "optimizer": "RMSprop",
        "learning_rate": 0.01,
    },
}
WRONG = {
    "one change": {"activation": "ReLU"},
    "what relu cuts off": {"gain": 1.2},
    "edge of chaos": {"gain": 1.4142},
    "kill the relus": {"learning_rate": 0.5},
    "batch norm explodes": {"depth": 50},
    "skips that explode": {"learning_rate": 0.001},
    "almost nothing": {"optimizer": "Adam", "learning_rate": 0.1},
    "first step too far": {"clip": "norm", "threshold": 0.1},
    "hundred steps of memory": {"forget_bias": 1.0},
    "twenty sigmoid layers": {"normalization": "batch"},
}
# It takes half a second in NumPy too; the others are left to the long run.
QUICK = ("kill the relus",)
each_challenge = pytest.mark.parametrize("address", BY_ADDRESS)


def judged(address, changes, towards=AS_IT_IS):
    challenge = BY_ADDRESS[address]
    return challenge.judge(diagnose(history_of(challenge.start.but(**changes), towards=towards)))


def test_there_are_ten_and_each_has_an_answer():
    assert len(CHALLENGES) == 10
    assert set(RIGHT) == set(WRONG) == set(BY_ADDRESS)


@each_challenge
def test_the_answer_that_is_meant_solves_it(address):
    judgment = judged(address, RIGHT[address])
    assert judgment.solved, judgment.sentence
    assert any(sign.isdigit() for sign in judgment.sentence)


@each_challenge
def test_a_wrong_answer_does_not(address):
    judgment = judged(address, WRONG[address])
    assert not judgment.solved
    # It is allowed, so that what was trained decides.
    assert not BY_ADDRESS[address].objection(BY_ADDRESS[address].start.but(**WRONG[address]))
    assert "needed" in judgment.sentence


@each_challenge
def test_the_start_is_not_solved(address):
    assert not judged(address, {}).solved


@pytest.mark.parametrize("towards", [UP, DOWN])
@pytest.mark.parametrize(
    "address", [pytest.param(each, marks=[] if each in QUICK else pytest.mark.long) for each in BY_ADDRESS]
)
def test_no_judgment_hangs_on_the_last_digit(address, towards):
    assert judged(address, RIGHT[address], towards).solved
    assert not judged(address, WRONG[address], towards).solved


@pytest.mark.parametrize(
    "address", [pytest.param(each, marks=[] if each in QUICK else pytest.mark.long) for each in BY_ADDRESS]
)
def test_numpy_judges_as_the_kernels_do(address, monkeypatch):
    monkeypatch.setenv(VARIABLE, OFF)
    assert os.environ[VARIABLE] == OFF
    assert judged(address, RIGHT[address]).solved
    assert not judged(address, WRONG[address]).solved


@each_challenge
def test_nothing_else_may_be_changed(address):
    challenge = BY_ADDRESS[address]
    for name, control in challenge.start.controls().items():
        if name in challenge.controls or name == "task":
            continue
        at = getattr(challenge.start, name)
        if isinstance(control, Number):
            others = [control.low, control.high]
        else:
            others = [option for option in control.options if control.fits(challenge.start, option)]
        other = next((each for each in others if each != at), None)
        if other is None:
            continue
        said = challenge.objection(challenge.start.but(**RIGHT[address]).but(**{name: other}))
        assert said == f"changed: {name}, which must stay {at}"


@each_challenge
def test_the_seeds_are_the_starts(address):
    challenge = BY_ADDRESS[address]
    assert not {"seed", "runs", "epochs", "skip", "task"} & set(challenge.controls)
    assert challenge.start.runs == 8  # as the rules say


@each_challenge
def test_a_value_out_of_its_range_is_refused(address):
    challenge = BY_ADDRESS[address]
    for name, control in challenge.controls.items():
        assert control.check(name, control.default) == getattr(challenge.start, name)
        if isinstance(control, Number):
            wide = challenge.start.controls()[name]
            assert wide.low <= control.low <= control.high <= wide.high
            for beyond in {wide.low, wide.high} - {control.low, control.high}:
                assert f"{name} must be" in challenge.objection(challenge.start.but(**{name: beyond}))


def test_more_changes_than_allowed_are_refused():
    challenge = BY_ADDRESS["one change"]
    said = challenge.objection(challenge.start.but(activation="ELU", optimizer="Adam"))
    assert said == "changed: activation, optimizer; only 1 of these may be changed"


def test_an_option_that_is_not_offered_is_refused():
    challenge = BY_ADDRESS["one change"]
    assert "choose one of" in challenge.objection(challenge.start.but(activation="SELU"))


@pytest.mark.parametrize(
    ("address", "other"), [("one change", RecurrentExperiment()), ("first step too far", Experiment())]
)
def test_a_net_of_the_other_kind_is_refused(address, other):
    assert BY_ADDRESS[address].objection(other).startswith("a net of ")


def test_nothing_is_judged_before_the_end():
    challenge = BY_ADDRESS["edge of chaos"]
    start = history_of(challenge.start.but(**RIGHT["edge of chaos"]), start=True)
    judgment = challenge.judge(diagnose(start))
    assert not judgment.solved
    assert judgment.sentence.startswith("so far, ")


def test_a_judgment_says_why_with_numbers():
    challenge = BY_ADDRESS["one change"]
    assert challenge.judge(diagnose(train(challenge.start))).sentence == "0 of 8 seeds learn it; all 8 are needed"


@each_challenge
def test_a_challenge_is_trained_while_a_student_waits(address):
    challenge = BY_ADDRESS[address]
    deepest = {name: control.high for name, control in challenge.controls.items() if name == "depth"}
    for changes in ({}, RIGHT[address], deepest):
        experiment = challenge.start.but(**changes)
        assert refuse(experiment) is None
        assert estimate(experiment).seconds < 15


def test_addresses_and_the_keys_of_the_link_are_unique_over_the_whole_app():
    assert len(BY_ADDRESS) == len(CHALLENGES)
    keys = [change_key(challenge, name) for challenge in CHALLENGES.values() for name in challenge.controls]
    assert len(set(keys)) == len(keys) == len(CHALLENGE_CONTROLS) - 1
    assert not set(CHALLENGE_CONTROLS) & set(controls_by_key(page for page in PAGES if page.title != "Homework"))


# --- numbers in the words -------------------------------------------------------------------------


def facts_of(address, **changes):
    return diagnose(history_of(BY_ADDRESS[address].start.but(**changes), start=True)).facts


def test_the_starts_are_as_the_tasks_say():
    assert -12 < facts_of("twenty sigmoid layers").log_ratio < -10
    assert facts_of("almost nothing").log_ratio < -5
    assert 300 < facts_of("first step too far").first_norm < 3000
    assert facts_of("kill the relus").dead_share < 0.25


def test_the_lessons_numbers_are_right():
    assert math.sqrt(math.pi / (math.pi - 1)) == pytest.approx(1.21, abs=0.005)
    keep = [1 / (1 + math.exp(-bias)) for bias in (0, 1, math.log(100))]
    assert [round(math.log10(each**100)) for each in keep[:2]] == [-30, -14]
    assert keep[2] ** 100 == pytest.approx(0.37, abs=0.005)
    assert keep[1] == pytest.approx(0.73, abs=0.005)
    # At the edge of chaos: shrinking at 1, growing from about 1.3 on.
    assert facts_of("edge of chaos", gain=0.9).log_inside < facts_of("edge of chaos").log_inside < -0.5
    assert facts_of("edge of chaos", gain=1.3).log_inside > math.log10(2)
