"""Training: a run that can be advanced a slice of time at a time, and resumed.

`Training` splits the seeds of an experiment into groups whose arrays fit the
processor's cache, and advances the group that is furthest behind. It knows no
thread and no screen: whoever holds it calls `advance` until it is complete.
"""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.experiment import Experiment
from explorer.group import Group
from explorer.history import History
from explorer.records import Records

Array = NDArray[np.float64]

CACHE_BYTES = 2**20


def group_size(experiment: Experiment) -> int:
    """Return how many runs to train as one array: as many as fit the cache."""
    return runs_that_fit(experiment.layers, experiment.width, max(experiment.batch_sizes()))


def runs_that_fit(layers: int, width: int, samples: int) -> int:
    """Return how many runs' arrays fit the cache together, for batches of `samples`."""
    per_run = 8 * layers * (3 * width * samples + 3 * width * (width + 1))
    return min(max(CACHE_BYTES // per_run, 1), 256)


class Training:
    """A training run that can be advanced a slice at a time.

    Parameters
    ----------
    experiment : Experiment
    every_epoch : bool
        Also keep the L2 norm of every layer's dL/dW at every epoch.
    record_at : sequence of int, optional
        The epochs to record, ascending from 0 to the experiment's last, instead of the usual schedule.

    Examples
    --------
    >>> training = Training(Experiment(epochs=100, depth=2))
    >>> while not training.advance(seconds=0.1):
    ...     print(f"{training.progress:.0%}")
    >>> training.history().complete
    True
    """

    def __init__(
        self, experiment: Experiment, *, every_epoch: bool = False, record_at: Sequence[int] | None = None
    ) -> None:
        self.experiment = experiment
        self.points = experiment.points()
        self.records = Records(experiment, len(self.points.y), record_at)
        size = group_size(experiment)
        shape = (experiment.epochs, experiment.layers)
        self.groups, self._squares = [], []
        for first in range(0, experiment.runs, size):
            runs = slice(first, min(first + size, experiment.runs))
            squares = np.zeros((*shape, runs.stop - runs.start)) if every_epoch else None
            self.groups.append(Group(experiment, runs, self.records, squares))
            self._squares.append(squares)
        self._lives = [group.live() for group in self.groups]

    @property
    def complete(self) -> bool:
        """Whether all groups are at their end."""
        return all(group.record >= len(self.records.epochs) for group in self.groups)

    @property
    def progress(self) -> float:
        """Share of the epochs that every group has behind it."""
        if self.complete:
            return 1.0
        return min(group.epoch for group in self.groups) / self.experiment.epochs

    def advance(self, seconds: float) -> bool:
        """Train for about `seconds` (at least one update, and up to the first record); return whether complete.

        The group furthest behind goes first, so that all seeds' pictures grow together.
        """
        deadline = time.perf_counter() + seconds
        # Overflow and NaN are findings here, not errors: they are looked for and recorded.
        with np.errstate(all="ignore"):
            while not self.complete:
                index = min(range(len(self.groups)), key=lambda number: self.groups[number].record)
                for recorded in self._lives[index]:
                    late = time.perf_counter() >= deadline
                    if recorded or late:
                        break
                else:
                    continue
                if late and all(group.record for group in self.groups):
                    break
        return self.complete

    def history(self) -> History:
        """Return what has been recorded so far; the arrays are views that later records do not touch."""
        done = max(min(group.record for group in self.groups), 1)
        records = self.records
        rows = {name: values[:, :done] for name, values in records.scalars.items()}
        return History(
            experiment=self.experiment,
            epochs=records.epochs[:done],
            measures={name: values[:, :done] for name, values in records.measures.items()},
            answers=None if records.answers is None else records.answers[:, :done],
            endings=tuple(records.endings),
            target_variance=float(self.points.y.var()),
            **rows,
        )

    def weight_gradient_every_epoch(self) -> Array:
        """Return the L2 norm of dL/dW, (runs, epochs, layers), if it was asked for."""
        squares = [kept for kept in self._squares if kept is not None]
        if not squares:
            raise ValueError("every_epoch = False: ask for Training(experiment, every_epoch=True)")
        return np.sqrt(np.concatenate(squares, axis=2).transpose(2, 0, 1))

    def answers(self, x: Array, run: int) -> Array:
        """Return what one run's net answers now to x of shape (samples, features)."""
        group = next(group for group in self.groups if group.runs.start <= run < group.runs.stop)
        return group.answers(x, run - group.runs.start)

    def release(self) -> None:
        """Let go of what a complete training needs no more; history and answers stay."""
        if self.complete:
            for group in self.groups:
                group.release()

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes, roughly: the records and every group's stacks."""
        return self.records.nbytes + sum(group.nbytes for group in self.groups)


def train(experiment: Experiment) -> History:
    """Train an experiment to its end and return what was recorded.

    Examples
    --------
    >>> train(Experiment(depth=2, epochs=50)).outcome[0]
    'stuck'
    """
    training = Training(experiment)
    training.advance(seconds=float("inf"))
    return training.history()
