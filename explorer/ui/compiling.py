"""The compiled kernels get ready while the server answers, and nobody waits for them; then what opens is trained ahead."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from explorer.training.compiled import KERNEL, KERNELS, OFF, VARIABLE
from explorer.ui.ahead import Ahead, train_ahead

ROOT = Path(__file__).resolve().parents[2]
_started = threading.Event()


def prepare(works: Iterable[Ahead] = ()) -> None:
    """Compile the kernels, once a machine, in a process of low priority, then load them, and train ahead; returns at once."""
    if not _started.is_set():
        _started.set()
        threading.Thread(target=_prepare, args=(works,), name="ahead", daemon=True).start()


def _prepare(works: Iterable[Ahead]) -> None:
    if find_spec("numba") and os.environ.get(VARIABLE) != OFF:
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        command = f"import os; getattr(os, 'nice', int)(19); import {KERNEL}"
        # Whatever goes wrong there goes wrong here too, and is told once.
        subprocess.run(
            [sys.executable, "-c", command], env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=False
        )
    KERNELS.load()
    train_ahead(works)
