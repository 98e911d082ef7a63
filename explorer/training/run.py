"""Training: a run that can be advanced a slice of time at a time, and resumed.

`Training` splits the runs of an experiment, or of several of equal shape, into
groups whose arrays fit the processor's cache, and advances the group with the
fewest records. It knows no thread and no screen: its owner calls `advance`
until it is complete.
"""

import copy
import time
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from explorer.choices.arrays import Array
from explorer.choices.settings import Settings
from explorer.training.compiled import group_for
from explorer.training.cores import of_each
from explorer.training.group import Group
from explorer.training.history import History
from explorer.training.kinds import kind_of
from explorer.training.recording import Records


def _check_alike(experiment: Settings, others: Sequence[Settings]) -> None:
    """Raise ValueError, naming the setting, where an experiment cannot train together with the first."""
    key = experiment.shape_key()
    for other in (another.shape_key() for another in others):
        if type(other) is not type(key):
            raise ValueError(f"{type(key).__name__} and {type(other).__name__} cannot train together")
        for name in (*key.controls(), "data"):
            if getattr(key, name) != getattr(other, name):
                free = [free for free, control in key.controls().items() if control.per_run and free != name]
                raise ValueError(
                    f"{name} = {getattr(key, name)!r} and {name} = {getattr(other, name)!r} cannot train together: "
                    f"experiments that do may differ in {', '.join(free)} only"
                )


def group_size(experiment: Settings) -> int:
    """Return how many runs to train as one array: as many as fit the cache."""
    return kind_of(experiment).group.size(experiment)


class Training:
    """A training run, of one experiment or of several of equal shape, that can be advanced a slice at a time.

    Trained together, every experiment has the numbers that it has alone; what
    is done once for all of them costs once.

    The experiments have equal `shape_key()`s; `experiment` is the first of them, `points` what they all learn, and
    `places` says which rows of the records are each one's. To record only some epochs, ascending from 0, instead of the
    usual schedule, name them in `record_at`. Training ends with the last of them, which may come before the experiment's
    last epoch: [0] measures the start alone. With `each_epoch` nets of layers also keep, in `records.epoch_losses`, the loss of
    every epoch as programs often print it: that of each batch before its update, added up. Without `histograms` z is not counted
    by bin, which costs time and memory that only the lens needs.

    Raises ValueError naming the setting in which experiments differ that do not fit together, or a `record_at` that
    cannot be kept.

    >>> training = Training(Experiment(epochs=100, depth=2))
    >>> while not training.advance(seconds=0.1):
    ...     print(f"{training.progress:.0%}")
    >>> training.history().complete
    True
    """

    def __init__(
        self,
        experiment: Settings,
        *others: Settings,
        record_at: Sequence[int] | None = None,
        each_epoch: bool = False,
        histograms: bool = True,
    ) -> None:
        _check_alike(experiment, others)
        self.experiment: Any = experiment
        self.experiments: tuple[Any, ...] = (experiment, *others)
        self.points = experiment.points()
        kind = kind_of(experiment)
        self.records = Records(
            self.experiments,
            record_at,
            measured=kind.measures,
            recurrent_matrix=kind.group.recurrent_matrix(experiment),
            answers=kind.group.answers_kept(experiment),
            each_epoch=each_epoch,
            counted=kind.group.z_counted(experiment) if histograms else (0, 0),
        )
        self.places, self._last = self.records.places, int(self.records.epochs[-1])
        size, count = group_size(experiment), len(self.records.rows)
        parts = [slice(first, min(first + size, count)) for first in range(0, count, size)]
        make = group_for(kind.group, self.experiments)
        self.groups = [make(experiment, runs, self.records) for runs in parts]
        self._advancing = {group: group.train() for group in self.groups}

    @property
    def complete(self) -> bool:
        """Whether all groups are at their end."""
        return all(group.complete for group in self.groups)

    @property
    def progress(self) -> float:
        """Share of the epochs that every group has completed."""
        epochs = [group.epoch for group in self.groups if not group.complete]
        return min(epochs) / max(self._last, 1) if epochs else 1.0

    def advance(self, seconds: float) -> bool:
        """Train for about `seconds` (at least one update, and up to the first record); return whether complete.

        The group with the fewest records goes first, so that all seeds' pictures grow together; compiled groups go side by
        side, as many as there are cores for. A group keeps its share of the time: switching at every record would load all
        arrays into the cache again.
        """
        deadline, turn = time.perf_counter() + seconds, seconds / len(self.groups)
        while not self.complete:
            groups = sorted((group for group in self.groups if not group.complete), key=attrgetter("record"))
            abreast = groups[: groups[0].abreast]
            until = time.perf_counter() + turn
            late = of_each(lambda index: self._turn(abreast[index], until, deadline), range(len(abreast)), turn)  # noqa: B023
            if any(late) and all(group.record for group in self.groups):
                break
        return self.complete

    def _turn(self, group: Group, until: float, deadline: float) -> bool:
        """Train a group to its first record after `until`, or to the deadline; return whether that has passed."""
        # Overflow and NaN are findings here, not errors: they are looked for and recorded.
        with np.errstate(all="ignore"):
            for recorded in self._advancing[group]:
                now = time.perf_counter()
                if now >= deadline:
                    return True
                if recorded and now >= until:
                    break
        return False

    def history(self, index: int = 0) -> History:
        """Return what has been recorded so far of one of the experiments.

        The arrays are views that later records do not touch.
        """
        rows, records = self.places[index], self.records
        part = rows, slice(max(min(group.record for group in self.groups_of(index)), 1))
        return History(
            experiment=self.experiments[index],
            epochs=records.epochs[part[1]],
            measures={name: values[part] for name, values in records.measures.items()},
            answers=None if records.answers is None else records.answers[part],
            endings=tuple(records.endings[rows]),
            z_counts=None if records.z_counts is None else records.z_counts[part],
            target_variance=float(self.points.y.var()),
            recurrent_matrix={name: values[part] for name, values in records.recurrent_matrix.items()},
            **{name: values[part] for name, values in records.scalars.items()},
        )

    def answers(self, x: Array, run: int, index: int = 0) -> Array:
        """Return what one run's net of one of the experiments answers now to x of shape (samples, features)."""
        row = self.places[index].start + run
        group = next(group for group in self.groups if group.runs.start <= row < group.runs.stop)
        return group.answers(x, row - group.runs.start)

    def of(self, *indexes: int) -> "Training":
        """Return a view of this training that holds only some of its experiments.

        Advancing the view advances this training. The view has only the groups with runs of these
        experiments; its `records` are those of all.
        """
        seen = copy.copy(self)
        seen.experiments = tuple(self.experiments[index] for index in indexes)
        seen.experiment, seen.places = seen.experiments[0], [self.places[index] for index in indexes]
        mine = {group for index in indexes for group in self.groups_of(index)}
        seen.groups = [group for group in self.groups if group in mine]
        return seen

    def groups_of(self, index: int) -> list[Group]:
        """Return the groups that hold runs of one of the experiments."""
        rows = self.places[index]
        return [group for group in self.groups if group.runs.start < rows.stop and rows.start < group.runs.stop]

    def release(self) -> None:
        """Free what complete groups no longer need; history and answers remain available."""
        for group in self.groups:
            if group.complete:
                group.release()

    @property
    def nbytes(self) -> int:
        """Memory held, in bytes, roughly: the records and every group's stacks."""
        return self.records.nbytes + sum(group.nbytes for group in self.groups)


def train(experiment: Settings) -> History:
    """Train an experiment to its end and return what was recorded.

    >>> train(Experiment(depth=2, epochs=50)).outcome[0]
    'stuck'
    """
    training = Training(experiment)
    training.advance(seconds=float("inf"))
    return training.history()
