"""Time: recurrent nets side by side in the real app; its controls come back, its clicks choose epochs, its files open."""

import statistics

import pytest

from explorer.choices.comparisons import COMPARISONS
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.sharing.saved import experiment_json
from explorer.stories.scenarios import scenarios_of
from explorer.ui.link import encode
from explorer.ui.page import controls_by_key
from pages import PAGES
from pages.time_page import PREFIX as TIME_PAGE
from pages.time_page import SECOND_FIGURES
from tests.browser.driver import few
from tests.browser.test_speed import TOGGLES

TIME_CONTROLS = {key: control for key, control in controls_by_key(PAGES).items() if key.startswith(TIME_PAGE)}

SMALL = {"time_length": 10, "time_epochs": 20, "time_runs": 2, "time_hidden": 4}
BASELINE = encode(RecurrentExperiment(length=10, epochs=20, runs=2, hidden=4, cell="GRU"))

# Every control at something else than its default.
EVERY_CONTROL = {
    "task": "adding",
    "length": 15,
    "samples": 64,
    "cell": "LSTM",
    "activation": "ReLU",
    "hidden": 8,
    "stack": 2,
    "initializer": "orthogonal",
    "strength": 0.9,
    "forget_bias": 2.0,
    "clip": "value",
    "threshold": 0.5,
    "truncation": 5,
    "learning_rate": 0.01,
    "optimizer": "momentum",
    "loss": "mean squared error",
    "batch": "16",
    "order": "fixed",
    "epochs": 20,
    "runs": 2,
    "seed": 7,
    "compare": "clipping",
    "metric": "forget gate",
    "colour": "value",
    "axis": "log",
    "range": "wide",
    "at": 5,
    "figure": "recurrent matrix",
    "matrix": "forget gate",
}
LINK = {f"{TIME_PAGE}{name}": value for name, value in EVERY_CONTROL.items()}
MAPS = "gd.data.filter(t => t.type === 'heatmap' && t.hovertemplate).map(t => t.xaxis)"


def open_time(screen, **settings):
    return screen.open("/time", complete=True, **(SMALL | settings))


def check_clean(screen):
    assert not screen.exceptions()
    assert not screen.problems
    assert not screen.warnings()


@pytest.mark.long  # trained in every run with the scenarios, and opened small in test_time_page
def test_it_opens_with_the_three_cells_and_says_who_learns(screen):
    screen.open("/time").finish(240_000)
    assert screen.headline() == "0 of 8 seeds learn it with the RNN, 8 with the LSTM, 8 with the GRU."
    assert len(set(screen.chart(MAPS))) == 3
    assert screen.value("_time_scenario") == next(iter(scenarios_of(RecurrentExperiment)))
    check_clean(screen)


def test_the_link_below_sets_every_control_to_something_else():
    of_the_lens = {
        key for key in TIME_CONTROLS if key.startswith(f"{TIME_PAGE}lens_")
    }  # drawn with it, see test_lens_tab
    assert set(LINK) == set(TIME_CONTROLS) - of_the_lens
    assert not [key for key, value in LINK.items() if value == TIME_CONTROLS[key].default]


def check_all(screen):
    screen.wait_for_chart()
    screen.finish()
    assert screen.values(LINK) == {key: str(value) for key, value in LINK.items()}
    assert screen.value("time_baseline") == BASELINE
    check_clean(screen)


def test_a_link_restores_every_control_and_the_baseline_also_after_a_reload_and_another_page(screen):
    screen.open("/time", **LINK, time_baseline=BASELINE, v=1)
    check_all(screen)
    screen.page.reload()
    check_all(screen)
    screen.go_to("Cliff")
    screen.go_to("Time")
    check_all(screen)


@pytest.mark.long  # in every run on Depth, in test_pages
def test_going_back_undoes_one_act(screen):
    open_time(screen)
    screen.press("time_clip", "none")
    screen.finish()
    screen.pick("time_compare", "baseline")
    screen.finish()
    screen.page.go_back()
    screen.page.wait_for_function("explorer.value('time_compare') === 'the three cells'")
    assert screen.value("time_clip") == "none"
    screen.page.go_back()
    screen.page.wait_for_function("explorer.value('time_clip') === 'norm'")
    screen.page.go_forward()
    screen.page.wait_for_function("explorer.value('time_clip') === 'none'")


# The three cells, and one of the closer looks, are in every run in test_access.
@pytest.mark.parametrize("name", few(COMPARISONS, []))
def test_every_comparison_has_a_panel_for_each(screen, name):
    open_time(screen, time_compare=name, time_baseline=BASELINE)
    baseline = RecurrentExperiment(length=10, epochs=20, runs=2, hidden=4, cell="GRU")
    now = baseline.but(cell="RNN")
    panels = COMPARISONS[name].of(now, baseline)
    assert len(set(screen.chart(MAPS))) == len(panels)
    for panel in panels:
        assert screen.chart(f"gd.layout.annotations.some(a => a.text.includes('<b>{panel}</b>'))")
    check_clean(screen)


@pytest.mark.parametrize("name", few(SECOND_FIGURES, []))
def test_every_closer_look_is_drawn_and_told(screen, name):
    open_time(screen, time_figure=name, time_truncation=2)
    figure = screen.page.locator(".st-key-time_second .js-plotly-plot:visible")
    assert figure.count() == 1
    told = screen.page.locator(".st-key-time_second [role=figure]").first.get_attribute("aria-label")
    assert "GRU" in told
    assert any(digit in told for digit in "0123456789")
    check_clean(screen)


def test_a_click_on_a_map_chooses_the_epoch_and_trains_nothing_anew(screen):
    open_time(screen)
    x, y = screen.chart(
        "(() => { const b = gd.getBoundingClientRect(), l = gd._fullLayout, a = l.xaxis2, v = l.yaxis2;"
        " return [b.left + a._offset + a._length / 2, b.top + v._offset + v._length / 2]; })()"
    )
    screen.page.mouse.click(x, y)
    screen.page.wait_for_function("explorer.value('time_at') === '10'")
    screen.finish()
    assert screen.chart("gd.layout.annotations.some(a => a.text.includes('epoch 10'))")


@pytest.mark.long  # in every run on Explore, in test_moves, and without a browser in test_time_page
def test_pinning_sets_the_present_beside_what_comes_next(screen):
    open_time(screen, time_compare="baseline")
    assert len(set(screen.chart(MAPS))) == 1
    screen.page.get_by_role("button", name="Pin this as the baseline").click()
    screen.finish()
    screen.press("time_cell", "GRU")
    screen.finish()
    assert len(set(screen.chart(MAPS))) == 2
    screen.page.get_by_role("button", name="Unpin").click()
    screen.finish()
    assert len(set(screen.chart(MAPS))) == 1


@pytest.mark.long  # without a browser in every run, in test_time_page
def test_what_is_wrong_in_a_link_is_said_and_the_page_goes_on(screen):
    open_time(screen, time_cell="transformer", time_length=501, time_baseline="cell:perceptron")
    said = screen.warnings()
    assert "time_cell = 'transformer'" in said
    assert "time_length = '501'" in said
    assert "baseline" in said
    assert not screen.exceptions()
    assert "RNN" in screen.headline()


@pytest.mark.long
def test_a_training_without_bound_is_refused_in_words(screen):
    screen.page.goto(f"{screen.address}/time?time_length=500&time_epochs=100000&time_runs=64&time_hidden=128")
    screen.page.wait_for_selector("[data-testid=stAlert]")
    assert "is not started" in screen.warnings()
    assert not screen.exceptions()


# What Time saves is looked at in test_sharing.
def test_a_saved_experiment_leads_to_the_page_that_shows_it(screen, tmp_path):
    experiment = RecurrentExperiment(length=10, epochs=20, runs=2, hidden=4)
    path = tmp_path / "saved.json"
    path.write_text(experiment_json(experiment, experiment.but(cell="GRU")), encoding="utf-8")
    screen.open(complete=True, depth=2, epochs=10, baseline="none").unfold()
    screen.page.locator("[data-testid=stSidebar] input[type=file]").set_input_files(path)
    screen.arrive("Time")
    assert screen.value("time_length") == "10"
    assert screen.value("time_baseline") == BASELINE
    screen.go_to("Explore")
    assert screen.value("depth") == "2"  # what was set for layers is still there


# --- speed ----------------------------------------------------------------------------------------

MOVES = [
    ("time_clip", "none"),
    ("time_activation", "sigmoid"),
    ("time_clip", "value"),
    ("time_activation", "ReLU"),
    ("time_clip", "norm"),
    ("time_activation", "tanh"),
]


@pytest.mark.long
def test_a_toggle_shows_its_picture(screen):
    screen.open("/time", time_seed=4321, time_epochs=10, complete=True)
    took = []
    for key, option in MOVES[:TOGGLES]:
        took.append(screen.timed(lambda k=key, o=option: screen.press(k, o)))
    took.append(screen.timed(lambda: screen.slide("time_length", ["ArrowLeft"])))
    print(f"\ntoggle to first new picture: median {statistics.median(took):.0f} ms, {min(took):.0f} to {max(took):.0f}")
