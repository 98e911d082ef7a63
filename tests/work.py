"""Work counted, not timed: a test that times anything fails on a busy machine."""

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest


class Clock:
    """A clock that goes on by one tick, in seconds, whenever somebody looks at it."""

    def __init__(self, tick: float = 1e-3) -> None:
        self.now, self.tick = 0.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now


@pytest.fixture
def clock(monkeypatch):
    """Everything that asks for the time gets a `Clock`'s, as soon as this is called for."""
    ticking = Clock()
    monkeypatch.setattr(time, "perf_counter", ticking)
    return ticking


def calls(work: Callable[[], Any]) -> int:
    """How many functions are called, those written in C too: the same on every machine."""
    counted = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted
