"""Training jobs: shared between sessions, advanced a slice at a time, kept when complete.

A job is a `Training` and a lock. The page that shows it advances it for a
fraction of a second, draws, and goes on; when a control moves, Streamlit ends
that page's script at its next call and the job simply stays where it is, to be
resumed if the setting comes back. A complete job answers at once: it is the
cache. Jobs are bounded in number and in memory; the least recently used go.
"""

import os
import threading
from collections import OrderedDict

import streamlit as st

from explorer.answers import AnswerMap, answer_map
from explorer.experiment import Experiment
from explorer.history import History
from explorer.training import Training

SLICE = 0.1
MAX_JOBS = 64
MAX_BYTES = 1_500_000_000


class Job:
    """One experiment's training, safe to share between sessions; `nbytes` is the memory it holds."""

    def __init__(self, experiment: Experiment, workers: threading.BoundedSemaphore) -> None:
        self.experiment = experiment
        self._training: Training | None = None
        # Noted under the lock: others ask while a training is letting go of its arrays.
        self.nbytes = 0
        self._lock = threading.Lock()
        self._workers = workers

    @property
    def training(self) -> Training:
        """The training, made when it is first needed."""
        if self._training is None:
            self._training = Training(self.experiment)
        return self._training

    def advance(self, seconds: float = SLICE) -> History:
        """Train for about `seconds`, at least up to the first record; return what is recorded so far."""
        with self._lock:
            if not self.training.complete:
                with self._workers:
                    self.training.advance(seconds)
                self.training.release()
                self.nbytes = self.training.nbytes
            return self.training.history()

    @property
    def progress(self) -> float:
        """Share of the epochs done."""
        return self.training.progress

    def answer_map(self) -> AnswerMap:
        """What the typical net answers now, over the plane or the line."""
        with self._lock:
            return answer_map(self.training)


class Jobs:
    """All jobs of this server.

    At most as many as the machine has cores advance at the same moment; the
    others wait for a slice to end, so that many viewers share fairly.
    """

    def __init__(self) -> None:
        self._jobs: OrderedDict[Experiment, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._workers = threading.BoundedSemaphore(max(os.cpu_count() or 1, 1))

    def get(self, experiment: Experiment) -> Job:
        """Return the job of an experiment, a new one if there is none."""
        with self._lock:
            job = self._jobs.pop(experiment, None) or Job(experiment, self._workers)
            self._jobs[experiment] = job
            self._evict()
            return job

    def _evict(self) -> None:
        while len(self._jobs) > MAX_JOBS or (len(self._jobs) > 2 and self._total() > MAX_BYTES):
            self._jobs.popitem(last=False)

    def _total(self) -> int:
        return sum(job.nbytes for job in self._jobs.values())

    def __len__(self) -> int:
        return len(self._jobs)


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """Return this server's jobs."""
    return Jobs()
