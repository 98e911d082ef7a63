"""A sweep under way: handed out in chunks, gathered as they come, stopped and resumed at will.

It holds no thread. Whoever shows it calls `advance` until it is complete; if nobody does, it stops after the few chunks
that are handed out.
"""

import time
from collections import deque
from collections.abc import Iterable, MutableMapping
from concurrent.futures import BrokenExecutor, CancelledError, Future
from dataclasses import dataclass

from explorer.choices.experiment import Experiment
from explorer.sweeps.chunks import Chunk, Measurement, chunks
from explorer.sweeps.outcomes import Finding
from explorer.sweeps.sweep import Place, Sweep
from explorer.sweeps.workers import Backend, Workers

# Chunks handed out at once, for each worker: the next one must lie ready.
AHEAD = 2
# How often workers may be lost over one cell, and in a row over anything.
MAX_LOST, MAX_LOST_IN_A_ROW = 3, 10
# Between two calls of `advance` the page draws; a longer pause is somebody's absence.
PAUSE = 1.0

Key = tuple[Experiment, bool]


@dataclass
class _Handed:
    """A chunk on its way: `lost` counts the workers that ended while they had nothing else to do."""

    chunk: Chunk
    lost: int = 0
    suspect: bool = False


class SweepRun:
    """A sweep that can be advanced a slice at a time, whoever works.

    What was measured before is taken from `known`, and what is measured is put there. Hold a lock around the calls if there
    is more than one thread.
    """

    def __init__(self, sweep: Sweep, workers: Workers, known: MutableMapping[Key, Finding]) -> None:
        self.sweep, self._workers, self._known = sweep, workers, known
        # Why a cell has no result and will have none.
        self.problems = {cell: reason for cell, reason in sweep.cells.items() if isinstance(reason, str)}
        self.findings: dict[Place, Finding] = {}
        self._measured: set[Experiment] = set()
        self._cells: dict[Experiment, list[Place]] = {}
        for cell, experiment in sweep.cells.items():
            if not isinstance(experiment, str):
                self._cells.setdefault(experiment, []).append(cell)
        self._take_known(self._cells)
        self._waiting = deque(_Handed(chunk) for chunk in chunks(sweep, self._measured))
        self._running: dict[Future, _Handed] = {}
        self._backend: Backend | None = None
        self._work = sum(handed.chunk.seconds for handed in self._waiting)
        self._done = self._spent = 0.0
        self._lost_in_a_row = 0
        self._left_at: float | None = None

    @property
    def complete(self) -> bool:
        """Whether every cell has a result or a problem."""
        return not self._waiting and not self._running

    @property
    def progress(self) -> float:
        """Share of the estimated work that was to be done and is done."""
        return 1.0 if self.complete else min(self._done / self._work, 1.0)

    @property
    def seconds_left(self) -> float:
        """How long it will take at the pace so far; NaN before anything is done."""
        if self.complete:
            return 0.0
        return self._spent * max(self._work - self._done, 0.0) / self._done if self._done else float("nan")

    def advance(self, seconds: float) -> bool:
        """Go on for about `seconds`, gathering what is done; return whether complete.

        Raises ValueError or ConnectionError if there are no workers to be had; nothing is lost, a later call tries again.
        """
        begun = time.perf_counter()
        if self._left_at is not None:
            self._spent += min(begun - self._left_at, PAUSE)
        while not self.complete:
            self._hand_out()
            if self._backend is not None:
                self._backend.wait(self._running, max(begun + seconds - time.perf_counter(), 0.0))
            self._gather()
            if time.perf_counter() >= begun + seconds:
                break
        self._left_at = time.perf_counter()
        self._spent += self._left_at - begun
        return self.complete

    def cancel(self) -> None:
        """Take back what no worker has begun; finished cells stay, and the next `advance` goes on."""
        self._gather()
        for future, handed in list(self._running.items()):
            if future.cancel():
                del self._running[future]
                self._waiting.appendleft(handed)
        self._left_at = None

    def _take_known(self, experiments: Iterable[Experiment]) -> None:
        for experiment in experiments:
            finding = self._known.get((experiment, self.sweep.trained))
            if finding is not None:
                self._put(experiment, finding)

    def _put(self, experiment: Experiment, finding: Finding) -> None:
        self._measured.add(experiment)
        self.findings |= dict.fromkeys(self._cells[experiment], finding)

    def _hand_out(self) -> None:
        """Hand out as much as keeps all workers busy, and a suspect only alone."""
        if self._backend is None:
            self._backend = self._workers.backend()
        window = AHEAD * self._backend.workers
        while self._waiting and len(self._running) < window and not self._must_wait():
            handed = self._waiting.popleft()
            self._take_known(handed.chunk.experiments)
            missing = tuple(e for e in handed.chunk.experiments if e not in self._measured)
            if not missing:
                self._done += handed.chunk.seconds
                continue
            try:
                future = self._backend.submit(Measurement, missing, self.sweep.trained)
            except (BrokenExecutor, RuntimeError):
                self._waiting.appendleft(handed)
                self._gather(lost=True)
                return
            self._running[future] = handed

    def _must_wait(self) -> bool:
        suspects = any(handed.suspect for handed in self._running.values())
        return bool(self._running) and (suspects or self._waiting[0].suspect)

    def _gather(self, *, lost: bool = False) -> None:
        """Keep what is done; `lost`: the backend is known to be broken."""
        broken = []
        for future in [future for future in self._running if future.done()]:
            handed = self._running.pop(future)
            try:
                self._keep(handed, future.result())
            except (BrokenExecutor, CancelledError):
                broken.append(handed)
            except Exception as error:
                self._blame(handed, f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        if broken or lost:
            # With the backend all that it had is lost, also what does not know it yet.
            broken += self._running.values()
            self._running.clear()
            self._try_again(broken)
            self._renew()

    def _keep(self, handed: _Handed, findings: list[Finding]) -> None:
        for finding in findings:
            self._put(finding.experiment, finding)
            self._known[finding.experiment, self.sweep.trained] = finding
        self._done += handed.chunk.seconds
        self._lost_in_a_row = 0

    def _blame(self, handed: _Handed, problem: str) -> None:
        """Note the problem of a single cell; of several, find out whose it is."""
        if len(handed.chunk.experiments) > 1:
            self._waiting.extendleft(_apart(handed))
            return
        self.problems |= dict.fromkeys(self._cells[handed.chunk.experiments[0]], problem)
        self._done += handed.chunk.seconds

    def _try_again(self, broken: list[_Handed]) -> None:
        """Put back what was lost. Who was there when a worker ended is suspect, and tried again alone."""
        for handed in broken:
            handed.suspect = True
            handed.lost += len(broken) == 1
            if handed.lost >= MAX_LOST:
                self._blame(handed, f"the worker was lost {MAX_LOST} times; there may not be enough memory")
            else:
                self._waiting.appendleft(handed)

    def _renew(self) -> None:
        """Let go of a broken backend; give up where workers do nothing but break."""
        if self._backend is not None:
            self._workers.renew(self._backend)
        self._backend = None
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= MAX_LOST_IN_A_ROW:
            problem = f"the workers were lost {MAX_LOST_IN_A_ROW} times in a row"
            for handed in self._waiting:
                for experiment in handed.chunk.experiments:
                    self.problems |= dict.fromkeys(self._cells[experiment], problem)
            self._waiting.clear()


def run_sweep(sweep: Sweep, where: str = "") -> dict[Place, Finding]:
    """Measure every cell of a sweep that is a possible experiment, and return the findings by (column, row).

    `where` is as for `Workers`: empty is this process, a number that many processes, else a Dask scheduler's address.

    >>> from explorer import Experiment
    >>> sweep = Sweep(Experiment(runs=2), "depth", (2, 5), "gain", (1.0, 2.0), trained=False)
    >>> sorted(run_sweep(sweep))
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    workers = Workers(where)
    run = SweepRun(sweep, workers, {})
    try:
        while not run.advance(1.0):
            pass
    finally:
        run.cancel()
        workers.close()
    return run.findings


def _apart(handed: _Handed) -> list[_Handed]:
    """A chunk's cells, each alone."""
    share = handed.chunk.seconds / len(handed.chunk.experiments)
    return [_Handed(Chunk((e,), share), suspect=handed.suspect) for e in handed.chunk.experiments]
