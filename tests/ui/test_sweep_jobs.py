"""Sweeps shared between sessions: one job a sweep, what was found is kept, everything is bounded."""

import threading

import pytest

from explorer import Experiment
from explorer.sweeps.outcomes import Finding
from explorer.sweeps.sweep import Sweep
from explorer.ui import sweep_jobs
from explorer.ui.sweep_jobs import FindingCache, SweepJobs

BASE = Experiment(depth=2, epochs=20, runs=2)


def sweep(base=BASE, depths=(1, 2, 3)):
    return Sweep(base, "depth", depths, "gain", (1.0, 2.0), trained=True)


def finished(job):
    while not (state := job.advance(0.05)).complete:
        pass
    return state


def test_equal_sweeps_have_one_job():
    jobs = SweepJobs()
    assert jobs.get(sweep()) is jobs.get(sweep())
    assert jobs.get(sweep()) is not jobs.get(sweep(BASE.but(seed=5)))


def test_a_look_at_a_sweep_does_no_work():
    state = SweepJobs().get(sweep()).advance(0.0)
    assert (len(state.findings), state.progress, state.complete) == (0, 0.0, False)


def test_a_state_stands_still_while_the_sweep_goes_on():
    job = SweepJobs().get(sweep())
    before = job.advance(0.0)
    after = finished(job)
    assert len(before.findings) == 0
    assert len(after.findings) == 6


def test_what_was_found_for_one_sweep_is_not_measured_again_for_another():
    jobs = SweepJobs()
    first = finished(jobs.get(sweep()))
    # One more column: only that is left to do.
    second = jobs.get(sweep(depths=(1, 2, 3, 4))).advance(0.0)
    assert len(second.findings) == 6
    assert all(second.findings[cell] is first.findings[cell] for cell in first.findings)


def test_a_cancelled_sweep_keeps_what_it_found_and_goes_on_when_asked():
    job = SweepJobs().get(sweep(BASE.but(epochs=400)))
    while not job.advance(0.02).findings:
        pass
    job.cancel()
    kept = job.advance(0.0).findings
    assert kept
    assert all(finished(job).findings[cell] is found for cell, found in kept.items())


def test_the_least_recently_used_sweep_goes_first(monkeypatch):
    monkeypatch.setattr(sweep_jobs, "MAX_RUNS", 2)
    jobs = SweepJobs()
    one, two = (jobs.get(sweep(BASE.but(seed=seed))) for seed in (1, 2))
    assert jobs.get(sweep(BASE.but(seed=1))) is one
    jobs.get(sweep(BASE.but(seed=3)))
    assert jobs.get(sweep(BASE.but(seed=1))) is one
    assert jobs.get(sweep(BASE.but(seed=2))) is not two


def test_what_is_known_is_bounded(monkeypatch):
    monkeypatch.setattr(sweep_jobs, "MAX_FINDINGS", 3)
    known = FindingCache()
    for seed in range(5):
        known[BASE.but(seed=seed), True] = object.__new__(Finding)
    assert [experiment.seed for experiment, _ in known] == [2, 3, 4]


def test_two_sessions_can_watch_one_sweep():
    job, states, errors = SweepJobs().get(sweep(BASE.but(epochs=300))), [], []

    def watch():
        try:
            states.append(finished(job))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=watch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert [len(state.findings) for state in states] == [6, 6, 6]


def test_workers_that_cannot_be_had_are_told_and_nothing_is_lost(monkeypatch):
    monkeypatch.setenv("GRADIENT_EXPLORER_WORKERS", "tcp://127.0.0.1:9")
    monkeypatch.setattr("explorer.sweeps.workers.ANSWER_SECONDS", 0.5)
    job = SweepJobs().get(sweep())
    with pytest.raises((ConnectionError, ValueError), match=r"tcp://127\.0\.0\.1:9"):
        job.advance(0.05)
    assert job.advance(0.0).findings == {}
