"""Where work is done: in this process, by processes of this machine, or by a Dask cluster.

Each is a standard `concurrent.futures.Executor`, chosen by one word: nothing,
a number of processes, or the address of a Dask scheduler. The same functions
give the same numbers everywhere.
"""

import os
import threading
from concurrent.futures import Executor

from explorer.cluster import Cluster
from explorer.in_turn import InTurn
from explorer.processes import Processes

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
