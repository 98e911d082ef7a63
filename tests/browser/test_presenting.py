"""A page that is shown in a lecture room: everything can be read from the last row, and nothing has to be scrolled for."""

import pytest

from tests.browser.driver import few

SMALL = {"epochs": 20, "runs": 2, "depth": 3, "baseline": "none"}
# By page: its link, and the place of its main figure.
PAGES = {
    "Explore": ("/", {"depth": 5, "epochs": 50, "skip": "one layer"}, "joint_figure"),
    "Walk": ("/walk", {}, "walk_graph"),
    "Remedies": ("/remedies", SMALL, "remedies_figure"),
    "Depth": ("/depth", SMALL | {"deepest": 6}, "depth_factors"),
    "Sweep": ("/sweep", SMALL | {"cells": 6}, "sweep_map"),
    "Time": ("/time", {"time_epochs": 10, "time_length": 20, "time_runs": 2}, "side_by_side"),
    "Cliff": ("/cliff", {}, "cliff_map"),
    "Tutorial": ("/tutorial", {"tutorial_net": "residual", "tutorial_inner": 2, "tutorial_seed": 3}, "tutorial_figure"),
    "Homework": ("/homework", {}, "homework_figure"),
}
# Lines of a screen of 1920 x 1080 pixels: of figures, of what is said, and of what is set.
IN_FIGURES, SAID, SET = 24, 24, 20

# The smallest text in pixels: of a figure; among what is said in the window; in the sidebar; what ends below the window, and
# what a menu cuts of its choice.
SIZES = """place => {
  const seen = e => explorer.shown(e) && e.checkVisibility({ visibilityProperty: true });
  const scale = e => { const m = e.getScreenCTM?.(); return m ? Math.hypot(m.a, m.b) : 1; };
  const size = e => parseFloat(getComputedStyle(e).fontSize) * scale(e);
  const least = (where, which) => Math.min(...[...document.querySelectorAll(where)].filter(e => e.textContent.trim() && seen(e))
    .filter(e => e.getBoundingClientRect().bottom <= innerHeight).map(size));
  const box = [...document.querySelectorAll(`.st-key-${place} :is(.js-plotly-plot, svg[viewBox])`)].find(seen).getBoundingClientRect();
  const main = document.querySelector("[data-testid=stMain]");
  return { figure: least(`.st-key-${place} :is(text, tspan.line)`), bottom: box.bottom,
    said: least("[data-testid=stMain] :is(h2, p, [data-testid=stMetricValue]):not([class*=st-key-row] *)"),
    set: least("[data-testid=stSidebar] :is(label p, [role=radio] *, input)"),
    hidden: (sidebar => sidebar ? sidebar.scrollHeight - sidebar.clientHeight : 0)(document.querySelector("[data-testid=stSidebar][data-collapsed=false] [data-testid=stSidebarContent]")),
    cut: [...main.querySelectorAll("input[role=combobox]")].filter(e => seen(e) && e.scrollWidth > e.clientWidth).map(e => e.value),
    across: main.scrollWidth - main.clientWidth }; }"""


def opened(new_screen, name, size=(1920, 1080)):
    path, settings, place = PAGES[name]
    screen = new_screen(*size)
    query = "&".join(f"{key}={value}" for key, value in {"present": "presenter", **settings}.items())
    screen.page.goto(f"{screen.address}{path}?{query}")
    screen.page.wait_for_selector(f".st-key-{place} text", state="attached")
    screen.finish()
    screen.page.wait_for_timeout(400)
    return screen, screen.page.evaluate(SIZES, place)


def check_a_lecture_room(found, name):
    assert found["figure"] >= IN_FIGURES, found
    assert found["said"] >= (SAID if name != "Homework" else SET), found
    assert found["set"] is None or found["set"] >= SET, found
    assert found["bottom"] <= 1080 and not found["across"] and not found["hidden"] and not found["cut"], found


# Walk, whose sidebar folds too, and Explore are in every run, below.
@pytest.mark.parametrize("name", few(PAGES, []))
def test_a_page_can_be_read_from_the_last_row_and_needs_no_scrolling(new_screen, name):
    check_a_lecture_room(opened(new_screen, name)[1], name)


@pytest.mark.parametrize("name", few(PAGES, []))
def test_a_laptop_shows_the_same_in_proportion(new_screen, name):
    _, found = opened(new_screen, name, (1366, 768))
    assert found["figure"] >= IN_FIGURES * 1366 / 1920 - 0.01, found
    assert found["bottom"] <= 768 and not found["across"], found


ABOVE_THE_FOLD = (
    "names => names.every(name => document.querySelector(name)?.getBoundingClientRect().bottom <= innerHeight)"
)
PLACE = "(({ top, bottom }) => [top, bottom])(gd.getBoundingClientRect())"


def test_present_is_one_button_and_what_is_flipped_then_moves_nothing(new_screen):
    screen = new_screen(1920, 1080).open(complete=True, **PAGES["Explore"][1])
    before = screen.chart("gd.getBoundingClientRect().top")
    screen.present()
    screen.page.wait_for_function("location.search.includes('present=presenter')")
    screen.finish()
    screen.page.wait_for_timeout(400)
    rest = [f".st-key-{key}" for key in ("skip", "depth", "view")]
    screen.page.wait_for_function(ABOVE_THE_FOLD, arg=rest)  # a browser that is busy draws a little later
    check_a_lecture_room(screen.page.evaluate(SIZES, "joint_figure"), "Explore")
    place = screen.chart(PLACE)
    for option in ("none", "two layers"):
        screen.choose("skip", option)
        screen.finish()
        assert screen.chart(PLACE) == place
    screen.page.keyboard.press("Escape")
    screen.page.get_by_role("button", name="Present").wait_for()
    screen.finish()
    assert screen.chart("gd.getBoundingClientRect().top") == before


def test_walk_folds_the_sidebar_and_unfolds_it_for_the_next_page_and_visit(new_screen):
    screen, found = opened(new_screen, "Walk")
    graph = "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.walk .graph'))"
    check_a_lecture_room(found, "Walk")
    assert screen.page.evaluate(graph) <= 0
    screen.page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('stSidebarCollapsed'))")
    screen.go_to("Explore")
    screen.page.wait_for_selector("[data-testid=stSidebar][data-collapsed=false]")
