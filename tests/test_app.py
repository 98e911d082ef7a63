"""The app's script, run without a browser: it must never end in an exception, whatever is chosen."""

import json
import os

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.controls import Choice, Number
from explorer.datasets import OWN, Data
from explorer.experiment import CONTROLS, Experiment
from explorer.scenarios import SCENARIOS
from explorer.ui.link import UNPINNED, encode
from explorer.view import VIEW_CONTROLS

# Small, so that a script runs to its end quickly; what is tested sits on top.
SMALL = {"epochs": "10", "depth": "3", "width": "4", "runs": "2"}
OWN_DATA = Data(
    x=np.random.default_rng(0).normal(size=(20, 2)),
    y=np.arange(20) % 2.0,
    feature_names=("length", "width"),
    class_names=("no", "yes"),
)


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    monkeypatch.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(query=None, state=None):
    app = AppTest.from_file("../app.py", default_timeout=120)
    for name, value in (query or {}).items():
        app.query_params[name] = str(value)
    for name, value in (state or {}).items():
        app.session_state[name] = value
    app.run()
    assert not app.exception, app.exception[0].value
    return app


def components(node):
    """Every custom component's data that was sent to the browser."""
    if hasattr(node, "children"):
        for child in node.children.values():
            yield from components(child)
    proto = getattr(node, "proto", None)
    if (
        proto is not None
        and getattr(proto, "DESCRIPTOR", None) is not None
        and proto.DESCRIPTOR.name == "BidiComponent"
    ):
        yield proto


def joint_figure(app):
    """The joint figure, as it is sent."""
    for proto in components(app.main):
        if "figure" in proto.json:
            return json.loads(json.loads(proto.json)["figure"])
    return None


def headline(app):
    return app.main.header[0].value


def test_the_opening_runs_and_says_vanishing():
    app = run()
    assert headline(app).startswith("Vanishing: ")
    assert not app.warning
    assert not app.error
    assert [metric.value for metric in app.metric][2] == "0 of 8"


def test_it_runs_again_and_again():
    app = run(SMALL)
    for _ in range(3):
        app.run()
        assert not app.exception


def small(experiment):
    """A scenario's settings, shortened: what its full training shows is tested with the scenarios."""
    return experiment.but(epochs=min(experiment.epochs, 10))


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_opens(name):
    scenario = SCENARIOS[name]
    settings = small(scenario.experiment).settings(changed_only=True)
    app = run(settings | {"baseline": encode(small(scenario.baseline)) or UNPINNED})
    assert not app.warning
    assert app.metric


def test_choosing_a_scenario_sets_every_control():
    name = "ReLU with N(0, 1): diverges at once"
    app = run(SMALL)
    app.selectbox(key="_scenario").set_value(name).run()
    assert not app.exception
    for key, value in SCENARIOS[name].experiment.settings().items():
        assert app.session_state[key] == value
    assert app.selectbox(key="_scenario").value == name
    assert "diverged" in (headline(app) + app.markdown[0].value).lower()


def choices():
    for name, control in (CONTROLS | VIEW_CONTROLS).items():
        if isinstance(control, Choice):
            yield from ((name, option) for option in control.options if option != OWN)
        elif isinstance(control, Number):
            cheap = {"epochs": 100, "runs": 8, "width": 32, "samples": 256}.get(name, float("inf"))
            marks = control.marks or (control.low, control.default, control.high)
            yield from ((name, int(m) if control.whole else m) for m in marks if m <= cheap and m >= control.low)


@pytest.mark.parametrize(("name", "option"), list(choices()))
def test_every_option_of_every_control_runs(name, option):
    task = {} if name == "task" else {"task": "moons", "samples": 32, "batch": 16}
    clip = {"clip": "norm"} if name == "threshold" else {}
    app = run(SMALL | task | clip | {name: option})
    if name != "at":
        assert app.session_state[name] == option
    assert not app.error
    assert not app.warning


def test_own_data_is_waited_for_then_trained_on():
    app = run(SMALL | {"task": OWN})
    assert any("CSV" in info.value for info in app.info)
    assert not app.metric
    app = run(SMALL | {"task": OWN}, {"_own_data": OWN_DATA})
    assert app.metric
    names = {trace.get("name") for trace in joint_figure(app)["data"]}
    assert {"class no", "class yes"} <= names


HEAVY = {"task": "moons", "depth": 50, "width": 128, "runs": 64, "samples": 1024, "epochs": 100_000, "batch": "1"}


def test_too_much_work_is_refused_and_nothing_is_started(monkeypatch):
    from explorer.ui import jobs

    monkeypatch.setattr(jobs.Job, "advance", lambda *_: pytest.fail("a training was started"))
    app = run(HEAVY)
    assert any("not started" in warning.value for warning in app.warning)
    assert not app.metric


def test_too_heavy_a_baseline_is_refused_while_the_rest_runs():
    app = run(SMALL | {"baseline": encode(Experiment(**HEAVY))})
    assert any("baseline" in warning.value.lower() for warning in app.warning)
    assert app.metric


@pytest.mark.parametrize(
    "query",
    [
        {"depth": "99"},
        {"depth": "abc"},
        {"depth": ""},
        {"seed": "1" + "0" * 400},
        {"seed": "-1"},
        {"epochs": "1e308"},
        {"skip": ""},
        {"axis": ""},
        {"colour": ""},
        {"at": "-1"},
        {"at": "999999999999"},
        {"gain": "nan"},
        {"noise": "inf"},
        {"activation": "<script>alert(1)</script>"},
        {"task": "x" * 10_000},
        {"__class__": "1"},
        {"_experiment": "1"},
        {"_own_data": "1"},
        {"baseline": "depth:banana"},
        {"baseline": "\x00;::<b>"},
        {"v": "banana"},
    ],
    ids=str,
)
def test_hostile_links_run_and_are_answered_in_words(query):
    app = run({"epochs": "10"} | query)
    assert app.metric
    assert len(app.warning) <= 1
    assert app.warning or query in ({"at": "-1"},)


def test_the_figure_has_its_traces():
    figure = joint_figure(run(SMALL | {"baseline": UNPINNED}))
    named = [trace.get("name") for trace in figure["data"]]
    for name in ("middle half of the seeds", "at the start", "at the chosen epoch", "each seed"):
        assert name in named
    assert sum(trace["type"] == "heatmap" for trace in figure["data"]) == 2  # layers by epochs, and the colour bar


def test_a_pinned_baseline_doubles_the_heatmap():
    figure = joint_figure(run(SMALL | {"baseline": encode(Experiment(epochs=10))}))
    across = [trace for trace in figure["data"] if trace["type"] == "heatmap" and trace["xaxis"] == "x"]
    assert len(across) == 2
    assert len({(trace["zmin"], trace["zmax"]) for trace in across}) == 1


def test_pin_and_unpin():
    app = run(SMALL | {"baseline": UNPINNED})
    buttons = {button.label: button for button in app.button}
    assert buttons["Unpin"].disabled
    buttons["Pin this as the baseline"].click().run()
    assert not app.exception
    pinned = app.session_state["baseline"]
    assert "depth:3" in pinned
    {button.label: button for button in app.button}["Unpin"].click().run()
    assert app.session_state["baseline"] == UNPINNED
