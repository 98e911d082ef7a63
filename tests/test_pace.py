"""Pace: the time of an epoch is that of training, as far as a busy machine lets one tell."""

import math

import pytest

from explorer import Experiment
from explorer.pace import Pace
from explorer.ui.paces import Paces


def test_an_epoch_of_many_updates_takes_longer_than_an_epoch_of_one():
    full, single = Pace(Experiment(task="moons", epochs=2000)), Pace(Experiment(task="moons", epochs=2000, batch="4"))
    assert full.epoch_seconds == math.inf  # nothing measured yet
    for _ in range(3):
        full.stretch(0.02)
        single.stretch(0.02)
    assert 4 < single.epoch_seconds / full.epoch_seconds < 32 * 2  # 32 updates of a thirty-second of the samples


def test_a_training_shorter_than_a_stretch_can_be_measured():
    pace = Pace(Experiment(depth=1, epochs=2))
    pace.stretch(0.005)
    pace.stretch(0.005)
    assert 0 < pace.epoch_seconds < 0.1


def test_ratios_are_against_the_first_and_kept():
    paces, small, large = Paces(), Experiment(depth=2), Experiment(depth=40, width=16)
    ratios = paces.ratios([small, large, small])
    assert ratios[0] == ratios[2] == 1
    assert ratios[1] > 2
    assert paces.ratios([small, large]) == ratios[:2]
    assert paces.ratios([large, small])[1] == pytest.approx(1 / ratios[1])
