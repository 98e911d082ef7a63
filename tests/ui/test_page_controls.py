"""The further pages' controls: every setting can lie on an axis, no two share a key, and defaults are allowed."""

from itertools import pairwise

import pytest

from explorer.choices.controls import Choice, Number, Several, Span, controls_of
from explorer.choices.experiment import CONTROLS, Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.remedies import REMEDIES
from explorer.figures.view import TIME_VIEW_CONTROLS, VIEW_CONTROLS, CliffView, TimeView, View
from explorer.sweeps.outcomes import OUTCOMES
from explorer.sweeps.sweep import AXES, Sweep, is_numeric
from explorer.ui.link import NOT_SETTINGS, complaints
from explorer.ui.page import controls_by_key
from pages import PAGES
from pages.cliff_page import CLIFF_CONTROLS
from pages.depth_page import DEPTH_CONTROLS, GRADIENTS, NO_REMEDY, DepthView
from pages.remedies_page import COMPARISON_CONTROLS, SHARED_VIEW, Comparison
from pages.remedies_page import PREFIX as REMEDIES_PAGE
from pages.sweep_page import AXIS_NAMES, SPAN_CONTROLS, SPANS, SWEEP_CONTROLS, SweepView, axis_values
from pages.time_page import PREFIX as TIME_PAGE
from pages.time_page import SecondFigure

PAGE_CONTROLS = {key: control for key, control in controls_by_key(PAGES).items() if key not in CONTROLS}

SHARED = {f"{REMEDIES_PAGE}{name}": VIEW_CONTROLS[name] for name in SHARED_VIEW}
OVER_TIME = {f"{TIME_PAGE}{name}": control for name, control in RecurrentExperiment.controls().items()}
PARTS = {
    "view": VIEW_CONTROLS,
    "shared view": SHARED,
    "comparison": COMPARISON_CONTROLS,
    "depth": DEPTH_CONTROLS,
    "sweep": SWEEP_CONTROLS,
    "spans": SPAN_CONTROLS,
    "nets over time": OVER_TIME,
    "time view": {f"{TIME_PAGE}{name}": control for name, control in TIME_VIEW_CONTROLS.items()},
    "time page": {f"{TIME_PAGE}{name}": control for name, control in controls_of(SecondFigure).items()},
    "cliff": CLIFF_CONTROLS,
}
each_axis = pytest.mark.parametrize("axis", AXES)
OWN = {key: control for part in PARTS.values() for key, control in part.items()}
each_control = pytest.mark.parametrize(("name", "control"), OWN.items(), ids=OWN)


# --- keys ----------------------------------------------------------------------------------------


def test_no_two_controls_of_all_pages_share_a_key():
    keys = [key for part in PARTS.values() for key in part]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= set(PAGE_CONTROLS)


def test_no_page_control_shares_a_key_with_a_setting_or_another_parameter():
    assert not set(PAGE_CONTROLS) & set(CONTROLS)
    assert not set(PAGE_CONTROLS) & NOT_SETTINGS


def test_remedies_show_what_explore_shows_but_under_keys_of_their_own():
    for name in SHARED_VIEW:
        assert PAGE_CONTROLS[f"{REMEDIES_PAGE}{name}"] is PAGE_CONTROLS[name]
    assert set(SHARED_VIEW) == set(VIEW_CONTROLS) - {"at"}


# --- defaults ------------------------------------------------------------------------------------


@each_control
def test_the_default_is_allowed_and_canonical(name, control):
    assert control.check(name, control.default) == control.default
    assert type(control.check(name, control.default)) is type(control.default)


@each_control
def test_a_control_says_what_it_is(name, control):
    assert control.label
    assert control.help.strip()[-1] in ".!?"
    assert (control.group == "View") is (name not in OVER_TIME)


@each_control
def test_every_text_that_a_link_is_written_with_reads_back(name, control):
    texts = {
        Choice: lambda: control.options,
        Several: lambda: control.options,
        Span: lambda: control.marks,
        Number: lambda: [
            control.check(name, each) for each in (control.low, control.high, control.default, *control.marks)
        ],
    }[type(control)]()
    for text in texts:
        read = control.parse(name, str(text))
        assert read == ((text,) if isinstance(control, Several) else text)


@pytest.mark.parametrize("view", [Comparison, DepthView, SweepView, SecondFigure, TimeView, CliffView])
def test_a_pages_view_accepts_its_defaults(view):
    made = view()
    for name, control in controls_of(view).items():
        assert getattr(made, name) == control.default


def test_the_shared_view_accepts_its_defaults():
    assert View(**{name: SHARED[f"{REMEDIES_PAGE}{name}"].default for name in SHARED_VIEW}) == View()


def test_options_are_those_of_the_registries():
    assert set(COMPARISON_CONTROLS["combine"].options) == set(REMEDIES)
    assert set(DEPTH_CONTROLS["remedy"].options) == {NO_REMEDY, *REMEDIES}
    assert set(DEPTH_CONTROLS["gradient"].options) == set(GRADIENTS)
    assert list(SWEEP_CONTROLS["outcome"].options) == list(OUTCOMES)
    assert DEPTH_CONTROLS["deepest"].high == CONTROLS["depth"].high


# --- axes ----------------------------------------------------------------------------------------


def test_every_setting_of_an_axis_has_a_name_and_a_span_of_its_own():
    assert sorted(AXIS_NAMES.values()) == sorted(AXES)
    assert set(SPANS) == set(AXES)
    assert set(SPAN_CONTROLS) == set(SPANS.values())
    assert len(set(SPANS.values())) == len(AXES)


@each_axis
def test_a_span_offers_what_lies_on_the_axis_and_all_of_it_at_first(axis):
    control = SPAN_CONTROLS[SPANS[axis]]
    if is_numeric(axis):
        assert isinstance(control, Span)
        assert control.marks == AXES[axis]
        assert control.default == (min(AXES[axis]), max(AXES[axis]))
    else:
        assert isinstance(control, Several)
        assert tuple(control.options) == control.default == AXES[axis]


@each_axis
def test_whole_numbers_stay_whole_on_an_axis(axis):
    if is_numeric(axis):
        whole = CONTROLS[axis].whole
        assert {type(mark) for mark in SPAN_CONTROLS[SPANS[axis]].marks} == {int if whole else float}


@each_axis
@pytest.mark.parametrize("count", [2, 4, 12, 32])
def test_an_axis_has_its_ends_and_no_more_values_than_asked_for(axis, count):
    chosen = SPAN_CONTROLS[SPANS[axis]].default
    values = axis_values(axis, chosen, count)
    assert set(values) <= set(AXES[axis])
    if is_numeric(axis):
        assert len(values) == min(count, len(AXES[axis]))
        assert (values[0], values[-1]) == chosen
        assert all(a < b for a, b in pairwise(values))
    else:
        assert values == chosen


@each_axis
def test_a_narrower_span_gives_what_lies_in_it(axis):
    offered = AXES[axis]
    if is_numeric(axis):
        low, high = offered[1], offered[len(offered) // 2]
        assert axis_values(axis, (low, high), 1000) == tuple(value for value in offered if low <= value <= high)
        assert axis_values(axis, (low, low), 12) == (low,)
    else:
        assert axis_values(axis, offered[1:2], 12) == offered[1:2]
        assert axis_values(axis, (), 12) == ()


@each_axis
def test_the_default_span_of_every_axis_makes_a_sweep(axis):
    other = "gain" if axis != "gain" else "skip"
    xs, ys = (axis_values(name, SPAN_CONTROLS[SPANS[name]].default, 4) for name in (axis, other))
    assert Sweep(Experiment(), axis, xs, other, ys, trained=False).cells


def test_the_first_sweep_has_two_settings():
    view = SweepView()
    assert view.x != view.y


def test_every_page_control_is_known_to_the_link(monkeypatch):
    class Parameters(dict):
        def get_all(self, name):
            value = self[name]
            return [str(each) for each in value] if isinstance(value, tuple) else [str(value)]

    for name, control in PAGE_CONTROLS.items():
        for value, said in ((control.default, False), ("\0nonsense", True)):
            if value == ():
                continue
            monkeypatch.setattr("explorer.ui.link.st.query_params", Parameters({name: value}))
            assert bool(complaints(controls_by_key(PAGES))) is said
