"""The compiled kernels get ready while the server answers, and nobody waits for them."""

import os
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

from explorer.training.compiled import KERNEL, KERNELS, OFF, VARIABLE

ROOT = Path(__file__).resolve().parents[2]
_started = threading.Event()


def prepare_kernels() -> None:
    """Compile the kernels, once a machine, in a process of low priority, then load them; returns at once."""
    if not _started.is_set():
        _started.set()
        threading.Thread(target=_prepare, name="kernels", daemon=True).start()


def _prepare() -> None:
    if find_spec("numba") and os.environ.get(VARIABLE) != OFF:
        paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        command = f"import os; getattr(os, 'nice', int)(19); import {KERNEL}"
        # Whatever goes wrong there goes wrong here too, and is told once.
        subprocess.run(
            [sys.executable, "-c", command], env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=False
        )
    KERNELS.load()
