"""What all tests share: one BLAS thread, the project on the path, the marker `slow`."""

import os

# Before NumPy is imported: two threads cost more than they bring, and the order of sums must not vary.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("GRADIENT_EXPLORER_AHEAD", "off")  # tests ask when they want to see something trained

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from explorer.training.compiled import KERNELS
from tests.work import clock, in_numpy  # noqa: F401


def pytest_configure(config: pytest.Config) -> None:
    # Of several processes the first compiles; which nets take the kernels must not depend on who is ready when.
    KERNELS.load()
    config.addinivalue_line("markers", "slow: takes more than ten seconds")
    config.addinivalue_line("markers", "long: left out unless asked for, pytest -m long")
