"""Work done in this process, one thing after the other, without threads: a standard executor."""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Protocol

from explorer.sweeps.remote import Cluster, Processes

SLICE = 0.1


class InSlices(Protocol):
    """Work that can be advanced a slice of time at a time; an attribute `in_slices` of a function makes it."""

    def advance(self, seconds: float) -> bool:
        """Go on for about `seconds`; return whether complete."""
        ...

    def result(self) -> Any:
        """Return what the function would have returned."""
        ...


class _Whole:
    """A call that knows no slices: the first one does it all."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call

    def advance(self, seconds: float) -> bool:
        self._result = self._call()
        return True

    def result(self) -> Any:
        return self._result


class _Driven(Future):
    """A future that does its own work when somebody waits for it."""

    def __init__(self, executor: "InTurn") -> None:
        super().__init__()
        self._executor = executor

    def result(self, timeout: float | None = None) -> Any:
        self._drive(timeout)
        return super().result(None if timeout is None else 0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._drive(timeout)
        return super().exception(None if timeout is None else 0)

    def _drive(self, timeout: float | None) -> None:
        deadline = time.perf_counter() + (float("inf") if timeout is None else timeout)
        while not self.done() and time.perf_counter() < deadline:
            self._executor.work(SLICE)


@dataclass
class _Task:
    future: _Driven
    begin: Callable[[], InSlices]
    begun: InSlices | None = None

    def advance(self, seconds: float) -> None:
        """Go on, and settle the future at the end; until then it can be cancelled."""
        try:
            self.begun = self.begun or self.begin()
            if not self.begun.advance(seconds):
                return
            result = self.begun.result()
        except Exception as error:
            if self.future.set_running_or_notify_cancel():
                self.future.set_exception(error)
        else:
            if self.future.set_running_or_notify_cancel():
                self.future.set_result(result)


class InTurn(Executor):
    """Does one thing after the other in this process, without threads, while somebody calls `work`.

    A function with an attribute `in_slices` is advanced in slices, and can be
    cancelled between two of them. Waiting for a future does the work too.

    Examples
    --------
    >>> with InTurn() as executor:
    ...     executor.submit(pow, 2, 5).result()
    32
    """

    workers = 1

    def __init__(self) -> None:
        self._tasks: deque[_Task] = deque()
        self._closed = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Take a call into the queue; nothing is done yet."""
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        in_slices = getattr(fn, "in_slices", None)
        begin = (lambda: in_slices(*args, **kwargs)) if in_slices else lambda: _Whole(lambda: fn(*args, **kwargs))
        task = _Task(_Driven(self), begin)
        self._tasks.append(task)
        return task.future

    def work(self, seconds: float) -> bool:
        """Do the oldest work for about `seconds`, by at least one step; return whether any is left."""
        deadline = time.perf_counter() + seconds
        while self._tasks:
            task = self._tasks[0]
            if not task.future.done():
                task.advance(max(deadline - time.perf_counter(), 0.0))
            if task.future.done():
                self._tasks.popleft()
            if time.perf_counter() >= deadline:
                break
        return bool(self._tasks)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls; do those that wait, or cancel them."""
        self._closed = True
        for task in self._tasks if cancel_futures else ():
            task.future.cancel()
        while wait and self.work(SLICE):
            pass


# --- Where work is done: in this process, by processes of this machine, or by a Dask cluster ---


VARIABLE = "GRADIENT_EXPLORER_WORKERS"
MOST_PROCESSES = 256
ALLOWED = (
    f"must be empty (in this process), a whole number of processes from 1 to {MOST_PROCESSES}, "
    "or the address of a Dask scheduler such as tcp://127.0.0.1:8786"
)


def _read(where: str) -> int | str:
    """Read the configuration: a number of processes, 0 for none, or an address."""
    where = where.strip()
    if not where:
        return 0
    if where.isdecimal() and 1 <= int(where) <= MOST_PROCESSES:
        return int(where)
    if where.startswith(("tcp://", "tls://")) and len(where) > len("tcp://"):
        return where
    raise ValueError(f"{VARIABLE} = {where!r}: {ALLOWED}")


def make_executor(where: str) -> Executor:
    """Make the executor that a configuration asks for.

    Parameters
    ----------
    where : str
        Empty: in this process. A whole number: that many processes. An
        address, tcp://host:port: the Dask scheduler there.

    Raises
    ------
    ValueError, ConnectionError
        Saying what is wrong and what is allowed.
    """
    asked = _read(where)
    if isinstance(asked, str):
        return Cluster(asked)
    return Processes(asked) if asked else InTurn()


def workers_named(where: str) -> str:
    """Say in plain words where work is done."""
    asked = _read(where)
    if isinstance(asked, str):
        return f"the Dask cluster at {asked}"
    if not asked:
        return "in this process"
    return f"{asked} {'process' if asked == 1 else 'processes'} on this machine"


class Workers:
    """Executors for one configuration, made when first asked for.

    Processes and clusters are shared by all who ask, and made anew once shut
    down; work in this process is done for each asker apart.

    Parameters
    ----------
    where : str, optional
        As for `make_executor`; by default what the environment variable GRADIENT_EXPLORER_WORKERS says.
    """

    def __init__(self, where: str | None = None) -> None:
        self.where = os.environ.get(VARIABLE, "") if where is None else where
        self.name = workers_named(self.where)
        self._shared: Executor | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Executor:
        """Return an executor that takes work."""
        if not _read(self.where):
            return InTurn()
        with self._lock:
            if self._shared is None:
                self._shared = make_executor(self.where)
            return self._shared

    def renew(self, lost: Executor) -> None:
        """Let go of an executor that broke; who asks next gets a new one."""
        with self._lock:
            if self._shared is lost:
                self._shared = None
        lost.shutdown(wait=False, cancel_futures=True)

    def close(self) -> None:
        """End the processes, or leave the cluster."""
        with self._lock:
            if self._shared is not None:
                self._shared.shutdown(cancel_futures=True)
            self._shared = None
