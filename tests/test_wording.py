"""How numbers and settings are said."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from explorer import Experiment
from explorer.controls import Choice
from explorer.datasets import OWN
from explorer.experiment import CONTROLS
from explorer.scenarios import SCENARIOS
from explorer.wording import decades, difference, number, power_of_ten, setting_text, summary

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


@pytest.mark.parametrize("name", CONTROLS)
def test_every_setting_can_be_said_and_every_option_differently(name):
    control = CONTROLS[name]
    options = (
        list(control.options) if isinstance(control, Choice) else list(control.marks or (control.low, control.high))
    )
    said = [setting_text(name, option) for option in options]
    assert all(said)
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("name", [name for name in CONTROLS])
def test_a_picture_tells_any_change_of_a_setting_that_matters(name):
    # What the summary leaves out must be a default or of no effect: see the next test.
    control = CONTROLS[name]
    base = Experiment(task="moons", batch="16", clip="norm")
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


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenarios_summary_is_one_line_with_its_network(name):
    e = SCENARIOS[name].experiment
    line = summary(e)
    assert "\n" not in line
    assert f"{e.depth} hidden layers of {e.width} {e.activation}" in line
    assert len(line) < 200
