"""What is taken away, from every page: opened and compared with what is on the screen."""

import csv
import html
import io
import json
import re
import struct
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.remedies import REMEDIES
from explorer.figures.view import CliffView
from explorer.sharing.saved import experiment_json, read_experiment_json
from explorer.stories.scenarios import SCENARIOS
from explorer.ui.link import encode
from tests.browser.driver import PATIENCE, few
from tests.work import descend

BASELINE = Experiment(depth=3, epochs=20, runs=2)
SHOWN = BASELINE.but(skip="one layer")
SMALL = {"depth": 3, "epochs": 20, "runs": 2, "skip": "one layer", "baseline": encode(BASELINE)}
PAGES = {
    "explore": ("/", SMALL),
    "remedies": ("/remedies", SMALL),
    "depth": ("/depth", SMALL | {"deepest": 4}),
    "sweep": ("/sweep", SMALL | {"x": "depth", "y": "gain", "cells": 3, "outcome": "share solved"}),
}
FIGURES = {
    "explore": ["joint_figure", "why"],
    "remedies": ["remedies_figure", "remedies_loss"],
    "depth": ["depth_triangles", "depth_factors", "depth_shares"],
    "sweep": ["sweep_map", "sweep_section"],
}
OVER_TIME = RecurrentExperiment(length=10, epochs=20, runs=2, hidden=4, clip="value")
OVER_TIME_BASELINE = OVER_TIME.but(cell="GRU")


@pytest.fixture
def open_page(reading):
    """Open a page with the settings above."""
    return lambda name: reading(PAGES[name][0], **PAGES[name][1])


# Slide, pictures and page of Time, which stand below, are looked at in every run.
@pytest.mark.parametrize("name", few(PAGES, []))
def test_the_slide_is_a_picture_of_the_main_figure(open_page, name):
    screen = open_page(name)
    file, content = screen.saved("Slide")
    assert struct.unpack(">II", content[16:24]) == (1920, 1080)
    assert file.startswith("slide_")
    assert file.endswith(".png")
    assert name in file or name == "explore"


@pytest.mark.parametrize("name", few(PAGES, []))
def test_every_figure_can_be_had_as_png_and_svg_with_title_settings_and_link(open_page, name):
    screen = open_page(name)
    check_pictures(screen, FIGURES[name], "4 sigmoid", "skip=one")


def words_of(svg):
    """All words of a picture, whose lines are folded where it ends."""
    return " ".join(html.unescape(" ".join(re.findall(">([^<]+)<", svg))).split())


def check_pictures(screen, keys, *words):
    """Save every figure: in full size, with its title and these words of its settings and link."""
    screen.shared("PNG")
    menu = screen.page.get_by_label("Figure to save as PNG or SVG")
    assert sorted(menu.locator("option").evaluate_all("all => all.map(each => each.value)")) == sorted(keys)
    for key in keys:
        menu.select_option(key)
        file, content = screen.saved("PNG")
        assert struct.unpack(">II", content[16:24]) == (1920, 1080)
        assert file.startswith(key)
        file, content = screen.saved("SVG")
        text = words_of(content.decode())
        assert file == f"{Path(file).stem}.svg"
        assert b'width="1920" height="1080"' in content[:500]
        title = menu.locator(f"option[value={key}]").inner_text()
        assert not [each for each in (title[:30], *words) if each not in text]


@pytest.mark.parametrize("name", few(PAGES, []))
def test_the_page_works_without_a_network_and_says_what_the_screen_says(open_page, browser, name, tmp_path):
    screen = open_page(name)

    def look_at_table(page):
        assert page.locator("table").count() == (name in ("explore", "remedies"))
        if name == "remedies":
            shown = screen.page.locator("[data-testid=stTable] tbody tr").all_inner_texts()
            rows = page.locator("tbody tr").all_inner_texts()
            # But for the time of an epoch, which is measured anew where others have crowded a training out.
            assert [row.split()[:-2] for row in rows] == [row.split()[:-2] for row in shown]

    check_offline(screen, browser, tmp_path, len(FIGURES[name]), {"skip": "one layer", "depth": "3"}, look_at_table)


def check_offline(screen, browser, tmp_path, figures, asked, look=lambda page: None):
    """Open the saved page without a network: its title, so many figures that are alive, and a link that asks for these."""
    title = screen.headline()
    file, content = screen.saved("Page")
    assert file.endswith(".html")
    saved = tmp_path / "page.html"
    saved.write_bytes(content)
    page = browser.new_context(offline=True).new_page()
    left, errors = [], []
    page.on("request", lambda request: left.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        page.goto(saved.as_uri())
        page.wait_for_function(f"document.querySelectorAll('.js-plotly-plot .main-svg').length >= {figures}")
        words = page.locator("h1").inner_text()
        address = page.locator("a").first.get_attribute("href")
        look(page)
        page.locator(".js-plotly-plot").first.hover()  # it is alive
        assert page.locator(".modebar").count() >= 1
    finally:
        page.context.close()
    assert words == title or title in words
    assert not errors
    assert all(url.startswith(("file:", "data:", "blob:")) for url in left)
    parameters = parse_qs(urlsplit(address).query)
    assert {key: parameters[key] for key in asked} == {key: [value] for key, value in asked.items()}
    assert address.startswith(screen.address)


@pytest.mark.parametrize("name", few(PAGES, []))  # one over time in every run, in test_through_time
def test_the_experiment_opens_again_from_its_file_and_from_an_address(open_page, new_screen, name, tmp_path):
    screen = open_page(name)
    file, content = screen.saved("Experiment (JSON)")
    screen.page.keyboard.press("Escape")
    assert file.startswith("experiment_")
    saved = read_experiment_json(content)
    assert (saved.experiment, saved.baseline) == (SHOWN, BASELINE)
    path = tmp_path / file[:80]
    path.with_suffix(".json").write_bytes(content)
    other = new_screen().open(complete=True)
    other.unfold()
    other.page.locator("[data-testid=stSidebar] input[type=file]").set_input_files(path.with_suffix(".json"))
    other.page.wait_for_function("explorer.value('skip') === 'one layer'")
    other.finish()
    assert "3 hidden layers of 4 sigmoid" in other.settings()
    assert other.value("baseline") == encode(BASELINE)


@pytest.mark.long  # without a browser in every run, in test_takeaway
def test_an_address_with_an_experiment_opens_it_and_becomes_an_ordinary_link(screen):
    wanted = SCENARIOS["Dying ReLU"].experiment.but(epochs=20)
    screen.open(complete=True, experiment=experiment_json(wanted, BASELINE))
    screen.page.wait_for_function("!location.search.includes('experiment')")
    assert screen.value("activation") == wanted.activation
    assert screen.value("baseline") == encode(BASELINE)
    assert screen.parameters()["task"] == "moons"
    assert not screen.warnings()
    screen.page.reload()
    screen.wait_for_chart()
    screen.finish()
    assert screen.value("learning_rate") == "2.0"


@pytest.mark.long
def test_an_address_with_a_bad_experiment_says_so(screen):
    screen.open(complete=True, experiment='{"format": "cake"}', depth=4, epochs=20)
    assert "cannot be opened" in screen.warnings()
    assert "experiment" not in screen.parameters()
    assert screen.value("depth") == "4"


ROWS = [
    ("explore", "History (CSV)", 2 * 21 * 4),
    ("remedies", "Ranking (CSV)", 1 + len(REMEDIES)),
    ("depth", "Depths (CSV)", 28),
    ("sweep", "Results (CSV)", 9),
]


@pytest.mark.parametrize(("name", "label", "count"), few(ROWS, ROWS[:1]))
def test_the_csv_of_each_page_has_what_is_shown(open_page, name, label, count):
    assert len(rows_of(open_page(name), label)) == count


@pytest.mark.parametrize("name", few(PAGES, ["explore"]))
def test_the_notebooks_lines_can_be_copied(open_page, name):
    screen = open_page(name)
    _, content = screen.saved("Notebook")
    cells = json.loads(content)["cells"]
    assert {cell["cell_type"] for cell in cells} == {"markdown", "code"}
    code = screen.page.locator(".st-key-take_away pre").text_content()
    assert "from explorer import" in code
    assert "skip='one layer'" in code
    copied = [line for line in code.splitlines() if line and not line.startswith("# ")]
    inside = [
        line for cell in cells if cell["cell_type"] == "code" for line in "".join(cell["source"]).splitlines() if line
    ]
    assert copied == inside[-len(copied) :]
    screen.page.keyboard.press("Escape")


@pytest.mark.parametrize("name", few(PAGES, ["explore"]))
def test_no_button_sends_anything_away(open_page, name):
    titles = open_page(name).page.evaluate("[...document.querySelectorAll('[data-title]')].map(e => e.dataset.title)")
    assert titles
    assert not [title for title in titles if re.search("cloud|chart studio|edit", title, re.IGNORECASE)]


def test_the_code_is_read_when_it_is_opened_and_begins_with_the_textbooks(open_page):
    screen = open_page("explore")
    assert not screen.page.locator("[data-testid=stCode]:visible").count()
    screen.page.get_by_text("Show the code").click()
    screen.page.wait_for_selector("[data-testid=stCode]:visible")
    shown = screen.page.locator("[data-testid=stCode]:visible")
    assert "dW[k] = h[k].T @ delta" in shown.inner_text()
    for part, words in {
        "PyTorch": "class Net(torch.nn.Module)",
        "dL/dz: colours and profile": "def _backward_pass",
    }.items():
        screen.press("_show_code_of", part)
        screen.finish()
        assert words in "".join(shown.all_inner_texts())


# --- through time, and the cliff: all of a page in one walk ---------------------------------------


def check_slide(screen, *words):
    """Save the slide; the picture is in full size and was made of the headline and these words."""
    screen.page.evaluate(
        """() => { const own = HTMLImageElement.prototype.decode; HTMLImageElement.prototype.decode = function () {
            if (this.src.startsWith("data:image/svg")) explorer.slide = decodeURIComponent(this.src);
            return own.call(this); }; }"""
    )
    file, content = screen.saved("Slide")
    assert file.startswith("slide_")
    assert struct.unpack(">II", content[16:24]) == (1920, 1080)
    said = words_of(screen.page.evaluate("explorer.slide"))
    assert not [each for each in (screen.headline(), *words) if each not in said]


def rows_of(screen, label):
    file, content = screen.saved(label)
    screen.page.keyboard.press("Escape")
    assert file.endswith(".csv")
    return list(csv.DictReader(io.StringIO(content.decode())))


def run_lines(screen):
    """Run what Notebook shows, and return its names."""
    names = {}
    exec(screen.page.locator(".st-key-take_away pre").text_content(), names)
    return names


def test_what_is_taken_away_from_time_is_what_it_shows(screen, browser, tmp_path):
    pinned = encode(OVER_TIME_BASELINE)
    asked = {f"time_{name}": str(value) for name, value in OVER_TIME.settings(changed_only=True).items()}
    screen.open("/time", complete=True, **asked, time_baseline=pinned)
    words = ["which first, 10 steps", "LSTM of 4 units", "clipping by value", "/time?", *map("=".join, asked.items())]
    check_slide(screen, *words)
    check_pictures(screen, ["side_by_side", "time_second"], *words)
    check_offline(screen, browser, tmp_path, 2, asked | {"time_baseline": pinned})
    _, content = screen.saved("Experiment (JSON)")
    screen.page.keyboard.press("Escape")
    saved = read_experiment_json(content)
    assert (saved.experiment, saved.baseline) == (OVER_TIME, OVER_TIME_BASELINE)
    assert len(rows_of(screen, "History (CSV)")) == 3 * 2 * 21 * 10
    histories = run_lines(screen)["histories"]
    assert [history.experiment for history in histories.values()] == [
        OVER_TIME.but(cell=cell) for cell in ("RNN", "LSTM", "GRU")
    ]
    learn = [history.outcome.count("solved") for history in histories.values()]
    assert [int(count) for count in re.findall(r"\d+", screen.headline())] == [learn[0], 2, *learn[1:]]


@pytest.mark.long
def test_what_is_taken_away_from_the_cliff_is_what_it_shows(screen, browser, tmp_path):
    asked = {"cliff_updates": "20", "cliff_clip": "value"}
    view = CliffView(updates=20, clip="value")
    screen.open("/cliff", complete=True, **asked)
    words = ["20 updates", "clipping by value", "/cliff?", *map("=".join, asked.items())]
    check_slide(screen, *words)
    check_pictures(screen, ["cliff_map", "cliff_section"], *words)
    check_offline(screen, browser, tmp_path, 2, asked)
    path = descend(view.descent(clipped=True))
    rows = rows_of(screen, "Paths (CSV)")
    assert len(rows) == 2 * 21
    assert float(rows[-1]["loss"]) == path.loss[-1]
    assert not screen.page.get_by_role("button", name="Experiment (JSON)").count()
    assert (run_lines(screen)["clipped"].points == path.points).all()


# --- first visit --------------------------------------------------------------------------------


def test_what_can_be_tried_does_it_and_the_line_goes_for_the_visit(screen):
    screen.open()
    screen.page.get_by_role("button", name="Skip connections").click()
    screen.page.wait_for_function("explorer.value('skip') === 'one layer' && explorer.settings().includes('skip')")
    screen.page.get_by_role("button", name="Dying ReLU", exact=True).click()
    screen.page.wait_for_function("explorer.value('metric') === 'dead'")
    screen.finish()
    screen.page.get_by_role("button", name="Close").click()
    screen.page.wait_for_function("!document.querySelector('.st-key-welcome')")
    screen.press("axis", "log")
    screen.rest()
    assert not screen.page.locator(".st-key-welcome").count()


@pytest.mark.long
def test_all_remedies_goes_there(screen):
    screen.open(complete=True, epochs=20, runs=2)
    assert not screen.page.locator(".st-key-welcome").count()  # who comes with settings knows it
    screen.open(complete=True)
    screen.page.get_by_role("button", name="All remedies").click()
    screen.page.wait_for_function("location.pathname.endsWith('/remedies')")


# --- while a training goes on ---------------------------------------------------------------------


# What a browser does where a page that is drawn anew brings the menu to another place.
MOVED = """() => { const menu = [...document.querySelectorAll(".st-key-share *")].find(each => each.shadowRoot), { parentElement } = menu;
  menu.remove(); setTimeout(() => parentElement.append(menu), 50); }"""


def test_a_file_comes_while_it_trains_and_the_menu_stays_open_until_somebody_closes_it(screen):
    screen.open(depth=3, width=32, task="moons", epochs=5000, baseline="none")
    screen.page.locator("[data-testid=stProgress]:visible").wait_for()
    file, content = screen.saved("Page")
    assert b"plotly" in content
    line = screen.page.locator(".st-key-take_away .line").filter(has_text=f"Saved {file}")
    assert line.get_by_role("button", name="Page", exact=True).count() == 1
    assert len(screen.saved("History (CSV)")[1]) > 100
    menu = screen.page.locator(".st-key-take_away [popover]")
    screen.shared("Copy lines").focus()
    screen.finish(3 * PATIENCE)
    assert menu.is_visible()
    screen.page.evaluate(MOVED)
    menu.wait_for(state="hidden")
    menu.wait_for()
    focus = "document.querySelector('.st-key-share :focus')?.shadowRoot.activeElement.textContent === 'Copy lines'"
    screen.page.wait_for_function(focus)
    screen.page.keyboard.press("Escape")
    screen.page.wait_for_timeout(400)
    assert not menu.is_visible()
