"""Jobs: shared between threads, resumed bit for bit, bounded in number, in memory and in time."""

import threading

import numpy as np
import pytest

from explorer import Experiment, train
from explorer.choices.recurrent_experiment import RecurrentExperiment
from explorer.diagnosis.diagnose import diagnose
from explorer.diagnosis.reach import state_reach
from explorer.training.answers import answer_map
from explorer.training.run import Training
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


def job_of(jobs, experiment):
    """The job of one experiment."""
    (job,) = jobs.together([experiment])
    return job


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
    job = job_of(Jobs(), experiment)
    history, slices = job.advance(0.0), 1
    while not history.complete and slices < 100_000:
        history, slices = job.advance(0.001), slices + 1
        job.ask(answer_map) if slices % 50 == 0 else None  # looking does not disturb
    assert slices > 2
    same(history, train(experiment))


def test_an_interrupted_run_goes_on_where_it_was(clock):
    jobs = Jobs()
    first = job_of(jobs, SMALL).advance(0.01)
    job_of(jobs, SMALL.but(skip="one layer")).advance(0.01)
    again = job_of(jobs, SMALL)
    assert again.progress > 0
    second = again.advance(0.0)
    assert len(second.epochs) >= len(first.epochs)
    np.testing.assert_array_equal(second.loss[:, : len(first.epochs)], first.loss)


def test_a_picture_taken_earlier_does_not_change_when_training_goes_on():
    job = job_of(Jobs(), SMALL)
    early = job.advance(0.0)
    kept = early.loss.copy()
    job.advance(10.0)
    np.testing.assert_array_equal(early.loss, kept)


def test_many_threads_share_a_job_and_get_the_one_true_result():
    jobs, straight, failures = Jobs(), train(SMALL), []

    def visitor():
        try:
            history = job_of(jobs, SMALL).advance(0.005)
            while not history.complete:
                assert np.isfinite(history.loss).all()
                history = job_of(jobs, SMALL).advance(0.005)
                job_of(jobs, SMALL).ask(answer_map)
            same(history, straight)
        except Exception as error:  # reported below: a thread's error would be lost
            failures.append(error)

    threads = [threading.Thread(target=visitor) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    assert not failures
    assert not any(thread.is_alive() for thread in threads)
    assert len(jobs._jobs) == 1


def test_many_threads_with_settings_of_their_own_do_not_wait_for_ever():
    jobs, done = Jobs(), []

    def visitor(seed):
        history = job_of(jobs, SMALL.but(seed=seed, epochs=200)).advance(5.0)
        done.append(history.complete)

    threads = [threading.Thread(target=visitor, args=(seed,)) for seed in range(16)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    assert done == [True] * 16


def test_the_same_setting_is_the_same_job():
    jobs = Jobs()
    assert job_of(jobs, SMALL) is job_of(jobs, SMALL.but())
    assert job_of(jobs, SMALL) is not job_of(jobs, SMALL.but(seed=1))


def test_the_least_recently_used_go_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(module, "MAX_JOBS", 3)
    jobs = Jobs()
    first = job_of(jobs, SMALL)
    for seed in (1, 2):
        job_of(jobs, SMALL.but(seed=seed))
    assert job_of(jobs, SMALL) is first  # used again just now
    job_of(jobs, SMALL.but(seed=3))
    assert len(jobs._jobs) == 3
    assert job_of(jobs, SMALL) is first
    assert job_of(jobs, SMALL.but(seed=1)).progress == 0  # made anew


def test_memory_is_bounded_too(monkeypatch):
    jobs = Jobs()
    one = job_of(jobs, SMALL)
    one.advance(0.0)
    assert one.shared.nbytes > 0
    monkeypatch.setattr(module, "MAX_BYTES", 4 * one.shared.nbytes)
    for seed in range(1, 12):
        job_of(jobs, SMALL.but(seed=seed)).advance(0.0)
    assert len(jobs._jobs) <= 6


def test_the_stated_memory_is_about_what_is_really_held():
    job = job_of(Jobs(), SMALL.but(task="moons", epochs=100_000, runs=16, depth=20, width=16))
    job.advance(0.0)
    arrays = sum(values.nbytes for values in job.training.records.measures.values())
    assert job.shared.nbytes >= arrays


def updates(*jobs):
    return sum(group.updates for training in {job.shared.made for job in jobs} for group in training.groups)


@pytest.mark.parametrize("seconds", [0.02, 0.1])
def test_a_slice_looks_at_the_clock_after_every_update_and_ends_in_time(seconds, clock, in_numpy):
    job = job_of(Jobs(), SMALL.but(epochs=1_000_000))
    job.advance(0.0)
    for _ in range(8):
        before = updates(job)
        job.advance(seconds)
        assert 1 <= updates(job) - before <= seconds / clock.tick + 1


def test_a_complete_job_trains_no_more(monkeypatch):
    job = job_of(Jobs(), SMALL.but(epochs=500))
    job.advance(60.0)
    monkeypatch.setattr(Training, "advance", None)
    assert job.advance(60.0).complete


def test_a_job_is_made_lazily_and_reports_its_progress():
    job = job_of(Jobs(), SMALL)
    assert job.shared.nbytes == 0
    history = job.advance(0.0)
    assert history.epochs[0] == 0
    assert 0 <= job.progress < 1
    job.advance(60.0)
    assert job.progress == 1
    assert isinstance(job, Job)


# --- asked for together ---------------------------------------------------------------------------

REMEDIES = [
    SMALL,
    SMALL.but(learning_rate=0.01),
    SMALL.but(skip="one layer"),
    SMALL.but(initializer="Glorot normal"),
    SMALL.but(clip="norm", threshold=0.1),
    SMALL.but(activation="ReLU"),
    SMALL.but(activation="ReLU", clip="value", threshold=0.01),
    SMALL.but(normalization="layer"),
]


def to_the_end(jobs, seconds=0.05):
    histories = Jobs.advance(jobs, seconds)
    while not all(history.complete for history in histories):
        histories = Jobs.advance(jobs, seconds)
    return histories


def trainings(jobs):
    return {job.shared for job in jobs}


def test_jobs_come_in_the_order_in_which_they_were_asked_for():
    jobs = Jobs().together(REMEDIES)
    assert [job.experiment for job in jobs] == REMEDIES


def test_equal_experiments_have_the_same_job():
    one, other, same = Jobs().together([SMALL, SMALL.but(seed=1), SMALL.but()])
    assert one is same is not other


def test_what_can_train_together_does():
    jobs = Jobs().together(REMEDIES)
    assert len(trainings(jobs)) == 4
    base, rate, skip, start, clip, relu, relu_clip, layer = (job.shared for job in jobs)
    assert base is rate is start is clip
    assert relu is relu_clip
    assert len({base, skip, relu, layer}) == 4


def test_an_experiment_that_has_a_job_keeps_it():
    jobs = Jobs()
    trained = job_of(jobs, SMALL)
    trained.advance(60.0)
    first, second, third = jobs.together([SMALL.but(gain=2.0), SMALL, SMALL.but(gain=3.0)])
    assert second is trained
    assert first.shared is third.shared is not trained.shared
    assert jobs.together([SMALL, SMALL.but(gain=3.0)]) == [trained, third]
    assert job_of(jobs, SMALL.but(gain=3.0)) is third


def test_trained_together_each_has_its_own_history_bit_for_bit():
    jobs = Jobs().together(REMEDIES)
    for history, experiment in zip(to_the_end(jobs), REMEDIES, strict=True):
        assert history.experiment == experiment
        same(history, train(experiment))


def test_an_answer_map_is_that_of_its_own_experiment():
    jobs = Jobs().together(REMEDIES)
    to_the_end(jobs)
    for job in jobs:
        alone = job_of(Jobs(), job.experiment)
        alone.advance(60.0)
        shown, expected = job.ask(answer_map), alone.ask(answer_map)
        assert shown.run == expected.run
        np.testing.assert_array_equal(shown.answers, expected.answers)


def test_one_of_them_asked_alone_goes_on_where_all_were():
    jobs = Jobs()
    one, other = jobs.together([SMALL, SMALL.but(learning_rate=0.01)])
    Jobs.advance([one, other], 0.01)
    history = job_of(jobs, SMALL).advance(60.0)
    same(history, train(SMALL))
    same(other.advance(60.0), train(SMALL.but(learning_rate=0.01)))


def test_the_first_slice_gives_every_job_a_history():
    histories = Jobs.advance(Jobs().together(REMEDIES), 0.0)
    assert [history.experiment for history in histories] == REMEDIES
    for history in histories:
        assert history.epochs[0] == 0
        assert np.isfinite(history.loss[:, 0]).all()


def test_a_training_is_advanced_once_however_many_jobs_share_it(monkeypatch):
    called, advance = [], Training.advance

    def noted(training, seconds):
        called.append(training.groups[0])
        return advance(training, seconds)

    jobs = Jobs().together(REMEDIES)
    monkeypatch.setattr(Training, "advance", noted)
    Jobs.advance([*jobs, *jobs], 0.0)
    assert len(called) == len(set(called)) == 4
    to_the_end(jobs)
    called.clear()
    Jobs.advance(jobs, 1.0)
    assert not called  # what is complete gets no time


def test_time_is_shared_in_parts_and_none_is_lost(monkeypatch, clock):
    parts, advance = [], Training.advance

    def noted(training, seconds):
        parts.append((len(training.experiments), seconds))
        return advance(training, seconds)

    endless = [experiment.but(epochs=1_000_000) for experiment in REMEDIES[:7]]
    jobs = Jobs().together(endless)
    Jobs.advance(jobs, 0.0)
    monkeypatch.setattr(Training, "advance", noted)
    Jobs.advance(jobs, 0.7)
    assert [count for count, _ in parts] == [4, 1, 2]
    for count, seconds in parts:
        assert seconds == pytest.approx(0.1 * count, rel=0.1)


def test_a_slice_for_many_ends_in_time(clock, in_numpy):
    jobs = Jobs().together([experiment.but(epochs=1_000_000) for experiment in REMEDIES])
    Jobs.advance(jobs, 0.0)
    for _ in range(8):
        before = updates(*jobs)
        Jobs.advance(jobs, 0.1)
        # Each training may make one update that was under way.
        assert 1 <= updates(*jobs) - before <= 0.1 / clock.tick + len({job.shared for job in jobs})


def test_jobs_of_one_training_have_one_progress_where_they_share_all_groups(clock):
    one, other = Jobs().together([SMALL, SMALL.but(learning_rate=0.01)])
    assert one.progress == other.progress == 0
    one.advance(0.01)
    assert 0 < one.progress == other.progress < 1
    assert not one.complete
    other.advance(60.0)
    assert one.progress == 1
    assert one.complete


def test_progress_can_be_asked_for_while_another_thread_makes_the_training():
    for _ in range(50):
        job = job_of(Jobs(), SMALL)
        thread = threading.Thread(target=lambda job=job: [job.progress for _ in range(200)])
        thread.start()
        training = job.advance(0.0) and job.shared.made
        thread.join()
        assert job.shared.made is training  # asking made no second one


def test_many_threads_share_trainings_and_get_the_one_true_result():
    jobs, failures = Jobs(), []
    straight = {experiment: train(experiment) for experiment in REMEDIES}

    def visitor(first):
        try:
            mine = REMEDIES[first:] + REMEDIES[:first]
            held = jobs.together(mine[:5])
            for history in to_the_end(held, 0.02):
                same(history, straight[history.experiment])
            held[0].ask(answer_map)
        except Exception as error:  # reported below: a thread's error would be lost
            failures.append(error)

    threads = [threading.Thread(target=visitor, args=(first,)) for first in range(8)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    assert not failures
    assert not any(thread.is_alive() for thread in threads)
    assert len(jobs._jobs) == len(REMEDIES)


def test_shared_memory_is_counted_once():
    jobs = Jobs()
    held = jobs.together([SMALL.but(seed=seed) for seed in range(6)])
    Jobs.advance(held, 0.0)
    (shared,) = trainings(held)
    assert shared.nbytes == shared.made.nbytes > 0
    assert jobs._total() == shared.nbytes


@pytest.mark.parametrize(("name", "bound"), [("MAX_JOBS", 3), ("MAX_BYTES", 1)])
def test_what_is_asked_for_together_never_drives_its_own_out(name, bound, monkeypatch):
    monkeypatch.setattr(module, name, bound)
    jobs = Jobs()
    job_of(jobs, SMALL.but(seed=99)).advance(0.0)
    for _ in range(2):
        held = jobs.together(REMEDIES)
        Jobs.advance(held, 0.0)
    assert len(jobs._jobs) == len(REMEDIES)
    assert jobs.together(REMEDIES) == held


def test_a_set_that_is_shown_outlives_what_was_shown_before(monkeypatch):
    monkeypatch.setattr(module, "MAX_JOBS", 10)
    jobs = Jobs()
    old = jobs.together([SMALL.but(seed=seed) for seed in range(10, 18)])
    held = jobs.together(REMEDIES)
    assert len(jobs._jobs) == 10
    assert jobs.together(REMEDIES) == held
    assert job_of(jobs, old[-1].experiment) is old[-1]
    assert job_of(jobs, old[0].experiment) is not old[0]


# --- first pictures of recurrent nets --------------------------------------------------------------

OVER_TIME = RecurrentExperiment(length=12, samples=8, hidden=4, runs=2, epochs=5)


def test_recurrent_nets_are_jobs_as_any_other():
    held = Jobs().together([OVER_TIME.but(cell=cell) for cell in ("RNN", "LSTM", "GRU")])
    while not all(history.complete for history in Jobs.advance(held, 0.05)):
        pass
    for job in held:
        same(job.advance(0.0), train(job.experiment))


def test_first_pictures_come_one_by_one_where_there_is_no_time_and_all_at_once_where_there_is():
    jobs, cells = Jobs(), [OVER_TIME.but(cell=cell) for cell in ("RNN", "LSTM", "GRU")]
    held = jobs.together(cells)
    assert not any(job.begun for job in held)
    for there in (1, 2, 3, 3):
        found = jobs.begin(held, 0.0)
        assert [history is not None for history in found] == [True] * there + [False] * (3 - there)
        assert [job.begun for job in held] == [history is not None for history in found]
    assert None not in Jobs().begin(Jobs().together(cells), 60.0)


def test_who_is_overtaken_while_waiting_measures_nothing():
    class Overtaken(Exception):
        pass

    def go_on():
        raise Overtaken

    jobs = Jobs()
    (job,) = jobs.together([OVER_TIME])
    with pytest.raises(Overtaken):
        jobs.begin([job], 1.0, go_on)
    assert not job.begun
    assert jobs.begin([job], 1.0)[0] is not None  # nothing is left locked
    assert job.begun


def test_what_is_asked_of_a_training_is_its_present_state():
    job = job_of(Jobs(), OVER_TIME)
    job.advance(0.0)
    while not job.complete:
        job.advance(0.01)
    np.testing.assert_array_equal(job.ask(state_reach), state_reach(_trained(OVER_TIME)))


def _trained(experiment):
    training = Training(experiment)
    training.advance(float("inf"))
    return training


def test_a_history_stays_the_same_object_until_something_is_added_to_it():
    job = job_of(Jobs(), Experiment(depth=2, epochs=400, runs=2))
    first = job.advance(0.0)
    while not job.complete:
        longer = job.advance(0.01)
        assert (longer is first) == (len(longer.epochs) == len(first.epochs))
        first = longer
    assert job.advance(0.0) is first
    assert diagnose(first).facts is diagnose(job.advance(0.0)).facts


def test_a_complete_training_is_asked_once_and_one_under_way_anew():
    asked = []
    job = job_of(Jobs(), Experiment(depth=2, epochs=400, runs=2))
    job.advance(0.0)
    measure = lambda training: asked.append(training.progress) or len(asked)  # noqa: E731
    assert (job.ask(measure), job.ask(measure)) == (1, 2)
    while not job.complete:
        job.advance(1.0)
    assert (job.ask(measure), job.ask(measure)) == (3, 3)


def test_what_nobody_waits_for_is_done_on_a_core_that_is_free_one_slice_at_a_time():
    jobs, done = Jobs(), []
    assert jobs.spare(lambda: done.append(jobs.spare(lambda: None)))
    assert done == [False], "one at a time"
    with pytest.raises(ZeroDivisionError):
        jobs.spare(lambda: 1 / 0)
    inside = jobs._workers._value
    for _ in range(inside):
        jobs._workers.acquire()
    assert not jobs.spare(lambda: None), "every core is at work for somebody who waits"
    jobs._workers.release()
    assert jobs.spare(lambda: None)
