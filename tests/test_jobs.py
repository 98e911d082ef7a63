"""Jobs: shared between threads, resumed bit for bit, bounded in number, in memory and in time."""

import threading
import time

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.ui import jobs as module
from explorer.ui.jobs import Job, Jobs

SMALL = Experiment(depth=3, epochs=3000, runs=4)
SETTINGS = {
    "full batch": SMALL,
    "mini-batch": SMALL.but(task="moons", batch="16", epochs=40, optimizer="Adam"),
    "batch norm": SMALL.but(task="moons", normalization="batch", batch="32", epochs=60),
    "random slopes": SMALL.but(task="blobs", activation="randomized ReLU", epochs=60),
    "several groups": SMALL.but(task="moons", width=32, depth=10, runs=9, epochs=30),
    "diverging": SMALL.but(activation="ReLU", initializer="normal", learning_rate=10.0, width=32, epochs=100),
}


def same(one, other):
    """Whether two histories are equal bit for bit."""
    arrays = ["epochs", "loss", "accuracy", "error", "gradient_norm", "clip_factor", "clipped_share"]
    for name in arrays:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for name in one.measures:
        np.testing.assert_array_equal(one.measures[name], other.measures[name], err_msg=name)
    if one.answers is not None:
        np.testing.assert_array_equal(one.answers, other.answers)
    assert one.endings == other.endings


@pytest.mark.parametrize("experiment", SETTINGS.values(), ids=SETTINGS)
def test_a_run_in_slices_equals_a_straight_run_bit_for_bit(experiment):
    job = Jobs().get(experiment)
    history, slices = job.advance(0.0), 1
    while not history.complete and slices < 100_000:
        history, slices = job.advance(0.001), slices + 1
        job.answer_map() if slices % 50 == 0 else None  # looking does not disturb
    assert slices > 2
    same(history, train(experiment))


def test_an_interrupted_run_goes_on_where_it_was():
    jobs = Jobs()
    first = jobs.get(SMALL).advance(0.01)
    jobs.get(SMALL.but(skip="one layer")).advance(0.01)
    again = jobs.get(SMALL)
    assert again.progress > 0
    second = again.advance(0.0)
    assert len(second.epochs) >= len(first.epochs)
    np.testing.assert_array_equal(second.loss[:, : len(first.epochs)], first.loss)


def test_a_picture_taken_earlier_does_not_change_when_training_goes_on():
    job = Jobs().get(SMALL)
    early = job.advance(0.0)
    kept = early.loss.copy()
    job.advance(10.0)
    np.testing.assert_array_equal(early.loss, kept)


def test_many_threads_share_a_job_and_get_the_one_true_result():
    jobs, straight, failures = Jobs(), train(SMALL), []

    def visitor():
        try:
            history = jobs.get(SMALL).advance(0.005)
            while not history.complete:
                assert np.isfinite(history.loss).all()
                history = jobs.get(SMALL).advance(0.005)
                jobs.get(SMALL).answer_map()
            same(history, straight)
        except Exception as error:  # reported below: a thread's error would be lost
            failures.append(error)

    threads = [threading.Thread(target=visitor) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    assert not failures
    assert not any(thread.is_alive() for thread in threads)
    assert len(jobs) == 1


def test_many_threads_with_settings_of_their_own_do_not_wait_for_ever():
    jobs, done = Jobs(), []

    def visitor(seed):
        history = jobs.get(SMALL.but(seed=seed, epochs=200)).advance(5.0)
        done.append(history.complete)

    threads = [threading.Thread(target=visitor, args=(seed,)) for seed in range(16)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    assert done == [True] * 16


def test_the_same_setting_is_the_same_job():
    jobs = Jobs()
    assert jobs.get(SMALL) is jobs.get(SMALL.but())
    assert jobs.get(SMALL) is not jobs.get(SMALL.but(seed=1))


def test_the_least_recently_used_go_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(module, "MAX_JOBS", 3)
    jobs = Jobs()
    first = jobs.get(SMALL)
    for seed in (1, 2):
        jobs.get(SMALL.but(seed=seed))
    assert jobs.get(SMALL) is first  # used again just now
    jobs.get(SMALL.but(seed=3))
    assert len(jobs) == 3
    assert jobs.get(SMALL) is first
    assert jobs.get(SMALL.but(seed=1)).progress == 0  # made anew


def test_memory_is_bounded_too(monkeypatch):
    jobs = Jobs()
    one = jobs.get(SMALL)
    one.advance(0.0)
    assert one.nbytes > 0
    monkeypatch.setattr(module, "MAX_BYTES", 4 * one.nbytes)
    for seed in range(1, 12):
        jobs.get(SMALL.but(seed=seed)).advance(0.0)
    assert len(jobs) <= 6


def test_the_stated_memory_is_about_what_is_really_held():
    job = Jobs().get(SMALL.but(task="moons", epochs=100_000, runs=16, depth=20, width=16))
    job.advance(0.0)
    arrays = sum(values.nbytes for values in job.training.records.measures.values())
    assert job.nbytes >= arrays


@pytest.mark.parametrize("seconds", [0.02, 0.1])
def test_a_slice_is_over_in_time(seconds):
    job = Jobs().get(SMALL.but(epochs=1_000_000))
    job.advance(0.0)
    took = []
    for _ in range(8):
        started = time.perf_counter()
        job.advance(seconds)
        took.append(time.perf_counter() - started)
    # The median: another process may take the processor away for a while.
    assert np.median(took) < seconds + 0.05


def test_a_complete_job_answers_at_once():
    job = Jobs().get(SMALL.but(epochs=500))
    job.advance(60.0)
    started = time.perf_counter()
    assert job.advance(60.0).complete
    assert time.perf_counter() - started < 0.05


def test_a_job_is_made_lazily_and_reports_its_progress():
    job = Jobs().get(SMALL)
    assert job.nbytes == 0
    history = job.advance(0.0)
    assert history.epochs[0] == 0
    assert 0 <= job.progress < 1
    job.advance(60.0)
    assert job.progress == 1
    assert isinstance(job, Job)
