import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.controls import Choice, Number, one_two_five
from explorer.experiment import CONTROLS

NUMBERS = {name: control for name, control in CONTROLS.items() if isinstance(control, Number)}
CHOICES = {name: control for name, control in CONTROLS.items() if isinstance(control, Choice)}

each_number = pytest.mark.parametrize(("name", "control"), NUMBERS.items(), ids=NUMBERS)
each_choice = pytest.mark.parametrize(("name", "control"), CHOICES.items(), ids=CHOICES)
each_control = pytest.mark.parametrize(("name", "control"), CONTROLS.items(), ids=CONTROLS)


@each_control
def test_the_default_is_allowed_and_canonical(name, control):
    assert control.check(name, control.default) == control.default
    assert type(control.check(name, control.default)) is type(control.default)


@each_control
def test_a_control_says_what_it_is(name, control):
    assert control.label
    assert control.help.strip()[-1] in ".!?"
    assert control.group in ("Task", "Network", "Remedies", "Training")


@each_control
def test_a_link_text_of_the_default_reads_back(name, control):
    assert control.parse(name, str(control.default)) == control.default


def test_labels_are_unique():
    labels = [control.label.casefold() for control in CONTROLS.values()]
    assert len(set(labels)) == len(labels)


@each_number
def test_both_bounds_are_allowed_and_nothing_beyond(name, control):
    assert control.check(name, control.low) == control.low
    assert control.check(name, control.high) == control.high
    for beyond in (math.nextafter(control.low, -math.inf), math.nextafter(control.high, math.inf)):
        with pytest.raises(ValueError, match=name):
            control.check(name, beyond)


@each_number
def test_every_mark_is_allowed_and_in_order(name, control):
    assert [control.check(name, mark) for mark in control.marks] == sorted(set(control.marks))


@each_number
def test_a_default_stands_on_a_mark(name, control):
    if control.marks:
        assert control.default in control.marks


@each_number
@pytest.mark.parametrize(
    "bad",
    [math.nan, math.inf, -math.inf, None, True, False, "", "many", [1], {}, object(), "nan", "1e999", 10**400],
    ids=lambda bad: repr(bad)[:8],
)
def test_what_is_no_number_in_range_is_refused_by_name(name, control, bad):
    with pytest.raises(ValueError, match=name):
        control.check(name, bad)


@each_number
def test_a_whole_number_takes_no_fraction(name, control):
    if control.whole:
        with pytest.raises(ValueError, match="whole"):
            control.check(name, control.low + 0.5)
        assert isinstance(control.check(name, float(control.high)), int)


@each_number
@given(text=st.text(max_size=20))
def test_any_text_gives_a_number_in_range_or_a_message(name, control, text):
    try:
        value, message = control.parse(name, text), ""
    except ValueError as problem:
        value, message = control.low, str(problem)
    assert control.low <= value <= control.high
    assert not message or (name in message and f"{control.low:g}" in message)


@each_choice
def test_upper_and_lower_case_are_alike(name, control):
    for option in control.options:
        assert control.check(name, option.upper()) == control.check(name, option.lower()) == option


@each_choice
def test_an_unknown_name_is_refused_with_the_known_ones(name, control):
    with pytest.raises(ValueError, match=name) as problem:
        control.check(name, "nonsense")
    assert "nonsense" in str(problem.value)
    for option in control.options:
        assert option in str(problem.value)


@pytest.mark.parametrize("bad", [None, 3, "", "<script>", ["none"]])
@each_choice
def test_what_is_no_name_is_refused(name, control, bad):
    if str(bad).casefold() not in {option.casefold() for option in control.options}:
        with pytest.raises(ValueError, match=name):
            control.check(name, bad)


@given(st.integers(-6, 3), st.integers(0, 5))
def test_one_two_five_climbs_by_at_most_two_and_a_half(power, decades):
    low, high = float(f"1e{power}"), float(f"1e{power + decades}")
    marks = one_two_five(low, high)
    assert marks[0] == low
    assert marks[-1] == high
    assert len(marks) == 3 * decades + 1
    assert all(1.9 < b / a < 2.6 for a, b in pairwise(marks))
