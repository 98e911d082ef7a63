import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.choices.controls import NETWORK, REMEDY, TASK, TRAINING, Choice, Number, Several, Span, one_two_five
from explorer.choices.experiment import CONTROLS

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
    assert control.group in (TASK, NETWORK, REMEDY, TRAINING)


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
@settings(max_examples=30, deadline=None)
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


# --- several names, and the ends of a range -------------------------------------------------------

WORDS = {"label": "Fruit", "group": "View", "help": "What is in it."}
SEVERAL = Several(**WORDS, options=("apple", "Pear", "fig"), default=("apple",))
SPAN = Span(**WORDS, marks=(0.1, 1.0, 2.0, 5.0), default=(0.1, 5.0))
WHOLE_SPAN = Span(**WORDS, marks=(1, 2, 50), default=(1, 50))


@given(st.lists(st.sampled_from(SEVERAL.options)))
def test_several_names_come_in_the_order_of_the_options_each_once(names):
    chosen = SEVERAL.check("fruit", names)
    assert set(chosen) == set(names)
    assert chosen == tuple(option for option in SEVERAL.options if option in names)


def test_several_may_be_none_and_case_does_not_matter():
    assert SEVERAL.check("fruit", ()) == ()
    assert SEVERAL.check("fruit", ["PEAR", "Apple"]) == ("apple", "Pear")


def test_each_text_of_a_link_names_one_of_several():
    assert SEVERAL.parse("fruit", "pear") == ("Pear",)
    assert SEVERAL.parse("fruit", "") == ()


@pytest.mark.parametrize("bad", [["apple", "banana"], [""], [None], [3], ["apple, Pear"], [["apple"]]], ids=str)
def test_an_unknown_one_of_several_is_refused_with_the_known_ones(bad):
    with pytest.raises(ValueError, match="fruit") as problem:
        SEVERAL.check("fruit", bad)
    for option in SEVERAL.options:
        assert option in str(problem.value)


@given(st.sampled_from(SPAN.marks), st.sampled_from(SPAN.marks))
def test_the_ends_of_a_span_come_lower_first(a, b):
    assert SPAN.check("size", (a, b)) == (min(a, b), max(a, b))
    assert SPAN.check("size", [str(a), str(b)]) == (min(a, b), max(a, b))


def test_a_span_keeps_the_kind_of_its_marks():
    assert [type(end) for end in WHOLE_SPAN.check("size", ["50", "1"])] == [int, int]
    assert type(SPAN.parse("size", "1.0")) is float


@pytest.mark.parametrize(
    "bad", [(0.1, 3.0), (0.1, math.nan), (math.inf, 1.0), ("", "1.0"), (None, 1.0), (True, 1.0), ("many", 1.0)], ids=str
)
def test_an_end_that_is_not_on_offer_is_refused_with_what_is(bad):
    with pytest.raises(ValueError, match="size") as problem:
        SPAN.check("size", bad)
    for mark in SPAN.marks:
        assert str(mark) in str(problem.value)


@pytest.mark.parametrize("bad", [(), (0.1,), (0.1, 1.0, 2.0)], ids=str)
def test_a_span_has_two_ends(bad):
    with pytest.raises(ValueError, match=r"size has . values; it takes two"):
        SPAN.check("size", bad)


@given(text=st.text(max_size=20))
def test_any_text_is_an_end_of_a_span_or_a_message(text):
    try:
        value, message = SPAN.parse("size", text), ""
    except ValueError as problem:
        value, message = SPAN.marks[0], str(problem)
    assert value in SPAN.marks
    assert not message or "size" in message
