"""How numbers and settings are said."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from explorer import Experiment, train
from explorer.choices.comparisons import COMPARISONS
from explorer.choices.controls import Choice
from explorer.choices.datasets import OWN
from explorer.choices.experiment import CONTROLS
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.wording import (
    compared_summary,
    decades,
    difference,
    number,
    power_of_ten,
    summary,
)
from explorer.stories.scenarios import SCENARIOS, scenarios_of

LAYERED = scenarios_of(Experiment)
OVER_TIME = scenarios_of(RecurrentExperiment)

DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def heard(text):
    """The number that a reader takes from what was said."""
    mantissa, _, power = text.replace(",", "").partition(" × 10")
    return float(mantissa) * 10 ** int(power.translate(DIGITS) or 0)


@given(some.floats(1e-300, 1e300))
def test_a_number_is_heard_as_it_was_within_its_digits(value):
    assert heard(number(value)) == pytest.approx(value, rel=0.051)
    assert heard(number(value, 4)) == pytest.approx(value, rel=0.00051)


@given(some.floats(-5000, 5000))
def test_powers_are_heard_however_large(log10):
    text = decades(log10).replace(",", "")
    mantissa, _, power = text.partition(" × 10")
    said = math.log10(float(mantissa)) + int(power.translate(DIGITS) or 0)
    assert said == pytest.approx(log10, abs=0.023)


@given(some.floats(1e-200, 1e200))
def test_a_mantissa_stays_below_ten(value):
    text = number(value)
    if " × 10" in text:
        assert 1 <= float(text.partition(" ")[0]) < 10


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "exactly 0"),
        (-0.0, "exactly 0"),
        (math.nan, "not finite"),
        (math.inf, "not finite"),
        (0.5, "0.50"),
        (1234.0, "1,234"),
        (-0.2, "-0.20"),
        (9.96, "10"),
        (0.0996, "0.10"),
        (999.6, "1,000"),
        (9996.0, "1.0 × 10⁴"),
        (0.000999, "0.0010"),
        (-9.96, "-10"),
    ],
)
def test_special_and_ordinary_numbers(value, said):
    assert number(value) == said


def test_zero_and_infinity_have_decades_too():
    assert decades(-math.inf) == "exactly 0"
    assert decades(math.inf) == decades(math.nan) == "not finite"
    assert power_of_ten(-12) == "10⁻¹²"
    assert decades(-400.0001) == "1.0 × 10⁻⁴⁰⁰"  # 9.998 is rounded to 10


def options_of(control):
    return list(control.options) if isinstance(control, Choice) else list(control.marks or (control.low, control.high))


@pytest.mark.parametrize(
    ("name", "controls"),
    [(name, controls) for controls in (CONTROLS, RecurrentExperiment.controls()) for name in controls],
)
def test_every_setting_can_be_said_and_every_option_differently(name, controls):
    said = [controls[name].tell(option) for option in options_of(controls[name])]
    assert all(said)
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("name", [name for name in CONTROLS])
def test_a_picture_tells_any_change_of_a_setting_that_matters(name):
    # What the summary leaves out must be a default or of no effect: see the next test.
    control = CONTROLS[name]
    base = Experiment(task="signal XOR" if name == "layer" else "moons", batch="16", clip="norm")
    options = control.options if isinstance(control, Choice) else control.marks or (control.low, control.high)
    others = {summary(base.but(**{name: option})) for option in options if option not in (OWN, "curve")}
    silent = {"samples", "noise", "order", "epochs", "seed", "data"}
    assert len(others) > 1 or name in silent


def test_only_what_changed_is_named():
    e = Experiment()
    assert difference(e, e) == []
    assert difference(e, e.but(skip="one layer")) == ["skip over one layer"]
    assert difference(e, e.but(threshold=2.0)) == []  # without clipping it has no effect
    assert difference(e.but(clip="norm"), e.but(clip="norm", threshold=2.0)) == ["threshold 2"]


@pytest.mark.parametrize("name", LAYERED)
def test_a_scenarios_summary_is_one_line_with_its_network(name):
    e = SCENARIOS[name].experiment
    line = summary(e)
    assert "\n" not in line
    layers = "hidden layers" if e.layer == "dense" else "convolutions"
    assert f"{e.depth} {layers} of {e.width} {e.activation}" in line
    assert len(line) < 200


# --- recurrent ----------------------------------------------------------------------------------

RECURRENT = RecurrentExperiment(task="adding", length=6, hidden=3, samples=8, runs=2, epochs=4)
# In every kind of cell, with what can be without effect and with it.
SITUATIONS = [
    RECURRENT.but(cell=cell, clip=clip, threshold=0.01, initializer=initializer)
    for cell in ("RNN", "LSTM", "GRU")
    for clip, initializer in (("none", "zeros"), ("norm", "identity"))
]


@pytest.mark.parametrize("name", ["activation", "forget_bias", "strength", "threshold"])
@pytest.mark.parametrize("e", SITUATIONS, ids=lambda e: f"{e.cell} {e.clip}")
def test_what_is_called_without_effect_has_none_and_the_rest_has(name, e):
    other = e.but(**{name: {"activation": "sigmoid", "forget_bias": 1.0, "strength": 0.3, "threshold": 0.02}[name]})
    same = np.array_equal(train(e).loss, train(other).loss)
    assert same == (name in e.without_effect())


def test_only_what_changed_and_matters_is_named_of_recurrent_nets():
    e = RecurrentExperiment()
    assert difference(e, e) == []
    assert difference(e, e.but(forget_bias=1.0)) == []  # the plain net has no gate
    assert difference(e, e.but(cell="GRU", activation="ReLU", forget_bias=1.0)) == ["GRU", "forget bias 1"]
    assert difference(e, e.but(initializer="zeros", strength=2.0)) == ["start of W_hh zeros"]
    assert difference(e, e.but(truncation=20, clip="none")) == ["no clipping", "cut after 20 steps"]
    assert difference(e.but(truncation=20), e) == ["not cut"]


@pytest.mark.parametrize("name", RecurrentExperiment.controls())
@pytest.mark.parametrize("cell", ["RNN", "LSTM"])
def test_a_recurrent_summary_tells_every_change_that_matters_and_no_other(name, cell):
    base = RecurrentExperiment(cell=cell, batch="16", task="copy")
    others = [base.but(**{name: option}) for option in options_of(RecurrentExperiment.controls()[name])]
    told = {compared_summary([other]) for other in others}
    # Two losses are those of their own task: the usual one and the one that it is.
    different = {other.loss_function.name for other in others} if name == "loss" else {getattr(o, name) for o in others}
    assert len(told) == (1 if name in base.without_effect() else len(different))


def test_the_opening_example_is_told_in_one_line():
    e = RecurrentExperiment(cell="LSTM", truncation=20)
    assert compared_summary([e]) == (
        "which first, 100 steps, 32 sequences · LSTM of 16 units · W_hh ~ N(0, s²/hidden) · "
        f"s = {e.strength:g} · forget bias 4.6 · clipping by norm at 1 · cut after 20 steps · Adam 0.005 · full batch · "
        "cross-entropy · 100 epochs · seeds 0 to 7"
    )


@pytest.mark.parametrize("name", OVER_TIME)
def test_what_stands_side_by_side_is_told_in_one_line(name):
    line = compared_summary(list(OVER_TIME[name].compared.values()))
    assert "\n" not in line
    assert len(line) < 300


@pytest.mark.parametrize("name", COMPARISONS)
def test_where_experiments_differ_each_is_told_once_and_the_rest_once(name):
    compared = list(COMPARISONS[name].of(RecurrentExperiment(cell="GRU"), RecurrentExperiment()).values())
    parts = compared_summary(compared).split(" · ")
    differing = [part for part in parts if " / " in part or "kinds of" in part]
    assert len(differing) == 1
    common = set.intersection(*(set(compared_summary([each]).split(" · ")) for each in compared))
    assert common <= set(parts)


def test_a_baseline_that_clips_stands_beside_one_that_does_not():
    e = RecurrentExperiment()
    assert "no clipping / clipping by norm at 1" in compared_summary([e.but(clip="none"), e])
    assert "no clipping" not in compared_summary([e.but(clip="none")])
