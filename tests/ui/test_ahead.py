"""What opens is trained before anybody comes, and never in anybody's way; the first visitor never waits for the compiler."""

import subprocess
import threading
from itertools import pairwise, repeat

import pytest

from explorer.choices.experiment import Experiment
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.trials import trials
from explorer.stories.scenarios import SCENARIOS, scenarios_of
from explorer.stories.tour import SCENES
from explorer.training import compiled
from explorer.ui import ahead
from pages import PAGES, explore_page
from pages.depth_page import DepthView


class Clock:
    """A clock that only goes on while somebody sleeps or works."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.delenv(ahead.VARIABLE, raising=False)
    clock = Clock()
    monkeypatch.setattr(ahead, "time", clock)
    monkeypatch.setattr(ahead, "QUIET", ahead.Quiet())
    return clock


def steps(clock, seconds, *, visits=()):
    """Work in steps of so many seconds; notes when each began, and a visitor comes in some of them."""
    begun = []

    def work():
        for number, _ in enumerate(repeat(None)):
            begun.append(clock.now)
            clock.now += seconds
            if number in visits:
                ahead.QUIET.disturb()
            yield

    return begun, work()


def test_a_visitors_work_comes_first(clock):
    begun, work = steps(clock, 10.0, visits=(0, 3))
    ahead.train_ahead([work])
    pauses = [after - before - 10.0 for before, after in pairwise(begun)]
    assert [number for number, pause in enumerate(pauses) if pause >= ahead.IDLE_SECONDS] == [0, 3]
    assert sum(pauses) == pytest.approx(2 * ahead.IDLE_SECONDS)


def test_it_ends_however_slow_the_machine_is(clock):
    begun, work = steps(clock, 7.0)
    _, after = steps(clock, 7.0)
    ahead.train_ahead([iter(()), work, after])
    assert ahead.MOST_SECONDS <= clock.now - begun[0] < ahead.MOST_SECONDS + 7.0


def test_it_can_be_switched_off(clock, monkeypatch):
    monkeypatch.setenv(ahead.VARIABLE, ahead.OFF)
    begun, work = steps(clock, 1.0)
    ahead.train_ahead([work])
    assert not begun


def test_every_scenario_scene_and_opening_example_is_trained(monkeypatch):
    asked, swept, tried = set(), [], []

    class Complete:
        complete = True

        def advance(self, seconds):
            return self

        def together(self, experiments):
            asked.update(experiments)
            return [self]

        def get(self, sweep):
            swept.append(sweep)
            return self

    monkeypatch.setattr(ahead, "jobs", Complete)
    monkeypatch.setattr(ahead, "sweep_jobs", Complete)
    monkeypatch.setattr(explore_page, "tried_ahead", tried.append)
    for page in PAGES:
        for work in page.ahead():
            list(work or ())
    assert set(tried) == {scenario.experiment for scenario in scenarios_of(Experiment).values()}
    for scenario in SCENARIOS.values():
        shown = scenario.compared.values() if scenario.compare else (scenario.experiment, scenario.baseline)
        assert asked.issuperset(shown)
    for scene in SCENES:
        assert not scene.figure.trains or asked.issuperset(scene.experiments.values())
    assert asked.issuperset(trial.experiment for trial in trials(Experiment(), ()))
    opening = Experiment()
    assert [sweep.base for sweep in swept] == [opening, REMEDIES[DepthView().remedy].change(opening)]


# --- the kernels ---------------------------------------------------------------------------------


@pytest.fixture
def fresh(monkeypatch):
    """A server that has just started."""
    monkeypatch.setattr(ahead, "_started", threading.Event())


def test_the_kernels_are_compiled_elsewhere_while_the_server_goes_on(fresh, monkeypatch):
    made, loaded = threading.Event(), threading.Event()
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: made.wait(30))
    monkeypatch.setattr(compiled.KERNELS, "load", loaded.set)
    monkeypatch.setenv(compiled.VARIABLE, "")
    ahead.prepare()  # returns, though nothing is compiled
    assert not loaded.is_set()
    made.set()
    assert loaded.wait(30)


def test_switched_off_nothing_is_compiled(fresh, monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: pytest.fail("compiled"))
    monkeypatch.setattr(compiled.KERNELS, "load", ended.set)
    monkeypatch.setenv(compiled.VARIABLE, compiled.OFF)
    ahead.prepare()
    assert ended.wait(30)
