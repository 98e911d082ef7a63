"""Access: axe-core finds nothing that is ours to mend, figures say their numbers, and all can be done by keyboard."""

import re
from pathlib import Path

import pytest

from pages.time_page import SECOND_FIGURES
from tests.browser.driver import few

axe_package = pytest.importorskip("axe_playwright_python")
# The package carries axe-core, so that nothing is fetched.
AXE = (Path(axe_package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

SMALL = {"depth": 3, "epochs": 20, "runs": 2, "baseline": "none"}
OVER_TIME = {"time_length": 10, "time_epochs": 20, "time_runs": 2, "time_hidden": 4, "time_truncation": 2}
PAGES = {
    "first visit": ("/", {}),
    "Explore": ("/", SMALL),
    "Explore with a baseline": ("/", SMALL | {"baseline": "depth:3;epochs:20;runs:2;skip:one layer"}),
    "Remedies": ("/remedies", SMALL),
    "Depth": ("/depth", SMALL | {"deepest": 4}),
    "Sweep": ("/sweep", SMALL | {"x": "depth", "y": "gain", "cells": 3}),
    "Time": ("/time", OVER_TIME),
    "Cliff": ("/cliff", {}),
    "Cliff as a relief": ("/cliff", {"cliff_shown": "relief"}),
    "Tour, an answer": ("/tour", {"scene": "never learns", "revealed": "answer"}),
    "Tutorial": ("/tutorial", {"tutorial_net": "residual", "tutorial_inner": 2}),
    "Homework": ("/homework", {}),
}
FIGURES = {
    "Explore": ("joint_figure", "why"),
    "Remedies": ("remedies_figure", "remedies_loss"),
    "Depth": ("depth_triangles", "depth_factors", "depth_shares"),
    "Sweep": ("sweep_map", "sweep_section"),
    "Time": ("side_by_side", "time_second"),
    "Cliff": ("cliff_map", "cliff_section"),
}
# Half of what can be looked at closer on Time in each look; one is in every run, chosen by keyboard, below.
HALVES = [("light", list(SECOND_FIGURES)[::2]), ("dark", list(SECOND_FIGURES)[1::2])]
# Streamlit's own, by rule: where, and why it is not ours to mend.
NOT_OURS = {
    # A widget that is switched off writes its label in a fainter colour; WCAG 1.4.3 leaves inactive controls out, and
    # axe would too, did Streamlit not write the label beside the control instead of in it.
    "color-contrast": '[data-testid="stWidgetLabel"] [aria-hidden="true"]',
}

# Streamlit's colours of highlighted code are its own, and no setting changes them all.
HIGHLIGHTED = ("color-contrast", "code .token")


def findings(screen, *keys):
    """Serious and critical findings of axe, without those that are Streamlit's own; of the whole page, or of these places."""
    screen.page.evaluate(AXE)
    within = [[f".st-key-{key}"] for key in keys]
    found = screen.page.evaluate(
        "within => axe.run(within.length ? { include: within } : document, { resultTypes: ['violations'] })", within
    )["violations"]
    left = []
    for rule in found:
        if rule["impact"] not in ("serious", "critical"):
            continue
        for node in rule["nodes"]:
            target = node["target"][0]
            if rule["id"] == HIGHLIGHTED[0] and screen.page.evaluate(
                "([target, own]) => !!document.querySelector(target)?.matches(own)", [target, HIGHLIGHTED[1]]
            ):
                continue
            own = rule["id"] in NOT_OURS and screen.page.evaluate(
                """([target, own]) => { const e = document.querySelector(target);
                   return !!e && e.matches(own + ' *') && !!e.closest('[data-testid=stElementContainer], .stElementContainer')
                     ?.querySelector(':disabled, [aria-disabled=true], [data-disabled=true]'); }""",
                [target, NOT_OURS[rule["id"]]],
            )
            if not own:
                left.append(f"{rule['id']}: {target}: {node['html'][:200]} ({node.get('failureSummary', '')[:200]})")
    return left


@pytest.fixture
def open_page(reading):
    """Open a page in a lecture room's size, in one look."""
    return lambda name, look: reading(PAGES[name][0], size=(1920, 1080), look=look, **PAGES[name][1])


LOOKS = [(name, look) for name in PAGES for look in ("light", "dark")]


# In every run only what no other test opens; the others are asked where they are opened: Remedies and Time below.
OFTEN = {"first visit": "light", "Explore with a baseline": "dark"}


@pytest.mark.parametrize(("name", "look"), few(LOOKS, OFTEN.items()))
def test_axe_finds_nothing_serious_that_is_ours(open_page, name, look):
    assert not findings(open_page(name, look))


@pytest.mark.parametrize("name", few(FIGURES, ["Explore", "Time"]))
def test_every_figure_says_its_numbers(open_page, name):
    screen = open_page(name, "dark" if name == "Time" else "light")  # as others open it
    for key in FIGURES[name]:
        told = screen.page.evaluate(
            """key => [...document.querySelectorAll(`.st-key-${key} [aria-label], .st-key-${key}[aria-label]`)]
                .map(e => e.getAttribute('aria-label')).sort((a, b) => b.length - a.length)[0]""",
            key,
        )
        assert told, key
        assert len(re.findall(r"\d", told)) > 5, (key, told)


@pytest.mark.parametrize(("look", "closer_looks"), few(HALVES, []))
def test_nor_in_what_time_looks_closer_at(open_page, look, closer_looks):
    screen = open_page("Time", look)
    assert not findings(screen)
    for closer in closer_looks:
        screen.press("time_figure", closer)
        screen.page.wait_for_function("name => explorer.value('time_figure') === name", arg=closer)
        screen.finish()
        screen.page.mouse.move(0, 0)  # Streamlit's own shade below the pointer is not what is asked about
        screen.page.wait_for_timeout(300)
        assert not findings(screen, "time_figure", "time_matrix", "time_second"), closer


@pytest.mark.parametrize("button", few(["What do I see?", "Share"], ["Share"]))
def test_nor_in_what_opens(open_page, button):
    screen = open_page("Explore", "light")
    screen.page.get_by_role("button", name=button).click()
    screen.finish()  # what is drawn anew is pale until then
    assert not findings(screen)
    screen.page.keyboard.press("Escape")


# --- by keyboard --------------------------------------------------------------------------------


def tab_to(screen, name, most=120):
    """Press Tab until what has the focus is called so."""
    for _ in range(most):
        screen.page.keyboard.press("Tab")
        told = screen.page.evaluate(
            """() => { let e = document.activeElement; while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
                return e?.matches('a, button, input, select, summary, [role]:not([role=main])') ?
                  (e.getAttribute('aria-label') ?? '') + ' ' + e.innerText.slice(0, 60) : ''; }"""
        )
        if name in told:
            return
    raise AssertionError(f"no way to {name!r} by Tab")


def test_all_that_is_shared_is_reached_by_keyboard(open_page):
    screen = open_page("Explore", "light")
    tab_to(screen, "Share")
    screen.page.keyboard.press("Enter")
    tab_to(screen, "Slide", 3)
    with screen.page.expect_download(timeout=30_000) as waiting:
        screen.page.keyboard.press("Enter")
    assert waiting.value.suggested_filename.endswith(".png")
    for name in ("Figure to save", "PNG", "SVG", "Page", "CSV", "JSON", "Copy lines", "Notebook", "Show the code"):
        tab_to(screen, name, 12)


@pytest.mark.parametrize(
    ("name", "opener", "button"),
    few(
        [
            ("Depth", "Open a depth in Explore", "Open it as it is"),
            ("Sweep", "Open a cell in Explore", "Open it"),
            ("Remedies", None, "Open in Explore"),
        ],
        [("Remedies", None, "Open in Explore")],
    ),
)
def test_what_a_click_on_a_figure_opens_opens_by_keyboard(open_page, name, opener, button):
    screen = open_page(name, "light")
    assert not findings(screen)
    if opener:
        tab_to(screen, opener)
        screen.page.keyboard.press("Enter")
        screen.page.wait_for_timeout(300)
    tab_to(screen, button)
    screen.page.keyboard.press("Enter")
    screen.arrive("Explore")
    screen.wait_for_chart()
    assert "baseline" in screen.parameters()
    assert screen.settings().count("hidden layer")


@pytest.mark.parametrize(("name", "key"), few([("Explore", "at"), ("Time", "time_at")], []))
def test_the_epoch_is_chosen_by_keyboard(open_page, name, key):
    screen = open_page(name, "dark" if name == "Time" else "light")
    last = screen.value(key)
    screen.slide(key, ["Home", "ArrowRight", "ArrowRight"])
    screen.page.wait_for_function("key => explorer.value(key) === '2'", arg=key)
    screen.finish().slide(key, ["End"])
    screen.page.wait_for_function("([key, last]) => explorer.value(key) === last", arg=[key, last])
    screen.finish()


def test_the_menu_of_scenarios_keeps_the_focus_when_one_is_chosen(open_page):
    screen = open_page("Explore", "light")
    short = "Dying ReLU"
    menu = screen.box("_scenario").get_by_role("combobox")
    menu.focus()
    screen.page.keyboard.press("ArrowDown")
    screen.page.get_by_role("option", name=short, exact=True).click()
    screen.page.wait_for_function(
        "name => explorer.value('_scenario') === name && explorer.value('depth') !== '3'", arg=short
    )
    screen.finish()
    assert screen.page.evaluate("document.activeElement.closest('.st-key-_scenario') !== null")


def test_what_time_looks_closer_at_is_chosen_by_keyboard(open_page):
    screen = open_page("Time", "dark")
    assert not findings(screen)
    first, second = list(SECOND_FIGURES)[:2]
    tab_to(screen, first)
    screen.page.keyboard.press("ArrowRight")
    screen.page.keyboard.press("Space")
    screen.page.wait_for_function("name => explorer.value('time_figure') === name", arg=second)
    screen.finish()
    screen.page.evaluate(
        "document.activeElement.blur()"
    )  # Streamlit's own shade of what has the focus is not asked about
    screen.page.wait_for_timeout(300)
    assert not findings(screen, "time_figure", "time_matrix", "time_second")


# --- on a phone ---------------------------------------------------------------------------------


# In every run the walk, in test_walk_page.
@pytest.mark.parametrize("name", few(PAGES, []))
def test_on_a_phone_nothing_is_wider_than_the_screen(new_screen, name):
    screen = new_screen(390, 844)
    path, settings = PAGES[name]
    screen.open(path, complete=True, **settings)
    wide = screen.page.evaluate(
        """() => { const main = document.querySelector('[data-testid=stMain]');
            return [main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - innerWidth]; }"""
    )
    assert max(wide) <= 1
