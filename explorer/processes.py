"""Work done by processes of this machine: a standard executor that can be started from anywhere."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class Processes(ProcessPoolExecutor):
    """A process pool that can be started from anywhere: from a threaded server, a test, a script.

    Workers are fresh interpreters with one BLAS thread each. They do not run
    the caller's main program again, which under a server would be the server's,
    and end with their parent.
    """

    def __init__(self, workers: int) -> None:
        # Inherited by the workers, where NumPy is not imported yet.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        super().__init__(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
        self.workers = workers

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Hand a call to the pool; a process is started here if none is idle."""
        with _no_main_program():
            return super().submit(fn, *args, **kwargs)


_main_lock = threading.Lock()


@contextmanager
def _no_main_program() -> Iterator[None]:
    """Hide the main program: a process that starts would import it, for the sake of functions defined there."""
    with _main_lock:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _begin() -> None:
    """In a worker, before its first task: leave Ctrl-C to the parent, and end when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
