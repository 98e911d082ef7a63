"""The first sight: a finished, telling example, without a click and without the network."""

from explorer import Experiment, train
from explorer.diagnosis.facts import facts
from explorer.diagnosis.verdict import VERDICTS, judge


def test_the_opening_shows_a_finished_telling_example(screen):
    screen.open(complete=True)
    word = screen.headline().partition(":")[0].lower()
    assert word in VERDICTS
    assert word == judge(facts(train(Experiment()))).name == "vanishing"
    assert screen.chart("gd.data.filter(t => t.type === 'heatmap').length") >= 2
    assert screen.value("_scenario") == "Sigmoid, 11 layers: never learns"


def test_everything_is_drawn_on_one_screen_of_a_lecture_room(new_screen):
    screen = new_screen(1920, 1080).open(complete=True)
    bottom = screen.chart("gd.getBoundingClientRect().bottom")
    assert bottom <= 1080


def test_a_phone_has_no_sideways_scrolling(new_screen):
    screen = new_screen(390, 844).open(complete=True)
    wide = "Math.max(document.documentElement.scrollWidth, document.querySelector('[data-testid=stMain]').scrollWidth)"
    assert screen.page.evaluate(wide) <= 390


def test_what_is_drawn_is_described_for_who_cannot_see_it(screen):
    screen.open(complete=True)
    assert screen.page.locator("[aria-label*='11 hidden layers']:visible").count()


def test_verdict_and_strip_agree_with_the_engine(screen):
    screen.open(complete=True)
    seen = facts(train(Experiment()))
    shown = screen.page.locator("[data-testid=stMetricValue]:visible").all_inner_texts()
    assert f"{seen.solved} of {seen.runs}" in shown
    assert f"{10**seen.log_factor:.2f}" in shown
