"""Controls: pin and compare, what is refused, own data, and random moves of everything."""

import os
import random

import pytest

from explorer.choices.controls import Choice, Several
from explorer.choices.experiment import CONTROLS, Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.diagnose import BY_RULE
from explorer.figures.view import VIEW_CONTROLS
from explorer.stories.scenarios import SCENARIOS, scenarios_of
from explorer.ui.ahead import VARIABLE as AHEAD
from explorer.ui.link import SCHEMA
from explorer.ui.look import WHY_KEY
from explorer.ui.page import controls_by_key
from pages import PAGES
from pages.cliff_page import CLIFF_CONTROLS
from pages.depth_page import DEPTH_CONTROLS
from pages.remedies_page import COMPARISON_CONTROLS, SHARED_VIEW
from pages.remedies_page import PREFIX as REMEDIES_PAGE
from pages.sweep_page import SPAN_CONTROLS, SWEEP_CONTROLS
from pages.time_page import PREFIX as TIME_PAGE
from tests.browser.driver import few, server

ALL_CONTROLS = controls_by_key(PAGES)
TIME_CONTROLS = {key: control for key, control in controls_by_key(PAGES).items() if key.startswith(TIME_PAGE)}

LAYERED = scenarios_of(Experiment)

# On Explore, and on each further page.
MOVES = int(os.environ.get("EXPLORER_RANDOM_MOVES", 8))
PAGE_MOVES = int(os.environ.get("EXPLORER_RANDOM_MOVES", 6))
CSV_INPUT = "input[type=file][accept*=csv]"
GOOD = "width,length,kind\n" + "\n".join(f"{a / 10},{(a * 7) % 11},{'cat' if a % 3 else 'dog'}" for a in range(40))
BAD = {
    "words where numbers should be": "a,b,c\nx,y,1\nz,w,0\n" * 5,
    "one class": "a,b,c\n" + "1,2,x\n3,4,x\n" * 10,
    "a missing number": "a,b,c\n" + "1,,x\n3,4,y\n" * 10,
    "one column": "a\n1\n2\n",
    "three classes": "a,b,c\n" + "1,2,x\n3,4,y\n5,1,z\n" * 10,
    "not a number": "a,b,c\n" + "nan,2,x\n3,4,y\n" * 10,
    "nothing": "",
    "a picture": "\x89PNG\x0d\x0a\x00\x00",
}


# --- the baseline --------------------------------------------------------------------------------


MAPS = "gd.data.filter(t => t.type === 'heatmap' && ['x', 'x4'].includes(t.xaxis) && t.zmin !== undefined)"


def heatmaps(screen):
    """Layer-by-epoch heatmaps of the visible figure: [y axis, lowest, highest colour]."""
    return screen.chart(f"{MAPS}.map(t => [t.yaxis, t.zmin, t.zmax])")


def test_the_first_flip_of_a_remedy_shows_before_and_after_on_one_scale(screen):
    screen.open(complete=True)
    assert len(heatmaps(screen)) == 1
    screen.press("skip", "one layer")
    screen.finish()
    before, after = heatmaps(screen)
    assert before[0] != after[0]
    assert before[1:] == after[1:]
    assert screen.headline().startswith("Skip over one layer: 8 of 8 seeds solve it, where none did")
    assert (
        "times more of the gradient reaches the first layer" in screen.page.locator(f".st-key-{WHY_KEY}").inner_text()
    )
    named = screen.chart("[...gd.querySelectorAll('.annotation-text')].map(e => e.textContent).join('|')")
    assert "now: skip over one layer" in named
    assert "baseline: no skip" in named
    assert screen.parameters() == {"v": SCHEMA, "skip": "one layer"}
    # Unpin shows one, and Pin two again.
    screen.page.get_by_role("button", name="opening example").click()
    screen.page.wait_for_function("location.search.includes('baseline=none')")
    screen.finish()
    screen.page.wait_for_function(
        f"(gd => {MAPS}.length === 1)(explorer.chart())"
    )  # the link may be there before the figure
    screen.page.get_by_role("button", name="Pin this").click()
    screen.page.wait_for_function("location.search.includes('baseline=skip')")
    screen.press("skip", "two layers")
    screen.finish()
    assert len(heatmaps(screen)) == 2
    assert "skip over two layers" in screen.headline().lower()


SHORT = [name for name in LAYERED if "Tutorial" not in name]


@pytest.mark.long  # test_links chooses one in every run
def test_every_scenario_opens(screen):
    screen.open(epochs=10, complete=True)
    for name in SHORT:
        screen.pick("_scenario", name)
        screen.page.wait_for_function("name => explorer.value('_scenario') === name", arg=name)
        shown = SCENARIOS[name].experiment
        network = f"{shown.depth} {shown.layer_kind.called}s of {shown.width} "
        screen.page.wait_for_function("words => explorer.settings().includes(words)", arg=network)
        assert screen.rest().value("_scenario") == name
        assert not screen.warnings()


# --- what is refused -----------------------------------------------------------------------------

TOO_MUCH = {"task": "moons", "depth": 50, "width": 128, "runs": 64, "samples": 1024, "epochs": 100_000, "batch": "1"}


@pytest.mark.long  # without a browser in every run, in test_app
def test_too_much_work_is_refused_with_what_to_lower(screen):
    screen.page.goto(f"{screen.address}/?" + "&".join(f"{k}={v}" for k, v in TOO_MUCH.items()))
    screen.page.wait_for_selector("[data-testid=stAlert]")
    screen.rest()
    assert "is not started: set " in screen.warnings()
    assert not screen.page.locator("[data-testid=stProgress]:visible").count()
    assert not screen.page.locator(".js-plotly-plot:visible").count()
    screen.slide("depth", ["Home"])  # the controls still work
    screen.rest()
    assert screen.value("depth") == "1"


@pytest.mark.long
def test_a_baseline_that_is_too_much_work_is_refused_too(screen):
    text = ";".join(f"{k}:{v}" for k, v in TOO_MUCH.items())
    screen.page.goto(f"{screen.address}/?baseline={text}")
    screen.page.wait_for_selector("[data-testid=stAlert]")
    screen.rest()
    assert "The baseline is not trained" in screen.warnings()
    screen.wait_for_chart()  # the rest is
    assert len(heatmaps(screen)) == 1


# --- own data ------------------------------------------------------------------------------------


def upload(screen, text, name="pets.csv"):
    screen.page.locator(CSV_INPUT).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": text.encode("latin-1")}
    )
    screen.page.wait_for_timeout(300)
    screen.rest(60_000)


def test_own_data_is_asked_for_then_trained_on(screen):
    screen.page.goto(f"{screen.address}/?task=own+data&epochs=20&baseline=none")
    screen.page.wait_for_selector(CSV_INPUT, state="attached")
    assert "CSV" in screen.warnings()
    refuse(screen, next(iter(BAD.values())))
    upload(screen, GOOD)
    screen.wait_for_chart()
    screen.finish()
    assert "own data" in screen.settings()
    names = screen.chart("gd.data.map(t => t.name).filter(n => n?.startsWith('class '))")
    assert sorted(names) == ["class cat", "class dog"]


def refuse(screen, text):
    """Upload what cannot be used: the file is named, and nothing is drawn."""
    upload(screen, text)
    assert "pets.csv" in screen.page.locator("[data-testid=stSidebar] [data-testid=stAlert]").first.inner_text()
    assert not screen.page.locator(".js-plotly-plot:visible").count()


@pytest.mark.parametrize("name", few(BAD, []))
def test_a_file_that_cannot_be_used_is_refused_with_its_name(screen, name):
    screen.page.goto(f"{screen.address}/?task=own+data&epochs=20")
    screen.page.wait_for_selector(CSV_INPUT, state="attached")
    refuse(screen, BAD[name])


# --- random moves --------------------------------------------------------------------------------


EXPLORE_KEYS = [*CONTROLS, *VIEW_CONTROLS, "_scenario", "pin", "unpin", "skip", "normalization", "clip", "at"]
# What makes a whole page of trainings long stays as the link has it.
LONG = {"epochs", "runs", "samples", "width"}
LONG_OVER_TIME = {f"{TIME_PAGE}{name}" for name in ("epochs", "runs", "samples", "hidden", "stack")}
SIDEBAR_KEYS = [*(key for key in CONTROLS if key not in LONG), "pin", "unpin"]
TIME_KEYS = [key for key in TIME_CONTROLS if key not in LONG_OVER_TIME]
PAGE_KEYS = {
    "remedies": [*COMPARISON_CONTROLS, *(f"{REMEDIES_PAGE}{name}" for name in SHARED_VIEW), "_scenario"] * 2
    + SIDEBAR_KEYS,
    "depth": [*DEPTH_CONTROLS, "_scenario", "sweep_stop"] * 2 + SIDEBAR_KEYS,
    "sweep": [*SWEEP_CONTROLS, *SWEEP_CONTROLS, *SPAN_CONTROLS, "sweep_stop"] * 2 + SIDEBAR_KEYS,
    "time": [*TIME_KEYS, f"{TIME_PAGE}figure", f"{TIME_PAGE}compare", "_time_scenario", "pin", "unpin"],
    "cliff": [*CLIFF_CONTROLS],
}
SMALL_LAYERS = {"epochs": 50, "runs": 2, "deepest": 8, "cells": 6}
SMALL_OVER_TIME = {"time_epochs": 50, "time_runs": 2, "time_length": 20, "time_hidden": 4, "time_stack": 2}
MENUS = {"_scenario": LAYERED, "_time_scenario": scenarios_of(RecurrentExperiment)}


def random_move(screen, rng, keys):
    """Move one control of any kind; returns what was done."""
    if screen.page_name() == "sweep":
        # Of the axes' values only those of two settings are there.
        keys = [key for key in keys if key not in SPAN_CONTROLS or screen.box(key).count()]
    key = rng.choice(keys)
    if key in BUTTONS:
        return _press_button(screen, key)
    if key in MENUS:
        name = rng.choice(list(MENUS[key]))
        screen.pick(key, name)
        return f"{key} = {name}"
    box = screen.box(key)
    if not box.count() or box.locator("input:disabled, [role=radio]:disabled").count():
        return f"{key} is not there or disabled"
    control = ALL_CONTROLS[key]
    if isinstance(control, Choice):
        return f"{key} = {_press_or_pick(screen, key, rng)}"
    if isinstance(control, Several):
        names = rng.sample(list(control.options), rng.randrange(1, 3))
        for name in names:
            screen.tick(key, name)
        return f"{key}: {names}"
    if box.locator("input[type=number]").count():
        value = str(rng.randrange(0, 1000))
        box.locator("input").fill(value)
        box.locator("input").press("Enter")
        return f"{key} = {value}"
    presses = [rng.choice(["Home", "End", "ArrowLeft", "ArrowRight", "ArrowRight"]) for _ in range(rng.randrange(1, 4))]
    end = rng.randrange(box.locator("input[type=range]").count())
    screen.slide(key, presses, end)
    return f"{key}: {presses} at end {end}"


# Parts of the keys of what is pressed.
BUTTONS = {"pin": "baseline_pin", "unpin": "baseline_unpin", "sweep_stop": "sweep_stop"}


def _press_button(screen, key):
    from playwright.sync_api import Error

    button = screen.page.locator(f"[class*={BUTTONS[key]}] button").first
    try:
        # It may go while it is looked for: what is stopped may be complete.
        if button.is_visible() and button.is_enabled(timeout=500):
            button.click(timeout=500)
    except Error:
        return f"{key} has gone"
    return key


def _press_or_pick(screen, key, rng):
    radios = screen.box(key).get_by_role("radio")
    if radios.count():
        radio = radios.nth(rng.randrange(radios.count()))
        radio.click()
        return radio.inner_text()
    screen.open_list(key)
    options = screen.page.get_by_role("option")
    options.first.wait_for()
    option = options.nth(rng.randrange(options.count()))
    option.scroll_into_view_if_needed()
    text = option.inner_text()
    option.click()
    return text


def _while_it_is_there(move, screen):
    """Move; the move before may have taken the control away, as another axis takes the values of the old one."""
    from playwright.sync_api import TimeoutError

    # A relief is drawn without a graphics card here: on a busy machine that takes seconds.
    screen.page.set_default_timeout(10_000)
    try:
        return move()
    except TimeoutError as error:
        # Only that is forgiven: what is there must answer.
        if "waiting for locator" not in str(error) or "resolved to" in str(error):
            raise
        return "it has gone"
    finally:
        screen.page.set_default_timeout(30_000)


def move_about(screen, moves, keys, seed):
    """Make random moves; none may end in an exception, an error or a way off this machine."""
    rng = random.Random(seed)
    done = []
    for _ in range(moves):
        done.append(_while_it_is_there(lambda: random_move(screen, rng, keys), screen))
        screen.page.wait_for_timeout(rng.choice([0, 50, 150, 400]))
        assert not screen.exceptions(), done[-5:]
        assert not screen.problems, done[-5:]
    screen.page.wait_for_timeout(1500)
    assert not screen.exceptions(), done[-5:]
    assert not screen.problems, done[-5:]
    print(f"\n{len(done)} random moves on {screen.page_name() or 'explore'}, no exception")


@pytest.mark.long  # what becomes of it is said in every run, in test_app
def test_remedies_are_tried_while_somebody_reads_and_may_go_on(new_screen, monkeypatch):
    monkeypatch.setenv(AHEAD, "")
    with server() as address:
        screen = new_screen(at=address).open(depth=8, epochs=5010, baseline="none")
        why = f"document.querySelector('.st-key-{WHY_KEY}').innerText"
        screen.page.wait_for_function(f"{why}.includes('{BY_RULE}')")
        stood = screen.finish().chart("gd.getBoundingClientRect().top")
        screen.page.wait_for_function(f"{why}.includes('remedies with 4 seeds each')")
        assert BY_RULE not in screen.page.evaluate(why)
        assert screen.rest().chart("gd.getBoundingClientRect().top") == stood
        screen.open(depth=9, epochs=5010, baseline="none")
        screen.page.wait_for_function(f"{why}.includes('{BY_RULE}')")
        screen.page.wait_for_timeout(800)
        screen.press("normalization", "batch")
        screen.page.wait_for_function("explorer.settings().includes('batch norm')")
        screen.press("normalization", "none")
        screen.page.wait_for_function("!explorer.settings().includes('batch norm')")
        screen.page.wait_for_timeout(800)
        screen.go_to("Glossary")
        screen.page.wait_for_timeout(3000)
        assert screen.page_name() == "glossary", "nobody is called back"


def test_random_moves_never_end_in_an_exception(new_screen):
    screen = new_screen(1920, 1400).open(epochs=200)
    move_about(screen, MOVES, EXPLORE_KEYS, seed=20_260_101)
    # And it is alive: a small setting still gives a picture.
    screen.open(epochs=20, complete=True)


@pytest.mark.parametrize("page", few(PAGE_KEYS, []))
def test_random_moves_on_a_further_page_never_end_in_an_exception(new_screen, page):
    small = {"time": SMALL_OVER_TIME, "cliff": {}}.get(page, SMALL_LAYERS)
    screen = new_screen(1920, 1400).open(f"/{page}", **small)
    move_about(screen, PAGE_MOVES, PAGE_KEYS[page], seed=20_260_102)
    screen.open(f"/{page}", complete=True, **small)
