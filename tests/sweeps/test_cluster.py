"""A real Dask cluster: a scheduler and workers as processes of their own, one of which is ended in mid-sweep."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("distributed")

from explorer import Experiment
from explorer.sweeps import workers as cluster_module
from explorer.sweeps.sweep import Sweep
from explorer.sweeps.sweep_run import SweepRun
from explorer.sweeps.workers import Cluster, ThisProcess, Workers

ROOT = Path(__file__).resolve().parents[2]
BASE = Experiment(runs=8, epochs=300)
RATES = (0.01, 0.1, 1.0, 10.0)
SWEEP = Sweep(BASE, "depth", tuple(range(2, 14)), "learning_rate", RATES, trained=True)
START = Sweep(BASE, "depth", (1, 5, 20), "gain", RATES, trained=False)


def start(*words, wait_for, folder=ROOT):
    """Start a Dask program as the README says; return it and what it wrote when it was ready."""
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    program = subprocess.Popen(
        [sys.executable, "-m", "dask", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in program.stderr:
        if found := re.search(wait_for, line):
            # Whatever it still writes must not fill the pipe.
            threading.Thread(target=program.stderr.read, daemon=True).start()
            return program, found
    raise AssertionError(f"dask {' '.join(words)} ended before it was ready")


def stop(*programs):
    for program in programs:
        program.kill()
    for program in programs:
        program.wait(timeout=60)


def start_scheduler(folder=ROOT):
    words = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter")
    return start(*words, wait_for=r"Scheduler at:\s+(tcp://\S+)", folder=folder)


def start_worker(address, folder=ROOT):
    words = ("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
    return start(*words, wait_for=r"Registered to:", folder=folder)[0]


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    # Anywhere: only the workers need the project.
    program, found = start_scheduler(tmp_path_factory.mktemp("elsewhere"))
    yield program, found[1]
    stop(program)


@pytest.fixture(scope="module")
def cluster(scheduler):
    """The address of a scheduler with two workers, and the workers."""
    workers = [start_worker(scheduler[1]) for _ in range(2)]
    yield scheduler[1], workers
    stop(*workers)


@pytest.fixture(scope="module")
def here():
    return {sweep: finish(SweepRun(sweep, Workers(""), {})).findings for sweep in (SWEEP, START)}


def finish(run, seconds=90.0):
    deadline = time.monotonic() + seconds
    while not run.advance(0.1):
        assert time.monotonic() < deadline
    return run


def same_findings(one, other):
    assert one.keys() == other.keys()
    for cell, found in one.items():
        np.testing.assert_equal(vars(other[cell]), vars(found), err_msg=str(cell))


def test_where_nobody_listens_that_is_said(monkeypatch):
    monkeypatch.setattr(cluster_module, "ANSWER_SECONDS", 1.0)  # else it would wait for five
    with pytest.raises(ConnectionError, match=r"nobody answers at tcp://127\.0\.0\.1:9"):
        Cluster("tcp://127.0.0.1:9")


def test_a_scheduler_without_workers_says_so(scheduler, monkeypatch):
    monkeypatch.setattr(cluster_module, "ANSWER_SECONDS", 1.0)
    with pytest.raises(ConnectionError, match="no workers"):
        Cluster(scheduler[1])


def test_workers_that_do_not_find_the_package_are_told_where_to_start(scheduler, tmp_path):
    worker = start_worker(scheduler[1], folder=tmp_path)
    try:
        with pytest.raises(ConnectionError, match="start them in its folder"):
            Cluster(scheduler[1])
    finally:
        stop(worker)


# --- with workers: one cluster for all, whose last test but one ends a worker, and the last the scheduler ------------


def test_a_sweep_of_starts_gives_the_same_numbers_too(cluster, here):
    workers = Workers(cluster[0])
    run = finish(SweepRun(START, workers, {}))
    workers.close()
    same_findings(here[START], run.findings)


def test_a_cluster_says_who_it_is_and_counts_its_workers(cluster):
    address, _ = cluster
    workers = Workers(address)
    assert workers.name == f"the Dask cluster at {address}"
    assert workers.backend().workers == 2
    workers.close()


@pytest.mark.slow
def test_a_worker_ended_in_mid_sweep_costs_no_finished_cell_and_the_numbers_are_those_from_here(
    cluster, here, monkeypatch
):
    address, processes = cluster
    handed, submit = [], Cluster.submit

    def noting(self, make, *arguments):
        handed.extend(arguments[0])
        return submit(self, make, *arguments)

    monkeypatch.setattr(Cluster, "submit", noting)
    workers = Workers(address)
    run = SweepRun(SWEEP, workers, {})
    while len(run.findings) < 8:
        run.advance(0.02)
    finished, before = dict(run.findings), len(handed)
    assert not run.complete
    os.kill(processes[0].pid, signal.SIGKILL)
    finish(run)
    workers.close()
    assert processes[0].wait(timeout=60) == -signal.SIGKILL
    assert processes[1].poll() is None
    assert not run.problems
    same_findings(here[SWEEP], run.findings)
    assert all(run.findings[cell] is found for cell, found in finished.items())
    assert not {SWEEP.cells[cell] for cell in finished} & set(handed[before:])


@pytest.mark.slow
def test_a_scheduler_that_ends_is_reported_and_another_one_goes_on(scheduler, cluster, here):
    workers = Workers(cluster[0])
    run = SweepRun(SWEEP, workers, {})
    while len(run.findings) < 4:
        run.advance(0.02)
    stop(scheduler[0], *cluster[1])
    kept = dict(run.findings)
    with pytest.raises(ConnectionError, match="nobody answers"):
        finish(run, seconds=40)
    assert all(run.findings[cell] is each for cell, each in kept.items())
    assert not run.problems
    workers._make = ThisProcess
    same_findings(here[SWEEP], finish(run).findings)
