"""The app's script, run without a browser: it must never end in an exception, whatever is chosen."""

import json
import os
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explorer.choices.controls import Choice, Number, Several, Span
from explorer.choices.datasets import OWN, Data
from explorer.choices.experiment import CONTROLS, Experiment
from explorer.diagnosis.diagnose import BY_RULE
from explorer.diagnosis.effects import rank
from explorer.diagnosis.facts import facts
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.wording import decades, number, summary
from explorer.figures.view import VIEW_CONTROLS
from explorer.stories.scenarios import SCENARIOS, scenarios_of
from explorer.stories.tour import PRESENTER
from explorer.sweeps.outcomes import OUTCOMES
from explorer.sweeps.sweep import AXES, is_numeric
from explorer.training.run import train
from explorer.ui import ahead, compare_with
from explorer.ui.lecture import MODE_KEY
from explorer.ui.link import UNPINNED, encode
from pages import PAGES
from pages.depth_page import DEPTH_CONTROLS
from pages.remedies_page import COMPARISON_CONTROLS, SHARED_VIEW
from pages.remedies_page import PREFIX as REMEDIES_PAGE
from pages.sweep_page import AXIS_NAMES, SPAN_CONTROLS, SPANS, SWEEP_CONTROLS
from tests.work import few, first_of_each

PAGE_CONTROLS = {key: control for page in PAGES for key, control in page.controls.items()}

LAYERED = scenarios_of(Experiment)

# Small, so that a script runs to its end quickly; what is tested sits on top.
SMALL = {"epochs": "10", "depth": "3", "width": "4", "runs": "2", "baseline": "none"}
PATHS = {page.title: page.path for page in PAGES}
FURTHER = ("Remedies", "Depth", "Sweep")
# Small on the further pages too.
SMALL_PAGE = SMALL | {"deepest": "3", "cells": "3"}
# A small sweep over two settings with names. An axis is said with its options, which are asked for on an axis only.
NAMED_AXES = {
    "x": "initialization",
    "y": "activation",
    "span_initializer": ["uniform", "He normal"],
    "span_activation": ["sigmoid", "ReLU"],
}
OWN_DATA = Data(
    x=np.random.default_rng(0).normal(size=(20, 2)),
    y=np.arange(20) % 2.0,
    class_names=("no", "yes"),
)


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    monkeypatch.chdir(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def opened(path, query, state=None):
    """A link to a page, by its name in an address; not run yet."""
    app = AppTest.from_file("../../app.py", default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = [str(each) for each in value] if isinstance(value, list | tuple) else str(value)
    for name, value in (state or {}).items():
        app.session_state[name] = value
    app._page_hash = calc_hash(path)
    return app


def run(query=None, state=None, page="Explore"):
    """Open a link on a page, by its title."""
    app = opened(PATHS[page], query or {}, state).run()
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


def sent(app, name):
    """What was sent to components under this name, in their order on the page."""
    every = (json.loads(proto.json or "{}") for proto in components(app.main))
    return (data[name] for data in every if name in (data or {}))


def figures(app):
    """Every figure, as it is sent."""
    return map(json.loads, sent(app, "figure"))


def joint_figure(app):
    """The first figure, which on most pages is the joint one; None where nothing is drawn."""
    return next(figures(app), None)


def scenarios(app):
    """The menu of scenarios."""
    return next(menu for menu in app.selectbox if menu.label == "Scenario")


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


CONVOLUTIONS = {"task": "signal XOR", "layer": "convolution", "samples": 16, "depth": 3, "epochs": 5, "runs": 1}


def layers_menu(app):
    """The widget for the kind of layers; empty where it is not on screen."""
    return [group for group in app.button_group if group.label == "Layers"]


def test_layers_that_slide_are_on_offer_for_signals_alone():
    app = run(CONVOLUTIONS)
    assert not app.error and not app.warning
    assert layers_menu(app)[0].value == "convolution"
    assert "3 convolutions of 4" in summary(app.session_state["_experiment"])
    app.selectbox(key="task").set_value("moons").run()
    assert not app.exception and not app.error
    assert not layers_menu(app)
    assert app.session_state["_experiment"].layer == "dense"
    app.selectbox(key="task").set_value("signal XOR").run()
    assert not app.exception and not app.error
    assert layers_menu(app)


def test_a_link_that_asks_for_convolutions_where_there_is_no_signal_gets_dense_layers():
    app = run({**CONVOLUTIONS, "task": "moons"})
    assert not app.error
    assert app.session_state["_experiment"].layer == "dense"


def test_a_convolution_says_what_it_has_no_theory_and_no_walk_for():
    app = run(CONVOLUTIONS)
    assert any("Theory's lines here follow dense layers" in caption.value for caption in app.caption)
    walk = run(CONVOLUTIONS, page="Walk")
    assert "no walk through it" in walk.info[0].value
    assert not walk.main.header


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("gain", "2", 2.0),
        ("learning_rate", "1", 1.0),
        ("activation", "relu", "ReLU"),
        ("runs", "4.0", 4),
        ("noise", ".2", 0.2),
    ],
)
def test_a_link_may_say_a_value_otherwise_than_the_widget_does(name, text, value):
    app = run(SMALL | {"task": "moons", name: text})
    assert not app.warning
    assert app.session_state[name] == value
    assert app.query_params[name] == str(value)


def small(experiment):
    """A scenario's settings, shortened: what its full training shows is tested with the scenarios."""
    return experiment.but(epochs=min(experiment.epochs, 10))


@pytest.mark.parametrize("name", first_of_each(LAYERED))
def test_every_scenario_opens(name):
    scenario = SCENARIOS[name]
    settings = small(scenario.experiment).settings(changed_only=True)
    app = run(settings | {"baseline": encode(small(scenario.baseline)) or UNPINNED})
    assert not app.warning
    assert app.metric


def test_an_epoch_that_nobody_chose_is_the_last_whatever_the_epochs():
    app = run(SMALL)
    app.select_slider(key="epochs").set_value(50).run()
    assert app.session_state["at"] == 50
    app.select_slider(key="at").set_value(20).run()
    app.select_slider(key="epochs").set_value(20).run()
    app.select_slider(key="epochs").set_value(100).run()
    assert app.session_state["at"] == 100


def test_a_chosen_epoch_stays_when_the_epochs_change():
    app = run(SMALL | {"epochs": "50", "at": "10"})
    app.select_slider(key="epochs").set_value(100).run()
    assert app.session_state["at"] == 10


def test_the_threshold_comes_with_clipping_and_keeps_its_value():
    app = run(SMALL | {"threshold": "0.25"})
    for clip, there in (("none", False), ("norm", True), ("none", False), ("value", True)):
        app.session_state["clip"] = clip
        app.run()
        assert not app.exception
        assert [slider.value for slider in app.select_slider if slider.key == "threshold"] == [0.25] * there


def test_what_is_chosen_is_explained_below_its_menu():
    app = run(SMALL | {"activation": "tanh"})
    said = " ".join(caption.value for caption in app.sidebar.caption)
    assert "Slope 1 at 0" in said
    assert "no way past a layer" in said


def test_the_help_of_every_setting_can_be_reached():
    app = run(SMALL)
    told = " ".join(words.help for words in app.sidebar.markdown)
    assert all(control.help in told for control in CONTROLS.values())


def test_choosing_a_scenario_sets_every_control():
    name = "ReLU with N(0, 1): diverges at once"
    app = run(SMALL)
    scenarios(app).set_value(name).run()
    assert not app.exception
    for key, value in SCENARIOS[name].experiment.settings().items():
        assert app.session_state[key] == value
    assert scenarios(app).value == name
    assert "diverged" in (headline(app) + app.markdown[0].value).lower()


def choices():
    for name, control in (CONTROLS | VIEW_CONTROLS).items():
        if isinstance(control, Choice):
            yield from ((name, option) for option in control.options if option != OWN)
        elif isinstance(control, Number):
            cheap = {"epochs": 100, "runs": 8, "width": 32, "samples": 256}.get(name, float("inf"))
            marks = control.marks or (control.low, control.default, control.high)
            yield from ((name, int(m) if control.whole else m) for m in marks if m <= cheap and m >= control.low)


# Of each kind of control one; in the browser a link sets every control in every run, in test_links.
@pytest.mark.parametrize(
    ("name", "option"), first_of_each(choices(), lambda case: type((CONTROLS | VIEW_CONTROLS)[case[0]]))
)
def test_every_option_of_every_control_runs(name, option):
    task = {} if name == "task" else {"task": "moons", "samples": 32, "batch": 16}
    if name == "layer":
        task = {"task": "signal XOR", "samples": 32}
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


BAD_LINKS = [
    {"depth": "99"},
    {"depth": "abc"},
    {"seed": "1" + "0" * 400},
    {"at": "-1"},
    {"gain": "nan"},
    {"activation": "<script>alert(1)</script>"},
    {"__class__": "1"},
    {"baseline": "depth:banana"},
    {"v": "banana"},
]
MORE_BAD_LINKS = [
    {"depth": ""},
    {"seed": "-1"},
    {"epochs": "1e308"},
    {"skip": ""},
    {"axis": ""},
    {"colour": ""},
    {"at": "999999999999"},
    {"noise": "inf"},
    {"task": "x" * 10_000},
    {"_experiment": "1"},
    {"_own_data": "1"},
    {"baseline": "\x00;::<b>"},
]


@pytest.mark.parametrize("query", few(BAD_LINKS + MORE_BAD_LINKS, BAD_LINKS), ids=str)
def test_hostile_links_run_and_are_answered_in_words(query):
    app = run(SMALL | query)
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
    across = [trace for trace in figure["data"] if trace["type"] == "heatmap" and trace["xaxis"] in ("x", "x4")]
    assert len(across) == 2
    assert len({(trace["zmin"], trace["zmax"]) for trace in across}) == 1


def test_pin_and_unpin():
    app = run(SMALL | {"baseline": UNPINNED})
    assert not any(button.key == "baseline_unpin" for button in app.button)
    app.button(key="baseline_pin").click().run()
    assert not app.exception
    assert "depth:3" in app.session_state["baseline"]
    assert app.button(key="baseline_pin").disabled
    app.button(key="baseline_unpin").click().run()
    assert app.session_state["baseline"] == UNPINNED
    app.button(key="baseline_opening").click().run()
    assert app.session_state["baseline"] == encode(Experiment())
    assert app.button(key="baseline_unpin").label == "opening example"


# --- the further pages ---------------------------------------------------------------------------

each_page = pytest.mark.parametrize("page", FURTHER)


def open_page(page, query=None, state=None):
    return run(SMALL_PAGE | (query or {}), state, page)


def check_page(app):
    """The page is whole: a headline, a map among two figures or more, none empty, and nothing to complain of."""
    assert not app.error
    assert not app.warning, app.warning[0].value
    assert headline(app)
    drawn = list(figures(app))
    assert len(drawn) > 1
    assert all(figure["data"] for figure in drawn)
    assert any(trace["type"] == "heatmap" for figure in drawn for trace in figure["data"])


def warned(app):
    """The only warning, as it is read on screen: a stranger's words are escaped in its Markdown."""
    (warning,) = app.warning
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", warning.value)


@each_page
def test_every_page_runs_with_its_defaults_and_runs_again(page):
    app = open_page(page)
    check_page(app)
    app.run()
    assert not app.exception
    check_page(app)


@each_page
def test_a_page_ends_complete(page):
    app = open_page(page)
    assert "So far" not in headline(app)
    assert "sweep_stop" not in {button.key for button in app.button}


@each_page
@pytest.mark.parametrize("name", first_of_each(LAYERED))
def test_every_scenario_opens_on_every_page(page, name):
    scenario = SCENARIOS[name]
    experiment, baseline = (
        e.but(epochs=min(e.epochs, 10), runs=min(e.runs, 2)) for e in (scenario.experiment, scenario.baseline)
    )
    settings = experiment.settings(changed_only=True)
    app = run(
        settings | {"baseline": encode(baseline) or UNPINNED, "deepest": "3", "outcome": "share solved"} | NAMED_AXES,
        page=page,
    )
    check_page(app)


def page_choices():
    """Every option of every control of the further pages, with the page it belongs to."""
    shared = {f"{REMEDIES_PAGE}{name}": VIEW_CONTROLS[name] for name in SHARED_VIEW}
    by_page = {
        "Remedies": shared | dict(COMPARISON_CONTROLS),
        "Depth": DEPTH_CONTROLS,
        "Sweep": SWEEP_CONTROLS | SPAN_CONTROLS,
    }
    for page, controls in by_page.items():
        for name, control in controls.items():
            yield from ((page, name, option) for option in options(control))


def kind_of_control(case):
    """Of the spans, which are all alike, only one with numbers and one with names is always asked."""
    page, name, _ = case
    axis = {span: axis for axis, span in SPANS.items()}.get(name)
    return (page, name) if axis is None else is_numeric(axis)


def options(control):
    if isinstance(control, Choice):
        return list(control.options)
    if isinstance(control, Several):
        return [*((option,) for option in control.options), tuple(control.options), tuple(control.options)[:2]]
    if isinstance(control, Span):
        low, *_, high = control.marks
        return [(low, low), (high, high), (low, control.marks[1]), (low, high)]
    return [int(mark) for mark in control.marks or (control.low, control.default, control.high)]


def beside(page, name, option):
    """What else the link says: an axis must be there for its values to be chosen, and be another one than the other."""
    if name in SPANS.values():
        axis = next(axis for axis, span in SPANS.items() if span == name)
        slides = {"task": "signal XOR"} if option == ("convolution",) else {}  # alone it needs something to slide along
        return axes(axis, "width" if axis != "width" else "gain") | slides
    if name in ("x", "y"):
        axis = AXIS_NAMES[option]
        pair = axes(axis, "width" if axis != "width" else "gain")
        return pair if name == "x" else pair | {"x": pair["y"], "y": pair["x"]}
    if name == "deepest" or name == "train":
        return {"remedy": "none", "depth": 2}
    return NAMED_AXES if page == "Sweep" else {}


def axes(across, up):
    names = {setting: label for label, setting in AXIS_NAMES.items()}
    return {"x": names[across], "y": names[up], SPANS["width"]: [2, 4], SPANS["gain"]: [0.5, 1.0]}


@pytest.mark.parametrize(("page", "name", "option"), first_of_each(page_choices(), kind_of_control), ids=str)
def test_every_option_of_every_page_control_runs(page, name, option):
    app = open_page(page, beside(page, name, option) | {name: option})
    check_page(app)
    shown = app.session_state[name]
    if name == "section" and option > 2:
        option = 1  # this map has two rows
    assert (tuple(shown) if isinstance(option, tuple) else shown) == option


@pytest.mark.parametrize("axis", first_of_each(AXES, is_numeric))
def test_every_axis_can_be_trained_along(axis):
    few = options(SPAN_CONTROLS[SPANS[axis]])[2] if is_numeric(axis) else tuple(AXES[axis])[:2]
    other = "skip" if axis != "skip" else "bias"
    app = open_page("Sweep", axes(axis, other) | {SPANS[axis]: few, "outcome": "final loss"})
    check_page(app)
    assert headline(app).startswith(f"{2 * len(AXES[other])} nets: ")


@pytest.mark.parametrize("outcome", [name for name, outcome in OUTCOMES.items() if not outcome.trained])
def test_at_the_start_nothing_is_trained(outcome, monkeypatch):
    from explorer.training.run import Training

    trained = []
    advance = Training.advance
    monkeypatch.setattr(
        Training, "advance", lambda self, seconds: trained.append(self.progress) or advance(self, seconds)
    )
    app = run(SMALL_PAGE | {"epochs": "100000", "runs": 64, "seed": 77}, page="Sweep")
    del trained[:]
    app.session_state["outcome"] = outcome
    app.run()
    assert not app.exception
    assert not trained


HOSTILE = {
    "Remedies": [
        {"combine": "banana"},
        {"combine": ["ReLU", "<script>alert(1)</script>"]},
        {"combine": ["x" * 10_000]},
        {"start": "nowhere"},
        {"start": ""},
        {"remedies_metric": "mood"},
        {"remedies_colour": ""},
        {"remedies_axis": "cubic"},
        {"remedies_range": "\x00"},
        {"remedies_at": "3"},
    ],
    "Depth": [
        {"remedy": "prayer"},
        {"remedy": ""},
        {"deepest": "1"},
        {"deepest": "51"},
        {"deepest": "nan"},
        {"deepest": "1" + "0" * 400},
        {"deepest": ""},
        {"gradient": "dL/dx"},
        {"train": "maybe"},
    ],
    "Sweep": [
        {"x": "seed"},
        {"x": "<script>alert(1)</script>"},
        {"y": ""},
        {"outcome": "__class__"},
        {"cells": "33"},
        {"cells": "4.5"},
        {"cells": "1e308"},
        {"section": "0"},
        {"section": "51"},
        {"span_depth": ["1", "51"], "x": "depth"},
        {"span_depth": "3", "x": "depth"},
        {"span_depth": ["1", "2", "3"], "x": "depth"},
        {"span_depth": ["", ""], "x": "depth"},
        {"span_learning_rate": ["nan", "inf"], "x": "learning rate"},
        {"span_learning_rate": ["0.1", "0.123"], "x": "learning rate"},
        {"span_activation": ["sigmoid", "banana"]},
        {"span_activation": ["a" * 10_000]},
        {"span_task": ["own data"], "x": "task"},
        {"span_seed": ["1", "2"]},
    ],
}
hostile = [(page, query) for page, queries in HOSTILE.items() for query in queries]


@pytest.mark.parametrize(("page", "query"), few(hostile, hostile[::13]), ids=lambda part: str(part)[:60])
def test_hostile_values_of_page_controls_are_named_and_the_page_works(page, query):
    app = open_page(page, NAMED_AXES | query)
    assert len(app.warning) == 1
    assert next(iter(query)) in warned(app)
    assert len(warned(app)) < 500
    assert joint_figure(app)
    name = next(iter(query))
    if name in PAGE_CONTROLS:
        app.run()  # and what it fell back to holds
        default = PAGE_CONTROLS[name].default
        assert app.session_state[name] == (list(default) if isinstance(PAGE_CONTROLS[name], Several) else default)


@each_page
def test_own_data_is_waited_for_and_used_on_every_page(page):
    app = run({"task": OWN} | SMALL_PAGE, page=page)
    assert any("CSV" in info.value for info in app.info)
    assert joint_figure(app) is None
    app = open_page(page, {"task": OWN, "outcome": "share solved"} | NAMED_AXES, {"_own_data": OWN_DATA})
    check_page(app)


def started(*_):
    raise RuntimeError("work was started")


@pytest.mark.parametrize(("page", "train"), [("Remedies", "on"), ("Depth", "on"), ("Depth", "off"), ("Sweep", "on")])
def test_too_much_work_is_refused_on_every_page_and_nothing_is_started(page, train, monkeypatch):
    monkeypatch.setattr("explorer.training.run.Training.advance", started)
    monkeypatch.setattr("explorer.sweeps.by_depth.gradients_by_depth", started)
    query = HEAVY | {"baseline": UNPINNED, "outcome": "share solved", "deepest": 50, "train": train, "cells": 6}
    app = run(query, page=page)
    assert any("not started" in warning.value for warning in app.warning)
    assert not app.error


def test_a_sweep_that_is_too_long_as_a_whole_says_what_to_lower():
    query = {"x": "learning rate", "y": "gain", "outcome": "share solved", "cells": 32, "baseline": UNPINNED}
    app = run(query | {"task": "moons", "samples": 1024, "width": 32, "epochs": 2000, "depth": 20}, page="Sweep")
    assert "not started" in warned(app)
    assert "set epochs to" in warned(app)


def test_one_setting_on_both_axes_is_said():
    app = open_page("Sweep", {"x": "depth", "y": "depth"})
    assert "two different settings" in warned(app)
    assert joint_figure(app) is None


@pytest.mark.parametrize("name", ["span_activation", "span_initializer"])
def test_no_option_on_an_axis_is_said(name):
    app = open_page("Sweep", NAMED_AXES | {name: ""})
    assert "at least one" in warned(app)
    assert joint_figure(app) is None


def test_cells_that_are_no_experiment_say_why():
    query = axes("task", "loss") | {"span_task": ["XOR", "curve"], "span_loss": ["half squared error", "cross-entropy"]}
    app = open_page("Sweep", query | {"outcome": "final loss"})
    assert headline(app).startswith("4 nets: ")
    assert headline(app).endswith("; 1 has no result")
    assert not app.error
    figure = joint_figure(app)
    assert "cross-entropy" in json.dumps(figure)


def test_no_possible_experiment_at_all_says_why():
    query = {"task": "curve"} | axes("loss", "bias") | {"span_loss": ["cross-entropy"]}
    app = open_page("Sweep", query)
    assert not app.error
    assert "cross-entropy" in warned(app)
    assert headline(app) == f"None of the {len(AXES['bias'])} nets has a result"


def test_a_comparison_without_a_baseline_starts_from_the_present_setting():
    app = open_page("Remedies", {"start": "baseline"})
    check_page(app)
    assert "3 hidden layers" in json.dumps(joint_figure(app), ensure_ascii=False)


def test_a_comparison_starts_from_the_pinned_baseline():
    text = encode(Experiment(depth=2, width=3, epochs=10, runs=2))
    app = open_page("Remedies", {"start": "baseline", "baseline": text})
    check_page(app)
    assert "2 hidden layers of 3" in json.dumps(joint_figure(app), ensure_ascii=False)


def test_two_that_are_ticked_are_one_more_panel():
    one, two = (open_page("Remedies", {"combine": names}) for names in (["ReLU"], ["ReLU", "batch norm"]))
    counts = [sum(each.value.startswith("**") for each in app.main.markdown) for app in (one, two)]
    assert counts[1] == counts[0] + 1 == len(REMEDIES) + 1
    assert any(each.value.startswith("**ReLU + batch norm.**") for each in two.main.markdown)


# Some of its nets learn.
RANKED = Experiment(epochs=800, depth=3, runs=4, learning_rate=1.0, seed=5)


def check_rows(rows, start, names):
    """Every row of the remedies' table is what a training of its own gives; these are combined."""
    both = start
    for name, remedy in REMEDIES.items():
        both = remedy.change(both) if name in names else both
    tried = {"nothing changed": start, **{name: remedy.change(start) for name, remedy in REMEDIES.items()}}
    tried[" + ".join(names)] = both
    found = [facts(train(each)) for each in tried.values()]
    assert [row["Remedy"] for row in rows] == [list(tried)[index] for index in rank(found)]
    for index, row in zip(rank(found), rows, strict=True):
        f = found[index]
        assert row["Seeds that learn"] == f"{f.solved} of {f.runs}"
        assert row["Final loss"] == number(f.loss_end)
        assert row["First / last layer, start"] == decades(f.log_ratio)
        assert row["First / last layer, end"] == decades(f.log_ratio_end)
        solve = f"{f.solve_epoch:,.0f} (" if f.solved * 2 > f.runs else "never"
        assert row["Epochs to solve"].startswith(solve)
        assert re.fullmatch(r"\d+\.\d ×", row["Time of an epoch"])
    assert any(f.solved for f in found)


def test_every_row_of_the_remedies_table_is_what_a_training_of_its_own_gives():
    names = ["ReLU", "skip over one layer"]
    app = run(RANKED.settings(changed_only=True) | {"baseline": UNPINNED, "combine": names}, page="Remedies")
    rows = app.table[0].value.to_dict("records")
    check_rows([row | {"Remedy": row["Remedy"].strip("*")} for row in rows], RANKED, names)


@pytest.mark.parametrize("number", first_of_each(range(len(REMEDIES))))
def test_open_in_explore_sets_the_controls_and_the_baseline(number):
    app = open_page("Remedies")
    name, remedy = list(REMEDIES.items())[number]
    experiment = Experiment(epochs=10, depth=3, width=4, runs=2)
    app.button(key=f"open_{name}").click().run()
    assert not app.exception
    wanted = remedy.change(experiment)
    for key, value in wanted.settings().items():
        assert app.session_state[key] == value
    assert app.session_state["baseline"] == encode(experiment)


def test_stop_keeps_what_was_found_and_resume_goes_on(monkeypatch):
    """The page's loop is ended by a person's click; here by an error that only this test knows."""
    from explorer.ui import sweep_jobs

    query = SMALL_PAGE | axes("depth", "learning_rate") | {"outcome": "share solved", "cells": 4, "seed": 11}
    app = opened("sweep", query)
    with monkeypatch.context() as patch:
        patch.setattr(sweep_jobs, "FIRST_SLICE", 0.001)
        patch.setattr("pages.sweep_page.work_on", lambda *_: None)
        app.run()
        assert app.button(key="sweep_stop").label == "Stop"
        app.button(key="sweep_stop").click().run()
        assert app.button(key="sweep_stop").label == "Resume"
    app.run()
    assert app.button(key="sweep_stop").label == "Resume"
    app.button(key="sweep_stop").click().run()
    assert not app.exception
    total, *told = [int(count) for count in re.findall(r"\d+", headline(app))]
    assert (total, sum(told)) == (16, 16)
    assert "sweep_stop" not in {button.key for button in app.button}


def test_a_tab_that_is_closed_costs_nothing_and_is_there_when_it_is_opened():
    app = run(SMALL)
    assert not app.get("table")
    app.session_state["details"] = "Layers"
    assert len(app.run().get("table")) == 1
    assert not any("Heatmap" in text.value for text in app.markdown)
    app.session_state["details"] = "How to read this"
    assert any("Heatmap" in text.value for text in app.run().markdown)
    assert not app.get("table")


def test_the_lens_follows_to_a_smaller_net_and_is_gone_when_it_is_closed():
    app = run(SMALL | {"depth": "4", "lens_layer": "4", "lens_seed": "2"})
    assert (app.select_slider(key="lens_layer").value, app.select_slider(key="lens_seed").value) == (4, 2)
    app.slider(key="depth").set_value(2).run()
    assert not app.exception
    assert app.select_slider(key="lens_layer").value == 2
    app.slider(key="depth").set_value(1).run()
    assert not app.exception
    assert "lens_layer" not in {slider.key for slider in app.select_slider}, "there is but one"
    app.session_state["details"] = "Why"
    assert "lens_seed" not in {slider.key for slider in app.run().select_slider}


def test_remedies_that_were_tried_take_the_place_of_the_rule_until_the_net_changes():
    app = opened("explore", SMALL | {"baseline": "none", "depth": "10", "epochs": "1000"}).run()
    assert any(BY_RULE in text.value for text in app.markdown)
    app.button(key="try_remedies_here").click().run()
    assert not app.exception
    tried = next(text.value for text in app.markdown if "Tried " in text.value)
    assert BY_RULE not in tried and "remedies with 2 seeds each" in tried
    assert "try_remedies_here" not in {button.key for button in app.button}
    app.selectbox(key="activation").set_value("tanh").run()
    assert not any("Tried " in text.value for text in app.markdown)


def test_where_it_is_cheap_remedies_are_tried_unasked_and_every_visitor_is_told(monkeypatch):
    turns = []
    monkeypatch.setenv(ahead.VARIABLE, "")
    monkeypatch.setattr(compare_with, "begins", lambda run, milliseconds: turns.append(run))
    settings = SMALL | {"depth": "10", "epochs": "1010"}
    first, later = opened("explore", settings).run(), opened("explore", settings)
    assert any(BY_RULE in text.value for text in first.markdown) and len(turns) == 1
    assert "try_remedies_here" not in {button.key for button in first.button}, "it is tried in any case"
    experiment = Experiment(depth=10, epochs=1010, width=4, runs=2)
    while list(compare_with.tried_ahead(experiment)):
        pass
    for visitor in (first.run(), later.run()):
        told = next(text.value for text in visitor.markdown if "Tried " in text.value)
        assert BY_RULE not in told and "remedies with 2 seeds each" in told
    presented = opened("explore", settings | {MODE_KEY: PRESENTER}).run()
    assert not any("Tried " in text.value for text in presented.markdown), "a lecturer may want to ask"
    assert "try_remedies_here" in {button.key for button in presented.button}
    assert not opened("explore", settings | {"depth": "2", "activation": "tanh", "learning_rate": "1"}).run().exception
    assert len(turns) == 1, "nothing is left to try, or wrong"
