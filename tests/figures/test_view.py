"""The view: what is shown and on which fixed range."""

from itertools import pairwise

import pytest

from explorer.figures.view import RANGES, RATIO, TIME_VIEW_CONTROLS, VALUE, VIEW_CONTROLS, TimeView, View
from explorer.training.kinds import LAYERS
from explorer.training.measures import DIAGNOSTICS, offered


@pytest.mark.parametrize("metric", offered(LAYERS.measures))
@pytest.mark.parametrize("colour", [VALUE, RATIO])
@pytest.mark.parametrize("span", RANGES)
def test_every_view_has_a_range_that_does_not_depend_on_data(metric, colour, span):
    view = View(metric=metric, colour=colour, range=span)
    low, high = view.span
    assert low < high
    assert view.diagnostic is DIAGNOSTICS[offered(LAYERS.measures)[metric]]
    if not view.in_decades:
        assert (low, high) == view.diagnostic.span
    if view.is_ratio:
        assert low == -high


def test_wider_ranges_contain_the_narrower():
    spans = [View(range=name).span for name in RANGES]
    assert all(wide[0] < narrow[0] and wide[1] > narrow[1] for narrow, wide in pairwise(spans))


def test_ranges_are_the_ones_that_the_help_states():
    said = VIEW_CONTROLS["range"].help
    for name, words in {"usual": "10⁻¹⁰ to 10²", "wide": "10⁻³⁶ to 10²⁸", "widest": "10⁻¹⁰² to 10⁹⁴"}.items():
        low, high = View(range=name, colour=VALUE).span
        digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
        assert f"{name} {words}" in said
        assert [float(part[2:].translate(digits)) for part in words.split(" to ")] == [low, high]


def test_shares_have_no_ratio():
    assert not View(metric="dead", colour=RATIO).is_ratio
    assert View(metric="dL/dz", colour=RATIO).is_ratio


@pytest.mark.parametrize(
    ("field", "value"), [("metric", "mood"), ("colour", None), ("axis", ""), ("range", "all"), ("at", 0.5), ("at", -2)]
)
def test_what_is_not_allowed_is_named(field, value):
    with pytest.raises(ValueError, match=field):
        View(**{field: value})


def test_a_view_never_shares_a_name_with_a_setting():
    from explorer.choices.experiment import CONTROLS

    assert not set(VIEW_CONTROLS) & set(CONTROLS)


@pytest.mark.parametrize(("view", "controls"), [(View, VIEW_CONTROLS), (TimeView, TIME_VIEW_CONTROLS)])
def test_what_a_view_offers_follows_from_the_measures_of_its_kind(view, controls):
    labels = [entry.label for entry in view.kind.measures.values() if entry.label]
    assert list(controls["metric"].options) == labels
    assert view().diagnostic is view.kind.measures[view.kind.main]
    assert f"ratio to last {view.kind.position}" in controls["colour"].options


@pytest.mark.parametrize("view", [View(), TimeView()], ids=["layers", "time steps"])
def test_colours_open_as_ratios_to_the_last(view):
    assert view.is_ratio
    assert view.span[0] == -view.span[1]  # level is in the middle
