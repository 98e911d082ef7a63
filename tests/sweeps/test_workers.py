"""Workers and sweeps under way: the same numbers everywhere, nothing finished is lost, a cancel is answered at once."""

import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import CancelledError
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from explorer import Experiment
from explorer.choices.arrays import thin
from explorer.sweeps import sweep_run as sweep_runs
from explorer.sweeps.chunks import Measurement
from explorer.sweeps.sweep import AXES, Sweep
from explorer.sweeps.sweep_run import MAX_LOST, MAX_LOST_IN_A_ROW, SweepRun
from explorer.sweeps.workers import VARIABLE, Cluster, Processes, ThisProcess, Workers, complete

ROOT = Path(__file__).resolve().parents[2]
SMALL = Experiment(depth=3, epochs=40, runs=2)
# Some diverge, some cannot be, some are alike but for a rate, some are of another shape.
SWEEP = Sweep(SMALL, "depth", (1, 2, 5, 8), "learning_rate", thin(AXES["learning_rate"], 5), trained=True)
LONGER = Sweep(
    SMALL.but(runs=8, epochs=300), "depth", tuple(range(2, 14)), "learning_rate", (0.01, 0.1, 1.0, 10.0), True
)
START = Sweep(SMALL, "depth", (1, 2, 5, 8), "gain", (0.5, 1.0, 100.0), trained=False)
MIXED = Sweep(SMALL.but(task="curve"), "activation", ("ReLU", "tanh"), "loss", AXES["loss"], trained=True)


def same_finding(one, other):
    """Whether two findings are equal bit for bit."""
    np.testing.assert_equal(vars(other), vars(one))


def same_findings(one, other):
    assert one.keys() == other.keys()
    for cell in one:
        same_finding(one[cell], other[cell])


def finish(run, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not run.advance(0.1):
        assert time.monotonic() < deadline
    return run


@pytest.fixture(scope="module")
def alone():
    """Every cell measured by itself, by nobody else."""
    made = {}

    def get(sweep):
        if sweep not in made:
            cells = {cell: each for cell, each in sweep.cells.items() if isinstance(each, Experiment)}
            made[sweep] = {cell: complete(Measurement, [each], sweep.trained)[0] for cell, each in cells.items()}
        return made[sweep]

    return get


@pytest.fixture(scope="module")
def pool():
    workers = Workers("2")
    yield workers
    workers.close()


class Steps:
    """Work in ten slices, which counts them."""

    taken = 0

    def __init__(self, value):
        self.value, self.left = value, 10

    def advance(self, seconds):
        if self.value is None:
            raise ValueError("no value")
        while self.left:
            self.left -= 1
            Steps.taken += 1
            if math.isfinite(seconds):
                break
        return self.left <= 0

    def result(self):
        return self.value


class Call:
    """A function's call as work of one slice."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def advance(self, seconds):
        function, arguments = self.call
        self.value = function(*arguments)
        return True

    def result(self):
        return self.value


def settle(backend, *futures):
    """Wait until futures are done."""
    deadline = time.monotonic() + 60  # a guard, no measure
    while not all(future.done() for future in futures) and time.monotonic() < deadline:
        backend.wait(futures, 0.0)


# --- in this process --------------------------------------------------------------------------


def test_nothing_is_done_before_somebody_waits():
    backend, done = ThisProcess(), []
    future = backend.submit(Call, done.append, 1)
    assert not done
    assert not future.done()
    backend.wait([future], 0.0)
    assert done == [1]
    assert future.done()


def test_slices_are_taken_one_at_a_time_and_give_the_result():
    backend, Steps.taken = ThisProcess(), 0
    future = backend.submit(Steps, "here")
    for taken in range(1, 11):
        assert not future.done()
        backend.wait([future], 0.0)
        assert Steps.taken == taken
    assert future.result(0) == "here"


def test_one_thing_is_done_after_the_other():
    backend, done = ThisProcess(), []
    futures = [backend.submit(Call, done.append, number) for number in range(3)]
    settle(backend, *futures)
    assert done == [0, 1, 2]


def test_what_is_pending_can_be_cancelled_also_between_two_slices():
    backend, Steps.taken = ThisProcess(), 0
    begun, waiting, last = (backend.submit(Steps, number) for number in range(3))
    backend.wait([begun], 0.0)
    assert begun.cancel()
    assert waiting.cancel()
    settle(backend, last)
    assert last.result(0) == 2
    assert Steps.taken == 1 + 10
    with pytest.raises(CancelledError):
        begun.result(0)


def test_an_exception_goes_into_the_future_and_the_next_is_done():
    backend = ThisProcess()
    bad, worse, good = backend.submit(Steps, None), backend.submit(Call, pow, 0, -1), backend.submit(Call, pow, 2, 2)
    settle(backend, good)
    assert good.result(0) == 4
    assert isinstance(bad.exception(0), ValueError)
    assert isinstance(worse.exception(0), ZeroDivisionError)


def test_at_the_end_what_waits_is_cancelled():
    backend = ThisProcess()
    futures = [backend.submit(Steps, number) for number in range(3)]
    backend.shutdown(finish=True)
    assert all(future.cancelled() for future in futures)


def test_what_a_page_is_interrupted_by_is_not_swallowed():
    class Interrupted(BaseException):
        pass

    def interrupt():
        raise Interrupted

    backend = ThisProcess()
    future = backend.submit(Call, interrupt)
    with pytest.raises(Interrupted):
        backend.wait([future], 0.0)


# --- which one --------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["", " ", "\n"])
def test_without_a_word_work_is_done_here(where):
    assert isinstance(Workers(where).backend(), ThisProcess)
    assert Workers(where).name == "in this process"


@pytest.mark.parametrize(("where", "words"), [("1", "1 process on this machine"), ("4", "4 processes on this machine")])
def test_a_number_is_that_many_processes(where, words):
    workers = Workers(where)
    assert isinstance(workers.backend(), Processes)
    assert workers.backend().workers == int(where)
    assert workers.name == words
    workers.close()


@pytest.mark.parametrize(
    "where", ["0", "-2", "1.5", "many", "tcp://", "http://localhost:1", "localhost:8786", "100000", "²"]
)
def test_anything_else_is_refused_naming_what_is_allowed(where):
    with pytest.raises(ValueError, match=r"whole number of processes .* tcp://") as caught:
        Workers(where)
    assert VARIABLE in str(caught.value)
    assert where in str(caught.value)


def test_the_environment_says_which(monkeypatch):
    monkeypatch.setenv(VARIABLE, "3")
    assert Workers().name == "3 processes on this machine"
    monkeypatch.delenv(VARIABLE)
    assert Workers().name == "in this process"


def test_a_cluster_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"pip install -r requirements-cluster\.txt"):
        Cluster("tcp://127.0.0.1:1")


def test_in_this_process_everybody_has_a_queue_of_their_own_and_processes_are_shared(pool):
    here = Workers("")
    assert here.backend() is not here.backend()
    assert pool.backend() is pool.backend()


# --- processes --------------------------------------------------------------------------------


def environment(name):
    return os.environ.get(name)


def main_program(_):
    return getattr(sys.modules.get("__mp_main__"), "__file__", None)


def test_a_worker_has_one_blas_thread(pool):
    assert pool.backend().submit(Call, environment, "OPENBLAS_NUM_THREADS").result() == "1"


def test_a_worker_does_not_run_the_servers_program_again(monkeypatch, tmp_path):
    # Streamlit makes the page's script the main program while it runs.
    script = tmp_path / "server.py"
    script.write_text("raise SystemExit('the main program was run by a worker')")
    page = ModuleType("__main__")
    page.__file__ = str(script)
    monkeypatch.setitem(sys.modules, "__main__", page)
    backend = Processes(1)
    assert backend.submit(Call, main_program, 0).result(timeout=60) is None
    backend.shutdown(finish=True)
    assert sys.modules["__main__"] is page


SCRIPT = """
    import sys
    sys.path.insert(0, {root!r})
    from explorer import Experiment
    from explorer.sweeps.chunks import Measurement
    from explorer.sweeps.workers import Processes

    backend = Processes(1)
    print("begun", flush=True)
    found = backend.submit(Measurement, (Experiment(depth=2, epochs=5, runs=1),), True).result()
    print("found", len(found), *backend.pool._processes, flush=True)
    {end}
"""


def script(tmp_path, end):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT).format(root=str(ROOT), end=end))
    return [sys.executable, str(path)]


def test_a_plain_script_without_a_guard_can_use_them(tmp_path):
    done = subprocess.run(script(tmp_path, "backend.shutdown(finish=True)"), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("begun") == 1
    assert "found 1" in done.stdout
    assert not done.stderr


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_workers_end_with_their_parent_however_it_ends(tmp_path):
    # Standard error is closed apart: a worker that stayed would hold it open.
    with subprocess.Popen(
        script(tmp_path, "input()"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout.readline() == "begun\n"
        worker = int(parent.stdout.readline().split()[2])
        assert alive(worker)
        parent.kill()
    deadline = time.monotonic() + 60  # a guard, no measure
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(worker)


# --- a sweep under way ------------------------------------------------------------------------

each_sweep = pytest.mark.parametrize("sweep", [SWEEP, START, MIXED], ids=["trained", "start", "impossible cells"])


@each_sweep
def test_in_this_process_every_cell_is_as_measured_alone(sweep, alone):
    run = finish(SweepRun(sweep, Workers(""), {}))
    same_findings(alone(sweep), run.findings)
    assert set(run.problems) == {cell for cell, each in sweep.cells.items() if isinstance(each, str)}


@each_sweep
def test_processes_give_the_same_numbers_bit_for_bit(sweep, alone, pool):
    same_findings(alone(sweep), finish(SweepRun(sweep, pool, {})).findings)


def test_cells_that_are_alike_are_measured_once_and_shown_everywhere(monkeypatch):
    measured = spy(monkeypatch)
    alike = Sweep(SMALL, "learning_rate", (0.1, 1.0), "clip", ("none", "norm"), trained=False)
    run = finish(SweepRun(alike, Workers(""), {}))
    assert len(measured) == 1
    assert set(run.findings) == set(alike.cells)


def spy(monkeypatch, fail=lambda experiment: None):
    """Note which experiments are measured in this process; `fail` may raise."""
    measured = []

    class Spied(Measurement):
        def __init__(self, experiments, trained):
            measured.extend(experiments)
            for experiment in experiments:
                fail(experiment)
            super().__init__(experiments, trained)

    monkeypatch.setattr(sweep_runs, "Measurement", Spied)
    return measured


def test_progress_grows_to_1_and_the_time_left_falls_to_0():
    run = SweepRun(LONGER, Workers(""), {})
    assert run.progress == 0
    assert math.isnan(run.seconds_left)
    seen = []
    while not run.advance(0.05):
        seen.append((run.progress, run.seconds_left))
        assert 0 < sum(map(len, (run.findings, run.problems))) < len(LONGER.cells) or run.progress == 0
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert len(set(shares)) > 3
    assert all(left >= 0 for _, left in seen if not math.isnan(left))
    assert (run.progress, run.seconds_left) == (1.0, 0.0)


def test_what_is_known_is_not_measured_again(monkeypatch, alone):
    known = {(SWEEP.cells[cell], True): found for cell, found in alone(SWEEP).items() if cell[0] < 2}
    measured, count = spy(monkeypatch), len(known)
    run = SweepRun(SWEEP, Workers(""), known)
    assert len(run.findings) == count
    finish(run)
    assert set(measured) == {each for cell, each in SWEEP.cells.items() if cell[0] >= 2}
    assert len(known) == len(SWEEP.cells)
    again = SweepRun(SWEEP, Workers(""), known)
    assert again.complete
    same_findings(run.findings, again.findings)


def test_what_becomes_known_meanwhile_is_not_measured_either(monkeypatch):
    known, measured = {}, spy(monkeypatch)
    one, other = SweepRun(SWEEP, Workers(""), known), SweepRun(SWEEP, Workers(""), known)
    finish(one)
    count = len(measured)
    finish(other)
    assert len(measured) == count
    same_findings(one.findings, other.findings)


def test_what_was_only_begun_is_not_taken_for_trained():
    known = {}
    gains = ("depth", (2, 3), "gain", (1.0, 2.0))
    finish(SweepRun(Sweep(SMALL.but(epochs=6000), *gains, trained=False), Workers(""), known))
    assert not SweepRun(Sweep(SMALL.but(epochs=6000), *gains, trained=True), Workers(""), known).findings


@pytest.mark.parametrize("where", ["", "2"])
def test_a_cancel_is_answered_at_once_keeps_what_is_done_and_can_be_resumed(where, alone, pool):
    run = SweepRun(LONGER, pool if where else Workers(""), {})
    run.advance(0.0)  # starts processes
    longest = 0.0
    while len(run.findings) < 4:
        begun = time.thread_time()
        run.advance(0.1)
        longest = max(longest, time.thread_time() - begun)
    begun = time.thread_time()
    run.cancel()
    assert time.thread_time() - begun < 0.1
    assert longest < 0.3
    kept = dict(run.findings)
    assert not run.complete
    finish(run)
    assert all(run.findings[cell] is found for cell, found in kept.items())
    same_findings(alone(LONGER), run.findings)


def test_an_abandoned_sweep_stops_by_itself(pool):
    run = SweepRun(LONGER, pool, {})
    run.advance(0.0)
    assert len(run._running) <= 4
    handed = list(run._running)
    deadline = time.monotonic() + 120  # a guard, no measure
    while not all(future.done() for future in handed) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(run._running) == handed


# --- what goes wrong --------------------------------------------------------------------------


def test_one_cell_that_fails_is_named_and_the_others_are_measured(monkeypatch, alone):
    guilty = SWEEP.cells[1, 2]

    def fail(experiment):
        if experiment == guilty:
            raise FloatingPointError("a bad number")

    spy(monkeypatch, fail)
    run = finish(SweepRun(SWEEP, Workers(""), {}))
    assert run.problems == {(1, 2): "FloatingPointError: a bad number"}
    same_findings({cell: found for cell, found in alone(SWEEP).items() if cell != (1, 2)}, run.findings)
    assert run.progress == 1.0


def test_workers_that_cannot_be_had_are_reported_and_nothing_is_lost(alone):
    class Late(Workers):
        tries = 0

        def backend(self):
            Late.tries += 1
            if Late.tries < 3:
                raise ConnectionError("nobody answers")
            return super().backend()

    run = SweepRun(SWEEP, Late(""), {})
    for _ in range(2):
        with pytest.raises(ConnectionError):
            run.advance(0.1)
    same_findings(alone(SWEEP), finish(run).findings)


def handed_to_processes(monkeypatch):
    """Note, in order, what is handed to process pools."""
    handed, submit = [], Processes.submit

    def noting(self, make, *arguments):
        handed.extend(arguments[0])
        return submit(self, make, *arguments)

    monkeypatch.setattr(Processes, "submit", noting)
    return handed


@pytest.mark.long  # a worker of a cluster in every run, in test_cluster, and here one that a cell kills
def test_a_process_killed_in_mid_sweep_costs_no_finished_cell(monkeypatch, alone):
    handed, workers = handed_to_processes(monkeypatch), Workers("2")
    run = SweepRun(LONGER, workers, {})
    while len(run.findings) < 8:
        run.advance(0.02)
    finished, before = dict(run.findings), len(handed)
    os.kill(next(iter(workers.backend().pool._processes)), signal.SIGKILL)
    finish(run)
    workers.close()
    assert not run.problems
    same_findings(alone(LONGER), run.findings)
    assert all(run.findings[cell] is found for cell, found in finished.items())
    assert not {LONGER.cells[cell] for cell in finished} & set(handed[before:])
    assert len(handed) > len(set(handed))  # what was under way was handed out anew


GUILTY = SMALL.but(depth=2, learning_rate=0.1)


class Deadly(Measurement):
    """What a cell does that needs more memory than there is."""

    def __init__(self, experiments, trained):
        if GUILTY in experiments:
            os.kill(os.getpid(), signal.SIGKILL)
        super().__init__(experiments, trained)


class Hopeless(Measurement):
    """No worker survives it."""

    def __init__(self, experiments, trained):
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_cell_that_kills_its_worker_is_found_out_and_only_this_one_has_a_problem(monkeypatch, alone):
    monkeypatch.setattr(sweep_runs, "Measurement", Deadly)
    sweep = Sweep(SMALL, "depth", (2, 3, 4), "learning_rate", (0.01, 0.1, 1.0), trained=True)
    workers = Workers("2")
    run = finish(SweepRun(sweep, workers, {}))
    workers.close()
    assert list(run.problems) == [(0, 1)]
    assert f"lost {MAX_LOST} times" in run.problems[0, 1]
    same_findings({cell: found for cell, found in alone(sweep).items() if cell != (0, 1)}, run.findings)


def test_where_every_worker_dies_the_sweep_ends_with_a_sentence(monkeypatch):
    monkeypatch.setattr(sweep_runs, "Measurement", Hopeless)
    monkeypatch.setattr(sweep_runs, "MAX_LOST_IN_A_ROW", 2)
    workers = Workers("1")
    run = finish(SweepRun(SWEEP, workers, {}))
    workers.close()
    assert not run.findings
    assert set(run.problems) == set(SWEEP.cells)
    assert "in a row" in run.problems[0, 0]
    assert MAX_LOST_IN_A_ROW > MAX_LOST


def test_a_pool_that_others_found_broken_is_renewed_once(pool):
    first = pool.backend()
    pool.renew(first)
    second = pool.backend()
    assert second is not first
    pool.renew(first)
    assert pool.backend() is second


def test_nothing_here_is_started_by_an_import():
    assert not [
        thread
        for thread in vars(import_module("explorer.sweeps.workers")).values()
        if isinstance(thread, Workers | Processes)
    ]
