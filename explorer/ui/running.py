"""Sweeps under way and what they found: shared between sessions, advanced a slice at a time, kept when complete."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.sweeps.outcomes import Finding
from explorer.sweeps.sweep import Cell, Sweep
from explorer.sweeps.sweep_run import Key, SweepRun
from explorer.sweeps.workers import Workers

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


# --- Sweeps on a page: progress, time left, stop and resume, and the loop that advances and repaints ---


SLICE, FIRST_SLICE = 0.1, 0.15
STOPPED_KEY = "_stopped"


class Running:
    """The sweeps that a page shows, and whether a person stopped them.

    Parameters
    ----------
    jobs : sequence of SweepJob
    name : hashable
        What is stopped when a person stops it; another choice of settings has another name, and runs.
    """

    def __init__(self, jobs: Sequence[SweepJob], name: Hashable) -> None:
        self.jobs, self.name = jobs, name
        self.place = st.empty()
        self.stopped = st.session_state.get(STOPPED_KEY) == name
        self.problem = ""
        self.states = self._advance(0.0 if self.stopped else FIRST_SLICE)
        self._show()

    def _advance(self, seconds: float) -> list[SweepState]:
        try:
            todo = [job for job in self.jobs]
            return [job.advance(seconds / len(todo)) for job in todo]
        except (ValueError, ConnectionError) as error:
            self.problem, self.stopped = str(error), True
            return [job.advance(0.0) for job in self.jobs]

    @property
    def complete(self) -> bool:
        """Whether there is nothing left to do."""
        return all(state.complete for state in self.states)

    def _show(self) -> None:
        """Draw progress, time left and the button that stops or resumes; nothing when complete."""
        if self.problem:
            st.error(f"{self.problem}. What was found is shown; nothing is lost.")
        if self.complete:
            return
        with self.place.container(horizontal=True, vertical_alignment="center", gap="small"):
            self._bar = st.empty()
            st.button(
                "Resume" if self.stopped else "Stop",
                key="sweep_stop",
                icon=":material/play_arrow:" if self.stopped else ":material/stop:",
                on_click=self._resume if self.stopped else self._stop,
            )
        self._draw_bar()

    def _draw_bar(self) -> None:
        share = sum(state.progress for state in self.states) / len(self.states)
        self._bar.progress(share, text=self._words())

    def _words(self) -> str:
        cells = sum(len(state.sweep.cells) - len(state.problems) for state in self.states)
        done = f"{sum(len(state.findings) for state in self.states):,} of {cells:,} done"
        if self.stopped:
            return f"Stopped: {done}"
        left = sum(state.seconds_left for state in self.states)
        told = "" if math.isnan(left) else f", about {_time(left)} left"
        return f"{done}{told}, {sweep_jobs().workers.name}"

    def _stop(self) -> None:
        st.session_state[STOPPED_KEY] = self.name
        for job in self.jobs:
            job.cancel()

    def _resume(self) -> None:
        st.session_state.pop(STOPPED_KEY, None)

    def go_on(self, repaint: float) -> None:
        """Advance in slices, and run the page again when there is something new to paint; the last thing a page does.

        Every slice ends in a Streamlit call: there the script stops when a control has moved or the button is pressed.
        """
        painted, before = time.perf_counter(), self._found()
        while not self.complete and not self.stopped:
            self.states = self._advance(SLICE)
            if self.problem:
                st.rerun()
            self._draw_bar()
            new = self._found() > before
            # The first results are shown at once, later ones now and then.
            if self.complete or (new and (not before or time.perf_counter() - painted > repaint)):
                st.rerun()

    def _found(self) -> int:
        return sum(len(state.findings) + len(state.problems) for state in self.states)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} minutes"


def jobs_of(*sweeps: Any) -> list[SweepJob]:
    """Return the jobs of some sweeps, each once."""
    return [sweep_jobs().get(sweep) for sweep in dict.fromkeys(sweeps)]
