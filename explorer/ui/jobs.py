"""Training jobs: shared between sessions, advanced in short slices, and kept when complete.

A job is one experiment's part in a `Training`, with a lock. The page that shows it advances it for a fraction of a
second, draws, and goes on. When a control moves, Streamlit ends the page's script at its next call; the job stays as it
is and is resumed if the setting comes back. A complete job answers at once: it is the cache. Experiments that are
requested together train together if their shapes are equal. Jobs are limited in number and in memory; the least recently
used ones are dropped.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import streamlit as st

from explorer.choices.settings import Settings
from explorer.training.history import History
from explorer.training.run import Training

Measured = TypeVar("Measured")

MAX_JOBS = 160
MAX_BYTES = 1_500_000_000


class SharedTraining:
    """A training, of one experiment or of several of equal shape, and the one lock of their jobs."""

    def __init__(
        self,
        experiments: Sequence[Settings],
        workers: threading.BoundedSemaphore,
        make: Callable[..., Training] = Training,
    ) -> None:
        self.experiments, self._make = tuple(experiments), make
        self.made: Training | None = None
        # The memory it held at its last advance, noted under the lock: others ask while it is letting go of its arrays.
        self.nbytes = 0
        self.lock = threading.Lock()
        self._workers = workers
        self._histories: dict[int, History] = {}  # The latest of each experiment, by its index

    @property
    def training(self) -> Training:
        """The training, made when it is first needed: to be asked for under the lock."""
        if self.made is None:
            self.made = self._make(*self.experiments)
        return self.made

    def advance(
        self, indexes: Sequence[int], seconds: float, go_on: Callable[[], None] = lambda: None
    ) -> list[History]:
        """Train some of the experiments for about `seconds`, at least up to the first record; return their histories.

        Before any work, when it is this caller's turn, `go_on` is called: a caller that was cancelled while waiting
        raises there.
        """
        with self.lock:
            wanted = self.training.of(*indexes)
            if not wanted.complete:
                with self._workers:
                    go_on()
                    wanted.advance(seconds)
                wanted.release()
                self.nbytes = self.training.nbytes
            return [self._history(index) for index in indexes]

    def _history(self, index: int) -> History:
        """Return one experiment's history, the same object as long as nothing is added: what is known of it stays known."""
        kept, made = self._histories.get(index), self.training.history(index)
        seen = None if kept is None else (len(kept.epochs), kept.epochs[-1], kept.endings)
        if kept is None or seen != (len(made.epochs), made.epochs[-1], made.endings):
            self._histories[index] = made
        return self._histories[index]


class Job:
    """One experiment's training, safe to share between sessions."""

    def __init__(self, shared: SharedTraining, index: int) -> None:
        # Of any kind: whoever asked for the job knows which.
        self.experiment: Any = shared.experiments[index]
        self.shared, self.index = shared, index
        # What was found in the complete training, by what was asked.
        self._found: dict[Callable[[Training], Any], Any] = {}

    @property
    def training(self) -> Training:
        """The training as if it were this experiment's alone, made when it is first needed."""
        return self.shared.training.of(self.index)

    def advance(self, seconds: float, go_on: Callable[[], None] = lambda: None) -> History:
        """Train for about `seconds`, at least up to the first record; return what is recorded so far."""
        return self.shared.advance([self.index], seconds, go_on)[0]

    @property
    def progress(self) -> float:
        """The share of the epochs that are done."""
        return 0.0 if self.shared.made is None else self.shared.made.of(self.index).progress

    @property
    def complete(self) -> bool:
        """Whether training has reached the last epoch."""
        return self.shared.made is not None and self.shared.made.of(self.index).complete

    @property
    def begun(self) -> bool:
        """Whether there is a first record."""
        made = self.shared.made
        return made is not None and all(group.record for group in made.groups_of(self.index))

    def ask(self, measure: Callable[[Training], Measured]) -> Measured:
        """Return what `measure` finds in the training as it is now; of a complete one it is asked once."""
        with self.shared.lock:
            if not self.complete:
                return measure(self.training)
            if measure not in self._found:
                self._found[measure] = measure(self.training)
            found: Measured = self._found[measure]
            return found


class Jobs:
    """All jobs of this server.

    At most as many as the machine has cores advance at the same moment; the
    others wait for a slice to end, so that many viewers share fairly.
    """

    def __init__(self) -> None:
        self._jobs: OrderedDict[Hashable, Job] = OrderedDict()  # By experiment, and by what made its training if named
        self._lock = threading.Lock()
        self._workers = threading.BoundedSemaphore(max(os.cpu_count() or 1, 1))
        self._spare = threading.Lock()

    def together(self, experiments: Sequence[Settings]) -> list[Job]:
        """Return the jobs of some experiments, in their order; equal experiments have the same job.

        Those without a job get one, and train together where their shapes are equal.
        """
        asked = dict.fromkeys(experiments)
        with self._lock:
            self._make([experiment for experiment in asked if experiment not in self._jobs])
            for experiment in asked:
                self._jobs.move_to_end(experiment)
            # Never what was asked for just now; and a present experiment and its baseline stay whatever their size.
            self._evict(keep=max(len(asked), 2))
            return [self._jobs[experiment] for experiment in experiments]

    def made_by(self, make: Callable[..., Training], experiment: Settings) -> Job:
        """Return the job of an experiment whose training, made by `make`, is more than the usual one."""
        key = make, experiment
        with self._lock:
            if key not in self._jobs:
                self._jobs[key] = Job(SharedTraining([experiment], self._workers, make), 0)
            self._jobs.move_to_end(key)
            self._evict(keep=2)
            return self._jobs[key]

    @staticmethod
    def advance(jobs: Sequence[Job], seconds: float) -> list[History]:
        """Train some jobs for about `seconds` altogether, each at least up to its first record; return their histories.

        A training is advanced once, however many of the jobs share it, and has as many parts of the
        time as there are incomplete jobs in it. Time that one does not use is left for those after it.
        """
        deadline = time.perf_counter() + seconds
        sharing: dict[SharedTraining, list[Job]] = {}
        for job in dict.fromkeys(jobs):
            sharing.setdefault(job.shared, []).append(job)
        parts = {shared: sum(not job.complete for job in members) for shared, members in sharing.items()}
        rest, trained = sum(parts.values()), dict[Job, History]()
        for shared, members in sharing.items():
            slice_ = (deadline - time.perf_counter()) * parts[shared] / max(rest, 1)
            rest -= parts[shared]
            histories = shared.advance([job.index for job in members], slice_)
            trained.update(zip(members, histories, strict=True))
        return [trained[job] for job in jobs]

    @staticmethod
    def begin(jobs: Sequence[Job], seconds: float, go_on: Callable[[], None] = lambda: None) -> list[History | None]:
        """Take first records, job by job, until the time is over, and at least one if any is missing; return the histories.

        `go_on` is called before each, as of `SharedTraining.advance`.
        """
        deadline, one_more = time.perf_counter() + seconds, True
        histories: list[History | None] = []
        for job in jobs:
            late = not one_more and time.perf_counter() >= deadline
            one_more = one_more and job.begun
            histories.append(job.advance(0.0, go_on) if job.begun or not late else None)
        return histories

    def spare(self, work: Callable[[], None]) -> bool:
        """Do a slice of work that nobody waits for, if a core has nothing else to do; return whether it was done.

        There is one such slice at a time, so that a second core stays free for what somebody waits for.
        """
        if not self._spare.acquire(blocking=False):
            return False
        try:
            if not self._workers.acquire(blocking=False):
                return False
            try:
                work()
            finally:
                self._workers.release()
        finally:
            self._spare.release()
        return True

    def _make(self, experiments: Sequence[Settings]) -> None:
        """Make the jobs of new experiments; those that can train together share a training."""
        alike: dict[Settings, list[Settings]] = {}
        for experiment in experiments:
            alike.setdefault(experiment.shape_key(), []).append(experiment)
        for members in alike.values():
            shared = SharedTraining(members, self._workers)
            for index, experiment in enumerate(members):
                self._jobs[experiment] = Job(shared, index)

    def _evict(self, keep: int) -> None:
        while len(self._jobs) > keep and (len(self._jobs) > MAX_JOBS or self._total() > MAX_BYTES):
            self._jobs.popitem(last=False)

    def _total(self) -> int:
        """The memory of all trainings, each counted once, as long as one of its jobs is here."""
        return sum(shared.nbytes for shared in {job.shared for job in self._jobs.values()})


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Return this server's jobs."""
    return Jobs()
