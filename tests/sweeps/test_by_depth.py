"""One experiment at every depth: the headline says what the findings say."""

import itertools
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.diagnosis.seeds import log_band
from explorer.sweeps.by_depth import (
    UNCHANGED,
    DepthSeries,
    depth_headline,
    depth_sweep,
    refuse_depth_sweep,
    with_remedy,
)
from explorer.sweeps.outcomes import find
from explorer.training.cost import refuse_depths
from pages.depth_page import DEPTH_CONTROLS

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
    assert depth_headline([series(*solved)]) == f"At least half of the seeds learn {told}"


def test_two_series_are_told_apart_and_what_is_not_complete_is_so_far():
    both = [series(8, 0), series(8, 8, name="ReLU", complete=False)]
    assert depth_headline(both) == (
        "So far at least half of the seeds learn at every depth up to 2 with ReLU, and up to depth 1 without it"
    )
    alike = [series(0, 0), series(0, 0, name="ReLU")]
    assert depth_headline(alike) == "At least half of the seeds learn at no depth, without or with ReLU"
    nothing = [series(None, None)]
    assert depth_headline(nothing) == "How the gradient of each layer depends on the depth of the net"


CLAIM = re.compile(
    r"(at every|up to|from|at)( trained)? depths?(?: (?:up to )?(\d+))?(?: to (\d+))?(, and at some beyond)?$"
)


def test_the_headline_claims_nothing_of_a_depth_that_is_not_known_or_fails():
    for outcomes in itertools.product((None, 0, 8), repeat=5):
        learnt = {depth for depth, solved in enumerate(outcomes, 1) if solved}
        trained = {depth for depth, solved in enumerate(outcomes, 1) if solved is not None}
        told = depth_headline([series(*outcomes, complete=None not in outcomes)]).partition(" learn ")[2]
        if not learnt:
            assert told == ("" if not trained else "at no depth" + " that is trained" * (len(trained) < 5))
            continue
        how, only_trained, first, last, beyond = CLAIM.match(told).groups()
        low, high = {"at": (first, last or first), "from": (first, 5)}.get(how, (1, first))
        claimed = set(range(int(low), int(high) + 1)) & (trained if only_trained else set(range(6)))
        assert min(learnt) in claimed and claimed <= learnt, (outcomes, told)
        assert (learnt - claimed != set()) == bool(beyond), (outcomes, told)
        assert how != "at every" or learnt == trained, (outcomes, told)


def test_of_what_is_not_trained_yet_only_that_is_said():
    both = [series(8, 0), series(None, None, name="ReLU", complete=False)]
    assert depth_headline(both) == (
        "So far at least half of the seeds learn up to depth 1 without; no depth is trained yet with ReLU"
    )


def test_a_refusal_of_many_depths_speaks_of_depths_and_names_its_control():
    base = Experiment(task="moons", width=32, samples=256, epochs=30_000, runs=8)
    sentence = refuse_depth_sweep(depth_sweep(base, 20))
    assert sentence.startswith("Training nets of depth 1 to 20 would take")
    assert not re.search("sweep|cell|value", sentence)
    depth = int(re.search(r"set “(.*)” to (\d+)", sentence)[2])
    assert refuse_depth_sweep(depth_sweep(base, depth)) is None
    assert refuse_depth_sweep(depth_sweep(base, depth + 1)) is not None
    assert f"“{DEPTH_CONTROLS['deepest'].label}”" in sentence
    large = Experiment(task="moons", width=128, samples=2048, runs=512)
    assert f"“{DEPTH_CONTROLS['deepest'].label}”" in refuse_depths(large, 50)


def test_start_and_end_are_those_of_nets_trained_alone():
    histories = {depth: train(SMALL.but(depth=depth)) for depth in (1, 2)}
    known = DepthSeries("a", SMALL, 3, {depth: find(history) for depth, history in histories.items()})
    for depth, history in histories.items():
        delta = log_band(history.measures["delta"]).middle
        np.testing.assert_allclose(known.start.medians["delta"][depth - 1, : depth + 1], delta[0], rtol=1e-12)
        np.testing.assert_array_equal(known.end("delta")[depth - 1, : depth + 1], delta[-1])
        # From hidden layer to hidden layer; a single one has no factor.
        factor = (delta[-1, 0] - delta[-1, -2]) / (depth - 1) if depth > 1 else math.nan
        assert known.factor_end[depth - 1] == pytest.approx(factor, abs=0.5, nan_ok=True)
    assert math.isnan(known.start.factor.middle[0]) and np.isfinite(known.start.factor.middle[1:]).all()
    assert math.isnan(known.factor_end[2]) and np.isnan(known.end("delta")[2]).all()
    assert [row["seeds"] for row in known.rows("delta", "dL/dz")] == [2] * 5 + [""] * 4


def test_a_shortcut_is_applied_as_to_a_deep_net():
    assert with_remedy(SMALL.but(depth=1), "skip over two layers") == SMALL.but(depth=1, skip="two layers")
