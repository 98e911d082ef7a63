"""What a recurrent experiment would take: counted, and said before it is started."""

import re

import numpy as np
import pytest

from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.training.cost import LIMIT_BYTES, LIMIT_SECONDS, estimate, refuse, refuse_all
from explorer.training.run import Training

VARIED = [
    RecurrentExperiment(),
    RecurrentExperiment(cell="LSTM", length=30, hidden=16),
    RecurrentExperiment(cell="GRU", length=30, hidden=32, runs=4),
    RecurrentExperiment(cell="LSTM", length=5, hidden=4, samples=8, runs=1, optimizer="Adam"),
    RecurrentExperiment(cell="RNN", length=10, hidden=64, samples=256, runs=2, stack=2),
    RecurrentExperiment(cell="GRU", length=10, hidden=8, samples=64, batch="8", runs=12),
    RecurrentExperiment(cell="RNN", activation="ReLU", task="sine", length=100, hidden=8, samples=16, runs=3),
]


@pytest.mark.parametrize("experiment", VARIED)
def test_memory_is_that_of_the_arrays(experiment):
    training = Training(experiment)
    assert estimate(experiment).bytes == pytest.approx(training.nbytes, rel=0.5)


def test_updates_are_counted():
    assert estimate(RecurrentExperiment(epochs=70)).updates == 70
    assert estimate(RecurrentExperiment(epochs=70, samples=64, batch="8")).updates == 560


@pytest.mark.parametrize("experiment", VARIED)
def test_more_of_anything_costs_more(experiment):
    usual = estimate(experiment).seconds
    for name in ("length", "samples", "hidden", "runs", "epochs"):
        assert estimate(experiment.but(**{name: getattr(experiment, name) + 1})).seconds > usual


def test_what_is_bearable_is_not_refused():
    for experiment in VARIED:
        assert refuse(experiment) is None


HUGE = RecurrentExperiment(cell="LSTM", length=500, hidden=128, samples=2048, runs=64, epochs=10_000)


@pytest.mark.parametrize(
    "experiment",
    [
        RecurrentExperiment(cell="LSTM", length=100, epochs=100_000),
        RecurrentExperiment(length=200, samples=512, batch="1", epochs=1000),
        RecurrentExperiment(cell="LSTM", length=500, hidden=64, samples=1024, runs=8, epochs=3),
    ],
)
def test_every_way_that_is_named_is_enough(experiment):
    cost, said = estimate(experiment), refuse(experiment)
    assert said is not None
    assert ("memory" in said) == (cost.seconds <= LIMIT_SECONDS < np.inf and cost.bytes > LIMIT_BYTES)
    names = {"epochs": "epochs", "seeds": "runs", "length": "length", "samples": "samples", "hidden units": "hidden"}
    ways = re.findall(r"(?:set |or )(epochs|seeds|length|samples|hidden units) to ([\d,]+)", said)
    assert ways
    for words, value in ways:
        assert estimate(experiment.but(**{names[words]: int(value.replace(",", ""))})).bearable


def test_where_no_single_change_is_enough_several_together_are():
    ways = re.split(", or ", refuse(HUGE).split(": set ")[1].rstrip("."))
    names = {control.label.lower(): name for name, control in HUGE.controls().items()}
    for way in ways:
        changes = {
            names[words]: value.replace(",", "") for words, value in (each.split(" to ") for each in way.split(" and "))
        }
        assert len(changes) > 1 or "and" not in way
        assert refuse(HUGE.but(**changes)) is None


# Alone each is within the limits: at half of the time, or of the memory.
LONG = RecurrentExperiment(length=500, epochs=60_000, runs=2, samples=16)
LARGE = RecurrentExperiment(length=500, hidden=64, samples=256, runs=2, epochs=5)
TOGETHER = {"take about": LONG, "of memory": LARGE}


@pytest.mark.parametrize("said", TOGETHER)
def test_several_are_refused_where_only_together_they_are_too_much(said):
    experiment = TOGETHER[said]
    assert refuse_all([experiment] * 6) is None, "one and the same is trained once"
    assert said in refuse_all([experiment.but(seed=seed) for seed in range(6)])
