import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import Experiment, train
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.training.history import STUCK_SHARE, History
from explorer.training.recording import Ending, record_epochs
from explorer.training.run import Training


@given(st.integers(1, 1_000_000))
def test_records_start_before_training_and_end_after_it(epochs):
    marks = record_epochs(epochs)
    assert marks[0] == 0
    assert marks[-1] == epochs
    assert (np.diff(marks) > 0).all()


@given(st.integers(1, 1_000_000))
def test_records_are_dense_early_and_never_far_apart(epochs):
    marks = record_epochs(epochs)
    early = min(epochs, 13)
    assert np.array_equal(marks[: early + 1], np.arange(early + 1))
    # 60 a decade: a step of 3.9 %, or one epoch.
    assert (np.diff(marks) <= np.maximum(1, 0.04 * marks[1:] + 1)).all()


def test_records_are_a_few_hundred_at_most():
    # The longest training allowed; and 60 a decade from epoch 100 on.
    assert len(record_epochs(1_000_000)) <= 400
    assert len(record_epochs(100_000)) - len(record_epochs(1000)) == pytest.approx(120, abs=2)


@given(st.integers(1, 100_000), st.integers(1, 100_000))
def test_a_longer_training_records_at_the_same_epochs(a, b):
    short, long = record_epochs(min(a, b)), record_epochs(max(a, b))
    assert set(short[:-1]) <= set(long)


def test_no_epochs_leave_the_start():
    assert record_epochs(0).tolist() == [0]


# --- a history made by hand -------------------------------------------------------------------


def history(error, epochs=(0, 1, 2, 5), endings=None, target_variance=0.25):
    error = np.array(error, dtype=float)
    e = Experiment(epochs=5, runs=len(error), depth=2, seed=3)
    values = np.zeros((len(error), len(epochs)))
    return History(
        experiment=e,
        epochs=np.array(epochs),
        loss=values,
        accuracy=values,
        error=error,
        measures={"delta": np.arange(float(values.size * 3)).reshape(*values.shape, 3)},
        gradient_norm=values,
        clip_factor=values,
        clipped_share=values,
        answers=None,
        endings=tuple(endings or [None] * len(error)),
        target_variance=target_variance,
    )


BOUND = Experiment().dataset.solved_below


@pytest.mark.parametrize(
    ("last", "word"),
    [
        (0.0, "solved"),
        (BOUND * 0.999, "solved"),
        (BOUND, "learning"),
        (STUCK_SHARE * 0.25 * 0.999, "learning"),
        (STUCK_SHARE * 0.25, "stuck"),
        (0.25, "stuck"),
        (7.0, "stuck"),
        (np.inf, "diverged"),
        (np.nan, "diverged"),
    ],
)
def test_the_outcome_follows_from_the_last_error(last, word):
    assert history([[0.3, 0.3, 0.3, last]]).outcome == [word]


def test_a_run_that_ended_has_diverged():
    assert history([[0.0] * 4], endings=[Ending(2, 1, "z")]).outcome == ["diverged"]


def test_solved_epoch_is_the_first_from_which_it_stays_solved():
    h = history([[9, 0, 0, 0], [9, 0, 9, 0], [9, 9, 9, 9], [0, 0, 0, 0], [0, 0, 0, 9], [0, 0, np.nan, np.nan]])
    np.testing.assert_array_equal(h.solved_epoch(), [1, 5, np.nan, 0, np.nan, np.nan])


@pytest.mark.parametrize(("epoch", "record"), [(0, 0), (0.9, 0), (1, 1), (4, 2), (5, 3), (99, 3), (-1, 3)])
def test_at_finds_the_last_record_before_and_the_latest_for_minus_one(epoch, record):
    assert history([[0] * 4]).at(epoch) == record


def test_rows_hold_every_number_once():
    h = history([[0] * 4, [0] * 4])
    rows = h.rows()
    assert len(rows) == 2 * 4 * 3
    assert {row["seed"] for row in rows} == {3, 4}
    assert {row["layer"] for row in rows} == {1, 2, 3}
    assert [row["delta"] for row in rows] == h.measures["delta"].ravel().tolist()


def test_a_position_of_a_recurrent_history_is_called_a_step():
    e = RecurrentExperiment(length=7, hidden=3, samples=8, runs=2, epochs=2)
    h = train(e)
    rows = h.rows()
    assert "layer" not in rows[0] and "step" not in history([[0] * 4]).rows()[0]
    assert [row["step"] for row in rows[:8]] == [1, 2, 3, 4, 5, 6, 7, 1]
    assert [row["state_gradient"] for row in rows] == h.measures["state_gradient"].ravel().tolist()


# --- a history of a real training -------------------------------------------------------------


def test_a_history_is_complete_only_at_the_end():
    training = Training(Experiment(epochs=50, depth=2))
    training.advance(0)
    assert not training.history().complete
    training.advance(float("inf"))
    assert training.history().complete
    assert training.history().epochs[-1] == 50


def test_every_array_has_the_promised_shape():
    e = Experiment(epochs=20, depth=3, runs=5)
    h = train(e)
    records = len(record_epochs(20))
    for array in (h.loss, h.accuracy, h.error, h.gradient_norm, h.clip_factor, h.clipped_share):
        assert array.shape == (5, records)
    for array in h.measures.values():
        assert array.shape == (5, records, 4)
    assert h.answers.shape == (5, records, 4)
    assert len(h.endings) == len(h.outcome) == 5


def test_what_is_recorded_fits_together():
    h = train(Experiment(epochs=300, depth=2, runs=4, learning_rate=1.0))
    y = h.experiment.points().y
    np.testing.assert_allclose(h.error, ((h.answers - y) ** 2).mean(-1), rtol=1e-13)
    np.testing.assert_allclose(h.loss, 2 * h.error, rtol=1e-13)  # half of a sum over four
    np.testing.assert_array_equal(h.accuracy, ((h.answers > 0.5) == (y > 0.5)).mean(-1))
    assert h.target_variance == 0.25


def test_accuracy_of_a_regression_is_its_coefficient_of_determination():
    h = train(Experiment(task="curve", samples=10, depth=2, epochs=10, activation="tanh"))
    y = h.experiment.points().y
    np.testing.assert_allclose(h.accuracy, 1 - ((h.answers - y) ** 2).mean(-1) / y.var(), rtol=1e-12)
