"""The cliff's page without its browser: controls, links, words, figure, lines of Python."""

import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from explorer.choices.controls import Choice
from explorer.diagnosis.wording import number
from explorer.figures.cliff import cliff_figure, describe_cliff, describe_section, section_figure, walks
from explorer.figures.marks import NOT_FINITE_WORDS, ZERO_WORDS
from explorer.figures.view import CLIFF_PAGE, CLIFF_VIEW_CONTROLS, CliffView
from explorer.sharing.code import cliff_table, listings
from explorer.sharing.notebook import cliff_lines
from explorer.sweeps.cliff import B_SPAN, W_SPAN, section, surface, survey
from explorer.sweeps.descent import LAST, Descent, cliff_headline, cliff_summary, exits, growth, inside
from explorer.sweeps.descent import Path as Way
from explorer.ui.link import complaints
from explorer.ui.plain_text import verbatim
from pages import PAGES
from pages.cliff_page import CLIFF_CONTROLS, nearest
from tests.pictures import checked
from tests.work import descend

cliff_figure, section_figure = map(checked, (cliff_figure, section_figure))

PAGE_CONTROLS = {key: control for page in PAGES for key, control in page.controls.items()}

ROOT = Path(__file__).resolve().parents[2]
OTHER = {
    "shown": "gradient",
    "learning_rate": 1.0,
    "clip": "value",
    "threshold": 0.1,
    "updates": 80,
    "steps": 20,
    "w": 5.0,
    "b": -2.5,
}
each_control = pytest.mark.parametrize("name", CLIFF_VIEW_CONTROLS)


@cache
def paths(view):
    return tuple(descend(view.descent(clipped=limited)) for limited in (False, True))


@cache
def figure(view):
    free, clipped = paths(view)
    return cliff_figure(survey(view.steps), walks(free, clipped, view), view, cliff_summary(view))


# --- controls ------------------------------------------------------------------------------------


@each_control
def test_a_control_says_what_it_is_and_its_default_is_on_offer(name):
    control = CLIFF_VIEW_CONTROLS[name]
    assert control.help.endswith(".")
    assert control.check(name, control.default) == control.default
    assert control.default in (control.options if isinstance(control, Choice) else control.marks)
    assert PAGE_CONTROLS[f"{CLIFF_PAGE}{name}"] is control


@each_control
def test_every_value_on_offer_reads_back_from_a_link(name):
    control = CLIFF_VIEW_CONTROLS[name]
    for value in control.options if isinstance(control, Choice) else control.marks:
        assert control.parse(name, str(value)) == value
        assert getattr(CliffView(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", "0"),
        ("clip", "none"),
        ("threshold", "nan"),
        ("updates", "201"),
        ("updates", "5.5"),
        ("steps", "1"),
        ("w", "inf"),
        ("b", "-5"),
        ("shown", "cake"),
    ],
)
def test_a_bad_value_is_named_in_the_link_and_refused_by_the_view(monkeypatch, name, value):
    class Parameters(dict):
        def get_all(self, key):
            return [self[key]]

    monkeypatch.setattr("explorer.ui.link.st.query_params", Parameters({f"{CLIFF_PAGE}{name}": value}))
    (said,) = complaints(PAGE_CONTROLS).values()
    assert verbatim(f"{CLIFF_PAGE}{name}") in said
    with pytest.raises(ValueError, match=f"{CLIFF_PAGE}{name}"):
        CliffView(**{name: value})


def test_a_click_sets_the_nearest_value_on_offer():
    marks = CLIFF_CONTROLS["cliff_w"].marks
    assert nearest(marks, 4.626) == 4.65
    assert nearest(marks, 99.0) == W_SPAN[1]


# --- the figure ----------------------------------------------------------------------------------


@each_control
def test_every_control_changes_the_figures_data(name):
    view = CliffView(**{name: OTHER[name]})
    assert getattr(view, name) != CLIFF_VIEW_CONTROLS[name].default
    assert figure(view).to_json() != figure(CliffView()).to_json()
    assert name == "shown" or cliff_summary(view) != cliff_summary(CliffView())


@pytest.mark.parametrize("shown", CLIFF_VIEW_CONTROLS["shown"].options)
def test_the_paths_are_drawn_where_they_are(shown):
    view = CliffView(shown=shown)
    drawn = figure(view)
    for walk in walks(*paths(view), view):
        lines = [trace for trace in drawn.data if trace.name == walk.name]
        by_update = [trace for trace in lines if getattr(trace, "xaxis", "") == "x2"]
        np.testing.assert_allclose(by_update[1].y, walk.path.loss)
        on_map = next(trace for trace in lines if getattr(trace, "xaxis", "") != "x2")
        if shown != "relief":
            np.testing.assert_allclose(np.stack([on_map.x, on_map.y], 1), walk.path.points, rtol=1e-6)


def test_what_has_no_place_on_an_axis_has_a_mark():
    way = Way(np.full((4, 2), 5.0), np.array([0.1, 0.0, 1e-30, 0.1]), np.array([1e9, 0.0, np.nan, 1.0]))
    view = CliffView(updates=5)
    drawn = cliff_figure(survey(5), walks(way, way, view), view, "")
    told = {trace.name: list(trace.x) for trace in drawn.data if trace.yaxis == "y2" and trace.mode == "markers"}
    assert told == {"above the scale": [0], "exactly 0": [1], "not finite: infinite or NaN": [2]}


@pytest.mark.parametrize(
    ("value", "words"), [(np.nan, NOT_FINITE_WORDS), (np.inf, NOT_FINITE_WORDS), (0.0, ZERO_WORDS)]
)
def test_what_has_no_colour_on_the_map_has_a_mark(value, words):
    view = CliffView()
    ground, pair = survey(view.steps), walks(*paths(view), view)
    loss = ground.surface.loss.copy()
    loss[3, 4] = value
    drawn = cliff_figure(replace(ground, surface=replace(ground.surface, loss=loss)), pair, view, "")
    (marked,) = (trace for trace in drawn.data if trace.type == "heatmap" and np.isnan(trace.z).sum() == loss.size - 1)
    assert marked.z[3, 4] == 1
    assert any(trace.name == words and trace.showlegend is not False for trace in drawn.data)


def test_a_path_leaves_the_map_on_its_way_and_the_mark_lies_on_the_edge():
    points = np.array([[5.0, -2.0], [15.0, 3.0], [5.0, -2.0], [5.0, -12.0], [np.nan, np.nan]])
    found = exits(Way(points, np.zeros(5), np.ones(5)))
    assert found == [(0, 7.0, -1.0), (2, 5.0, -4.0)]


def test_scales_stay_while_settings_change():
    first, second = figure(CliffView()), figure(CliffView(steps=5, threshold=10.0, learning_rate=5.0))
    for name in ("xaxis", "yaxis", "yaxis2", "yaxis3"):
        assert first.layout[name].range == second.layout[name].range
    assert (first.data[0].zmin, first.data[0].zmax) == (second.data[0].zmin, second.data[0].zmax)


def test_the_section_draws_the_present_number_of_steps_last():
    cut = section(5.0, (2, 10, 50))
    drawn = section_figure(cut, "settings")
    assert [trace.name.split(":")[0] for trace in drawn.data] == ["T = 2", "T = 10", "T = 50"]
    assert "50 steps" in describe_section(cut)


# --- words ---------------------------------------------------------------------------------------


def test_the_headline_says_what_was_measured():
    free, clipped = paths(CliffView())
    told = cliff_headline(free, clipped, CliffView())
    assert f"{free.norm[free.longest]:.0f} throws w from {free.points[free.longest, 0]:.2f}" in told
    assert told.endswith(" (the last 20 updates)")


VIEWS = [
    {},
    {"clip": "value"},
    {"clip": "value", "threshold": 0.1},
    {"clip": "value", "updates": 60},
    {"updates": 50},
    {"updates": 40, "threshold": 0.1},
    {"steps": 45},
    {"steps": 45, "updates": 60},
    {"steps": 10},
    {"w": 6.0, "b": -3.0},
    {"learning_rate": 0.1, "threshold": 0.1},
    {"learning_rate": 2.0, "w": 6.5, "clip": "value", "updates": 200},
    {"threshold": 1000.0},
    {"updates": 12, "threshold": 0.02},
    {"learning_rate": 0.01, "threshold": 10.0, "updates": 5},
]
each_view = pytest.mark.parametrize("settings", VIEWS, ids=str)


@each_view
def test_the_headline_says_where_both_paths_end_and_plainly_where_clipping_ends_worse(settings):
    view = CliffView(**settings)
    free, clipped = paths(view)
    told = cliff_headline(free, clipped, view)
    last = min(LAST, view.updates)
    without, limited = (ends(path.loss[-last:]) for path in (free, clipped))
    said = [limited] if without == limited else [limited, without]
    ending = told[told.rindex(" end") :]
    if "changes nothing" in told:
        assert without == limited
    assert [ending.index(each) for each in said] == sorted(ending.index(each) for each in said)
    assert ("ends worse" in told) == (
        without != limited and np.median(clipped.loss[-last:]) > np.median(free.loss[-last:])
    )
    assert ("instead of" in told) == (without != limited and "ends worse" not in told)
    assert told.endswith(f"({'all' if view.updates <= LAST else 'the last'} {last} updates)")


def ends(loss):
    """The median of a loss that has come to rest; of one that still hops the power of ten above it."""
    if 0 < 2 * loss.min() < loss.max() < np.inf:
        power = next(10.0**power for power in range(-300, 300) if 10.0**power >= loss.max())
        return f"below {number(power)}"
    return f"at {number(float(np.median(loss)))}"


def test_the_views_of_that_law_end_in_every_way():
    told = [cliff_headline(*paths(view), view) for view in (CliffView(**settings) for settings in VIEWS)]
    for words in (
        "ends worse",
        "instead of",
        "changes nothing",
        "throws",
        "leads",
        "stay on the map",
        "(all 12 updates)",
    ):
        assert any(words in each for each in told), words


@each_view
def test_it_names_what_leaves_the_map_and_only_that(settings):
    view = CliffView(**settings)
    told, pair = cliff_headline(*paths(view), view), paths(view)
    thrown = any(exits(path) for path in pair) and "changes nothing" not in told
    assert bool(re.search("throws|leads", told)) == thrown
    for path in pair if thrown else ():
        if not exits(path):
            continue
        update = max((update for update, _, _ in exits(path)), key=lambda each: path.lengths[each])
        assert not inside(path.points[update + 1])
        for place, (name, (low, high)) in enumerate({"w": W_SPAN, "b": B_SPAN}.items()):
            start, end = path.points[update : update + 2, place]
            assert (f"{name} from {number(start, 3)} to {number(end, 3)}" in told) == (end < low or end > high)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"threshold": 1000.0}, "clipping changes nothing"),
        ({"steps": 2}, "clipping changes nothing"),
        ({"steps": 10}, "Both descents stay on the map"),
    ],
)
def test_it_claims_no_throw_where_there_is_none(settings, words):
    view = CliffView(**settings)
    free, clipped = paths(view)
    assert words in cliff_headline(free, clipped, view)
    assert "throws" not in cliff_headline(free, clipped, view)


def test_where_both_leave_the_map_both_are_said_and_written_apart():
    view = CliffView(learning_rate=2.0, updates=200, w=6.5, clip="value")
    free, clipped = paths(view)
    assert exits(free) and exits(clipped)
    assert cliff_headline(free, clipped, view).count("a gradient of norm") == 2
    notes = [note for note in figure(view).layout.annotations if note.text.startswith("to w")]
    assert len({note.yshift for note in notes}) == 2
    # The same updates as in the headline.
    for note in notes:
        assert f" to {note.text.split('b = ')[1]}" in cliff_headline(free, clipped, view)


def test_a_path_that_is_not_finite_is_said():
    lost = Way(np.array([[5.0, -2.0], [np.nan, np.nan]]), np.array([0.1, np.nan]), np.array([np.inf, np.nan]))
    kept = descend(Descent(w=5.0, b=-2.0, learning_rate=0.1, updates=1))
    told = cliff_headline(lost, kept, CliffView())
    assert "not finite from update 1 on" in told
    assert "instead of not finite" in told
    assert "the loss ends worse, not finite, without" in cliff_headline(kept, lost, CliffView())


def test_theorys_growth_is_said_only_where_there_is_a_wall():
    view = CliffView()
    free, _ = paths(view)
    factor = free.points[free.longest, 0] * 0.6224593 * (1 - 0.6224593)
    assert f"{factor:.2f} times a step" in growth(view, free)
    assert f"{number(factor**view.steps)} times in 50" in growth(view, free)
    low = CliffView(w=3.0, b=-1.0, learning_rate=0.01)
    assert "repels (that takes" in growth(low, paths(low)[0])


@pytest.mark.parametrize("settings", [{}, {"w": 6.0, "b": -3.0, "updates": 60}, {"w": 6.0, "b": -3.0, "updates": 20}])
def test_theorys_growth_is_said_of_the_line_and_how_far_from_it_the_longest_gradient_was(settings):
    view = CliffView(**settings)
    free, _ = paths(view)
    w, b = free.points[free.longest]
    on = 0.5 - 0.6224593312 * w
    told = growth(view, free)
    assert told.startswith(f"On the wall's line, w h₀ + b = 0.5, at w = {number(w, 3)} ")
    assert f"at this w, {number(abs(b - on))} from the line in b" in told
    # There, not where the path was, an error grows as is said: of h_T by what is added to h_0, as long as it is small.
    grown = float(surface(np.array([w]), np.array([on]), 8).by_b[0]) - float(
        surface(np.array([w]), np.array([on]), 7).by_b[0]
    )
    factor = float(re.search(r"grows ([\d.]+) times a step", told)[1])
    assert grown == pytest.approx(2 * (0.6224593312 - 0.7) * 0.2350037 * factor**7, rel=0.05)


@pytest.mark.parametrize("shown", ["loss", "gradient"])
def test_the_note_at_the_wall_says_what_is_drawn_there(shown):
    (note,) = [each.text for each in figure(CliffView(shown=shown)).layout.annotations if "wall" in each.text]
    assert ("within 0.0125" in note) == (shown == "gradient")


def test_in_the_reliefs_corners_no_two_axes_have_a_number():
    scene = figure(CliffView(shown="relief")).layout.scene
    for axis, span in ((scene.xaxis, W_SPAN), (scene.yaxis, B_SPAN)):
        assert span[0] < min(axis.tickvals) < max(axis.tickvals) < span[1]


def test_the_alternative_text_has_the_numbers():
    view = CliffView()
    told = describe_cliff(survey(view.steps), *paths(view), view)
    for part in ("Without clipping:", "Clipped by norm to 0.5:", f"after {view.updates} updates", cliff_summary(view)):
        assert part in told


# --- what is taken away --------------------------------------------------------------------------


@pytest.mark.parametrize("view", [CliffView(), CliffView(**OTHER)], ids=["opening", "other"])
def test_the_lines_of_python_give_what_the_page_shows(view):
    free, clipped = paths(view)
    lines = (
        cliff_lines(view)
        + "print(repr(float(free.norm[-2])), repr(float(clipped.points[-1, 0])), ground.surface.loss.shape)"
    )
    done = subprocess.run([sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=True)
    norm, w, *shape = done.stdout.splitlines()[-1].split(maxsplit=2)
    assert (float(norm), float(w)) == (free.norm[-2], clipped.points[-1, 0])
    assert shape == ["(121, 161)"]


@pytest.mark.parametrize("clip", CLIFF_VIEW_CONTROLS["clip"].options)
def test_the_code_that_is_shown_is_there(clip):
    for shown, pieces in cliff_table(clip).items():
        assert listings(pieces), shown
    assert f"_by_{clip}" in {each.name for each in listings(cliff_table(clip)["Clipping"])}
