"""Sweeps under way and what they found: shared between sessions, advanced a slice at a time, kept when complete."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from explorer.executors import Workers
from explorer.outcomes import Finding
from explorer.sweep import Cell, Sweep
from explorer.sweep_runs import Key, SweepRun

MAX_RUNS = 8
# A finding is a few kilobytes.
MAX_FINDINGS = 20_000


class Known(OrderedDict[Key, Finding]):
    """What was found, by experiment; the oldest go first."""

    def __setitem__(self, key: Key, found: Finding) -> None:
        super().__setitem__(key, found)
        while len(self) > MAX_FINDINGS:
            self.popitem(last=False)


@dataclass(frozen=True, eq=False)
class SweepState:
    """A sweep at a moment; as a `SweepRun`, but it stands still.

    Attributes
    ----------
    sweep : Sweep
    findings : dict of (column, row) to Finding
    problems : dict of (column, row) to str
    progress : float
        Share of the work done; 1 when complete.
    seconds_left : float
        NaN before it is known.
    complete : bool
    """

    sweep: Sweep
    findings: Mapping[Cell, Finding]
    problems: Mapping[Cell, str]
    progress: float
    seconds_left: float
    complete: bool


class SweepJob:
    """One sweep, safe to share between sessions."""

    def __init__(self, sweep: Sweep, workers: Workers, known: Known) -> None:
        self._sweep, self._workers, self._known = sweep, workers, known
        self._run: SweepRun | None = None
        self._lock = threading.Lock()

    def advance(self, seconds: float) -> SweepState:
        """Go on for about `seconds`; 0 only looks.

        Raises
        ------
        ValueError, ConnectionError
            If there are no workers to be had.
        """
        with self._lock:
            self._run = self._run or SweepRun(self._sweep, self._workers, self._known)
            if seconds and not self._run.complete:
                self._run.advance(seconds)
            run = self._run
            return SweepState(
                run.sweep, dict(run.findings), dict(run.problems), run.progress, run.seconds_left, run.complete
            )

    def cancel(self) -> None:
        """Take back what no worker has begun; what is finished stays."""
        with self._lock:
            if self._run is not None:
                self._run.cancel()


class SweepJobs:
    """All sweeps of this server, and the workers they share."""

    def __init__(self) -> None:
        self.workers = Workers()
        self._known = Known()
        self._jobs: OrderedDict[Sweep, SweepJob] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, sweep: Sweep) -> SweepJob:
        """Return the job of a sweep, a new one if there is none; the least recently used go."""
        with self._lock:
            job = self._jobs.pop(sweep, None) or SweepJob(sweep, self.workers, self._known)
            self._jobs[sweep] = job
            while len(self._jobs) > MAX_RUNS:
                self._jobs.popitem(last=False)[1].cancel()
            return job


@st.cache_resource(show_spinner=False)
def sweep_jobs() -> SweepJobs:
    """Return this server's sweeps."""
    return SweepJobs()
