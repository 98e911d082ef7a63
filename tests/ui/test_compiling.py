"""The first visitor never waits for the compiler."""

import subprocess
import threading

import pytest

from explorer.training.compiled import KERNELS, OFF, VARIABLE
from explorer.ui import compiling


@pytest.fixture
def fresh(monkeypatch):
    monkeypatch.setattr(compiling, "_started", threading.Event())


def test_the_kernels_are_compiled_elsewhere_while_the_server_goes_on(fresh, monkeypatch):
    compiled, loaded = threading.Event(), threading.Event()
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: compiled.wait(30))
    monkeypatch.setattr(KERNELS, "load", loaded.set)
    monkeypatch.setenv(VARIABLE, "")
    compiling.prepare()  # returns, though nothing is compiled
    assert not loaded.is_set()
    compiled.set()
    assert loaded.wait(30)


def test_switched_off_nothing_is_compiled(fresh, monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: pytest.fail("compiled"))
    monkeypatch.setattr(KERNELS, "load", ended.set)
    monkeypatch.setenv(VARIABLE, OFF)
    compiling.prepare()
    assert ended.wait(30)
