import math
import re
import time
import tracemalloc

import numpy as np
import pytest

from explorer.choices.experiment import Experiment
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.training import cost
from explorer.training.compiled import KERNELS, OFF, VARIABLE, WIDEST
from explorer.training.cost import (
    LIMIT_BYTES,
    LIMIT_SECONDS,
    epoch_seconds,
    estimate,
    refuse,
    refuse_all,
    refuse_depths,
)
from explorer.training.cost_models import LAYERS, TIME_STEPS
from explorer.training.run import Training
from explorer.training.work import layered_work, recurrent_work
from tests.work import calls

TUTORIAL = Experiment(depth=11, width=4, optimizer="Adam", learning_rate=0.001, batch="1", epochs=100_000, runs=20)
NO_END = {"epochs": 1_000_000}
HUGE = Experiment(task="moons", samples=2048, depth=50, width=128, runs=512, epochs=1_000_000, batch="1")
VARIED = [
    Experiment(),
    TUTORIAL,
    TUTORIAL.but(skip="one layer", activation="ReLU"),
    Experiment(depth=50, runs=1),
    Experiment(depth=50, runs=24, normalization="layer"),
    Experiment(task="moons", samples=32, depth=3, width=8, batch="8", activation="tanh", runs=4),
    Experiment(task="moons", samples=256, depth=20, width=16, activation="tanh", runs=2, clip="norm"),
    Experiment(task="moons", samples=256, depth=50, width=64, activation="ReLU", normalization="batch", runs=1),
    Experiment(task="spirals", samples=512, depth=6, width=32, activation="SiLU", optimizer="Adam", runs=4),
    Experiment(task="circles", depth=8, width=12, activation="GELU", runs=3, normalization="batch", batch="64"),
    Experiment(task="curve", depth=5, width=24, activation="randomized ReLU", runs=8, optimizer="momentum"),
    Experiment(task="signal XOR", layer="convolution", samples=48, depth=4, width=6, runs=3, skip="one layer"),
    Experiment(task="signal XOR", layer="convolution", depth=3, batch="16", runs=2, normalization="batch"),
    Experiment(task="signal XOR", depth=4, activation="tanh", runs=4),
    Experiment(task="blobs", samples=1024, depth=2, width=128, activation="ELU", runs=1, skip="two layers"),
]
PATHS = {"compiled": "", "NumPy": OFF}


@pytest.fixture(params=PATHS)
def path(request, monkeypatch):
    """Everything is trained, and its cost estimated, by each of the two paths."""
    monkeypatch.setenv(VARIABLE, PATHS[request.param])
    return request.param


def seconds(experiment, monkeypatch, path):
    monkeypatch.setenv(VARIABLE, PATHS[path])
    return estimate(experiment).seconds


@pytest.mark.parametrize("experiment", VARIED)
def test_memory_is_that_of_the_arrays(experiment):
    training = Training(experiment.but(epochs=100))
    found = training.records.nbytes
    for group in training.groups:
        networks = {id(n): n for n in (group.probe, group.answerer, *group.networks.values())}.values()
        arrays = [group.theta, group.update, *group.moments]
        arrays += [value for network in networks for value in vars(network).values() if isinstance(value, np.ndarray)]
        own = {id(a if a.base is None else a.base): a if a.base is None else a.base for a in arrays}
        found += sum(array.nbytes for array in own.values())
    assert estimate(experiment.but(epochs=100)).bytes == pytest.approx(found, rel=0.35)


@pytest.mark.parametrize(
    ("experiment", "updates"),
    [
        (Experiment(epochs=70), 70),
        (Experiment(epochs=70, batch="1"), 280),
        (Experiment(task="moons", samples=100, epochs=7, batch="8"), 91),
    ],
)
def test_updates_are_counted(experiment, updates):
    assert estimate(experiment).updates == updates


DEARER = [
    *({"epochs": 12_000}, {"depth": 22}, {"width": 16}, {"runs": 16}, {"batch": "1"}, {"normalization": "batch"}),
    *({"activation": "GELU"}, {"optimizer": "Adam"}, {"task": "moons"}, {"initializer": "orthogonal"}),
]


@pytest.mark.parametrize("dearer", DEARER, ids=str)
def test_more_costs_more(dearer, path):
    usual = Experiment(activation="ReLU", order="fixed")
    assert estimate(usual.but(**dearer)).seconds > estimate(usual).seconds


DEARER_OVER_TIME = [
    {"cell": "LSTM"},
    {"stack": 2},
    {"batch": "8"},
    {"initializer": "orthogonal"},
    {"hidden": 32},
    {"runs": 9},
]


@pytest.mark.parametrize("dearer", DEARER_OVER_TIME, ids=str)
def test_more_costs_more_over_time(dearer, path):
    usual = RecurrentExperiment()
    assert estimate(usual.but(**dearer)).seconds > estimate(usual).seconds


@pytest.mark.parametrize(
    "wide", [Experiment(width=WIDEST + 1), RecurrentExperiment(hidden=WIDEST + 1)], ids=["layers", "time"]
)
def test_the_estimate_is_of_the_path_that_trains(wide, monkeypatch):
    name = "width" if isinstance(wide, Experiment) else "hidden"
    small = wide.but(**{name: 4})
    compiled, numpy = (seconds(small, monkeypatch, path) for path in PATHS)
    assert compiled < 0.7 * numpy
    assert seconds(wide, monkeypatch, "compiled") == seconds(wide, monkeypatch, "NumPy"), "no kernel takes it"
    monkeypatch.setenv(VARIABLE, "")
    for knows in ("has_forms", "has_cell_forms"):
        monkeypatch.setattr(KERNELS.now(), knows, lambda experiment: False)
    assert estimate(small).seconds == numpy


@pytest.mark.parametrize("usual", [Experiment(), RecurrentExperiment()], ids=["layers", "time"])
def test_setting_up_and_records_count(usual, path):
    one, hundred, thousand = (estimate(usual.but(epochs=epochs)).seconds for epochs in (1, 100, 1000))
    assert one > 1.5 * (thousand - hundred) / 900, "setting up, and records at both ends"
    assert hundred - one > 1.1 * (thousand - hundred) / 9, "records are dense at first"


def test_many_seeds_of_a_wide_net_take_seconds_before_any_update():
    wide = Experiment(task="moons", width=128, depth=50, runs=64, initializer="orthogonal", epochs=1)
    assert estimate(wide).seconds > 3


def test_runs_that_go_abreast_cost_less_than_as_many_alone(monkeypatch):
    monkeypatch.setenv(VARIABLE, "")
    one, eight = (estimate(Experiment(runs=runs, epochs=100_000)).seconds for runs in (1, 8))
    assert one < eight < 6 * one


def test_every_price_is_of_something_that_is_done(monkeypatch):
    named = {True: set(), False: set()}, {True: set(), False: set()}
    for setting in PATHS.values():
        monkeypatch.setenv(VARIABLE, setting)
        for kinds, works in zip(
            named, ([layered_work(Experiment())], [recurrent_work(RecurrentExperiment())]), strict=True
        ):
            for work in works:
                kinds[work.compiled] |= {*work.set_up} | {*work.epoch} | {*work.record} | {*work.again}
    for prices, kinds in zip((LAYERS, TIME_STEPS), named, strict=True):
        for compiled, way in ((True, prices.compiled), (False, prices.numpy)):
            assert {*prices.set_up, *way.epoch, *way.record} <= kinds[compiled] | {"input"}


def test_estimating_is_no_more_work_for_a_huge_experiment(path):
    estimate(Experiment())  # points of a task are drawn once
    assert all(calls(lambda e=experiment: estimate(e)) < 800 for experiment in (*VARIED[1:], HUGE))


# --- refusing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("experiment", [*VARIED, TUTORIAL.but(skip="one layer")])
def test_what_is_bearable_is_allowed(experiment, path):
    assert refuse(experiment) is None


TOO_MUCH = [
    HUGE,
    HUGE.but(epochs=1),
    HUGE.but(runs=1),
    HUGE.but(batch="full"),
    Experiment(epochs=1_000_000, runs=512),
    Experiment(epochs=1_000_000, runs=256, batch="1"),
    Experiment(task="moons", samples=2048, batch="1", epochs=100_000),
    Experiment(task="moons", samples=1024, depth=50, width=64, runs=24, epochs=10),
    TUTORIAL.but(epochs=1_000_000, runs=100),
]
NAMES = {"epochs": "epochs", "seeds": "runs", "samples": "samples", "width": "width", "depth": "depth"}


def changes_of(way):
    changes = {name: int(value.replace(",", "")) for name, value in re.findall(r"(\w+) to ([\d,]+)(?! samples)", way)}
    changes = {NAMES[name]: value for name, value in changes.items() if name != "batch"}
    batch = re.search(r"batch to (\w+)", way)
    return changes | ({"batch": batch[1]} if batch else {})


@pytest.mark.parametrize("experiment", TOO_MUCH)
def test_what_is_too_much_is_refused_with_ways_that_fit(experiment, path):
    sentence = refuse(experiment)
    assert sentence is not None
    assert sentence.count(".") - len(re.findall(r"\d\.\d", sentence)) == 1
    ways = re.split(r", or ", sentence.split(": set ")[1].rstrip("."))
    assert 1 <= len(ways) <= 3
    for way in ways:
        changed = experiment.but(**changes_of(way))
        assert changed != experiment
        assert refuse(changed) is None, way


def test_the_sentence_says_what_the_limit_is():
    assert "10 minutes" in refuse(TOO_MUCH[4])
    assert "1.0 GB" in refuse(TOO_MUCH[7])
    assert LIMIT_SECONDS == 600
    assert LIMIT_BYTES == 2**30


def test_refusing_builds_nothing_big():
    tracemalloc.start()
    refuse(HUGE)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20


def test_the_start_of_many_depths_is_bounded_too():
    assert refuse_depths(Experiment(), 50) is None
    assert refuse_depths(Experiment(task="moons", width=32, runs=32), 50) is None
    said = refuse_depths(Experiment(task="moons", width=128, samples=2048, runs=512), 50)
    assert said.startswith("Measuring the start of 50 depths would take about ")
    assert refuse_depths(Experiment(task="moons", width=128, samples=2048, runs=512), 1) is None or "lower" in said


def test_several_trainings_are_bounded_together():
    one = Experiment(task="moons", width=64, depth=40, epochs=2000, runs=8)
    assert refuse(one) is None
    assert refuse_all([one]) is None
    assert refuse_all([one] * 50) is None  # the same training, once
    said = refuse_all([one.but(seed=seed) for seed in range(0, 400, 8)])
    assert said.startswith("These 50 trainings together would take about ")


def test_an_epoch_of_many_updates_takes_longer_than_an_epoch_of_one(monkeypatch, clock, in_numpy):
    monkeypatch.setattr(time, "thread_time", lambda: clock.now)  # training looks at the clock at every update
    monkeypatch.setattr(cost, "STRETCH", 0.02)
    experiment = Experiment(task="moons", epochs=2000, runs=1)
    full, single = epoch_seconds([experiment, experiment.but(batch="4")])
    assert single / full == pytest.approx(32, rel=0.2)


def test_a_training_shorter_than_a_stretch_can_be_measured():
    (seconds,) = epoch_seconds([Experiment(depth=1, epochs=2)])
    assert 0 < seconds < math.inf
