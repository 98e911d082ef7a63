"""Pace: the time of an epoch is that of training; by a clock of its own, not the machine's."""

import math
import time

import pytest

from explorer import Experiment
from explorer.training.cost import Pace
from explorer.ui import jobs as module
from explorer.ui.jobs import Paces


def test_an_epoch_of_many_updates_takes_longer_than_an_epoch_of_one(monkeypatch, clock):
    monkeypatch.setattr(time, "thread_time", lambda: clock.now)  # training looks at the clock at every update
    experiment = Experiment(task="moons", epochs=2000, runs=1)
    full, single = Pace(experiment), Pace(experiment.but(batch="4"))
    assert full.epoch_seconds == math.inf  # nothing measured yet
    for _ in range(3):
        full.stretch(0.02)
        single.stretch(0.02)
    assert single.epoch_seconds / full.epoch_seconds == pytest.approx(32, rel=0.2)


def test_a_training_shorter_than_a_stretch_can_be_measured():
    pace = Pace(Experiment(depth=1, epochs=2))
    pace.stretch(0.005)
    pace.stretch(0.005)
    assert 0 < pace.epoch_seconds < math.inf


def test_ratios_are_against_the_first_and_kept(monkeypatch):
    measured = []

    class Stub(Pace):
        def stretch(self, seconds):
            measured.append(self.experiment)

        epoch_seconds = property(lambda self: self.experiment.depth / 1000)

    monkeypatch.setattr(module, "Pace", Stub)
    paces, small, large = Paces(), Experiment(depth=2), Experiment(depth=40)
    assert paces.ratios([small, large, small]) == [1, 20, 1]
    assert measured == [small, large] * module.ROUNDS  # in turn
    assert paces.ratios([large, small]) == [1, 1 / 20]
    assert len(measured) == 2 * module.ROUNDS
