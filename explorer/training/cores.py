"""Cores: runs side by side in threads, as kernels give Python's lock away while they compute."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

# Runs that take less altogether are done one after the other: to hand them over would take as long.
WORTH_SECONDS = 0.002

Made = TypeVar("Made")


def _available() -> int:
    """How many cores runs are shared out over: all but one, which is the server's; in a worker of a sweep one."""
    if multiprocessing.parent_process() is not None:
        return 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(allowed - 1, 1)


CORES, THREAD = _available(), "kernel"


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CORES, thread_name_prefix=THREAD)


def of_each(work: Callable[[int], Made], runs: Sequence[int], seconds: float) -> list[Made]:
    """Return what `work`, mostly done in kernels, makes of each run; side by side, if it takes so many `seconds` that this pays."""
    alone = CORES == 1 or len(runs) == 1 or seconds < WORTH_SECONDS
    if alone or threading.current_thread().name.startswith(THREAD):  # these do not wait for each other
        return [work(run) for run in runs]
    return list(_threads().map(work, runs))
