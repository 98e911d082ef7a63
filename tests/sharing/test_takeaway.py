"""What is taken away: files that open again, and lines of Python that, run in a fresh interpreter, give what the page shows."""

import csv
import io
import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.choices.comparisons import COMPARISONS
from explorer.choices.controls import Choice
from explorer.choices.datasets import OWN, Data
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.effects import effect, rank
from explorer.diagnosis.facts import facts
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.seeds import log_band
from explorer.diagnosis.trials import Results, trials
from explorer.diagnosis.walk import walk
from explorer.figures.view import TimeView
from explorer.sharing.notebook import (
    compared_lines,
    depth_lines,
    explore_lines,
    remedies_lines,
    sweep_lines,
    walk_lines,
)
from explorer.sharing.offline_page import Sheet, page_html
from explorer.sharing.saved import (
    MAX_CHARACTERS,
    experiment_json,
    filename,
    histories_csv,
    history_csv,
    read_experiment_json,
    table_csv,
)
from explorer.stories.scenarios import SCENARIOS, scenarios_of
from explorer.stories.tour import SCENES, TOUR
from explorer.sweeps.by_depth import DepthSeries
from explorer.sweeps.outcomes import OUTCOMES
from explorer.sweeps.sweep import Sweep
from explorer.sweeps.sweep_run import run_sweep
from explorer.training.kinds import TIME_STEPS
from explorer.training.measures import offered
from explorer.ui.link import encode
from tests.ui.test_app import opened, sent

LAYERED = scenarios_of(Experiment)

ROOT = Path(__file__).resolve().parents[2]
SMALL = Experiment(depth=3, width=4, runs=2, epochs=20)
OTHER = Experiment(
    task="moons", samples=32, depth=4, width=3, activation="tanh", gain=1.4142, runs=3, epochs=30, seed=5
)
OWN_DATA = Data(
    x=np.random.default_rng(0).normal(size=(20, 2)),
    y=np.arange(20) % 2.0,
    class_names=("no", "yes"),
)
RECURRENT = RecurrentExperiment(length=6, hidden=3, samples=8, runs=2, epochs=4)
QUERY = {"depth": "3", "runs": "2", "epochs": "20", "baseline": "none", "deepest": "3", "cells": "2"}
QUERY |= {"x": "depth", "y": "gain", "outcome": "share solved"}


# --- a saved experiment -------------------------------------------------------------------------


@pytest.mark.parametrize("baseline", [None, SMALL])
@pytest.mark.parametrize("name", LAYERED)
def test_what_was_saved_opens_again(name, baseline):
    experiment = SCENARIOS[name].experiment
    saved = read_experiment_json(experiment_json(experiment, baseline).encode())
    assert (saved.experiment, saved.baseline, saved.pins) == (experiment, baseline, True)


def test_a_file_without_a_baseline_says_nothing_of_one():
    document = json.loads(experiment_json(SMALL))
    del document["baseline"]
    assert not read_experiment_json(json.dumps(document).encode()).pins


@pytest.mark.parametrize("baseline", [None, RECURRENT])
@pytest.mark.parametrize("name", scenarios_of(RecurrentExperiment))
def test_a_recurrent_experiment_that_was_saved_opens_again(name, baseline):
    experiment = SCENARIOS[name].experiment
    text = experiment_json(experiment, baseline)
    assert json.loads(text)["kind"] == "recurrent"
    saved = read_experiment_json(text.encode())
    assert (saved.experiment, saved.baseline, saved.pins) == (experiment, baseline, True)


@pytest.mark.parametrize("name", RecurrentExperiment.controls())
def test_every_recurrent_setting_comes_back_from_its_file(name):
    control = RecurrentExperiment.controls()[name]
    values = control.options if isinstance(control, Choice) else (control.low, control.high)
    for value in values:
        experiment = RECURRENT.but(**{name: value})
        assert read_experiment_json(experiment_json(experiment).encode()).experiment == experiment


def test_a_file_without_a_kind_is_of_layers():
    document = json.loads(experiment_json(SMALL))
    assert document.pop("kind") == "layers"
    assert read_experiment_json(json.dumps(document).encode()).experiment == SMALL


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "cake"}, "“kind” is 'cake'; choose one of: layers, recurrent"),
        ({"kind": ["layers"]}, "choose one of"),
        ({"kind": None}, "choose one of"),
        ({"settings": {"depth": 3}}, "no setting called 'depth'.*forget_bias"),
        ({"baseline": {"width": 3}}, "no setting called 'width'"),
        ({"kind": "layers"}, "no setting called 'length'"),
        ({"settings": {"length": 1}}, "length must be"),
        ({"settings": {"task": OWN}}, "choose one of"),
        ({"settings": {"task": "sine", "loss": "cross-entropy"}}, "regression"),
    ],
)
def test_what_is_no_good_in_a_recurrent_file_is_named(changes, said):
    content = json.dumps(json.loads(experiment_json(RECURRENT)) | changes).encode()
    with pytest.raises(ValueError, match=said):
        read_experiment_json(content)


def altered(**changes):
    return json.dumps(json.loads(experiment_json(SMALL)) | changes).encode()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 5000, "not JSON"),
        (b"1" * 5000, "not JSON"),
        (b"[]", "format"),
        (altered(format="cake"), "format"),
        (altered(version=2), "version"),
        (altered(settings=None), "settings"),
        (altered(settings={"colour": 1}), "no setting called 'colour'"),
        (altered(settings={"depth": 99}), "depth"),
        (altered(settings={"depth": [3]}), "depth"),
        (altered(settings={"learning_rate": float("nan")}), "learning_rate"),
        (altered(settings={"task": "curve", "loss": "cross-entropy"}), "regression"),
        (altered(settings={"task": OWN}), "load the CSV first"),
        (altered(baseline=7), "baseline"),
        (altered(baseline={"width": 1}), "width"),
        (b" " * (MAX_CHARACTERS + 1), "at most"),
    ],
)
def test_what_is_no_good_is_named(content, said):
    with pytest.raises(ValueError, match=said):
        read_experiment_json(content)


def test_own_data_take_their_place():
    saved = read_experiment_json(altered(settings={"task": OWN}), OWN_DATA)
    assert saved.experiment.data is OWN_DATA


def open_link(page="Explore", **query):
    app = opened(page.lower(), query).run()
    assert not app.exception, app.exception[0].value
    return app


@pytest.mark.parametrize("baseline", [None, SMALL])
def test_an_experiment_in_the_address_sets_every_control_and_is_read_once(monkeypatch, baseline):
    monkeypatch.chdir(ROOT)
    app = open_link(experiment=experiment_json(OTHER, baseline), depth="9", runs="1")
    assert {name: app.session_state[name] for name in OTHER.settings()} == OTHER.settings()
    assert app.session_state["baseline"] == ("none" if baseline is None else encode(baseline))
    assert "experiment" not in app.query_params
    assert not app.warning
    app.slider(key="depth").set_value(6).run()
    assert app.session_state["depth"] == 6


@pytest.mark.parametrize("text", ["{", "A" * 30_000, altered(settings={"depth": 99}).decode(), "\x00\u202e", ""])
def test_an_experiment_in_the_address_that_is_no_good_is_said_and_taken_out(monkeypatch, text):
    monkeypatch.chdir(ROOT)
    app = open_link(experiment=text, depth="3", epochs="10")
    assert "experiment in the link cannot be opened" in app.warning[0].value
    assert len(app.warning[0].value) < 500
    assert "experiment" not in app.query_params
    assert app.session_state["depth"] == 3


# --- names and tables ---------------------------------------------------------------------------


def test_names_tell_what_is_in_a_file_and_suit_every_disk():
    assert filename(Experiment()) == "gradients_opening-example"
    assert filename(OTHER).startswith("gradients_task-moons_samples-32_depth-4")
    assert filename(RecurrentExperiment()) == "through-time_opening-example"
    assert filename(RECURRENT.but(cell="LSTM", forget_bias=1.5)).startswith(
        "through-time_length-6_samples-8_cell-LSTM_hidden-3_forget_bias-1p5"
    )
    for scenario in SCENARIOS.values():
        assert not set(filename(scenario.experiment)) & set('<>:"/\\|?* .')


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_historys_csv_holds_every_number():
    history = train(SMALL)
    rows = read(history_csv(history))
    assert len(rows) == len(history.loss) * len(history.epochs) * SMALL.layers
    back = np.array([float(row["delta"]) for row in rows]).reshape(history.measures["delta"].shape)
    np.testing.assert_array_equal(back, history.measures["delta"])


def test_the_rankings_csv_holds_facts_and_settings():
    tried = [each for each in trials(SMALL, ()) if each.name in ("nothing changed", "skip over one layer")]
    results = Results.of(tried, [train(each.experiment) for each in tried])
    rows = read(table_csv(results.rows()))
    assert [row["experiment"] for row in rows] == [results.names[index] for index in results.order]
    told = [float(row["log10 first / last layer, start"]) for row in rows]
    assert told == [results.facts[index].log_ratio for index in results.order]
    assert {row["experiment"]: row["setting: skip"] for row in rows}["skip over one layer"] == "one layer"


def test_the_depths_csv_has_a_line_for_every_layer():
    series = DepthSeries("a", SMALL, 2)
    rows = read(table_csv(series.rows("delta", "dL/dz, RMS")))
    assert [(row["depth"], row["layer"]) for row in rows] == [
        ("1", "1"),
        ("1", "2"),
        ("2", "1"),
        ("2", "2"),
        ("2", "3"),
    ]
    assert [float(row["log10 dL/dz, RMS, start"]) for row in rows[:2]] == series.start.medians["delta"][0, :2].tolist()
    assert {row["log10 dL/dz, RMS, after training"] for row in rows} == {"nan"}
    assert rows[0]["seeds that learn"] == ""


# --- the offline page ---------------------------------------------------------------------------


def test_the_page_needs_no_network_and_shows_texts_as_texts():
    from explorer.diagnosis.decomposition import decompose
    from explorer.figures.explore import why_figure

    figure = why_figure(decompose(train(SMALL), 0))
    evil = "<script>alert(1)</script>"
    sheet = Sheet(
        title=evil, sentences=[evil], settings=[evil], link=f'http://x/?a="{evil}', lines=evil, table=[{evil: evil}]
    )
    text = page_html(sheet, {evil: (figure, evil), "again": (figure, "")}, {})
    assert evil not in text
    assert text.count("plotly.js v") == 1
    outside = text[: text.index("plotly.js v")]
    assert "src=" not in outside
    assert "<link" not in outside


# --- lines of Python ----------------------------------------------------------------------------


# Each has names of its own, as if it were run alone.
RUN_EACH = """
import json, sys
results = []
for lines, print_out in json.load(sys.stdin):
    names = {"__name__": "__main__"}
    exec(lines, names)
    results.append(eval(print_out, names))
print("RESULT", json.dumps(results))
"""


def run_each(*cases):
    """Run lines in a fresh interpreter, which costs more than they do, and read what expressions on their names give."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_EACH],
        input=json.dumps(cases),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rsplit("RESULT", 1)[1])


def run_lines(lines, print_out):
    """Run lines in a fresh interpreter and read what an expression on their names gives."""
    return run_each((lines, print_out))[0]


def lines_of(app):
    """The lines that Share offers on the page."""
    (lines,) = sent(app, "lines")
    return lines


def test_explores_lines_give_what_the_page_shows(monkeypatch, in_numpy):
    monkeypatch.chdir(ROOT)
    app = open_link(**QUERY | {"baseline": encode(OTHER)})
    ratio, outcome, before = run_lines(
        lines_of(app),
        "[history.measures['delta'][:, 0].tolist(), history.outcome, baseline.measures['delta'][:, -1].tolist()]",
    )
    history = train(SMALL)
    np.testing.assert_array_equal(ratio, history.measures["delta"][:, 0])
    np.testing.assert_array_equal(before, train(OTHER).measures["delta"][:, -1])
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Seeds that learn it"] == f"{outcome.count('solved')} of 2"


def test_walks_lines_give_the_product_of_its_factors(in_numpy):
    found = walk(SMALL, seed=SMALL.seed + 1, sample=2, epoch=3)
    shown = run_lines(walk_lines(found, 3, step=7), "[found.product, found.ratio]")
    assert shown == pytest.approx([found.product, found.ratio], rel=1e-12)


def test_the_remedies_lines_give_the_pages_ranking_and_sentences(monkeypatch):
    monkeypatch.chdir(ROOT)
    app = open_link("Remedies", **QUERY)
    sentences = run_lines(lines_of(app), "{name: each.sentence for name, each in effects.items()}")
    shown = [each.value for each in app.main.markdown if each.value.startswith("**")]
    assert shown == [f"**{name[0].upper()}{name[1:]}.** {sentence}" for name, sentence in sentences.items()]


def test_combined_remedies_are_in_the_lines():
    names = ("ReLU", "batch norm")
    words = run_lines(remedies_lines(SMALL, names), "{name: each.word for name, each in effects.items()}")
    after = SMALL.but(activation="ReLU", normalization="batch")
    before = facts(train(SMALL))
    assert words["ReLU + batch norm"] == effect(names, before, facts(train(after))).word
    found = {name: facts(train(each.change(SMALL))) for name, each in REMEDIES.items()}
    found["ReLU + batch norm"] = facts(train(after))
    assert list(words) == [list(found)[place] for place in rank(list(found.values()))]


@pytest.mark.parametrize("gradient", ["dL/dz", "dL/dW"])
def test_the_depth_lines_give_the_pages_triangles_and_shares(monkeypatch, gradient):
    monkeypatch.chdir(ROOT)
    app = open_link("Depth", **QUERY | {"gradient": gradient})
    start, learn = run_lines(lines_of(app), "[{name: each.tolist() for name, each in start.items()}, learn]")
    assert list(start) == ["as it is", "skip over one layer"]
    for name, experiment in (("as it is", SMALL), ("skip over one layer", SMALL.but(skip="one layer"))):
        for depth in (1, 2, 3):
            history = train(experiment.but(depth=depth))
            measured = history.measures["delta" if gradient == "dL/dz" else "weight_gradient"][:, 0]
            np.testing.assert_allclose(start[name][depth - 1][: depth + 1], log_band(measured).middle, rtol=1e-12)
            assert learn[name][depth - 1] == history.outcome.count("solved")


def test_without_training_the_depth_lines_train_nothing():
    lines = depth_lines({"a": Sweep(SMALL, "depth", (1, 2), "width", (4,), trained=True)}, "delta", trained=False)
    assert "run_sweep" not in lines
    assert len(run_lines(lines, "start['a'].tolist()")) == 2


def test_the_sweep_lines_give_the_pages_cells(monkeypatch):
    monkeypatch.chdir(ROOT)
    app = open_link("Sweep", **QUERY)
    values, found = run_lines(lines_of(app), "[{f'{c} {r}': v for (c, r), v in values.items()}, [sweep.xs, sweep.ys]]")
    depths, gains = found
    assert len(values) == len(depths) * len(gains) == 4
    for column, depth in enumerate(depths):
        for row, gain in enumerate(gains):
            history = train(SMALL.but(depth=depth, gain=gain))
            assert values[f"{column} {row}"] == history.outcome.count("solved") / 2


def test_every_outcomes_lines_run(in_numpy):
    sweeps = {
        outcome: Sweep(SMALL, "activation", ("sigmoid", "ReLU"), "learning_rate", (0.1,), trained=outcome.trained)
        for outcome in OUTCOMES.values()
    }
    values_of_each = run_each(
        *(
            (sweep_lines(sweep, outcome), "[[*cell, repr(v)] for cell, v in values.items()]")
            for outcome, sweep in sweeps.items()
        )
    )
    for (outcome, sweep), values in zip(sweeps.items(), values_of_each, strict=True):
        expected = {cell: repr(outcome.of(found)) for cell, found in run_sweep(sweep).items()}
        assert {(c, r): v for c, r, v in values} == expected, outcome.name


def test_lines_about_own_data_say_where_they_come_from():
    lines = explore_lines(SMALL.but(task=OWN, data=OWN_DATA))
    assert "read_csv(open('my.csv', 'rb').read())" in lines
    compile(lines, "lines", "exec")


# --- a whole sweep at once ----------------------------------------------------------------------


def test_a_sweep_runs_to_its_end_and_leaves_out_what_cannot_be():
    sweep = Sweep(SMALL, "task", ("XOR", "curve"), "loss", ("usual", "cross-entropy"), trained=False)
    assert sorted(run_sweep(sweep)) == [(0, 0), (0, 1), (1, 0)]


@pytest.mark.parametrize("scene", [SCENES[0], TOUR["All together"]], ids=str)
def test_a_scenes_lines_give_its_numbers(scene, in_numpy):
    named = {title: each.but(epochs=20) for title, each in scene.shown}
    shown = run_lines(compared_lines(named, scene.view), "{name: values.tolist() for name, values in shown.items()}")
    assert list(shown) == list(named)
    for title, experiment in named.items():
        np.testing.assert_array_equal(shown[title], train(experiment).measures["delta"])


def test_several_histories_are_one_table_that_says_whose_line_is_whose():
    named = {"one": train(SMALL), "other": train(OTHER)}
    rows = list(csv.DictReader(io.StringIO(histories_csv(named))))
    assert len(rows) == sum(len(history.rows()) for history in named.values())
    assert [row["experiment"] for row in (rows[0], rows[-1])] == ["one", "other"]
    assert float(rows[0]["loss"]) == named["one"].loss[0, 0]


# --- recurrent nets -----------------------------------------------------------------------------


def test_recurrent_histories_are_one_table_by_time_step():
    named = {"RNN": train(RECURRENT), "LSTM": train(RECURRENT.but(cell="LSTM"))}
    rows = read(histories_csv(named))
    history = named["RNN"]
    mine = [row for row in rows if row["experiment"] == "RNN"]
    assert len(mine) == RECURRENT.runs * len(history.epochs) * RECURRENT.length
    back = np.array([float(row["state_gradient"]) for row in mine]).reshape(history.measures["state_gradient"].shape)
    np.testing.assert_array_equal(back, history.measures["state_gradient"])
    assert [row["step"] for row in mine[: RECURRENT.length]] == ["1", "2", "3", "4", "5", "6"]
    assert all(math.isnan(float(row["forget_gate"])) for row in mine)


def test_the_time_lines_give_what_stands_side_by_side(in_numpy):
    compared = {name: each.of(RECURRENT.but(cell="GRU"), RECURRENT) for name, each in COMPARISONS.items()}
    print_out = "[{name: each.tolist() for name, each in shown.items()}, [h.outcome.count('solved') for h in histories.values()]]"
    lines = [compared_lines(named, TimeView(metric="dL/dz", compare=name)) for name, named in compared.items()]
    for named, (values, learn) in zip(compared.values(), run_each(*((each, print_out) for each in lines)), strict=True):
        assert list(values) == list(named)
        histories = [train(each) for each in named.values()]
        for found, history in zip(values.values(), histories, strict=True):
            np.testing.assert_array_equal(found, history.measures["delta"])
        assert learn == [history.outcome.count("solved") for history in histories]


@pytest.mark.parametrize("metric", offered(TIME_STEPS.measures))
def test_the_time_lines_are_python_whatever_is_shown(metric):
    lines = compared_lines({"a": RECURRENT, "it's": RECURRENT.but(cell="LSTM")}, TimeView(metric=metric))
    compile(lines, "lines", "exec")
    assert offered(TIME_STEPS.measures)[metric] in lines
