"""Links: every control comes back, whatever the way there; and what is wrong with a link is said, not obeyed."""

import re

import pytest

from explorer.choices.experiment import CONTROLS, Experiment
from explorer.figures.view import VIEW_CONTROLS
from explorer.stories.scenarios import SCENARIOS
from explorer.ui.link import SCHEMA, encode
from tests.browser.conftest import FIRST_LINK
from tests.browser.driver import KEYS, few, server

EVERY_CONTROL = {
    "task": "signal XOR",
    "samples": 64,
    "noise": 0.2,
    "depth": 5,
    "width": 6,
    "layer": "convolution",
    "activation": "tanh",
    "initializer": "LeCun",
    "gain": 1.2,
    "bias": "zeros",
    "normalization": "layer",
    "skip": "one layer",
    "clip": "norm",
    "threshold": 0.5,
    "learning_rate": 0.05,
    "optimizer": "Adam",
    "loss": "mean squared error",
    "batch": "16",
    "order": "fixed",
    "epochs": 50,
    "runs": 4,
    "seed": 7,
    "metric": "dL/dW",
    "colour": "value",
    "axis": "log",
    "range": "wide",
    "at": 20,
}
BASELINE = encode(Experiment(depth=3, skip="two layers", epochs=50))
AS_SHOWN = {key: str(value) for key, value in EVERY_CONTROL.items()}
SCENARIO = "Dying ReLU"  # trains in no time


def test_the_link_below_sets_every_control_to_something_else():
    assert set(EVERY_CONTROL) == set(KEYS)
    defaults = {name: control.default for name, control in (CONTROLS | VIEW_CONTROLS).items()}
    assert not {name for name, value in EVERY_CONTROL.items() if value == defaults[name]}


def check_all(screen):
    screen.wait_for_chart()
    screen.finish()
    assert screen.values() == AS_SHOWN
    assert screen.value("baseline") == BASELINE
    assert "5 convolutions of 6 tanh" in screen.settings()
    assert not screen.warnings()


@pytest.fixture
def deep(reading):
    """The page by its name; most tests here open it by the address alone."""
    return reading("/explore", **EVERY_CONTROL, baseline=BASELINE, v=1)


def test_a_link_restores_every_control_and_the_baseline(deep):
    check_all(deep)
    assert deep.chart("Object.keys(gd.layout).includes('yaxis3')")  # two heatmaps


def test_so_does_a_reload(deep):
    check_all(deep)
    deep.page.reload()
    check_all(deep)


def test_so_does_going_back_after_a_scenario(deep):
    check_all(deep)
    deep.pick("_scenario", SCENARIO)
    wanted = SCENARIOS[SCENARIO].experiment
    deep.page.wait_for_function(f"explorer.value('depth') === '{wanted.depth}'")
    deep.finish()
    assert deep.value("initializer") == wanted.initializer
    deep.page.go_back()
    deep.page.wait_for_function("explorer.value('depth') === '5'")
    check_all(deep)
    deep.page.go_forward()
    deep.page.wait_for_function(f"explorer.value('depth') === '{wanted.depth}'")
    deep.finish()
    assert deep.value("width") == str(wanted.width)
    assert deep.value("_scenario") == SCENARIO
    assert deep.parameters()["v"] == SCHEMA


# The very first link to a server, below, sets one of them in every run.
@pytest.mark.parametrize("name", few(["skip", "task", "depth", "runs", "at"], []))
def test_one_setting_alone_comes_back(screen, name):
    screen.open(**{name: EVERY_CONTROL[name]}, epochs=50)
    screen.finish()
    assert screen.value(name) == AS_SHOWN[name]


@pytest.mark.long  # the first flip of a remedy, in test_moves, looks at the link in every run
def test_moving_a_control_writes_the_link_and_the_version_which_stays_when_a_scenario_is_chosen(screen):
    screen.open(complete=True)
    screen.press("skip", "one layer")
    screen.page.wait_for_function("location.search.includes('skip')")
    assert screen.finish().parameters() == {"v": SCHEMA, "skip": "one layer"}
    screen.pick("_scenario", SCENARIO)
    screen.page.wait_for_function("name => explorer.value('_scenario') === name", arg=SCENARIO)
    screen.page.wait_for_function("location.search.includes('ReLU')")  # Streamlit writes a link when it comes to it
    screen.finish()
    assert screen.parameters()["v"] == SCHEMA
    link = screen.page.url
    screen.page.goto("about:blank")
    screen.page.goto(link)
    screen.wait_for_chart()
    screen.finish()
    assert screen.value("_scenario") == SCENARIO


# Pages in quick order, each with the milliseconds until the next: some are left before they are drawn.
HASTE = [("Depth", 200), ("Tour", 200), ("Time", 60), ("Cliff", 900), ("Depth", 60), ("Explore", 350), ("Tour", 20)]
HASTE += [("Explore", 120), ("Depth", 120), ("Tour", 200), ("Time", 350), ("Explore", 60), ("Tour", 2500)]


def hasten(screen, title, pause):
    """Go to a page as a person's click does, without waiting for anything."""
    screen.page.evaluate(
        """title => {
          const link = [...document.querySelectorAll("header a")].find(a => a.textContent.trim() === title);
          link.dispatchEvent(new PointerEvent("pointerdown", { bubbles: true })); link.click(); }""",
        title,
    )
    screen.page.wait_for_timeout(pause)


def wait_to_stay(screen, names, key, value):
    """Wait until a page is there, by its names in the address, with this value, for a second: what is left late is drawn first."""
    screen.page.wait_for_function(
        """([names, key, value]) => {
          const there = names.includes(location.pathname.split("/").pop()) && explorer.value(key) === value;
          explorer.thereSince = there ? explorer.thereSince ?? performance.now() : null;
          return there && performance.now() - explorer.thereSince > 1000; }""",
        arg=[names, key, value],
    )


@pytest.mark.parametrize("haste", few([(HASTE,), (HASTE[7:],)], [(HASTE[7:],)]), ids=len)
def test_changing_pages_faster_than_they_are_drawn_loses_nothing(screen, haste):
    screen.open("/", width=7, depth=23, epochs=20, baseline="none")
    hasten(screen, "Time", 1500)
    screen.press("time_clip", "value")
    screen.page.wait_for_timeout(500)
    for title, pause in haste:
        hasten(screen, title, pause)
    hasten(screen, "Time", 1500)
    wait_to_stay(screen, ["time"], "time_clip", "value")
    hasten(screen, "Explore", 1500)
    wait_to_stay(screen, ["", "explore"], "width", "7")
    assert screen.values(["width", "depth"]) == {"width": "7", "depth": "23"}
    assert not screen.problems


class SlowConnection:
    """A connection on which what the server says, or what the browser asks, is held back on demand."""

    def __init__(self, page):
        self.held, self.send = None, None
        self.asked, self.ask = None, None
        page.route_web_socket(re.compile("_stcore/stream"), self._connect)

    def _connect(self, route):
        connected = route.connect_to_server()
        self.send, self.ask = route.send, connected.send
        connected.on_message(self._pass_on)
        route.on_message(lambda message: self.ask(message) if self.asked is None else self.asked.append(message))

    def _pass_on(self, message):
        self.send(message) if self.held is None else self.held.append(message)

    def hold(self):
        self.held = self.held or []

    def deliver(self, count=None):
        """Deliver the first `count` messages, or all and from now on those that come."""
        now, later = (self.held, None) if count is None else (self.held[:count], self.held[count:])
        for message in now:
            self.send(message)
        self.held = later


def test_a_page_that_a_person_is_leaving_does_not_call_them_back(screen):
    connection = SlowConnection(screen.page)
    screen.open("/", complete=True, epochs=20, baseline="none")
    connection.hold()
    screen.pick("_scenario", SCENARIO)  # the app sets controls, and asks the browser whether it knows them
    screen.page.wait_for_timeout(1500)
    before = len(connection.held)
    hasten(screen, "Cliff", 300)
    connection.deliver(before)
    screen.page.wait_for_function("name => explorer.value('_scenario') === name", arg=SCENARIO)
    screen.page.wait_for_timeout(2000)
    connection.deliver()
    screen.page.wait_for_timeout(2000)
    assert screen.page_name() == "cliff"
    assert screen.value("cliff_steps")
    assert not screen.problems


@pytest.mark.long
def test_a_report_that_is_overtaken_by_the_click_on_another_page_does_not_call_back(screen):
    connection = SlowConnection(screen.page)
    screen.open("/", complete=True, epochs=20, baseline="none")
    connection.hold()
    screen.pick("_scenario", SCENARIO)
    screen.page.wait_for_timeout(1500)
    connection.asked = []
    connection.deliver()
    while not connection.asked:
        screen.page.wait_for_timeout(100)
    (report,) = connection.asked
    connection.asked = None
    hasten(screen, "Cliff", 0)
    screen.page.wait_for_timeout(50)
    connection.ask(report)
    # The person gets there and stays there; how soon hangs on the machine.
    screen.page.wait_for_function(
        """() => {
          const there = location.pathname.split("/").pop() === "cliff";
          explorer.thereSince = there ? explorer.thereSince ?? performance.now() : null;
          return there && performance.now() - explorer.thereSince > 3000; }"""
    )
    screen.rest()
    assert screen.page_name() == "cliff"
    assert screen.value("cliff_steps")
    assert not screen.problems


@pytest.mark.long
def test_who_opens_another_page_in_a_tab_of_its_own_stays(screen):
    screen.open("/", complete=True, epochs=20, baseline="none")
    link = screen.page.locator("header").get_by_role("link", name="Time", exact=True)
    link.evaluate("""link => {
      link.addEventListener("click", event => { event.preventDefault(); event.stopPropagation(); }, { once: true });
      link.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey: true })); }""")
    screen.press("skip", "one layer")
    screen.page.wait_for_timeout(3000)
    assert screen.page_name() in ("", "explore")
    assert screen.value("skip") == "one layer"


def test_a_link_may_be_the_very_first_request_to_a_server(first_sight):
    values, dialogs, faults = first_sight
    assert values == {name: str(value) for name, value in FIRST_LINK.items()}
    assert not dialogs
    assert not faults


@pytest.mark.long
def test_so_it_may_to_a_server_of_its_own_which_has_nothing_to_warn_of(new_screen):
    log = []
    with server(log) as fresh:
        screen = new_screen(at=fresh)
        screen.page.goto(f"{fresh}/explore?depth=20&epochs=20")
        screen.wait_for_chart(120_000)  # a new server on a busy machine
        screen.rest(60_000)
        assert not screen.page.get_by_role("dialog").count()
        assert "not found" not in screen.page.locator("body").inner_text().lower()
        assert screen.value("depth") == "20"
    assert any("You can now view" in line for line in log)
    assert not [line for line in log if line.startswith(("WARNING", "ERROR", "CRITICAL")) or "Warning" in line]


# --- hostile links ------------------------------------------------------------------------------

HOSTILE = {
    "out of range": ("depth=99&runs=0&learning_rate=1e9", "depth"),
    "wrong type": ("depth=deep&width=4.5&seed=x", "seed"),
    "a huge number": ("seed=1" + "0" * 400 + "&epochs=1e308", "seed"),
    "script text": (
        "activation=%3Cscript%3Ewindow.hacked%3D1%3C/script%3E&task=%3Cimg%20src%3Dx%20onerror%3Dwindow.hacked%3D1%3E",
        "activation",
    ),
    "script and markup in a name": (
        "%3Cimg%20src%3Dx%20onerror%3Dwindow.hacked%3D1%3E=1&[a](javascript:window.hacked=1)=2",
        "does not exist",
    ),
    "unknown keys": ("colour_of_the_sea=blue&__class__=1&_experiment=1", "does not exist"),
    "not a number": ("learning_rate=nan&gain=inf&noise=-inf", "learning_rate"),
    "empty values": ("depth=&skip=&task=&axis=&at=&seed=", ""),
    "10 kB": ("activation=" + "A" * 10_000, "activation"),
    "a bad baseline": ("baseline=depth:banana;;:::%00<b>", "baseline"),
    "broken percent signs": ("depth=%&skip=%zz&task=%E0%A4%A", ""),
    "the same key twice": ("depth=3&depth=4", ""),
    "between two marks": ("learning_rate=0.123&epochs=77", ""),
    "a newer version": ("v=999", "version"),
    "an epoch that is not there": ("at=-5&epochs=20", ""),
}


# The others are said by the app's script, which test_app asks without a browser.
@pytest.mark.parametrize("name", few(HOSTILE, ["script text"]))
def test_a_hostile_link_gives_a_working_page(screen, name):
    query, said = HOSTILE[name]
    small = {"epochs": 20, "runs": 2, "baseline": "none"}
    query += "".join(f"&{key}={value}" for key, value in small.items() if f"{key}=" not in query)
    screen.page.goto(f"{screen.address}/?{query}")
    screen.page.wait_for_function("window.explorer?.chart() || document.querySelector('[data-testid=stException]')")
    assert not screen.exceptions()
    screen.finish()
    assert said in screen.warnings()
    assert screen.page.evaluate("window.hacked") is None
    screen.press("skip", "two layers")  # it still works
    screen.finish()
    assert screen.value("skip") == "two layers"
    # What was said of the link goes when a setting is changed, but of a baseline, which the link still has.
    assert bool(screen.warnings()) is (said == "baseline")
    # The server refuses an address of that length or form by itself, before the app: that is no error of the page.
    screen.problems = [p for p in screen.problems if "status of 4" not in p]
