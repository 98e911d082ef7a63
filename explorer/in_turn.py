"""Work done in this process, one thing after the other, without threads: a standard executor."""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Protocol

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
