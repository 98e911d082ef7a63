"""Work done by processes of this machine: a standard executor that can be started from anywhere."""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib import import_module
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


# --- Work done by the workers of a Dask scheduler: a standard executor. Dask is an optional extra ---


ANSWER_SECONDS = 5.0


class Cluster(Executor):
    """The workers of a Dask scheduler.

    Raises
    ------
    ValueError
        If `distributed` is not installed.
    ConnectionError
        If nobody answers at the address, no worker has joined, or the workers do not find this package.
    """

    def __init__(self, address: str) -> None:
        try:
            distributed = import_module("distributed")
        except ImportError:
            raise ValueError(
                f"{address} asks for a Dask cluster: install what it needs, pip install -r requirements-cluster.txt"
            ) from None
        try:
            self._client = distributed.Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
        except (OSError, TimeoutError):
            raise ConnectionError(f"nobody answers at {address}: is a Dask scheduler running there?") from None
        try:
            self._check(address)
        except BaseException:
            self._client.close()
            raise
        self._executor = self._client.get_executor(pure=False)
        self._counted = -float("inf")

    def _check(self, address: str) -> None:
        try:
            self._client.wait_for_workers(1, timeout=ANSWER_SECONDS)
            self._client.run(_answer)
        except TimeoutError:
            raise ConnectionError(f"the Dask scheduler at {address} has no workers yet") from None
        except Exception as problem:  # whatever a worker says, Dask raises as it likes
            raise ConnectionError(
                f"the workers of {address} cannot do this app's work ({problem}); start them in its folder"
            ) from None

    @property
    def workers(self) -> int:
        """Threads of all workers, counted anew every few seconds: workers come and go."""
        if time.monotonic() - self._counted > ANSWER_SECONDS:
            self._count, self._counted = max(sum(self._client.nthreads().values()), 1), time.monotonic()
        return self._count

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Hand a call to the cluster."""
        return self._executor.submit(pickle.loads, pickle.dumps(_Packed(partial(fn, **kwargs), args)))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, which goes on without us."""
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()


class _Packed:
    """A call that is made where it is unpickled: the scheduler hands on bytes, and needs nothing of this package."""

    def __init__(self, call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self._made = call, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._made


def _answer() -> bool:
    return True
