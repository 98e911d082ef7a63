"""z by bin: every number is counted once, in the bin in which it lies, at every record."""

import math

import numpy as np
import pytest

from explorer import Experiment, RecurrentExperiment, train
from explorer.choices.cells import CELLS
from explorer.training import compiled, recording
from explorer.training.recording import BIN_EDGES, BINS, FINE, LOST_BIN, ZERO_BIN, bins_of, count_bins, count_type
from explorer.training.recurrent_group import RecurrentGroup
from explorer.training.run import Training

SMALL = Experiment(task="moons", samples=24, depth=4, width=6, epochs=12, runs=3, activation="tanh")


def test_a_number_lies_between_the_ends_of_its_bin():
    rng = np.random.default_rng(0)
    z = rng.normal(size=20_000) * 10.0 ** rng.integers(-300, 300, 20_000)
    z = np.concatenate([z, rng.normal(size=20_000) * 10.0 ** rng.integers(-3, 12, 20_000), [5e-324, -5e-324]])
    found = bins_of(z)
    assert (BIN_EDGES[found] <= z).all()
    assert (z <= BIN_EDGES[found + 1]).all()
    outside = np.abs(z) > FINE
    assert not outside[(BIN_EDGES[found] >= -FINE) & (BIN_EDGES[found + 1] <= FINE)].any()


def test_bins_are_as_fine_to_both_sides_and_have_no_end():
    np.testing.assert_array_equal(BIN_EDGES, -BIN_EDGES[::-1])
    assert BIN_EDGES[-1] == math.inf
    inside = np.abs(BIN_EDGES) <= FINE
    np.testing.assert_array_equal(np.diff(BIN_EDGES[inside]), 0.25)
    assert len(BIN_EDGES) - 1 == ZERO_BIN == LOST_BIN - 1 == BINS - 2


def test_an_exact_0_and_what_is_not_finite_have_bins_of_their_own():
    z = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e300, -1e300, FINE])
    first_out = np.flatnonzero(BIN_EDGES == FINE)[0]
    assert list(bins_of(z)) == [ZERO_BIN, ZERO_BIN, *[LOST_BIN] * 3, ZERO_BIN - 1, 0, first_out]
    assert list(bins_of(z[:2])) == [ZERO_BIN, ZERO_BIN], "also where nothing lies outside"


def test_counts_are_those_of_each_layer_and_run():
    z = np.random.default_rng(1).normal(size=(3, 2, 5, 7)) * 20
    counts = count_bins(z)
    assert counts.shape == (3, 2, BINS)
    for place in np.ndindex(3, 2):
        np.testing.assert_array_equal(counts[place], np.bincount(bins_of(z[place].ravel()), minlength=BINS))


def test_the_smallest_type_that_holds_all_is_taken():
    assert [count_type(n) for n in (2**16 - 1, 2**16)] == [np.uint16, np.uint32]


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_at_every_record_every_unit_and_sample_is_counted_once(normalization):
    history = train(SMALL.but(normalization=normalization))
    assert history.z_counts.shape == (3, len(history.epochs), 4, BINS)
    assert (history.z_counts.sum(axis=-1, dtype=int) == 6 * 24).all()


def test_of_a_run_that_has_ended_nothing_is_counted():
    history = train(SMALL.but(activation="ReLU", initializer="normal", width=32, learning_rate=500.0))
    ended = [ending.epoch for ending in history.endings if ending]
    assert ended
    for run, ending in enumerate(history.endings):
        after = history.epochs > (ending.epoch if ending else math.inf)
        assert not history.z_counts[run, after].any()
        assert (history.z_counts[run, ~after].sum(axis=-1, dtype=int) == 32 * 24).all()


def test_under_batch_norm_z_has_mean_0_and_variance_1_at_the_start_and_is_nearly_normal():
    wide = Experiment(task="moons", samples=256, depth=8, width=32, epochs=1, runs=4, activation="tanh")
    counts = train(wide.but(normalization="batch")).z_counts[:, 0].sum(axis=(0, 1))
    shares, middles = counts[:ZERO_BIN] / counts.sum(), (BIN_EDGES[:-1] + BIN_EDGES[1:]) / 2
    inside = np.isfinite(middles) & (shares > 0)
    mean, square = (float(shares[inside] @ middles[inside] ** power) for power in (1, 2))
    assert abs(mean) < 0.01
    assert square - 0.25**2 / 12 == pytest.approx(1, abs=0.01)  # Sheppard's correction for the width of bins
    below = np.cumsum(shares)[np.searchsorted(BIN_EDGES, [-1, 0, 1]) - 1]
    # A unit sees 256 points of a plane through eight layers: near to a normal distribution, not one.
    np.testing.assert_allclose(below, [0.1587, 0.5, 0.8413], atol=0.05)


def test_small_weights_leave_nearly_all_of_z_next_to_0_and_zeros_all_at_0():
    small = train(SMALL.but(initializer="small normal"))
    middle = (BIN_EDGES[:-1] >= -0.25) & (BIN_EDGES[1:] <= 0.25)
    assert small.z_counts[:, 0, 1:, :ZERO_BIN][..., middle].sum() == 3 * 3 * 6 * 24
    zeros = train(SMALL.but(initializer="zeros", epochs=1))
    assert (zeros.z_counts[:, 0, :, ZERO_BIN] == 6 * 24).all()


OVER_TIME = RecurrentExperiment(length=40, samples=8, hidden=5, epochs=3, runs=2)


@pytest.mark.parametrize("stack", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_over_time_every_unit_and_sequence_is_counted_once_for_each_function_and_step(cell, stack):
    e = OVER_TIME.but(cell=cell, stack=stack)
    counts = train(e).z_counts
    assert counts.shape == (2, 4, len(e.functions) * len(e.looked_at), BINS)
    assert (counts.sum(axis=-1, dtype=int) == 5 * 8).all()


def test_over_time_memory_has_an_end_however_many_steps_there_are():
    long, at_most = OVER_TIME.but(length=500), 34
    assert len(long.looked_at) == at_most
    assert {long.looked_at[0], long.looked_at[-1]} == {1, 500}
    assert list(OVER_TIME.but(length=at_most).looked_at) == list(range(1, at_most + 1))
    histograms, numbers = RecurrentGroup.z_counted(long)
    records = recording.Records([long], counted=(histograms, numbers))
    assert records.z_counts.nbytes == 2 * 4 * at_most * BINS * 2
    assert recording.Records([long]).z_counts is None


@pytest.mark.parametrize("e", [SMALL.but(normalization="batch"), OVER_TIME.but(cell="GRU")], ids=["layers", "time"])
@pytest.mark.parametrize("switch", ["", compiled.OFF])
def test_what_is_trained_without_histograms_is_the_same_but_for_them(switch, e, monkeypatch):
    monkeypatch.setenv(compiled.VARIABLE, switch)
    one, other = (Training(e, histograms=histograms) for histograms in (True, False))
    assert one.advance(np.inf) and other.advance(np.inf)
    assert one.history().z_counts is not None and other.history().z_counts is None
    assert one.records.nbytes > other.records.nbytes
    np.testing.assert_array_equal(one.history().loss, other.history().loss)
    for name, values in one.history().measures.items():
        np.testing.assert_array_equal(values, other.history().measures[name])
