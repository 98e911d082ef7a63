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
from tests.work import clock, history, in_numpy  # noqa: F401

# Files are handed out in this order, whole ones: those that take longest go first, so that all processes end together.
LONGEST_FIRST = (
    "browser/test_tour_page", "browser/test_links", "browser/test_access", "browser/test_sharing", "browser/test_pages",
    "browser/test_moves", "browser/", "ui/test_app", "sweeps/test_workers", "stories/test_tour", "training/test_compiled",
    "sweeps/test_cluster", "sweeps/test_sweep", "training/test_network", "theory/test_theory", "ui/test_time_page",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {
        item.path: next((rank for rank, part in enumerate(LONGEST_FIRST) if part in item.path.as_posix()), len(items))
        for item in items
    }
    items.sort(key=lambda item: ranks[item.path])  # a stable sort: within a file tests stay in their order


def pytest_configure(config: pytest.Config) -> None:
    # Of several processes the first compiles; which nets take the kernels must not depend on who is ready when.
    KERNELS.load()
    config.addinivalue_line("markers", "slow: takes more than ten seconds")
    config.addinivalue_line("markers", "long: left out unless asked for, pytest -m long")
