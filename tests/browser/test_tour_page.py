"""The tour in a real browser: by keyboard alone, by link, in presenter mode; and how soon a scene shows its picture."""

import csv
import html
import io
import itertools
import struct

import pytest

from explorer import train
from explorer.sharing.saved import read_experiment_json
from explorer.stories.tour import PAGE, PRESENTER, SCENES
from tests.browser.driver import few
from tests.browser.test_access import findings

# From the reveal's key to the first painted frame in which the scene's figure has its traces.
ARM = """() => { window.took = null;
  const figure = () => [...document.querySelectorAll(".st-key-tour_figure .js-plotly-plot")]
    .find(e => explorer.shown(e) && e.data?.length && e.querySelector(".main-svg") && e.getBoundingClientRect().height > 200);
  addEventListener("keydown", () => { const t0 = performance.now();
    const look = () => figure() ? requestAnimationFrame(() => window.took = performance.now() - t0) : requestAnimationFrame(look);
    look(); }, { once: true, capture: true }); }"""


# By what a link calls it, the place of a scene, from 1.
PLACE = {scene.address: number for number, scene in enumerate(SCENES, start=1)}


def open_tour(screen, **query):
    text = "&".join(f"{name}={value}" for name, value in query.items())
    screen.page.goto(f"{screen.address}/tour?{text}")
    screen.page.wait_for_selector(".st-key-tour_next button")
    return screen


def wait_for_scene(screen, number):
    scene = SCENES[number - 1]
    screen.page.get_by_role("heading", name=scene.name, exact=True).wait_for()
    screen.page.wait_for_function(
        "name => (new URLSearchParams(location.search).get('scene') ?? name) === name",
        arg=scene.address,
    )
    screen.rest()


def wait_for_answer(screen, number):
    scene = SCENES[number - 1]
    screen.page.locator(".st-key-tour_options h2", has_text=scene.answers[scene.right].text).wait_for()
    screen.page.wait_for_function("document.querySelector('.st-key-tour_figure .js-plotly-plot .main-svg')")


def predict_and_reveal(screen, number):
    """By keyboard; returns the milliseconds from the reveal to the first picture."""
    screen.page.wait_for_function("window.Plotly")
    screen.page.keyboard.press(str(len(SCENES[number - 1].answers)))
    screen.page.locator(".st-key-tour_question", has_text="radio_button_checked").wait_for()
    screen.rest()
    screen.page.evaluate(ARM)
    screen.page.keyboard.press("Space")
    wait_for_answer(screen, number)
    screen.page.wait_for_function("window.took !== null")
    assert screen.page.locator(".st-key-tour_options", has_text="your prediction").count() == 1
    return screen.page.evaluate("window.took")


# From the last but one with its answer in every run; with -m long from the first, with each third answer, or all.
@pytest.mark.parametrize(
    ("first", "each"), few([(1, 1), (1, 3), (len(SCENES) - 1, len(SCENES) - 1)], [(len(SCENES) - 1, len(SCENES) - 1)])
)
def test_by_keyboard_alone_to_the_last_scene_and_back(new_screen, first, each):
    screen = open_tour(new_screen(1920, 1080), scene=SCENES[first - 1].address, gates_length=20)  # trains soon
    keys = screen.page.keyboard
    took = {}
    for number in range(first, len(SCENES) + 1):
        wait_for_scene(screen, number)
        if number % each == 0:
            took[number] = predict_and_reveal(screen, number)
        if number < len(SCENES):
            keys.press("ArrowRight")  # while the answer is still being drawn
    print("\nreveal to first picture, ms:", *(f"{number}: {ms:.0f}" for number, ms in took.items()))
    keys.press("ArrowRight")
    screen.page.get_by_role("heading", name="What to remember").wait_for()
    screen.rest()
    keys.press("ArrowRight")  # there is nothing behind it
    for number in range(len(SCENES), first - 1, -1):
        keys.press("ArrowLeft")
        wait_for_scene(screen, number)


@pytest.mark.parametrize("number", few([3, len(SCENES)], []))  # in every run with what is played with, below
def test_a_scenes_link_restores_it(screen, number):
    open_tour(screen, scene=SCENES[number - 1].address)
    wait_for_scene(screen, number)
    assert screen.page.locator(".st-key-tour_figure").count() == 0
    open_tour(screen, scene=SCENES[number - 1].address, revealed="answer")
    wait_for_answer(screen, number)
    screen.page.wait_for_function("location.search.includes('v=2')")
    assert screen.parameters()["revealed"] == "answer"


def test_what_is_played_with_is_in_the_link_and_comes_back(screen):
    open_tour(screen, scene=SCENES[1].address, revealed="answer")
    wait_for_answer(screen, 2)
    screen.rest()
    before = screen.page.locator(".st-key-tour_words").inner_text()
    screen.slide("what-multiplies_gain", ["ArrowRight"])
    screen.page.wait_for_function("location.search.includes('what-multiplies_gain=2')")
    screen.rest()
    assert screen.parameters()["scene"] == "what multiplies"
    after = screen.page.locator(".st-key-tour_words").inner_text()
    assert after != before
    screen.page.reload()
    wait_for_answer(screen, 2)
    screen.rest()
    assert screen.value("what-multiplies_gain") == "2.0"
    assert screen.page.locator(".st-key-tour_words").inner_text() == after


@pytest.mark.long  # what is played with, above, moves one in every run
def test_arrow_keys_on_a_slider_move_the_slider_alone(screen):
    open_tour(screen, scene=SCENES[0].address, revealed="answer")
    wait_for_answer(screen, 1)
    screen.rest()
    screen.slide("never-learns_depth", ["ArrowLeft"])
    screen.page.wait_for_function("location.search.includes('never-learns_depth=8')")
    screen.rest()
    assert screen.parameters().get("scene", "never learns") == "never learns"
    assert screen.parameters()["revealed"] == "answer"


def test_a_clickers_two_keys_lead_through_question_and_answer_and_other_keys_to_both_ends(screen):
    open_tour(screen, scene=SCENES[0].address, present="presenter")
    wait_for_scene(screen, 1)
    assert not any(seen(screen).values())
    keys = screen.page.keyboard
    screen.page.locator(".st-key-tour_next button").click()
    wait_for_scene(screen, 2)
    keys.press("Space")  # reveals, although a button has the focus
    wait_for_answer(screen, 2)
    screen.rest()
    assert screen.parameters()["scene"] == SCENES[1].address
    assert not findings(screen)
    keys.press("PageDown")
    wait_for_scene(screen, 3)
    keys.press("PageUp")
    wait_for_scene(screen, 2)
    keys.press("PageDown")
    wait_for_answer(screen, 2)
    screen.rest()
    keys.press("Space")  # goes on from an answer
    wait_for_scene(screen, 3)
    keys.press("End")
    screen.page.get_by_role("heading", name="What to remember").wait_for()
    screen.rest()
    keys.press("Home")
    wait_for_scene(screen, 1)
    keys.press("Escape")
    screen.page.locator("[data-testid=stHeader]").wait_for()


def test_keys_pressed_at_once_lead_as_far_as_one_by_one(screen):
    open_tour(screen, scene=SCENES[0].address, present="presenter")
    wait_for_scene(screen, 1)
    # Answer, on, back, answer, on, answer, on, answer.
    for key in ("PageDown", "PageDown", "PageUp", "Space", "Space", "PageDown", "ArrowRight", "Space"):
        screen.page.keyboard.press(key)
    wait_for_answer(screen, 3)
    screen.rest()
    assert screen.parameters()["scene"] == SCENES[2].address


def seen(screen):
    return {
        name: screen.page.locator(f"[data-testid={name}]:visible").count()
        for name in ("stHeader", "stSidebar", "stToolbar")
    }


@pytest.mark.long  # a clicker's two keys, above, are pressed in it in every run
def test_presenter_mode_leaves_only_the_scene(screen):
    open_tour(screen, scene=SCENES[0].address)
    wait_for_scene(screen, 1)
    assert seen(screen)["stHeader"] == 1
    assert seen(screen)["stSidebar"] == 0
    size = "parseFloat(getComputedStyle(document.querySelector('.st-key-tour_question h1')).fontSize)"
    before = screen.page.evaluate(size)
    screen.present()
    screen.page.wait_for_function("location.search.includes('present=presenter')")
    screen.page.locator("[data-testid=stHeader]").wait_for(state="hidden")
    assert not any(seen(screen).values())
    assert screen.page.evaluate(size) > before
    screen.page.keyboard.press("ArrowRight")
    wait_for_scene(screen, 2)
    assert not any(seen(screen).values())
    screen.present("Leave")
    screen.page.locator("[data-testid=stHeader]").wait_for()


def test_explores_settings_and_link_survive_the_tour_and_what_is_unfolded_stays_so(screen):
    screen.open(depth=5, skip="one layer", epochs=50, baseline="none", complete=True).unfold().finish()
    before = screen.parameters()
    screen.page.get_by_role("link", name="Tour").click()
    wait_for_scene(screen, 1)
    screen.page.keyboard.press("ArrowRight")
    wait_for_scene(screen, 2)
    screen.page.get_by_role("link", name="Explore").click()
    screen.wait_for_chart()
    screen.finish()
    assert (screen.value("depth"), screen.value("skip"), screen.value("epochs")) == ("5", "one layer", "50")
    assert screen.parameters() == before
    assert screen.page.locator(".st-key-epochs").is_visible()


@pytest.mark.long  # without a browser in every run, in stories/test_tour
def test_open_in_explore_opens_the_scene(screen):
    open_tour(screen, scene="residual", revealed="answer")
    wait_for_answer(screen, PLACE["residual"])
    screen.finish()
    screen.page.locator(".st-key-tour_open button").click()
    screen.wait_for_chart()
    screen.finish()
    assert screen.value("skip") == "one layer"
    assert screen.value("depth") == "11"
    assert "skip over one layer" in screen.headline().lower()


@pytest.mark.long
def test_open_in_time_opens_the_scene(screen):
    open_tour(screen, scene="gates", revealed="answer", gates_length=20)
    wait_for_answer(screen, PLACE["gates"])
    screen.page.locator(".st-key-tour_open button").click()
    screen.page.wait_for_url("**/time?*")
    screen.page.wait_for_selector(".st-key-side_by_side .js-plotly-plot")
    wanted = {"time_cell": "LSTM", "time_length": "20", "time_compare": "forget bias"}
    screen.page.wait_for_function("location.search.includes('time_compare')")
    assert {name: screen.parameters().get(name) for name in wanted} == wanted
    screen.page.wait_for_function("explorer.settings().includes('20 steps')")


def test_nothing_of_the_question_stands_beside_its_answer_while_that_trains(screen):
    open_tour(screen, scene="gates")
    wait_for_scene(screen, PLACE["gates"])
    screen.page.keyboard.press("Space")
    wait_for_answer(screen, PLACE["gates"])
    screen.page.wait_for_timeout(400)
    assert screen.page.locator("[class*=st-key-tour_answer_], .st-key-tour_reveal").count() == 0
    check_fit(screen, PLACE["gates"], SMALL)  # the scene with the most words


def test_nothing_of_an_answer_stands_beside_the_next_question_while_its_net_trains(screen):
    open_tour(screen, scene="a way around", revealed="answer")
    wait_for_answer(screen, PLACE["a way around"])
    screen.page.keyboard.press("ArrowRight")
    wait_for_scene(screen, PLACE["residual"])
    screen.page.wait_for_selector(".st-key-tour_before .js-plotly-plot")
    screen.page.wait_for_timeout(400)
    assert screen.page.locator(".st-key-tour_words, .st-key-tour_figure").count() == 0


SMALL, LARGE = (1366, 768), (1920, 1080)
MODES = (PAGE, PRESENTER)
FITTED = [(place, size, mode) for place in range(1, len(SCENES) + 1) for size in (SMALL, LARGE) for mode in MODES]


@pytest.mark.parametrize(("number", "size", "mode"), few(FITTED, [(PLACE["gates"], LARGE, PRESENTER)]))
def test_a_scene_fits_the_screen(new_screen, number, size, mode):
    screen = open_tour(new_screen(*size), scene=SCENES[number - 1].address, revealed="answer", present=mode)
    wait_for_answer(screen, number)
    screen.page.wait_for_timeout(400)  # also while it trains, with a progress bar among the words
    check_fit(screen, number, size)
    sizes, outside = screen.page.evaluate(FIGURE_TEXT)
    assert min(sizes) >= (24 if (size, mode) == (LARGE, PRESENTER) else 16)
    assert not outside


# The sizes of a figure's texts in pixels, and those that leave the figure.
FIGURE_TEXT = """() => { const figure = document.querySelector('.st-key-tour_figure .js-plotly-plot'), room = figure.getBoundingClientRect();
  const texts = [...figure.querySelectorAll('text')].filter(each => each.textContent.trim() && !each.closest('.modebar'));
  const lines = texts.flatMap(text => { const parts = [...text.querySelectorAll('tspan')]; return parts.length ? parts : [text]; });
  const leaves = ({ left, top, right, bottom }) => left < room.left - 1 || top < room.top - 1 || right > room.right + 1 || bottom > room.bottom + 1;
  return [lines.map(each => parseFloat(getComputedStyle(each).fontSize)), texts.filter(each => leaves(each.getBoundingClientRect())).map(each => each.textContent)]; }"""


def check_fit(screen, number, size):
    """An answer is on the screen as a whole, and nothing lies on anything else."""
    below = "Math.max(...['foot', 'figure', 'words'].map(k => document.querySelector('.st-key-tour_' + k).getBoundingClientRect().bottom))"
    assert screen.page.evaluate(below) <= size[1]
    over = "document.querySelector('[data-testid=stMain]').scrollWidth > document.querySelector('[data-testid=stMain]').clientWidth"
    assert not screen.page.evaluate(over)
    options = "[...document.querySelectorAll('.st-key-tour_options :is(h2, p)')].map(e => e.getBoundingClientRect()).map(b => [b.top, b.bottom])"
    places = screen.page.evaluate(options)
    assert len(places) == len(SCENES[number - 1].answers)
    assert all(above[1] <= below[0] + 1 for above, below in itertools.pairwise(places))


@pytest.mark.long
def test_a_scene_can_be_taken_away(screen):
    scene = SCENES[0]
    screen.open("/tour", complete=True, scene=scene.address, revealed="answer")
    assert struct.unpack(">II", screen.saved("Slide")[1][16:24]) == (1920, 1080)
    page = html.unescape(screen.saved("Page")[1].decode())
    assert scene.take_home in page
    assert "plotly" in page
    rows = list(csv.DictReader(io.StringIO(screen.saved("History (CSV)")[1].decode())))
    history = train(scene.experiment)
    last = [float(row["loss"]) for row in rows if row["epoch"] == str(scene.experiment.epochs) and row["layer"] == "1"]
    assert last == pytest.approx(
        history.loss[:, -1].tolist(), rel=1e-9
    )  # a server that has just started may train in NumPy
    assert read_experiment_json(screen.saved("Experiment (JSON)")[1], None).experiment == scene.experiment
