"""Sweeps: cells, chunks, the critical line, the table."""

import csv
import io
import math
import pickle
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from explorer import Experiment
from explorer.choices.activations import ACTIVATIONS
from explorer.choices.arrays import thin
from explorer.choices.controls import Choice
from explorer.choices.datasets import OWN, Data
from explorer.choices.experiment import CONTROLS
from explorer.diagnosis.seeds import log_band
from explorer.sharing.saved import sweep_csv
from explorer.sweeps import chunks as module
from explorer.sweeps import critical
from explorer.sweeps.chunks import (
    CHUNK_BYTES,
    CHUNK_SECONDS,
    LIMIT_SECONDS,
    Measurement,
    chunks,
    refuse_sweep,
    sweep_seconds,
)
from explorer.sweeps.critical import critical_points
from explorer.sweeps.outcomes import OUTCOMES, find
from explorer.sweeps.sweep import AXES, MAX_CELLS, Sweep, is_numeric
from explorer.sweeps.workers import complete
from explorer.training.run import train
from tests.limits import limit_factor
from tests.work import calls, each_once, first_of_each

SMALL = Experiment(depth=3, epochs=30, runs=2)
RATES = (0.01, 0.1, 1.0)
each_axis = pytest.mark.parametrize("name", AXES)


def same_finding(one, other):
    """Whether two findings are equal bit for bit."""
    np.testing.assert_equal(vars(one), vars(other))


# --- axes and cells ---------------------------------------------------------------------------


def test_every_setting_but_the_seeds_can_lie_on_an_axis():
    assert set(AXES) == set(CONTROLS) - {"runs", "seed"}


@each_axis
def test_an_axis_offers_exactly_what_its_control_offers(name):
    control = CONTROLS[name]
    if isinstance(control, Choice):
        assert list(AXES[name]) == [option for option in control.options if option != OWN]
    else:
        assert AXES[name] == (control.marks or tuple(range(control.low, control.high + 1)))
    assert all(control.check(name, value) == value for value in AXES[name])


@each_axis
def test_every_pair_with_depth_makes_cells_or_reasons(name):
    other = "depth" if name != "depth" else "gain"
    base = SMALL.but(task="signal XOR") if name == "layer" else SMALL
    sweep = Sweep(base, name, thin(AXES[name], 4), other, AXES[other][:2], trained=False)
    assert set(sweep.cells) == {(c, r) for c in range(len(sweep.xs)) for r in range(2)}
    for cell, experiment in sweep.cells.items():
        assert isinstance(experiment, Experiment), experiment
        assert getattr(experiment, other) == sweep.values(cell)[1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x": "gain", "y": "gain", "ys": (1.0,)}, "different"),
        ({"x": "seed"}, "choose one of: task"),
        ({"x": "colour"}, "choose one of: task"),
        ({"xs": ()}, "at least one"),
        ({"xs": (0,)}, "from 1 to 50"),
        ({"xs": (3, 3)}, "twice"),
        ({"x": "activation", "xs": ("stair",)}, "choose one of: sigmoid"),
        ({"x": "task", "xs": (OWN,)}, "cannot lie on an axis"),
        ({"xs": tuple(range(1, 51)), "ys": tuple(np.linspace(1, 2, 50))}, "at most"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(changes, words):
    good = {"base": SMALL, "x": "depth", "xs": (2, 3), "y": "gain", "ys": (1.0, 2.0), "trained": True}
    Sweep(**good)
    with pytest.raises(ValueError, match=words):
        Sweep(**good | changes)


def test_numbers_stand_in_ascending_order_and_choices_as_given():
    sweep = Sweep(SMALL, "depth", (9, 2), "activation", ("tanh", "relu"), trained=True)
    assert (sweep.xs, sweep.ys) == ((2, 9), ("tanh", "ReLU"))


def test_the_largest_map_is_allowed_and_a_cell_of_it_is_no_more_work_than_of_a_small_one():
    sweep = Sweep(SMALL, "depth", AXES["depth"][:32], "gain", tuple(np.geomspace(0.1, 10, 32)), trained=True)
    small = Sweep(SMALL, "depth", (2, 3), "gain", (1.0, 2.0), trained=True)
    assert calls(lambda: sweep.cells) / MAX_CELLS < 1.5 * calls(lambda: small.cells) / 4
    assert len(sweep.cells) == MAX_CELLS


def test_an_impossible_pair_says_why_and_the_others_stay():
    sweep = Sweep(SMALL, "task", ("moons", "curve"), "loss", ("usual", "cross-entropy"), trained=True)
    assert "regression" in sweep.cells[1, 1]
    assert sum(isinstance(each, Experiment) for each in sweep.cells.values()) == 3


def test_a_cell_beyond_the_limits_says_so():
    sweep = Sweep(SMALL.but(width=128, runs=64), "depth", (2, 50), "epochs", (10, 1_000_000), trained=True)
    assert "is not started" in sweep.cells[1, 1] and "minutes" in sweep.cells[1, 1]
    assert isinstance(sweep.cells[0, 0], Experiment)


def test_tasks_can_be_swept_from_a_persons_own_data_and_other_settings_over_it():
    own = Data(np.random.default_rng(0).normal(size=(8, 2)), np.arange(8) % 2.0)
    base = SMALL.but(task=OWN, data=own)
    tasks = Sweep(base, "task", ("XOR", "moons"), "depth", (2,), trained=True)
    assert [each.task for each in tasks.cells.values()] == ["XOR", "moons"]
    depths = Sweep(base, "gain", (1.0,), "depth", (2, 3), trained=True)
    assert all(each.data == own for each in depths.cells.values())


def test_at_the_start_what_comes_later_makes_no_difference():
    rates = Sweep(SMALL, "learning_rate", RATES, "clip", ("none", "norm"), trained=False)
    assert len(set(rates.cells.values())) == 1
    gains = Sweep(SMALL, "gain", RATES, "initializer", ("uniform", "LeCun"), trained=False)
    assert len(set(gains.cells.values())) == 6
    assert {(each.runs, each.seed) for each in gains.cells.values()} == {(SMALL.runs, SMALL.seed)}


@pytest.mark.parametrize("count", [1, 2, 3, 7, 49, 50, 80])
def test_thinning_keeps_both_ends_and_the_order(count):
    values = AXES["depth"]
    thinned = thin(values, count)
    assert len(thinned) == min(count, len(values))
    assert thinned[0] == values[0]
    assert count == 1 or thinned[-1] == values[-1]
    assert list(thinned) == sorted(set(thinned))


# --- chunks ---------------------------------------------------------------------------------

MAPS = {
    "depth × learning rate": Sweep(
        SMALL.but(epochs=200, runs=8), "depth", AXES["depth"][:20], "learning_rate", RATES, True
    ),
    "activation × initializer": Sweep(
        SMALL, "activation", AXES["activation"], "initializer", AXES["initializer"], True
    ),
    "impossible cells": Sweep(SMALL, "task", AXES["task"], "loss", AXES["loss"], True),
    "at the start": Sweep(SMALL, "depth", AXES["depth"], "gain", AXES["gain"], False),
    "long": Sweep(SMALL.but(epochs=20_000), "depth", (2, 10, 50), "learning_rate", RATES, True),
    "large": Sweep(
        SMALL.but(width=128, runs=64, task="moons", samples=1024), "gain", RATES, "clip", ("none", "norm"), False
    ),
}
each_map = pytest.mark.parametrize("sweep", MAPS.values(), ids=MAPS)


whole = cache(chunks)  # of a map, for all that is asked of it


def possible(sweep):
    return {each for each in sweep.cells.values() if isinstance(each, Experiment)}


@each_map
def test_every_possible_cell_is_in_exactly_one_chunk(sweep):
    handed = [each for chunk in whole(sweep) for each in chunk.experiments]
    assert len(handed) == len(set(handed))
    assert set(handed) == possible(sweep)


@each_map
def test_what_is_known_is_in_none(sweep):
    known = set(list(possible(sweep))[::2])
    handed = {each for chunk in chunks(sweep, known) for each in chunk.experiments}
    assert handed == possible(sweep) - known


@each_map
def test_a_chunk_is_short_or_a_cell_alone(sweep):
    for chunk in whole(sweep):
        assert chunk.seconds <= CHUNK_SECONDS or len(chunk.experiments) == 1


@each_map
def test_a_chunk_of_several_cells_needs_little_memory(sweep):
    for chunk in whole(sweep):
        together = {}
        for each in chunk.experiments:
            together.setdefault(each.shape_key(), []).append(module.cost.estimate(each).bytes)
        assert all(sum(sizes) <= CHUNK_BYTES or len(sizes) == 1 for sizes in together.values())


def test_the_map_shows_coarsely_before_it_shows_finely():
    sweep = MAPS["depth × learning rate"]
    order = [each for chunk in whole(sweep) for each in chunk.experiments]
    quarter = {each.depth for each in order[: len(order) // 4]}
    assert min(quarter) <= 2
    assert max(quarter) >= 17


def test_cheap_cells_lead():
    first = whole(MAPS["long"])[0]
    assert {each.depth for each in first.experiments} == {2}


def test_rates_of_one_depth_train_together():
    sweep = Sweep(SMALL.but(epochs=50), "depth", (2, 3), "learning_rate", AXES["learning_rate"], True)
    assert len(chunks(sweep)) < len(sweep.cells) / 4


def test_an_estimate_is_the_sum_of_its_chunks_and_grows_with_the_map():
    small, large = (Sweep(SMALL, "depth", AXES["depth"][:n], "gain", RATES, True) for n in (5, 20))
    assert sweep_seconds(small) == sum(chunk.seconds for chunk in chunks(small))
    assert sweep_seconds(large) > sweep_seconds(small)


@pytest.mark.parametrize(
    ("x", "xs"),
    first_of_each([("epochs", (50_000, 100_000, 200_000)), ("depth", AXES["depth"][:30]), ("gain", AXES["gain"])]),
)
def test_a_sweep_beyond_the_limit_is_refused_and_what_is_named_is_enough(x, xs):
    base = SMALL.but(epochs=20_000, runs=64, task="moons", width=8)
    sweep = Sweep(base, x, xs, "learning_rate", AXES["learning_rate"][:12], trained=True)
    assert sweep_seconds(sweep) > LIMIT_SECONDS
    sentence = refuse_sweep(sweep)
    assert sentence.endswith(".")
    ways = [way.split() for way in sentence.rstrip(".").split(": ")[1].split(", or ")]
    assert ways
    for way in ways:
        if way[0] == "take":
            milder = Sweep(base, x, thin(xs, int(way[1])), "learning_rate", thin(sweep.ys, int(way[3])), True)
        else:
            setting = next(name for name, control in CONTROLS.items() if control.label.lower() == way[1])
            milder = Sweep(base.but(**{setting: int(way[3].replace(",", ""))}), x, xs, "learning_rate", sweep.ys, True)
        assert refuse_sweep(milder) is None, way


def test_a_modest_sweep_is_not_refused():
    assert refuse_sweep(MAPS["depth × learning rate"]) is None


# --- measured ---------------------------------------------------------------------------------

MIXED = [
    SMALL,
    SMALL.but(learning_rate=1.0),
    SMALL.but(gain=2.0, clip="norm"),
    SMALL.but(depth=5),
    SMALL.but(activation="ReLU", initializer="normal", width=16, depth=9, learning_rate=10.0),
    SMALL.but(normalization="batch", task="moons", samples=32, batch="8"),
]


def test_every_finding_is_that_of_a_separate_training():
    for experiment, found in zip(MIXED, complete(Measurement, MIXED, True), strict=True):
        same_finding(found, find(train(experiment)))


def test_at_the_start_every_finding_is_record_0_of_a_training():
    for experiment, found in zip(MIXED, complete(Measurement, MIXED, False), strict=True):
        history = train(experiment)
        np.testing.assert_array_equal(found.end["delta"], log_band(history.measures["delta"][:, 0]).middle)
        assert found.log_ratio == find(history).log_ratio
        assert not found.trained
        assert math.isnan(found.loss)


@pytest.mark.parametrize("trained", [True, False])
def test_slices_find_the_same_as_one_go(trained):
    measuring, slices = Measurement(MIXED, trained), 1
    while not measuring.advance(0.0):
        slices += 1
    assert slices > len(MIXED)
    for one, other in zip(measuring.result(), complete(Measurement, MIXED, trained), strict=True):
        same_finding(one, other)


def test_a_slice_ends_in_time(clock):
    measuring = Measurement([SMALL.but(epochs=20_000)], True)
    for _ in range(10):
        begun = clock.now
        assert not measuring.advance(0.02)
        assert clock.now - begun < 0.02 + 10 * clock.tick  # looks at the clock before and after the training's own


def test_an_experiment_that_is_asked_twice_is_measured_once_and_told_twice():
    one, other = complete(Measurement, [SMALL, SMALL], True)
    assert one is other


def test_what_travels_to_a_worker_and_back_can_be_pickled():
    for travels in (Measurement, chunks(MAPS["long"]), *complete(Measurement, [SMALL], True)):
        pickle.loads(pickle.dumps(travels))


# --- the critical line ------------------------------------------------------------------------

WIDE = Experiment(activation="tanh", initializer="Glorot normal", width=32)


def factors_beside(sweep, point, apart=1.02):
    """theory's limit factor a little below and above a point, along the axis that has it between its values."""
    x, y = point
    name, value, other = (sweep.y, y, {sweep.x: x}) if x in sweep.xs else (sweep.x, x, {sweep.y: y})
    return [limit_factor(sweep.base.but(**other, **{name: value * step})) for step in (1 / apart, apart)]


@each_once(
    initializer=["uniform", "normal", "Glorot normal", "He normal", "orthogonal"],
    fixed=["depth", "activation", "width", "normalization"],
)
def test_on_the_critical_line_theorys_factor_passes_1(initializer, fixed):
    sweep = Sweep(WIDE.but(initializer=initializer), fixed, AXES[fixed][:6], "gain", AXES["gain"], trained=False)
    points = critical_points(sweep)
    assert points
    for point in points:
        below, above = factors_beside(sweep, point)
        assert below < 1 < above


def test_no_crossing_between_two_cells_is_missed():
    sweep = Sweep(WIDE, "activation", AXES["activation"], "gain", AXES["gain"], trained=False)
    crossed = [x for x, _ in critical_points(sweep)]
    for name in AXES["activation"]:
        at = [limit_factor(WIDE.but(activation=name, gain=gain)) for gain in AXES["gain"]]
        signs = [value > 1 for value in at if abs(value - 1) > 1e-6]
        assert crossed.count(name) == sum(a != b for a, b in pairwise(signs))


def test_whichever_axis_the_gain_lies_on_the_line_is_the_same():
    depths = thin(AXES["depth"], 5)
    one = critical_points(Sweep(WIDE, "depth", depths, "gain", AXES["gain"], False))
    other = critical_points(Sweep(WIDE, "gain", AXES["gain"], "depth", depths, False))
    assert one == [(x, y) for y, x in other]
    assert [x for x, _ in one] == list(depths)


def test_the_published_edges_are_found():
    # He et al. 2015 for ReLU; Poole et al. 2016: tanh without biases at sigma_w = 1; reference values at sigma_b^2 = 1/3.
    base = WIDE.but(initializer="LeCun")
    sweep = Sweep(base, "activation", ("tanh", "ReLU", "linear"), "gain", AXES["gain"], False)
    found = dict(critical_points(sweep))
    assert found["ReLU"] == pytest.approx(math.sqrt(2), rel=1e-4)
    assert found["tanh"] == pytest.approx(1, rel=1e-4)
    assert found["linear"] == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {"skip": "one layer"},
        {"normalization": "batch"},
        {"normalization": "layer"},
        {"initializer": "positive uniform"},
    ],
)
def test_where_theory_has_no_line_there_is_none(changes):
    assert critical_points(Sweep(WIDE.but(**changes), "depth", (2, 9), "gain", AXES["gain"], False)) == []


@pytest.mark.parametrize(("x", "y"), [("depth", "learning_rate"), ("activation", "initializer"), ("epochs", "noise")])
def test_settings_that_the_line_does_not_meet_draw_none(x, y):
    assert critical_points(Sweep(WIDE, x, thin(AXES[x], 4), y, thin(AXES[y], 4), True)) == []


def test_a_second_look_solves_no_equation_again():
    sweep = Sweep(WIDE.but(initializer="uniform"), "width", AXES["width"], "gain", AXES["gain"], False)
    critical_points(sweep)
    solved = critical.critical_strengths.cache_info().misses
    critical_points(sweep)
    assert critical.critical_strengths.cache_info().misses == solved


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_critical_strengths_part_shrinking_from_growing(name):
    for strength in critical.critical_strengths(ACTIVATIONS[name], 0.0):
        below, above = (
            limit_factor(Experiment(activation=name, initializer="LeCun", gain=strength * step))
            for step in (0.999, 1.001)
        )
        assert (below - 1) * (above - 1) < 0


# --- the table --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def swept():
    sweep = Sweep(SMALL, "task", ("XOR", "curve"), "loss", ("half squared error", "cross-entropy"), trained=True)
    cells = [cell for cell, each in sweep.cells.items() if isinstance(each, Experiment)]
    found = dict(zip(cells, complete(Measurement, [sweep.cells[cell] for cell in cells], True), strict=True))
    return sweep, found


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_has_a_line_for_every_cell(swept):
    sweep, found = swept
    rows = table(sweep_csv(sweep, found))
    assert [(row["task"], row["loss"]) for row in rows] == [sweep.values(cell) for cell in sweep.cells]
    assert all(None not in row and None not in row.values() for row in rows)


def test_every_outcome_is_in_it_and_reads_back_exactly(swept):
    sweep, found = swept
    for row, cell in zip(table(sweep_csv(sweep, found)), sweep.cells, strict=True):
        for outcome in OUTCOMES.values() if cell in found else ():
            value = outcome.of(found[cell])
            if outcome.diverging:
                np.testing.assert_equal(float(row[f"log10 {outcome.name}"]), value)
            else:
                plain = 10**value if outcome.unit == "decades" else value
                assert float(row[outcome.name]) == pytest.approx(plain, nan_ok=True)


def test_the_share_has_its_interval(swept):
    sweep, found = swept
    for row, cell in zip(table(sweep_csv(sweep, found)), sweep.cells, strict=True):
        if cell in found:
            share = int(row["solved"]) / int(row["runs"])
            assert 0 <= float(row["share solved, low"]) <= share <= float(row["share solved, high"]) <= 1


def test_a_cell_without_a_result_says_why(swept):
    sweep, found = swept
    some = dict(list(found.items())[:1])
    rows = dict(zip(sweep.cells, table(sweep_csv(sweep, some, {(0, 1): "the worker was lost"})), strict=True))
    assert "regression" in rows[1, 1]["without result"]
    assert rows[0, 1]["without result"] == "the worker was lost"
    assert rows[1, 0]["without result"] == "not computed"
    assert rows[next(iter(some))]["without result"] == ""


def test_numeric_axes_are_told_from_choices():
    assert is_numeric("gain")
    assert not is_numeric("activation")
