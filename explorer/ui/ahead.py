"""Ahead of visitors: the compiled kernels get ready while the server answers, and what opens is trained.

Scenarios, scenes and the pages' opening examples are trained while nobody else needs the server.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from explorer.choices.settings import Settings
from explorer.sweeps.sweep import Sweep
from explorer.training import compiled
from explorer.ui.jobs import jobs
from explorer.ui.sweep_jobs import sweep_jobs

# The variable of the environment that, set to "off", leaves everything to be trained when it is asked for.
VARIABLE, OFF = "GRADIENT_EXPLORER_AHEAD", "off"
# A visitor waits at most one such slice; until so long after the last move of any nothing is trained ahead.
SLICE, IDLE_SECONDS = 0.05, 2.0
# On a machine that needs longer the rest waits until somebody asks.
MOST_SECONDS = 300.0

ROOT = Path(__file__).resolve().parents[2]
_started = threading.Event()

# Trains on by one slice at each step.
Ahead = Iterator[None]


def trained(experiments: Sequence[Settings]) -> Ahead:
    """Train what is shown together."""
    mine = jobs().together(experiments)
    while not all(job.complete for job in mine):
        jobs().advance(mine, SLICE)
        yield


def swept(sweep: Sweep) -> Ahead:
    """Train the nets of a sweep."""
    job = sweep_jobs().get(sweep)
    while not job.advance(SLICE).complete:
        yield


class Quiet:
    """Whether the server has nothing else to do: a script that runs says that it has."""

    def __init__(self) -> None:
        self._last = -IDLE_SECONDS

    def disturb(self) -> None:
        """Note that a visitor is here."""
        self._last = time.monotonic()

    def wait(self) -> None:
        """Return when no visitor has moved for a while."""
        while (left := self._last + IDLE_SECONDS - time.monotonic()) > 0:
            time.sleep(left)


QUIET = Quiet()


def train_ahead(works: Iterable[Ahead]) -> None:
    """Train one after the other, most wanted first, whenever the server has nothing else to do."""
    spent = 0.0
    for work in works if os.environ.get(VARIABLE) != OFF else ():
        while spent < MOST_SECONDS:
            QUIET.wait()
            start = time.monotonic()
            if next(work, OFF) is OFF:
                break
            spent += time.monotonic() - start


def prepare(works: Iterable[Ahead] = ()) -> None:
    """Compile the kernels, once a machine, in a process of low priority, then load them, and train ahead; returns at once."""
    if not _started.is_set():
        _started.set()
        threading.Thread(target=_prepare, args=(works,), name="ahead", daemon=True).start()


def _prepare(works: Iterable[Ahead]) -> None:
    if find_spec("numba") and os.environ.get(compiled.VARIABLE) != compiled.OFF:
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        command = f"import os; getattr(os, 'nice', int)(10); import {compiled.KERNEL}"
        # Whatever goes wrong there goes wrong here too, and is told once.
        subprocess.run(
            [sys.executable, "-c", command], env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=False
        )
    compiled.KERNELS.load()
    train_ahead(works)
