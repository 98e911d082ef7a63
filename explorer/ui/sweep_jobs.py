"""Sweeps and their findings: shared between sessions, advanced in short slices, and kept when complete."""

import math
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

from explorer.figures.sweep import Swept
from explorer.sweeps.outcomes import Finding
from explorer.sweeps.sweep import Sweep
from explorer.sweeps.sweep_run import Key, SweepRun
from explorer.sweeps.workers import Workers
from explorer.ui.plain_text import verbatim

MAX_RUNS = 8
# A finding is a few kilobytes.
MAX_FINDINGS = 20_000


class FindingCache(OrderedDict[Key, Finding]):
    """Findings by experiment; of too many, the oldest are dropped first."""

    def __setitem__(self, key: Key, finding: Finding) -> None:
        super().__setitem__(key, finding)
        while len(self) > MAX_FINDINGS:
            self.popitem(last=False)


@dataclass(frozen=True, eq=False)
class SweepState(Swept):
    """What a `SweepRun` has found up to one moment; it does not change any more."""

    progress: float  # Share of the work done
    seconds_left: float  # NaN before it is known
    complete: bool


class SweepJob:
    """One sweep, safe to share between sessions."""

    def __init__(self, sweep: Sweep, workers: Workers, known: FindingCache) -> None:
        self._sweep, self._workers, self._known = sweep, workers, known
        self._run: SweepRun | None = None
        self._lock = threading.Lock()

    def advance(self, seconds: float) -> SweepState:
        """Continue for about `seconds`; 0 only reads the present state.

        Raises ValueError or ConnectionError if no workers are available.
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
        """Cancel what no worker has begun; what is finished stays."""
        with self._lock:
            if self._run is not None:
                self._run.cancel()


class SweepJobs:
    """All sweeps of this server, and the workers they share."""

    def __init__(self) -> None:
        self.workers = Workers()
        self._known = FindingCache()
        self._jobs: OrderedDict[Sweep, SweepJob] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, sweep: Sweep) -> SweepJob:
        """Return the job of a sweep, a new one if there is none; the least recently used jobs are dropped."""
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


# --- Sweeps on a page: progress, time left, stop and resume ---


FIRST_SLICE = 0.15
STOPPED_KEY = "_stopped"


class Sweeps:
    """The sweeps that a page shows, as `training_loop.Work`, and whether a person stopped them: these, and no others."""

    def __init__(self, sweeps: Iterable[Sweep]) -> None:
        self._sweeps = tuple(dict.fromkeys(sweeps))
        self._jobs = [sweep_jobs().get(sweep) for sweep in self._sweeps]
        self._place = st.empty()
        self._stopped = st.session_state.get(STOPPED_KEY) == self._sweeps
        self._problem = ""
        self.advance(0.0 if self._stopped else FIRST_SLICE)
        if self._problem:
            st.error(f"{self._problem}. All results so far are shown; nothing is lost.")
        if not self.complete:
            self._draw_row()

    def advance(self, seconds: float) -> None:
        """Continue for about `seconds` altogether; 0 only reads the present state."""
        try:
            self.states = [job.advance(seconds / len(self._jobs)) for job in self._jobs]
        except (ValueError, ConnectionError) as error:
            self._problem, self._stopped = verbatim(error), True
            self.states = [job.advance(0.0) for job in self._jobs]

    @property
    def complete(self) -> bool:
        """Whether every cell is measured."""
        return all(state.complete for state in self.states)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do, or a person or a problem has stopped it."""
        return self.complete or self._stopped

    @property
    def results(self) -> int:
        """The number of cells that have a finding or a problem."""
        return sum(len(state.findings) + len(state.problems) for state in self.states)

    @property
    def lacks_first(self) -> bool:
        """Whether no cell has a finding or a problem yet."""
        return not self.results

    def _draw_row(self) -> None:
        """Draw progress, time left and the button that stops or resumes."""
        with self._place.container(horizontal=True, vertical_alignment="center", gap="small"):
            self._bar = st.empty()
            st.button(
                "Resume" if self._stopped else "Stop",
                key="sweep_stop",
                icon=":material/play_arrow:" if self._stopped else ":material/stop:",
                on_click=self._resume if self._stopped else self._stop,
            )
        self.show_progress()

    def show_progress(self) -> None:
        """Draw the progress bar."""
        share = sum(state.progress for state in self.states) / len(self.states)
        self._bar.progress(share, text=self._words())

    def _words(self) -> str:
        cells = sum(len(state.sweep.cells) - len(state.problems) for state in self.states)
        done = f"{sum(len(state.findings) for state in self.states):,} of {cells:,} done"
        if self._stopped:
            return f"Stopped: {done}"
        left = sum(state.seconds_left for state in self.states)
        told = "" if math.isnan(left) else f", about {_time(left)} left"
        return f"{done}{told}, {sweep_jobs().workers.name}"

    def _stop(self) -> None:
        st.session_state[STOPPED_KEY] = self._sweeps
        for job in self._jobs:
            job.cancel()

    def _resume(self) -> None:
        st.session_state.pop(STOPPED_KEY, None)


def _time(seconds: float) -> str:
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"
