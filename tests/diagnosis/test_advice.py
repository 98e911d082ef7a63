"""The benchmark of advice: settings of the whole option space, the same ones for the same seed, and a score between 0 and 1."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.advice import ILL, Case, Shelf, draw, draw_over_time, measure, report, score
from explorer import Experiment, train
from explorer.choices.activations import ACTIVATIONS
from explorer.choices.cells import CELLS
from explorer.choices.initializers import INITIALIZERS
from explorer.choices.optimizers import OPTIMIZERS
from explorer.choices.sequences import TASKS
from explorer.training.compiled import KERNELS, OFF, VARIABLE

SMALL = Experiment(
    task="blobs", samples=16, depth=1, width=2, activation="tanh", initializer="Glorot normal", epochs=30
)


def drawn_twice(drawn, count, monkeypatch):
    """Settings of one seed with kernels and without."""
    KERNELS.load()
    first = [drawn(rng) for rng in [np.random.default_rng(5)] for _ in range(count)]
    monkeypatch.setenv(VARIABLE, OFF)
    return first, [drawn(rng) for rng in [np.random.default_rng(5)] for _ in range(count)]


def test_settings_are_those_of_the_seed_whatever_trains_them_and_from_the_whole_space(monkeypatch):
    drawn, again = drawn_twice(draw, 150, monkeypatch)
    assert drawn == again
    for name, table in (("activation", ACTIVATIONS), ("initializer", INITIALIZERS), ("optimizer", OPTIMIZERS)):
        assert {getattr(experiment, name) for experiment in drawn} == set(table)


def test_settings_over_time_are_drawn_in_the_same_way(monkeypatch):
    drawn, again = drawn_twice(draw_over_time, 60, monkeypatch)
    assert drawn == again
    for name, table in (("cell", CELLS), ("task", TASKS), ("optimizer", OPTIMIZERS)):
        assert {getattr(experiment, name) for experiment in drawn} == set(table)


def test_the_score_is_what_is_left_of_the_mean_answers_error():
    assert score(train(SMALL.but(initializer="zeros", learning_rate=1e-8))) == pytest.approx(1)
    history = train(SMALL.but(learning_rate=1))
    assert score(history) == pytest.approx(np.minimum(history.error[:, -1] / 0.25, 1).mean())
    wild = train(SMALL.but(task="curve", activation="leaky ReLU", depth=5, width=8, gain=10, learning_rate=10))
    assert set(wild.outcome) == {"diverged"} and score(wild) == 1


def test_an_ill_setting_is_trained_with_every_remedy_that_changes_it(tmp_path):
    ill = SMALL.but(learning_rate=1e-8, runs=2)
    shelf = Shelf(tmp_path)
    case = measure(ill, shelf, tries=False)
    assert case.ill and not case.by_trial and case.said == case.by_rule
    assert "Adam" in case.helpers and "larger batches" not in case.with_remedy
    assert measure(ill, shelf, tries=False).with_remedy == case.with_remedy
    well = measure(SMALL.but(learning_rate=1, runs=2), Shelf(None), tries=False)
    assert not well.ill and not well.with_remedy


def test_the_report_counts_what_is_advised_and_what_helps():
    def case(before, good, **after):
        told = SimpleNamespace(history=SimpleNamespace(experiment=SMALL), good=good, sentence="It.", advice_sentence="")
        return Case(told, before, after)

    cases = [case(1.0, False, a=0.5, b=0.9), case(1.0, True, a=0.9), case(1.0, False, a=0.2), case(ILL / 2, True)]
    told = report(cases, lambda case: ("a",) if case.with_remedy.get("b") or len(case.with_remedy) == 0 else ("b",))
    assert "4 settings, 3 ill, 2 of which some remedy helps" in told
    assert "precision   0.33 (1 of 3)" in told
    assert "recall      0.50 (1 of 2)" in told
    assert "called fine 0.33 (1 of 3)" in told
