"""Who does a sweep's work: this process, processes of this machine, or a Dask cluster, behind one small interface."""

import math
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from explorer.training.compiled import KERNELS

VARIABLE = "GRADIENT_EXPLORER_WORKERS"
MOST_PROCESSES = 256
ALLOWED = (
    f"must be empty (in this process), a whole number of processes from 1 to {MOST_PROCESSES}, "
    "or the address of a Dask scheduler such as tcp://127.0.0.1:8786"
)
# How long a scheduler has to answer.
ANSWER_SECONDS = 5.0


class Work(Protocol):
    """Work that can be advanced a slice of time at a time."""

    def advance(self, seconds: float) -> bool:
        """Go on for about `seconds`, by at least one step; return whether complete."""
        ...

    def result(self) -> Any:
        """Return what was found; only when complete."""
        ...


class Backend(ABC):
    """What does the work."""

    workers: int  # How many pieces of work it does at the same time

    @abstractmethod
    def submit(self, make: Callable[..., Work], *arguments: Any) -> Future:
        """Take `make(*arguments)` as work to do; the future holds its result."""

    def wait(self, futures: Collection[Future], seconds: float) -> None:
        """Return when one of the futures is done, or after about `seconds`."""
        wait(futures, timeout=seconds, return_when=FIRST_COMPLETED)

    @abstractmethod
    def shutdown(self, *, finish: bool) -> None:
        """End; wait for what has begun if `finish`. What has not begun is cancelled."""


def complete(make: Callable[..., Work], *arguments: Any) -> Any:
    """Do work from start to end: what a worker elsewhere runs."""
    KERNELS.load()
    work = make(*arguments)
    work.advance(math.inf)
    return work.result()


class ThisProcess(Backend):
    """Does one piece of work after the other, without threads, while somebody waits; each can be cancelled at any time."""

    workers = 1

    def __init__(self) -> None:
        self._waiting: deque[tuple[Future, Callable[[], Work]]] = deque()
        self._begun: Work | None = None  # The oldest work, if it has begun

    def submit(self, make: Callable[..., Work], *arguments: Any) -> Future:
        """Take work into the queue; nothing is done yet."""
        future: Future = Future()
        self._waiting.append((future, partial(make, *arguments)))
        return future

    def wait(self, futures: Collection[Future], seconds: float) -> None:
        """Do the oldest work for about `seconds`, by at least one step, until some is done."""
        deadline, done = time.perf_counter() + seconds, False
        while self._waiting and not done:
            future, make = self._waiting[0]
            done = not future.cancelled() and self._advance(future, make, max(deadline - time.perf_counter(), 0.0))
            if future.done():
                self._waiting.popleft()
                self._begun = None
            if time.perf_counter() >= deadline:
                return

    def _advance(self, future: Future, make: Callable[[], Work], seconds: float) -> bool:
        """Go on with the oldest work; return whether its future is settled."""
        try:
            self._begun = self._begun or make()
            if not self._begun.advance(seconds):
                return False
            future.set_result(self._begun.result())
        except Exception as error:
            future.set_exception(error)
        return True

    def shutdown(self, *, finish: bool) -> None:
        """Cancel whatever waits."""
        for future, _ in self._waiting:
            future.cancel()


class Processes(Backend):
    """Processes that can be started from anywhere: from a threaded server, a test, a script.

    They are fresh interpreters with one BLAS thread each and end with their parent. They do not run the caller's main
    program again, which under a server would be the server's.
    """

    def __init__(self, workers: int) -> None:
        # Inherited by the workers, where NumPy is not imported yet.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        self.pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_begin)
        self.workers = workers

    def submit(self, make: Callable[..., Work], *arguments: Any) -> Future:
        """Hand work to the pool; a process is started here if none is idle."""
        with _no_main_program():
            return self.pool.submit(complete, make, *arguments)

    def shutdown(self, *, finish: bool) -> None:
        """End the processes."""
        self.pool.shutdown(wait=finish, cancel_futures=True)


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


class Cluster(Backend):
    """The workers of a Dask scheduler; Dask is an optional extra.

    Raises ValueError if `distributed` is not installed, and ConnectionError if nobody answers at the address, no worker has
    joined, or the workers do not find this package.
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
        self._counted = -math.inf

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
    def workers(self) -> int:  # type: ignore[override]
        """Threads of all workers, counted anew every few seconds: workers come and go.

        Raises ConnectionError if the scheduler is gone.
        """
        if time.monotonic() - self._counted > ANSWER_SECONDS:
            try:
                threads = self._client.nthreads()
            except (OSError, TimeoutError) as problem:  # Dask's own are of these kinds
                raise ConnectionError(f"the Dask scheduler is gone ({problem})") from None
            self._count, self._counted = max(sum(threads.values()), 1), time.monotonic()
        return self._count

    def submit(self, make: Callable[..., Work], *arguments: Any) -> Future:
        """Hand work to the cluster."""
        return self._executor.submit(pickle.loads, pickle.dumps(_Packed(make, *arguments)))

    def shutdown(self, *, finish: bool) -> None:
        """Leave the cluster, which goes on without us."""
        self._executor.shutdown(wait=False)
        self._client.close()


class _Packed:
    """Work that is done where it is unpickled: the scheduler hands on bytes, and needs nothing of this package."""

    def __init__(self, *work: Any) -> None:
        self._work = work

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return complete, self._work


def _answer() -> bool:
    return True


def _read(where: str) -> tuple[str, Callable[[], Backend]]:
    """Read the configuration: where work is done, in plain words, and what makes the backend."""
    where = where.strip()
    if not where:
        return "in this process", ThisProcess
    if where.isdecimal() and 1 <= int(where) <= MOST_PROCESSES:
        count = int(where)
        return f"{count} {'process' if count == 1 else 'processes'} on this machine", lambda: Processes(count)
    if where.startswith(("tcp://", "tls://")) and len(where) > len("tcp://"):
        return f"the Dask cluster at {where}", lambda: Cluster(where)
    raise ValueError(f"{VARIABLE} = {where!r}: {ALLOWED}")


class Workers:
    """Those who work for everybody on this server: a backend, made when it is first needed and anew where it broke.

    `where` is empty for this process, a whole number for that many processes, or the address of a Dask scheduler,
    tcp://host:port; by default what the environment variable GRADIENT_EXPLORER_WORKERS says. A ValueError says what is allowed.
    """

    def __init__(self, where: str | None = None) -> None:
        self.name, self._make = _read(os.environ.get(VARIABLE, "") if where is None else where)
        self._shared: Backend | None = None
        self._lock = threading.Lock()

    def backend(self) -> Backend:
        """Return a backend that takes work: one for all who ask, but in this process one for each.

        Raises ValueError or ConnectionError if it cannot be had.
        """
        if self._make is ThisProcess:
            return ThisProcess()
        with self._lock:
            if self._shared is None:
                self._shared = self._make()
            return self._shared

    def renew(self, broken: Backend) -> None:
        """Let go of a backend that broke; who asks next gets a new one."""
        with self._lock:
            if self._shared is broken:
                self._shared = None
        broken.shutdown(finish=False)

    def close(self) -> None:
        """End the processes, or leave the cluster."""
        with self._lock:
            if self._shared is not None:
                self._shared.shutdown(finish=True)
            self._shared = None
