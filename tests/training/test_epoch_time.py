"""The time of an epoch is that of training; by a clock of its own, not the machine's."""

import math
import time

import pytest

from explorer import Experiment
from explorer.training import epoch_time
from explorer.training.epoch_time import epoch_seconds


def test_an_epoch_of_many_updates_takes_longer_than_an_epoch_of_one(monkeypatch, clock, in_numpy):
    monkeypatch.setattr(time, "thread_time", lambda: clock.now)  # training looks at the clock at every update
    monkeypatch.setattr(epoch_time, "STRETCH", 0.02)
    experiment = Experiment(task="moons", epochs=2000, runs=1)
    full, single = epoch_seconds([experiment, experiment.but(batch="4")])
    assert single / full == pytest.approx(32, rel=0.2)


def test_a_training_shorter_than_a_stretch_can_be_measured():
    (seconds,) = epoch_seconds([Experiment(depth=1, epochs=2)])
    assert 0 < seconds < math.inf
