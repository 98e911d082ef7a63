"""The page of recurrent nets, run without a browser: it never ends in an exception, and every control changes what is shown."""

import json

import pytest

from explorer.choices.controls import Choice
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.diagnose import BY_RULE
from explorer.stories.scenarios import scenarios_of
from explorer.ui.link import encode
from explorer.ui.page import controls_by_key
from pages import PAGES
from pages.time_page import PREFIX as TIME_PAGE
from tests.ui.test_app import at_home, components, headline, opened, scenarios  # noqa: F401
from tests.work import few, first_of_each

TIME_CONTROLS = {key: control for key, control in controls_by_key(PAGES).items() if key.startswith(TIME_PAGE)}

RECURRENT = scenarios_of(RecurrentExperiment)

SMALL = {"length": 6, "samples": 8, "hidden": 3, "runs": 2, "epochs": 10}


def run(**settings):
    """Open the page with settings in its link."""
    app = opened("time", {f"{TIME_PAGE}{name}": value for name, value in (SMALL | settings).items()}).run()
    check(app)
    return app


def check(app):
    assert not app.exception, app.exception[0].value
    assert not app.error


def figures(app):
    """The figures that were sent, by the key of their place."""
    sent = (json.loads(proto.json) for proto in components(app.main))
    return [json.loads(each["figure"]) for each in sent if "figure" in each]


def options(control):
    if isinstance(control, Choice):
        return list(control.options)
    return [mark for mark in control.marks or (control.low, control.default) if mark <= 10]


def test_it_opens_with_three_cells_and_a_closer_look():
    app = run()
    main, closer = figures(app)
    assert (
        len({trace["xaxis"] for trace in main["data"] if trace["type"] == "heatmap" and trace.get("hovertemplate")})
        == 3
    )
    assert closer["data"]
    assert "with the RNN" in headline(app)


# With all three cells on screen the sidebar's cell is not asked, and so on: where a control works, what else is set.
WORKS = {
    "cell": {"compare": "baseline"},
    "forget_bias": {"compare": "baseline", "cell": "LSTM"},
    "activation": {"compare": "baseline"},
    "threshold": {"clip": "norm", "threshold": 0.001},
    "order": {"batch": "1"},
    "matrix": {"figure": "recurrent matrix", "stack": 3},
    "colour": {"axis": "log"},
    "at": {"epochs": 50},
}


# A setting of the net is set in every run where it changes the picture, below.
SETTINGS = RecurrentExperiment.controls()
NAMES = [name.removeprefix(TIME_PAGE) for name in TIME_CONTROLS]


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] if name in SETTINGS else []) for name in NAMES]
)
def test_every_option_of_every_control_runs_and_is_shown(name, every):
    key = f"{TIME_PAGE}{name}"
    app = run(**WORKS.get(name, {}))
    for option in options(TIME_CONTROLS[key])[None if every else -1 :]:
        if name == "loss" and app.session_state[f"{TIME_PAGE}task"] == "sine":
            continue
        app.session_state[key] = option
        app.run()
        check(app)
        assert app.session_state[key] == option or name == "at"
        assert figures(app) or name == "figure"


# Two values of every setting, and what else has to be set for it to matter.
PAIRS = {
    "task": ("copy", "parity", {}),
    "length": (5, 6, {}),
    "samples": (8, 32, {}),
    "cell": ("LSTM", "GRU", {}),
    "activation": ("sigmoid", "ReLU", {}),
    "hidden": (2, 3, {}),
    "stack": (1, 2, {}),
    "initializer": ("orthogonal", "zeros", {}),
    "strength": (0.5, 2.0, {}),
    "forget_bias": (0, 3, {"cell": "GRU"}),
    "clip": ("none", "value", {"threshold": 0.001}),
    "threshold": (0.001, 0.01, {"clip": "norm"}),
    "truncation": (0, 2, {}),
    "learning_rate": (0.01, 0.1, {}),
    "optimizer": ("SGD", "Adam", {}),
    "loss": ("cross-entropy", "mean squared error", {}),
    "batch": ("1", "full", {}),
    "order": ("shuffled", "fixed", {"batch": "1"}),
    "epochs": (10, 20, {}),
    "runs": (1, 2, {}),
    "seed": (0, 5, {}),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_of_the_net_changes_the_picture(name):
    one, two, beside = PAIRS[name]
    first, second = (figures(run(**({"compare": "baseline"} | beside | {name: value})))[0] for value in (one, two))
    assert first["data"] != second["data"]


@pytest.mark.parametrize("name", first_of_each([*RECURRENT][::-1]))  # the last trains in no time
def test_every_scenario_is_opened_by_one_choice_and_named(name):
    app = run(compare="baseline", seed=3)
    assert scenarios(app).value == "Your own settings"
    scenario = RECURRENT[name]
    scenarios(app).set_value(name)
    # Short, as its whole training is tested with the scenarios.
    app.run(timeout=120)
    check(app)
    for key, value in scenario.experiment.settings().items():
        assert app.session_state[f"{TIME_PAGE}{key}"] == value
    assert app.session_state[f"{TIME_PAGE}compare"] == scenario.compare
    assert scenarios(app).value == name
    assert scenario.caption in [caption.value for caption in app.main.caption]


def test_what_is_pinned_stands_beside_the_present():
    pinned = encode(RecurrentExperiment(**SMALL, cell="GRU"))
    app = run(compare="baseline", baseline=pinned)
    assert headline(app).startswith("Baseline: ")
    app.button(key=next(button.key for button in app.button if button.label == "Unpin")).click().run()
    check(app)
    assert "baseline" not in headline(app).lower()


def test_the_lens_looks_at_what_the_chosen_net_has():
    def lines(app):
        notes = figures(app)[1]["layout"]["annotations"]
        return next(note["text"] for note in notes if note.get("name") == "lines")

    app = run(figure="lens", lens_net=2, lens_function="forget gate", lens_step=4, lens_seed=1)
    assert lines(app).startswith("Forget gate, step 4 of 6, epoch 10, seed 0")
    for net, told in ((1, "New state, step 4"), (2, "Forget gate"), (3, "New state")):
        app.session_state[f"{TIME_PAGE}lens_net"] = net
        check(app.run())
        assert lines(app).startswith(told), "a GRU has no forget gate, a plain net no gate at all"
    app.session_state[f"{TIME_PAGE}length"], app.session_state[f"{TIME_PAGE}runs"] = 3, 1
    check(app.run())
    assert lines(app).startswith("New state, step 3 of 3")
    app.session_state[f"{TIME_PAGE}compare"] = "truncation"
    check(app.run())
    assert app.session_state[f"{TIME_PAGE}lens_net"] == 2, "there are two nets only"


WRONG = [
    {"cell": "transformer"},
    {"length": "501"},
    {"strength": "nan"},
    {"figure": "\x00"},
    {"baseline": "cell:perceptron"},
    {"nonsense": "1"},
]
MORE_WRONG = [
    {"length": "1" * 400},
    {"hidden": "-1"},
    {"forget_bias": "<script>"},
    {"compare": "apples"},
    {"metric": ""},
    {"matrix": "x" * 10_000},
    {"baseline": "depth:3"},
]


@pytest.mark.parametrize("wrong", few(WRONG + MORE_WRONG, WRONG), ids=str)
def test_what_is_wrong_in_a_link_is_named_and_the_page_goes_on(wrong):
    app = run(**wrong)
    (name,) = wrong
    assert len(app.warning) == 1
    assert name.replace("_", " ").split()[0] in app.warning[0].value.replace("time_", "")
    assert len(figures(app)) == 2


def test_no_link_makes_the_server_work_without_bound(monkeypatch):
    from explorer.training.run import Training

    monkeypatch.setattr(Training, "advance", lambda *_: pytest.fail("trained"))
    app = run(length=500, hidden=128, stack=3, runs=64, epochs=100_000, samples=1024)
    assert "is not started" in app.warning[0].value
    # Each alone would be allowed, all together not.
    app = run(length=100, hidden=16, runs=64, epochs=200, samples=256, compare="start of W_hh", batch=1)
    assert "not started" in app.warning[0].value


def test_remedies_that_were_tried_take_the_place_of_the_rule_until_the_net_changes():
    app = run(cell="LSTM", optimizer="SGD", learning_rate="0.0001", epochs=40, compare="baseline")
    assert any(BY_RULE in text.value or "No single change" in text.value for text in app.markdown)
    app.button(key="try_remedies_here").click().run()
    check(app)
    told = next(text.value for text in app.markdown if "Tried " in text.value)
    assert BY_RULE not in told and "remedies with 2 seeds each" in told
    assert "try_remedies_here" not in {button.key for button in app.button}
    app.slider(key=f"{TIME_PAGE}stack").set_value(2).run()
    assert not any("Tried " in text.value for text in app.markdown)


def test_remedies_are_tried_where_there_is_room_to_say_what_they_did():
    assert "try_remedies_here" not in {button.key for button in run(optimizer="SGD").button}, "three nets"
