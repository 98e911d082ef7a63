"""The first sight: a finished, telling example, without a click and without the network."""

import pytest

from explorer import Experiment, train
from explorer.diagnosis.facts import facts
from explorer.diagnosis.verdict import VERDICTS, judge
from tests.browser.test_export import download


def test_the_opening_shows_a_finished_telling_example(reading):
    screen = reading()
    word = screen.headline().partition(":")[0].lower()
    assert word in VERDICTS
    assert word == judge(facts(train(Experiment()))).name == "vanishing"
    assert screen.chart("gd.data.filter(t => t.type === 'heatmap').length") >= 2
    assert screen.value("_scenario") == "Sigmoid, 11 layers: never learns"


def test_everything_is_drawn_on_one_screen_of_a_lecture_room(reading):
    assert reading(size=(1920, 1080)).chart("gd.getBoundingClientRect().bottom") <= 1080


def test_a_phone_has_no_sideways_scrolling(new_screen):
    screen = new_screen(390, 844).open(complete=True)
    wide = "Math.max(document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth)"
    assert screen.page.evaluate(wide) <= 390


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
    name, _ = download(screen, lambda: screen.page.get_by_role("button", name="PNG", exact=True).click())
    assert name == "joint_figure_gradients_opening-example.png"


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768)])
def test_the_first_visit_shows_on_one_screen_what_it_is_and_what_to_try(reading, size):
    screen = reading(size=size)
    for name in ("Skip connections", "Dying ReLU", "All remedies", "Close", "What do I see?"):
        box = screen.page.get_by_role("button", name=name, exact=name != "Close").first.bounding_box()
        assert box["y"] + box["height"] < size[1]
    lines = {
        round(screen.page.get_by_role("button", name=name, exact=True).bounding_box()["y"])
        for name in ("Skip connections", "Dying ReLU", "All remedies")
    }
    assert len(lines) == 1  # a slim line
