"""The first sight: a finished, telling example, without a click and without the network."""

import pytest

from explorer import Experiment, train
from explorer.diagnosis.facts import facts
from explorer.diagnosis.verdict import VERDICTS, judge
from tests.browser.driver import few


def test_the_opening_shows_a_finished_telling_example(reading):
    screen = reading()
    word = screen.headline().partition(":")[0].lower()
    assert word in VERDICTS
    assert word == judge(facts(train(Experiment()))).name == "vanishing"
    assert screen.chart("gd.data.filter(t => t.type === 'heatmap').length") >= 2
    assert screen.value("_scenario") == "Sigmoid, 11 layers: never learns"


def test_everything_is_drawn_on_one_screen_of_a_lecture_room(reading):
    assert reading(size=(1920, 1080)).chart("gd.getBoundingClientRect().bottom") <= 1080


def test_what_is_said_beside_the_figure_is_as_large_there_as_its_text(reading):
    said = "[data-testid=stMain] :is([data-testid=stMetricLabel], [data-testid=stMetricDelta], [data-testid=stCaptionContainer], .st-key-verdict_why) p"
    screen = reading(size=(1920, 1080))
    sizes = screen.page.evaluate(
        "said => [...document.querySelectorAll(said)].filter(explorer.shown).map(e => parseFloat(getComputedStyle(e).fontSize))",
        said,
    )
    assert len(sizes) >= 5 and min(sizes) >= 16


def test_what_is_drawn_is_described_for_who_cannot_see_it(reading):
    assert reading().page.locator("[aria-label*='11 hidden layers']:visible").count()


def test_verdict_and_strip_agree_with_the_engine(reading):
    screen = reading()
    seen = facts(train(Experiment()))
    shown = screen.page.locator("[data-testid=stMetricValue]:visible").all_inner_texts()
    assert f"{seen.solved} of {seen.runs}" in shown
    assert f"{10**seen.log_factor:.2f}" in shown


def test_the_opening_example_has_a_name_too(reading):
    screen = reading()
    name, _ = screen.saved("PNG")
    assert name == "joint_figure_gradients_opening-example.png"


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768)])
def test_the_first_visit_shows_on_one_screen_what_it_is_and_what_to_try(reading, size):
    screen = reading(size=size)
    screen.page.evaluate(TO_THE_TOP)
    for name in ("Skip connections", "Dying ReLU", "All remedies", "Close", "What do I see?"):
        box = screen.page.get_by_role("button", name=name, exact=name != "Close").first.bounding_box()
        assert box["y"] + box["height"] < size[1]
    lines = {
        round(screen.page.get_by_role("button", name=name, exact=True).bounding_box()["y"])
        for name in ("Skip connections", "Dying ReLU", "All remedies")
    }
    assert len(lines) == 1  # a slim line


# The words of what stands inside the window.
IN_SIGHT = """kind => [...document.querySelectorAll(kind)]
  .filter(e => explorer.shown(e) && e.checkVisibility() && e.getBoundingClientRect().top < innerHeight)
  .map(e => e.getAttribute("aria-label") ?? e.textContent.trim()).filter(words => words)"""


def test_the_first_visit_asks_little(reading):
    screen = reading(size=(1920, 1080))
    screen.page.evaluate(TO_THE_TOP)
    labels = screen.page.evaluate(IN_SIGHT, "[data-testid=stWidgetLabel]")
    assert len(labels) <= 12, labels
    assert {"Skip over", "Normalization", "Activation", "Task", "Depth"} <= set(labels)
    marks = screen.page.evaluate(IN_SIGHT, "[aria-label^='Help']")
    marks += [icon for icon in screen.page.evaluate(IN_SIGHT, "[data-testid=stIconMaterial]") if icon == "help"]
    assert 1 < len(marks) <= 6, marks


@pytest.mark.long  # in every run on the way to the tour and back, in test_tour_page
def test_what_is_unfolded_stays_unfolded(new_screen):
    screen = new_screen().open(complete=True, epochs=20, depth=3).unfold().finish()
    assert screen.box("epochs").is_visible()
    screen.page.locator("header").get_by_role("link", name="Tour", exact=True).click()
    screen.page.wait_for_selector(".st-key-tour_next")
    screen.go_to("Depth", complete=False)
    assert screen.page.locator(".st-key-epochs").is_visible()


@pytest.mark.long  # without a browser in every run, in test_app
def test_the_threshold_comes_with_clipping_and_keeps_its_value(new_screen):
    screen = new_screen().open(complete=True, epochs=20, depth=3, threshold=0.25, baseline="none")
    assert screen.value("threshold") is None
    for _ in range(2):
        screen.press("clip", "norm")
        screen.page.wait_for_function("explorer.value('threshold') === '0.25'")
        assert "clipping by norm at 0.25" in screen.finish().settings()
        screen.press("clip", "none")
        screen.page.wait_for_function("explorer.value('threshold') === null")
        screen.finish()
    screen.page.go_back()
    screen.page.wait_for_function("explorer.value('threshold') === '0.25'")


TO_THE_TOP = "document.querySelector('[data-testid=stMain]').scrollTo(0, 0)"
MAP_BOTTOMS = """gd.data.filter(t => t.type === "heatmap" && ["x", "x4"].includes(t.xaxis) && t.zmin !== undefined).map(t => {
  const y = gd._fullLayout["yaxis" + t.yaxis.slice(1)]; return gd.getBoundingClientRect().top + y._offset + y._length; })"""


@pytest.mark.parametrize("settings", [{}, {"skip": "one layer"}], ids=["first visit", "with a baseline"])
def test_on_a_laptop_verdict_and_maps_are_above_the_fold(reading, settings):
    screen = reading(size=(1366, 768), **settings)
    screen.page.evaluate(TO_THE_TOP)
    maps = screen.chart(MAP_BOTTOMS)
    assert len(maps) == 1 + len(settings)
    assert max(maps) <= 768
    header = screen.page.locator("[data-testid=stMain] h2:visible").first.bounding_box()
    assert 0 < header["y"] < header["y"] + header["height"] < min(maps)


WATCH = """() => { window.places = new Set(); const look = () => { const chart = explorer.chart();
  if (chart) { const b = chart.getBoundingClientRect(), main = document.querySelector("[data-testid=stMain]");
    places.add(`${Math.round(b.top + main.scrollTop)} + ${Math.round(b.height)}`); }
  requestAnimationFrame(look); }; look(); }"""
FLIPS = [
    ("skip", "one layer"),
    ("clip", "norm"),
    ("skip", "none"),
    ("normalization", "batch"),
    ("normalization", "none"),
    ("activation", "ReLU"),
    ("initializer", "He normal"),
    ("clip", "none"),
    ("activation", "sigmoid"),
    ("skip", "two layers"),
]
SOME = FLIPS[:2]


QUICK = {"epochs": 20, "baseline": "none"}
MOVES = [((1366, 768), SOME, QUICK), ((1366, 768), FLIPS, {}), ((1920, 1080), FLIPS, {})]


@pytest.mark.parametrize(("size", "flips", "settings"), few(MOVES, MOVES[:1]))
def test_the_figure_does_not_move_whatever_is_flipped(new_screen, size, flips, settings):
    screen = new_screen(*size).open(complete=True, **settings)
    screen.page.evaluate(WATCH)
    for key, option in flips:
        screen.choose(key, option)
        screen.page.wait_for_timeout(200)
        screen.finish()
    assert len(screen.page.evaluate("[...places]")) == 1
