"""Remedies, Depth and Sweep: their controls come back, their clicks lead to Explore, their work stops and goes on."""

import csv
import re

import pytest

from explorer import Experiment
from explorer.choices.arrays import thin
from explorer.choices.datasets import DATASETS
from explorer.choices.experiment import CONTROLS
from explorer.diagnosis.effects import combined
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.wording import summary
from explorer.sweeps.sweep import AXES
from explorer.ui.link import UNPINNED, encode
from pages import PAGES
from pages.depth_page import DEPTH_CONTROLS
from pages.remedies_page import COMPARISON_CONTROLS, SHARED_VIEW
from pages.remedies_page import PREFIX as REMEDIES_PAGE
from pages.sweep_page import AXIS_NAMES, SPAN_CONTROLS, SPANS, SWEEP_CONTROLS
from tests.browser.driver import few
from tests.browser.test_access import findings
from tests.browser.test_export import png_size
from tests.ui.test_app import RANKED, check_rows

PAGE_CONTROLS = {key: control for page in PAGES for key, control in page.controls.items()}

SMALL = {"epochs": 20, "runs": 2, "depth": 3}
START = Experiment(epochs=20, runs=2, depth=3)
BASELINE = encode(Experiment(epochs=20, runs=2, depth=2))
NONE_PINNED = SMALL | {"baseline": UNPINNED}

# Every control of a page at something else than its default.
CHOSEN = {
    "Remedies": {
        "remedies_metric": "dL/dW",
        "remedies_colour": "value",
        "remedies_axis": "log",
        "remedies_range": "wide",
        "start": "baseline",
        "combine": ["ReLU", "batch norm"],
    },
    "Depth": {"remedy": "batch norm", "deepest": 4, "gradient": "dL/dW", "train": "off"},
    "Sweep": {
        "x": "depth",
        "y": "learning rate",
        "outcome": "final loss",
        "cells": 4,
        "section": 2,
        "span_depth": [2, 6],
        "span_learning_rate": [0.01, 1.0],
    },
}
each_page = pytest.mark.parametrize("page", CHOSEN)


def shown(value):
    """What a widget shows of a value: ticked names joined by +, both ends of a span joined by "to"."""
    if isinstance(value, list | tuple):
        return (" + " if all(isinstance(each, str) for each in value) else " to ").join(str(each) for each in value)
    return str(value)


def path(page):
    return f"/{page.lower()}"


def check(screen, page, chosen=None):
    screen.arrive(page)
    screen.wait_for_chart()
    wanted = {key: shown(value) for key, value in (chosen or CHOSEN[page]).items()}
    assert screen.values(wanted) == wanted
    assert not screen.warnings()
    assert not screen.exceptions()


# --- links ---------------------------------------------------------------------------------------


@each_page
def test_the_links_below_set_every_control_to_something_else(page):
    shared = [f"{REMEDIES_PAGE}{name}" for name in SHARED_VIEW]
    every = {"Remedies": [*COMPARISON_CONTROLS, *shared], "Depth": DEPTH_CONTROLS, "Sweep": SWEEP_CONTROLS}[page]
    assert {key for key in CHOSEN[page] if key not in SPAN_CONTROLS} == set(every)
    for key, value in CHOSEN[page].items():
        assert shown(value) != shown(PAGE_CONTROLS[key].default)


# In every run on Explore, in test_links, and on Time, in test_through_time: one mechanism serves all pages.
@pytest.mark.parametrize("page", few(CHOSEN, []))
def test_every_control_survives_reload_page_switch_back_and_forward(screen, page):
    screen.open(path(page), **SMALL, **CHOSEN[page], baseline=BASELINE, v=1)
    check(screen, page)
    screen.page.reload()
    check(screen, page)
    screen.go_to("Explore")
    screen.go_to(page)
    check(screen, page)
    screen.page.go_back()
    screen.arrive("Explore")
    screen.page.go_back()
    check(screen, page)
    screen.page.go_forward()
    screen.arrive("Explore")
    screen.page.go_forward()
    check(screen, page)
    assert screen.value("baseline") == BASELINE
    assert screen.value("depth") == "3"


def narrowed(axis):
    """Some of what can lie on an axis."""
    values = thin(AXES[axis], 5)
    return list(values[1:3])


NAMES = list(AXES)
PAIRS = [(name, NAMES[(place + 1) % len(NAMES)]) for place, name in enumerate(NAMES) if place % 2 == 0]


# One axis of names and one of numbers are in the link of a click on a cell, below, in every run.
@pytest.mark.parametrize(("across", "up"), few(PAIRS, []))
def test_the_values_on_every_axis_survive_a_reload_and_a_page_switch(screen, across, up):
    labels = {setting: label for label, setting in AXIS_NAMES.items()}
    chosen = {"x": labels[across], "y": labels[up], SPANS[across]: narrowed(across), SPANS[up]: narrowed(up)}
    fits = {"task": next(name for name, task in DATASETS.items() if task.signal)} if "layer" in (across, up) else {}
    screen.open("/sweep", **NONE_PINNED, **chosen, **fits)
    check(screen, "Sweep", chosen)
    screen.page.reload()
    check(screen, "Sweep", chosen)
    screen.go_to("Depth", complete=False)
    screen.go_to("Sweep")
    check(screen, "Sweep", chosen)


def walk_back(screen, acts, keys):
    """Do one act after the other, then go back through all of them and forward again."""
    before = [screen.values(keys)]
    for act in acts:
        act()
        screen.page.wait_for_function(
            "([keys, was]) => keys.some(key => explorer.value(key) !== was[key])", arg=[list(keys), before[-1]]
        )
        screen.finish()
        before.append(screen.values(keys))
    assert len({str(each) for each in before}) == len(before)
    for wanted in [*before[-2::-1], *before[1:]]:
        back = wanted in before[: before.index(screen.values(keys))]
        screen.page.go_back() if back else screen.page.go_forward()
        screen.page.wait_for_function(
            "([keys, wanted]) => keys.every(key => explorer.value(key) === wanted[key])",
            arg=[list(keys), wanted],
            timeout=10_000,
        )
        screen.finish()


@pytest.mark.long
def test_one_back_undoes_one_act_on_remedies(screen):
    screen.open("/remedies", **SMALL, baseline=BASELINE, complete=True)
    acts = [
        lambda: screen.press("start", "baseline"),
        lambda: screen.tick("combine", "ReLU"),
        lambda: screen.press("skip", "one layer"),
    ]
    walk_back(screen, acts, ["start", "combine", "skip"])


@pytest.mark.long
def test_one_back_undoes_one_act_on_depth(screen):
    screen.open("/depth", **NONE_PINNED, deepest=4, complete=True)
    acts = [
        lambda: screen.pick("remedy", "ReLU"),
        lambda: screen.slide("deepest", ["ArrowRight"]),
        lambda: screen.press("gradient", "dL/dW"),
        lambda: screen.press("train", "off"),
        lambda: screen.press("normalization", "batch"),
    ]
    walk_back(screen, acts, ["remedy", "deepest", "gradient", "train", "normalization"])


@pytest.mark.long
def test_one_back_undoes_one_act_on_sweep(screen):
    screen.open("/sweep", **NONE_PINNED, x="depth", y="width", cells=4, span_depth=[1, 4], complete=True)
    acts = [
        lambda: screen.pick("y", "gain"),
        lambda: screen.pick("outcome", "share solved"),
        lambda: screen.slide("span_depth", ["ArrowRight"]),
        lambda: screen.slide("section", ["ArrowRight"]),
        lambda: screen.pick("_scenario", "Dying ReLU"),
    ]
    walk_back(screen, acts, ["x", "y", "outcome", "span_depth", "section", "activation"])


@pytest.mark.parametrize("page", few(CHOSEN, ["Depth"]))
def test_one_back_undoes_a_scenario_and_one_a_pin_however_many_settings_they_set(screen, page):
    screen.open(path(page), **NONE_PINNED, **CHOSEN[page], complete=True)
    acts = [
        lambda: screen.page.get_by_role("button", name="Pin this as the baseline").click(),
        lambda: screen.pick("_scenario", "Dying ReLU"),
    ]
    walk_back(screen, acts, ["baseline", "depth", "activation", "initializer", "epochs", *CHOSEN[page]])


# --- to Explore ----------------------------------------------------------------------------------


def check_explore(screen, experiment, baseline):
    """Explore shows this very experiment, held against this baseline."""
    screen.arrive("Explore")
    idle = {name for name in experiment.without_effect() if CONTROLS[name].only_with_effect}
    controls = {name: str(value) for name, value in experiment.settings().items() if name not in idle}
    assert screen.values(controls) == controls
    assert summary(experiment) in screen.finish().settings()
    assert screen.value("baseline") == encode(baseline)
    assert not screen.warnings()


def place(screen, axes, x, y):
    """Click on a figure at a place in the units of two of its axes."""
    screen.wait_for_chart()
    at = (
        f"const b = gd.getBoundingClientRect(), l = gd._fullLayout, x = l.xaxis{axes}, y = l.yaxis{axes};"
        f" const left = b.left + x._offset + x.l2p({x}), top = b.top + y._offset + y.l2p({y});"
    )
    # The figure may be taller than the window: the place comes to the middle of it.
    screen.chart(f"(() => {{ {at} gd.closest('[data-testid=stMain]').scrollBy(0, top - innerHeight / 2); }})()")
    screen.page.wait_for_timeout(300)
    left, top = screen.chart(f"(() => {{ {at} return [left, top]; }})()")
    screen.page.mouse.move(left - 3, top)
    screen.page.mouse.move(left, top)
    screen.page.wait_for_timeout(200)  # Plotly looks what is under the mouse before it takes a click
    screen.page.mouse.click(left, top)


@pytest.mark.long  # test_access presses this button in every run
def test_open_in_explore_opens_the_remedy_against_the_experiment_and_back_returns(screen):
    chosen = {"combine": ["ReLU", "batch norm"], "remedies_axis": "log"}
    screen.open("/remedies", **NONE_PINNED, **chosen, complete=True)
    name = "skip over one layer"
    screen.box("open_skip_over_one_layer").or_(screen.box(f"open_{name.replace(' ', '-')}")).get_by_role(
        "button", name="Open in Explore"
    ).click()
    check_explore(screen, REMEDIES[name].change(START), START)
    screen.page.go_back()
    check(screen, "Remedies", chosen)
    assert screen.value("skip") == "none"
    assert screen.value("baseline") == UNPINNED
    screen.page.go_forward()
    check_explore(screen, REMEDIES[name].change(START), START)


@pytest.mark.parametrize("number", few([1, 2, 5, 10], []))
def test_a_click_on_a_panel_opens_it_in_explore(screen, number):
    chosen = {"combine": ["ReLU", "skip over one layer"]}
    screen.open("/remedies", **NONE_PINNED, **chosen, complete=True)
    name = screen.chart(f"gd.layout.annotations[{number - 1}].text.match(/<b>(.*?)<[/]b>/)[1].replaceAll('<br>', ' ')")
    assert (name == "nothing changed") == (number == 1)
    place(screen, "" if number == 1 else number, 10, 2)
    wanted = START if number == 1 else combined(START, name.split(" + "))
    check_explore(screen, wanted, START)
    screen.page.go_back()
    check(screen, "Remedies", chosen)


@pytest.mark.parametrize(
    ("panel", "remedy"), few([("", None), ("2", None), ("3", "batch norm"), ("4", "batch norm")], [])
)
def test_a_click_on_a_depth_opens_it_in_explore(screen, panel, remedy):
    chosen = {"deepest": 6, "remedy": "batch norm"}
    screen.open("/depth", **NONE_PINNED, **chosen, complete=True)
    assert not findings(screen)
    place(screen, panel, 2, 5)
    plain = START.but(depth=5)
    check_explore(screen, REMEDIES[remedy].change(plain) if remedy else plain, plain)
    screen.page.go_back()
    check(screen, "Depth", chosen)
    assert screen.value("depth") == "3"


def test_a_click_on_a_cell_opens_it_in_explore(screen):
    chosen = {"x": "depth", "y": "activation", "cells": 4, "span_depth": [1, 4], "span_activation": ["tanh", "ReLU"]}
    screen.open("/sweep", **NONE_PINNED, **chosen, complete=True)
    assert not findings(screen)
    place(screen, "", 1, 1)
    check_explore(screen, START.but(depth=2, activation="ReLU"), START)
    screen.page.go_back()
    check(screen, "Sweep", chosen)
    screen.page.go_forward()
    check_explore(screen, START.but(depth=2, activation="ReLU"), START)


# --- numbers -------------------------------------------------------------------------------------


def table(screen):
    """The page's table: a dictionary a row."""
    rows = screen.page.evaluate(
        "[...[...document.querySelectorAll('[data-testid=stTable] table')].find(explorer.shown).rows]"
        ".map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    )
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


@pytest.mark.long  # without a browser in every run, in test_app
def test_every_row_of_the_remedies_table_is_what_a_training_of_its_own_gives(screen):
    names = ["ReLU", "skip over one layer"]
    settings = {key: str(value) for key, value in RANKED.settings(changed_only=True).items()}
    screen.open("/remedies", **settings, baseline=UNPINNED, combine=names, complete=True)
    check_rows(table(screen), RANKED, names)


# --- downloads -----------------------------------------------------------------------------------


@pytest.mark.long
def test_the_csv_has_a_line_for_every_cell(screen):
    chosen = {"x": "depth", "y": "learning rate", "cells": 4, "outcome": "share solved", "span_depth": [1, 4]}
    screen.open("/sweep", **NONE_PINNED, **chosen, complete=True)
    name, content = screen.saved("Results (CSV)")
    assert "sweep_depth_learning_rate" in name
    assert name.endswith(".csv")
    lines = list(csv.DictReader(content.decode().splitlines()))
    assert len(lines) == 16
    assert {(line["depth"], line["learning_rate"]) for line in lines} == {
        (str(depth), str(rate)) for depth in (1, 2, 3, 4) for rate in thin(AXES["learning_rate"], 4)
    }
    assert all(line["verdict"] and not line["without result"] for line in lines)


@pytest.mark.parametrize("page", few(CHOSEN, []))  # one page's slide is saved in every run of test_sharing
def test_the_png_button_gives_a_slide_of_the_pages_figure(screen, page):
    small = {"deepest": 3, "span_activation": ["sigmoid", "ReLU"]}
    screen.open(path(page), **NONE_PINNED, **small, complete=True)
    name, content = screen.saved("PNG")
    assert png_size(content) == (1920, 1080)
    assert name.startswith(page.lower())


# --- streaming, stop and resume ------------------------------------------------------------------

LONG = {
    "Sweep": {"x": "depth", "y": "learning rate", "outcome": "share solved", "cells": 20, "runs": 8, "epochs": 2000},
    "Depth": {"deepest": 50, "runs": 32, "epochs": 5000, "remedy": "skip over one layer"},
}
DONE = "([...document.querySelectorAll('[data-testid=stProgress]')].find(explorer.shown)?.innerText ?? '')"
# Milliseconds from the press of a button to words that are seen.
ARM = """words => { explorer.took = null; addEventListener("pointerdown", () => { const t0 = performance.now();
  const look = () => [...document.querySelectorAll("[data-testid=stProgress]")].some(e => explorer.shown(e) && e.innerText.includes(words))
    ? (explorer.took = performance.now() - t0) : requestAnimationFrame(look);
  look(); }, {capture: true, once: true}); }"""


def count(screen):
    """How many results the progress bar says are there."""
    return int(re.search(r"([\d,]+) of [\d,]+ done", screen.page.evaluate(DONE)).group(1).replace(",", ""))


@pytest.mark.parametrize(("page", "times"), few([("Sweep", 5), ("Depth", 5), ("Depth", 1)], [("Depth", 1)]))
def test_stop_answers_at_once_keeps_the_results_and_resume_goes_on(screen, page, times):
    screen.open(path(page), **LONG[page], baseline=UNPINNED, seed=991)
    took = []
    for _ in range(times):
        screen.page.wait_for_function(f"/ done/.test({DONE}) && !{DONE}.includes('Stopped')")
        screen.page.wait_for_timeout(700)
        screen.page.evaluate(ARM, "Stopped")
        screen.page.get_by_role("button", name="Stop", exact=True).click()
        screen.page.wait_for_function("explorer.took !== null", timeout=10_000)
        took.append(screen.page.evaluate("explorer.took"))
        screen.rest()
        stopped = count(screen)
        screen.page.wait_for_timeout(600)
        assert count(screen) == stopped  # it really stands still
        screen.page.get_by_role("button", name="Resume", exact=True).click()
        screen.page.wait_for_function(f"/ done/.test({DONE}) && !{DONE}.includes('Stopped')")
        assert count(screen) >= stopped  # what was found stays
    screen.page.wait_for_function(
        f"n => Number({DONE}.match(/([\\d,]+) of/)?.[1].replace(',', '') ?? 1e9) > n", arg=stopped
    )
    print(f"\nstop on {page}: {', '.join(f'{each:.0f}' for each in took)} ms")


@pytest.mark.parametrize("page", few(LONG, []))
def test_what_is_stopped_stays_stopped_on_the_way_to_another_page_and_back(screen, page):
    screen.open(path(page), **LONG[page], baseline=UNPINNED, seed=992)
    screen.page.wait_for_function(f"/ done/.test({DONE})")
    screen.page.get_by_role("button", name="Stop", exact=True).click()
    screen.page.wait_for_function(f"{DONE}.includes('Stopped')")
    screen.rest()
    found = count(screen)
    other = "Sweep" if page == "Depth" else "Depth"
    screen.go_to(other, complete=False)
    screen.go_to(page, complete=False)
    screen.page.wait_for_function(f"/ done/.test({DONE})")
    assert count(screen) >= found


# Cells that have a colour or a mark of their own, in the outcome that was asked for.
CELLS = """name => { const map = explorer.chart()?._fullData?.filter(t => t.type === "heatmap") ?? [];
  return map.filter(t => t.name === name).flatMap(t => [...t.z].flatMap(row => [...row])).filter(Number.isFinite).length; }"""


@pytest.mark.long
def test_a_sweep_of_short_trainings_shows_its_first_cells_soon(screen):
    chosen = {"x": "depth", "y": "learning rate", "cells": 20, "runs": 8, "epochs": 200}
    took = []
    for seed in (995, 996, 997):
        screen.open("/sweep", **chosen, seed=seed, baseline=UNPINNED, complete=True)
        screen.page.evaluate(
            f"() => {{ const cells = {CELLS}; explorer.took = null;"
            " addEventListener('pointerdown', () => { const t0 = performance.now();"
            " const look = () => cells('share solved') ? (explorer.took = performance.now() - t0) : requestAnimationFrame(look);"
            " look(); }, {capture: true, once: true}); }"
        )
        screen.box("outcome").locator("[role=combobox]").focus()
        screen.page.keyboard.press("ArrowDown")
        screen.page.get_by_role("option", name="share solved", exact=True).click()
        screen.page.wait_for_function("explorer.took !== null", timeout=20_000)
        took.append(screen.page.evaluate("explorer.took"))
        screen.finish(300_000)
        cells = screen.page.evaluate(f"({CELLS})('share solved')")
        assert cells == 20 * len(thin(AXES["learning_rate"], 20))
    print(f"\nfirst cells of 20 x 20: {', '.join(f'{each:.0f}' for each in took)} ms")
