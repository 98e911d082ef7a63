"""Cliff in the browser: it opens, every control is in the link and moves the picture at once, a click sets the start."""

import pytest

from explorer.figures.view import CliffView
from pages.cliff_page import CLIFF_CONTROLS
from tests.browser.test_access import findings
from tests.browser.test_pages import place
from tests.browser.test_speed import report
from tests.work import descend

CHOSEN = {
    "cliff_shown": "gradient",
    "cliff_learning_rate": 1.0,
    "cliff_clip": "value",
    "cliff_threshold": 0.1,
    "cliff_updates": 80,
    "cliff_steps": 20,
    "cliff_w": 5.0,
    "cliff_b": -2.5,
}


def open_cliff(screen, **settings):
    return screen.open("/cliff", complete=True, **settings)


@pytest.fixture
def opening(reading):
    """The page as it opens."""
    return reading("/cliff")


def check(screen):
    screen.arrive("Cliff")
    screen.wait_for_chart()
    assert screen.values(CHOSEN) == {key: str(value) for key, value in CHOSEN.items()}
    assert not screen.warnings()


def test_it_opens_with_the_unclipped_descent_thrown_off_the_map(opening):
    free = descend(CliffView().descent(clipped=False))
    assert opening.headline().startswith("Without clipping the descent is thrown off the map; clipped by norm, ")
    below = opening.page.locator("[data-testid=stMain]").inner_text()
    assert f"norm {free.norm[free.longest]:.0f} throws w" in below
    assert opening.chart("gd.data.filter(t => t.name === 'without clipping').length") == 3
    assert "clipping by norm at 0.5" in opening.settings()
    assert not opening.warnings()


def test_nothing_in_sight_keeps_anybody_out(opening):
    assert not findings(opening)


def test_the_link_below_sets_every_control_to_something_else():
    assert set(CHOSEN) == set(CLIFF_CONTROLS)
    assert all(value != CLIFF_CONTROLS[key].default for key, value in CHOSEN.items())


@pytest.mark.long  # in every run on Time, in test_through_time
def test_the_link_restores_every_control_over_reload_and_page_switch(screen):
    screen.open("/cliff", **CHOSEN, v=1)
    check(screen)
    screen.page.reload()
    check(screen)
    screen.go_to("Explore")
    screen.go_to("Cliff")
    check(screen)
    screen.page.go_back()
    screen.arrive("Explore")
    screen.page.go_back()
    check(screen)


@pytest.mark.long  # in every run on the way to the tour and back, in test_tour_page
def test_the_other_pages_settings_are_kept_meanwhile(screen):
    screen.open("/", depth=3, epochs=20, runs=2, skip="one layer", complete=True)
    screen.go_to("Cliff")
    screen.go_to("Explore")
    assert screen.value("depth") == "3"
    assert screen.value("skip") == "one layer"


@pytest.mark.long
def test_a_bad_value_in_the_link_is_named(screen):
    open_cliff(screen, cliff_steps=1000)
    assert "cliff_steps" in screen.warnings()
    assert screen.value("cliff_steps") == "50"


def test_a_click_on_the_map_sets_the_start(opening):
    before = opening.headline()
    place(opening, "", 6.4, -1.5)
    opening.page.wait_for_function("explorer.value('cliff_w') !== '5.5'")
    opening.finish()
    assert float(opening.value("cliff_w")) == pytest.approx(6.4, abs=0.06)
    assert float(opening.value("cliff_b")) == pytest.approx(-1.5, abs=0.06)
    assert opening.headline() != before
    assert opening.parameters()["cliff_w"] == opening.value("cliff_w")
    opening.page.go_back()
    opening.page.wait_for_function("explorer.value('cliff_w') === '5.5' && explorer.value('cliff_b') === '-2.0'")
    opening.finish()


MOVES = {
    "cliff_learning_rate": "ArrowRight",
    "cliff_threshold": "ArrowLeft",
    "cliff_updates": "ArrowRight",
    "cliff_steps": "ArrowLeft",
    "cliff_w": "ArrowLeft",
    "cliff_b": "ArrowRight",
}


@pytest.mark.long  # one control is moved by a click, above
def test_every_move_shows_its_picture(opening):
    took = []
    for key in MOVES:
        took.append(opening.timed(lambda key=key: opening.slide(key, [MOVES[key]])))
        opening.finish()
    report("cliff", took)


def test_the_relief_is_drawn_and_shows_both_paths(screen):
    open_cliff(screen, cliff_shown="relief")
    kinds = screen.chart("gd.data.map(trace => trace.type)")
    assert kinds.count("surface") == 1
    assert kinds.count("scatter3d") == 2
    assert screen.chart("gd.querySelectorAll('.gl-container canvas').length") >= 1
