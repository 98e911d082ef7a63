"""Work counted, not timed: a test that times anything fails on a busy machine."""

import sys
import time
from collections.abc import Callable, Container, Iterable
from functools import cache
from itertools import combinations, product
from typing import Any

import pytest

from explorer import train
from explorer.sweeps.descent import Descent, Path, side_by_side
from explorer.training.compiled import OFF, VARIABLE


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


@pytest.fixture(scope="module")
def history():
    """What training an experiment gives, once for all tests of a module."""
    return cache(train)


@pytest.fixture
def in_numpy(monkeypatch):
    """Every training is NumPy's, whose steps can be looked at one by one."""
    monkeypatch.setenv(VARIABLE, OFF)


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


def few(values: Iterable[Any], often: Container[Any]) -> list[Any]:
    """Parameters of a test, of which only some, those of `often`, are run in every run; the others with -m long."""
    return [
        pytest.param(*(each if isinstance(each, tuple) else (each,)), marks=[] if each in often else pytest.mark.long)
        for each in values
    ]


def first_of_each(cases: Iterable[Any], kind: Callable[[Any], Any] = lambda case: None) -> list[Any]:
    """Parameters of a test that asks the same of many: the first of each kind in every run, the others with -m long."""
    known, found = set(), []
    for case in cases:
        marks = [pytest.mark.long] if kind(case) in known else []
        known.add(kind(case))
        found.append(pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=marks))
    return found


def every_two(**options: Iterable[Any]) -> pytest.MarkDecorator:
    """Ask for every combination: in every run so many that any two options of two names meet, the others with -m long."""
    return _together(2, options)


def each_once(**options: Iterable[Any]) -> pytest.MarkDecorator:
    """Ask for every combination: in every run so many that every option is asked for, the others with -m long."""
    return _together(1, options)


def _together(size: int, options: dict[str, Iterable[Any]]) -> pytest.MarkDecorator:
    cases = {
        case: {frozenset(some) for some in combinations(enumerate(case), size)} for case in product(*options.values())
    }
    unmet, often = set().union(*cases.values()), set()
    while unmet:
        most = max(cases, key=lambda case: len(cases[case] & unmet))
        often.add(most)
        unmet -= cases[most]
    marks = {case: () if case in often else (pytest.mark.long,) for case in cases}
    found = [pytest.param(*case, marks=marks[case], id="-".join(map(str, case))) for case in cases]
    return pytest.mark.parametrize(tuple(options), found)


def descend(descent: Descent) -> Path:
    """Follow a single descent on the cliff."""
    return side_by_side(descent)[0]
