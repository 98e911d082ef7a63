"""The link: what it says comes back, what is wrong in it is said in words, and a stranger's text stays harmless."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from explorer.choices.controls import Choice, Number
from explorer.choices.datasets import OWN, Data
from explorer.choices.experiment import CONTROLS, Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.stories.scenarios import OPENING, SCENARIOS, scenarios_of
from explorer.training.kinds import TIME_STEPS
from explorer.ui import link
from explorer.ui.page import controls_by_key
from explorer.ui.plain_text import verbatim
from pages import PAGES

ALL_CONTROLS = controls_by_key(PAGES)

LAYERED = scenarios_of(Experiment)
RECURRENT = scenarios_of(RecurrentExperiment)

OWN_DATA = Data(x=np.array([[0.0, 1.0], [1.0, 0.0]]), y=np.array([0.0, 1.0]), class_names=("n", "y"))


def values(controls):
    """Any value of every setting; a person's own data left out."""

    def of(control):
        if isinstance(control, Choice):
            return some.sampled_from([option for option in control.options if option != OWN])
        assert isinstance(control, Number)
        if control.whole:
            return some.integers(int(control.low), int(control.high))
        return some.floats(control.low, control.high)

    return some.fixed_dictionaries({name: of(control) for name, control in controls.items()})


def built(kind, chosen, plain):
    """An experiment of these settings; its task is the plain one where the loss needs classes and it has none."""
    e = kind(**(chosen | {"task": plain}))
    try:
        return e.but(task=chosen["task"])
    except ValueError:
        return e


def experiments():
    """Any experiment that can be made without a person's own data."""
    plain = {"dense": "XOR", "convolution": "signal XOR"}
    return values(CONTROLS).map(lambda chosen: built(Experiment, chosen, plain[chosen["layer"]]))


def recurrent_experiments():
    """Any recurrent experiment."""
    return values(RecurrentExperiment.controls()).map(lambda chosen: built(RecurrentExperiment, chosen, "copy"))


@pytest.mark.parametrize("name", LAYERED)
def test_every_scenarios_pair_comes_back_from_its_text(name):
    for e in (SCENARIOS[name].experiment, SCENARIOS[name].baseline):
        assert link.decode(link.encode(e), None) == e


@settings(max_examples=200, deadline=None)
@given(experiments())
def test_any_experiment_comes_back_from_its_text(e):
    assert link.decode(link.encode(e), None) == e


@settings(max_examples=100, deadline=None)
@given(some.text(max_size=200))
def test_any_text_is_a_baseline_or_a_sentence_never_an_error(text):
    experiment, problem = link.pinned(text, "XOR", None)
    assert experiment is None or isinstance(experiment, Experiment)
    assert problem is None or problem.startswith("The baseline in the link cannot be used")
    assert experiment is None or problem is None


def test_no_text_is_the_opening_example_and_none_is_no_baseline():
    assert link.decode("", None) == OPENING
    assert link.encode(OPENING) == ""
    assert link.decode(link.UNPINNED, None) is None


def test_the_opening_example_is_a_baseline_of_its_own_task_unless_somebody_pinned_it():
    other = Experiment(task="moons")
    assert link.pinned("", OPENING.task, None) == (OPENING, None)
    assert link.pinned("", other.task, None) == (None, None)
    assert link.pinned(link.encode(OPENING.but(depth=3)), other.task, None) == (OPENING.but(depth=3), None)


@settings(max_examples=200, deadline=None)
@given(recurrent_experiments())
def test_any_recurrent_experiment_comes_back_from_its_text(e):
    assert link.decode(link.encode(e), None, TIME_STEPS) == e


@pytest.mark.parametrize("name", RECURRENT)
def test_every_recurrent_scenario_comes_back_from_its_text(name):
    e = RECURRENT[name].experiment
    assert link.pinned(link.encode(e), "XOR", None, TIME_STEPS) == (e, None)


@settings(max_examples=100, deadline=None)
@given(some.text(max_size=200))
def test_any_text_is_a_recurrent_baseline_or_a_sentence_never_an_error(text):
    experiment, problem = link.pinned(text, "XOR", None, TIME_STEPS)
    assert experiment is None or isinstance(experiment, RecurrentExperiment)
    assert problem is None or problem.startswith("The baseline in the link cannot be used")


def test_of_recurrent_nets_no_text_is_no_baseline_and_the_opening_example_has_one():
    assert link.decode("", None, TIME_STEPS) is None
    assert link.decode(link.UNPINNED, None, TIME_STEPS) is None
    assert link.encode(RecurrentExperiment()) != ""


@pytest.mark.parametrize(("text", "said"), [("depth:3", "depth"), ("length:1", "length"), (f"task:{OWN}", "task")])
def test_a_recurrent_baseline_of_the_wrong_kind_is_named(text, said):
    experiment, problem = link.pinned(text, "XOR", OWN_DATA, TIME_STEPS)
    assert experiment is None
    assert said in problem


@pytest.mark.parametrize(
    ("kind", "controls"), [(Experiment, CONTROLS), (RecurrentExperiment, RecurrentExperiment.controls())]
)
def test_texts_fit_the_field_they_travel_in(kind, controls):
    longest = kind(
        **{
            name: max((o for o in control.options if o != OWN), key=len)
            if isinstance(control, Choice)
            else (0.0123456789 * control.high if not control.whole else int(control.high))
            for name, control in controls.items()
            if name not in ("task", "loss", "gain", "noise")
        },
        **({"task": "signal XOR"} if "layer" in controls else {}),
    )
    assert len(link.encode(longest)) <= 600


def test_somebody_elses_own_data_is_asked_for_not_invented():
    text = link.encode(Experiment(task=OWN, data=OWN_DATA))
    experiment, problem = link.pinned(text, "XOR", None)
    assert experiment is None
    assert "CSV" in problem
    experiment, problem = link.pinned(text, "XOR", OWN_DATA)
    assert problem is None
    assert experiment.task == OWN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("depth:99", "depth"),
        ("depth:nan", "depth"),
        ("depth:1e999", "depth"),
        ("nonsense", "nonsense"),
        ("a:b:c;;", "a"),
        ("__class__:1", verbatim("__class__")),
        ("task:curve;loss:cross-entropy", "loss"),
        ("x" * 10_000, "…"),
    ],
)
def test_a_bad_baseline_is_named(text, said):
    experiment, problem = link.pinned(text, "XOR", None)
    assert experiment is None
    assert said in problem
    assert len(problem) < 500


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("depth", "99", "from 1 to 50"),
        ("depth", "1" + "0" * 400, "depth"),
        ("seed", "4.5", "whole number"),
        ("gain", "nan", "gain"),
        ("activation", "<script>alert(1)</script>", "choose one of"),
        ("colour", "blue", "choose one of"),
        ("flavour", "1", "does not exist"),
        ("v", "99", "version"),
        ("task", "z" * 10_000, "task"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_in_a_short_sentence(name, text, said):
    sentence = link._complaint(name, [text], ALL_CONTROLS.get(name))
    assert said in sentence
    assert len(sentence) < 450


@pytest.mark.parametrize(
    ("name", "text"), [("depth", "3"), ("v", link.SCHEMA), ("embed", "true"), ("baseline", "?"), ("axis", "log")]
)
def test_what_is_right_is_not_complained_about(name, text):
    assert link._complaint(name, [text], ALL_CONTROLS.get(name)) is None


def test_a_strangers_text_cannot_format_a_page():
    shown = verbatim("a\nb\x00`code`\u202e")
    assert not set(shown) & set("\n\x00\u202e")
    assert "\\`code\\`" in shown


def test_complaints_are_shown_and_the_rest_of_the_link_is_used():
    app = AppTest.from_file("../../app.py", default_timeout=60)
    app.query_params["depth"] = "99"
    app.query_params["width"] = "3"
    app.query_params["epochs"] = "20"
    app.run()
    assert not app.exception
    assert any("depth" in w.value for w in app.warning)
    assert app.session_state["width"] == 3
    assert app.session_state["depth"] == 11


def test_a_setting_that_does_not_fit_the_task_of_a_link_is_complained_about():
    app = AppTest.from_file("../../app.py", default_timeout=60)
    app.query_params.update({"task": "moons", "layer": "convolution", "epochs": "20", "depth": "2"})
    app.run()
    assert ["layer" in w.value and "moons" in w.value for w in app.warning] == [True]
    assert "layer" not in app.query_params
    fits = AppTest.from_file("../../app.py", default_timeout=60)
    fits.query_params.update({"task": "signal XOR", "layer": "convolution", "epochs": "20", "depth": "2"})
    fits.run()
    assert not fits.warning
    fits.selectbox(key="task").set_value("moons").run()
    assert not fits.warning, "a person who leaves the signal has asked for nothing wrong"


# --- where others find the app ------------------------------------------------------------------


AT_HOME = "192.168.7.7"


@pytest.mark.parametrize(
    ("url", "known", "address", "for_others"),
    [
        ("http://localhost:8501/tour", {"listens": "localhost"}, "http://localhost:8501", False),
        ("http://127.0.0.1:8501/", {"listens": "127.0.0.1"}, "http://127.0.0.1:8501", False),
        ("http://[::1]:8501/tour", {"listens": "::1"}, "http://[::1]:8501", False),
        ("http://localhost:8501/tour", {"listens": "0.0.0.0"}, f"http://{AT_HOME}:8501", True),
        ("http://localhost:9000/a/tour", {"listens": "0.0.0.0", "port": 8600}, f"http://{AT_HOME}:8600/a", True),
        ("http://10.1.2.3:8501/tour", {"listens": "0.0.0.0"}, "http://10.1.2.3:8501", True),
        ("https://x.example.org/explorer/tour", {"listens": "localhost"}, "https://x.example.org/explorer", True),
        ("http://localhost:8501/tour", {"setting": "https://x.example.org/e/"}, "https://x.example.org/e", True),
        ("http://10.1.2.3:8501/tour", {"setting": "https://x.example.org"}, "https://x.example.org", True),
        ("http://0.0.0.0:8501/tour", {"listens": "0.0.0.0"}, f"http://{AT_HOME}:8501", True),
        ("http://[::]:8501/tour", {"listens": "localhost"}, "http://[::]:8501", False),
        ("http://127.0.1.1:8501/tour", {"listens": "localhost"}, "http://127.0.1.1:8501", False),
        ("http://localhost.:8501/tour", {"listens": "localhost"}, "http://localhost.:8501", False),
        ("", {"listens": "localhost"}, "http://localhost:8501", False),
    ],
)
def test_links_lead_others_to_the_app_or_say_that_they_cannot(monkeypatch, url, known, address, for_others):
    monkeypatch.setattr(link, "own_address", lambda: AT_HOME)
    root = link.root_of(url, **known)
    assert root == link.Root(address, for_others)
    if url:
        assert root.leads_to(url) == f"{address}/{url.rpartition('/')[2]}"


def test_a_computer_on_no_network_has_no_address_for_others(monkeypatch):
    monkeypatch.setattr(link, "own_address", lambda: "")
    assert not link.root_of("http://localhost:8501/", listens="0.0.0.0").for_others


@pytest.mark.parametrize(
    "setting", ["explorer.example.org", "ftp://a.b", "https://", "http://[", "javascript:alert(1)", "https://a/?b"]
)
def test_a_setting_that_is_no_address_is_named_and_ignored(caplog, setting):
    root = link.root_of("http://localhost:8501/", setting=setting, listens="localhost")
    assert root == link.Root("http://localhost:8501", False)
    assert link.ADDRESS in caplog.text and setting in caplog.text and "such as https://" in caplog.text
