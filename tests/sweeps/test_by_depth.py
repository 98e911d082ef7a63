"""One experiment at every depth: the headline says what the findings say."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.diagnosis.seeds import log_band
from explorer.sweeps.by_depth import UNCHANGED, DepthSeries, depth_headline, with_remedy
from explorer.sweeps.outcomes import find

SMALL = Experiment(width=3, epochs=3, runs=2)


def series(*solved, name=UNCHANGED, complete=True):
    findings = {
        depth: SimpleNamespace(solved=count, runs=8) for depth, count in enumerate(solved, 1) if count is not None
    }
    return DepthSeries(name, SMALL, len(solved), findings, complete)


@pytest.mark.parametrize(
    ("solved", "told"),
    [
        ((8, 4, 3, 0), "up to depth 2"),
        ((8, 8, 8), "at every depth up to 3"),
        ((0, 3), "at no depth"),
        ((0, 8, 8), "from depth 2"),
        ((8, 0, 8), "up to depth 1, and at some beyond"),
    ],
)
def test_the_headline_says_up_to_which_depth_half_of_the_seeds_learn(solved, told):
    assert depth_headline([series(*solved)]) == f"Half of the seeds or more learn {told}"


def test_two_series_are_told_apart_and_what_is_not_complete_is_so_far():
    both = [series(8, 0), series(8, 8, name="ReLU", complete=False)]
    assert depth_headline(both) == (
        "So far half of the seeds or more learn up to depth 1 without and at every depth up to 2 with ReLU"
    )
    nothing = [series(None, None)]
    assert depth_headline(nothing) == "How the gradient of each layer depends on the depth of the net"


def test_start_and_end_are_those_of_nets_trained_alone():
    histories = {depth: train(SMALL.but(depth=depth)) for depth in (1, 2)}
    known = DepthSeries("a", SMALL, 3, {depth: find(history) for depth, history in histories.items()})
    for depth, history in histories.items():
        delta = log_band(history.measures["delta"]).middle
        np.testing.assert_allclose(known.start.medians["delta"][depth - 1, : depth + 1], delta[0], rtol=1e-12)
        np.testing.assert_array_equal(known.end("delta")[depth - 1, : depth + 1], delta[-1])
        assert known.factor_end[depth - 1] == pytest.approx((delta[-1, 0] - delta[-1, -1]) / depth, abs=0.5)
    assert math.isnan(known.factor_end[2]) and np.isnan(known.end("delta")[2]).all()
    assert [row["seeds"] for row in known.rows("delta", "dL/dz")] == [2] * 5 + [""] * 4


def test_a_shortcut_is_applied_as_to_a_deep_net():
    assert with_remedy(SMALL.but(depth=1), "skip over two layers") == SMALL.but(depth=1, skip="two layers")
