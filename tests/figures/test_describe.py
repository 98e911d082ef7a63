"""What figures say to those who hear them: the numbers that the figures draw, and no others."""

import math
import re

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.diagnosis.decomposition import decompose
from explorer.diagnosis.facts import facts
from explorer.diagnosis.lens import look
from explorer.diagnosis.seeds import log_band
from explorer.diagnosis.wording import decades
from explorer.figures.axes import TOLD
from explorer.figures.depth import describe_factors, describe_shares, describe_triangle
from explorer.figures.explore import describe_history, describe_why
from explorer.figures.lens import describe_lens
from explorer.figures.remedies import describe_losses, describe_tried
from explorer.figures.sweep import describe_row, describe_sweep, outcome_text
from explorer.figures.view import VALUE, View
from explorer.sweeps.outcomes import OUTCOMES
from explorer.sweeps.sweep import Sweep
from explorer.sweeps.sweep_run import run_sweep
from explorer.training.kinds import LAYERS
from explorer.training.measures import offered

SMALL = Experiment(depth=3, runs=3, epochs=20)
HISTORY = train(SMALL)


def test_every_layers_median_is_told_at_the_epoch_and_at_the_start():
    told = describe_history(HISTORY, View(colour=VALUE), 10, np.array([-3.0, -2.0, -1.0, 0.0]))
    middle = log_band(HISTORY.measures["delta"]).middle
    record = HISTORY.at(10)
    for layer in range(4):
        assert told.count(f"layer {layer + 1}") == 3
        assert decades(middle[record, layer]) in told
        assert decades(middle[0, layer]) in told
    assert "at epoch 10" in told
    assert "layer 1 1.0 × 10⁻³" in told or "layer 1 0.0010" in told
    assert "3 seeds" in told


def test_of_many_layers_some_are_told_the_first_and_the_output_among_them():
    history = train(SMALL.but(depth=40, epochs=1))
    told = describe_history(history, View(colour=VALUE), 0)
    assert len(re.findall(r"layer \d+", told)) == TOLD
    assert "layer 1 " in told
    assert "layer 41 (output)" in told


@pytest.mark.parametrize("metric", offered(LAYERS.measures))
def test_every_metric_is_told_and_what_is_not_defined_is_named(metric):
    told = describe_history(HISTORY, View(metric=metric), -1)
    assert View(metric=metric).diagnostic.title in told
    assert "nan" not in told
    assert ("not defined" in told) == bool(np.isnan(HISTORY.measures[offered(LAYERS.measures)[metric]]).any())


def test_exact_zeros_are_told():
    assert "layer 1 exactly 0" in describe_history(train(SMALL.but(initializer="zeros")), View(colour=VALUE), -1)


def test_the_parts_of_why_are_told_and_make_the_whole():
    why = decompose(HISTORY, 0)
    told = describe_why(why)
    assert told.count("weights") == told.count("slope") == 3
    assert decades(why.total[0]) in told


def test_of_no_gradient_no_factor_is_told_and_nothing_is_called_infinite():
    zeros = train(SMALL.but(initializer="zeros"))
    told = f"{describe_why(decompose(zeros, 0))} {describe_lens(look(zeros, 0, 1, None), None)}"
    assert "layer 1 × not defined" in told and "not finite" not in told.replace("finite and not 0", "")
    assert "  " not in told


def test_what_was_tried_is_told_with_seeds_word_and_ratio():
    found = [facts(HISTORY)]
    told = describe_tried(["plain"], ["helped"], found)
    assert f"{found[0].solved} of 3" in told
    assert "helped" in told
    assert decades(found[0].log_ratio) in told
    assert "plain" in describe_losses(["plain"], found)


def test_depths_are_told_as_far_as_they_are_known():
    values = np.array([[-1.0, 0.0, math.nan], [math.nan, math.nan, math.nan]])
    assert describe_triangle("start", [1, 2], values) == "start: depth 1: first layer 0.10, output 1.0."
    assert describe_triangle("end", [2], values[1:]) == "end: not known yet."
    assert "depth 4 2 of 8" in describe_shares("plain", {4: (2, 8)})
    told = describe_factors("plain", [1, 2], np.array([math.nan, -1.0]), np.array([math.nan, -2.0]))
    assert told.endswith("depth 2 0.10 (theory 0.010).")


def test_a_maps_ends_and_a_rows_cells_are_told():
    sweep = Sweep(SMALL, "depth", (2, 8), "gain", (0.5, 1.0), trained=False)
    outcome = OUTCOMES["first / last layer, start"]
    found = run_sweep(sweep)
    told = describe_sweep(sweep, found, outcome, ("depth", "gain"))
    smallest = min(found, key=lambda cell: outcome.of(found[cell]))
    assert f"smallest {decades(outcome.of(found[smallest]))}, at depth {sweep.xs[smallest[0]]}" in told
    row = describe_row(sweep, found, outcome, 1)
    assert row == f"2: {decades(outcome.of(found[0, 1]))}; 8: {decades(outcome.of(found[1, 1]))}."
    assert describe_sweep(sweep, {}, outcome, ("depth", "gain")) == "Nothing is measured yet."


def test_no_epoch_of_solving_is_never():
    assert outcome_text(OUTCOMES["epochs to solve"], math.inf) == "at least half of the seeds never solve it"
    assert outcome_text(OUTCOMES["share solved"], 0.25) == "25%"
    assert outcome_text(OUTCOMES["final loss"], math.nan) == "not defined here"
